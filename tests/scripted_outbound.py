"""Calls to other servers that are answered from a script."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

from sealwright.jose import jwk_of
from sealwright.keys import SigningKey
from sealwright.outbound import OutboundFailed, OutboundResponse

Answer = OutboundResponse | Exception


class ScriptedOutbound:
    """Answers each address from `answers`, which a test may change as it goes; remembers what was called."""

    def __init__(self, answers: Mapping[str, Answer] | None = None) -> None:
        self.answers: dict[str, Answer] = dict(answers or {})
        self.calls: list[str] = []
        self.forms: list[tuple[str, dict[str, str]]] = []
        """What was posted where."""
        self.allow_http = False
        self.bearers: list[tuple[str, str]] = []
        """Which token was sent where."""
        self.delay = 0.0
        self.delays: dict[str, float] = {}
        """Seconds until an address answers, where it is another than `delay`."""

    def allows_scheme_of(self, url: str) -> bool:
        return url.startswith("https:") or self.allow_http

    async def get(
        self,
        url: str,
        *,
        accept: str = "application/json",
        bearer: str = "",
        max_bytes: int = 1_000_000,
        timeout: float = 5.0,  # noqa: ASYNC109 - the signature of the real thing
    ) -> OutboundResponse:
        self.calls.append(url)
        if bearer:
            self.bearers.append((url, bearer))
        await asyncio.sleep(self.delays.get(url, self.delay))
        answer = self.answers.get(url) or OutboundFailed(f"{url} cannot be reached: the connection was refused or lost.")
        if isinstance(answer, Exception):
            raise answer
        if len(answer.body) > max_bytes:
            raise OutboundFailed(f"{url} answered with more than {max_bytes} bytes.")
        return answer

    async def post_form(
        self,
        url: str,
        form: Mapping[str, str],
        *,
        max_bytes: int = 100_000,
        timeout: float = 5.0,  # noqa: ASYNC109 - the signature of the real thing
    ) -> OutboundResponse:
        self.forms.append((url, dict(form)))
        return await self.get(url, max_bytes=max_bytes, timeout=timeout)

    def add_provider(self, issuer_url: str, signer: SigningKey) -> None:
        """An OpenID provider that signs with `signer`."""
        jwks_uri = f"{issuer_url}/keys"
        self.answers[f"{issuer_url}/.well-known/openid-configuration"] = json_answer(
            {"issuer": issuer_url, "jwks_uri": jwks_uri, "id_token_signing_alg_values_supported": ["ES256"]}
        )
        self.answers[jwks_uri] = json_answer({"keys": [jwk_of(signer.public_key, signer.id, "ES256")]})

    async def post_body(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        max_bytes: int = 100_000,
        timeout: float = 5.0,  # noqa: ASYNC109 - the signature of the real thing
    ) -> OutboundResponse:
        return await self.get(url, max_bytes=max_bytes, timeout=timeout)

    async def send_over_tls(
        self,
        host: str,
        port: int,
        content: bytes,
        *,
        timeout: float = 5.0,  # noqa: ASYNC109 - the signature of the real thing
    ) -> None:
        await self.get(f"{host}:{port}", timeout=timeout)


def json_answer(value: object, *, status: int = 200, cache_control: str = "") -> OutboundResponse:
    """An answer with a JSON body."""
    headers = {"content-type": "application/json", **({"cache-control": cache_control} if cache_control else {})}
    return OutboundResponse(status, headers, msgspec.json.encode(value))
