"""Profiles of certificates: which names, keys, uses and lifetimes they have."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from sealwright.access import Permission, require
from sealwright.access.approvals import ApprovalPending
from sealwright.api.approvals import HeldView, held
from sealwright.api.json_types import Moment, RequestBody, ResponseBody, moment
from sealwright.api.operations import Call, Operation
from sealwright.ca import BUILT_IN_PROFILES, KnownProfile, ProfileRegistry, profile_members
from sealwright.http import Response

_READ, _WRITE = str(Permission.PROFILE_READ), str(Permission.PROFILE_WRITE)
_ALL, _ONE = "/profiles", "/profiles/{name}"


class ProfileChangeBody(RequestBody, frozen=True, kw_only=True):
    """What a profile allows. Members that are left out stay as they are, or as they are by default."""

    description: str | UnsetType = UNSET
    key_kinds: list[str] | UnsetType = UNSET
    """EC, RSA, Ed25519."""
    curves: list[str] | UnsetType = UNSET
    """P-256, P-384, P-521."""
    shortest_rsa: int | UnsetType = UNSET
    """Bits that an RSA key has at least."""
    name_types: list[str] | UnsetType = UNSET
    """dns, ip, email, uri."""
    most_names: int | UnsetType = UNSET
    wildcards: bool | UnsetType = UNSET
    common_name: bool | UnsetType = UNSET
    """Whether the subject may hold a common name."""
    key_uses: list[str] | UnsetType = UNSET
    """digital_signature, content_commitment, key_encipherment (RSA keys), key_agreement (EC keys)."""
    extended_uses: list[str] | UnsetType = UNSET
    """server_auth, client_auth, code_signing, email_protection."""
    provisioner_extension: bool | UnsetType = UNSET
    """Whether certificates say which provisioner vouched."""
    shortest: str | UnsetType = UNSET
    """Shortest lifetime, such as 5m."""
    default: str | UnsetType = UNSET
    """Lifetime where none is asked for, such as 24h or 30d."""
    longest: str | UnsetType = UNSET
    """Longest lifetime, such as 90d."""
    backdate: str | UnsetType = UNSET
    """How long before it is issued a certificate begins, for clocks that are slow."""
    issuer: str | UnsetType = UNSET
    """Name of the issuing CA that signs; empty for the one that signs where none is chosen."""
    issuer_url: str | UnsetType = UNSET
    """Where the issuer's certificate is found, as plain http; empty for none."""
    ocsp_url: str | UnsetType = UNSET
    crl_url: str | UnsetType = UNSET


class NewProfileBody(ProfileChangeBody, frozen=True, kw_only=True):
    """A new profile."""

    name: str


class CertificateProfileView(ResponseBody, frozen=True, kw_only=True):
    """A profile; lifetimes as texts such as 24h0m0s."""

    name: str
    description: str
    builtin: bool
    """Whether it is part of the program, and cannot be changed."""
    key_kinds: list[str]
    curves: list[str]
    shortest_rsa: int
    name_types: list[str]
    most_names: int
    wildcards: bool
    common_name: bool
    key_uses: list[str]
    extended_uses: list[str]
    provisioner_extension: bool
    shortest: str
    default: str | None
    """Null where a provisioner has the lifetimes that it would have without a profile."""
    longest: str
    backdate: str
    issuer: str
    issuer_url: str
    ocsp_url: str
    crl_url: str
    updated_at: Moment | None


class CertificateProfileDetails(CertificateProfileView, frozen=True, kw_only=True):
    """A profile, and who chooses it."""

    provisioners: list[str]


class CertificateProfilePage(ResponseBody, frozen=True, kw_only=True):
    """Profiles: built-in ones, then stored ones by name."""

    items: list[CertificateProfileView]
    next: str | None = None


class CertificateProfileOperations:
    """Operations about profiles."""

    def __init__(self, profiles: ProfileRegistry) -> None:
        self._profiles = profiles

    def operations(self) -> list[Operation]:
        """All of them."""
        details = CertificateProfileDetails
        return [
            Operation(
                "list_certificate_profiles",
                "GET",
                _ALL,
                "List profiles of certificates.",
                _READ,
                self._list,
                CertificateProfilePage,
                query={"after": "Where the page before ended.", "limit": "At most this many."},
            ),
            Operation(
                "create_certificate_profile",
                "POST",
                _ALL,
                "Store a profile. One whose certificates would not pass the lint is refused with the reason.",
                _WRITE,
                self._create,
                details,
                NewProfileBody,
                status=201,
            ),
            Operation("get_certificate_profile", "GET", _ONE, "Show a profile, and who chooses it.", _READ, self._get, details),
            Operation(
                "update_certificate_profile",
                "PATCH",
                _ONE,
                "Change a stored profile. Where a rule asks for approval of it, the change is held.",
                _WRITE,
                self._update,
                details,
                ProfileChangeBody,
                also_returns=(202, HeldView),
            ),
            Operation(
                "delete_certificate_profile",
                "DELETE",
                _ONE,
                "Delete a stored profile that no provisioner chooses. Where a rule asks for approval of it, that is held.",
                _WRITE,
                self._delete,
                status=204,
                also_returns=(202, HeldView),
            ),
        ]

    async def _list(self, call: Call) -> CertificateProfilePage:
        require(call.actor, Permission.PROFILE_READ)
        after, limit = call.query.get("after", ""), call.limit()
        found = [each for each in await self._profiles.all() if not after or _place(each) > _place_of(after)]
        page = found[:limit]
        return CertificateProfilePage(
            items=[CertificateProfileView(**_members(each)) for each in page],
            next=page[-1].profile.name if len(found) > limit else None,
        )

    async def _create(self, call: Call) -> CertificateProfileDetails:
        return await self._details(await self._profiles.create(_given(call.body), actor=call.actor))

    async def _get(self, call: Call) -> CertificateProfileDetails:
        require(call.actor, Permission.PROFILE_READ, self._profiles.scope_of(call.path("name")))
        return await self._details(await self._profiles.newest(call.path("name")))

    async def _update(self, call: Call) -> CertificateProfileDetails | Response:
        try:
            return await self._details(await self._profiles.change(call.path("name"), _given(call.body), actor=call.actor))
        except ApprovalPending as pending:
            return held(pending)

    async def _delete(self, call: Call) -> Response | None:
        try:
            await self._profiles.delete(call.path("name"), actor=call.actor)
        except ApprovalPending as pending:
            return held(pending)
        return None

    async def _details(self, known: KnownProfile) -> CertificateProfileDetails:
        users = await self._profiles.used_by(known.profile.name)
        return CertificateProfileDetails(**_members(known), provisioners=users)


def _given(body: ProfileChangeBody) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(body).items() if value is not UNSET}


def _members(known: KnownProfile) -> dict[str, Any]:
    builtin = known.profile.name in BUILT_IN_PROFILES
    return {**profile_members(known.profile), "builtin": builtin, "updated_at": moment(known.updated_at)}


def _place(known: KnownProfile) -> tuple[int, str]:
    return _place_of(known.profile.name)


def _place_of(name: str) -> tuple[int, str]:
    """Where a name stands in the list: built-in profiles keep their order."""
    order = list(BUILT_IN_PROFILES)
    return (order.index(name), "") if name in order else (len(order), name)
