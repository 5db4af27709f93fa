"""Sign-in at an OpenID Connect provider through a browser: authorization code with PKCE (RFC 8252, RFC 7636, RFC 9207)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from sealwright.cli.errors import CommandFailed, RefusedByServer, Unreachable
from sealwright.cli.https import Answer, Transport, send
from sealwright.cli.output import continued
from sealwright.jose import TokenMalformed, UnverifiedToken, base64url

WAIT_SECONDS = 120.0
WAIT_FOR_PASTE_SECONDS = 600.0
_WELL_KNOWN = "/.well-known/openid-configuration"
_LEEWAY_SECONDS = 60


class Provider(NamedTuple):
    """What a provider says about itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    names_itself: bool
    """Whether it promises to name itself in its answers (RFC 9207)."""


class OidcClient(NamedTuple):
    """The client as which this program signs someone in, and what it asks for: from the provisioner's definition."""

    client_id: str
    client_secret: str
    configuration_endpoint: str
    tenant_id: str
    scopes: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    """Further parameters of the authorization request."""
    listen_host: str
    listen_port: int

    @classmethod
    def from_provisioner(cls, definition: Mapping[str, Any]) -> OidcClient:
        """Read a provisioner of type OIDC."""
        host, port = _listen_address(str(definition.get("listenAddress") or ""))
        return cls(
            client_id=str(definition["clientID"]),
            client_secret=str(definition.get("clientSecret") or ""),
            configuration_endpoint=str(definition["configurationEndpoint"]),
            tenant_id=str(definition.get("tenantID") or ""),
            scopes=tuple(definition.get("scopes") or ("openid", "email")),
            parameters=tuple(
                (name, value) for name, _, value in (each.partition("=") for each in definition.get("authParams") or ())
            ),
            listen_host=host,
            listen_port=port,
        )


class Attempt(NamedTuple):
    """One sign-in: the secrets that tie its answer to it."""

    provider: Provider
    client: OidcClient
    redirect_uri: str
    state: str
    nonce: str
    verifier: str

    @property
    def address(self) -> str:
        """Where the browser begins."""
        challenge = base64url(hashlib.sha256(self.verifier.encode()).digest())
        query = {
            **dict(self.client.parameters),
            "client_id": self.client.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": " ".join(self.client.scopes),
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = self.provider.authorization_endpoint
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def is_answer(self, parameters: Mapping[str, str]) -> bool:
        """Whether a request to the redirect address belongs to this attempt. Anything else is ignored, not an end."""
        return parameters.get("state") == self.state and ("code" in parameters or "error" in parameters)

    def code(self, parameters: Mapping[str, str]) -> str:
        """The code of an answer; a refusal, or an answer of another provider, raises."""
        issuer = parameters.get("iss")
        if (issuer is None and self.provider.names_itself) or (issuer is not None and issuer != self.provider.issuer):
            wrong = f"names {issuer} as its sender" if issuer else "does not name its sender (iss)"
            raise RefusedByServer(f"the answer that the browser brought {wrong}; it must be {self.provider.issuer}.")
        if "error" in parameters:
            reason = parameters.get("error_description") or parameters["error"]
            raise RefusedByServer(f"{self.provider.issuer} did not sign you in: {continued(reason)}.".replace("..", "."))
        return parameters["code"]

    def token_form(self, code: str) -> dict[str, str]:
        """The token request (RFC 6749, section 4.1.3). A public client sends no secret."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "client_id": self.client.client_id,
            "code_verifier": self.verifier,
        }
        return {**form, "client_secret": self.client.client_secret} if self.client.client_secret else form

    def check(self, id_token: str, now: datetime) -> dict[str, Any]:
        """The claims of an ID token that came straight from the token endpoint (OpenID Connect Core, section 3.1.3.7).

        TLS to that endpoint stands for the signature, as the standard allows; the certificate authority verifies it anyway.
        """
        try:
            claims = UnverifiedToken(id_token).claims()
            audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
            issuer, nonce, expires, _ = claims["iss"], claims.get("nonce"), float(claims["exp"]), claims["sub"]
        except (TokenMalformed, ValueError, KeyError, TypeError) as cause:
            raise Unreachable(f"the ID token of {self.provider.issuer} cannot be read.") from cause
        problems = {
            "was made by another issuer": issuer != self.provider.issuer,
            "is for another client": self.client.client_id not in audience,
            "belongs to another sign-in": nonce != self.nonce,
            "has expired; is this machine's clock right?": expires + _LEEWAY_SECONDS < now.timestamp(),
        }
        for problem, there in problems.items():
            if there:
                raise RefusedByServer(f"the ID token of {self.provider.issuer} {problem}.")
        return dict(claims)


def discover(transport: Transport, client: OidcClient) -> Provider:
    """Read the provider's metadata (OpenID Connect Discovery 1.0)."""
    address = client.configuration_endpoint
    if not address.endswith(_WELL_KNOWN):
        address = address.rstrip("/") + _WELL_KNOWN
    if not address.startswith("https://"):
        raise CommandFailed(f"the provisioner's configuration endpoint {address} is not an https:// address.")
    document = _json(send(transport, "GET", address, headers={"accept": "application/json"}), address)
    try:
        issuer = str(document["issuer"]).replace("{tenantid}", client.tenant_id)
        provider = Provider(
            issuer=issuer,
            authorization_endpoint=str(document["authorization_endpoint"]),
            token_endpoint=str(document["token_endpoint"]),
            names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        )
    except KeyError as cause:
        raise Unreachable(f"{address} does not say where to sign in: {cause.args[0]} is missing.") from cause
    if issuer.rstrip("/") != address.removesuffix(_WELL_KNOWN).replace("{tenantid}", client.tenant_id):
        raise RefusedByServer(f"{address} speaks for {issuer}, which is another issuer.")
    for endpoint in (provider.authorization_endpoint, provider.token_endpoint):
        if not endpoint.startswith("https://"):
            raise RefusedByServer(f"{address} names {endpoint}, which is not an https:// address.")
    return provider


def begin(provider: Provider, client: OidcClient, port: int, random: Callable[[int], bytes]) -> Attempt:
    """A new attempt that comes back to `port` on this machine."""
    host = "localhost" if client.listen_host == "localhost" else "[::1]" if client.listen_host == "::1" else "127.0.0.1"
    return Attempt(
        provider=provider,
        client=client,
        redirect_uri=f"http://{host}:{port}",  # without a path: what `step` registers and providers compare
        state=base64url(random(24)),
        nonce=random(32).hex(),
        verifier=base64url(random(48)),
    )


def redeem(transport: Transport, attempt: Attempt, code: str) -> str:
    """The ID token for a code."""
    headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
    endpoint = attempt.provider.token_endpoint
    response = send(transport, "POST", endpoint, headers=headers, content=urlencode(attempt.token_form(code)).encode())
    answer = _json(response, endpoint, may_refuse=True)
    if "error" in answer:
        reason = answer.get("error_description") or answer["error"]
        raise RefusedByServer(f"{attempt.provider.issuer} did not accept the sign-in: {reason}.".replace("..", "."))
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise RefusedByServer(
            f"{attempt.provider.issuer} gave no ID token.",
            reasons=("the scope openid must be among those of the provisioner and of the client's scope map",),
        )
    return token


def _json(response: Answer, address: str, *, may_refuse: bool = False) -> dict[str, Any]:
    try:
        document = json.loads(response.body)
    except ValueError:
        document = None
    if not isinstance(document, dict) or (response.status >= HTTPStatus.BAD_REQUEST and not may_refuse):
        raise Unreachable(f"{address} answers with status {response.status}, and not with what was expected.")
    return document


def _listen_address(text: str) -> tuple[str, int]:
    """Host and port of a provisioner's `listenAddress`: ``HOST:PORT`` or ``:PORT``; loopback only."""
    if not text:
        return "127.0.0.1", 0
    parts = urlsplit(f"//{text}")
    try:
        host, port = parts.hostname or "127.0.0.1", parts.port or 0
    except ValueError as cause:
        raise CommandFailed(f"the provisioner's listen address {text} is not HOST:PORT.") from cause
    if host not in ("127.0.0.1", "localhost", "::1"):
        raise CommandFailed(
            f"the provisioner's listen address {text} is not on this machine.", hint="It must be localhost, 127.0.0.1 or [::1]."
        )
    return host, port
