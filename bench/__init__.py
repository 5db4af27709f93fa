"""Measurements, not tests: how fast each path is over TLS keep-alive with durable commits, beside a real step-ca."""
