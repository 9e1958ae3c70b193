"""What the instructor released: its cells and files, its names, and the seeds of its checks."""
