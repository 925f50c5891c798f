"""XML and HTML."""
