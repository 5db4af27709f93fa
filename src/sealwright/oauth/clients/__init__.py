"""Registered clients: their rows, what is set on them, and who may change it."""
