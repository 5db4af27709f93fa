"""What the pages refuse by themselves."""

from __future__ import annotations

from sealwright.errors import InvalidInput, NotPermitted


class ForeignForm(NotPermitted):
    """A form that no page of ours made for this browser, or that was sent from another site."""

    code = "foreign_form"


class StaleForm(InvalidInput):
    """A form that was made for another sign-in, or before the browser was closed."""

    code = "stale_form"
