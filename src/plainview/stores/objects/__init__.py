"""What object stores and directory listings over HTTP share."""
