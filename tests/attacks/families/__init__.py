"""Hostile submissions, one module a family. `$WORDS` in their code are filled in when handed in."""
