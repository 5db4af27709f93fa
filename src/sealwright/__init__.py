"""Sealwright: an identity provider and a certificate authority in one program."""

__version__ = "0.1.0"
