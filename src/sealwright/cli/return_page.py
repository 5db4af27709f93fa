"""What a browser shows when it comes back from a sign-in: one page that needs nothing else, in the looks of the server's own."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import NamedTuple


class Page(NamedTuple):
    """What the page says, and whether it went well (None: it is not known yet)."""

    title: str
    text: str
    good: bool | None = None


BACK = Page("Back to the terminal", "The terminal says how it went. You can close this window.")
NOT_ASKED = Page("Not what was expected", "This address waits for a sign-in that a command in your terminal began.", good=False)
STOPPED = Page("Stopped", "The command in the terminal was stopped. You can close this window.", good=False)

_STYLE = """
:root{color-scheme:light dark;--paper:#fbfaf8;--surface:#fff;--line:#dcd8d0;--ink:#1d2129;--soft:#565c68;
--good:#1f6b45;--bad:#a4262c}
@media (prefers-color-scheme:dark){:root{--paper:#14161a;--surface:#1b1e24;--line:#343a44;--ink:#e8e9ec;--soft:#a9afba;
--good:#7fd1a3;--bad:#f2979b}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--paper);color:var(--ink);
font:400 1rem/1.5 system-ui,-apple-system,"Segoe UI","Noto Sans",sans-serif}
main{width:100%;max-width:30rem;padding:2rem;background:var(--surface);border:1px solid var(--line);border-radius:.5rem}
h1{margin:0 0 .5rem;font-size:1.5rem;line-height:1.25;font-weight:650;overflow-wrap:anywhere}
p{margin:0;color:var(--soft);overflow-wrap:anywhere}
.good{color:var(--good)}.bad{color:var(--bad)}
"""
_MARKS = {True: '<span class="good" aria-hidden="true">✔</span> ', False: '<span class="bad" aria-hidden="true">✘</span> '}
_DOCUMENT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{style}</style></head>
<body><main><h1>{mark}{title}</h1><p>{text}</p></main></body></html>
"""

POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'; "
    "frame-ancestors 'none'"
)
"""The Content-Security-Policy of these pages."""


def document_of(page: Page) -> bytes:
    """The HTML of a page. What it tells may come from others, and is shown as text."""
    mark = "" if page.good is None else _MARKS[page.good]
    return _DOCUMENT.format(title=escape(page.title), text=escape(page.text), mark=mark, style=_STYLE).encode()
