"""Calls to a certificate authority by the protocol of `step`: ours, or any other that speaks it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from sealwright.cli.dependencies import CommandDependencies
from sealwright.cli.errors import CommandFailed, Missing, RefusedByServer, Unreachable, ValueRefused, Waiting
from sealwright.cli.https import Transport, send
from sealwright.cli.server_address import tls_context

_PAGE = 100
_SENTENCES = re.compile(r"(?<=\.) (?=[A-Z])")  # this wire has one text where ours have parts
_FAILURES: Mapping[int, type[CommandFailed]] = {
    400: ValueRefused,
    401: RefusedByServer,
    403: RefusedByServer,
    404: Missing,
    409: Waiting,
}


class Signed(NamedTuple):
    """What came back: the leaf's certificate first, then the chain without the root; PEM."""

    chain_pem: tuple[str, ...]

    @property
    def pem(self) -> bytes:
        """The content of a certificate file."""
        return "".join(each if each.endswith("\n") else f"{each}\n" for each in self.chain_pem).encode()


class Authority:
    """One certificate authority."""

    def __init__(
        self, url: str, roots_pem: str, dependencies: CommandDependencies, client_certificate: tuple[Path, Path] | None = None
    ) -> None:
        """`client_certificate`: files of a certificate and its key, shown when the connection is made."""
        self.url = url
        self.roots_pem = roots_pem
        self._dependencies = dependencies
        self._client_certificate = client_certificate
        self._transport: Transport | None = None

    def provisioners(self) -> list[dict[str, Any]]:
        """The provisioners."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            answer = self._call("GET", "/provisioners", query={"limit": str(_PAGE), **({"cursor": cursor} if cursor else {})})
            found += answer.get("provisioners") or []
            cursor = answer.get("nextCursor") or ""
            if not cursor:
                return found

    def encrypted_key(self, key_id: str) -> str:
        """The sealed private key of a JWK provisioner."""
        return str(self._call("GET", f"/provisioners/{quote(key_id, safe='')}/encrypted-key")["key"])

    def sign(self, csr_pem: str, token: str, *, not_before: str = "", not_after: str = "") -> Signed:
        """A certificate for a request, vouched for by a token."""
        body = {"csr": csr_pem, "ott": token, "notBefore": not_before, "notAfter": not_after}
        return _signed(self._call("POST", "/sign", body=body))

    def renew(self, token: str | None = None) -> Signed:
        """A new certificate in place of the one shown, or of the one that a token is signed with."""
        return _signed(self._call("POST", "/renew", token=token))

    def rekey(self, csr_pem: str) -> Signed:
        """A new certificate in place of the one shown, for the key of a request."""
        return _signed(self._call("POST", "/rekey", body={"csr": csr_pem}))

    def revoke(self, serial: str, reason_code: int, reason: str) -> None:
        """Revoke the certificate shown."""
        body = {"serial": serial, "reasonCode": reason_code, "reason": reason, "passive": True}
        self._call("POST", "/revoke", body=body)

    def _call(
        self, method: str, path: str, *, body: Any = None, query: Mapping[str, str] | None = None, token: str | None = None
    ) -> dict[str, Any]:
        headers = {"accept": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        content = None
        if body is not None:
            headers["content-type"] = "application/json"
            content = json.dumps(body).encode()
        response = send(self._reached(), method, self.url + path, headers=headers, content=content, query=query)
        try:
            answer = json.loads(response.body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Unreachable(f"{self.url} answers with status {response.status}, but not as a certificate authority.")
        if response.status >= HTTPStatus.BAD_REQUEST:
            message = str(answer.get("message") or f"status {response.status}")
            first, *more = _SENTENCES.split(message)
            raise _FAILURES.get(response.status, CommandFailed)(first, reasons=tuple(more))
        return answer

    def _reached(self) -> Transport:
        if self._transport is None:
            context = tls_context(self.roots_pem)
            if self._client_certificate:
                certificate, key = self._client_certificate
                try:
                    context.load_cert_chain(certificate, key, password="")  # an encrypted key is refused, not asked about
                except (OSError, ValueError) as cause:  # SSLError is an OSError
                    raise CommandFailed(f"{certificate} and {key} cannot be used together.") from cause
            self._transport = self._dependencies.transport(context)
        return self._transport


def _signed(answer: Mapping[str, Any]) -> Signed:
    chain = answer.get("certChain") or [answer.get("crt"), answer.get("ca")]
    if not isinstance(chain, list) or not all(isinstance(each, str) and each for each in chain):
        raise Unreachable("the certificate authority's answer holds no certificate.")
    return Signed(tuple(chain))
