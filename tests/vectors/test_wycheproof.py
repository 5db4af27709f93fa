"""Signatures made to deceive libraries, by Project Wycheproof; one test a group of vectors."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_der_public_key
from joserfc.jwk import ECKey, OKPKey

from tests.vectors.judges import joserfc_holds, joserfc_holds_raw, ours_holds, ours_holds_raw, read

TOKENS = read("wycheproof/json_web_signature")
KEY_SETS = read("wycheproof/json_web_key")
CURVES = [("ES256", ECKey, "wycheproof/ecdsa_secp256r1_sha256_p1363"), ("EdDSA", OKPKey, "wycheproof/ed25519")]


def named(groups):
    return [pytest.param(group, id=f"{number}-{group['comment']}") for number, group in enumerate(groups)]


MISLABELLED = {(346, "Figure20"), (347, "Figure27"), (350, "Figure20"), (351, "Figure27")}
"""Keys of RFC 7520 whose `alg` Wycheproof wrote: PS256 beside a token with PS384, and ES521, which there is not."""


def wrong(group, holds):
    """The vectors that `holds` judges otherwise than Wycheproof, without those that Wycheproof judges wrongly."""
    judged_otherwise = {
        (test["tcId"], test["comment"])
        for test in group["tests"]
        if holds(test["jws"], group["keys"]) is not (test["result"] == "valid")
    }
    return judged_otherwise - MISLABELLED


@pytest.mark.parametrize("group", named(TOKENS))
def test_our_code_judges_tokens_as_wycheproof_does(group):
    assert wrong(group, ours_holds) == set()


@pytest.mark.parametrize("group", named(TOKENS))
def test_joserfc_judges_tokens_as_wycheproof_does(group):
    assert wrong(group, joserfc_holds) == set()


@pytest.mark.parametrize("group", named(KEY_SETS))
def test_our_code_judges_key_sets_as_wycheproof_does(group):
    assert wrong(group, ours_holds) == set()


@pytest.mark.parametrize("group", named(KEY_SETS))
def test_joserfc_judges_key_sets_as_wycheproof_does_but_takes_weak_keys(group):
    taken = {"jws_rsa_roca_key": {(7, "rejectsKeyWithRocaVulnerability")}, "keysize_too_small": {(8, "rejects1024bitRsaKey")}}
    assert wrong(group, joserfc_holds) == taken.get(group["comment"], set())


@pytest.mark.parametrize(("algorithm", "kind", "name"), CURVES)
def test_both_judge_signatures_on_curves_as_wycheproof_does(algorithm, kind, name):
    for group in read(name):
        der = bytes.fromhex(group["der"])
        ours, theirs = load_der_public_key(der), kind.import_key(der)
        assert isinstance(ours, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey)
        for test in group["tests"]:
            signature, signed, valid = bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"]), test["result"] == "valid"
            assert ours_holds_raw(algorithm, ours, signature, signed) is valid, test
            assert joserfc_holds_raw(algorithm, theirs, signature, signed) is valid, test
