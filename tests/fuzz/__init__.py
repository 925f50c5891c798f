"""Fuzz targets for every parser of our own. `python3 dev.py fuzz` runs them; CONTRIBUTING.md says how."""
