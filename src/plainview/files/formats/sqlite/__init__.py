"""SQLite databases and their journals."""
