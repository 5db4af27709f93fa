import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.entropy import SeededEntropy
from sealwright.keys import (
    KEY_FILE,
    KeyFileRefused,
    SealBroken,
    Sealer,
    create_key_encryption_key,
    load_key_encryption_key,
    readers_of_key_file,
)

KEY = bytes(range(32))


def sealer(key=KEY, seed=1):
    return Sealer(key, SeededEntropy(seed))


@given(secret=st.binary(max_size=5_000), context=st.text(max_size=100))
def test_what_was_sealed_opens_with_the_same_key_and_context(secret, context):
    sealed = sealer().seal(secret, context)
    assert sealer(seed=2).open(sealed, context) == secret
    assert len(secret) < 8 or secret not in sealed


def test_another_key_or_context_does_not_open_it():
    sealed = sealer().seal(b"secret", "clients:a")
    for other, context in ((sealer(bytes(32)), "clients:a"), (sealer(), "clients:b")):
        with pytest.raises(SealBroken, match="key-encryption key does not open a secret in the database") as caught:
            other.open(sealed, context)
        assert "clients" not in caught.value.detail
        assert "secrets/key-encryption.key from your backup, or SEALWRIGHT_KEY" in caught.value.hint


@given(position=st.integers(min_value=0, max_value=1 + 12 + 6 + 16 - 1), bit=st.integers(min_value=0, max_value=7))
def test_any_flipped_bit_is_noticed(position, bit):
    sealed = bytearray(sealer().seal(b"secret", "c"))
    sealed[position] ^= 1 << bit
    with pytest.raises(SealBroken):
        sealer().open(bytes(sealed), "c")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + bytes(27), b"\x02" + bytes(40)])
def test_unknown_forms_are_named_as_such(sealed):
    with pytest.raises(SealBroken, match="has a form that this version does not know"):
        sealer().open(sealed, "c")


def test_sealing_twice_gives_different_bytes():
    one = sealer()
    assert one.seal(b"secret", "c") != one.seal(b"secret", "c")


def test_key_must_have_32_bytes():
    with pytest.raises(KeyFileRefused, match="has 32 bytes, not 16"):
        sealer(bytes(16))


def test_key_file_is_made_once_for_the_owner_only_and_read_back(tmp_path):
    key = create_key_encryption_key(tmp_path, SeededEntropy(7))
    file = tmp_path / KEY_FILE
    assert len(key) == 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert load_key_encryption_key(tmp_path, None) == key
    with pytest.raises(KeyFileRefused, match="is there already"):
        create_key_encryption_key(tmp_path, SeededEntropy(8))
    assert load_key_encryption_key(tmp_path, None) == key


def test_environment_comes_before_the_file(tmp_path):
    create_key_encryption_key(tmp_path, SeededEntropy(7))
    assert load_key_encryption_key(tmp_path, KEY) == KEY
    with pytest.raises(KeyFileRefused, match="SEALWRIGHT_KEY holds 5 bytes"):
        load_key_encryption_key(tmp_path, b"short")


def test_missing_key_file_is_named(tmp_path):
    with pytest.raises(KeyFileRefused, match=f"{tmp_path / KEY_FILE} is missing") as caught:
        load_key_encryption_key(tmp_path, None)
    assert "SEALWRIGHT_KEY" in caught.value.hint


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o660, 0o440])
def test_key_file_that_the_group_of_the_server_can_reach_is_accepted_and_told(tmp_path, mode):
    key = create_key_encryption_key(tmp_path, SeededEntropy(7))
    assert readers_of_key_file(tmp_path) == "its owner only"
    (tmp_path / KEY_FILE).chmod(mode)
    assert load_key_encryption_key(tmp_path, None) == key
    assert ("and the group " in readers_of_key_file(tmp_path)) is (mode != 0o600)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to a group that it is not in")
@pytest.mark.parametrize("mode", [0o640, 0o660, 0o610])
def test_key_file_that_another_group_can_reach_is_refused(tmp_path, mode):
    create_key_encryption_key(tmp_path, SeededEntropy(7))
    os.chown(tmp_path / KEY_FILE, -1, 54_321)
    (tmp_path / KEY_FILE).chmod(mode)
    with pytest.raises(KeyFileRefused, match=f"mode {mode:04o}"):
        load_key_encryption_key(tmp_path, None)


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o666, 0o777])
def test_key_file_that_others_can_reach_is_refused(tmp_path, mode):
    create_key_encryption_key(tmp_path, SeededEntropy(7))
    (tmp_path / KEY_FILE).chmod(mode)
    with pytest.raises(KeyFileRefused, match=f"mode {mode:04o}") as caught:
        load_key_encryption_key(tmp_path, None)
    assert caught.value.hint == f"Run: chmod 600 {tmp_path / KEY_FILE}"


@pytest.mark.parametrize("content", [b"", b"not base64", base64.b64encode(bytes(31)), base64.b64encode(bytes(33)), b"\xff" * 44])
def test_file_that_holds_no_key_is_refused_without_showing_it(tmp_path, content):
    (tmp_path / KEY_FILE).parent.mkdir()
    (tmp_path / KEY_FILE).write_bytes(content)
    (tmp_path / KEY_FILE).chmod(0o600)
    with pytest.raises(KeyFileRefused, match="does not hold a key") as caught:
        load_key_encryption_key(tmp_path, None)
    assert not content or content.decode("latin1") not in caught.value.detail


def test_directory_in_place_of_the_key_file_is_refused(tmp_path):
    (tmp_path / KEY_FILE).mkdir(parents=True)
    with pytest.raises(KeyFileRefused, match="cannot be read"):
        load_key_encryption_key(tmp_path, None)
