"""The pages of profiles, once with every kind of value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sealwright.access import NO_PERMISSIONS
from sealwright.http import Response
from sealwright.web.console.certificate_profile_form import BLANK, NUMBERS, TEXTS, boxes
from sealwright.web.console.certificate_profiles import ListedProfile
from sealwright.web.forms import FormError
from sealwright.web.overtaken import OvertakenForm

if TYPE_CHECKING:
    from tests.unit.web.gallery import Gallery

HERE = "/ui/profiles"


def certificate_profile_samples(gallery: Gallery, show: Callable[..., Response]) -> Iterator[tuple[str, Response]]:
    """Every state of every page."""
    text, here = gallery.text, gallery.context(HERE)
    stored = ListedProfile(
        name=text("web"),
        path=f"{HERE}/web",
        description=text("Websites"),
        builtin=False,
        names=text("dns"),
        uses=text("server_auth"),
        longest=text("90 days"),
    )
    built_in = replace(stored, name=text("step_leaf"), description="", builtin=True)
    yield "profiles", show("profiles.html", here, rows=(built_in, stored), notice=text("Done."))
    may_not = gallery.context(HERE, NO_PERMISSIONS)
    yield "profiles-read-only", show("profiles.html", may_not, rows=(built_in,), notice="")
    facts = ((text("Names"), text("dns")),)
    for name, row, may_change, users, notice in (
        ("certificate-profile", stored, True, (text("admin"),), text("Done.")),
        ("certificate-profile-read-only", stored, False, (), ""),
        ("certificate-profile-built-in", built_in, True, (), ""),
    ):
        given = {"row": row, "facts": facts, "provisioners": users, "may_change": may_change, "notice": notice}
        yield name, show("certificate-profile.html", here, **given)
    typed = {**BLANK, **dict.fromkeys(("name", *TEXTS, *NUMBERS), text("24h")), "wildcards": "yes", "name_types-dns": "yes"}
    for name, is_new, given_typed, errors in (
        ("certificate-profile-new", True, BLANK, ()),
        ("certificate-profile-form", False, typed, (FormError(text("It is too long."), "longest"),)),
    ):
        yield (
            name,
            show(
                "certificate-profile-form.html",
                here,
                heading=text("Change web"),
                errors=errors,
                typed=given_typed,
                boxes=boxes(),
                is_new=is_new,
                seen="1",
                stale=OvertakenForm(((text("Longest life"), text("24h"), text("48h")),)) if errors else None,
                action=f"{HERE}/new",
                back=HERE,
            ),
        )
