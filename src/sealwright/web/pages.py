"""Renders a template into a response with the headers that every page carries."""

from __future__ import annotations

from functools import cache
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct

from sealwright.access import Permission, holders_of
from sealwright.clock import to_rfc3339
from sealwright.http import Response
from sealwright.identity import BREAK_GLASS_METHOD, SignedIn
from sealwright.web.assets import load_assets
from sealwright.web.formatting import host_text, relative_text, utc_text
from sealwright.web.navigation import PageLink, place_of, places_of

Headers = tuple[tuple[str, str], ...]

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_CSP: Final = "content-security-policy"
_STAYS_HERE: Final[Headers] = (
    ("content-security-policy", f"{_POLICY}; form-action 'self'"),
    ("cross-origin-opener-policy", "same-origin"),
)
LEADS_AWAY: Final[Headers] = (("cross-origin-opener-policy", "unsafe-none"),)
"""For every response on the way to an application: many open the sign-in in a window of their own and wait for it to come back,
which a stricter policy would cut off.
"""
_HEADERS: Final[Headers] = (
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
    # Not no-referrer: with that, browsers send "Origin: null" with our own forms, and a form could not be told from a forged one.
    ("referrer-policy", "same-origin"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
)


class Site(Struct, frozen=True):
    """What this server is called and where people reach it."""

    name: str
    origin: str
    """Public origin of the people's listener, such as ``https://id.example.org``."""
    contact: str = ""
    """Whom people ask for help, in the administrator's words."""

    @property
    def contact_address(self) -> str:
        """Where a link to the contact leads; empty where it is words."""
        if self.contact.startswith("https://"):
            return self.contact
        is_mail = "@" in self.contact and " " not in self.contact
        return f"mailto:{quote(self.contact, safe='@.+-_')}" if is_mail else ""

    @property
    def host(self) -> str:
        """What stands in the address bar."""
        return host_text(self.origin)


class ConsoleContext(Struct, frozen=True):
    """Who looks at a page of the console, and where they are."""

    person: SignedIn
    csrf_token: str
    here: str
    """The path of the page; the place of the rail that it begins with is marked."""
    trail: tuple[PageLink, ...] = ()
    """The pages between the place and this one, for the breadcrumbs."""


@cache
def pages_of(site: Site) -> Pages:
    """The renderer of a site, whose templates are compiled once for all that ask."""
    return Pages(site)


class Pages:
    """Renders templates. Every value is escaped."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._environment = Environment(
            loader=PackageLoader("sealwright.web"),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(site=site, assets=load_assets(), holders_of=holders_of)
        self._environment.filters.update(utc=utc_text, rfc3339=to_rfc3339, relative=relative_text)

    def single(
        self,
        template: str,
        *,
        status: int = 200,
        headers: Headers = (),
        leads_away: bool = False,
        frames_from: tuple[str, ...] = (),
        **values: Any,
    ) -> Response:
        """A page with one card.

        `leads_away`: its form may end at an application. Chromium holds the whole chain of redirects after a form against
        form-action (w3c/webappsec-csp#8), and where an application sends the browser after its own redirect URI no one
        knows beforehand; IPv6 loopback addresses cannot even be written there. So these pages do without the directive.
        Every other page keeps its forms at home. `frames_from`: origins of frames that it loads.
        """
        own = (*LEADS_AWAY, ("content-security-policy", _POLICY)) if leads_away else _STAYS_HERE
        if frames_from:
            own = tuple((name, f"{value}; frame-src {' '.join(frames_from)}" if name == _CSP else value) for name, value in own)
        return self._response(template, status, (*headers, *own), values)

    def console(
        self, template: str, context: ConsoleContext, *, status: int = 200, headers: Headers = (), **values: Any
    ) -> Response:
        """A page with the rail."""
        permissions = context.person.actor.permissions
        place = place_of(context.here)
        frame = {
            "navigation": places_of(permissions),
            "place": place,
            "here": context.here,
            "crumbs": (*(() if place is None or place.path == context.here else (place,)), *context.trail),
            "person": context.person.account,
            "csrf_token": context.csrf_token,
            "break_glass": BREAK_GLASS_METHOD in context.person.session.methods,
            "may": lambda permission: permissions.holds_somewhere(Permission(permission)),
        }
        return self._response(template, status, (*headers, *_STAYS_HERE), frame | values)

    def _response(self, template: str, status: int, headers: Headers, values: dict[str, Any]) -> Response:
        text = self._environment.get_template(template).render({"errors": (), **values})
        return Response(status, text.encode(), (*_HEADERS, *headers))
