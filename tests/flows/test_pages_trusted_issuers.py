"""An administrator keeps trusted issuers and their rules on pages, in a browser without JavaScript."""

import json
from collections.abc import Iterator

import pytest

from sealwright.access import SYSTEM
from sealwright.clock import to_seconds
from sealwright.jose import jwk_of, sign
from tests.pages_place import ORIGIN, InProcessBrowser, Place, pages_place
from tests.signing import signing_key
from tests.unit.web.reading import Reading

ISSUERS, NEW, EXPLAIN = f"{ORIGIN}/ui/trusted-issuers", f"{ORIGIN}/ui/new/trusted-issuer", f"{ORIGIN}/ui/explain/assertion"
KEY = signing_key("ES256")
KEYS = json.dumps({"keys": [jwk_of(KEY.public_key, KEY.id, "ES256")]})
FIELDS = {"name": "ci", "issuer-url": "https://ci.example.org", "jwks": KEYS}


@pytest.fixture
def place() -> Iterator[Place]:
    with pages_place() as made:
        yield made


def chief(place: Place) -> InProcessBrowser:
    place.person("chief", "system_admins")
    place.application()
    return place.signed_in("chief")


def reader(place: Place) -> InProcessBrowser:
    async def grant() -> None:
        await place.identity.roles.grant("r-viewer", person="vera", actor=SYSTEM)

    place.person("vera")
    place.run(grant())
    return place.signed_in("vera")


def trusted(place: Place, **fields: str) -> InProcessBrowser:
    browser = chief(place)
    page = browser.submit(browser.open(NEW), "save", **{**FIELDS, **fields})
    assert page.url == f"{ISSUERS}/ci", page.text
    return browser


def add_rule(browser: InProcessBrowser, conditions: str, **fields: str) -> str:
    page = browser.open(f"{ISSUERS}/ci/rules")
    return browser.submit(page, "save", **{"client": "step-ca", "conditions": conditions, **fields}).text


def test_issuer_is_trusted_and_its_rules_are_added_and_deleted_on_pages(place: Place) -> None:
    browser = chief(place)
    assert "No token of another issuer is taken here" in browser.open(ISSUERS).text
    page = browser.submit(browser.open(NEW), "save", **FIELDS)
    assert "The issuer is trusted" in page.text
    assert "one listed here" in page.text
    assert "so each of them is refused" in page.text
    assert "https://ci.example.org" in browser.open(ISSUERS).text
    text = add_rule(browser, "repository=example/shop\nref=refs/heads/*", lifetime="5m", scopes="email")
    assert "The rule was added" in text
    assert text.index("<code>repository=example/shop</code>") < text.index("<code>ref=refs/heads/*</code>")
    text = add_rule(browser, "repository=example/*")
    assert text.index("repository=example/shop") < text.index("repository=example/*")
    first = text.partition("/ui/trusted-issuers/ci/rules/")[2].partition("/edit")[0]
    page = browser.open(f"{ISSUERS}/ci/rules/{first}/delete")
    assert "ref=refs/heads/*: step-ca as step-ca, email" in page.text
    page = browser.submit(page, "confirm")
    assert "The rule was deleted" in page.text
    assert "example/shop" not in page.text
    page = browser.open(f"{ISSUERS}/ci/rules/{first}/delete")
    assert page.status == 404


def test_issuer_and_its_rules_are_changed_in_their_places_on_pages(place: Place) -> None:
    browser = trusted(place)
    add_rule(browser, "repository=example/shop", lifetime="5m")
    page = browser.open(f"{ISSUERS}/ci")
    assert 'href="/ui/trusted-issuers/ci/edit"' in page.text
    rule = page.text.partition("/ui/trusted-issuers/ci/rules/")[2].partition("/edit")[0]
    page = browser.open(f"{ISSUERS}/ci/edit")
    assert KEY.id in page.text
    page = browser.submit(page, "save", audience="https://other.example.org", jwks="", reusable="yes")
    assert "was changed" in page.text
    for words in ("https://other.example.org", "found by discovery", "is taken until it ends"):
        assert words in page.text
    overtaken = browser.open(f"{ISSUERS}/ci/rules/{rule}/edit")
    assert "repository=example/shop" in overtaken.text
    assert 'value="5m"' in overtaken.text
    page = browser.submit(overtaken, "save", conditions="repository=example/*", scopes="email", lifetime="1h")
    assert "The rule was changed in its place" in page.text
    assert "<code>repository=example/*</code>" in page.text
    assert "1 hour" in page.text
    page = browser.submit(overtaken, "save", conditions="repository=evil/*")
    assert page.status == 409
    assert "Someone changed this meanwhile" in page.text
    assert "evil" not in browser.open(f"{ISSUERS}/ci").text


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"jwks": "{"}, "jwks", "is not JSON"),
        ({"jwks": '{"keys": []}'}, "jwks", "jwks has no list &#34;keys&#34;"),
        ({"jwks": "", "jwks-uri": "keys"}, "jwks-uri", "jwks_uri is &#39;keys&#39;, which is not a URL"),
        ({"jwks-uri": "https://ci.example.org/keys"}, "jwks-uri", "Both jwks_uri and jwks"),
    ],
)
def test_what_is_wrong_with_a_change_of_an_issuer_is_said_at_its_field_and_nothing_is_saved(
    place: Place, fields: dict[str, str], field: str, words: str
) -> None:
    browser = trusted(place)
    page = browser.submit(browser.open(f"{ISSUERS}/ci/edit"), "save", **fields)
    assert page.status == 422
    assert words in page.text.partition(f'id="{field}-problem"')[2].partition("</p>")[0]
    assert "one listed here" in browser.open(f"{ISSUERS}/ci").text


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"conditions": ""}, "conditions", "Give a condition"),
        ({"conditions": "sub=**"}, "conditions", "fit everyone"),
        ({"lifetime": "2h"}, "lifetime", "cannot last"),
    ],
)
def test_what_is_wrong_with_a_change_of_a_rule_is_said_at_its_field_and_nothing_is_saved(
    place: Place, fields: dict[str, str], field: str, words: str
) -> None:
    browser = trusted(place)
    add_rule(browser, "repository=example/shop")
    rule = browser.open(f"{ISSUERS}/ci").text.partition("/ui/trusted-issuers/ci/rules/")[2].partition("/edit")[0]
    page = browser.submit(browser.open(f"{ISSUERS}/ci/rules/{rule}/edit"), "save", **fields)
    assert page.status == 422
    assert words in page.text.partition(f'id="{field}-problem"')[2].partition("</p>")[0]
    assert "repository=example/shop" in browser.open(f"{ISSUERS}/ci").text


def test_deletion_of_an_issuer_shows_the_rules_that_go_with_it_first(place: Place) -> None:
    browser = trusted(place)
    add_rule(browser, "repository=example/shop")
    page = browser.open(f"{ISSUERS}/ci/delete")
    assert "Trust ci no more?" in page.text
    assert "repository=example/shop: step-ca as step-ca" in page.text
    assert 'href="/ui/clients/step-ca"' in page.text
    page = browser.submit(page, "confirm")
    assert page.url == ISSUERS
    assert "trusted no more" in page.text
    assert browser.open(f"{ISSUERS}/ci").status == 404


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"name": "Not A Name"}, "name", "cannot be the name"),
        ({"name": ""}, "name", "Give the issuer a name"),
        ({"issuer-url": "ci"}, "issuer-url", "is not a URL"),
        ({"issuer-url": f"{ORIGIN}/x"}, "issuer-url", "is an issuer of this server"),
        ({"jwks": "{"}, "jwks", "is not JSON"),
        ({"jwks": "[]"}, "jwks", "is not a JSON object"),
        ({"jwks": '{"keys": []}'}, "jwks", "jwks has no list &#34;keys&#34;"),
        ({"jwks": "", "jwks-uri": "keys"}, "jwks-uri", "jwks_uri is &#39;keys&#39;, which is not a URL"),
        ({"jwks-uri": "https://ci.example.org/keys"}, "jwks-uri", "Both jwks_uri and jwks"),
    ],
)
def test_what_is_wrong_with_an_issuer_is_said_at_its_field_and_nothing_is_saved(
    place: Place, fields: dict[str, str], field: str, words: str
) -> None:
    browser = chief(place)
    page = browser.submit(browser.open(NEW), "save", **{**FIELDS, **fields})
    assert page.status == 422
    assert words in page.text.partition(f'id="{field}-problem"')[2].partition("</p>")[0]
    assert "No token of another issuer" in browser.open(ISSUERS).text


def test_issuer_that_is_there_already_is_not_listed_again(place: Place) -> None:
    browser = trusted(place)
    page = browser.submit(browser.open(NEW), "save", **{**FIELDS, "name": "again"})
    assert page.status == 409
    assert "with the URL https://ci.example.org" in Reading(page.text).by_id("issuer-url-problem").text


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"conditions": "repository"}, "conditions", "is not a condition"),
        ({"conditions": ""}, "conditions", "Give a condition"),
        ({"conditions": "sub=**"}, "conditions", "fit everyone"),
        ({"conditions": "ref=a\nref=b"}, "conditions", "has two conditions"),
        ({"client": "nobody"}, "client", "nobody"),
        ({"service-account": "nobody"}, "service-account", "no service account"),
        ({"lifetime": "soon"}, "lifetime", "is not a duration. Write one of 1m to 1h"),
        ({"lifetime": "2h"}, "lifetime", "cannot last"),
        ({"scopes": "de\\ploy"}, "scopes", "scope"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said_at_its_field_and_no_rule_is_added(
    place: Place, fields: dict[str, str], field: str, words: str
) -> None:
    browser = trusted(place)
    page = browser.open(f"{ISSUERS}/ci/rules")
    page = browser.submit(page, "save", **{"client": "step-ca", "conditions": "sub=robot", **fields})
    assert page.status == 422
    assert words in page.text.partition(f'id="{field}-problem"')[2].partition("</p>")[0]
    assert 'value="' in page.text
    assert "so each of them is refused" in browser.open(f"{ISSUERS}/ci").text


def test_reader_of_clients_sees_issuers_and_which_permission_a_change_needs(place: Place) -> None:
    add_rule(trusted(place), "repository=example/shop")
    browser = reader(place)
    page = browser.open(f"{ISSUERS}/ci")
    assert page.status == 200
    assert "repository=example/shop" in page.text
    assert page.text.count("needs <code>client:write</code>") == 3
    assert "/delete" not in page.text
    assert "/edit" not in page.text
    for path in (NEW, f"{ISSUERS}/ci/edit", f"{ISSUERS}/ci/rules", f"{ISSUERS}/ci/delete"):
        refused = browser.open(path)
        assert refused.status == 403
        assert "client:write" in refused.text
    place.person("nobody")
    assert place.signed_in("nobody").open(ISSUERS).status == 403


def test_rule_that_speaks_of_a_service_account_is_refused_with_the_permission_that_it_needs(place: Place) -> None:
    trusted(place)

    async def prepare() -> None:
        await place.identity.directory.create_service_account("robot", "Robot", managed_by=None, actor=SYSTEM)

    place.run(prepare())
    place.person("carol", "idm_oauth2_admins")
    browser = place.signed_in("carol")
    page = browser.open(f"{ISSUERS}/ci/rules")
    assert "needs <code>person:write</code>" in page.text
    typed = {"client": "step-ca", "conditions": "repository=example/shop", "service-account": "robot"}
    page = browser.submit(page, "save", **typed)
    assert page.status == 403
    assert "person:write" in page.text
    assert "repository=example/shop" in page.text
    assert "so each of them is refused" in browser.open(f"{ISSUERS}/ci").text


def token(place: Place, **changes: str) -> str:
    now = to_seconds(place.clock.now())
    said = {"iss": "https://ci.example.org", "sub": "job-7", "aud": ORIGIN, "exp": now + 300, "repository": "example/shop"}
    return sign(KEY, said | changes)


def test_token_that_is_pasted_in_is_explained_and_not_shown_again(place: Place) -> None:
    browser = trusted(place)
    add_rule(browser, "repository=other/*")
    assert 'href="/ui/explain/assertion"' in browser.open(ISSUERS).text
    page = browser.open(EXPLAIN)
    refused = browser.submit(page, "explain", assertion=token(place))
    assert "The check that failed is <code>rule</code>" in refused.text
    assert "repository is example/shop, not <code>other/*</code>" in refused.text
    add_rule(browser, "repository=example/*")
    pasted = token(place)
    taken = browser.submit(page, "explain", assertion=pasted)
    assert "would be taken" in taken.text
    assert "<code>job-7</code>" in taken.text
    for part in pasted.split("."):
        assert part not in taken.text
        assert part not in refused.text
    other = browser.submit(page, "explain", assertion=token(place, aud="https://other.example.org"))
    assert "The check that failed is <code>audience</code>" in other.text
    assert browser.submit(page, "explain", assertion="").status == 422
    assert browser.submit(page, "explain", assertion="x" * 20_000).status == 413


def test_token_is_explained_to_who_may_read_clients_and_to_no_one_else(place: Place) -> None:
    add_rule(trusted(place), "repository=example/*")
    browser = reader(place)
    page = browser.submit(browser.open(EXPLAIN), "explain", assertion=token(place))
    assert "would be taken" in page.text
    place.person("nobody")
    refused = place.signed_in("nobody").open(EXPLAIN)
    assert refused.status == 403
    assert "client:read" in refused.text
