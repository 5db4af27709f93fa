import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa, x25519

from sealwright.jose import KeyRefused, algorithm_of, thumbprint
from sealwright.keys import from_pem, to_pkcs8_pem
from sealwright.keys.software import from_pkcs8_der, from_spki_der, generate, to_pkcs8_der, to_spki_der


def pem(key, password=None):
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


def test_generated_keys_are_of_the_kind_asked_for():
    assert algorithm_of(generate("ES256").public_key()) == "ES256"
    key = generate("RS256")
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 2048
    with pytest.raises(KeyRefused, match="'HS256' are not made here"):
        generate("HS256")


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ec.generate_private_key(ec.SECP384R1()), "ES384"),
        (ec.generate_private_key(ec.SECP521R1()), "ES512"),
        (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
    ],
)
def test_keys_survive_their_stored_forms(key, algorithm):
    again = from_pkcs8_der(to_pkcs8_der(key))
    assert to_pkcs8_der(again) == to_pkcs8_der(key)
    public_key = from_spki_der(to_spki_der(key.public_key()))
    assert public_key == key.public_key()
    assert thumbprint(public_key) == thumbprint(key.public_key())
    assert algorithm_of(public_key) == algorithm


def test_pem_is_read_in_its_usual_forms():
    key = ec.generate_private_key(ec.SECP256R1())
    sec1 = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    for text, password in [(pem(key), None), (sec1, None), (pem(key, b"pw"), b"pw"), (to_pkcs8_pem(key, b"pw"), b"pw")]:
        assert to_pkcs8_der(from_pem(text, password)) == to_pkcs8_der(key)


@pytest.mark.parametrize(
    ("text", "password", "reason"),
    [
        (b"", None, "no private key that can be read"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", None, "no private key that can be read"),
        (pem(ec.generate_private_key(ec.SECP256R1()), b"pw"), None, "is encrypted and no password was given"),
        (pem(ec.generate_private_key(ec.SECP256R1())), b"pw", "or the other way round"),
        (pem(ec.generate_private_key(ec.SECP256R1()), b"pw"), b"wrong", "no private key that can be read"),
        (pem(ec.generate_private_key(ec.SECP256K1())), None, "on the curve secp256k1 are not used"),
        (pem(rsa.generate_private_key(public_exponent=65_537, key_size=1024)), None, "has 1024 bits; 2048 to 8192 are accepted"),
        (pem(x25519.X25519PrivateKey.generate()), None, "are not used here"),
        (pem(dsa.generate_private_key(1024)), None, "are not used here"),
    ],
)
def test_keys_that_are_not_used_here_are_refused(text, password, reason):
    with pytest.raises(KeyRefused, match=reason):
        from_pem(text, password)
