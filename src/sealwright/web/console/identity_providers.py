"""Identity providers: the list, one with its mappings, keys and sign-ins, the form, and the deletion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sealwright.access import Permission
from sealwright.errors import Conflict, Failure, InvalidInput, NotPermitted
from sealwright.http import Response
from sealwright.identity import (
    BACK_CHANNEL_PATH,
    ProviderCheck,
    ProviderInUse,
    ProviderRefused,
    RoleNotFound,
    Roles,
    SignedIn,
    SignInRecords,
    UpstreamProvider,
    UpstreamProviders,
)
from sealwright.web.console.identity_provider_form import (
    FIELD_OF_MEMBER,
    LABELS,
    RULES,
    field_of,
    provider_input,
    typed_of,
    usual,
)
from sealwright.web.forms import FormError, fields_of, form_error
from sealwright.web.navigation import PageLink
from sealwright.web.notices import done, notice_text
from sealwright.web.overtaken import FormOvertaken, OvertakenForm, unless_overtaken, version_of
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages

PROVIDERS_PAGE = "/ui/identity-providers"
SIGN_INS_SHOWN = 20


class IdentityProviderPages:
    """Pages about identity providers, for those who may read or change them."""

    def __init__(self, pages: Pages, providers: UpstreamProviders, roles: Roles, records: SignInRecords) -> None:
        self._pages = pages
        self._providers = providers
        self._roles = roles
        self._records = records
        self._back_channel = pages.site.origin + BACK_CHANNEL_PATH

    async def show_list(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The providers by name."""
        return self._pages.console(
            "identity-providers.html",
            _context(page_request, person, PROVIDERS_PAGE),
            providers=await self._providers.list_providers(actor=person.actor),
            notice=notice_text(page_request.request),
        )

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """One provider: which groups give which roles, its keys, and its sign-ins."""
        return await self._page(page_request, person)

    async def refresh(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Fetch the discovery document and the keys anew, and show what was checked."""
        provider = await self._found(page_request, person)
        checks = await self._providers.refresh(provider.id, actor=person.actor)
        return await self._page(page_request, person, checks=checks)

    async def add_mapping(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Let a group give a role."""
        provider = await self._found(page_request, person)
        group, role = page_request.typed("group"), page_request.typed("role")
        try:
            await self._providers.map_group(provider.id, group, role, actor=person.actor)
        except (InvalidInput, Conflict, RoleNotFound, NotPermitted) as failure:
            errors = fields_of(failure, {"role_id": "role", "group_name": "group"})
            return await self._page(page_request, person, errors=errors, group=group, role=role)
        return done(_path(provider), "mapping-added")

    async def remove_mapping(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Remove the mapping of a group to a role."""
        provider = await self._found(page_request, person)
        await self._providers.unmap(page_request.typed("mapping"), actor=person.actor)
        return done(_path(provider), "mapping-removed")

    async def explain(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Why one sign-in came out as it did."""
        found = await self._records.explain(page_request.request.path_parameters["sign_in"], actor=person.actor)
        path = f"{PROVIDERS_PAGE}/{found.record.provider_id}"
        return self._pages.console(
            "identity-provider-sign-in.html",
            _context(page_request, person, f"{path}/sign-ins", PageLink(path, found.record.provider_name)),
            found=found,
            path=path,
            changed=[(each.group, each.role) for each in found.given] != [(each.group, each.role) for each in found.given_now],
        )

    # --- the form ---

    async def show_new(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form of a new provider."""
        return self._form(page_request, person, None, usual())

    async def create(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Store a provider that passes every check."""
        try:
            made = await self._providers.create(provider_input(page_request.form), actor=person.actor)
        except (InvalidInput, Conflict) as failure:
            return self._form(page_request, person, None, page_request.form, failure=failure)
        return done(_path(made), "provider-created")

    async def show_edit(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form of a provider, as it is."""
        provider = await self._found(page_request, person)
        return self._form(page_request, person, provider, typed_of(provider))

    async def edit(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Change a provider, if it still passes every check."""
        provider = await self._found(page_request, person)
        typed = usual(blank=True) | dict(page_request.form)

        async def read() -> Mapping[str, str]:
            return _versioned(await self._found(page_request, person))

        try:
            async with unless_overtaken(page_request.typed("seen"), read, typed, LABELS):
                await self._providers.update(provider.id, provider_input(page_request.form), actor=person.actor)
        except FormOvertaken as overtaken:
            provider = await self._found(page_request, person)
            return self._form(page_request, person, provider, page_request.form, stale=overtaken.form)
        except (InvalidInput, Conflict) as failure:
            return self._form(page_request, person, provider, page_request.form, failure=failure)
        return done(_path(provider), "provider-changed")

    def _form(
        self,
        page_request: PageRequest,
        person: SignedIn,
        provider: UpstreamProvider | None,
        typed: Mapping[str, str],
        *,
        failure: Failure | None = None,
        stale: OvertakenForm | None = None,
    ) -> Response:
        checks = failure.checks if isinstance(failure, ProviderRefused) else ()
        action = f"{PROVIDERS_PAGE}/new" if provider is None else f"{_path(provider)}/edit"
        return self._pages.console(
            "identity-provider-form.html",
            _context(page_request, person, action, *([] if provider is None else [PageLink(_path(provider), provider.name)])),
            status=409 if stale is not None or isinstance(failure, Conflict) else 200 if failure is None else 422,
            stale=stale,
            heading="Configure a provider" if provider is None else f"Change {provider.name}",
            errors=() if failure is None else _errors(failure, checks),
            checks=checks,
            typed={**usual(blank=bool(page_request.form)), **typed},
            rules=RULES,
            seen="" if provider is None else version_of(_versioned(provider)),
            has_secret=provider is not None and provider.has_secret,
            action=action,
            back=PROVIDERS_PAGE if provider is None else _path(provider),
            callback=self._providers.callback,
            back_channel=self._back_channel,
        )

    # --- the deletion ---

    async def show_deletion(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What goes with a provider, and the question for its name."""
        return await self._deletion(page_request, person)

    async def delete(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Delete a provider whose name was typed; with its sessions where that was chosen."""
        provider = await self._found(page_request, person)
        if page_request.typed("confirm-name").strip() != provider.name:
            wrong = FormError(f"This is not the name of the provider. Type {provider.name}.", "confirm-name")
            return await self._deletion(page_request, person, status=422, errors=(wrong,))
        try:
            ends = page_request.typed("end-sessions") == "yes"
            await self._providers.delete(provider.id, end_sessions=ends, actor=person.actor)
        except ProviderInUse as refusal:
            return await self._deletion(page_request, person, status=409, errors=(form_error(refusal),))
        return done(PROVIDERS_PAGE, "provider-deleted")

    async def _deletion(
        self, page_request: PageRequest, person: SignedIn, *, status: int = 200, errors: tuple[FormError, ...] = ()
    ) -> Response:
        provider = await self._found(page_request, person)
        sessions = await self._providers.live_sessions(provider.id, actor=person.actor)
        mappings = await self._providers.mappings(provider.id, actor=person.actor)
        return self._pages.console(
            "identity-provider-deletion.html",
            _context(page_request, person, f"{_path(provider)}/delete", PageLink(_path(provider), provider.name)),
            status=status,
            errors=errors,
            provider=provider,
            path=_path(provider),
            sessions=sessions,
            ticked=page_request.typed("end-sessions") == "yes",
            impact=((sessions, "sessions that began with it"), (len(mappings), "mappings, with the roles that they gave")),
        )

    # --- parts ---

    async def _found(self, page_request: PageRequest, person: SignedIn) -> UpstreamProvider:
        return await self._providers.find(page_request.request.path_parameters["id"], actor=person.actor)

    async def _page(
        self,
        page_request: PageRequest,
        person: SignedIn,
        *,
        checks: tuple[ProviderCheck, ...] = (),
        errors: tuple[FormError, ...] = (),
        **typed: str,
    ) -> Response:
        provider, actor = await self._found(page_request, person), person.actor
        older = page_request.request.query().get("older-than", "")
        sign_ins = await self._records.newest(
            provider_id=provider.id,
            older_than=await self._records.find(older, actor=actor) if older else None,
            at_most=SIGN_INS_SHOWN + 1,
            actor=actor,
        )
        values: dict[str, Any] = {"group": "", "role": "r-viewer"} | typed
        may_map = actor.holds(Permission.OIDC_PROVIDER_WRITE) and actor.holds(Permission.ROLE_READ)
        return self._pages.console(
            "identity-provider.html",
            _context(page_request, person, _path(provider)),
            status=422 if errors else 200,
            errors=errors,
            notice=notice_text(page_request.request),
            checks=checks,
            provider=provider,
            path=_path(provider),
            mappings=await self._providers.mappings(provider.id, actor=actor),
            roles=await self._roles.list_roles(actor=actor) if may_map else (),
            keys=await self._providers.key_status(provider.id, actor=actor),
            sign_ins=sign_ins[:SIGN_INS_SHOWN],
            older=sign_ins[SIGN_INS_SHOWN - 1].id if len(sign_ins) > SIGN_INS_SHOWN else "",
            callback=self._providers.callback,
            back_channel=self._back_channel,
            **values,
        )


def _versioned(provider: UpstreamProvider) -> dict[str, str]:
    """What a form is made from; another client secret, which no form shows, is another version too."""
    return typed_of(provider) | {"changed": str(provider.updated_at)}


def _errors(failure: Failure, checks: tuple[ProviderCheck, ...]) -> tuple[FormError, ...]:
    """Each check that failed, at the field that it is about; else the failure as a whole."""
    failed = [each for each in checks if not each.passed]
    if failed:
        return tuple(FormError(f"{each.name}: {each.detail}", field_of(each.name)) for each in failed)
    return fields_of(failure, FIELD_OF_MEMBER)


def _path(provider: UpstreamProvider) -> str:
    return f"{PROVIDERS_PAGE}/{provider.id}"


def _context(page_request: PageRequest, person: SignedIn, here: str, *trail: PageLink) -> ConsoleContext:
    return ConsoleContext(person, page_request.csrf_token_of(person), here, trail)
