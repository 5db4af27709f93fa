"""Clients that register themselves, and manage what they registered (RFC 7591, RFC 7592)."""
