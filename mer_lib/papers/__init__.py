"""The papers: what they report, and their experiments declared as data."""
