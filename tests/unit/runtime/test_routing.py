import pytest

from sealwright.errors import InvalidInput, MethodNotAllowed, NotFound
from sealwright.http import Wire
from sealwright.runtime.routing import RouteTable
from tests.unit.runtime.routes import route


def found(table: RouteTable, path: str, method: str = "GET") -> tuple[str, dict[str, str]]:
    match = table.find(method, path)
    return match.route.path, dict(match.parameters)


TABLE = RouteTable(
    [
        route("GET", "/"),
        route("GET", "/roots"),
        route("GET", "/root/{sha}"),
        route("GET", "/root/newest"),
        route("POST", "/root/newest/again"),
        route("GET", "/oauth2/openid/{client}/public_key.jwk"),
        route("GET", "/static/{name:path}"),
        route("DELETE", "/api/{kind}/{id}"),
        route("GET", "/api/{noun}/{name}"),
        route("POST", "/api/people/{name}"),
    ]
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", ("/", {})),
        ("/roots", ("/roots", {})),
        ("/r%6fots", ("/roots", {})),
        ("/root/4f1e", ("/root/{sha}", {"sha": "4f1e"})),
        ("/root/newest", ("/root/newest", {})),
        ("/root/a%2Fb%20c%C3%A9", ("/root/{sha}", {"sha": "a/b cé"})),
        ("/oauth2/openid/step/public_key.jwk", ("/oauth2/openid/{client}/public_key.jwk", {"client": "step"})),
        ("/static/a/b.css", ("/static/{name:path}", {"name": "a/b.css"})),
        ("/api/people/alice", ("/api/{noun}/{name}", {"noun": "people", "name": "alice"})),
    ],
)
def test_path_leads_to_its_route(path, expected):
    assert found(TABLE, path) == expected


def test_decoded_path_is_told():
    assert TABLE.find("GET", "/root/a%20b").path == "/root/a b"


@pytest.mark.parametrize(
    "path", ["/root", "/root/", "/root/a/b", "/roots/", "//roots", "/static/", "/nothing", "*", "", "roots", "/ROOTS"]
)
def test_other_paths_lead_nowhere(path):
    with pytest.raises(NotFound):
        TABLE.find("GET", path)


def test_parameter_names_are_those_of_the_route_that_answers():
    assert found(TABLE, "/api/people/alice", "DELETE") == ("/api/{kind}/{id}", {"kind": "people", "id": "alice"})
    assert found(TABLE, "/api/people/alice", "POST") == ("/api/people/{name}", {"name": "alice"})


def test_get_routes_answer_head():
    assert found(TABLE, "/roots", "HEAD") == ("/roots", {})
    assert TABLE.find("HEAD", "/roots").route.method == "GET"


def test_route_for_head_comes_before_get():
    table = RouteTable([route("GET", "/nonce"), route("HEAD", "/nonce")])
    assert table.find("HEAD", "/nonce").route.method == "HEAD"


def test_wrong_method_names_those_of_every_route_that_fits():
    with pytest.raises(MethodNotAllowed) as refusal:
        TABLE.find("PUT", "/api/people/alice")
    assert refusal.value.allowed == ("DELETE", "GET", "HEAD", "POST")
    assert refusal.value.detail == "/api/people/alice does not answer PUT."


@pytest.mark.parametrize("path", ["/root/%ff", "/root/a%00b", "/%c3"])
def test_path_that_is_no_text_is_refused(path):
    with pytest.raises(InvalidInput):
        TABLE.find("GET", path)


def test_hostile_paths_cost_little():
    with pytest.raises(NotFound):
        TABLE.find("GET", "/api" * 4000)
    with pytest.raises(NotFound):
        TABLE.find("GET", "/" * 16_000)


@pytest.mark.parametrize(
    "paths",
    [
        ["/a", "/a"],
        ["/a/{x}", "/a/{y}"],
        ["/{rest:path}", "/{other:path}"],
        ["/a{x}"],
        ["/{x}.crl"],
        ["/{x:path}/more"],
        ["a"],
        ["/{X}"],
    ],
)
def test_routes_that_cannot_be_told_apart_or_read_are_refused(paths):
    with pytest.raises(ValueError, match=r"twice|whole segment|can follow|begin with"):
        RouteTable([route("GET", path) for path in paths])


def test_nearest_wire_is_that_of_the_neighbours():
    table = RouteTable(
        [
            route("GET", "/api/v1/people", wire=Wire.API),
            route("GET", "/api/v1/groups", wire=Wire.API),
            route("POST", "/oauth2/token", wire=Wire.OAUTH),
            route("GET", "/oauth2/authorise", wire=Wire.PAGE),
            route("POST", "/oauth2/token/introspect", wire=Wire.OAUTH),
            route("GET", "/{page}/about", wire=Wire.PAGE),
        ]
    )
    assert table.nearest_wire("/api/v1/peoples") == Wire.API
    assert table.nearest_wire("/oauth2/tokens") == Wire.OAUTH
    assert table.nearest_wire("/other/thing") == Wire.PAGE
    assert table.nearest_wire("/%ff") is None
    assert RouteTable([route("GET", "/a")]).nearest_wire("/b") is None
