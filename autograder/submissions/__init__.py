"""What students handed in: read, dated, and made again what was released."""
