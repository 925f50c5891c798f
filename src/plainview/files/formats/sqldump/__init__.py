"""Dumps of SQL databases."""
