"""Encodings of text: told from its bytes, and decoded to UTF-8."""
