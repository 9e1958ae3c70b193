"""nbgrader's gradebook: opened once for a class, written one submission at a time, read as rows."""
