"""The clients of the authorization server: the list, and one client with what it asks of its application."""

from __future__ import annotations

from sealwright.access import Permission
from sealwright.client_metadata import asked_of, library_settings, rows
from sealwright.http import Response
from sealwright.identity import SignedIn
from sealwright.oauth import ClientConfiguration, ClientRegistry
from sealwright.web.client_images import image_url
from sealwright.web.models import ListedClient, ListedSetting
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages

CLIENTS_PAGE = "/ui/clients"
ON_A_PAGE = 50
_SHOWN_APART = frozenset({"name", "display_name", "kind", "profile", "landing_url"})


class ClientPages:
    """Pages about clients, for those who may read them."""

    def __init__(self, pages: Pages, clients: ClientRegistry) -> None:
        self._pages = pages
        self._clients = clients

    async def show_list(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The clients by name, a page at a time."""
        after = page_request.request.query().get("after", "")
        found = await self._clients.list(after=after, at_most=ON_A_PAGE + 1, actor=person.actor)
        more = len(found) > ON_A_PAGE
        return self._pages.console(
            "clients.html",
            ConsoleContext(person, page_request.csrf_token_of(person), CLIENTS_PAGE),
            clients=tuple(_shown(one) for one in found[:ON_A_PAGE]),
            after=found[ON_A_PAGE - 1].name if more else "",
            is_first=not after,
        )

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """One client: its addresses, what its application has to do, what is set on it, and whose members may use it."""
        one = await self._clients.get(page_request.request.path_parameters["name"], actor=person.actor)
        members = {name: getattr(one, name) for name in rows()}
        return self._pages.console(
            "client.html",
            ConsoleContext(person, page_request.csrf_token_of(person), f"{CLIENTS_PAGE}/{one.name}"),
            client=_shown(one),
            image=image_url(await self._clients.images.digest_of(one.name)),
            asked=tuple(asked_of(members)),
            libraries=tuple(library_settings(members, one.name)),
            issuer=one.issuer_url,
            discovery=one.configuration_url,
            scope_maps=one.scope_maps,
            settings=tuple(_settings(one)),
            may_change=person.actor.permissions.holds_somewhere(Permission.CLIENT_WRITE),
        )


def _shown(one: ClientConfiguration) -> ListedClient:
    return ListedClient(one.name, one.display_name, str(one.kind), one.profile, one.landing_url, one.updated_at)


def _settings(one: ClientConfiguration) -> list[ListedSetting]:
    """Everything else that is set on it, in the words of the terminal."""
    found = []
    for name, row in rows().items():
        value = getattr(one, name)
        if name in _SHOWN_APART or value in (None, "", ()):
            continue
        values = tuple(map(str, value)) if isinstance(value, tuple) else (_text(value),)
        found.append(ListedSetting(row.declared.label, values, row.declared.doc))
    return found


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
