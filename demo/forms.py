"""Read and submit pages as a browser without JavaScript does: cookies, redirects, forms with their hidden fields."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

MAX_REDIRECTS = 10


@dataclass
class Form:
    """One form of a page."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Button id → its name and value."""
    ids: set[str] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)
    """Control id → control name."""


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.title = ""
        self._in_title = False
        self._select = ""
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "title":
            self._in_title = True
        elif tag == "form":
            self.forms.append(Form(attributes.get("action", ""), attributes.get("method", "get").lower()))
        elif tag in ("input", "button", "textarea") and self.forms:
            self._control(tag, attributes)
        elif tag == "select" and self.forms:
            self._select = attributes.get("name", "")
            self.forms[-1].labels[attributes.get("id", "")] = self._select
        elif tag == "option" and self._select and ("selected" in attributes or self._select not in self.forms[-1].fields):
            self.forms[-1].fields[self._select] = attributes.get("value", "")

    def _control(self, tag: str, attributes: dict[str, str]) -> None:
        form, name, control_id = self.forms[-1], attributes.get("name", ""), attributes.get("id", "")
        if control_id:
            form.ids.add(control_id)
        if tag == "button" or attributes.get("type") == "submit":
            form.buttons[control_id] = (name, attributes.get("value", ""))
        elif name:
            if attributes.get("type") not in ("radio", "checkbox") or "checked" in attributes:
                form.fields[name] = attributes.get("value", "")
            self._area = name if tag == "textarea" else ""
            form.labels[control_id] = name

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif tag == "textarea" and self._area:
            form = self.forms[-1]
            form.fields[self._area] = form.fields[self._area].removeprefix("\n")
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
        elif self._area:
            self.forms[-1].fields[self._area] += data


@dataclass
class Page:
    """What a browser shows after the last redirect."""

    url: str
    status: int
    headers: dict[str, str]
    text: str

    def parsed(self) -> _Page:
        page = _Page()
        page.feed(self.text)
        return page

    @property
    def title(self) -> str:
        return self.parsed().title

    def form_with(self, button: str) -> Form:
        """The form that holds the button with this id; LookupError says what the page was instead."""
        for form in self.parsed().forms:
            if button in form.buttons:
                return form
        message = f"the page {self.title!r} at {self.url.partition('?')[0]} has no button {button!r}"
        raise LookupError(message)


class Browser:
    """Cookies of each origin, and one page after the other."""

    def __init__(self, trust_file: Path) -> None:
        self._context = ssl.create_default_context(cafile=str(trust_file))
        self.cookies: dict[str, dict[str, str]] = {}

    def open(self, url: str) -> Page:
        """GET a page, following redirects."""
        return self._request("GET", url)

    def submit(self, page: Page, button: str, **values: str) -> Page:
        """Fill in the controls with these ids, press the button with this id, follow redirects."""
        form = page.form_with(button)
        fields = dict(form.fields)
        for control_id, value in values.items():
            if control_id not in form.labels:
                message = f"the page {page.title!r} has no control {control_id!r}"
                raise LookupError(message)
            fields[form.labels[control_id]] = value
        name, value = form.buttons[button]
        if name:
            fields[name] = value
        target = urljoin(page.url, form.action or page.url)
        if form.method == "get":
            return self._request("GET", f"{target}?{urlencode(fields)}")
        return self._request("POST", target, urlencode(fields), came_from=page.url)

    def _request(self, method: str, url: str, body: str | None = None, *, came_from: str = "") -> Page:
        for _ in range(MAX_REDIRECTS):
            page = self._exchange(method, url, body, came_from)
            location = page.headers.get("location")
            if page.status not in (301, 302, 303, 307, 308) or location is None:
                return page
            method, body, url = "GET", None, urljoin(url, location)
        message = f"more than {MAX_REDIRECTS} redirects"
        raise RuntimeError(message)

    def _exchange(self, method: str, url: str, body: str | None, came_from: str) -> Page:
        parts = urlsplit(url)
        host = parts.hostname or ""
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(host, parts.port, context=self._context, timeout=15)
        else:
            connection = http.client.HTTPConnection(host, parts.port, timeout=15)
        jar = self.cookies.setdefault(f"{parts.scheme}://{parts.netloc}", {})
        headers = {"Accept": "text/html", "Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}
        if not jar:
            del headers["Cookie"]
        if body is not None:
            sent_from = urlsplit(came_from)
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"{sent_from.scheme}://{sent_from.netloc}"}
        try:
            connection.request(method, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers)
            answer = connection.getresponse()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    _keep(jar, value)
            text = answer.read().decode("utf-8", "replace")
            return Page(url, answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)
        finally:
            connection.close()


def _keep(jar: dict[str, str], header: str) -> None:
    pair, *attributes = header.split(";")
    name, _, value = pair.strip().partition("=")
    if any(attribute.strip().lower() == "max-age=0" for attribute in attributes) or not value:
        jar.pop(name, None)
    else:
        jar[name] = value


def sign_in_and_allow(browser: Browser, address: str, username: str, password: str) -> Page:
    """From the address that a program printed to its last redirect: sign in where asked, allow where asked."""
    page = browser.open(address)
    if "sign-in" in {button for form in page.parsed().forms for button in form.buttons}:
        page = browser.submit(page, "sign-in", username=username, password=password)
    if "allow" in {button for form in page.parsed().forms for button in form.buttons}:
        page = browser.submit(page, "allow")
    return page
