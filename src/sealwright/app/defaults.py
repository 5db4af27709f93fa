"""What a new server has so that the first certificate needs no preparation: a client for our command, and who vouches for it.

Both are ordinary entries, which an administrator may change or remove. They are stored in the transaction that stores the
authorities: once for all nodes, and never again by an `init` that comes later.
"""

from __future__ import annotations

from sealwright.access import ALL_PERSONS, SYSTEM
from sealwright.app.wiring import Parts
from sealwright.db import Insertion

_LANDING_URL = "http://127.0.0.1"  # a program on people's own computers; any port of theirs, as it is picked each time
_SCOPES = ("openid", "email")


def prepared_defaults(parts: Parts, name: str) -> tuple[Insertion, ...]:
    """What stores a public client that every person may use, and the provisioner that trusts its issuer; `name`: of both."""
    client = parts.oauth.clients.prepared_public(name, "Sealwright command", _LANDING_URL, {ALL_PERSONS: _SCOPES}, actor=SYSTEM)
    definition = {
        "type": "OIDC",
        "name": name,
        "clientID": name,
        "configurationEndpoint": f"/oauth2/openid/{name}/.well-known/openid-configuration",  # a path: right at every address
        "scopes": list(_SCOPES),
    }
    return client, parts.ca.provisioners.prepared(definition, SYSTEM)
