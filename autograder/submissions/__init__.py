"""What students handed in: collected, read, dated, and made again what was released."""
