"""Files and folders, however they are packed and written."""
