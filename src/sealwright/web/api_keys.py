"""My API keys: make, look at, narrow, rotate and revoke them. And those of everyone, for those who may see them."""

from __future__ import annotations

from datetime import timedelta

from sealwright.access import ROLES, Permission
from sealwright.clock import Clock, after
from sealwright.errors import Conflict, Failure, InvalidInput
from sealwright.http import Response
from sealwright.identity import ApiKeys, ApiKeyState, ApiKeyUsage, NewApiKey, OwnedKey, SignedIn
from sealwright.web.forms import FormError, form_error, missing
from sealwright.web.models import ListedApiKey
from sealwright.web.notices import done, notice_text
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages

API_KEYS_PAGE = "/ui/account/keys"
ALL_API_KEYS_PAGE = "/ui/keys"
ON_A_PAGE = 50
DAYS = ("7", "30", "90", "365")
_NEEDED = {"name": "Give the key a name.", "scopes": "Say what the key may do: permissions or roles."}


class ApiKeyPages:
    """Pages about API keys. What makes or shows one needs a recent sign-in."""

    def __init__(self, pages: Pages, api_keys: ApiKeys, clock: Clock) -> None:
        self._pages = pages
        self._api_keys = api_keys
        self._clock = clock

    async def show_mine(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The person's own keys, and the form that makes one."""
        return await self._mine(page_request, person)

    async def create(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Make a key, and show it once."""
        errors = missing(page_request.form, _NEEDED)
        if errors:
            return await self._mine(page_request, person, errors=errors)
        days = page_request.typed("days")
        ends = after(self._clock.now(), timedelta(days=int(days) if days in DAYS else int(DAYS[2])))
        try:
            made = await self._api_keys.create(
                page_request.typed("name"), page_request.typed("scopes").split(), expires_at=ends, owner=person
            )
        except (InvalidInput, Conflict) as refusal:
            return await self._mine(page_request, person, errors=(_error(refusal),))
        return self._made(page_request, person, made)

    async def show_one(self, page_request: PageRequest, person: SignedIn) -> Response:
        """One key of the person's own: what it may do, what it was used with, and what can be taken from it."""
        owned, usage = await self._api_keys.show(page_request.request.path_parameters["id"], actor=person.actor)
        return self._one(page_request, person, owned, usage)

    async def rotate(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Make the successor of a key, and show it once."""
        key_id = page_request.request.path_parameters["id"]
        try:
            made = await self._api_keys.rotate(key_id, owner=person)
        except Conflict as refusal:
            return await self._again(page_request, person, refusal)
        return self._made(page_request, person, made)

    async def narrow(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Leave a key what it was used with."""
        key_id = page_request.request.path_parameters["id"]
        try:
            await self._api_keys.narrow(key_id, actor=person.actor)
        except InvalidInput as refusal:
            return await self._again(page_request, person, refusal)
        return done(f"{API_KEYS_PAGE}/{key_id}", "api-key-narrowed")

    async def revoke(self, page_request: PageRequest, person: SignedIn) -> Response:
        """End a key of the person's own."""
        await self._api_keys.revoke(page_request.request.path_parameters["id"], actor=person.actor)
        return done(API_KEYS_PAGE, "api-key-revoked")

    async def show_all(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Keys of everyone, a page at a time."""
        beyond = page_request.request.query().get("after", "")
        found = await self._api_keys.list_all(beyond=beyond, at_most=ON_A_PAGE + 1, actor=person.actor)
        return self._pages.console(
            "api-keys-of-all.html",
            self._context(page_request, person, ALL_API_KEYS_PAGE),
            keys=tuple(self._listed(each) for each in found[:ON_A_PAGE]),
            after=found[ON_A_PAGE - 1].key.id if len(found) > ON_A_PAGE else "",
            is_first=not beyond,
            may_revoke=person.actor.holds(Permission.API_KEY_WRITE),
            notice=notice_text(page_request.request),
        )

    async def revoke_any(self, page_request: PageRequest, person: SignedIn) -> Response:
        """End a key of anyone."""
        await self._api_keys.revoke(page_request.typed("key"), actor=person.actor)
        return done(ALL_API_KEYS_PAGE, "api-key-revoked")

    async def _again(self, page_request: PageRequest, person: SignedIn, refusal: Failure) -> Response:
        owned, usage = await self._api_keys.show(page_request.request.path_parameters["id"], actor=person.actor)
        return self._one(page_request, person, owned, usage, errors=(_error(refusal),))

    async def _mine(self, page_request: PageRequest, person: SignedIn, *, errors: tuple[FormError, ...] = ()) -> Response:
        found = await self._api_keys.list_of(person.account, actor=person.actor)
        held = person.actor.permissions
        roles = (str(role) for role, contents in ROLES.items() if all(map(held.holds_somewhere, contents.permissions)))
        return self._pages.console(
            "api-keys.html",
            self._context(page_request, person, API_KEYS_PAGE),
            status=422 if errors else 200,
            errors=errors,
            keys=tuple(self._listed(each) for each in found),
            name=page_request.typed("name"),
            scopes=page_request.typed("scopes"),
            days=DAYS,
            possible=(*roles, *sorted(str(each) for each in Permission if held.holds_somewhere(each))),
            notice=notice_text(page_request.request),
        )

    def _one(
        self,
        page_request: PageRequest,
        person: SignedIn,
        owned: OwnedKey,
        usage: ApiKeyUsage,
        *,
        errors: tuple[FormError, ...] = (),
    ) -> Response:
        return self._pages.console(
            "api-key.html",
            self._context(page_request, person, API_KEYS_PAGE),
            status=422 if errors else 200,
            errors=errors,
            key=self._listed(owned),
            used=tuple((str(each.permission), each.last_used_at) for each in usage.uses),
            unused=tuple(sorted(map(str, usage.unused))),
            is_own=owned.key.account_id == person.account.id,
            notice=notice_text(page_request.request),
        )

    def _made(self, page_request: PageRequest, person: SignedIn, made: NewApiKey) -> Response:
        return self._pages.console(
            "api-key-made.html",
            self._context(page_request, person, API_KEYS_PAGE),
            key=self._listed(OwnedKey(made.described, person.account.name)),
            secret=made.key,
        )

    @staticmethod
    def _context(page_request: PageRequest, person: SignedIn, here: str) -> ConsoleContext:
        return ConsoleContext(person, page_request.csrf_token_of(person), here)

    def _listed(self, owned: OwnedKey) -> ListedApiKey:
        key = owned.key
        state = key.state(self._clock.now())
        return ListedApiKey(
            id=key.id,
            name=key.name,
            owner=owned.owner,
            beginning=key.beginning,
            scopes=key.scopes,
            state=str(state),
            is_good=state in (ApiKeyState.ACTIVE, ApiKeyState.REPLACED),
            is_newest=state is ApiKeyState.ACTIVE,
            expires_at=key.expires_at,
            last_used_at=key.last_used_at,
            last_address=key.last_address,
        )


def _error(refusal: Failure) -> FormError:
    return form_error(refusal)
