"""Processes, sockets, TLS, HTTP, scheduled jobs and logs: serves routes and knows nothing of what they are about.

Nothing is gathered here: each command loads the modules that it needs and no others.
"""
