"""A whole bundle is read, from a folder or a zip file; any other is refused by one named error."""

from __future__ import annotations

import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from edge.core.errors import (
    EXIT_DATA,
    BundleError,
    BundleFileChangedError,
    BundleFileExtraError,
    BundleFileMissingError,
    BundleFormatError,
    BundleMissingError,
    BundleVersionError,
    LabelCountError,
    SignatureMissingError,
)
from edge.core.model.bundle import read_bundle, version_key, write_manifest
from edge.core.model.signature import PublicKey
from tests.bundles import LABELS, SPEC, change_manifest, make_bundle, rewrite, zip_of

# What is right


def test_a_folder_is_read_with_all_that_is_in_it(bundle: Path) -> None:
    found = read_bundle(bundle)
    assert found.labels == LABELS
    assert found.title == "tiny 1"
    assert found.manifest.input == SPEC
    assert found.manifest.accept == dict.fromkeys(LABELS, 0.5)
    assert found.model == (bundle / "model.tflite").read_bytes()
    assert set(found.golden) == {"golden/0.png", "golden/1.png"}


@pytest.mark.parametrize("around", ["", "bundle/"], ids=["bare", "with one folder around"])
def test_a_zip_file_is_the_same_bundle(bundle: Path, tmp_path: Path, around: str) -> None:
    zipped = read_bundle(zip_of(bundle, tmp_path / "tiny.zip", around=around))
    folder = read_bundle(bundle)
    assert zipped.digest == folder.digest
    assert (zipped.manifest, zipped.labels, zipped.model, zipped.golden) == (
        folder.manifest,
        folder.labels,
        folder.model,
        folder.golden,
    )


def test_the_digest_follows_every_file(bundle: Path) -> None:
    before = read_bundle(bundle).digest
    rewrite(bundle, "card.md", b"another card")
    assert read_bundle(bundle).digest != before


@pytest.mark.parametrize(
    "label", ["Weißglas", "Dosen & Bleche", "déchets ménagers", "🍎", "♻️ Papier", "ガラス", "a-b"]
)
def test_odd_labels_survive_a_bundle(tmp_path: Path, label: str) -> None:
    labels = (label, "green", "blue")
    assert read_bundle(make_bundle(tmp_path / "odd", labels=labels)).labels == labels


@pytest.mark.parametrize(
    ("older", "newer"), [("1", "2"), ("9", "10"), ("2026.9.12", "2026.11.3"), ("1.2", "1.2.1")]
)
def test_versions_are_compared_number_by_number(older: str, newer: str) -> None:
    assert version_key(older) < version_key(newer)


# What is refused


def test_a_changed_file_is_refused(bundle: Path) -> None:
    content = bytearray((bundle / "model.tflite").read_bytes())
    content[1000] ^= 1
    (bundle / "model.tflite").write_bytes(content)
    with pytest.raises(
        BundleFileChangedError, match=r"model\.tflite has been changed.*copy the bundle again"
    ):
        read_bundle(bundle)


@pytest.mark.parametrize("name", ["labels.txt", "card.md", "golden/1.png"])
def test_one_changed_byte_in_any_file_is_refused(bundle: Path, name: str) -> None:
    with (bundle / name).open("r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(bytes((first[0] ^ 1,)))
    with pytest.raises(BundleFileChangedError, match=name):
        read_bundle(bundle)


@pytest.mark.parametrize("name", ["model.tflite", "labels.txt", "card.md", "golden/0.png"])
def test_a_missing_file_is_refused(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    with pytest.raises(BundleFileMissingError, match=f"{name} is missing, though"):
        read_bundle(bundle)


@pytest.mark.parametrize("name", ["model.tflite", "labels.txt", "golden/0.png"])
def test_a_file_that_the_manifest_forgot_too_is_refused(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    change_manifest(bundle, lambda fields: fields["files"].pop(name))
    with pytest.raises(BundleFileMissingError, match=f"{name} is missing: convert"):
        read_bundle(bundle)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["notes.txt"], r"notes\.txt is not named by bundle\.json"),
        (["golden/9.png"], r"golden/9\.png is not named"),
        (["a", ".DS_Store"], r"\.DS_Store, a are not named"),
    ],
)
def test_an_extra_file_is_refused(bundle: Path, names: list[str], says: str) -> None:
    for name in names:
        (bundle / name).write_bytes(b"x")
    with pytest.raises(BundleFileExtraError, match=says):
        read_bundle(bundle)


@pytest.mark.parametrize("version", [2, 0, "1", None, [1]])
def test_another_schema_version_is_refused(bundle: Path, version: object) -> None:
    change_manifest(bundle, lambda fields: fields.update(schema_version=version))
    with pytest.raises(BundleVersionError, match="this pilah reads 1: install a newer pilah"):
        read_bundle(bundle)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda f: f.update(surprise=1), "surprise: Extra inputs are not permitted"),
        (lambda f: f.pop("accept"), "accept: Field required"),
        (lambda f: f["accept"].update(red=1.5), r"accept\.red: .*less than or equal to 1"),
        (lambda f: f["input"].update(mean=[0.5]), r"input\.mean: Extra inputs"),
        (lambda f: f["input"].update(geometry="fit"), r"input\.geometry: .*Received: 'fit'"),
        (lambda f: f["golden"].update(pictures=[]), r"golden\.pictures: .*at least 1"),
        (lambda f: f["golden"]["pictures"][0].update(picture="../x.png"), "String should match"),
        (lambda f: f.update(name="../../etc"), "name: String should match"),
        (lambda f: f.update(version="1.0-beta"), "version: String should match"),
        (lambda f: f["files"].update({"labels.txt": "abc"}), r"files\.labels\.txt: String should"),
        (lambda f: f.update(version="9" * 5000), "version: String should match"),
        (lambda f: f["accept"].update(red=float("nan")), "NaN is not a number in JSON"),
        (lambda f: f["golden"].update(tolerance=float("inf")), "Infinity is not a number"),
        (lambda f: f["golden"]["pictures"][0].update(scores=[1e300]), "scores"),
        (lambda f: f.update(name="\ud800"), "surrogates not allowed"),
        (lambda f: f.update(figures={"verdict": 7}), r"figures: .*verdict"),
        (lambda f: f.update(figures={"verdict": {"word": 7, "why": ""}}), r"verdict\.word"),
        (lambda f: f.update(figures={"int8": {"accuracy_interval": "x"}}), r"int8\.accuracy"),
        (lambda f: f.update(figures=[]), "figures: Input should be a valid dict"),
        (lambda f: f.update(data={"digest": 7}), r"data: .*digest"),
        (lambda f: f.update(recipe="garbage"), "recipe: Input should be a valid dict"),
    ],
)
def test_a_manifest_unlike_the_schema_is_refused(
    bundle: Path, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    change_manifest(bundle, change)
    with pytest.raises(BundleFormatError, match=says):
        read_bundle(bundle)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe\x00", b"hello"], ids=["empty", "cut", "binary", "text"]
)
def test_a_manifest_that_is_no_json_is_refused(bundle: Path, content: bytes) -> None:
    (bundle / "bundle.json").write_bytes(content)
    with pytest.raises(BundleFormatError, match=r"bundle\.json is not JSON"):
        read_bundle(bundle)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"red\ngreen\n\nblue\n", r"labels\.txt:3: the line is empty"),
        (b"red\ngreen\nred\n", r"labels\.txt:3: the label red is already on line 1"),
        (b"", r"labels\.txt: the file is empty"),
        (b"red\ngr\xfcn\nblue\n", r"labels\.txt:2: not text in UTF-8"),
        (b"red\n../green\nblue\n", r"labels\.txt:2: the label '\.\./green' has a slash"),
    ],
)
def test_labels_that_are_no_labels_are_refused(bundle: Path, content: bytes, says: str) -> None:
    rewrite(bundle, "labels.txt", content)
    with pytest.raises(BundleFormatError, match=says):
        read_bundle(bundle)


def test_thresholds_for_other_labels_are_refused(bundle: Path) -> None:
    rewrite(bundle, "labels.txt", b"red\ngreen\nyellow\n")
    with pytest.raises(LabelCountError, match="not in both: blue, yellow"):
        read_bundle(bundle)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda path: None, BundleMissingError, "no such bundle: give the folder or zip"),
        (lambda path: path.mkdir(), BundleMissingError, r"not a bundle, it has no bundle\.json"),
        (lambda path: path.write_bytes(b""), BundleFormatError, "not a bundle's zip file"),
        (lambda path: path.write_text("hello"), BundleFormatError, "not a bundle's zip file"),
    ],
    ids=["nothing", "empty folder", "empty file", "text"],
)
def test_what_is_no_bundle_at_all_is_refused(
    tmp_path: Path, make: Callable[[Path], object], error: type[BundleError], says: str
) -> None:
    make(tmp_path / "thing")
    with pytest.raises(error, match=says):
        read_bundle(tmp_path / "thing")


def test_somebodys_photographs_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"private")
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail(f"{self} was read"))
    with pytest.raises(BundleMissingError):
        read_bundle(tmp_path)


def test_a_cut_zip_file_is_refused(bundle: Path, tmp_path: Path) -> None:
    whole = zip_of(bundle, tmp_path / "tiny.zip")
    whole.write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(BundleFormatError, match="not a bundle's zip file"):
        read_bundle(whole)


def test_any_changed_byte_of_a_zip_file_is_refused_or_does_not_matter(
    bundle: Path, tmp_path: Path
) -> None:
    zipped = zip_of(bundle, tmp_path / "tiny.zip")
    whole, digest = zipped.read_bytes(), read_bundle(zipped).digest
    refused = []
    for at in range(0, len(whole), 131):
        zipped.write_bytes(whole[:at] + bytes((whole[at] ^ 0x55,)) + whole[at + 1 :])
        try:
            assert read_bundle(zipped).digest == digest, f"byte {at}"
        except BundleError as error:
            refused.append(error.exit_code)
    assert set(refused) == {EXIT_DATA}
    assert len(refused) > len(whole) / 131 / 2


def test_a_zip_file_with_a_password_is_refused(bundle: Path, tmp_path: Path) -> None:
    zipped = zip_of(bundle, tmp_path / "tiny.zip")
    content = bytearray(zipped.read_bytes())
    # General purpose flag, bit 0, in the first local header and its directory entry.
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    zipped.write_bytes(content)
    with pytest.raises(BundleFormatError, match="password"):
        read_bundle(zipped)


def test_a_zip_file_of_two_folders_is_refused(bundle: Path, tmp_path: Path) -> None:
    zipped = zip_of(bundle, tmp_path / "tiny.zip", around="bundle/")
    with zipfile.ZipFile(zipped, "a") as archive:
        archive.writestr("__MACOSX/._bundle.json", b"")
    with pytest.raises(BundleMissingError):
        read_bundle(zipped)


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_what_would_not_fit_into_a_pi_is_refused_before_it_is_read(
    bundle: Path, tmp_path: Path, form: str
) -> None:
    with (bundle / "extra").open("wb") as file:
        file.truncate(300 * 1024 * 1024)  # sparse: takes no room on the disk
    if form == "zip":
        bundle = zip_of(bundle, tmp_path / "big.zip")
    with pytest.raises(BundleFormatError, match="more than a bundle may have"):
        read_bundle(bundle)


@pytest.mark.parametrize(
    ("name", "size"),
    [("model.tflite", 129 << 20), ("labels.txt", 2 << 20), ("golden/0.png", 17 << 20),
     ("bundle.json", 9 << 20), ("signature", 1 << 17)],
)  # fmt: skip
@pytest.mark.parametrize("form", ["folder", "zip"])
def test_a_file_that_is_too_large_for_its_kind_is_not_read(
    bundle: Path, tmp_path: Path, name: str, size: int, form: str
) -> None:
    with (bundle / name).open("wb") as file:
        file.truncate(size)
    if form == "zip":
        bundle = zip_of(bundle, tmp_path / "big.zip")
    says = rf"{name} has {size:,} bytes, more than such a file of a bundle may have"
    with pytest.raises(BundleFormatError, match=says):
        read_bundle(bundle)


def test_a_signature_is_looked_at_before_any_other_file(tmp_path: Path) -> None:
    """So what a stranger packed costs no memory."""
    bundle = make_bundle(tmp_path / "bundle")
    rewrite(bundle, "model.tflite", bytes(64 << 20))
    zipped = zip_of(bundle, tmp_path / "big.zip")
    assert zipped.stat().st_size < 200_000
    tracemalloc.start()
    try:
        with pytest.raises(SignatureMissingError):
            read_bundle(zipped, keys=[PublicKey(bytes(32))])
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_a_key_that_is_there_twice_is_refused(bundle: Path) -> None:
    manifest = bundle / "bundle.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"{", b'{"name": "other",', 1))
    with pytest.raises(BundleFormatError, match="the key 'name' is there twice"):
        read_bundle(bundle)


@pytest.mark.parametrize("label", ["\u2028", "\x1b[2J", "gr\u202een", "g" * 5000])
def test_labels_that_cannot_be_shown_are_refused(bundle: Path, label: str) -> None:
    rewrite(bundle, "labels.txt", f"red\n{label}\nblue\n".encode())
    with pytest.raises(BundleFormatError, match=r"labels\.txt:2: the label"):
        read_bundle(bundle)


def test_a_name_in_a_zip_file_that_is_no_utf8_is_refused(bundle: Path, tmp_path: Path) -> None:
    (bundle / "x\u00e9").write_bytes(b"")
    zipped = zip_of(bundle, tmp_path / "x.zip")
    zipped.write_bytes(zipped.read_bytes().replace("x\u00e9".encode(), b"x\xff\xfe"))
    with pytest.raises(BundleFormatError, match=r"not a bundle's zip file: .*codec can't decode"):
        read_bundle(zipped)


def test_a_folder_deep_within_folders_is_refused(bundle: Path) -> None:
    (bundle / "/".join("d" * 900)).mkdir(parents=True)
    with pytest.raises(BundleFormatError, match="too deep a folder"):
        read_bundle(bundle)


def test_a_manifest_cannot_be_written_wrong(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        write_manifest(tmp_path, name="tiny", version="one")
    assert not (tmp_path / "bundle.json").exists()
