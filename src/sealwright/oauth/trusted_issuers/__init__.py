"""Issuers whose tokens a client may exchange for its own (RFC 7523): of a Kubernetes cluster, of a CI system."""
