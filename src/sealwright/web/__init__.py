"""Pages for people: sign in, second factor, consent, welcome, my account, errors.

Owns: templates, static files, the marks of forms, the words for browsers. Decides nothing: who may do what is asked of
`identity` and `oauth`, and everything works without a script.
"""

from __future__ import annotations

from sealwright.web.http import Behind, Web, assemble
from sealwright.web.pages import Site

__all__ = ["Behind", "Site", "Web", "assemble"]
