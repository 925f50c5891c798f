"""A package that adds to plainview."""
