"""Verify the responses of authenticators, with py_webauthn."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct

from sealwright.identity.errors import PasskeyRefused
from sealwright.identity.passkeys.relying_party import ALGORITHMS, RelyingParty

T = TypeVar("T")

MAX_RESPONSE = 12_288
MAX_CREDENTIAL_ID = 1_023
"""Bytes; the longest id that the standard allows (section 4, "Credential ID")."""
_FORMATS = frozenset({"none", "packed"})
"""Attestation is not asked for; browsers then send "none", or "packed" if the authenticator signs for itself."""


class VerifiedRegistration(Struct, frozen=True):
    """A new passkey whose response was verified."""

    credential_id: bytes
    public_key: bytes
    """COSE_Key (RFC 9052, section 7)."""
    sign_count: int
    backed_up: bool
    """Whether it is synchronized between devices, so that its key is not bound to one piece of hardware."""


class UnverifiedAssertion(Struct, frozen=True):
    """Parts of a sign-in response by which its passkey is looked up. Nothing is verified yet."""

    response: dict[str, Any]
    credential_id: bytes
    challenge: bytes
    user_handle: bytes | None


class VerifiedAssertion(Struct, frozen=True):
    """A sign-in response whose signature was verified."""

    sign_count: int
    backed_up: bool


def parse_response(text: str) -> dict[str, Any]:
    """The JSON object that the browser sent, or PasskeyRefused."""
    if len(text) > MAX_RESPONSE:
        raise refused(f"the response has {len(text)} characters; at most {MAX_RESPONSE} are read")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as cause:
        raise refused("the response is not JSON") from cause
    if not isinstance(value, dict):
        raise refused("the response is not a JSON object")
    return value


async def parse_assertion(text: str) -> UnverifiedAssertion:
    """Parse a sign-in response without verifying it; raises PasskeyRefused."""
    response = parse_response(text)

    def parse() -> UnverifiedAssertion:
        from webauthn.helpers import (  # noqa: PLC0415 - half a second that only passkeys need
            parse_authentication_credential_json,
            parse_client_data_json,
        )

        parsed = parse_authentication_credential_json(response)
        client_data = parse_client_data_json(parsed.response.client_data_json)
        return UnverifiedAssertion(response, parsed.raw_id, client_data.challenge, parsed.response.user_handle)

    return await _run(parse)


async def parse_registration(text: str) -> tuple[dict[str, Any], bytes]:
    """A registration response and the challenge in it, not verified yet; raises PasskeyRefused."""
    response = parse_response(text)

    def parse() -> bytes:
        from webauthn.helpers import (  # noqa: PLC0415 - as above
            parse_client_data_json,
            parse_registration_credential_json,
        )

        return parse_client_data_json(parse_registration_credential_json(response).response.client_data_json).challenge

    return response, await _run(parse)


async def verify_registration(response: dict[str, Any], challenge: bytes, party: RelyingParty) -> VerifiedRegistration:
    """Verify a registration response (section 7.1); raises PasskeyRefused."""

    def verify() -> VerifiedRegistration:
        from webauthn import verify_registration_response  # noqa: PLC0415 - as above
        from webauthn.helpers.cose import COSEAlgorithmIdentifier  # noqa: PLC0415 - as above

        made = verify_registration_response(
            credential=response,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(each) for each in ALGORITHMS],
        )
        if made.fmt not in _FORMATS:
            raise refused("it has an attestation that was not asked for")
        if len(made.credential_id) > MAX_CREDENTIAL_ID:
            raise refused(f"the credential id has {len(made.credential_id)} bytes; at most {MAX_CREDENTIAL_ID} are allowed")
        return VerifiedRegistration(
            made.credential_id, made.credential_public_key, made.sign_count, _synchronized(made.credential_device_type)
        )

    return await _run(verify)


async def verify_assertion(
    assertion: UnverifiedAssertion, party: RelyingParty, *, public_key: bytes, sign_count: int
) -> VerifiedAssertion:
    """Verify a sign-in response with the public key of its passkey (section 7.2); raises PasskeyRefused."""

    def verify() -> VerifiedAssertion:
        from webauthn import verify_authentication_response  # noqa: PLC0415 - as above

        made = verify_authentication_response(
            credential=assertion.response,
            expected_challenge=assertion.challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
        return VerifiedAssertion(made.new_sign_count, _synchronized(made.credential_device_type))

    return await _run(verify)


def refused(reason: str) -> PasskeyRefused:
    """The error for a response that cannot be accepted."""
    return PasskeyRefused(
        "The passkey was not accepted.", reasons=(reason,), hint="Load the page again, and use the passkey once more."
    )


def _synchronized(device_type: str) -> bool:
    return device_type == "multi_device"


async def _run(work: Callable[[], T]) -> T:
    """In a thread: the first call loads the library, and RSA keys are slow to verify."""
    try:
        return await asyncio.to_thread(work)
    except PasskeyRefused:
        raise
    except Exception as cause:
        # The library parses untrusted bytes and raises many types for them; each of them is a refusal.
        raise refused(_reason(cause)) from cause


def _reason(cause: Exception) -> str:
    text = "".join(c for c in str(cause) if c.isprintable())[:200]
    return text[:1].lower() + text[1:] if text and type(cause).__module__.startswith("webauthn") else "it cannot be parsed"
