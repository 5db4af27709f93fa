"""Definitions of provisioners, in exactly the shape that `step` reads and writes, and what is checked of them.

A definition is refused by the name of the member that is wrong; members that are not known are refused too, so that a
misspelt rule is never a missing rule. Members of `step-ca` that would change a certificate in a way that this server does
not carry out (templates, webhooks) are refused as well, unless they are empty.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from sealwright.ca.models import PublicKey
from sealwright.ca.names import MOST_NAMES, parse
from sealwright.ca.profiles import STEP_LEAF
from sealwright.ca.provisioners.audiences import is_address
from sealwright.ca.provisioners.errors import DefinitionRefused
from sealwright.client_metadata import require_resource
from sealwright.errors import Failure
from sealwright.hosts import HostRefused, canonical_host
from sealwright.jose import keys_of_jwks, public_key_from_jwk

WELL_KNOWN = "/.well-known/openid-configuration"
LONGEST_NAME = 128
LEEWAY = timedelta(minutes=1)
"""How far the clocks of two machines may differ."""

_SCOPE = r"[\x21\x23-\x5b\x5d-\x7e]+"
_FORMS = (
    ("admins", re.compile(r"(?!(?:account|group):$)\S(?:.*\S)?"), "an empty text would match everything"),
    ("groups", re.compile(r"(?!group:$)\S(?:.*\S)?"), "an empty text would match everything"),
    ("scopes", re.compile(_SCOPE), "which is not a scope"),
)
"""Members of an OIDC definition that are lists, the form of each entry, and what to say of another."""
_PART_OF_JWE = re.compile(r"[A-Za-z0-9_-]+")
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class Definition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    """Members that every provisioner has."""

    type: str
    name: str
    claims: dict[str, Any] | None = None
    options: dict[str, Any] | None = None
    profile: str = ""
    """Not a member of `step-ca`: the profile of its certificates; empty for the built-in one."""
    issuer: str = ""
    """Not a member of `step-ca`: name of the issuing CA that signs them; empty where the profile, or else the server, chooses."""

    @property
    def profile_name(self) -> str:
        """The profile of its certificates."""
        return self.profile or STEP_LEAF.name


class OidcDefinition(Definition, frozen=True, kw_only=True):
    """A provisioner that trusts the ID tokens of an OpenID provider."""

    client_id: str = msgspec.field(name="clientID")
    client_secret: str = msgspec.field(name="clientSecret", default="")
    configuration_endpoint: str = msgspec.field(name="configurationEndpoint")
    tenant_id: str = msgspec.field(name="tenantID", default="")
    admins: tuple[str, ...] = ()
    """Who may ask for any name: mail addresses, names of groups, and of this server ``account:ID`` and ``group:ID``."""
    domains: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    listen_address: str = ""
    scopes: tuple[str, ...] = ()
    auth_params: tuple[str, ...] = ()
    allow_unverified_email: bool = False
    """Not a member of `step-ca`: sign mail addresses that the provider does not call verified."""

    @property
    def configuration_url(self) -> str:
        """Where the provider's metadata are; the well-known path is added when the definition names the issuer only."""
        endpoint = self.configuration_endpoint
        return endpoint if endpoint.endswith(WELL_KNOWN) else endpoint.rstrip("/") + WELL_KNOWN


class JwkDefinition(Definition, frozen=True, kw_only=True):
    """A provisioner that trusts tokens signed with one key."""

    key: dict[str, Any]
    encrypted_key: str = ""
    """The private key for `step`, encrypted under a password that the server never sees."""


class ListedHolder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A service account by its id, or a client by its name, and the names that a certificate for its token may have."""

    account: str = ""
    client: str = ""
    names: tuple[str, ...]


class AccessTokenDefinition(Definition, frozen=True, kw_only=True):
    """A provisioner that takes access tokens of this server."""

    audience: str
    """The resource that the tokens are asked for (RFC 8707)."""
    scope: str = "certificate"
    """Which they have to have."""
    holders: tuple[ListedHolder, ...] = ()


def check_name(name: str) -> None:
    """Raise DefinitionRefused where no provisioner can have this name."""
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise DefinitionRefused(f"name is {name[:LONGEST_NAME]!r}; it must be 1 to {LONGEST_NAME} printable characters.")


def check_options(options: object, path: str = "options") -> None:
    """`step-ca` writes empty objects here; anything that would have an effect is refused."""
    if isinstance(options, dict):
        for member, value in options.items():
            check_options(value, f"{path}.{member}")
    elif options not in (None, "", [], False):
        raise DefinitionRefused(
            f"{path} is set, but this server does not carry out templates and webhooks of provisioners.",
            hint="Leave the member out. What a certificate looks like is said by its profile.",
        )


def check_oidc(definition: OidcDefinition) -> None:
    """Raise DefinitionRefused for the first member that is wrong."""
    if not definition.client_id or not definition.client_id.isprintable():
        raise DefinitionRefused("clientID is empty or not printable; it is the client's id at the provider.")
    _check_url(definition.configuration_endpoint)
    for member, form, words in _FORMS:
        for text in getattr(definition, member):
            if not form.fullmatch(text):
                raise DefinitionRefused(f"{member} holds {text[:100]!r}; {words}.")
    for domain in definition.domains:
        try:
            canonical_host(domain)
        except HostRefused as cause:
            raise DefinitionRefused(
                f"domains holds {domain[:100]!r}, which {cause}; a domain is written like example.org, without an @."
            ) from cause
    if definition.scopes and "openid" not in definition.scopes:
        raise DefinitionRefused("scopes lacks openid, without which a provider gives no ID token.")
    for parameter in definition.auth_params:
        if "=" not in parameter[1:]:
            raise DefinitionRefused(f"authParams holds {parameter[:100]!r}; each is written as key=value.")
    _check_listen_address(definition.listen_address)


def check_access_token(definition: AccessTokenDefinition) -> None:
    """Raise DefinitionRefused for the first member that is wrong."""
    try:
        require_resource(definition.audience)
    except Failure as cause:
        raise DefinitionRefused(f"audience: {cause.detail}", hint=cause.hint) from cause
    if is_address(definition.audience):
        raise DefinitionRefused(
            f"audience is {definition.audience[:200]!r}, to which tokens of other provisioners are addressed.",
            hint="Give another address under this server, such as https://ca.example.org/jobs",
        )
    if not re.fullmatch(_SCOPE, definition.scope):
        raise DefinitionRefused(f"scope is {definition.scope[:100]!r}, which is not a scope.")
    if not definition.holders:
        raise DefinitionRefused("holders is empty; it lists who may have which names.")
    seen: set[tuple[str, str]] = set()
    for each in definition.holders:
        if bool(each.account) == bool(each.client):
            raise DefinitionRefused("holders: each has either an account, by its id, or a client, by its name.")
        if (each.account, each.client) in seen:
            raise DefinitionRefused(f"holders lists {(each.account or each.client)[:100]!r} twice.")
        seen.add((each.account, each.client))
        _check_names(each)


def _check_names(holder: ListedHolder) -> None:
    who = (holder.account or holder.client)[:100]
    if not 0 < len(holder.names) <= MOST_NAMES:
        raise DefinitionRefused(f"holders: {who} has {len(holder.names)} names; 1 to {MOST_NAMES} are possible.")
    for text in holder.names:
        try:
            parse(text)
        except Failure as cause:
            raise DefinitionRefused(f"holders: of the names of {who}: {cause.detail}", hint=cause.hint) from cause


def _check_url(endpoint: str) -> None:
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme == "https" and bool(parts.hostname) and not parts.username and not parts.fragment
        _ = parts.port
    except ValueError:
        usable = False
    if not usable or not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint:
        raise DefinitionRefused(
            f"configurationEndpoint is {endpoint[:200]!r}; it must be an https address, of the issuer or of its {WELL_KNOWN}.",
            hint="Of an issuer of this server the path is enough: /oauth2/openid/CLIENT",
        )


def _check_listen_address(address: str) -> None:
    if not address:
        return
    host, colon, port = address.rpartition(":")
    is_port = port.isascii() and port.isdigit() and int(port[:6]) <= 65_535  # noqa: PLR2004 - the greatest port
    if not colon or not is_port or (":" in host and not host.startswith("[")):
        raise DefinitionRefused(f"listenAddress is {address[:100]!r}; it is written as HOST:PORT or :PORT.")


def checked_key(definition: JwkDefinition) -> PublicKey:
    """The public key of a definition; raises DefinitionRefused for the first member that is wrong."""
    jwk = definition.key
    secret = _PRIVATE_MEMBERS & jwk.keys()
    if secret:
        raise DefinitionRefused(
            f"key holds {', '.join(sorted(secret))}: that is a private key, and this list is public.",
            hint="Give the public key, and the private one encrypted in encryptedKey.",
        )
    for member in ("kid", "alg"):
        if not isinstance(jwk.get(member), str) or not jwk[member]:
            raise DefinitionRefused(f"key.{member} is missing.")
    if jwk.get("use", "sig") != "sig":
        raise DefinitionRefused(f"key.use is {str(jwk['use'])[:40]!r}; the key of a provisioner is for signatures (sig).")
    try:
        public_key = public_key_from_jwk(jwk)
    except Failure as cause:
        raise DefinitionRefused(f"key: {cause.detail}") from cause
    if not keys_of_jwks(msgspec.json.encode({"keys": [jwk]})):
        raise DefinitionRefused(f"key.alg is {jwk['alg'][:40]!r}, which this kind of key does not sign with.")
    if definition.encrypted_key:
        parts = definition.encrypted_key.split(".")
        if len(parts) != 5 or not all(_PART_OF_JWE.fullmatch(part) for part in parts):  # noqa: PLR2004 - RFC 7516, section 3.1
            raise DefinitionRefused("encryptedKey is not a compact JWE (five parts in base64url, joined by dots).")
    return public_key
