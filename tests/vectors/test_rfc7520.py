"""The cookbook of JOSE, RFC 7520: its keys, its signatures and its encryption with a password."""

import json

import pytest
from joserfc import jws
from joserfc.jwe import decrypt_compact
from joserfc.jwk import OctKey, import_key

from sealwright.jose import JwkRefused, decrypt_private_jwk, public_key_from_jwk, public_members, thumbprint
from sealwright.jose.encoding import base64url, decode_base64url, split
from sealwright.jose.jwk import private_key_from_jwk
from sealwright.jose.signatures import make_signature, verify_signature
from tests.vectors.judges import joserfc_holds, ours_holds, read

SIGNATURES = {"RS256": "4_1", "PS384": "4_2", "ES512": "4_3"}


def public(jwk):
    return {name: value for name, value in jwk.items() if name not in {"d", "p", "q", "dp", "dq", "qi"}}


@pytest.mark.parametrize(("figure", "private"), [("3_1", "3_2"), ("3_3", "3_4")])
def test_keys_are_read_alike_by_both(figure, private):
    jwk = read(f"rfc7520/{figure}")
    key = public_key_from_jwk(jwk)
    assert key == import_key(jwk).public_key == private_key_from_jwk(read(f"rfc7520/{private}")).public_key()
    assert public_members(key).items() <= jwk.items()
    assert thumbprint(key) == import_key(jwk).thumbprint()


@pytest.mark.parametrize(("algorithm", "figure"), SIGNATURES.items())
def test_signatures_hold_by_both(algorithm, figure):
    vector = read(f"rfc7520/{figure}")
    token, jwk = vector["output"]["compact"], public(vector["input"]["key"])
    assert vector["input"]["alg"] == algorithm
    assert ours_holds(token, [jwk])
    assert joserfc_holds(token, [jwk])
    broken = token[:-9] + ("A" if token[-9] != "A" else "B") + token[-8:]
    assert not ours_holds(broken, [jwk])
    assert not joserfc_holds(broken, [jwk])


def test_signature_with_rsa_is_made_byte_for_byte():
    vector = read("rfc7520/4_1")
    header, payload, signature = split(vector["output"]["compact"])
    made = make_signature("RS256", private_key_from_jwk(vector["input"]["key"]), header + b"." + payload)
    assert base64url(made).encode() == signature


@pytest.mark.parametrize(("algorithm", "figure"), SIGNATURES.items())
def test_each_library_verifies_what_the_other_signed(algorithm, figure):
    jwk = read(f"rfc7520/{figure}")["input"]["key"]
    key = import_key(jwk)
    token = jws.serialize_compact({"alg": algorithm}, b"{}", key, [algorithm])
    assert ours_holds(token, [public(jwk)])
    header, payload, _ = token.split(".")
    made = make_signature(algorithm, private_key_from_jwk(jwk), f"{header}.{payload}".encode())
    assert joserfc_holds(f"{header}.{payload}.{base64url(made)}", [public(jwk)])
    verify_signature(algorithm, public_key_from_jwk(jwk), made, f"{header}.{payload}".encode())


def test_keys_encrypted_in_another_form_than_step_writes_are_refused_although_joserfc_opens_them():
    vector = read("rfc7520/5_3")
    password, sealed = vector["input"]["pwd"].encode(), vector["output"]["compact"]
    header = json.loads(decode_base64url(sealed.partition(".")[0].encode(), "header"))
    names = [header["alg"], header["enc"]]
    opened = decrypt_compact(sealed, OctKey(password, password), algorithms=names).plaintext
    assert json.loads(opened or b"")["keys"]
    assert names == ["PBES2-HS512+A256KW", "A128CBC-HS256"]
    with pytest.raises(JwkRefused, match="must use PBES2-HS256"):
        decrypt_private_jwk(sealed, password)
