"""A real Keycloak, prepared by its installation, whose certificate comes from our CA and whose realm a test makes."""

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
from shutil import copy2, copytree
from typing import Any
from urllib.parse import urlencode

from tests.interop.client_programs import require
from tests.interop.sign_on_place import CLIENT, CLIENT_SECRET
from tests.interop.wire import server_certificate
from tests.live import TOOLS, LiveServer, end, free_ports, wait_for_port

DISTRIBUTION = TOOLS / "keycloak"
HOST = "127.0.0.2"
"""Loopback too, and none of the names of the server, which certifies those for no one else."""
ADMIN = "keeper"
"""Made by its installation, which keeps the password beside it."""
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
        password = (DISTRIBUTION / ".administrator").read_text().strip()
        form = {"grant_type": "password", "client_id": "admin-cli", "username": ADMIN, "password": password}
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
        "clients": [
            _client(server, CLIENT, full_path=False),
            _client(server, f"{CLIENT}-paths", full_path=True),
            {
                "clientId": "step",
                "publicClient": True,
                "standardFlowEnabled": True,
                "redirectUris": ["http://127.0.0.1"],
            },
        ],
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
        "secret": CLIENT_SECRET,
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


def _home(home: Path) -> Path:
    """A directory for one run: with a database of its own, and the program of the installation."""
    (home / "bin").mkdir(parents=True)
    copy2(DISTRIBUTION / "bin" / "kc.sh", home / "bin")  # it takes the directory above its own for its home
    for name in ("conf", "lib", "providers", "themes"):
        (home / name).symlink_to(DISTRIBUTION / name)
    copytree(DISTRIBUTION / "data", home / "data")
    return home


@contextmanager
def keycloak(server: LiveServer, place: Path, people: Mapping[str, tuple[str, tuple[str, ...]]]) -> Iterator[Keycloak]:
    """Start it; stopped afterwards."""
    require((DISTRIBUTION / ".administrator").exists(), "scripts/install-keycloak")
    home = _home(place / "keycloak")
    imported = home / "data" / "import" / f"{REALM}-realm.json"
    imported.parent.mkdir(parents=True)
    imported.write_text(json.dumps(realm(server, people)))
    chain, key = server_certificate(server, HOST, "keycloak")
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
        "cache": "local",
    }
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(place),
        "JAVA_OPTS": "-Xms64m -Xmx512m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC",  # it lives for too short to be optimized
    }
    command = [
        str(home / "bin" / "kc.sh"),
        "start",
        "--optimized",
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
