"""A real Keycloak in development mode, whose certificate comes from our CA and whose realm a test makes."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import Any
from urllib.parse import urlencode

from tests.interop.client_programs import require
from tests.interop.wire import Requester, line, write_key
from tests.live import TOOLS, LiveServer, end, free_ports, wait_for_port

DISTRIBUTION = TOOLS / "keycloak"
HOST = "127.0.0.2"
"""Loopback too, and none of the names of the server, which certifies those for no one else."""
ADMIN, ADMIN_PASSWORD = "keeper", "seven-blue-herons-wade-4"
PATIENCE = 600.0
REALM = "staff"


@dataclass
class Keycloak:
    """A running one."""

    origin: str
    root: Path
    log: Path

    @property
    def issuer(self) -> str:
        return f"{self.origin}/realms/{REALM}"

    def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Any:
        context = ssl.create_default_context(cafile=str(self.root))
        request = urllib.request.Request(f"{self.origin}{path}", body, dict(headers), method=method)
        try:
            with urllib.request.urlopen(request, context=context, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as refusal:
            raise AssertionError(f"{method} {path} → {refusal.code}: {refusal.read().decode()}") from refusal
        return json.loads(text) if text else None

    def administer(self, method: str, path: str, value: Any = None) -> Any:
        """Call its administration as its administrator."""
        form = {"grant_type": "password", "client_id": "admin-cli", "username": ADMIN, "password": ADMIN_PASSWORD}
        token = self._send("POST", "/realms/master/protocol/openid-connect/token", urlencode(form).encode(), {})
        headers = {"authorization": f"Bearer {token['access_token']}", "content-type": "application/json"}
        return self._send(method, f"/admin/realms/{path}", None if value is None else json.dumps(value).encode(), headers)


def realm(server: LiveServer, people: Mapping[str, tuple[str, tuple[str, ...]]]) -> dict[str, Any]:
    """A realm with these people: name → password and groups; one client names groups, the other their full paths."""
    groups = sorted({group for _, of in people.values() for group in of})
    return {
        "realm": REALM,
        "enabled": True,
        "sslRequired": "all",
        "groups": [{"name": group} for group in groups],
        "users": [
            {
                "username": name,
                "enabled": True,
                "email": f"{name}@example.org",
                "emailVerified": True,
                "firstName": name.title(),
                "lastName": "Staff",
                "credentials": [{"type": "password", "value": password}],
                "groups": [f"/{group}" for group in of],
            }
            for name, (password, of) in people.items()
        ],
        "clients": [_client(server, "sealwright", full_path=False), _client(server, "sealwright-paths", full_path=True)],
    }


def _client(server: LiveServer, client_id: str, *, full_path: bool) -> dict[str, Any]:
    mapper = {
        "name": "groups",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-group-membership-mapper",
        "config": {"claim.name": "groups", "full.path": str(full_path).lower(), "id.token.claim": "true"},
    }
    return {
        "clientId": client_id,
        "secret": "the-secret-of-this-server-there-8",
        "protocol": "openid-connect",
        "publicClient": False,
        "standardFlowEnabled": True,
        "redirectUris": [f"{server.people}/auth/oidc/callback"],
        "attributes": {
            "pkce.code.challenge.method": "S256",
            "backchannel.logout.url": f"{server.people}/auth/oidc/back-channel-logout",
            "backchannel.logout.session.required": "true",
        },
        "protocolMappers": [mapper],
    }


@contextmanager
def keycloak(server: LiveServer, place: Path, people: Mapping[str, tuple[str, tuple[str, ...]]]) -> Iterator[Keycloak]:
    """Start it; stopped afterwards."""
    require((DISTRIBUTION / ".version").exists(), "scripts/install-keycloak")
    copytree(DISTRIBUTION, home := place / "keycloak")
    imported = home / "data" / "import" / f"{REALM}-realm.json"
    imported.parent.mkdir(parents=True)
    imported.write_text(json.dumps(realm(server, people)))
    requester = Requester(server)
    with line(server.machines, server.root) as opened:
        signed = opened.send("POST", "/sign", requester.sign_body(HOST)).json()
    chain = server.file("keycloak.crt", "".join(signed["certChain"]))
    key = write_key(server.place / "keycloak.key", requester.key)
    (port,) = free_ports(1)
    origin, log = f"https://{HOST}:{port}", place / "keycloak.log"
    options = {
        "hostname": origin,
        "http-host": HOST,
        "http-enabled": "false",
        "https-port": port,
        "https-certificate-file": chain,
        "https-certificate-key-file": key,
        "truststore-paths": server.root,
    }
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(place),
        "JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx512m",
        "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN,
        "KC_BOOTSTRAP_ADMIN_PASSWORD": ADMIN_PASSWORD,
    }
    command = [
        str(home / "bin" / "kc.sh"),
        "start-dev",
        "--import-realm",
        *(f"--{name}={value}" for name, value in options.items()),
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, cwd=place, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        wait_for_port(port, process, log, PATIENCE, host=HOST)
        yield Keycloak(origin, server.root, log)
    finally:
        end(process)
