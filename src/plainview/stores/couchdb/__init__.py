"""CouchDB."""
