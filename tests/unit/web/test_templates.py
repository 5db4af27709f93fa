"""Every page with every kind of value: escaped, strict, labelled."""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
from jinja2 import StrictUndefined

from sealwright.web.pages import Pages, Site
from tests.unit.web.gallery import Gallery
from tests.unit.web.reading import Reading

TEMPLATES = sorted(Path(str(files("sealwright.web"))).joinpath("templates").iterdir())
FRAMES = {"base.html", "single.html", "console.html", "parts.html", "lists.html"}
PAGES = Gallery().all()
STABLE_IDS = {
    "sign-in": {"username", "password", "sign-in"},
    "sign-in-application": {"username", "password", "sign-in", "cancel"},
    "code": {"code", "sign-in", "start-over"},
    "consent": {"allow", "deny", "not-you", "claims"},
    "error": {"request-id"},
    "signed-out": {"sign-in"},
    "signed-out-frames": {"continue", "sign-in"},
    "logout": {"sign-out", "stay"},
    "form-post": {"continue"},
    "welcome": {"username", "display-name", "mail", "password", "password-again", "create"},
    "reset": {"password", "password-again", "set"},
    "account": {"sign-out", "change-password", "set-up", "end-others", "my-name", "my-mails", "my-groups"},
    "password": {"password", "new-password", "new-password-again", "change"},
    "authenticator": {"password", "label", "begin"},
    "authenticator-code": {"code", "key", "confirm"},
    "authenticator-removal": {"password", "remove"},
}


@cache
def hostile():
    """The same pages with values that attack them; made where they are looked at, because that takes a while."""
    return Gallery('"><script>alert(1)</script><b onmouseover=x>', "'& {{ 1234*1001 }}<!--").all()


def policy_of(name):
    return dict(PAGES[name].headers)["content-security-policy"]


def test_every_template_is_in_the_gallery():
    assert {path.name for path in TEMPLATES} - FRAMES == {f"{name}.html" for name in PAGES} & {path.name for path in TEMPLATES}


@pytest.mark.parametrize("name", PAGES)
def test_hostile_values_come_out_as_text(name):
    reading = Reading(hostile()[name].body.decode())
    [script] = reading.all("script")
    assert set(script.attributes) == {"defer", "src"}
    assert reading.all("b", "style", "object", "embed", "base", "template") == []
    frames = [frame.attributes["src"] for frame in reading.all("iframe")]
    assert frames == (["https://wiki.example.org/end?sid=x"] if name == "signed-out-frames" else [])
    for element in reading.elements:
        assert not [attribute for attribute in element.attributes if attribute.startswith("on") or attribute == "style"]
    assert b"1235234" not in hostile()[name].body


def test_hostile_values_are_really_on_the_pages():
    shown = [
        name for name in hostile() if "<script>alert(1)</script>" in Reading(hostile()[name].body.decode()).all("body")[0].text
    ]
    assert sorted(shown) == sorted(PAGES)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_template_holds_nothing_inline_and_lets_nothing_through_unescaped(path):
    source = path.read_text()
    assert not re.search(r"\son[a-z]+\s*=|\sstyle\s*=|<style|javascript:", source)
    assert not re.search(r"\|\s*safe|autoescape|Markup", source)
    assert re.findall(r"<script[^>]*>", source) == (
        ["""<script defer src="{{ assets.path("script.js") }}">"""] if path.name == "base.html" else []
    )


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_forms_are_made_by_the_macro_that_adds_the_csrf_token(path):
    assert path.name == "parts.html" or "<form" not in path.read_text()


@pytest.mark.parametrize("name", [name for name in PAGES if name != "form-post"])
def test_every_form_is_posted_with_its_csrf_token_to_a_place_of_ours(name):
    reading = Reading(PAGES[name].body.decode())
    tokens = [one for one in reading.all("input") if one.attributes.get("name") == "csrf_token"]
    searches = [form for form in reading.all("form") if form.attributes["method"] == "get"]
    assert len(tokens) + len(searches) == len(reading.all("form"))
    assert {form.attributes["role"] for form in searches} <= {"search"}
    for form in reading.all("form"):
        assert form in searches or form.attributes["method"] == "post"
        assert form.attributes["action"].startswith("/")


def test_form_that_goes_to_an_application_holds_no_csrf_token():
    reading = Reading(PAGES["form-post"].body.decode())
    assert [one.attributes["name"] for one in reading.all("input")] == ["code", "state"]


@pytest.mark.parametrize("name", PAGES)
def test_content_policy_is_strict(name):
    directives = dict(part.strip().partition(" ")[::2] for part in policy_of(name).split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["frame-ancestors"] == "'none'"
    assert directives["base-uri"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == directives["img-src"] == "'self'"
    assert "unsafe" not in policy_of(name)
    assert "data:" not in policy_of(name)
    headers = dict(PAGES[name].headers)
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_only_pages_that_lead_to_an_application_let_their_forms_leave():
    leaving = {name for name in PAGES if "form-action" not in policy_of(name)}
    expected = {"sign-in-application", "sign-in-other", "sign-in-refused", "code", "consent", "consent-web"}
    expected |= {"consent-details", "consent-device", "choose-account", "choose-account-local"}
    expected |= {"not-allowed", "not-allowed-by-anyone", "form-post", "logout"}
    assert leaving == expected
    assert all("form-action 'self'" in policy_of(name) for name in set(PAGES) - leaving)


@pytest.mark.parametrize("name", PAGES)
def test_page_has_language_title_one_heading_and_a_main_part(name):
    reading = Reading(PAGES[name].body.decode())
    [html], [title], [heading], [main] = (reading.all(tag) for tag in ("html", "title", "h1", "main"))
    assert html.attributes["lang"] == "en"
    assert title.text.endswith(" · Example")
    assert heading.text.strip()
    assert main.text.strip()


@pytest.mark.parametrize("name", PAGES)
def test_ids_are_unique_and_references_lead_somewhere(name):
    reading = Reading(PAGES[name].body.decode())
    ids = [element.attributes["id"] for element in reading.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    for element in reading.elements:
        for attribute in ("aria-describedby", "aria-labelledby", "for"):
            assert set(element.attributes.get(attribute, "").split()) <= set(ids)
        if element.attributes.get("href", "").startswith("#"):
            assert element.attributes["href"][1:] in ids


@pytest.mark.parametrize("name", PAGES)
def test_every_control_has_a_label_and_every_button_says_what_it_does(name):
    reading = Reading(PAGES[name].body.decode())
    labelled = {label.attributes["for"] for label in reading.all("label")}
    for control in reading.all("input"):
        if control.attributes["type"] != "hidden" and "hidden" not in control.attributes:
            assert control.attributes["id"] in labelled
            is_read_here = control.attributes["type"] == "file"  # a script reads it into another control, which is sent
            assert ("name" in control.attributes) is not is_read_here
            assert control.attributes["autocomplete"]
    for button in reading.all("button"):
        assert button.text.strip() not in {"", "OK", "Submit"}
    for row in ("table" in button.inside and button for button in reading.all("button")):
        assert not row or row.attributes["aria-label"]


@pytest.mark.parametrize("name", [name for name in PAGES if b"-problem" in PAGES[name].body])
def test_what_is_wrong_is_tied_to_its_field_summed_up_and_in_the_title(name):
    reading = Reading(PAGES[name].body.decode())
    invalid = [one for one in reading.all("input", "fieldset", "textarea", "select") if "aria-invalid" in one.attributes]
    assert invalid
    described = {
        control.attributes["id"]: reading.by_id(control.attributes["aria-describedby"].split()[0]) for control in invalid
    }
    summary = reading.by_id("problems")
    alert = summary or next(iter(described.values()))
    assert alert is not None
    assert alert.attributes["role"] == "alert"
    summed_up = alert.text.strip().splitlines()[0].removesuffix(".")
    assert reading.all("title")[0].text.startswith(f"{summed_up} · ")
    assert (summary is None) == (len(described) == 1 and name != "sign-in-refused")
    for control, problem in described.items():
        assert problem is not None
        if summary is not None:
            assert problem.text in summary.text
            assert f'href="#{control}"' in PAGES[name].body.decode()


@pytest.mark.parametrize("name", STABLE_IDS)
def test_ids_that_others_rely_on_stay(name):
    reading = Reading(PAGES[name].body.decode())
    assert {wanted for wanted in STABLE_IDS[name] if reading.by_id(wanted) is None} == set()


@pytest.mark.parametrize("name", [name for name in PAGES if b'type="password"' in PAGES[name].body])
def test_password_controls_are_for_password_managers_and_never_filled_in(name):
    for control in Reading(PAGES[name].body.decode()).all("input"):
        if control.attributes["type"] == "password":
            assert control.attributes["autocomplete"] in {"current-password", "new-password"}
            assert "value" not in control.attributes
            assert "maxlength" not in control.attributes


def test_templates_stop_at_a_value_that_is_missing():
    assert StrictUndefined is Gallery().pages._environment.undefined
    assert Gallery().pages._environment.autoescape is True


def test_page_names_its_own_host_and_the_one_that_asked():
    text = PAGES["sign-in-application"].body.decode()
    assert "to continue to <strong>Step-CA</strong> at ca.example.org" in text
    assert "You are at <strong>id.example.org</strong>" in text


def test_sign_in_page_names_the_contact_of_the_server():
    pages = Pages(Site("Example", "https://id.example.org", "help@example.org"))
    shown = pages.single(
        "sign-in.html",
        application=None,
        again=False,
        present=None,
        username="",
        csrf_token="x",
        action="/ui/sign-in",
        cancel="/ui/sign-in/cancel",
        proceed="/ui/oauth2/continue",
        confirming=None,
        passkey_options="",
        passkey_first=False,
        providers=(),
        passkey_action="/ui/sign-in/passkey",
    )
    assert b'Ask <a href="mailto:help@example.org" id="contact">help@example.org</a> to check your account' in shown.body
