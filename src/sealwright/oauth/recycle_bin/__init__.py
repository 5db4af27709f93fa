"""Deleted clients, for some days."""
