"""Which addresses a client may be told of a logout at."""

import pytest

from sealwright.client_metadata import ClientKind, ClientMetadata, ClientRefused
from sealwright.client_metadata.redirect_uris import require_backchannel_uri, require_frontchannel_uri


def client(**members):
    basics = {"name": "wiki", "display_name": "Wiki", "kind": ClientKind.CONFIDENTIAL, "landing_url": "https://wiki.example.org"}
    return ClientMetadata(**basics | members)


def allows(rule, uri, of):
    try:
        rule(uri, of)
    except ClientRefused:
        return False
    return True


def test_backchannel_url_may_be_anywhere_over_https():
    assert allows(require_backchannel_uri, "https://internal.example.net:8443/logout?x=1", client())


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/logout",
        "http://wiki.example.org/logout",
        "https://wiki.example.org/logout#part",
        "https://user@wiki.example.org/",
        "com.example.app:/logout",
        "javascript:alert(1)",
    ],
)
@pytest.mark.parametrize("rule", [require_backchannel_uri, require_frontchannel_uri])
def test_logout_url_that_is_no_absolute_https_url_is_refused(rule, uri):
    assert not allows(rule, uri, client())


def test_plain_http_needs_the_same_switch_as_redirects():
    open_to_http = client(landing_url="http://wiki.example.org", http_redirects=True)
    assert allows(require_backchannel_uri, "http://wiki.example.org/logout", open_to_http)
    assert allows(require_frontchannel_uri, "http://wiki.example.org/logout", open_to_http)


def test_frontchannel_url_has_scheme_host_and_port_of_a_redirect_url():
    known = client(redirect_uris=("https://app.example.org:8443/callback",))
    assert allows(require_frontchannel_uri, "https://wiki.example.org/end", known)
    assert allows(require_frontchannel_uri, "https://app.example.org:8443/end?x=1", known)
    for uri in ("https://app.example.org/end", "https://evil.example/end", "https://wiki.example.org.evil.example/end"):
        assert not allows(require_frontchannel_uri, uri, known)
