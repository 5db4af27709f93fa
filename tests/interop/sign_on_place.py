"""A live server in which people sign in with an identity provider that none of us wrote."""

from __future__ import annotations

import json
from typing import Any

from demo.forms import Browser
from tests.live import LiveServer

CLIENT = "sealwright"
CLIENT_SECRET = "the-secret-of-this-server-there-8"


class SignOnPlace:
    """What an administrator does at the terminal, and what comes of it in a browser."""

    def __init__(self, server: LiveServer, issuer: str) -> None:
        self.server, self.issuer = server, issuer

    def create(self, name: str, *more: str, client_id: str = CLIENT, issuer: str = "") -> str:
        """A provider that is stored; its id."""
        secret = self.server.file(f"{name}-secret", CLIENT_SECRET)
        described = (name, issuer or self.issuer, client_id, "--client-secret-file", secret)
        made: str = self.server.sealwright_json("oidc-provider", "create", *described, *more)["id"]
        return made

    def mapped(self, name: str, group: str, role: str, *more: str, client_id: str = CLIENT, issuer: str = "") -> str:
        """A provider of which one group gives a role; its id."""
        provider = self.create(name, *more, client_id=client_id, issuer=issuer)
        self.server.sealwright("oidc-provider", "map-group", provider, group, role)
        return provider

    def begin(self, provider: str) -> str:
        """The address of its button on the sign-in page."""
        return f"{self.server.people}/auth/oidc/login?provider={provider}"

    def is_signed_in(self, browser: Browser) -> bool:
        account = f"{self.server.people}/ui/account"
        return browser.open(account).url == account

    def listed(self, *command: str) -> list[Any]:
        """What a command lists, one JSON object a line."""
        return [json.loads(line) for line in self.server.sealwright(*command, "--output", "json").splitlines()]
