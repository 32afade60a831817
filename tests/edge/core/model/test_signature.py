"""With keys pinned, a bundle is taken as it was signed or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from edge.core.errors import (
    EXIT_DATA,
    BundleError,
    BundleFileChangedError,
    BundleFileExtraError,
    BundleFileMissingError,
    BundleFormatError,
    PublicKeyError,
    SignatureFormatError,
    SignatureKeyError,
    SignatureMissingError,
    SignatureWrongError,
)
from edge.core.model.bundle import read_bundle
from edge.core.model.signature import PublicKey, check_signature, read_public_key, signed_bytes
from tests.bundles import change_manifest, make_bundle, rewrite, zip_of
from tests.signatures import OURS, THEIRS


@pytest.fixture
def signed(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A signed bundle to tamper with."""
    return OURS.sign(Path(shutil.copytree(tiny_bundle, tmp_path / "signed")))


@pytest.mark.parametrize("form", ["folder", "zip", "zip with one folder around"])
def test_a_signed_bundle_is_taken_and_says_by_which_key(
    signed: Path, tmp_path: Path, form: str
) -> None:
    if form != "folder":
        around = "tiny/" if "around" in form else ""
        signed = zip_of(signed, tmp_path / "signed.zip", around=around)
    bundle = read_bundle(signed, keys=[THEIRS.public, OURS.public])
    assert bundle.signer == OURS.id
    assert bundle.origin == f"signed by key {OURS.id}"
    assert "signature" in bundle.files


def test_without_keys_both_kinds_are_taken_and_neither_is_called_checked(
    signed: Path, tiny_bundle: Path
) -> None:
    assert read_bundle(tiny_bundle).origin == "not signed"
    bundle = read_bundle(signed)
    assert bundle.signer is None
    assert bundle.origin == f"claims to be signed by key {OURS.id}, which was not checked"


# Tampering


def remove(bundle: Path, name: str) -> None:
    """Removes a file, and what the manifest says of it."""
    (bundle / name).unlink()
    change_manifest(bundle, lambda fields: fields["files"].pop(name))


def swap(bundle: Path, one: str, other: str) -> None:
    first, second = (bundle / one).read_bytes(), (bundle / other).read_bytes()
    (bundle / one).write_bytes(second)
    (bundle / other).write_bytes(first)


def flip(bundle: Path, name: str, at: int) -> None:
    content = bytearray((bundle / name).read_bytes())
    content[at] ^= 1
    (bundle / name).write_bytes(content)


def of_another_bundle(bundle: Path) -> None:
    other = OURS.sign(make_bundle(bundle.parent / "other", version="7"))
    shutil.copy(other / "signature", bundle / "signature")


def without_the_prefix(bundle: Path) -> None:
    manifest = (bundle / "bundle.json").read_bytes()
    (bundle / "signature").write_bytes(OURS.signature(manifest, prefix=False).to_file())


def by_them_in_our_name(bundle: Path) -> None:
    manifest = (bundle / "bundle.json").read_bytes()
    forged = THEIRS.signature(manifest).model_copy(update={"key": OURS.id})
    (bundle / "signature").write_bytes(forged.to_file())


TAMPERINGS: dict[str, tuple[Callable[[Path], object], type[BundleError]]] = {
    "file changed": (lambda b: flip(b, "model.tflite", 999), BundleFileChangedError),
    "file changed, and the manifest too": (
        lambda b: rewrite(b, "model.tflite", b"another model"),
        SignatureWrongError,
    ),
    "file added": (lambda b: (b / "x.py").write_bytes(b""), BundleFileExtraError),
    "file added, and the manifest too": (
        lambda b: rewrite(b, "x.py", b""),
        SignatureWrongError,
    ),
    "file added where the signature's name might hide it": (
        lambda b: (b / "golden" / "signature").write_bytes(b""),
        BundleFileExtraError,
    ),
    "file removed": (lambda b: (b / "card.md").unlink(), BundleFileMissingError),
    "file removed, and from the manifest too": (
        lambda b: remove(b, "card.md"),
        SignatureWrongError,
    ),
    "files swapped": (lambda b: swap(b, "golden/0.png", "golden/1.png"), BundleFileChangedError),
    "threshold lowered": (
        lambda b: change_manifest(b, lambda f: f["accept"].update(red=0.0)),
        SignatureWrongError,
    ),
    "version raised": (
        lambda b: change_manifest(b, lambda f: f.update(version="99")),
        SignatureWrongError,
    ),
    "manifest written otherwise, same fields": (
        lambda b: change_manifest(b, lambda f: None),
        SignatureWrongError,
    ),
    "signature of another bundle": (of_another_bundle, SignatureWrongError),
    "signature of the same bytes for another purpose": (without_the_prefix, SignatureWrongError),
    "signature removed": (lambda b: (b / "signature").unlink(), SignatureMissingError),
    "signature changed": (lambda b: flip(b, "signature", -10), SignatureWrongError),
    "other key": (lambda b: THEIRS.sign(b), SignatureKeyError),
    "other key in the name of ours": (by_them_in_our_name, SignatureWrongError),
}


@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_tampering_is_refused(signed: Path, tmp_path: Path, tampering: str, form: str) -> None:
    tamper, error = TAMPERINGS[tampering]
    tamper(signed)
    if form == "zip":
        signed = zip_of(signed, tmp_path / "signed.zip")
    with pytest.raises(BundleError) as caught:
        read_bundle(signed, keys=[OURS.public])
    assert type(caught.value) is error
    assert caught.value.exit_code == EXIT_DATA
    assert str(signed) in str(caught.value)


def test_no_byte_of_manifest_or_signature_can_be_changed(signed: Path) -> None:
    for name, step in (("bundle.json", 97), ("signature", 5)):
        whole = (signed / name).read_bytes()
        for at in range(0, len(whole), step):
            (signed / name).write_bytes(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :])
            with pytest.raises(BundleError, match=r"signature|signed"):
                read_bundle(signed, keys=[OURS.public])
        (signed / name).write_bytes(whole)
    assert read_bundle(signed, keys=[OURS.public]).signer == OURS.id


def test_what_a_stranger_wrote_is_not_even_parsed(signed: Path) -> None:
    (signed / "bundle.json").write_bytes(b"[" * 100_000)
    with pytest.raises(SignatureWrongError):
        read_bundle(signed, keys=[OURS.public])
    (signed / "signature").unlink()
    with pytest.raises(BundleFormatError, match="is not JSON"):
        read_bundle(signed)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "Invalid JSON"),
        (b"\xff", "Invalid JSON"),
        (b"[" * 2000, "Invalid JSON"),
        (b"[]", "should be an object"),
        (b" " * 5000, "5,000 bytes, too many"),
        (b'{"algorithm": "none", "key": "0123456789abcdef", "signature": ""}', "algorithm: .*ed25"),
        (b'{"algorithm": "ed25519", "key": "0123456789abcdef"}', "signature: Field required"),
        (b'{"algorithm": "ed25519", "key": "ABC", "signature": "00"}', "key: String should match"),
    ],
)
@pytest.mark.parametrize("keys", [[], [OURS.public]], ids=["no key pinned", "a key pinned"])
def test_a_signature_of_another_form_is_refused_in_any_case(
    signed: Path, content: bytes, says: str, keys: list[PublicKey]
) -> None:
    (signed / "signature").write_bytes(content)
    with pytest.raises(SignatureFormatError, match=f"{says}.*: sign the bundle again"):
        read_bundle(signed, keys=keys)


@pytest.mark.parametrize("name", ["signature", "bundle.json"])
def test_a_manifest_that_names_what_it_cannot_know_is_refused(signed: Path, name: str) -> None:
    change_manifest(signed, lambda fields: fields["files"].update({name: "0" * 64}))
    with pytest.raises(BundleFormatError, match=f"names {name}, of which it cannot know"):
        read_bundle(signed)


# Keys


def pem_of(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def private_pem() -> bytes:
    return ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def test_a_public_key_is_read_and_has_the_id_of_its_bytes() -> None:
    key = read_public_key(OURS.public_pem, name="our.pub")
    assert key == OURS.public
    assert key.id == OURS.id != THEIRS.id
    assert len(key.id) == 16


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a public key in PEM form"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "not a public key"),
        (private_pem(), "this is a private key, which must not be on a station"),
        (pem_of(ec.generate_private_key(ec.SECP256R1()).public_key()), "is not an Ed25519 key"),
    ],
    ids=["empty", "cut", "private", "another kind"],
)
def test_what_is_no_public_key_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(PublicKeyError, match=f"our.pub: .*{says}|our.pub: {says}"):
        read_public_key(content, name="our.pub")


def test_what_is_signed_tells_itself_apart_from_the_file() -> None:
    assert signed_bytes(b"{}") == b"pilah bundle.json, version 1\n{}"
    assert check_signature(b"{}", OURS.signature(b"{}"), [OURS.public], name="x") == OURS.public
