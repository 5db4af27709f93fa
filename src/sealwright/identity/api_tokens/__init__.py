"""Tokens by which service accounts use the API."""
