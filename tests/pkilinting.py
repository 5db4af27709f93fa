"""pkilint, an independent linter, in process; with what we waive, and why."""

from __future__ import annotations

from pkilint import loader
from pkilint.pkix import certificate, extension, name
from pkilint.validation import ValidationFindingSeverity

WAIVERS = {
    "pkix.invalid_uri_syntax": (
        '"spiffe://',
        "Reported for every SPIFFE identity (version 0.13.3). Our own rules for them are in ca/names.py.",
    ),
}
"""Code of a finding → what its message must hold to be waived, and the reason."""

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
    """Code → message of everything from a notice up. pkilint counts severity from 0, fatal, downwards."""
    found = _LINTER.validate(loader.load_der_certificate(certificate_der, "certificate").root)
    return {
        description.finding.code: str(description.message or "")
        for result in found
        for description in result.finding_descriptions
        if description.finding.severity <= ValidationFindingSeverity.NOTICE
    }


def pkilint(certificate_der: bytes) -> dict[str, str]:
    """Findings about a certificate that are not waived; empty when it is good."""
    found = every_finding(certificate_der)
    return {code: message for code, message in found.items() if code not in WAIVERS or WAIVERS[code][0] not in message}
