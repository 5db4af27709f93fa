"""Pages for people: sign in, second factor, consent, welcome, my account, errors.

Owns: templates, static files, CSRF tokens, formatting for browsers. Decides nothing: `identity` and `oauth` say who may do
what. Signing in and deciding work without JavaScript.
"""

from __future__ import annotations

from sealwright.web.dependencies import WebDependencies
from sealwright.web.form_post import form_post_page
from sealwright.web.http import Web, build_web
from sealwright.web.pages import Site

__all__ = ["Site", "Web", "WebDependencies", "build_web", "form_post_page"]
