"""The pages about API keys, once with every kind of value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sealwright.clock import Instant
from sealwright.http import Response
from sealwright.web.api_keys import DAYS
from sealwright.web.models import ListedApiKey

if TYPE_CHECKING:
    from tests.unit.web.gallery import Gallery

NOW = Instant(1_795_342_800_000)


def api_key_pages(gallery: Gallery, show: Callable[..., Response]) -> Iterator[tuple[str, Response]]:
    """All of them."""
    text, here = gallery.text, gallery.context("/ui/account/keys")
    key = ListedApiKey(
        id="k-1",
        name=text("backup"),
        owner=text("alice"),
        beginning=text("sealwright_key_5mYVaQ"),
        scopes=(text("person:read"), text("r-viewer")),
        state="active",
        is_good=True,
        is_newest=True,
        expires_at=NOW,
        last_used_at=NOW,
        last_address=text("192.0.2.7"),
    )
    unused = replace(key, state="revoked", is_good=False, is_newest=False, last_used_at=None)
    form = {"name": text("backup"), "scopes": text("person:read"), "days": DAYS, "notice": text("The key was revoked.")}
    many = {"keys": (key, unused), "possible": (text("r-viewer"), text("person:read"))}
    yield "api-keys", show("api-keys.html", here, errors=gallery.errors("name", "scopes"), **many, **form)
    yield "api-keys-none", show("api-keys.html", here, errors=(), **{**form, "notice": ""}, keys=(), possible=())
    one = {"used": ((text("person:read"), NOW),), "unused": (text("group:read"),), "is_own": True, "notice": ""}
    yield "api-key", show("api-key.html", here, key=key, errors=gallery.errors(""), **one)
    yield "api-key-ended", show("api-key.html", here, key=unused, errors=(), **{**one, "used": (), "unused": ()})
    yield "api-key-made", show("api-key-made.html", here, key=key, secret=text("sealwright_key_5mYVaQ"))
    all_of_them = {"after": text("k-1"), "is_first": False, "may_revoke": True, "notice": text("The key was revoked.")}
    everyone = gallery.context("/ui/keys")
    yield "api-keys-of-all", show("api-keys-of-all.html", everyone, keys=(key, unused), **all_of_them)
    bare = {"keys": (), "after": "", "is_first": True, "may_revoke": False, "notice": ""}
    yield "api-keys-of-all-none", show("api-keys-of-all.html", everyone, **bare)
