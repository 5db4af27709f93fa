"""Processes, sockets, TLS and HTTP: serves routes and knows nothing of what they are about.

Owns: the listeners, the workers, the two lanes, the schedule of jobs. `wiring`, `routes` and `duties` alone know the domains, and
`surroundings` the people. Nothing is gathered here: each command on a home directory loads the modules that it needs and no
others.
"""
