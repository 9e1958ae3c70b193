"""Where submissions are examined: who does it, what they are given, and what they give back."""
