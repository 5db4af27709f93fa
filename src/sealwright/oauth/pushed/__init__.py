"""Authorization requests that clients send by themselves, before the browser (RFC 9126)."""
