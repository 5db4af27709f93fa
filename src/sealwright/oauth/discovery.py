"""What an issuer says of itself: metadata (OpenID Connect Discovery, RFC 8414) and key set."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, NamedTuple, get_args

from sealwright.client_metadata import (
    ASSERTION_ALGORITHMS,
    FAPI_ALGORITHMS,
    SECRET_ALGORITHMS,
    AuthenticationMethod,
    is_client_name,
)
from sealwright.clock import Instant, before
from sealwright.jose import ALGORITHMS, jwks_document, verification_keys
from sealwright.keys import Custody, PublicKeyRecord, signing_record
from sealwright.oauth import policy, store
from sealwright.oauth.authentication_context import ACR_VALUES
from sealwright.oauth.claims import CLAIMS_OF_SCOPE
from sealwright.oauth.clients import store as client_store
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.dpop.proof import ALGORITHMS as PROOF_ALGORITHMS
from sealwright.oauth.errors import ClientUnknown, IssuerUnknown
from sealwright.oauth.grants import GRANTS, DeviceCodeGrant, Grant, is_open_to
from sealwright.oauth.issuers import store as issuer_store
from sealwright.oauth.issuers.addresses import (
    AUTHORIZATION_PATH,
    DEVICE_PATH,
    LOGOUT_PATH,
    PUSH_PATH,
    REGISTRATION_PATH,
    KeyOwner,
    addresses_of,
    issuer_url_of,
    key_owner_of,
    key_owner_of_shared,
    own_issuer_in,
    shared_issuer_url,
)
from sealwright.oauth.issuers.models import SharedIssuer
from sealwright.oauth.maps import store as maps_store
from sealwright.oauth.models import Client, Prompt, ResponseMode
from sealwright.oauth.registration import store as registration_store
from sealwright.oauth.webfinger import webfinger_document
from sealwright.openid_providers import LocalProvider, ProviderMetadata

CALLED_BY_CLIENTS = (
    "token_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "pushed_authorization_request_endpoint",
    "device_authorization_endpoint",
    "userinfo_endpoint",
)
"""Endpoints that the machines listener has too; no browser is ever led to them."""
ASSERTION_ALGORITHMS_OF = {"private_key_jwt": ASSERTION_ALGORITHMS, "client_secret_jwt": SECRET_ALGORITHMS}

_CLOCKS_DIFFER = timedelta(minutes=5)
_PROTOCOL_CLAIMS = ("iss", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "auth_time", "at_hash", "acr", "amr", "sid")


class OAuthIssuer(NamedTuple):
    """One issuer of this server: a client's own, or one that clients share."""

    url: str
    key_owner: KeyOwner
    client: Client | None = None
    """Whose own it is."""
    shared: SharedIssuer | None = None

    def has(self, client: Client) -> bool:
        """True where the tokens of a client name this issuer."""
        return key_owner_of(client) == self.key_owner


class Offer(NamedTuple):
    """What the metadata of an issuer promise."""

    scopes: Collection[str]
    claims: Collection[str]
    grants: Collection[type[Grant]]
    """Which its clients may use."""
    methods: Collection[str]
    """How they authenticate."""
    algorithms: list[str]
    asked: Mapping[str, Any] = {}
    """What requests have to be like, where that is one client's business."""


class Discovery:
    """Metadata and keys of every issuer."""

    def __init__(self, dependencies: OAuthDependencies, custody: Custody) -> None:
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._custody = custody
        self._origin = dependencies.origin
        self._machines_origin = dependencies.machines_origin
        self._domain = dependencies.domain
        self._open_registration = dependencies.lifetimes.open_registration
        lifetimes = dependencies.lifetimes
        self._longest_token = max(lifetimes.access_token, lifetimes.client_credentials, lifetimes.id_token)
        self._key_sets: dict[tuple[str, ...], bytes] = {}

    async def issuer_at(self, path_parameters: Mapping[str, str]) -> OAuthIssuer:
        """The issuer that an address means: that of `client`, the one called `issuer`, or the root.

        Raises ClientUnknown or IssuerUnknown.
        """
        if "client" in path_parameters:
            return self._own(await self.client(path_parameters["client"]))
        if "issuer" not in path_parameters:
            return self._shared(await self._root())
        name = path_parameters["issuer"]
        found = await issuer_store.issuer_named(self._db, name) if is_client_name(name) else None
        if found is None or found.is_root:
            raise IssuerUnknown(f"There is no issuer named {name[:80]!r} here.")
        return self._shared(found)

    async def metadata(self, issuer: OAuthIssuer) -> dict[str, Any]:
        """The metadata document."""
        records, now = await self._keys(issuer), self._clock.now()
        client = issuer.client
        if client is None:
            # What each of its clients may ask for is that client's business, and there may be a million of them.
            algorithms = list(dict.fromkeys(record.algorithm for record in records))
            offer = Offer(CLAIMS_OF_SCOPE, (), GRANTS, get_args(AuthenticationMethod), algorithms)
        else:
            maps = await store.scopes_by_group(self._db, client.id)
            mapped = [one.claim for one in await maps_store.claim_maps(self._db, client.id)] if client.has_claim_maps else []
            offer = Offer(
                policy.available_scopes(maps, maps),
                [*client.always_included, *mapped],
                [grant for grant in GRANTS if is_open_to(grant, client)],
                client.authentication_methods,
                _algorithms(client, records, now),
                _asked_by(client),
            )
        document = metadata_of(self._origin, issuer.url, offer)
        if issuer.shared is not None and issuer.shared.is_root and await self._takes_registrations(now):
            document["registration_endpoint"] = self._origin + REGISTRATION_PATH
        document |= proof_metadata_of(offer.methods, document, self._origin, self._machines_origin)
        return _of_fapi(document) if client is not None and client.is_fapi else document

    async def _takes_registrations(self, now: Instant) -> bool:
        return self._open_registration or await registration_store.any_open(self._db, now)

    async def key_set(self, issuer: OAuthIssuer) -> bytes:
        """The JSON Web Key Set: every key that may have signed a token that is still valid, newest first."""
        oldest = before(self._clock.now(), self._longest_token + _CLOCKS_DIFFER)
        records = [record for record in await self._keys(issuer) if record.signs_at(oldest)]
        ids = tuple(record.id for record in records)
        document = self._key_sets.get(ids)
        if document is None:
            if len(self._key_sets) >= 1_000:  # noqa: PLR2004 - half a megabyte at most
                self._key_sets.clear()
            document = self._key_sets[ids] = jwks_document(records)
        return document

    def webfinger(self, issuer: OAuthIssuer, resource: str | None) -> dict[str, Any]:
        """That the issuer signs in the people of this server; raises InvalidInput or NotFound."""
        return webfinger_document(resource, issuer.url, self._domain)

    async def local_provider(self, configuration_endpoint: str) -> LocalProvider | None:
        """One of our own issuers, by its URL or the URL of its metadata, without a call over the network; None for others."""
        meant = own_issuer_in(self._origin, configuration_endpoint)
        if meant is None:
            return None
        client_name, issuer_name = meant
        named = {"client": client_name} if client_name else {"issuer": issuer_name} if issuer_name else {}
        try:
            issuer = await self.issuer_at(named)
        except (ClientUnknown, IssuerUnknown):
            return None
        records, addresses = await self._keys(issuer), addresses_of(self._origin, issuer.url)
        metadata = ProviderMetadata(
            issuer=issuer.url,
            jwks_uri=addresses.keys,
            algorithms=frozenset(record.algorithm for record in records),
            authorization_endpoint=self._origin + AUTHORIZATION_PATH,
            token_endpoint=addresses.token,
            userinfo_endpoint=addresses.userinfo,
            offered=frozenset(record.algorithm for record in records),
            names_itself=True,
            local=True,
        )
        return LocalProvider(metadata, verification_keys(*records))

    async def client(self, client_name: str) -> Client:
        """The client that has an issuer of its own with this name; raises ClientUnknown."""
        client = await client_store.client_named(self._db, client_name) if is_client_name(client_name) else None
        if client is None:
            raise ClientUnknown(f"There is no issuer for a client named {client_name[:80]!r} here.")
        if client.issuer is not None:
            raise ClientUnknown(f"The issuer of {client.name} is {issuer_url_of(self._origin, client)}.")
        return client

    async def client_on(self, issuer: OAuthIssuer, client_name: str) -> Client | None:
        """The client with this name, where its tokens name the issuer."""
        if issuer.client is not None:
            return issuer.client
        client = await client_store.client_named(self._db, client_name) if is_client_name(client_name) else None
        return client if client is not None and issuer.has(client) else None

    async def _root(self) -> SharedIssuer:
        found = await issuer_store.root_issuer(self._db)
        if found is None:
            raise IssuerUnknown(
                "This server has no root issuer.",
                hint="Each client has its own issuer, which `sealwright system oauth2 get NAME` shows. "
                "An administrator can create one: sealwright system oauth2 issuer create NAME --root",
            )
        return found

    def _own(self, client: Client) -> OAuthIssuer:
        return OAuthIssuer(issuer_url_of(self._origin, client), key_owner_of(client), client=client)

    def _shared(self, shared: SharedIssuer) -> OAuthIssuer:
        return OAuthIssuer(shared_issuer_url(self._origin, shared), key_owner_of_shared(shared), shared=shared)

    async def _keys(self, issuer: OAuthIssuer) -> list[PublicKeyRecord]:
        return await self._custody.public_keys(*issuer.key_owner)


def _algorithms(client: Client, records: Collection[PublicKeyRecord], now: Instant) -> list[str]:
    """What the client's tokens are signed with: at this moment, and once its key was published for long enough."""
    current = signing_record(records, now, client.id_token_signed_response_alg)
    signs_now = () if current is None else (current.algorithm,)
    return list(dict.fromkeys([*signs_now, client.id_token_signed_response_alg]))


def proof_metadata_of(methods: Collection[str], document: Mapping[str, Any], origin: str, machines_origin: str) -> dict[str, Any]:
    """How clients prove themselves and their tokens beside a secret: assertions, and certificates at addresses that ask for one.

    (RFC 8414, section 2; RFC 8705, sections 3.3 and 5.)
    """
    called_with_certificates = (name for name in CALLED_BY_CLIENTS if name in document)
    metadata: dict[str, Any] = {
        "tls_client_certificate_bound_access_tokens": True,
        "mtls_endpoint_aliases": {
            name: machines_origin + document[name].removeprefix(origin) for name in called_with_certificates
        },
    }
    algorithms = [algorithm for method in methods for algorithm in ASSERTION_ALGORITHMS_OF.get(method, ())]
    for endpoint in ("token", "introspection", "revocation") if algorithms else ():
        metadata[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = algorithms
    return metadata


def _of_fapi(document: Mapping[str, Any]) -> dict[str, Any]:
    """Of the algorithms, those that the FAPI 2.0 Security Profile knows."""
    lists = {name: value for name, value in document.items() if name.endswith("_alg_values_supported")}
    return {**document, **{name: [each for each in value if each in FAPI_ALGORITHMS] for name, value in lists.items()}}


def _asked_by(client: Client) -> dict[str, Any]:
    types = list(client.authorization_details_types)
    return {
        "require_signed_request_object": client.require_signed_request_object,
        "require_pushed_authorization_requests": client.require_pushed_authorization_requests,
        **({"authorization_details_types_supported": types} if types else {}),
    }


def metadata_of(origin: str, issuer_url: str, offer: Offer) -> dict[str, Any]:
    """What is true of an issuer, and nothing else. `openid` is always among its scopes (OpenID Connect Discovery, section 3)."""
    scopes = ["openid", *sorted(set(offer.scopes) - {"openid"} - policy.PROTOCOL_SCOPES), *sorted(policy.PROTOCOL_SCOPES)]
    scope_claims = (claim for scope in scopes for claim in CLAIMS_OF_SCOPE.get(scope, ()))
    addresses = addresses_of(origin, issuer_url)
    methods = list(offer.methods)
    proven = [method for method in methods if method != "none"]
    introspection: dict[str, Any] = {}
    if proven:  # only who proves itself may try tokens out
        introspection["introspection_endpoint"] = addresses.introspection
        introspection["introspection_endpoint_auth_methods_supported"] = proven
        introspection["introspection_signing_alg_values_supported"] = offer.algorithms
    return {
        "issuer": issuer_url,
        "authorization_endpoint": origin + AUTHORIZATION_PATH,
        "token_endpoint": addresses.token,
        "userinfo_endpoint": addresses.userinfo,
        "jwks_uri": addresses.keys,
        "end_session_endpoint": origin + LOGOUT_PATH,
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": [str(mode) for mode in ResponseMode],
        "grant_types_supported": [grant.grant_type for grant in offer.grants],
        **({"device_authorization_endpoint": origin + DEVICE_PATH} if DeviceCodeGrant in offer.grants else {}),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": offer.algorithms,
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint": addresses.revocation,
        "revocation_endpoint_auth_methods_supported": methods,
        **introspection,
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": [str(prompt) for prompt in Prompt],
        "claim_types_supported": ["normal"],
        "claims_supported": list(dict.fromkeys([*_PROTOCOL_CLAIMS, "sub", *scope_claims, *offer.claims])),
        "claims_parameter_supported": True,
        "acr_values_supported": list(ACR_VALUES),
        "request_parameter_supported": True,
        "request_uri_parameter_supported": False,
        "request_object_signing_alg_values_supported": sorted(ALGORITHMS),
        "pushed_authorization_request_endpoint": origin + PUSH_PATH,
        **offer.asked,
        "dpop_signing_alg_values_supported": sorted(PROOF_ALGORITHMS),
        "authorization_response_iss_parameter_supported": True,
        "authorization_signing_alg_values_supported": offer.algorithms,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
    }
