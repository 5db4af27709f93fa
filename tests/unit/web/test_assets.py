"""Static files under names that change with their content."""

import asyncio
import hashlib
import re

import pytest

from sealwright.errors import NotFound
from sealwright.http import Request
from sealwright.web.assets import load_assets
from tests.unit.web.gallery import Gallery

ASSETS = load_assets()


def serve(path):
    return asyncio.run(ASSETS.serve(Request("GET", path)))


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("style.css", "text/css; charset=utf-8"), ("script.js", "text/javascript; charset=utf-8"), ("icon.svg", "image/svg+xml")],
)
def test_file_is_served_for_ever_under_the_hash_of_its_content(name, media_type):
    path = ASSETS.path(name)
    answer = serve(path)
    headers = dict(answer.headers)
    assert hashlib.sha256(answer.body).hexdigest()[:16] in path
    assert headers["content-type"] == media_type
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/static/style.css", "/static/../pages.py", "/static/style-0000000000000000.css"])
def test_any_other_name_is_not_there(path):
    with pytest.raises(NotFound):
        serve(path)


def test_favicon_is_the_icon():
    answer = asyncio.run(ASSETS.serve_favicon(Request("GET", "/favicon.ico")))
    assert answer.body == serve(ASSETS.path("icon.svg")).body
    assert dict(answer.headers)["cache-control"] == "public, max-age=86400"


def test_page_loads_nothing_but_these():
    text = dict(Gallery().consoles())["account"].body.decode()
    loaded = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', text))
    assert loaded == {ASSETS.path(name) for name in ("style.css", "script.js", "icon.svg")}


def test_script_touches_text_only():
    script = serve(ASSETS.path("script.js")).body.decode()
    assert not re.search(r"innerHTML|eval|document\.write|insertAdjacentHTML|fetch\(|cookie", script)
