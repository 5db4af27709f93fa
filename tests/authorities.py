"""A whole certificate authority for a test, and clients that make what `step` would send to it."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from sealwright.access import SYSTEM, Actor, Permission, Permissions
from sealwright.app.home import Home
from sealwright.ca import AccountLookup, HolderStatus, Person, pass_by
from sealwright.ca.renew import RENEW_CLIENT
from sealwright.clock import Clock, FixedClock, Instant, to_seconds
from sealwright.db import Database
from sealwright.entropy import SeededEntropy, SystemEntropy
from sealwright.http import Listener, Peer, Request, Response
from sealwright.jose import VerificationKey, jwk_of, sign, thumbprint
from sealwright.keys import Custody, Purpose, SigningKey
from sealwright.openid_providers import LocalProvider, ProviderMetadata, TrustedProviders
from tests.app import App, make_app, settings
from tests.databases import sqlite_database
from tests.scripted_outbound import ScriptedOutbound

NOW = Instant(1_790_000_000_000)
ISSUER_URL = "https://id.example.org/oauth2/openid/step-ca"
ENDPOINT = f"{ISSUER_URL}/.well-known/openid-configuration"
ALICE = "2f6b0c1e-5a0e-4c55-9a5b-2f5c1d7a8e01"
CA_URL = "https://ca.example.org:9443"

DNS_NAMES = ("ca.example.org", "192.0.2.7", "::1")
MAIL = "alice@example.org"

Signs = Callable[[ec.EllipticCurvePrivateKey, bytes, Any], bytes]
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@lru_cache(maxsize=64)
def key(name: str = "client", kind: str = "EC") -> Any:
    """A private key that is the same each time within one run."""
    if kind == "RSA":
        return rsa.generate_private_key(65537, 2048)
    return ed25519.Ed25519PrivateKey.generate() if kind == "Ed25519" else ec.generate_private_key(ec.SECP256R1())


def signing_key(name: str) -> SigningKey:
    """The same as a key that signs tokens."""
    private = key(name)
    return SigningKey(thumbprint(private.public_key()), Purpose.OAUTH_CLIENT, name, "ES256", private.public_key(), private)


def general_name(text: str) -> x509.GeneralName:
    """A name of the type that `step` would give it."""
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    if "://" in text:
        return x509.UniformResourceIdentifier(text)
    return x509.RFC822Name(text) if "@" in text else x509.DNSName(text)


def csr(common_name: str = "", names: tuple[str, ...] = (), *, private: PrivateKey | None = None) -> str:
    """A signing request in PEM."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some clients send longer common names than the library likes
        subject = x509.Name([x509.NameAttribute(x509.OID_COMMON_NAME, common_name, _validate=False)] if common_name else [])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([general_name(name) for name in names]), critical=False)
    holder = private or key()
    algorithm = None if isinstance(holder, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(holder, algorithm).public_bytes(Encoding.PEM).decode()


def fingerprint_of(request: str) -> str:
    """The `x5rt#S256` of a signing request."""
    der = x509.load_pem_x509_csr(request.encode()).public_bytes(Encoding.DER)
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


class ReplacingCustody(Custody):
    """Opens the keys of issuers with the signatures of a test, once it says how they are made."""

    signs: Signs | None = None

    async def open(self, key_id: str) -> SigningKey:
        key = await super().open(key_id)
        if self.signs is None or key.purpose is not Purpose.ISSUER:
            return key
        assert isinstance(key.private_key, ec.EllipticCurvePrivateKey)
        return replace(key, private_key=ReplacedKey(key.private_key, self.signs))


class AskedDirectory:
    """What a test says of people, where the directory of a server would be asked."""

    def __init__(self) -> None:
        self.local_providers: dict[str, LocalProvider] = {}
        self.holder_statuses = {ALICE: HolderStatus(active=True)}
        self.token_statuses: dict[str, HolderStatus] = {}
        """By the family of the token; what is not in it is good."""
        self.people = {ALICE: Person(ALICE, "alice@example.org", (MAIL,), (), MAIL, frozenset())}
        self.when_status_is_asked: list[Callable[[str], Awaitable[None]]] = []

    def lookup(self) -> AccountLookup:
        return AccountLookup(self._status_of, self._person_of, self._token_status_of, self._client_name_of)

    async def local(self, endpoint: str) -> LocalProvider | None:
        return self.local_providers.get(endpoint)

    async def _status_of(self, account_id: str) -> HolderStatus:
        for each in self.when_status_is_asked:
            await each(account_id)
        return self.holder_statuses.get(account_id, HolderStatus(active=False, reason="There is no such account."))

    async def _person_of(self, account_id: str) -> Person | None:
        return self.people.get(account_id)

    async def _client_name_of(self, _: str) -> str | None:
        return None

    async def _token_status_of(self, token: Any) -> HolderStatus:
        return self.token_statuses.get(token.family_id, HolderStatus(active=True, reason="active"))


class Authority:
    """Everything that a test of the authority may want to touch."""

    def __init__(
        self,
        app: App,
        outbound: ScriptedOutbound | None = None,
        asked: AskedDirectory | None = None,
        crash_points: list[Callable[[str], None]] | None = None,
    ) -> None:
        self.app = app
        self.parts = app.parts.ca
        self.db = app.around.db
        self.clock: Any = app.around.clock
        self.audit = app.parts.audit
        self.outbound = outbound or ScriptedOutbound()
        asked = asked or AskedDirectory()
        self.local_providers = asked.local_providers
        self.holder_statuses, self.token_statuses, self.people = asked.holder_statuses, asked.token_statuses, asked.people
        self.when_status_is_asked = asked.when_status_is_asked
        self.directory = Home(app.around.settings.home).provisioner_files
        self.crash_points = crash_points if crash_points is not None else []
        self._made: list[str] = []

    def __getattr__(self, name: str) -> Any:
        """The parts, by their names: ``ca.issuance``, ``ca.provisioners``."""
        return getattr(self.parts, name)

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: str = "",
        certificate: bytes | None = None,
        bearer: str = "",
        headers: Any = None,
        raw: bytes | None = None,
        peer: Peer | None = None,
    ) -> tuple[int, Any]:
        """Call an endpoint as the server would; answers status and decoded JSON."""
        response = await self.respond(
            method, path, body, query=query, certificate=certificate, bearer=bearer, headers=headers, raw=raw, peer=peer
        )
        return response.status, json.loads(response.body) if response.body else None

    async def respond(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: str = "",
        certificate: bytes | None = None,
        bearer: str = "",
        headers: Any = None,
        raw: bytes | None = None,
        peer: Peer | None = None,
    ) -> Response:
        """The same with the whole response."""
        request = Request(
            method,
            path,
            query,
            ({"authorization": f"Bearer {bearer}"} if bearer else {}) | (headers or {}),
            raw if raw is not None else json.dumps(body).encode(),
            peer=peer or Peer("127.0.0.1", certificate),
            request_id="request-1",
        )
        return await self.app.call(request, Listener.MACHINES)

    async def add_jwk(self, name: str = "admin", **members: Any) -> str:
        """A JWK provisioner; returns the name of its key."""
        signer = signing_key(f"jwk {name}")
        definition = {"type": "JWK", "name": name, "key": jwk_of(signer.public_key, signer.id, "ES256"), **members}
        await self.parts.provisioners.add(definition, SYSTEM)
        return f"jwk {name}"

    async def add_oidc(
        self, name: str = "kanidm", *, client_id: str = "step-ca", issuer_url: str = ISSUER_URL, **members: Any
    ) -> None:
        """An OIDC provisioner."""
        definition = {
            "type": "OIDC",
            "name": name,
            "clientID": client_id,
            "clientSecret": "",
            "configurationEndpoint": f"{issuer_url}/.well-known/openid-configuration",
            **members,
        }
        await self.parts.provisioners.add(definition, SYSTEM)

    def add_local_provider(self, issuer_url: str = ISSUER_URL, signer_name: str = "provider") -> None:
        """An OpenID provider that lives in this server."""
        signer = signing_key(signer_name)
        metadata = ProviderMetadata(issuer_url, f"{issuer_url}/public_key.jwk", frozenset({"ES256"}), local=True)
        keys = (VerificationKey(signer.id, "ES256", signer.public_key),)
        self.local_providers[f"{issuer_url}/.well-known/openid-configuration"] = LocalProvider(metadata, keys)

    def jwk_token(
        self, subject: str, *, signer: str = "jwk admin", issuer: str = "admin", path: str = "/1.0/sign", **claims: Any
    ) -> str:
        """A token as `step` makes it for a JWK provisioner."""
        now = to_seconds(self.clock.now())
        usual = {
            "iss": issuer,
            "sub": subject,
            "aud": f"{CA_URL}{path}",
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "jti": hashlib.sha256(f"{subject} {len(self._made)}".encode()).hexdigest(),
        }
        self._made.append(subject)
        return sign(signing_key(signer), {name: value for name, value in {**usual, **claims}.items() if value is not None})

    def id_token(self, *, signer: str = "provider", **claims: Any) -> str:
        """An ID token of the provider, about Alice."""
        now = to_seconds(self.clock.now())
        usual = {
            "iss": ISSUER_URL,
            "sub": ALICE,
            "aud": "step-ca",
            "azp": "step-ca",
            "iat": now,
            "exp": now + 900,
            "nonce": f"nonce {len(self._made)}",
            "email": "alice@example.org",
            "email_verified": True,
            "preferred_username": "alice@id.example.org",
            "sid": "session-1",
            "family": "family-1",
        }
        self._made.append(ALICE)
        told = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        self._keep_person(told)
        return sign(signing_key(signer), told)

    def _keep_person(self, told: dict[str, Any]) -> None:
        """The directory knows of a person what a token says that was made just now."""
        mail, groups, subject = told.get("email"), told.get("groups", ()), told.get("sub", "")
        mails = (mail,) if isinstance(mail, str) and mail else ()
        verified = told.get("email_verified") is True
        names = (groups,) if isinstance(groups, str) else groups if isinstance(groups, list) else ()
        if not isinstance(subject, str):
            return
        self.people[subject] = Person(
            subject,
            told.get("preferred_username", subject),
            mails if verified else (),
            () if verified else mails,
            mails[0] if mails else "",
            frozenset(each for each in names if isinstance(each, str)),
        )

    def renew_token(self, certificate: bytes, holder: Any, *, path: str = "/renew", **claims: Any) -> str:
        """A token as `step ca renew --mtls=false` makes it."""
        import jwt

        now = to_seconds(self.clock.now())
        leaf = x509.load_der_x509_certificate(certificate)
        names = leaf.subject.get_attributes_for_oid(x509.OID_COMMON_NAME)
        usual = {
            "iss": RENEW_CLIENT,
            "sub": names[0].value if names else "",
            "aud": f"{CA_URL}{path}",
            "iat": now,
            "nbf": now,
            "exp": now + 300,
        }
        algorithm = {"RSAPrivateKey": "RS256", "Ed25519PrivateKey": "EdDSA"}.get(type(holder).__name__.lstrip("_"), "ES256")
        headers = {"x5cInsecure": [base64.b64encode(certificate).decode()], "kid": "whatever the client calls its key"}
        return jwt.encode({**usual, **claims}, holder, algorithm=algorithm, headers=headers)


READER = Actor("person", "auditor", "auditor", Permissions(frozenset({Permission.CERTIFICATE_READ})))


@asynccontextmanager
async def authority(
    home: Path, *, db: Database | None = None, crash_points: Callable[[str], None] = pass_by, clock: Clock | None = None
) -> AsyncIterator[Authority]:
    """An authority with a root and an issuing CA, on SQLite unless a database is given."""
    if db is None:
        async with sqlite_database() as fresh:
            yield await build(fresh, home, crash_points, clock)
    else:
        yield await build(db, home, crash_points, clock)


async def build(db: Database, home: Path, crash_points: Callable[[str], None] = pass_by, clock: Any = None) -> Authority:
    """A node whose authority asks a test about people, and signs with keys that a test may replace."""
    clock = clock or FixedClock(NOW)
    entropy = SeededEntropy(2) if isinstance(clock, FixedClock) else SystemEntropy()
    reached: list[Callable[[str], None]] = [crash_points]

    def reach(point: str) -> None:
        for each in reached:
            each(point)

    outbound, asked = ScriptedOutbound(), AskedDirectory()
    chosen = settings(people="https://id.example.org", machines=CA_URL, dns_names=DNS_NAMES, home=home)
    app = make_app(
        db, chosen, clock=clock, entropy=entropy, outbound=outbound, custody=ReplacingCustody, crash_points=reach
    ).with_directory(asked.lookup(), TrustedProviders(outbound, clock, asked.local))
    ca = Authority(app, outbound, asked, reached)
    if not await ca.parts.issuers.records():
        await ca.parts.issuers.create_hierarchy("Example", SYSTEM)
    await ca.parts.provisioners.reload()
    return ca


class ReplacedKey(ec.EllipticCurvePrivateKey):
    """A private key whose signatures are made by a function of the test, which gets the real key."""

    def __init__(self, real: ec.EllipticCurvePrivateKey, signs: Signs) -> None:
        self._real = real
        self._signs = signs

    @property
    def curve(self) -> ec.EllipticCurve:
        return self._real.curve

    def sign(self, data: Any, signature_algorithm: Any) -> bytes:
        return self._signs(self._real, data, signature_algorithm)

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._real.public_key()

    key_size = exchange = private_bytes = private_numbers = __copy__ = __deepcopy__ = None  # type: ignore[assignment] # not used


async def sign_with(ca: Authority, signs: Signs) -> None:
    """Have the issuing CA's signatures made by `signs`."""
    custody = ca.app.around.custody
    assert isinstance(custody, ReplacingCustody)
    custody.signs = signs
    ca.parts.issuers.forget()


def leaf_of(answer: dict[str, Any]) -> x509.Certificate:
    """The certificate in an answer of sign, renew or rekey."""
    return x509.load_pem_x509_certificate(answer["crt"].encode())


def der_of(answer: dict[str, Any]) -> bytes:
    """The same as bytes."""
    return leaf_of(answer).public_bytes(Encoding.DER)


def names_in(certificate: x509.Certificate) -> list[str]:
    """Its names, in their order."""
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in found]


def common_name_in(certificate: x509.Certificate) -> str:
    """Its common name, or nothing."""
    found = certificate.subject.get_attributes_for_oid(x509.OID_COMMON_NAME)
    return str(found[0].value) if found else ""


def an_hour(count: float = 1) -> timedelta:
    """So many hours."""
    return timedelta(hours=count)
