"""Nested documents (JSON, BSON, XML) to frames of flat columns."""
