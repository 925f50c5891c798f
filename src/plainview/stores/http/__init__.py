"""Directories that a web server lists."""
