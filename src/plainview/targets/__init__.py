"""What the user gives: addresses, the scope, credentials."""
