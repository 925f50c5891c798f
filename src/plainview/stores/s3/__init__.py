"""Amazon S3 and the many that speak its protocol."""
