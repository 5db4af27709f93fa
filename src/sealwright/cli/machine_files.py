"""The files of a machine: one with certificate and key, so that a renewal replaces both at once, and one with its client."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from sealwright.cli.errors import Clash, CommandFailed, Missing
from sealwright.cli.files import read_bytes, write_private
from sealwright.cli.key_pair import LeafKey, names_of, private_pem, read_certificates, same_key

_NEEDED_MEMBERS = frozenset({"client_id", "authority", "token_endpoint", "registration_client_uri", "registration_access_token"})


class MachineFiles:
    """All of them in one directory, readable by their owner only."""

    def __init__(self, directory: Path) -> None:
        self.identity = directory / "machine.pem"
        self.client = directory / "client.json"
        self.root = directory / "root.pem"

    def has_certificate(self) -> bool:
        """Whether it has one, valid or not."""
        return self.identity.exists()

    def has_client(self) -> bool:
        """Whether it is registered."""
        return self.client.exists()

    def certificate_to_enrol(self, name: str, now: datetime) -> x509.Certificate | None:
        """What an enrolment that was interrupted left; None where there is none, or one that has expired.

        Raises Clash where the machine is enrolled, and where the directory is that of a machine with another name.
        """
        held = self.certificate() if self.has_certificate() else None
        if held is not None:
            self._require_named(name, names_of(held))
        if self.has_client():
            self._require_named(name, [str(self.registered().get("tls_client_auth_san_dns", name))])
        if held is None or held.not_valid_after_utc <= now:
            return None
        if self.has_client():
            raise Clash(
                f"{self.client} is there already: the machine is enrolled.",
                hint="Renew it, or revoke it first, or enrol another with --dir.",
            )
        return held

    def _require_named(self, name: str, names: list[str]) -> None:
        if name.lower() not in [each.lower() for each in names]:
            raise Clash(
                f"{self.identity.parent} is the directory of {', '.join(names)}, not of {name}.", hint="Give another --dir."
            )

    def certificate(self) -> x509.Certificate:
        """The certificate; raises Missing where there is none."""
        if not self.has_certificate():
            raise Missing(f"there is no {self.identity}.", hint="Enrol the machine first: sealwright machine enrol NAME …")
        return read_certificates(read_bytes(self.identity), self.identity)[0]

    def roots_pem(self) -> str:
        """The roots that the server is trusted by."""
        return read_bytes(self.root).decode("ascii", "replace")

    def keep_identity(self, chain_pem: bytes, key: LeafKey) -> x509.Certificate:
        """Write certificate, chain and key in one step; a certificate for another key is not kept."""
        made = read_certificates(chain_pem, self.identity)[0]
        if not same_key(made, key):
            raise CommandFailed("the certificate authority answered with a certificate for another key. It was not kept.")
        write_private(self.identity, chain_pem + private_pem(key))
        return made

    def keep_root(self, roots_pem: str) -> None:
        """Remember the roots that the server is trusted by."""
        write_private(self.root, roots_pem.encode())

    def registered(self) -> dict[str, Any]:
        """The response to the registration of the client; raises Missing where it is not registered."""
        if not self.client.exists():
            raise Missing(f"there is no {self.client}.", hint="Enrol the machine first: sealwright machine enrol NAME …")
        try:
            found = json.loads(read_bytes(self.client))
            if isinstance(found, dict) and found.keys() >= _NEEDED_MEMBERS:
                return found
        except ValueError:
            pass
        raise CommandFailed(f"{self.client} is damaged.", hint="Enrol the machine anew, in another directory.")

    def keep_client(self, response: dict[str, Any]) -> None:
        """Remember the response to the registration."""
        write_private(self.client, json.dumps(response, indent=2).encode())

    def forget_identity(self) -> None:
        """Delete the file of certificate and key, which are of no use any more."""
        self.identity.unlink(missing_ok=True)

    def forget_client(self) -> None:
        """Delete the file of the client, which is not registered any more."""
        self.client.unlink(missing_ok=True)
