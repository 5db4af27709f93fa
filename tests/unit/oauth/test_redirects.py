import pytest

from sealwright.client_metadata import ClientKind, ClientRefused, require_landing_url, require_redirect_uri
from sealwright.clock import Instant
from sealwright.errors import Action, Remedy
from sealwright.oauth.models import Client
from sealwright.oauth.redirects import is_allowed, with_parameters

REGISTERED = (
    "https://app.example.org/callback",
    "https://app.example.org/with?query=1",
    "http://localhost:10000",
    "http://127.0.0.1/cb",
    "http://[::1]:5000/",
    "com.example.app:/callback",
)


def client(kind=ClientKind.PUBLIC, registered=(), *, localhost_redirects=False, http_redirects=False):
    return Client(
        id="1",
        name="app",
        display_name="App",
        kind=kind,
        landing_url="https://landing.example.org",
        secret_digest=None,
        redirect_uris=registered,
        localhost_redirects=localhost_redirects,
        http_redirects=http_redirects,
        created_at=Instant(0),
        updated_at=Instant(0),
    )


@pytest.mark.parametrize(
    "uri",
    [
        *REGISTERED,
        "https://landing.example.org",
        "http://localhost:1",
        "http://localhost",
        "http://127.0.0.1:45673/cb",
        "http://[::1]:65535/",
    ],
)
def test_registered_uri_and_any_port_of_a_registered_loopback_are_allowed(uri):
    assert is_allowed(client(registered=REGISTERED), uri)
    exactly = uri in {*REGISTERED, "https://landing.example.org"}
    assert is_allowed(client(ClientKind.CONFIDENTIAL, registered=REGISTERED), uri) is exactly
    assert is_allowed(client(ClientKind.CONFIDENTIAL, localhost_redirects=True, registered=REGISTERED), uri)


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.org/callback/",
        "https://app.example.org/Callback",
        "https://APP.example.org/callback",
        "https://app.example.org:443/callback",
        "https://app.example.org/callback?x=1",
        "https://app.example.org/callback#x",
        "https://app.example.org/%63allback",
        "https://app.example.org/x/../callback",
        "https://app.example.org/with",
        "https://app.example.org/with?query=2",
        "http://app.example.org/callback",
        "https://landing.example.org/",
        "https://landing.example.org.evil.example",
        "https://evil.example",
        "http://localhost:10000/",
        "http://localhost/other",
        "http://127.0.0.1",
        "http://127.0.0.1/cb/",
        "http://127.0.0.2/cb",
        "http://grafana.lan:3000/cb",
        "http://localhost/cb",
        "https://localhost:10000",
        "com.example.app:/other",
        "com.example.app:/callback?x=1",
        "javascript:alert(1)",
        "",
        " https://app.example.org/callback",
        "https://app.example.org/callback\n",
    ],
)
def test_anything_else_is_not(uri):
    assert not is_allowed(client(registered=REGISTERED), uri)


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "http://127.0.0.1:45673/",
        "http://localhost:45673/a/b",
        "http://[::1]:9/",
        "http://[::1]?x=y",
        "http://localhost/?x=y&z",
        "http://127.0.0.2",
        "http://127.9.9.9:8080/cb",
        "http://127.255.255.255",
    ],
)
def test_localhost_redirects_allow_any_port_and_path_to_a_public_client_only(uri):
    assert is_allowed(client(localhost_redirects=True), uri)
    assert not is_allowed(client(localhost_redirects=False), uri)
    assert not is_allowed(client(ClientKind.CONFIDENTIAL, localhost_redirects=True), uri)


@pytest.mark.parametrize(
    "uri",
    [
        "https://127.0.0.1:1",
        "HTTP://127.0.0.1",
        "http://LOCALHOST",
        "http://localhost.",
        "http://localhost.evil.example",
        "http://evil.example/http://localhost",
        "http://localhost@evil.example",
        "http://localhost:80@evil.example/",
        "http://user@localhost/",
        "http://user:pass@127.0.0.1:1/",
        "http://localhost\\@evil.example",
        "http://localhost:1\\@evil.example",
        "http://127.0.0.1:1#@evil.example",
        "http://127.0.0.1:0",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:999999",
        "http://127.0.0.1:",
        "http://127.0.0.1:1x",
        "http://127.0.0.1:-1",
        "http://127.1",
        "http://127.0.0.256",
        "http://127.0.0.01",
        "http://127.0.0.1.evil.example",
        "http://128.0.0.1",
        "http://2130706433",
        "http://0x7f.0.0.1",
        "http://0.0.0.0",
        "http://[::]",
        "http://[::ffff:127.0.0.1]",
        "http://[0:0:0:0:0:0:0:1]",
        "http://::1",
        "http://localhost%2eevil.example",
        "http://localhost /",
        "http://localhost/ ",
        "http://localhost/\t",
        "http://localhost/\r\nX: y",
        "http://localhost/\0",
        "http://localhost/ä",
        "http://lоcalhost/",  # noqa: RUF001 - a Cyrillic letter on purpose
        "//localhost",
        "localhost",
        "http:localhost",
        "http:/localhost",
        "ftp://localhost",
        "http://localhost/" + "a" * 3000,
    ],
)
def test_nothing_that_only_looks_like_localhost_is_allowed(uri):
    assert not is_allowed(client(localhost_redirects=True), uri)


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.org",
        "https://app.example.org/",
        "https://app.example.org:8443/cb?x=y",
        "https://xn--bcher-kva.example/cb",
        "https://[2001:db8::1]/cb",
        "https://localhost/cb",
        "http://localhost:10000",
        "http://127.0.0.1",
        "http://[::1]/cb",
        "com.example.app:/callback",
        "com.example.app://callback",
        "app.immich:///oauth-callback",
        "cursor://anysphere.cursor-deeplink/mcp/oauth",
        "vscode://vscode.github-authentication/did-authenticate",
        "myapp:/callback",
        "http://127.9.9.9:8080/cb",
    ],
)
def test_what_may_be_registered_is_allowed_exactly(uri):
    require_redirect_uri(uri)
    for kind in ClientKind:
        assert is_allowed(client(kind, registered=(uri,)), uri)
        assert not is_allowed(client(kind, registered=(uri,)), uri + "x")


def test_plain_http_may_be_registered_and_used_only_while_the_switch_says_so():
    uri = "http://grafana.lan:3000/login/generic_oauth"
    with pytest.raises(ClientRefused) as refusal:
        require_redirect_uri(uri)
    assert refusal.value.remedy == Remedy(Action.ALLOW_HTTP_REDIRECTS)
    require_redirect_uri(uri, plain_http=True)
    require_landing_url("http://grafana.lan:3000", plain_http=True)
    for kind in ClientKind:
        assert is_allowed(client(kind, http_redirects=True, registered=(uri,)), uri)
        assert not is_allowed(client(kind, http_redirects=True, registered=(uri,)), uri + "/")
        assert not is_allowed(client(kind, registered=(uri,)), uri), "the switch was turned off after the address was registered"
    with pytest.raises(ClientRefused):
        require_redirect_uri("http://user@grafana.lan/", plain_http=True)


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("http://app.example.org/cb", "plain http"),
        ("http://app.example.org/cb", "Use https://"),
        ("https://app.example.org/cb#part", "fragment"),
        ("https://app.example.org/#", "fragment"),
        ("https://*.example.org/cb", "wildcard"),
        ("https://app.example.org/*", "compared exactly"),
        ("https://user@app.example.org/cb", "user name or password"),
        ("https://user:pass@app.example.org/cb", "user name or password"),
        ("https://bücher.example/cb", "xn--"),
        ("https://app.example.org:99999/", "not valid"),
        ("https://app.example.org/a b", "not valid"),
        ("https:///cb", "not valid"),
        ("HTTPS://app.example.org/cb", "capital letters"),
        ("Http://localhost/cb", "capital letters"),
        ("https://[::1", "not a URL"),
        ("javascript:alert(1)", "scheme javascript:"),
        ("javascript://app.example.org/%0aalert(1)", "scheme javascript:"),
        ("vbscript:x", "scheme vbscript:"),
        ("blob:https://app.example.org/x", "scheme blob:"),
        ("view-source:https://app.example.org", "scheme view-source:"),
        ("ms-msdt:/id", "scheme ms-msdt:"),
        ("intent://scan/;scheme=x;end", "scheme intent:"),
        ("mailto:root@example.org", "scheme mailto:"),
        ("urn:ietf:wg:oauth:2.0:oob", "scheme urn:"),
        ("wss://app.example.org/", "scheme wss:"),
        ("app.example.org:8443/cb", "start with https://"),
        ("localhost:3000/cb", "start with https://"),
        ("myapp:/a b", "not valid"),
        ("MyApp:/callback", "capital letters"),
        ("data:text/html,x", "scheme data:"),
        ("file:///etc/passwd", "scheme file:"),
        ("ftp://app.example.org/", "scheme ftp:"),
        ("app.example.org/cb", "https://"),
        ("", "https://"),
        ("https://app.example.org/" + "a" * 2100, "characters long"),
        ("https://app.example.org/\n", "not"),
    ],
)
def test_what_may_not_be_registered_and_why(uri, why):
    with pytest.raises(ClientRefused) as refusal:
        require_redirect_uri(uri)
    failure = refusal.value
    assert why in " ".join((failure.detail, *failure.reasons, failure.hint))


def test_landing_page_is_a_page():
    require_landing_url("https://ca.example.org:9000")
    require_landing_url("http://localhost:8080/")
    for url in ("http://ca.example.org", "com.example.app:/x", "javascript:alert(1)", "ca.example.org", ""):
        with pytest.raises(ClientRefused):
            require_landing_url(url)


def test_answer_is_added_to_what_the_uri_has_already():
    answer = [("code", "a b"), ("state", None), ("iss", "https://x/y")]
    tail = "code=a+b&iss=https%3A%2F%2Fx%2Fy"
    assert with_parameters("http://127.0.0.1:1", answer) == f"http://127.0.0.1:1?{tail}"
    assert with_parameters("https://x/?a=b", answer) == f"https://x/?a=b&{tail}"
    assert with_parameters("https://x/?", answer) == f"https://x/?{tail}"
    assert with_parameters("https://x/?a=b&", answer) == f"https://x/?a=b&{tail}"
    assert with_parameters("https://x/?a=b?", answer) == f"https://x/?a=b?&{tail}"
    assert with_parameters("https://x/??", answer) == f"https://x/??&{tail}"
    assert with_parameters("https://x/?a=b", answer, fragment=True) == f"https://x/?a=b#{tail}"
