"""Hold a certificate that needs approval, and release it to the requester who asks for the same again once it was approved.

What is held are the bytes that would be signed at that moment. When they are released, the serial number is the held one and the
validity begins anew with the same length, or ends at the instant that was asked for; everything else is byte for byte what was
approved, which is compared. The key is used only then, for a requester who has proved anew who they are and whose names are
judged anew. So an approval is worth nothing to anyone else, nothing once its requester may not have the certificate any more, and
one certificate once: it is used up in the transaction that records what will be signed.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from sealwright.access.approvals import (
    ApprovalPending,
    ApprovalRequest,
    ApprovalRule,
    Approvals,
    HeldChange,
    RequestKind,
    RequestState,
)
from sealwright.ca import store
from sealwright.ca.errors import AlreadySigned, TokenUsed
from sealwright.ca.intent import Intent
from sealwright.ca.issuance_log import IntentOutcome, IssuanceLog, changed_profiles
from sealwright.ca.models import CertificateContents, IssuedCertificate, NameType
from sealwright.ca.name_search import range_for
from sealwright.ca.prepare import Preparation
from sealwright.ca.records import CertificateRecord, CertificateState
from sealwright.ca.serials import SERIAL_BYTES, serial_text
from sealwright.clock import Clock, Instant, between, in_words, to_rfc3339
from sealwright.db import Database, Transaction
from sealwright.errors import Unavailable

GIVEN_AGAIN = timedelta(minutes=10)
"""How long an approved certificate is given to its requester again, whose connection may have broken the first time."""
_NO_SERIAL = b"\x01" * SERIAL_BYTES
_AGAIN = (
    "Once it is approved, ask again with the same key and names to get it: step ca sign with the same signing request does that, "
    "sealwright certificate issue too; step ca certificate makes another key each time."
)


class _Held(NamedTuple):
    request: ApprovalRequest
    missing: list[str]


class Holding:
    """Holds and releases certificates."""

    def __init__(self, db: Database, approvals: Approvals, preparation: Preparation, log: IssuanceLog, clock: Clock) -> None:
        self._db = db
        self._approvals = approvals
        self._preparation = preparation
        self._log = log
        self._clock = clock

    async def release_or_hold(self, intent: Intent) -> Intent | IssuedCertificate | IntentOutcome:
        """The intent, recorded, if others approved it or no rule asks for that; else hold it, and raise ApprovalPending.

        PROFILE_CHANGED, and nothing done, where the profile is another one by now.
        """
        digest = self._digest(intent)

        async def body(tx: Transaction) -> Intent | IssuedCertificate | IntentOutcome | _Held:
            if any(await changed_profiles(tx, [intent.entry(self._clock.now())])):
                return IntentOutcome.PROFILE_CHANGED
            rules = self.asking(await self._approvals.rules_for(tx, intent.guarded_by), intent)
            if not rules:
                return await self._recorded(tx, replace(intent, approval_id=intent.grant.approved_by))
            known = await self._approvals.known(tx, digest)
            if known is not None and known.state is RequestState.DONE:
                again = await self._given_again(tx, known, intent)
                if again is not None:
                    return again
            request = await self._approvals.hold(tx, await self._change(tx, intent, digest), rules, intent.grant.actor)
            missing = await self._approvals.missing(tx, request, rules)
            if missing:
                return _Held(request, missing)
            released = self._released(intent, request)
            await self._approvals.consume(tx, request, serial_text(released.prepared.serial), intent.grant.actor)
            return await self._recorded(tx, released)

        outcome = await self._db.write(body)
        if isinstance(outcome, _Held):
            raise self._pending(outcome)
        return outcome

    def _pending(self, held: _Held) -> ApprovalPending:
        return self._approvals.pending(held.request, held.missing, hint=_AGAIN)

    @staticmethod
    def asking(rules: list[ApprovalRule], intent: Intent) -> list[ApprovalRule]:
        """The rules that ask for approval of this certificate: one that follows an approved one needs none unless they say so."""
        if intent.grant.approved_by is None:
            return rules
        return [rule for rule in rules if rule.renewals]

    async def _recorded(self, tx: Transaction, intent: Intent) -> Intent:
        (outcome,) = await self._log.write_intents(tx, [intent.entry(self._clock.now())])
        if outcome is not IntentOutcome.RECORDED:
            raise TokenUsed("The token has been used before; each is for one certificate.")
        return intent

    def _released(self, intent: Intent, request: ApprovalRequest) -> Intent:
        """The intent with the approved serial number. AlreadySigned where anything but the validity is not what was approved."""
        held = request.content
        contents = intent.prepared.contents
        serial = bytes.fromhex(held["serial"])
        at_that_time = replace(contents, not_before=Instant(held["not_before"]), not_after=Instant(held["not_after"]))
        approved = base64.b64decode(held["to_be_signed"])
        if self._preparation.encoded(intent.issuer, intent.profile, at_that_time, serial) != approved:
            raise AlreadySigned(f"The certificate is not the one that was approved by the request {request.id}.")
        prepared = self._preparation.prepare(intent.issuer, intent.profile, contents, self._clock.now(), serial=serial)
        return replace(intent, prepared=prepared, approval_id=request.id)

    async def _given_again(self, tx: Transaction, request: ApprovalRequest, intent: Intent) -> IssuedCertificate | None:
        now = self._clock.now()
        if request.closed_at is None or not timedelta(0) <= between(request.closed_at, now) <= GIVEN_AGAIN:
            return None
        record = await store.by_serial(tx, bytes.fromhex(request.result))
        if record is None or record.revoked_at is not None:
            return None
        if record.state is CertificateState.INTENDED:
            raise Unavailable("The approved certificate is being signed at this moment.", retry_after=1)
        if record.der is None:
            return None
        contents = replace(intent.prepared.contents, not_before=record.not_before, not_after=record.not_after)
        return IssuedCertificate(record.serial, record.der, intent.issuer.chain, record.issuer_id, record.profile, contents)

    # --- what is held ------------------------------------------------------------------------------------------------

    def _digest(self, intent: Intent) -> bytes:
        """Of everything that makes two requests the same: who asks, and what would be signed but for number and beginning."""
        grant = intent.grant
        encoded = self._preparation.encoded(intent.issuer, intent.profile, _without_times(intent), _NO_SERIAL)
        asker = msgspec.json.encode([grant.actor.kind, grant.actor.id, grant.provisioner_id, (grant.renewed_from or b"").hex()])
        return hashlib.sha256(b"certificate\0" + asker + b"\0" + encoded).digest()

    async def _change(self, tx: Transaction, intent: Intent, digest: bytes) -> HeldChange:
        contents = intent.prepared.contents
        content, _ = await self.contents_of(tx, intent)
        shown = [each for each in contents.names if each.type is not NameType.URI] or contents.names
        called = [str(each) for each in shown]
        names, more = ", ".join(called[:3]), len(called) - 3
        return HeldChange(
            kind=RequestKind.CERTIFICATE,
            objects=intent.guarded_by,
            title=f"The certificate for {names}{f' and {more} more' if more > 0 else ''}",
            content=content,
            reasons=intent.reasons,
            match_digest=digest,
        )

    async def contents_of(
        self, reader: Database | Transaction, intent: Intent
    ) -> tuple[dict[str, Any], CertificateRecord | None]:
        """What would be signed, in bytes and in words, beside the last certificate of the same names; and that one."""
        previous = await _last_of_the_same_names(reader, intent.prepared.contents)
        compared = {
            "previous": None if previous is None else serial_text(previous.serial),
            "differences": [] if previous is None else _differences(intent, previous),
        }
        return {**self._content(intent), **compared}, previous

    def _content(self, intent: Intent) -> dict[str, Any]:
        """What approvers see: the bytes, and the same in words."""
        grant, prepared = intent.grant, intent.prepared
        contents = prepared.contents
        to_be_signed = self._preparation.encoded(intent.issuer, intent.profile, contents, prepared.serial)
        return {
            "serial": serial_text(prepared.serial),
            "to_be_signed": base64.b64encode(to_be_signed).decode(),
            "to_be_signed_sha256": prepared.digest.hex(),
            "common_name": contents.common_name,
            "names": [f"{name.type}:{name.value}" for name in contents.names],
            "key_kind": str(contents.key_kind),
            "public_key_sha256": hashlib.sha256(contents.public_key_der).hexdigest(),
            "signing_request_sha256": intent.request.digest.hex(),
            "not_before": contents.not_before,
            "not_after": contents.not_after,
            "validity": _validity_in_words(intent),
            "uses": [str(use) for use in intent.profile.extended_uses],
            "profile": intent.profile.name,
            "issuer": intent.issuer.name,
            "provisioner": grant.provisioner_name,
            "renewed_from": None if grant.renewed_from is None else serial_text(grant.renewed_from),
        }


def _without_times(intent: Intent) -> CertificateContents:
    """The contents with what was asked for as an instant, and else with the length of the validity alone."""
    contents, request = intent.prepared.contents, intent.request
    begins = contents.not_before if isinstance(request.not_before, int) else Instant(0)
    if isinstance(request.not_after, int):
        return replace(contents, not_before=begins)
    length = contents.not_after - contents.not_before
    return replace(contents, not_before=begins, not_after=Instant(begins + length))


def _validity_in_words(intent: Intent) -> str:
    contents, request = intent.prepared.contents, intent.request
    begins = f"from {to_rfc3339(contents.not_before)}" if isinstance(request.not_before, int) else "from when it is fetched"
    if isinstance(request.not_after, int):
        return f"{begins} until {to_rfc3339(contents.not_after)}"
    return f"{begins}, for {in_words(between(contents.not_before, contents.not_after) + timedelta(seconds=1))}"


async def _last_of_the_same_names(reader: Database | Transaction, contents: CertificateContents) -> CertificateRecord | None:
    text = contents.names[0].value if contents.names else contents.common_name
    for record in await store.last_called(reader, range_for(text)):
        if record.der is not None and set(record.names) == set(contents.names):
            return record
    return None


def _differences(intent: Intent, previous: CertificateRecord) -> list[list[str]]:
    """What is different from the last certificate of the same names: what it is, before, after."""
    contents = intent.prepared.contents
    length = timedelta(seconds=1)
    pairs = (
        ("common name", previous.subject_name, contents.common_name),
        ("public key", previous.public_key_digest.hex(), hashlib.sha256(contents.public_key_der).hexdigest()),
        (
            "lifetime",
            in_words(between(previous.not_before, previous.not_after) + length),
            in_words(between(contents.not_before, contents.not_after) + length),
        ),
        ("profile", previous.profile, intent.profile.name),
        ("issuer", previous.issuer_id, intent.issuer.id),
        ("provisioner", previous.provisioner_id or "", intent.grant.provisioner_id),
        ("account", previous.account_id or "", intent.grant.account_id or ""),
        ("revoked", "yes" if previous.revoked_at is not None else "no", "no"),
    )
    return [[what, before, now] for what, before, now in pairs if before != now]
