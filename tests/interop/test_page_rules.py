"""Every page in a real Chromium, before the rules of axe-core (WCAG 2.2 A and AA, and best practices), and within its width."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page
from playwright.sync_api import Route as Intercepted

from sealwright.web.assets import load_assets
from tests.interop.client_programs import NPM, require
from tests.interop.test_browser_pages import chromium
from tests.unit.web.gallery import Gallery

__all__ = ["chromium"]
pytestmark = pytest.mark.browser
AXE = NPM / "node_modules" / "axe-core" / "axe.min.js"
ORIGIN = "https://id.example.org"
PAGES = Gallery().all()
LEAVE_BY_THEMSELVES = {"form-post", "signed-out-frames", "signed-out-in-again"}
"""Pages that are gone as soon as they are there, on the way to an application."""
ASSETS = [load_assets().file(name) for name in ("style.css", "script.js", "icon.svg")]
FILES = {each.path: each for each in ASSETS} | {"/static/icon.svg": ASSETS[2]}
WIDTHS = [320, 390, 1280]
LOOKS: list[tuple[Literal["light", "dark"], int]] = [("light", 390), ("light", 1280), ("dark", 1280), ("dark", 390)]
"""In this order each step changes one thing."""
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
"""The dark scheme changes colours alone, which a test of the style sheet holds: no other rule of axe can tell it apart."""
RUN = """only => axe.run(document, {iframes: false, resultTypes: ['violations'],
    ...(only && {runOnly: {type: 'rule', values: only}})})"""


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    """A page that every address of the server leads to."""
    context = chromium.new_context(java_script_enabled=True)
    context.route("**/*", answered)
    yield context.new_page()
    context.close()


def answered(intercepted: Intercepted) -> None:
    """What the server would answer: a page of the gallery, or a file that it loads."""
    path = intercepted.request.url.removeprefix(ORIGIN)
    shown, file = PAGES.get(path.removeprefix("/gallery/")), FILES.get(path)
    if shown is not None:
        intercepted.fulfill(status=shown.status, headers=dict(shown.headers), body=shown.body)
    elif file is not None:
        intercepted.fulfill(headers={"content-type": file.media_type}, body=file.body)
    else:  # such as a frame of an application
        intercepted.abort()


STRANGE = {
    "right-to-left": ("\u202e\u2067\u05e9\u05dc\u05dd\u2066", "\u0645\u0631\u062d"),
    "emoji": ("\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea" * 20),
    "long": ("", "W" * 10_000),
}
"""What stands before and behind every value."""


@pytest.mark.parametrize("kind", STRANGE)
def test_values_of_other_directions_and_lengths_stay_within_their_place(chromium: Browser, kind: str) -> None:
    pages = Gallery(*STRANGE[kind]).all()
    context = chromium.new_context(viewport={"width": WIDTHS[0], "height": 900}, java_script_enabled=True)

    def answered_strangely(intercepted: Intercepted) -> None:
        path = intercepted.request.url.removeprefix(ORIGIN)
        shown = pages.get(path.removeprefix("/gallery/"))
        if shown is None:
            answered(intercepted)
        else:
            intercepted.fulfill(status=shown.status, headers=dict(shown.headers), body=shown.body)

    context.route("**/*", answered_strangely)
    page, wide = context.new_page(), []
    for number, name in enumerate(sorted(pages.keys() - LEAVE_BY_THEMSELVES)):
        page.goto(f"{ORIGIN}/gallery/{name}")
        for width in WIDTHS[:: -1 if number % 2 else 1]:  # to and fro: a page is laid out at once as the last one was seen
            page.set_viewport_size({"width": width, "height": 900})
            if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
                wide.append((name, width))
        assert page.evaluate("getComputedStyle(document.querySelector('h1')).unicodeBidi") == "isolate"
    context.close()
    assert wide == []


@pytest.mark.parametrize("name", sorted(PAGES.keys() - LEAVE_BY_THEMSELVES))
def test_no_page_breaks_a_rule_of_axe(page: Page, name: str) -> None:
    require(AXE.exists(), "scripts/install-npm-clients")
    page.goto(f"{ORIGIN}/gallery/{name}")
    page.evaluate(axe())
    for scheme, width in LOOKS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        found = page.evaluate(RUN, COLOUR_RULES if scheme == "dark" else None)
        broken = [(each["id"], [node["target"] for node in each["nodes"]]) for each in found["violations"]]
        assert broken == [], (scheme, width)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"it is wider than {width}"


@cache
def axe() -> str:
    return AXE.read_text(encoding="utf-8")


def test_list_changes_while_one_types_and_the_palette_opens_by_its_keys(chromium: Browser) -> None:
    context, asked = chromium.new_context(viewport={"width": 1280, "height": 900}), list[str]()

    def answered_as_asked(intercepted: Intercepted) -> None:
        path = intercepted.request.url.removeprefix(ORIGIN)
        name = {"/ui/people": "people", "/ui/search": "search"}.get(path.partition("?")[0])
        if name is None:
            answered(intercepted)
            return
        asked.append(path)
        shown = PAGES["people-nothing-fits" if "q=zz" in path else name]
        intercepted.fulfill(status=shown.status, headers=dict(shown.headers), body=shown.body)

    context.route("**/*", answered_as_asked)
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
    page.goto(f"{ORIGIN}/ui/people")
    page.fill("#q", "zz")
    page.wait_for_selector("#results >> text=Nothing fits what you look for.")
    assert "q=zz" in page.url
    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette-results >> text=Accounts of people.")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "/ui/people"
    assert any(path.startswith("/ui/search?q=") for path in asked)
    assert complaints == []
    context.close()
