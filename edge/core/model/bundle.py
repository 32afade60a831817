"""The bundle: a model with everything that is needed to run it, in one folder or one zip file.

It has `model.tflite`, `labels.txt`, `bundle.json` (the manifest), `golden/` (pictures with recorded
predictions) and `card.md`. The manifest has the SHA-256 of every other file, and a file that does
not match is refused. The manifest cannot name `signature`, which signs the manifest itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from edge.core.errors import (
    BundleFileExtraError,
    BundleFileMissingError,
    BundleFormatError,
    BundleVersionError,
    LabelCountError,
    LabelListError,
)
from edge.core.images.preprocess import InputSpec
from edge.core.json_text import read_json
from edge.core.labels import parse_label_list
from edge.core.model.bundle_files import open_files
from edge.core.model.figures import MOST_PICTURES, checked_data, checked_figures
from edge.core.model.signature import (
    SIGNATURE,
    PublicKey,
    Signature,
    check_signature,
    read_signature,
)
from edge.core.terminal.wording import in_a_list, number_of

SCHEMA_VERSION = 1
MANIFEST = "bundle.json"
MODEL = "model.tflite"
LABELS = "labels.txt"
CARD = "card.md"
GOLDEN = "golden"
_NOT_NAMED = (MANIFEST, SIGNATURE)
"""The files that the manifest does not name: itself and its signature."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Threshold = Annotated[float, Field(ge=0, le=1)]
Score = Annotated[float, Field(ge=-1e30, le=1e30)]
"""A number that fits into a float32; an imported model may give scores outside of 0 to 1."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class GoldenPicture(_Section):
    """A picture in the bundle with its recorded prediction."""

    picture: Annotated[str, Field(pattern=r"^golden/[0-9]+\.png$")]
    tensor_sha256: Sha256
    """The SHA-256 of the input tensor's bytes, in C order."""
    scores: list[Score]
    """The scores computed by the reference kernels, exact float32 values."""
    unknown: Score | None = None
    """The novelty score computed by the reference kernels; None if the model has no such score."""


class Golden(_Section):
    """The golden pictures, whose predictions every device must reproduce."""

    tolerance: Annotated[float, Field(gt=0, le=1)]
    """The largest allowed difference of a score with other kernels than the reference kernels."""
    unknown_tolerance: Annotated[float, Field(gt=0, le=1)] | None = None
    """The same for the novelty score; None if the model has no such score."""
    pictures: Annotated[list[GoldenPicture], Field(min_length=1, max_length=100)]


class Unknown(_Section):
    """The novelty score: how little a picture looks like a thing of any class, 0..1."""

    score: Literal["energy", "distance", "both"]
    """The method that computes the score; see `trainer/calibration/unknown.py`."""
    threshold: Threshold | None
    """A novelty score above it is rejected as `unknown`; None if there were too few pictures to
    choose a threshold, so that nothing is rejected."""


class Quantization(_Section):
    """How the float model was quantised."""

    scheme: str
    """"int8", or "imported" for a model from elsewhere that is used unchanged."""
    calibration_pictures: Annotated[int, Field(ge=0, le=MOST_PICTURES)]


class Manifest(_Section):
    """The content of `bundle.json`."""

    schema_version: int
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    version: Annotated[str, Field(pattern=r"^[0-9]{1,18}(\.[0-9]{1,18}){0,7}$")]
    """Versions are compared number by number; a station installs only a newer one."""
    files: dict[str, Sha256]
    input: InputSpec
    accept: dict[str, Threshold]
    """The accept threshold of every label."""
    unknown: Unknown | None = None
    """None if the model has no novelty score."""
    quantization: Quantization
    golden: Golden
    figures: Annotated[dict[str, Any], AfterValidator(checked_figures)]
    """The evaluations of the float and int8 model on the test split, and their agreement."""
    recipe: dict[str, Any]
    data: Annotated[dict[str, Any], AfterValidator(checked_data)]
    tools: dict[str, str]

    @property
    def unknown_threshold(self) -> float | None:
        """The novelty score above which an item is rejected as `unknown`; None if none is."""
        return None if self.unknown is None else self.unknown.threshold


@dataclass(frozen=True, slots=True)
class Title:
    """The name and version of a bundle."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def folder(self) -> str:
        """The name of the bundle's folder at a station; it can be split at its last `-`."""
        return f"{self.name}-{self.version}"

    @property
    def key(self) -> tuple[int, ...]:
        """The key for comparing versions."""
        return version_key(self.version)


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """A bundle whose files all match its manifest."""

    path: Path
    manifest: Manifest
    labels: tuple[str, ...]
    model: bytes
    golden: Mapping[str, bytes]
    """The golden pictures' PNG files by their name in the manifest."""
    digest: str
    """The SHA-256 of `bundle.json`, which identifies all files, because it has their SHA-256."""
    files: Mapping[str, bytes]
    """Every file by its name, including `bundle.json` and `signature`."""
    signature: Signature | None
    """The content of the file `signature`; None if the bundle is not signed."""
    signer: str | None
    """The id of the trusted key that signed the bundle; None if it was not checked with a key."""

    @property
    def title(self) -> str:
        """The name and version, as the ledger and the logs show them."""
        return f"{self.manifest.name} {self.manifest.version}"

    @property
    def origin(self) -> str:
        """Text for people that says who signed the bundle."""
        if self.signer is not None:
            return f"signed by key {self.signer}"
        if self.signature is not None:
            return f"claims to be signed by key {self.signature.key}, which was not checked"
        return "not signed"


def read_bundle(path: Path, *, keys: Sequence[PublicKey] = ()) -> Bundle:
    """The bundle in the folder or zip file `path`, every file checked against the manifest.

    Args:
        keys: one of them must have signed the bundle; if empty, a signature is not needed.

    Raises:
        BundleMissingError: there is nothing at `path`, or it has no `bundle.json`.
        BundleFormatError: `bundle.json` or `labels.txt` does not follow the schema.
        BundleVersionError: this pilah does not know the schema version.
        BundleFileChangedError, BundleFileMissingError, BundleFileExtraError: a file does not match.
        SignatureMissingError, SignatureKeyError, SignatureWrongError: none of `keys` signed it.
        SignatureFormatError: the file `signature` does not hold a signature.
        LabelCountError: labels and thresholds do not name the same classes.

    Example:
        >>> bundle = read_bundle(Path("bundles/first"))
        >>> bundle.labels
        ('red', 'green', 'blue')
    """
    with open_files(path, holding=MANIFEST) as found:
        raw = found.read(MANIFEST)
        everything = {MANIFEST: raw}
        signature = signer = None
        if SIGNATURE in found.sizes:
            everything[SIGNATURE] = found.read(SIGNATURE)
            signature = read_signature(everything[SIGNATURE], name=str(path))
        if keys:  # before any untrusted content is parsed
            signer = check_signature(raw, signature, keys, name=str(path)).id
        manifest = _manifest(raw, path)
        _check_names(set(found.sizes) - set(_NOT_NAMED), manifest, path)
        for name in manifest.files:  # all of them before the first is read
            found.check_size(name)
        for name, digest in sorted(manifest.files.items()):
            everything[name] = found.read(name, sha256=digest)
    files = everything
    labels = _labels(files[LABELS], path)
    if set(labels) != set(manifest.accept):
        raise LabelCountError(
            f"{path}: {LABELS} has {number_of(len(labels), 'labels')} and {MANIFEST} accept "
            f"thresholds for {len(manifest.accept)}; not in both: "
            f"{', '.join(sorted(set(labels) ^ set(manifest.accept)))}. Convert the run again"
        )
    pictures = {g.picture for g in manifest.golden.pictures}
    return Bundle(
        path=path,
        manifest=manifest,
        labels=labels,
        model=files[MODEL],
        golden={name: files[name] for name in pictures},
        digest=hashlib.sha256(raw).hexdigest(),
        files=everything,
        signature=signature,
        signer=signer,
    )


def write_manifest(folder: Path, **fields: Any) -> None:
    """Writes `bundle.json` for the files in `folder`, which makes the folder a bundle.

    Args:
        folder: the folder that has every other file of the bundle.
        fields: all fields of `Manifest` except `schema_version` and `files`.
    """
    files = {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.relative_to(folder).as_posix() not in _NOT_NAMED
    }
    manifest = Manifest(schema_version=SCHEMA_VERSION, files=files, **fields)
    text = json.dumps(manifest.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def version_key(version: str) -> tuple[int, ...]:
    """The key for comparing versions: 2026.11.3 is newer than 2026.9.12."""
    return tuple(int(part) for part in version.split("."))


def _check_names(names: set[str], manifest: Manifest, path: Path) -> None:
    """Checks that the files are those that the manifest names, and include the required ones."""
    if absent := sorted(set(manifest.files) - names):
        raise BundleFileMissingError(
            f"{path}: {absent[0]} is missing, though {MANIFEST} names it: copy the bundle again"
        )
    if extra := sorted(names - set(manifest.files)):
        raise BundleFileExtraError(
            f"{path}: {in_a_list(extra)} {'is' if len(extra) == 1 else 'are'} not named by "
            f"{MANIFEST}: remove what does not belong to the bundle"
        )
    wanted = (LABELS, MODEL, *(golden.picture for golden in manifest.golden.pictures))
    if absent := [name for name in wanted if name not in names]:
        raise BundleFileMissingError(f"{path}: {absent[0]} is missing: convert the run again")


def _manifest(raw: bytes, path: Path) -> Manifest:
    try:
        fields = read_json(raw)
    except ValueError as error:
        raise BundleFormatError(f"{path}: {MANIFEST} is not JSON: {error}") from error
    version = fields.get("schema_version") if isinstance(fields, dict) else None
    if version != SCHEMA_VERSION:
        raise BundleVersionError(
            f"{path}: {MANIFEST} has schema version {version!r}, this pilah reads "
            f"{SCHEMA_VERSION}: install a newer pilah, or convert the run with this one"
        )
    try:
        manifest = Manifest.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BundleFormatError(
            f"{path}: {MANIFEST}: {where}: {first['msg']}. Received: {first['input']!r:.80}"
        ) from error
    if impossible := sorted(set(_NOT_NAMED) & set(manifest.files)):
        raise BundleFormatError(
            f"{path}: {MANIFEST} names {impossible[0]}, of which it cannot know the SHA-256: "
            "convert the run again"
        )
    return manifest


def _labels(raw: bytes, path: Path) -> tuple[str, ...]:
    try:
        return parse_label_list(raw, name=f"{path}: {LABELS}", numbered=False)
    except LabelListError as error:
        raise BundleFormatError(str(error)) from error
