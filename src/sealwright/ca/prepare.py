"""Prepare a certificate: everything but the signature is made, checked, and will not change any more."""

from __future__ import annotations

from sealwright.ca.lint import LeafLint
from sealwright.ca.models import CertificateContents, Issuer, PreparedCertificate, Profile
from sealwright.ca.x509 import LeafTemplate, new_serial
from sealwright.clock import Instant
from sealwright.entropy import Entropy


class Preparation:
    """Turns decided contents into bytes to be signed. Keeps template and rules of each issuer and profile."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._known: dict[tuple[str, str], tuple[LeafTemplate, LeafLint]] = {}

    def prepare(
        self, issuer: Issuer, profile: Profile, contents: CertificateContents, now: Instant, *, serial: bytes | None = None
    ) -> PreparedCertificate:
        """Choose a serial number unless one is given, encode, and lint what is encoded. What breaks a rule raises LintFailed."""
        template, rules = self._for(issuer, profile)
        serial = new_serial(self._entropy, now) if serial is None else serial
        to_be_signed = template.to_be_signed(serial, contents)
        rules.require_clean(to_be_signed, serial, contents)
        return PreparedCertificate(
            issuer_id=issuer.id, profile=profile.name, serial=serial, contents=contents, to_be_signed=to_be_signed
        )

    def encoded(self, issuer: Issuer, profile: Profile, contents: CertificateContents, serial: bytes) -> bytes:
        """The bytes that would be signed with this serial number: to hold and to compare them, never to sign them."""
        return self._for(issuer, profile)[0].to_be_signed(serial, contents)

    def with_signature(self, issuer: Issuer, profile: Profile, to_be_signed: bytes, signature: bytes) -> bytes:
        """The certificate: what was to be signed, and the issuer's signature over it."""
        return self._for(issuer, profile)[0].with_signature(to_be_signed, signature)

    def _for(self, issuer: Issuer, profile: Profile) -> tuple[LeafTemplate, LeafLint]:
        known = self._known.get((issuer.id, profile.name))
        if known is None or known[0].issuer is not issuer or known[0].profile is not profile:
            known = LeafTemplate(issuer, profile), LeafLint(issuer, profile)
            self._known[issuer.id, profile.name] = known
        return known
