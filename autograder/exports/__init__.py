"""Marks for spreadsheets and learning platforms, as nbgrader's export plugins."""
