"""Renew (same key) and rekey (new key): a certificate of our own is the credential for the one that follows it.

Everything that decided the first certificate is asked again: the provisioner must still be there and allow renewal, a person of
this server must still be in good standing and have these names, and the names must still pass policy. That is stricter than
`step-ca`, which asks no one. The
lifetime is that of the old certificate, within what the provisioner allows now. The old certificate stays valid.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from sealwright.access import Actor
from sealwright.ca import csr
from sealwright.ca.certificate_lookup import CertificateLookup, PresentedCertificate
from sealwright.ca.errors import CertificateRefused, RenewalRefused
from sealwright.ca.issue import Issuance
from sealwright.ca.models import CertificateRequest, IssuedCertificate, SigningGrant, TokenUse
from sealwright.ca.policy import same_life
from sealwright.ca.profiles import ProfileRegistry, within
from sealwright.ca.provisioners import (
    LEEWAY,
    Audiences,
    CredentialRefused,
    Provisioner,
    ProvisionerRegistry,
    TokenPurpose,
    check_life,
    one_use,
    replay_id,
)
from sealwright.ca.public_keys import encoded, kind_of
from sealwright.ca.records import CertificateRecord
from sealwright.ca.serials import serial_text
from sealwright.clock import Clock, to_rfc3339
from sealwright.jose import ALGORITHMS, JWT, UnverifiedToken, VerificationKey, audiences, check_times, instant_claim, verify

RENEW_CLIENT = "step-ca-client/1.0"
"""What `step` calls itself in the tokens that it makes to renew."""
_CHAIN = "x5cInsecure"
_LONGEST_CHAIN = 10


class Renewal:
    """Issues the certificate that follows one of our own."""

    def __init__(
        self,
        issuance: Issuance,
        lookup: CertificateLookup,
        provisioners: ProvisionerRegistry,
        profiles: ProfileRegistry,
        accepted: Audiences,
        clock: Clock,
    ) -> None:
        self._issuance = issuance
        self._lookup = lookup
        self._provisioners = provisioners
        self._profiles = profiles
        self._accepted = accepted
        self._clock = clock

    async def renew(self, certificate_der: bytes) -> IssuedCertificate:
        """Renew the certificate that a TLS connection was authenticated with."""
        own = await self._lookup.find(certificate_der)
        return await self._follow(own, await self._provisioner_of(own), _same_key(own))

    async def renew_with_token(self, token: str) -> IssuedCertificate:
        """Renew the certificate in the header of a token that its key has signed; for certificates that have expired."""
        read = UnverifiedToken(token)
        own = await self._lookup.find(_leaf_of(read.header))
        provisioner = await self._provisioner_of(own)
        use = self._check_token(read, own, provisioner)
        return await self._follow(own, provisioner, _same_key(own), token_use=use)

    async def rekey(self, certificate_der: bytes, request: str) -> IssuedCertificate:
        """The same certificate for the key of a signing request; the request's names do not count."""
        own = await self._lookup.find(certificate_der)
        provisioner = await self._provisioner_of(own)
        new_key = replace(csr.parse(request), common_name="", names=(), subject_mails=(), other_names=())
        return await self._follow(own, provisioner, new_key)

    async def _provisioner_of(self, own: PresentedCertificate) -> Provisioner:
        """The provisioner that vouched for a certificate, if it would still let it be renewed; else RenewalRefused."""
        own.require_not_revoked()
        record = own.record
        number = serial_text(record.serial)
        if record.provisioner_id is None:
            raise RenewalRefused(f"The certificate {number} is one of this server's own, which renews them by itself.")
        provisioner = await self._provisioners.find(record.provisioner_id)
        if provisioner is None:
            raise RenewalRefused(
                f"The provisioner of the certificate {number} does not exist any more.", hint="Ask for a new certificate."
            )
        if provisioner.claims.disable_renewal:
            raise RenewalRefused(
                f"The provisioner {provisioner.name} does not allow renewal.",
                reasons=("disableRenewal",),
                hint="Ask for a new certificate.",
            )
        if own.expired and not provisioner.claims.allow_renewal_after_expiry:
            raise RenewalRefused(
                f"The certificate {number} expired at {to_rfc3339(record.not_after)}, and the provisioner {provisioner.name} "
                "does not allow renewal after that.",
                reasons=("allowRenewalAfterExpiry is not set",),
                hint="Ask for a new certificate.",
            )
        return provisioner

    async def _follow(
        self,
        own: PresentedCertificate,
        provisioner: Provisioner,
        request: CertificateRequest,
        *,
        token_use: TokenUse | None = None,
    ) -> IssuedCertificate:
        record, chosen = own.record, provisioner.definition.profile_name
        known = await self._profiles.find(chosen)
        if known is None:
            raise RenewalRefused(f"The profile {chosen} does not exist any more.", hint="Ask for a new certificate.")
        profile = known.profile
        claims = within(provisioner.claims, profile)
        lifetime = same_life(record.not_before, record.not_after, profile)
        lifetime = min(max(lifetime, claims.shortest), claims.longest, profile.longest)
        grant = SigningGrant(
            provisioner_id=provisioner.id,
            provisioner_name=provisioner.name,
            profile=chosen,
            issuer=provisioner.definition.issuer,
            actor=_actor(record, provisioner),
            claims=provisioner.claims,
            common_name=record.subject_name,
            names=record.names,
            account_id=record.account_id,
            client_id=record.client_id,
            session_id=record.session_id,
            credential_generation=None if record.account_id is None else record.credential_generation or 0,
            token_use=token_use,
            extension=provisioner.extension,
            renewed_from=record.serial,
            approved_by=record.approval_id if chosen == record.profile else None,
        )
        with self._issuance.stages:
            return await self._issuance.issue(grant, replace(request, not_after=lifetime))

    def _check_token(self, token: UnverifiedToken, own: PresentedCertificate, provisioner: Provisioner) -> TokenUse:
        """Check a token that the certificate's key has signed; returns the note that is made when it is used."""
        key_id = token.header.get("kid")
        key = VerificationKey(key_id if isinstance(key_id, str) else "", "", own.public_key)
        claims = verify(token, (key,), typ=JWT, algorithms=ALGORITHMS).claims
        now = self._clock.now()
        check_times(claims, now, LEEWAY)
        check_life(claims, now)
        if claims.get("iss") not in (RENEW_CLIENT, provisioner.name):
            raise CredentialRefused(f"The token was issued by {str(claims.get('iss'))[:100]!r}, not by {RENEW_CLIENT}.")
        if claims.get("sub", "") != own.record.subject_name:
            raise CredentialRefused("The token is about another subject than its certificate.")
        if not self._accepted.match(audiences(claims), TokenPurpose.RENEW):
            raise CredentialRefused(
                f"The token is not addressed to this server's renewal, but to {', '.join(audiences(claims))[:200]}."
            )
        return one_use("renew", replay_id(token), expires_at=instant_claim(claims, "exp") or now, now=now)


def _leaf_of(header: Mapping[str, Any]) -> bytes:
    """The first certificate of the chain in a renewal token's header."""
    chain = header.get(_CHAIN)
    if not isinstance(chain, list) or not 0 < len(chain) <= _LONGEST_CHAIN or not isinstance(chain[0], str):
        raise CertificateRefused(f"The token carries no certificate ({_CHAIN}) that could be renewed.")
    try:
        return base64.b64decode(chain[0], validate=True)
    except (binascii.Error, ValueError) as cause:
        raise CertificateRefused("The certificate in the token is not base64.") from cause


def _same_key(own: PresentedCertificate) -> CertificateRequest:
    return CertificateRequest(own.public_key, kind_of(own.public_key), encoded(own.public_key))


def _actor(record: CertificateRecord, provisioner: Provisioner) -> Actor:
    """On whose behalf a renewal runs: the person, or whatever holds a machine's key."""
    if record.account_id is not None and record.client_id is None:
        return Actor("person", record.account_id, record.holder_name)
    return provisioner.holder_of(record)
