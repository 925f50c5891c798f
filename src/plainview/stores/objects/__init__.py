"""Object stores and directory listings over HTTP: S3, Azure Blob Storage, Google Cloud Storage, autoindex pages."""
