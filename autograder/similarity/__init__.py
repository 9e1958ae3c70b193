"""Which submissions are more alike than the class explains."""
