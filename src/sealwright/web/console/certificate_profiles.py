"""Profiles of certificates: the list, one with who chooses it, the form, and the deletion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from sealwright.access import Permission, require
from sealwright.access.approvals import ApprovalPending
from sealwright.ca import BUILT_IN_PROFILES, KnownProfile, Profile, ProfileRegistry
from sealwright.clock import in_words
from sealwright.errors import Conflict, Failure, InvalidInput
from sealwright.http import Response, redirect
from sealwright.identity import SignedIn
from sealwright.web.console.approvals import APPROVALS_PAGE
from sealwright.web.console.certificate_profile_form import (
    BLANK,
    LABELS,
    NUMBERS,
    SWITCHES,
    TEXTS,
    TICKED,
    boxes,
    members_in,
    typed_of,
)
from sealwright.web.console.frame import Question, ask, context_of
from sealwright.web.forms import FormError, fields_of, form_error
from sealwright.web.navigation import PageLink
from sealwright.web.notices import done, notice_text
from sealwright.web.overtaken import FormOvertaken, OvertakenForm, unless_overtaken, version_of
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages

PROFILES_PAGE: Final = "/ui/profiles"


class ListedProfile(Struct, frozen=True):
    """A profile as a row."""

    name: str
    path: str
    description: str
    builtin: bool
    names: str
    uses: str
    longest: str


class CertificateProfilePages:
    """Pages about profiles, for those who may read or change them."""

    def __init__(self, pages: Pages, profiles: ProfileRegistry) -> None:
        self._pages = pages
        self._profiles = profiles

    async def show_list(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Every profile."""
        return self._pages.console(
            "profiles.html",
            context_of(page_request, person),
            rows=tuple(_row(each.profile) for each in await self._profiles.all()),
            notice=notice_text(page_request.request),
        )

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What one allows, and who chooses it."""
        known = await self._found(page_request)
        name = known.profile.name
        require(person.actor, Permission.PROFILE_READ, self._profiles.scope_of(name))
        return self._pages.console(
            "certificate-profile.html",
            context_of(page_request, person),
            notice=notice_text(page_request.request),
            row=_row(known.profile),
            facts=tuple(profile_in_words(known.profile)),
            provisioners=tuple(await self._profiles.used_by(name)),
            may_change=person.actor.holds(Permission.PROFILE_WRITE, self._profiles.scope_of(name)),
        )

    # --- the form ---

    async def show_new(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form of a new profile."""
        usual = Profile(name="new", key_uses=BUILT_IN_PROFILES["step_leaf"].key_uses)
        return self._form(page_request, person, None, {**typed_of(usual), "name": "", "default": "24h"})

    async def create(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Store a profile whose certificates pass the lint."""
        try:
            members = {"name": page_request.typed("name").strip(), **_given(members_in(page_request.form))}
            made = await self._profiles.create(members, actor=person.actor)
        except (InvalidInput, Conflict) as failure:
            return self._form(page_request, person, None, page_request.form, failure=failure)
        return done(_path(made.profile), "certificate-profile-created")

    async def show_edit(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form of a profile, as it is."""
        known = await self._found(page_request)
        return self._form(page_request, person, known, typed_of(known.profile))

    async def edit(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Change a profile; where it asks for approval, show the request that holds the change."""
        known = await self._found(page_request)
        typed = {**BLANK, **page_request.form}

        async def read() -> Mapping[str, str]:
            return _fields(await self._found(page_request))

        try:
            async with unless_overtaken(page_request.typed("seen"), read, typed, LABELS):
                members = _given(members_in(page_request.form))
                changed = await self._profiles.change(known.profile.name, members, actor=person.actor)
        except FormOvertaken as overtaken:
            known = await self._found(page_request)
            return self._form(page_request, person, known, page_request.form, stale=overtaken.form)
        except ApprovalPending as held:
            return redirect(f"{APPROVALS_PAGE}/{held.request_id}")
        except (InvalidInput, Conflict) as failure:
            return self._form(page_request, person, known, page_request.form, failure=failure)
        return done(_path(changed.profile), "certificate-profile-changed")

    def _form(
        self,
        page_request: PageRequest,
        person: SignedIn,
        known: KnownProfile | None,
        typed: Mapping[str, str],
        *,
        failure: Failure | None = None,
        stale: OvertakenForm | None = None,
    ) -> Response:
        trail = () if known is None else (PageLink(_path(known.profile), known.profile.name),)
        return self._pages.console(
            "certificate-profile-form.html",
            context_of(page_request, person, *trail),
            status=409 if stale is not None or isinstance(failure, Conflict) else 200 if failure is None else 422,
            stale=stale,
            heading="Make a profile" if known is None else f"Change {known.profile.name}",
            errors=() if failure is None else _errors(failure),
            typed={**BLANK, **typed},
            boxes=boxes(),
            is_new=known is None,
            seen="" if known is None else version_of(_fields(known)),
            action=f"{PROFILES_PAGE}/new" if known is None else f"{_path(known.profile)}/edit",
            back=PROFILES_PAGE if known is None else _path(known.profile),
        )

    # --- the deletion ---

    async def show_deletion(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Whether it is chosen, and the question."""
        return await self._deletion(page_request, person)

    async def delete(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Delete a profile that nothing chooses; where it asks for approval, show the request that holds that."""
        try:
            await self._profiles.delete(page_request.request.path_parameters["name"], actor=person.actor)
        except ApprovalPending as held:
            return redirect(f"{APPROVALS_PAGE}/{held.request_id}")
        except Conflict as refusal:
            return await self._deletion(page_request, person, status=409, errors=(form_error(refusal),))
        return done(PROFILES_PAGE, "certificate-profile-deleted")

    async def _deletion(
        self, page_request: PageRequest, person: SignedIn, *, status: int = 200, errors: tuple[FormError, ...] = ()
    ) -> Response:
        known = await self._found(page_request)
        path, users = _path(known.profile), await self._profiles.used_by(known.profile.name)
        question = Question(
            title=f"Delete {known.profile.name}?",
            impact=((len(users), "provisioners that choose it, which must choose another first"),),
            after=("Certificates of it stay valid until they expire.",),
            action=f"{path}/delete",
            button="Delete it",
            keep=path,
        )
        context = context_of(page_request, person, PageLink(path, known.profile.name))
        return ask(self._pages, context, question, errors=errors, status=status)

    async def _found(self, page_request: PageRequest) -> KnownProfile:
        return await self._profiles.newest(page_request.request.path_parameters["name"])


def profile_in_words(profile: Profile) -> list[tuple[str, str]]:
    """What a profile allows, each with what it is called."""
    words = [
        ("Names", ", ".join(map(str, profile.name_types)) + (", wildcards too" if profile.wildcards else "")),
        ("Most names", str(profile.most_names)),
        ("Common name", "may be there" if profile.common_name else "never"),
        ("Keys", ", ".join(map(str, profile.key_kinds))),
        ("Curves", ", ".join(map(str, profile.curves))),
        ("RSA keys have at least", f"{profile.shortest_rsa} bits"),
        ("Key usage", ", ".join(map(str, profile.key_uses))),
        ("Extended key usage", ", ".join(map(str, profile.extended_uses))),
        ("Shortest life", in_words(profile.shortest) if profile.shortest else "as its provisioner says"),
        ("Usual life", in_words(profile.default) if profile.default is not None else "as its provisioner says"),
        ("Longest life", in_words(profile.longest)),
        ("Begins before it is asked for by", in_words(profile.backdate) if profile.backdate else "nothing"),
        ("Issuer", profile.issuer or "the one that signs"),
    ]
    addresses = (
        ("Issuer's certificate", profile.issuer_url),
        ("Responder", profile.ocsp_url),
        ("Revocation list", profile.crl_url),
    )
    return [*words, *(each for each in addresses if each[1])]


def _row(profile: Profile) -> ListedProfile:
    return ListedProfile(
        profile.name,
        _path(profile),
        profile.description,
        profile.name in BUILT_IN_PROFILES,
        ", ".join(map(str, profile.name_types)),
        ", ".join(map(str, profile.extended_uses)),
        in_words(profile.longest),
    )


def _given(members: Mapping[str, object]) -> dict[str, object]:
    """Without an empty default: then the usual one is meant."""
    return {name: value for name, value in members.items() if name != "default" or value}


def _errors(failure: Failure) -> tuple[FormError, ...]:
    """At the field that it is about, where it is one."""
    return fields_of(failure, {each: each for each in ("name", *TEXTS, *NUMBERS, *SWITCHES, *TICKED)})


def _path(profile: Profile) -> str:
    return f"{PROFILES_PAGE}/{profile.name}"


def _fields(known: KnownProfile) -> dict[str, str]:
    """What a form of it is made from."""
    return {**BLANK, **typed_of(known.profile)}
