"""pkilint, an independent linter, in process; with what we waive, and why."""

from __future__ import annotations

from collections.abc import Iterator

from pkilint import loader
from pkilint.pkix import certificate, extension, name
from pkilint.validation import ValidationFindingSeverity

WAIVERS = (
    (
        "pkix.invalid_uri_syntax",
        '"spiffe://',
        "Reported for every SPIFFE identity (version 0.13.3). Our own rules for them are in ca/names.py.",
    ),
    (
        "pkix.invalid_uri_syntax",
        '"https://localhost:',
        "The same host name in the issuer of a provider on one's own machine.",
    ),
    (
        "pkix.invalid_domain_name_syntax",
        '"localhost"',
        "A name of one label, which RFC 1034 has and servers on one's own machine need. Public CAs may not sign it.",
    ),
    (
        "pkix.invalid_domain_name_syntax",
        '"curl"',
        "The same for a service that is known by a name of one label, as `step ca certificate curl` makes it.",
    ),
)
"""Code of a finding, what its message must hold to be waived, and the reason."""

_LINTER = certificate.create_pkix_certificate_validator_container(
    certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
    [
        certificate.create_issuer_validator_container([]),
        certificate.create_validity_validator_container(),
        certificate.create_subject_validator_container([]),
        certificate.create_extensions_validator_container([]),
        certificate.create_spki_validator_container([]),
    ],
)


def every_finding(certificate_der: bytes) -> dict[str, str]:
    """Code → message of everything from a notice up."""
    return dict(_findings(certificate_der))


def pkilint(certificate_der: bytes) -> dict[str, str]:
    """Findings about a certificate that are not waived; empty when it is good."""
    found = _findings(certificate_der)
    return {
        code: message for code, message in found if not any(code == waived and part in message for waived, part, _ in WAIVERS)
    }


def _findings(certificate_der: bytes) -> Iterator[tuple[str, str]]:
    """pkilint counts severity from 0, fatal, downwards."""
    for result in _LINTER.validate(loader.load_der_certificate(certificate_der, "certificate").root):
        for description in result.finding_descriptions:
            if description.finding.severity <= ValidationFindingSeverity.NOTICE:
                yield description.finding.code, str(description.message or "")
