"""The key that hides people, and the HMAC made with it."""

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi import pseudonyms
from kpi.errors import CallError
from kpi.pseudonyms import KEY_VARIABLE, LENGTH, key_id, pads, pseudonym, read_key

# RFC 4231: key, data, HMAC-SHA-256 (cases 1, 2, 3, 6, 7; case 5 is truncated in the RFC itself)
VECTORS = [
    (
        b"\x0b" * 20,
        "Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ),
    (
        b"Jefe",
        "what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        b"\xaa" * 131,
        "Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        b"\xaa" * 131,
        "This is a test using a larger than block-size key and a larger than block-size data. "
        "The key needs to be hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
]


@pytest.fixture(autouse=True)
def no_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)


@pytest.mark.parametrize(("key", "text", "digest"), VECTORS)
def test_a_pseudonym_is_the_hmac_of_rfc_4231(key: bytes, text: str, digest: str) -> None:
    assert pseudonym(key, text) == digest[:LENGTH]


@pytest.mark.parametrize(("key", "text", "digest"), VECTORS)
def test_the_pads_give_the_same_hmac_with_nothing_but_sha256(
    key: bytes, text: str, digest: str
) -> None:
    assert by_pads(key, text) == digest


def by_pads(key: bytes, text: str) -> str:
    inner, outer = pads(key)
    assert len(inner) == len(outer) == 64
    return hashlib.sha256(outer + hashlib.sha256(inner + text.encode()).digest()).hexdigest()


@given(st.binary(min_size=1, max_size=200), st.text(st.characters(exclude_categories=["Cs"])))
def test_pads_and_hmac_agree_for_any_key_and_identifier(key: bytes, text: str) -> None:
    assert by_pads(key, text)[:LENGTH] == pseudonym(key, text)
    assert pseudonym(key, text) == hmac.new(key, text.encode(), "sha256").hexdigest()[:LENGTH]


def test_a_pseudonym_is_128_bits_in_hex() -> None:
    assert LENGTH == 32
    assert int(pseudonym(b"k" * 32, "900101400001"), 16) < 1 << 128


def test_the_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "pseudonym.key"
    old = os.umask(0)
    try:
        key = read_key(path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(bytes.fromhex(key.decode())) == 32
    assert read_key(path) == key
    assert read_key(tmp_path / "another.key") != key


def test_the_default_place_is_the_users_configuration_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    key = read_key()
    path = pseudonyms.default_key_file()
    assert tmp_path in path.parents
    assert path.read_text(encoding="ascii").encode() == key


def test_the_environment_wins_over_the_file_and_makes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pseudonym.key"
    monkeypatch.setenv(KEY_VARIABLE, "a key of the environment\n")
    assert read_key(path) == b"a key of the environment"
    assert not path.exists()


@pytest.mark.parametrize("text", ["", "seven77", "x" * 15, " " * 40, "\n"])
def test_a_short_key_is_refused_wherever_it_comes_from(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pseudonym.key"
    path.write_text(text)
    with pytest.raises(CallError) as of_file:
        read_key(path)
    assert of_file.value.parts["where"] == str(path)
    monkeypatch.setenv(KEY_VARIABLE, text)
    with pytest.raises(CallError) as of_environment:
        read_key(tmp_path / "none.key")
    assert KEY_VARIABLE in of_environment.value.parts["where"]
    for error in (of_file.value, of_environment.value):
        assert error.exit_code == 2
        assert error.parts["found"] == f"{len(text.strip())} characters"
        assert "16" in error.parts["expected"]
        assert not text.strip() or text.strip() not in str(error), "a key is never shown"


def test_space_around_a_key_is_no_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "pseudonym.key"
    path.write_text("  sixteen letters!\r\n")
    assert read_key(path) == b"sixteen letters!"


def test_a_place_where_no_key_file_can_be_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    path = tmp_path / "pseudonym.key"
    with pytest.raises(CallError) as caught:
        read_key(path)
    assert caught.value.parts["where"] == str(path)
    assert KEY_VARIABLE in caught.value.parts["do"]


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: (path.parent / "key").symlink_to("/no")])
def test_a_key_file_that_cannot_be_read_is_a_wrong_call(
    make: Callable[[Path], object], tmp_path: Path
) -> None:
    path = tmp_path / "key"
    make(path)
    with pytest.raises((CallError, OSError)):
        read_key(path)


def test_of_two_processes_that_make_the_key_at_once_both_get_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one comes when the first has made the file and has not written it yet."""
    path = tmp_path / "pseudonym.key"
    make, others = secrets.token_hex, []

    def meanwhile(size: int) -> str:
        monkeypatch.setattr(secrets, "token_hex", make)
        others.append(read_key(path))
        return make(size)

    monkeypatch.setattr(secrets, "token_hex", meanwhile)
    assert [read_key(path)] == others


def test_a_key_that_was_never_written_because_the_process_died_is_made_again_or_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pseudonym.key"
    make = secrets.token_hex

    def die(_: int) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(secrets, "token_hex", die)
    with pytest.raises(KeyboardInterrupt):
        read_key(path)
    monkeypatch.setattr(secrets, "token_hex", make)
    assert len(read_key(path)) == 64, "an interrupted first use must not lock the user out"


def test_the_name_of_a_key_tells_keys_apart_and_not_what_they_are() -> None:
    keys = [b"k" * 32, b"l" * 32]
    names = [key_id(key) for key in keys]
    assert names[0] != names[1]
    assert all(len(name) == 12 and int(name, 16) >= 0 for name in names)
    assert key_id(keys[0]) == names[0]
    assert names[0] not in keys[0].hex()
