"""Whatever arrives on the step wire or in a definition is answered in its own words, never with a mistake of ours."""

import base64
import json
from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sealwright.ca.models import Claims
from sealwright.ca.provisioners import DefinitionRefused, listed, parse_definition
from sealwright.ca.step_api.messages import serial_number, time_or_duration
from sealwright.clock import Instant
from sealwright.errors import InvalidInput
from tests.authorities import authority, csr
from tests.unit.ca.provisioners.test_definitions import KANIDM, jwk, oidc

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
SEGMENT = st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode())
CLAIMS = st.dictionaries(st.sampled_from(["iss", "aud", "sub", "azp", "exp", "kid", "sans", "cnf"]), JSON, max_size=8)
ENCODED = CLAIMS.map(lambda claims: base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode())
TOKEN = st.text(max_size=60) | st.tuples(SEGMENT | ENCODED, SEGMENT | ENCODED, SEGMENT).map(".".join)
MEMBERS = ["csr", "ott", "notBefore", "notAfter", "serial", "reasonCode", "reason", "passive", "templateData", "x"]
BODY = st.dictionaries(st.sampled_from(MEMBERS), JSON | TOKEN | st.just(csr()), max_size=8)


@settings(max_examples=150, deadline=None)
@given(document=st.sampled_from([oidc(), jwk(), json.loads(KANIDM)]), member=st.text(max_size=20), value=JSON, known=st.data())
def test_definition_is_read_or_refused(document, member, value, known):
    name = known.draw(st.sampled_from(sorted(document)) | st.just(member))
    with suppress(DefinitionRefused):
        provisioner = parse_definition({**document, name: value}, defaults=Claims())
        again = parse_definition(json.loads(json.dumps(listed(provisioner))), defaults=Claims())
        assert again == provisioner


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=70))
def test_time_and_serial_are_read_or_refused(text):
    for read in (lambda: time_or_duration(text, "notAfter"), lambda: Instant(len(serial_number(text)))):
        with suppress(InvalidInput):
            assert read() is not None or text == ""


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    calls=st.lists(
        st.tuples(
            st.sampled_from(["/sign", "/renew", "/rekey", "/revoke"]), BODY | JSON, TOKEN, st.none() | st.binary(max_size=80)
        ),
        min_size=8,
        max_size=8,
    )
)
async def test_no_body_token_or_certificate_makes_a_mistake(tmp_path, calls):
    async with authority(tmp_path / "none") as ca:
        ca.add_local_provider()
        await ca.add_oidc()
        await ca.add_jwk()
        for path, body, token, certificate in calls:
            status, answer = await ca.call("POST", path, body, bearer=token.strip() or "x", certificate=certificate)
            assert 400 <= status < 500, (path, body, token, answer)
            assert answer["message"]
