"""Token exchange (RFC 8693): what was presented, and what may be made of it."""
