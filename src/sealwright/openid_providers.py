"""Trusted OpenID providers, foreign or our own: their discovery documents and key sets, fetched when needed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from sealwright.clock import Clock, Instant, after, is_ahead
from sealwright.errors import Unavailable
from sealwright.jose import ALGORITHMS, JwkRefused, VerificationKeys, keys_of_jwks
from sealwright.outbound import Outbound, OutboundResponse

WELL_KNOWN = "/.well-known/openid-configuration"
SHORTEST_LIFE = timedelta(seconds=60)
LONGEST_LIFE = timedelta(hours=12)
USUAL_LIFE = timedelta(hours=1)
"""Of a key set whose answer names none."""
UNKNOWN_KEY_PAUSE = timedelta(seconds=30)
"""Where asking again did not find the key of a token, unknown keys make us ask no more for this long, per provider."""
FAILURE_PAUSE = timedelta(seconds=5)
"""After a failure the provider is left alone for this long, so that waiting requests do not pile up."""

_LONGEST_ANSWER = 512 * 1024
_PATIENCE = 5.0
_OK = 200
_TENANT = "{tenantid}"


class ProviderMetadata(msgspec.Struct, frozen=True):
    """What an OpenID provider says of itself in its discovery document."""

    issuer: str
    jwks_uri: str
    algorithms: frozenset[str]
    """Signature algorithms of its ID tokens, of those that we verify."""
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    userinfo_endpoint: str = ""
    offered: frozenset[str] = frozenset()
    """Signature algorithms of its ID tokens, all that it lists."""
    names_itself: bool = False
    """Whether its responses to authorization requests carry `iss` (RFC 9207)."""
    local: bool = False
    """Whether the provider lives in this server, so that a `sub` is the id of an account here."""


class LocalProvider(msgspec.Struct, frozen=True):
    """A provider that lives in this server."""

    metadata: ProviderMetadata
    keys: VerificationKeys


class ProviderUnavailable(Unavailable):
    """An identity provider is down, slow, or answers something that cannot be used."""

    code = "provider_unavailable"


class KeySetStatus(msgspec.Struct, frozen=True):
    """What is cached of a provider's key set, for those who look why its tokens are refused."""

    keys: VerificationKeys = ()
    fetched_at: Instant | None = None
    """None where nothing is cached, or where the provider lives in this server."""
    kept_until: Instant | None = None
    failure: str = ""
    """Why the last attempt to fetch it failed; empty where it did not."""
    local: bool = False


class _Known(msgspec.Struct):
    """What is known of one provider."""

    lock: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)
    metadata: ProviderMetadata | None = None
    metadata_until: Instant = Instant(0)
    keys: VerificationKeys = ()
    keys_until: Instant = Instant(0)
    metadata_at: Instant = Instant(0)
    keys_at: Instant = Instant(0)
    ask_again_from: Instant = Instant(0)
    failure: str = ""
    failed_until: Instant = Instant(0)


class TrustedProviders:
    """Metadata and keys of the providers that provisioners trust. One per process; shares what it fetched."""

    def __init__(self, outbound: Outbound, clock: Clock, local: Callable[[str], Awaitable[LocalProvider | None]]) -> None:
        """`local`: configuration endpoint → provider in this server, or None when it is a foreign one."""
        self._outbound = outbound
        self._clock = clock
        self._local = local
        self._known: dict[tuple[str, str], _Known] = {}

    async def keys_for(
        self,
        configuration_endpoint: str,
        token_kid: str | None = None,
        *,
        tenant_id: str = "",
        kept_at_most: timedelta = LONGEST_LIFE,
    ) -> tuple[ProviderMetadata, VerificationKeys]:
        """Metadata and keys of the provider at `configuration_endpoint` (its issuer, or the full well-known address).

        A key set that lacks `token_kid` is fetched once more. `tenant_id` takes the place of ``{tenantid}`` in an issuer. What
        was fetched is used for as long as its answer allows, and never longer than `kept_at_most`.
        A provider that is down, slow, or returns something unusable raises ProviderUnavailable; a later call asks again.
        """
        own = await self._local(configuration_endpoint)
        if own is not None:
            return own.metadata if own.metadata.local else replace(own.metadata, local=True), own.keys
        known = self._known.setdefault((configuration_endpoint, tenant_id), _Known())
        if not self._needs_fetch(known, token_kid, kept_at_most) and known.metadata is not None:
            return known.metadata, known.keys
        async with known.lock:
            now = self._clock.now()
            if is_ahead(known.failed_until, now, at_most=FAILURE_PAUSE):
                raise ProviderUnavailable(known.failure, retry_after=int(FAILURE_PAUSE.total_seconds()))
            if self._needs_fetch(known, token_kid, kept_at_most) or known.metadata is None:
                await self._refresh(known, discovery_address(configuration_endpoint), tenant_id, kept_at_most)
                if token_kid is not None and _lacks(known.keys, token_kid):
                    known.ask_again_from = after(now, UNKNOWN_KEY_PAUSE)
            if known.metadata is None:
                raise ProviderUnavailable(f"The identity provider {configuration_endpoint} did not answer.")
            return known.metadata, known.keys

    def forget(self, configuration_endpoint: str = "") -> None:
        """Ask every provider anew when it is next needed, or this one."""
        for each in [known for known in self._known if configuration_endpoint in ("", known[0])]:
            del self._known[each]

    async def status(self, configuration_endpoint: str) -> KeySetStatus:
        """What is cached of a provider now; nothing is fetched."""
        own = await self._local(configuration_endpoint)
        if own is not None:
            return KeySetStatus(keys=own.keys, local=True)
        known = self._known.get((configuration_endpoint, ""))
        if known is None:
            return KeySetStatus()
        fetched = known.keys_at if known.keys else None
        return KeySetStatus(known.keys, fetched, known.keys_until if known.keys else None, known.failure)

    def _needs_fetch(self, known: _Known, token_kid: str | None, kept_at_most: timedelta) -> bool:
        now = self._clock.now()
        if known.metadata is None or not (_is_kept(known.metadata_until, now) and _is_kept(known.keys_until, now)):
            return True
        if after(min(known.metadata_at, known.keys_at), kept_at_most) <= now:
            return True
        unknown = token_kid is not None and _lacks(known.keys, token_kid)
        return unknown and not is_ahead(known.ask_again_from, now, at_most=UNKNOWN_KEY_PAUSE)

    async def _refresh(self, known: _Known, address: str, tenant_id: str, kept_at_most: timedelta) -> None:
        now = self._clock.now()
        try:
            metadata = known.metadata
            if metadata is None or not _is_kept(known.metadata_until, now) or after(known.metadata_at, kept_at_most) <= now:
                answer = await self._get(address, "discovery document")
                metadata = read_metadata(answer.body, address, tenant_id)
                known.metadata, known.metadata_at, known.metadata_until = metadata, now, after(now, _life(answer))
            answer = await self._get(metadata.jwks_uri, "key set")
            known.keys, known.keys_until = _read_keys(answer.body, metadata.jwks_uri), after(now, _life(answer))
            known.keys_at, known.failure = now, ""
        except ProviderUnavailable as failure:
            known.failure, known.failed_until = failure.detail, after(self._clock.now(), FAILURE_PAUSE)
            raise

    async def _get(self, address: str, what: str) -> OutboundResponse:
        try:
            answer = await self._outbound.get(address, max_bytes=_LONGEST_ANSWER, timeout=_PATIENCE)
        except Unavailable as cause:
            raise ProviderUnavailable(f"The identity provider's {what} cannot be fetched: {cause.detail}") from cause
        if answer.status != _OK:
            raise ProviderUnavailable(f"The identity provider's {what} at {address} was answered with status {answer.status}.")
        return answer


def _lacks(keys: VerificationKeys, key_id: str) -> bool:
    return all(key.id != key_id for key in keys)


def discovery_address(configuration_endpoint: str) -> str:
    """The address of the discovery document, whether its issuer or the full address is given."""
    if configuration_endpoint.endswith(WELL_KNOWN):
        return configuration_endpoint
    return configuration_endpoint.removesuffix("/") + WELL_KNOWN


def origin_of(address: str) -> tuple[str, str]:
    """Scheme, and host with port, of an address; empty texts where it is none."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc


def read_metadata(document: bytes, address: str, tenant_id: str = "") -> ProviderMetadata:
    """Check a discovery document that was fetched from `address` (OpenID Connect Discovery, section 4.3)."""
    try:
        value = msgspec.json.decode(document, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError) as cause:
        raise ProviderUnavailable(f"The identity provider's discovery document at {address} is not a JSON object.") from cause
    stated = _member(value, "issuer", address)
    issuer = stated.replace(_TENANT, tenant_id) if tenant_id else stated
    templated = issuer != stated and origin_of(issuer) == origin_of(address)
    if discovery_address(issuer) != address and not templated:
        raise ProviderUnavailable(
            f"The discovery document at {address} says that its issuer is {issuer[:200]}, which is another."
        )
    offered = value.get("id_token_signing_alg_values_supported", ["RS256"])
    if not isinstance(offered, list):
        raise ProviderUnavailable(f"The discovery document at {address} does not list signature algorithms.")
    algorithms = frozenset(each for each in offered if isinstance(each, str)) & ALGORITHMS
    if not algorithms:
        raise ProviderUnavailable(f"The provider at {address} signs with no algorithm that is accepted here.")
    metadata = ProviderMetadata(issuer, _member(value, "jwks_uri", address), algorithms)
    authorization, token, userinfo = (
        found if isinstance(found := value.get(f"{name}_endpoint"), str) else ""
        for name in ("authorization", "token", "userinfo")
    )
    return replace(
        metadata,
        authorization_endpoint=authorization,
        token_endpoint=token,
        userinfo_endpoint=userinfo,
        offered=frozenset(each for each in offered if isinstance(each, str)),
        names_itself=value.get("authorization_response_iss_parameter_supported") is True,
    )


def _member(value: Mapping[str, Any], name: str, address: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not found:
        raise ProviderUnavailable(f"The discovery document at {address} has no {name}.")
    return found


def _read_keys(document: bytes, address: str) -> VerificationKeys:
    try:
        keys = keys_of_jwks(document)
    except JwkRefused as cause:
        raise ProviderUnavailable(f"The identity provider's key set at {address} cannot be used: {cause.detail}") from cause
    if not keys:
        raise ProviderUnavailable(f"The identity provider's key set at {address} holds no key that can verify a signature.")
    return keys


def _is_kept(until: Instant, now: Instant) -> bool:
    return is_ahead(until, now, at_most=LONGEST_LIFE)


def _life(answer: OutboundResponse) -> timedelta:
    """How long an answer is kept: as its Cache-Control says, within our bounds."""
    control = answer.headers.get("cache-control", "").lower()
    if "no-store" in control or "no-cache" in control:
        return SHORTEST_LIFE
    stated = re.search(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})", control)
    life = timedelta(seconds=int(stated[1])) if stated else USUAL_LIFE
    return min(max(life, SHORTEST_LIFE), LONGEST_LIFE)
