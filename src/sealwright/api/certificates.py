"""The inventory of certificates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from sealwright.access import Actor, Permission
from sealwright.api.json_types import Moment, RequestBody, ResponseBody, moment
from sealwright.api.operations import OWN, Call, Operation
from sealwright.ca import (
    CertificateRecord,
    CertificateState,
    Inventory,
    Issuers,
    ProvisionerRegistry,
    Revocation,
    certificates_pem,
    decimal_text,
    serial_in,
    serial_text,
)
from sealwright.clock import Clock, Instant
from sealwright.identity import Directory

REASON_CODES: Mapping[str, int] = {
    "unspecified": 0,
    "keyCompromise": 1,
    "cACompromise": 2,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
    "certificateHold": 6,
    "privilegeWithdrawn": 9,
    "aACompromise": 10,
}
_REASON_NAMES = {code: name for name, code in REASON_CODES.items()}


class CertificateNameView(ResponseBody, frozen=True, kw_only=True):
    """A name in a certificate."""

    type: str
    value: str


class CertificateView(ResponseBody, frozen=True, kw_only=True):
    """A certificate as the inventory knows it."""

    serial: str
    """Hexadecimal."""
    serial_decimal: str
    state: str
    """``intended``, ``issued``, ``failed``, ``maybe_signed``; ``revoked`` or ``expired`` where an issued one is."""
    subject_name: str
    names: list[CertificateNameView]
    person: str | None
    """SPN of the person or service account that it speaks for; the account's id when that is gone."""
    client_id: str | None = None
    """Id of the client for whose access token it was issued; null for other certificates."""
    provisioner: str | None
    """Name of the provisioner; its id when it is gone."""
    profile: str
    not_before: Moment
    not_after: Moment
    issued_at: Moment | None
    renewed_from: str | None
    revoked_at: Moment | None
    revocation_reason: str | None


class CertificateDetails(CertificateView, frozen=True, kw_only=True):
    """A certificate, itself, and the line of renewals that it stands in."""

    issuer: str
    """Name of the authority that signed it."""
    session_id: str | None
    certificate: str | None
    """PEM; null until it is signed."""
    came_from: list[str]
    """Serials of those before it, the oldest first."""
    followed_by: list[str]


class CertificatePage(ResponseBody, frozen=True, kw_only=True):
    """Certificates, newest first."""

    items: list[CertificateView]
    next: str | None = None


RevocationReason = Literal[
    "unspecified",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "privilegeWithdrawn",
    "aACompromise",
]
"""RFC 5280, section 5.3.1."""


class RevocationBody(RequestBody, frozen=True, kw_only=True):
    """Why."""

    reason: RevocationReason = "unspecified"
    note: str = ""
    """In words, for the audit record."""


class _Names:
    """Names behind ids, each looked up once for one answer."""

    def __init__(self, directory: Directory, provisioners: ProvisionerRegistry) -> None:
        self._directory = directory
        self._provisioners = provisioners
        self._known: dict[tuple[str, str], str] = {}

    async def person(self, account_id: str | None) -> str | None:
        """SPN of an account; its id when it is gone."""
        if account_id is None:
            return None
        if ("person", account_id) not in self._known:
            account = await self._directory.account(account_id)
            self._known["person", account_id] = account_id if account is None else self._directory.spn_of(account)
        return self._known["person", account_id]

    async def provisioner(self, provisioner_id: str | None) -> str | None:
        """Name of a provisioner; its id when it is gone."""
        if provisioner_id is None:
            return None
        if ("provisioner", provisioner_id) not in self._known:
            found = await self._provisioners.find(provisioner_id)
            self._known["provisioner", provisioner_id] = provisioner_id if found is None else found.name
        return self._known["provisioner", provisioner_id]


class CertificateOperations:
    """Operations about certificates: everyone sees and revokes their own."""

    def __init__(
        self,
        inventory: Inventory,
        revocation: Revocation,
        issuers: Issuers,
        provisioners: ProvisionerRegistry,
        directory: Directory,
        clock: Clock,
    ) -> None:
        self._inventory = inventory
        self._revocation = revocation
        self._issuers = issuers
        self._provisioners = provisioners
        self._directory = directory
        self._clock = clock

    def operations(self) -> list[Operation]:
        """All of them."""
        read = f"{OWN}; for others {Permission.CERTIFICATE_READ}"
        page = {
            "after": "Where the page before ended.",
            "limit": "At most this many.",
            "name": "Only those that hold this name, or names that end so where it begins with a dot or an @.",
            "person": "Only those that speak for this person.",
        }
        return [
            Operation(
                "list_certificates",
                "GET",
                "/certificates",
                "List certificates: all where one may see them, else one's own.",
                read,
                self._list,
                returns=CertificatePage,
                query=page,
            ),
            Operation(
                "get_certificate",
                "GET",
                "/certificates/{serial}",
                "Show a certificate, by serial number in hexadecimal or decimal.",
                read,
                self._get,
                returns=CertificateDetails,
            ),
            Operation(
                "revoke_certificate",
                "POST",
                "/certificates/{serial}/revoke",
                "Revoke a certificate. It cannot be undone.",
                f"{OWN}; for others {Permission.CERTIFICATE_REVOKE}",
                self._revoke,
                returns=CertificateView,
                accepts=RevocationBody,
                owns=self._is_own,
            ),
        ]

    async def _is_own(self, actor: Actor, path: Mapping[str, str]) -> bool:
        return await self._revocation.is_own(serial_in(path["serial"]), actor)

    async def _list(self, call: Call) -> CertificatePage:
        person = call.query.get("person")
        account_id = None
        if person is not None:
            account_id = (await self._directory.show_person(person, actor=call.actor)).id
        elif not call.actor.permissions.holds_somewhere(Permission.CERTIFICATE_READ):
            account_id = call.caller.account.id
        page = await self._inventory.page(
            call.actor,
            account_id=account_id,
            name=call.query.get("name"),
            cursor=call.query.get("after", ""),
            at_most=call.limit(),
        )
        names = _Names(self._directory, self._provisioners)
        shown = [await self._answer(each, names) for each in page.certificates]
        return CertificatePage(items=shown, next=page.next_cursor or None)

    async def _get(self, call: Call) -> CertificateDetails:
        story = await self._inventory.show(call.actor, serial_in(call.path("serial")))
        record = story.certificate
        return CertificateDetails(
            **msgspec.structs.asdict(await self._answer(record, _Names(self._directory, self._provisioners))),
            issuer=(await self._issuers.record(record.issuer_id)).name,
            session_id=record.session_id,
            certificate=None if record.der is None else certificates_pem((record.der,)),
            came_from=[serial_text(each.serial) for each in story.came_from],
            followed_by=[serial_text(each.serial) for each in story.followed_by],
        )

    async def _revoke(self, call: Call) -> CertificateView:
        body: RevocationBody = call.body
        serial = serial_in(call.path("serial"))
        reason = body.note or body.reason
        record = await self._revocation.by_actor(serial, call.actor, code=REASON_CODES[body.reason], reason=reason)
        return await self._answer(record, _Names(self._directory, self._provisioners))

    async def _answer(self, record: CertificateRecord, names: _Names) -> CertificateView:
        reason = record.revocation_reason
        return CertificateView(
            serial=serial_text(record.serial),
            serial_decimal=decimal_text(record.serial),
            state=_state(record, self._clock.now()),
            subject_name=record.subject_name,
            names=[CertificateNameView(type=str(name.type), value=name.value) for name in record.names],
            person=await names.person(record.account_id),
            client_id=record.client_id,
            provisioner=await names.provisioner(record.provisioner_id),
            profile=record.profile,
            not_before=moment(record.not_before),
            not_after=moment(record.not_after),
            issued_at=moment(record.issued_at),
            renewed_from=None if record.renewed_from is None else serial_text(record.renewed_from),
            revoked_at=moment(record.revoked_at),
            revocation_reason=None if reason is None else _REASON_NAMES.get(reason, str(reason)),
        )


def _state(record: CertificateRecord, now: Instant) -> str:
    if record.revoked_at is not None:
        return "revoked"
    if record.state is CertificateState.ISSUED and record.not_after < now:
        return "expired"
    return str(record.state)
