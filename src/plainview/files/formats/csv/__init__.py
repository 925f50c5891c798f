"""Delimited text: CSV, TSV and its dialects."""
