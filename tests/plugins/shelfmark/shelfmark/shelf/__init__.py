"""A store: the catalogue of a library, over HTTP."""
