"""The program put together: wiring, routes, the schedule, and the commands that need no running server.

Nothing is gathered here: each command on a home directory loads the modules that it needs and no others.
"""
