"""Sign-in on a device without a browser, decided on another one (RFC 8628)."""
