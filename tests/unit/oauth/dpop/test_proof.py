"""What a DPoP proof has to say to be taken for a request."""

import base64
import hashlib
from datetime import timedelta

import msgspec
import pytest

from sealwright.clock import FixedClock, Instant, to_seconds
from sealwright.entropy import SystemEntropy
from sealwright.jose import base64url, sign, thumbprint
from sealwright.jose.key_types import public_members
from sealwright.keys import Sealer
from sealwright.oauth.dpop.nonces import CHANGES, Nonces
from sealwright.oauth.dpop.proof import LONGEST_PROOF, ProofRefused, read_proof
from tests.oauth_world import START
from tests.signing import signing_key

URL = "https://id.example.org/oauth2/token"
NOW = START
KEYS = {algorithm: signing_key(algorithm) for algorithm in ("ES256", "ES384", "PS256", "EdDSA", "RS256")}


def made(algorithm="ES256", *, header=None, typ="dpop+jwt", key=None, **changes):
    key = key or KEYS[algorithm]
    claims = {"jti": "j-1", "htm": "POST", "htu": URL, "iat": to_seconds(NOW)} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return sign(key, claims, type=typ, header={"jwk": public_members(key.public_key)} if header is None else header)


def read(text, *, access_token=None, method="POST", urls=(URL,)):
    return read_proof(text, method=method, urls=urls, access_token=access_token, now=NOW)


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "PS256", "EdDSA"])
def test_sound_proof_tells_the_thumbprint_of_its_key(algorithm):
    proof = read(made(algorithm))
    assert proof.thumbprint == thumbprint(KEYS[algorithm].public_key)
    assert (proof.id, proof.nonce) == ("j-1", None)


@pytest.mark.parametrize(
    "url",
    [URL, f"{URL}?a=b", f"{URL}#x", "HTTPS://ID.example.org/oauth2/token", "https://id.example.org:443/oauth2/token"],
)
def test_query_fragment_and_spelling_of_the_address_count_for_nothing(url):
    assert read(made(htu=url))


@pytest.mark.parametrize("seconds", [-60, -10, 0, 10, 30])
def test_proof_that_was_made_just_now_is_taken(seconds):
    assert read(made(iat=to_seconds(NOW) + seconds))


def test_other_claims_are_tolerated():
    assert read(made(nbf=to_seconds(NOW) - 600, exp=to_seconds(NOW) + 600, extra=["x"]))


def test_access_token_is_bound_by_its_digest():
    digest = base64url(hashlib.sha256(b"token").digest())
    assert read(made(ath=digest), access_token="token")
    with pytest.raises(ProofRefused, match="ath is not the digest"):
        read(made(ath=digest), access_token="another")
    with pytest.raises(ProofRefused, match="ath is not the digest"):
        read(made(), access_token="token")


def unsigned():
    header = {"alg": "none", "typ": "dpop+jwt", "jwk": public_members(KEYS["ES256"].public_key)}
    claims = {"jti": "j", "htm": "POST", "htu": URL, "iat": to_seconds(NOW)}
    return ".".join(base64.urlsafe_b64encode(msgspec.json.encode(part)).rstrip(b"=").decode() for part in (header, claims)) + "."


WITH_PRIVATE_KEY = {"jwk": public_members(KEYS["ES256"].public_key) | {"d": "AA"}}
REFUSED = {
    "another typ": made(typ="JWT"),
    "RS256": made("RS256"),
    "none": unsigned(),
    "no key": made(header={}),
    "key is a text": made(header={"jwk": "x"}),
    "key is private": made(header=WITH_PRIVATE_KEY),
    "another key": made(header={"jwk": public_members(signing_key("ES256").public_key)}),
    "another kind of key": made(header={"jwk": public_members(KEYS["EdDSA"].public_key)}),
    "symmetric key": made(header={"jwk": {"kty": "oct", "x": "AA"}}),
    "no method": made(htm=None),
    "another method": made(htm="GET"),
    "method in small letters": made(htm="post"),
    "no address": made(htu=None),
    "another address": made(htu="https://id.example.org/oauth2/par"),
    "another host": made(htu="https://evil.example/oauth2/token"),
    "another scheme": made(htu="http://id.example.org/oauth2/token"),
    "address with a broken port": made(htu="https://id.example.org:x/oauth2/token"),
    "no time": made(iat=None),
    "time is a text": made(iat="now"),
    "time is true": made(iat=True),
    "too old": made(iat=to_seconds(NOW) - 61),
    "ahead": made(iat=to_seconds(NOW) + 31),
    "no jti": made(jti=None),
    "empty jti": made(jti=""),
    "long jti": made(jti="x" * 257),
    "nonce is a number": made(nonce=1),
    "two proofs": f"{made()}, {made()}",
    "no JWT": "x",
    "too long": "x" * (LONGEST_PROOF + 1),
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_proof_that_does_not_fit_is_refused(text):
    with pytest.raises(ProofRefused):
        read(text)


def test_nonces_are_the_same_on_every_node_and_change():
    clock = FixedClock(Instant(START))
    one, other = (Nonces(Sealer(bytes(32), SystemEntropy()), clock) for _ in range(2))
    first = one.current()
    assert other.is_good(first)
    assert Nonces(Sealer(bytes([1]) * 32, SystemEntropy()), clock).current() != first
    clock.advance(CHANGES)
    assert one.current() != first
    assert one.is_good(first)
    clock.advance(CHANGES)
    assert not one.is_good(first)
    assert not one.is_good("")
    assert not one.is_good("é\udcff")
    clock.advance(timedelta(days=1))
    assert one.is_good(one.current())
