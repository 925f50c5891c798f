"""What a file holds, told from its bytes and its name."""
