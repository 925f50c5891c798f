"""The command: arguments, progress, exit status."""
