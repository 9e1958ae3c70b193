"""Hostile submissions, what each wants, and what it gets: nothing."""
