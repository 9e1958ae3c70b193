"""What the course claims about accuracy and time, as commands that measure it again."""
