"""Signed links: what a signature holds together, and the life of keys."""

import hashlib
import hmac
import json
import subprocess
import sys
from base64 import b64decode, urlsafe_b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tintype.core.runtime.signing import Keyring, Signature, new_key, replace_broken_keys
from tintype.model import Error

PARTS = ("image", "7f000001", "800", "1700000000")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "link-keys.json"


@pytest.fixture
def keyring(path: Path) -> Keyring:
    return Keyring.make(path)


def test_a_signature_is_the_hmac_of_the_parts_each_led_by_its_length(path: Path, keyring: Keyring) -> None:
    made = keyring.sign(("ab", "Ж"))
    (key,) = json.loads(path.read_bytes())
    message = b"\0\0\0\2ab" + b"\0\0\0\2\xd0\x96"
    digest = hmac.new(b64decode(key["secret"]), message, hashlib.sha256).digest()
    assert made == Signature(key["id"], urlsafe_b64encode(digest).decode().rstrip("="))
    assert len(b64decode(key["secret"])) == 32


@given(st.lists(st.text()))
def test_what_was_signed_is_recognised(parts: list[str]) -> None:
    assert KEYRING.verify(parts, KEYRING.sign(parts))


@given(st.lists(st.text()), st.lists(st.text()))
def test_a_signature_is_good_for_its_own_parts_only(parts: list[str], others: list[str]) -> None:
    assert KEYRING.verify(others, KEYRING.sign(parts)) is (parts == others)


@pytest.mark.parametrize("at", range(len(PARTS)))
def test_a_change_in_any_part_is_noticed(keyring: Keyring, at: int) -> None:
    signature = keyring.sign(PARTS)
    for other in (PARTS[at] + "0", PARTS[at][:-1], PARTS[at].upper() + " ", ""):
        assert not keyring.verify((*PARTS[:at], other, *PARTS[at + 1 :]), signature)


@pytest.mark.parametrize(
    "shifted",
    [
        ("imag", "e7f000001", "800", "1700000000"),
        ("image7f000001", "", "800", "1700000000"),
        ("image", "7f000001", "8001700000000"),
        ("image", "7f000001", "800", "1700000000", ""),
        ("image", "7f000001", "1700000000", "800"),
    ],
)
def test_nothing_can_be_shifted_from_one_part_into_another(
    keyring: Keyring, shifted: tuple[str, ...]
) -> None:
    assert not keyring.verify(shifted, keyring.sign(PARTS))


def test_a_change_in_the_signature_is_noticed(keyring: Keyring) -> None:
    good = keyring.sign(PARTS)
    for at, char in enumerate(good.mac):
        other = good.mac[:at] + ("A" if char != "A" else "B") + good.mac[at + 1 :]
        assert not keyring.verify(PARTS, Signature(good.key, other))
    for mac in ("", good.mac + "=", good.mac[:-1], "é" * 43, "\ud800" * 43):
        assert not keyring.verify(PARTS, Signature(good.key, mac))
    for key in ("", "0" * 8, good.key + " ", "\ud800"):
        assert not keyring.verify(PARTS, Signature(key, good.mac))
    assert not keyring.verify(("\ud800",), good)


def test_a_signature_of_another_library_is_refused(keyring: Keyring, tmp_path: Path) -> None:
    theirs = Keyring.make(tmp_path / "other.json").sign(PARTS)
    assert not keyring.verify(PARTS, theirs)
    assert not keyring.verify(PARTS, Signature(keyring.sign(PARTS).key, theirs.mac))


def test_after_a_rotation_the_new_key_signs_and_the_old_one_still_verifies(keyring: Keyring) -> None:
    old = keyring.sign(PARTS)
    added = new_key()
    keyring.add(added)
    assert keyring.sign(PARTS).key == added.id != old.key
    assert keyring.verify(PARTS, old)
    assert [key.id for key in keyring.all()] == [old.key, added.id]


def test_a_retired_key_opens_nothing(keyring: Keyring) -> None:
    old = keyring.sign(PARTS)
    keyring.add(new_key())
    assert keyring.remove(old.key)
    assert not keyring.verify(PARTS, old)
    assert keyring.verify(PARTS, keyring.sign(PARTS))


def test_the_last_key_stays(keyring: Keyring) -> None:
    (only,) = keyring.all()
    assert not keyring.remove(only.id)
    assert keyring.all() == (only,)


def test_what_is_done_twice_counts_once(path: Path, keyring: Keyring) -> None:
    (old,), new = keyring.all(), new_key()
    for _ in range(2):
        keyring.add(new)
    assert keyring.all() == Keyring(path).all() == (old, new)
    for _ in range(2):
        assert keyring.remove(old.id)
    assert keyring.all() == Keyring(path).all() == (new,)


def test_keys_survive_a_restart_in_a_file_of_their_own(path: Path, keyring: Keyring) -> None:
    keyring.add(new_key())
    assert Keyring(path).all() == keyring.all()
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_key_that_another_process_added_is_learnt(path: Path, keyring: Keyring) -> None:
    other, generation = Keyring(path), keyring.generation
    other.add(new_key())
    assert not keyring.verify(PARTS, other.sign(PARTS))
    assert keyring.reload()
    assert keyring.verify(PARTS, other.sign(PARTS))
    assert keyring.all() == other.all()
    assert keyring.generation != generation
    assert not keyring.reload()


def test_two_that_rotate_from_the_same_state_both_keep_their_key(path: Path, keyring: Keyring) -> None:
    other = Keyring(path)
    added = new_key(), new_key()
    keyring.add(added[0])
    other.add(added[1])
    assert Keyring(path).all()[1:] == added


def test_two_processes_that_start_at_once_share_one_key(path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tintype.core.runtime.signing import Keyring; "
        "print(flush=True); input(); print(*(key.id for key in Keyring.make(Path(sys.argv[1])).all()))"
    )
    pipe = subprocess.PIPE
    together = [
        subprocess.Popen([sys.executable, "-c", program, path], stdin=pipe, stdout=pipe, text=True)
        for _ in range(2)
    ]
    for process in together:
        assert process.stdout is not None
        assert process.stdout.readline() == "\n"
    for process in together:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = {process.communicate()[0] for process in together}
    assert outputs == {f"{key.id}\n" for key in Keyring(path).all()}


BROKEN = [b"", b"{", b'[{"id": 1}]', b"\xff", b"[]"]


@pytest.mark.parametrize("content", BROKEN)
def test_a_file_that_holds_no_keys_is_an_error_that_names_it_and_stays(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for opening in (Keyring, Keyring.make):
        with pytest.raises(Error, match=r"link-keys\.json.* --new-keys"):
            opening(path)
    assert path.read_bytes() == content


def test_a_missing_file_is_an_error_and_is_not_made_without_a_word(path: Path) -> None:
    with pytest.raises(Error, match=r"link-keys\.json is missing"):
        Keyring(path)
    assert not path.exists()


@pytest.mark.parametrize("content", [None, *BROKEN])
def test_what_is_missing_or_broken_is_made_anew_when_told(path: Path, content: bytes | None) -> None:
    if content is not None:
        path.write_bytes(content)
    assert replace_broken_keys(path)
    assert len(Keyring(path).all()) == 1
    broken = path.with_name("link-keys.json.broken")
    assert (broken.read_bytes() if broken.exists() else None) == content
    assert not replace_broken_keys(path)


@pytest.mark.parametrize("content", [None, *BROKEN])
def test_a_file_that_goes_or_breaks_meanwhile_changes_nothing_until_it_is_back(
    path: Path, keyring: Keyring, content: bytes | None
) -> None:
    whole, signature, generation = path.read_bytes(), keyring.sign(PARTS), keyring.generation
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with capture_logs() as lines:
        for _ in range(3):
            assert not keyring.reload()
    assert [line["event"] for line in lines] == ["link-keys-unreadable"]
    assert "link-keys.json" in keyring.fault
    assert keyring.verify(PARTS, signature)
    assert keyring.generation == generation
    path.write_bytes(whole)
    keyring.reload()
    assert not keyring.fault
    assert keyring.verify(PARTS, signature)


@pytest.fixture(scope="module", autouse=True)
def _one_for_the_properties(tmp_path_factory: pytest.TempPathFactory) -> None:
    global KEYRING  # noqa: PLW0603  hypothesis wants one value for all examples, not a fixture for each
    KEYRING = Keyring.make(tmp_path_factory.mktemp("keys") / "link-keys.json")


KEYRING: Keyring
