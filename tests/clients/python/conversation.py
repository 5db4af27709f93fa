"""A test speaks to a client in lines of JSON: settings first, then an answer to each question."""

import json
import sys


def read():
    """What the test sent."""
    return json.loads(sys.stdin.readline())


def ask(question):
    """Ask the test something; its answer."""
    tell(question)
    return read()


def tell(result):
    """Send something to the test."""
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()
