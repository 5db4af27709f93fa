"""Proof that the one who sends a token holds a key (DPoP, RFC 9449)."""
