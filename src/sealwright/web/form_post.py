"""The page that posts an authorization response to an application (OAuth 2.0 Form Post Response Mode).

With JavaScript it posts by itself; without, by its one button.
"""

from __future__ import annotations

from sealwright.http import Response
from sealwright.oauth import FormPostPage, FormPostStep
from sealwright.web.pages import Site, pages_of

_REFERRER_POLICY = ("referrer-policy", "strict-origin")
"""The application sees where the form comes from; with the policy of the other pages, browsers would send "Origin: null"."""


def form_post_page(site: Site) -> FormPostPage:
    """The function that renders it."""
    pages = pages_of(site)

    def render(step: FormPostStep) -> Response:
        page = pages.single(
            "form-post.html", leads_away=True, client_name=step.client_name, action=step.redirect_uri, fields=step.fields
        )
        others = tuple(each for each in page.headers if each[0] != _REFERRER_POLICY[0])
        return Response(page.status, page.body, (*others, _REFERRER_POLICY))

    return render
