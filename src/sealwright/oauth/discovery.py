"""What a client's issuer says of itself: metadata (OpenID Connect Discovery, RFC 8414) and key set."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from sealwright.client_metadata import ASSERTION_ALGORITHMS, SECRET_ALGORITHMS, is_client_name
from sealwright.clock import Instant, before
from sealwright.jose import ALGORITHMS, jwks_document, verification_keys
from sealwright.keys import Custody, PublicKeyRecord, Purpose, signing_record
from sealwright.oauth import policy, store
from sealwright.oauth.authentication_context import ACR_VALUES
from sealwright.oauth.claims import CLAIMS_OF_SCOPE
from sealwright.oauth.clients import store as client_store
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import ClientUnknown
from sealwright.oauth.grants import GRANTS
from sealwright.oauth.maps import store as maps_store
from sealwright.oauth.models import Client, Prompt, ResponseMode
from sealwright.oauth.webfinger import webfinger_document
from sealwright.openid_providers import LocalProvider, ProviderMetadata

ISSUER_PATH = "/oauth2/openid/"
CONFIGURATION_PATH = "/.well-known/openid-configuration"
AUTHORIZATION_PATH = "/oauth2/authorise"
TOKEN_PATH = "/oauth2/token"  # noqa: S105 - an address
PUSH_PATH = "/oauth2/par"
INTROSPECTION_PATH = "/oauth2/token/introspect"
REVOCATION_PATH = "/oauth2/token/revoke"
LOGOUT_PATH = "/oauth2/logout"
USERINFO_PATH = "/userinfo"
KEYS_PATH = "/public_key.jwk"

CALLED_BY_CLIENTS = (
    "token_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "pushed_authorization_request_endpoint",
    "userinfo_endpoint",
)
"""Endpoints that the machines listener has too; no browser is ever led to them."""
ASSERTION_ALGORITHMS_OF = {"private_key_jwt": ASSERTION_ALGORITHMS, "client_secret_jwt": SECRET_ALGORITHMS}

_CLOCKS_DIFFER = timedelta(minutes=5)
_PROTOCOL_CLAIMS = ("iss", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "auth_time", "at_hash", "acr", "amr", "sid")


def issuer_url_of(origin: str, client_name: str) -> str:
    """The issuer of one client, without a slash at the end."""
    return f"{origin}{ISSUER_PATH}{client_name}"


def configuration_url_of(issuer_url: str) -> str:
    """Where an issuer's metadata is."""
    return issuer_url + CONFIGURATION_PATH


def client_name_in(origin: str, configuration_endpoint: str) -> str | None:
    """The name of the client whose issuer is meant by its URL or the URL of its metadata; None for another provider's."""
    issuer_url = configuration_endpoint.removesuffix(CONFIGURATION_PATH).removesuffix("/")
    prefix = origin + ISSUER_PATH
    return issuer_url.removeprefix(prefix) if issuer_url.startswith(prefix) else None


class Discovery:
    """Metadata and keys of every client's issuer."""

    def __init__(self, dependencies: OAuthDependencies, custody: Custody) -> None:
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._custody = custody
        self._origin = dependencies.origin
        self._machines_origin = dependencies.machines_origin
        self._domain = dependencies.domain
        lifetimes = dependencies.lifetimes
        self._longest_token = max(lifetimes.access_token, lifetimes.client_credentials, lifetimes.id_token)
        self._key_sets: dict[tuple[str, ...], bytes] = {}

    async def metadata(self, client_name: str) -> dict[str, Any]:
        """The metadata document; raises ClientUnknown."""
        client = await self.client(client_name)
        maps = await store.scopes_by_group(self._db, client.id)
        mapped = [one.claim for one in await maps_store.claim_maps(self._db, client.id)] if client.has_claim_maps else []
        algorithms = _algorithms(client, await self._keys(client), self._clock.now())
        document = metadata_of(client, self._origin, policy.available_scopes(maps, maps), algorithms, mapped)
        return document | proof_metadata_of(client, document, self._origin, self._machines_origin)

    async def key_set(self, client_name: str) -> bytes:
        """The JSON Web Key Set: every key that may have signed a token that still holds, newest first; raises ClientUnknown."""
        oldest = before(self._clock.now(), self._longest_token + _CLOCKS_DIFFER)
        records = [record for record in await self._keys(await self.client(client_name)) if record.signs_at(oldest)]
        ids = tuple(record.id for record in records)
        document = self._key_sets.get(ids)
        if document is None:
            if len(self._key_sets) >= 1_000:  # noqa: PLR2004 - half a megabyte at most
                self._key_sets.clear()
            document = self._key_sets[ids] = jwks_document(records)
        return document

    async def webfinger(self, client_name: str, resource: str | None) -> dict[str, Any]:
        """That the issuer signs in the people of this server; raises ClientUnknown, InvalidInput or NotFound."""
        client = await self.client(client_name)
        return webfinger_document(resource, issuer_url_of(self._origin, client.name), self._domain)

    async def local_provider(self, configuration_endpoint: str) -> LocalProvider | None:
        """One of our own issuers, by its URL or the URL of its metadata, without a call over the network; None for others."""
        name = client_name_in(self._origin, configuration_endpoint)
        client = await client_store.client_named(self._db, name) if name is not None and is_client_name(name) else None
        if client is None:
            return None
        issuer_url = issuer_url_of(self._origin, client.name)
        records = await self._keys(client)
        metadata = ProviderMetadata(
            issuer=issuer_url,
            jwks_uri=issuer_url + KEYS_PATH,
            algorithms=frozenset(record.algorithm for record in records),
            authorization_endpoint=self._origin + AUTHORIZATION_PATH,
            token_endpoint=self._origin + TOKEN_PATH,
            local=True,
        )
        return LocalProvider(metadata, verification_keys(*records))

    async def client(self, client_name: str) -> Client:
        """The client that an issuer belongs to; raises ClientUnknown."""
        client = await client_store.client_named(self._db, client_name) if is_client_name(client_name) else None
        if client is None:
            raise ClientUnknown(f"There is no issuer for a client named {client_name[:80]!r} here.")
        return client

    async def _keys(self, client: Client) -> list[PublicKeyRecord]:
        return await self._custody.public_keys(Purpose.OAUTH_CLIENT, client.id)


def _algorithms(client: Client, records: Collection[PublicKeyRecord], now: Instant) -> list[str]:
    """What the client's tokens are signed with: at this moment, and once its key was published for long enough."""
    current = signing_record(records, now, client.id_token_signed_response_alg)
    signs_now = () if current is None else (current.algorithm,)
    return list(dict.fromkeys([*signs_now, client.id_token_signed_response_alg]))


def proof_metadata_of(client: Client, document: Mapping[str, Any], origin: str, machines_origin: str) -> dict[str, Any]:
    """How the client proves itself and its tokens beside a secret: assertions, and certificates at addresses that ask for one.

    (RFC 8414, section 2; RFC 8705, sections 3.3 and 5.)
    """
    called_with_certificates = (name for name in CALLED_BY_CLIENTS if name in document)
    told: dict[str, Any] = {
        "tls_client_certificate_bound_access_tokens": True,
        "mtls_endpoint_aliases": {
            name: machines_origin + document[name].removeprefix(origin) for name in called_with_certificates
        },
    }
    algorithms = ASSERTION_ALGORITHMS_OF.get(client.authentication_methods[0])
    for endpoint in ("token", "introspection", "revocation") if algorithms is not None else ():
        told[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = algorithms
    return told


def metadata_of(
    client: Client, origin: str, mapped: Collection[str], algorithms: list[str], claims: Collection[str] = ()
) -> dict[str, Any]:
    """What is true of this client's issuer, and nothing else.

    `mapped` are the scopes that some group may grant to it, and `claims` those that groups bring. `openid` is always among its
    scopes (OpenID Connect Discovery, section 3).
    """
    scopes = ["openid", *sorted(set(mapped) - {"openid"} - policy.PROTOCOL_SCOPES), *sorted(policy.PROTOCOL_SCOPES)]
    told = (claim for scope in scopes for claim in CLAIMS_OF_SCOPE.get(scope, ()))
    issuer_url = issuer_url_of(origin, client.name)
    methods = list(client.authentication_methods)
    introspection: dict[str, Any] = {}
    if not client.is_public:  # only who proves itself may try tokens out
        introspection["introspection_endpoint"] = origin + INTROSPECTION_PATH
        introspection["introspection_endpoint_auth_methods_supported"] = methods
        introspection["introspection_signing_alg_values_supported"] = algorithms
    return {
        "issuer": issuer_url,
        "authorization_endpoint": origin + AUTHORIZATION_PATH,
        "token_endpoint": origin + TOKEN_PATH,
        "userinfo_endpoint": issuer_url + USERINFO_PATH,
        "jwks_uri": issuer_url + KEYS_PATH,
        "end_session_endpoint": origin + LOGOUT_PATH,
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": [str(mode) for mode in ResponseMode],
        "grant_types_supported": [grant.grant_type for grant in GRANTS if client.kind in grant.open_to],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms,
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint": origin + REVOCATION_PATH,
        "revocation_endpoint_auth_methods_supported": methods,
        **introspection,
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": [str(prompt) for prompt in Prompt],
        "claim_types_supported": ["normal"],
        "claims_supported": list(dict.fromkeys([*_PROTOCOL_CLAIMS, *client.always_told, *told, *claims])),
        "claims_parameter_supported": True,
        "acr_values_supported": list(ACR_VALUES),
        "request_parameter_supported": True,
        "request_uri_parameter_supported": False,
        "request_object_signing_alg_values_supported": sorted(ALGORITHMS),
        "require_signed_request_object": client.require_signed_request_object,
        "pushed_authorization_request_endpoint": origin + PUSH_PATH,
        "require_pushed_authorization_requests": client.require_pushed_authorization_requests,
        **({"authorization_details_types_supported": types} if (types := list(client.authorization_details_types)) else {}),
        "authorization_response_iss_parameter_supported": True,
        "authorization_signing_alg_values_supported": algorithms,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
    }
