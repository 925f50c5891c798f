"""Inputs that ask for more work, memory or depth than their size, made when they are needed."""
