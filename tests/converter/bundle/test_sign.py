"""Only the owner can read a private key; bundles are signed, and never contain a private key."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from converter.cli import main
from edge.core import files
from edge.core.errors import EXIT_DATA, EXIT_IO, EXIT_NO, EXIT_OK
from edge.core.model.bundle import read_bundle
from edge.core.model.signature import PublicKey, read_public_key
from tests.bundles import zip_of
from tests.signatures import OURS, THEIRS


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The file of a private key; the public key is beside it."""
    (tmp_path / "keys").mkdir()
    assert main(["keygen", str(tmp_path / "keys" / "office.key")]) == EXIT_OK
    return tmp_path / "keys" / "office.key"


def public(key: Path) -> PublicKey:
    return read_public_key(Path(f"{key}.pub").read_bytes(), name="office")


def content_of(bundle: Path) -> dict[str, bytes]:
    return dict(read_bundle(bundle).files)


# keygen


def test_a_key_is_made_for_its_owner_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "office.key"
    assert main(["keygen", str(key)]) == EXIT_OK
    assert sorted(file.name for file in key.parent.iterdir()) == ["office.key", "office.key.pub"]
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    assert isinstance(private, ed25519.Ed25519PrivateKey)
    assert private.public_key().public_bytes_raw() == public(key).raw
    out, err = capsys.readouterr()
    assert f"key {public(key).id}\n" in out
    assert "keep it secret" in err
    assert b"PRIVATE" in key.read_bytes()
    assert "PRIVATE" not in out + err


def test_two_keys_are_different(key: Path) -> None:
    other = key.with_name("other.key")
    assert main(["keygen", str(other)]) == EXIT_OK
    assert public(other) != public(key)


@pytest.mark.parametrize("there", ["office.key", "office.key.pub"])
def test_a_key_is_never_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], there: str
) -> None:
    (tmp_path / there).write_text("mine")
    assert main(["keygen", str(tmp_path / "office.key")]) == EXIT_IO
    assert f"{tmp_path / there} is there already" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "mine"


def test_where_no_key_can_be_written_none_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["keygen", str(tmp_path / "gone" / "office.key")]) == EXIT_IO
    whole = Path.hardlink_to

    def fail_for_the_second(self: Path, target: Path) -> None:
        if self.suffix == ".pub":
            raise OSError(28, "No space left on device")
        whole(self, target)

    monkeypatch.setattr(files.Path, "hardlink_to", fail_for_the_second)
    assert main(["keygen", str(tmp_path / "office.key")]) == EXIT_IO
    assert list(tmp_path.iterdir()) == []


# sign


@pytest.mark.parametrize("form", ["folder", "zip", "zip with one folder around"])
def test_a_bundle_is_signed_and_is_otherwise_as_it_was(
    bundle: Path, key: Path, tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if form != "folder":
        around = "tiny/" if "around" in form else ""
        bundle = zip_of(bundle, tmp_path / "tiny.zip", around=around)
    before = content_of(bundle)
    capsys.readouterr()
    assert main(["sign", str(bundle), "--key", str(key)]) == EXIT_OK
    assert f"signed by key {public(key).id}" in capsys.readouterr().out
    assert read_bundle(bundle, keys=[public(key)]).signer == public(key).id
    after = content_of(bundle)
    after.pop("signature")
    assert after == before
    if form != "folder":
        with zipfile.ZipFile(bundle) as archive:
            assert f"{around}signature" in archive.namelist()


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_a_signature_is_replaced_only_when_asked(
    bundle: Path, key: Path, tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    THEIRS.sign(bundle)
    if form == "zip":
        bundle = zip_of(bundle, tmp_path / "tiny.zip")
    before = content_of(bundle)
    assert main(["sign", str(bundle), "--key", str(key)]) == EXIT_IO
    assert f"already signed with key {THEIRS.id}" in capsys.readouterr().err
    assert content_of(bundle) == before
    assert main(["sign", str(bundle), "--key", str(key), "--replace"]) == EXIT_OK
    assert read_bundle(bundle, keys=[public(key)]).signer == public(key).id


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o601])
def test_a_key_that_others_can_use_signs_nothing(
    bundle: Path, key: Path, mode: int, capsys: pytest.CaptureFixture[str]
) -> None:
    key.chmod(mode)
    assert main(["sign", str(bundle), "--key", str(key)]) == EXIT_DATA
    assert f"(mode {mode:04o}). Run: chmod 600 {key}" in capsys.readouterr().err
    assert not (bundle / "signature").exists()
    key.chmod(0o400)
    assert main(["sign", str(bundle), "--key", str(key)]) == EXIT_OK


@pytest.mark.parametrize("place", ["office.key", "golden/office.key"])
def test_a_key_in_the_bundle_signs_nothing(
    bundle: Path, key: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = key.rename(bundle / place)
    assert main(["sign", str(bundle), "--key", str(moved)]) == EXIT_DATA
    assert f"{moved} is inside the bundle" in capsys.readouterr().err
    assert not (bundle / "signature").exists()


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_a_bundle_that_holds_any_private_key_is_not_signed(
    bundle: Path, key: Path, tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (bundle / "card.md").write_bytes(b"# Mine\n" + key.read_bytes())
    fields = json.loads((bundle / "bundle.json").read_text())
    digest = hashlib.sha256((bundle / "card.md").read_bytes()).hexdigest()
    fields["files"]["card.md"] = digest
    (bundle / "bundle.json").write_text(json.dumps(fields))
    if form == "zip":
        bundle = zip_of(bundle, tmp_path / "tiny.zip")
    assert main(["sign", str(bundle), "--key", str(key)]) == EXIT_DATA
    assert "card.md contains a private key" in capsys.readouterr().err


def test_a_bundle_that_is_not_whole_is_not_signed(bundle: Path, key: Path) -> None:
    with (bundle / "model.tflite").open("ab") as file:
        file.write(b"x")
    assert main(["sign", str(bundle), "--key", str(key)]) == EXIT_DATA
    assert not (bundle / "signature").exists()


def pem(
    key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey, password: bytes = b""
) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption(),
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a private key in PEM form"),
        (OURS.public_pem, "not a private key in PEM form"),
        (pem(ed25519.Ed25519PrivateKey.generate(), b"secret"), "without a password"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "another kind than Ed25519"),
    ],
    ids=["empty", "public", "password", "another kind"],
)
def test_what_is_no_private_key_signs_nothing(
    bundle: Path, key: Path, content: bytes, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    key.write_bytes(content)
    assert main(["sign", str(bundle), "--key", str(key)]) == EXIT_DATA
    assert says in capsys.readouterr().err
    key.unlink()
    assert main(["sign", str(bundle), "--key", str(key)]) == EXIT_IO


# verify-signature


def verify(bundle: Path, key: Path) -> int:
    return main(["verify-signature", str(bundle), "--public-key", f"{key}.pub"])


def test_a_signed_and_unchanged_bundle_is_said_to_be_that(
    bundle: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["sign", str(bundle), "--key", str(key)])
    assert verify(bundle, key) == EXIT_OK
    assert capsys.readouterr().out.endswith(f"signed by key {public(key).id}, and unchanged\n")


@pytest.mark.parametrize("tampering", ["unsigned", "other key", "file changed", "file added"])
def test_any_other_is_answered_with_no(
    bundle: Path, key: Path, tampering: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["sign", str(bundle), "--key", str(key)])
    if tampering == "unsigned":
        (bundle / "signature").unlink()
    elif tampering == "other key":
        OURS.sign(bundle)
    elif tampering == "file changed":
        (bundle / "labels.txt").write_text("red\ngreen\nyellow\n")
    else:
        (bundle / "x").write_bytes(b"")
    capsys.readouterr()
    assert verify(bundle, key) == EXIT_NO
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"no: {bundle}: ")


def test_where_there_is_nothing_to_ask_the_answer_is_not_no(
    bundle: Path, key: Path, tmp_path: Path
) -> None:
    assert verify(tmp_path / "gone", key) == EXIT_DATA
    assert verify(bundle, tmp_path / "gone.key") == EXIT_IO
    Path(f"{key}.pub").write_bytes(key.read_bytes())
    assert verify(bundle, key) == EXIT_DATA


def test_a_pipe_in_place_of_a_key_is_not_waited_for(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe, 0o600)
    assert main(["sign", str(bundle), "--key", pipe]) == EXIT_IO
    assert main(["verify-signature", str(bundle), "--public-key", pipe]) == EXIT_IO
    assert capsys.readouterr().err.count("it is a pipe, not a file") == 2
