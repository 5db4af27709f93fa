"""Issuers: what tokens name as their `iss`. Each has a URL, a key set, and one or more clients."""
