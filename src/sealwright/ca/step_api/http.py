"""The endpoints that `step` calls, each with and without ``/1.0`` in front."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, wraps

from sealwright.budgets import Budgets
from sealwright.ca.issuers import Issuers
from sealwright.ca.models import IssuedCertificate
from sealwright.ca.provisioners import ProvisionerRegistry, ShownProof, listed
from sealwright.ca.renew import Renewal
from sealwright.ca.revoke import Revocation
from sealwright.ca.sign import Signing
from sealwright.ca.step_api.messages import (
    WIRE_VERSION,
    NotOffered,
    RekeyRequest,
    RevokeRequest,
    SignRequest,
    reason_code,
    serial_number,
    signed,
    time_or_duration,
)
from sealwright.db import Database
from sealwright.errors import InvalidInput, NotFound, RateLimited, Refused
from sealwright.http import Handler, Listener, Request, Response, Route, Wire, json_response, whole_number
from sealwright.ip import network_of
from sealwright.pem import certificate_pem, certificates_pem

USUAL_PAGE = 20
LONGEST_PAGE = 100
LARGEST_LIMIT = 10**18 - 1
LARGEST_BODY = 128 * 1024
_PREFIXES = ("", "/1.0")
_BY_BODY = "public: the token in the body says who asks"
_BY_CERTIFICATE = "public: the client certificate or the token says who asks"
_TRUST = "public: what anyone needs to trust this server"
_MACHINES = frozenset({Listener.MACHINES})
_ALSO_PLAIN = frozenset({"/health", "/roots.pem", "/intermediates.pem"})
"""On the status listener too: probes and programs that build a chain need no TLS. A root from there is worth its fingerprint."""


class StepApi:
    """Answers the `step` command."""

    def __init__(
        self,
        db: Database,
        issuers: Issuers,
        provisioners: ProvisionerRegistry,
        signing: Signing,
        renewal: Renewal,
        revocation: Revocation,
        budgets: Budgets,
    ) -> None:
        self._db = db
        self._issuers = issuers
        self._provisioners = provisioners
        self._signing = signing
        self._renewal = renewal
        self._revocation = revocation
        self._failures = budgets.certificate_failures_by_network

    def routes(self) -> list[Route]:
        """Every endpoint."""
        read: list[tuple[str, Handler]] = [
            ("/version", self.version),
            ("/health", self.health),
            ("/root/{fingerprint}", self.root),
            ("/roots", self.roots),
            ("/roots.pem", self.roots_pem),
            ("/intermediates", self.intermediates),
            ("/intermediates.pem", self.intermediates_pem),
            ("/federation", self.roots),
            ("/provisioners", self.list_provisioners),
            ("/provisioners/{kid}/encrypted-key", self.encrypted_key),
            ("/admin/admins", self.no_administration),
        ]
        write: list[tuple[str, Handler, str]] = [
            ("/sign", self.sign, _BY_BODY),
            ("/renew", self.renew, _BY_CERTIFICATE),
            ("/re-sign", self.renew, _BY_CERTIFICATE),
            ("/rekey", self.rekey, _BY_CERTIFICATE),
            ("/revoke", self.revoke, _BY_CERTIFICATE),
        ]
        found = [
            Route("GET", prefix + path, handler, _listeners(prefix + path), _TRUST, Wire.STEP)
            for path, handler in read
            for prefix in (_PREFIXES if not path.startswith("/admin") else ("",))
        ]
        found += [
            Route(
                "POST",
                prefix + path,
                self._counted(handler),
                _MACHINES,
                access,
                Wire.STEP,
                max_body=LARGEST_BODY,
            )
            for path, handler, access in write
            for prefix in _PREFIXES
        ]
        return found

    def _counted(self, handler: Handler) -> Handler:
        """The same, while not too many requests from the peer's address were refused."""

        @wraps(handler)
        async def counted(request: Request) -> Response:
            network = network_of(request.peer.address)
            self._failures.require(network)
            try:
                return await handler(request)
            except RateLimited:
                raise
            except Refused:
                self._failures.spend(network)
                raise

        return counted

    # --- trust -------------------------------------------------------------------------------------------------------

    async def version(self, _request: Request) -> Response:
        """The version of the wire."""
        return json_response(200, {"version": WIRE_VERSION})

    async def health(self, _request: Request) -> Response:
        """Well, as long as the database can be read and takes writes."""
        await self._db.check()
        return json_response(200, {"status": "ok"})

    async def root(self, request: Request) -> Response:
        """The root with a fingerprint that the client knows."""
        fingerprint = request.path_parameters["fingerprint"]
        found = await self._issuers.root_by_fingerprint(fingerprint)
        if found is None:
            raise NotFound(f"There is no root certificate with the fingerprint {fingerprint[:80]}.")
        return json_response(200, {"ca": certificate_pem(found.certificate_der)})

    async def roots(self, _request: Request) -> Response:
        """The roots of this authority; it is federated with no other."""
        return _certificates(await self._roots())

    async def roots_pem(self, _request: Request) -> Response:
        """The roots of this authority as one PEM file."""
        return _pem_file(await self._roots())

    async def intermediates(self, _request: Request) -> Response:
        """The issuing authorities."""
        return _certificates(await self._intermediates())

    async def intermediates_pem(self, _request: Request) -> Response:
        """The issuing authorities as one PEM file."""
        return _pem_file(await self._intermediates())

    async def _roots(self) -> list[bytes]:
        return [record.certificate_der for record in await self._issuers.roots()]

    async def _intermediates(self) -> list[bytes]:
        return [record.certificate_der for record in await self._issuers.intermediates()]

    # --- provisioners ------------------------------------------------------------------------------------------------

    async def list_provisioners(self, request: Request) -> Response:
        """One page of provisioners."""
        query = request.query()
        page = await self._provisioners.page(query.get("cursor", ""), _limit(query.get("limit", "")))
        return json_response(200, {"provisioners": [listed(each) for each in page.provisioners], "nextCursor": page.next_cursor})

    async def encrypted_key(self, request: Request) -> Response:
        """The encrypted key of a JWK provisioner."""
        return json_response(200, {"key": await self._provisioners.encrypted_key(request.path_parameters["kid"])})

    async def no_administration(self, _request: Request) -> Response:
        """Tells `step` that provisioners are not managed over this wire."""
        raise NotFound("Provisioners are managed with sealwright provisioner, not over this wire.")

    # --- certificates ------------------------------------------------------------------------------------------------

    async def sign(self, request: Request) -> Response:
        """A token and a signing request become a certificate."""
        asked = request.json(SignRequest)
        if not asked.csr:
            raise InvalidInput("The member csr is missing.")
        if not asked.ott:
            raise InvalidInput("The member ott is missing.")
        issued = await self._signing.sign(
            asked.ott,
            asked.csr,
            not_before=time_or_duration(asked.not_before, "notBefore"),
            not_after=time_or_duration(asked.not_after, "notAfter"),
            shown=ShownProof(request.peer, request.headers.get("dpop"), request.path),
        )
        return _issued(issued)

    async def renew(self, request: Request) -> Response:
        """The certificate of the connection, or the one in a token, is followed by another with the same key."""
        peer = request.peer
        certificate = peer.shown_certificate
        if certificate is not None:
            return _issued(await self._renewal.renew(certificate))
        token = request.bearer()
        if token is None:
            raise InvalidInput(peer.forwarding_fault or "Neither a client certificate nor a token was shown.")
        return _issued(await self._renewal.renew_with_token(token))

    async def rekey(self, request: Request) -> Response:
        """The certificate of the connection is followed by another with a new key."""
        asked = request.json(RekeyRequest)
        _require_own_connection(request, "A new key")
        if request.peer.certificate is None:
            raise InvalidInput("A certificate is given a new key over a connection that was made with it.")
        if not asked.csr:
            raise InvalidInput("The member csr is missing.")
        return _issued(await self._renewal.rekey(request.peer.certificate, asked.csr))

    async def revoke(self, request: Request) -> Response:
        """The certificate that a token names, or that of the connection, is revoked."""
        asked = request.json(RevokeRequest)
        serial, code = serial_number(asked.serial), reason_code(asked.reason_code)
        if asked.passive is False:
            raise NotOffered("passive is false; revocation here takes effect when certificates are shown, checked or renewed.")
        if asked.ott:
            await self._revocation.with_token(serial, asked.ott, code=code, reason=asked.reason or "")
        elif request.peer.certificate is not None:
            await self._revocation.with_certificate(serial, request.peer.certificate, code=code, reason=asked.reason or "")
        else:
            _require_own_connection(request, "Revocation without a token")
            raise InvalidInput("Neither a token (ott) nor a client certificate was shown.")
        return json_response(200, {"status": "ok"})


def _require_own_connection(request: Request, what: str) -> None:
    """What cannot be undone is not done for a header: anyone who gets past the proxy with one would have any certificate."""
    if request.peer.is_forwarded:
        raise InvalidInput(
            f"{what} takes a connection that was made with the certificate itself; here a proxy tells of it (Client-Cert).",
            hint="Connect to the machines listener past the proxy, or use a token.",
        )


def _listeners(path: str) -> frozenset[Listener]:
    return _MACHINES | {Listener.STATUS} if path in _ALSO_PLAIN else _MACHINES


def _limit(text: str) -> int:
    if not text:
        return USUAL_PAGE
    limit = whole_number("limit", text.removeprefix("-"), 0, LARGEST_LIMIT)  # as step-ca does
    return min(limit, LONGEST_PAGE) if limit and not text.startswith("-") else USUAL_PAGE


@lru_cache(maxsize=64)
def _chain_pem(chain: tuple[bytes, ...]) -> tuple[str, ...]:
    return tuple(certificate_pem(der) for der in chain)


def _issued(issued: IssuedCertificate) -> Response:
    return json_response(201, signed(issued.der, _chain_pem(issued.chain)))


def _certificates(certificates: Iterable[bytes]) -> Response:
    return json_response(201, {"crts": [certificate_pem(der) for der in certificates]})


def _pem_file(certificates: Iterable[bytes]) -> Response:
    return Response(200, certificates_pem(certificates).encode(), (("content-type", "application/x-pem-file"),))
