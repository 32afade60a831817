"""The run: the folder one training leaves behind, and all that the converter needs.

`model.keras` takes raw levels 0..255 as (batch, height, width, channels) and gives class
probabilities; its last layers are a Dense named `logits`, into which the temperature is folded, and
a Softmax named `scores`. Where the run has a novelty score, a second output named
`unknown` (batch, 1) is it, 0..1. It has no augmentation layers. `run.json` is
`RunFacts`; `split.csv` says which picture, by its path and its content, belongs to which split;
`recipe.yaml` is the recipe as resolved; `metrics.json`, `history.csv`, `confusion.svg` and
`report.html` are the evaluation, `predictions.csv` what the model says of each test picture.
`tensorboard/` has the curves for TensorBoard. `skipped.txt` names the files that were left out;
`seen.csv` the pictures that only the runs before it knew, where the training started from one.
"""

from __future__ import annotations

import csv
import importlib.metadata
import io
import json
import platform
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge import __version__
from edge.core.dataset import SPLITS, LabelledPicture
from edge.core.errors import LabelListError, PilahError
from edge.core.files import check_regular, read_regular, storage_errors, write_file
from edge.core.images.preprocess import InputSpec
from edge.core.json_text import read_json
from edge.core.labels import check_label_list
from trainer.errors import RunError

MODEL = "model.keras"
FACTS = "run.json"
SPLIT = "split.csv"
SEEN = "seen.csv"
SKIPPED = "skipped.txt"
RECIPE = "recipe.yaml"
METRICS = "metrics.json"
HISTORY = "history.csv"
CONFUSION = "confusion.svg"
TENSORBOARD = "tensorboard"
REPORT = "report.html"
_LARGEST_FACTS = 16 << 20
"""Bytes of `run.json`."""

_LARGEST_SPLIT = 1 << 30
_COLUMNS = ("path", "label", "group", "part", "sha256")


class DataFacts(BaseModel):
    """The pictures that a run was made from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    """The absolute path of the pictures; the paths of `split.csv` are relative to `root`."""
    root: str
    digest: str
    """SHA-256 over every picture's content digest, label and split."""
    pictures: dict[str, int]
    """How many in each split."""
    skipped: int
    """Files that could not be read."""


class UnknownFacts(BaseModel):
    """The novelty score, which `model.keras` has as its second output."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    score: Literal["energy", "distance", "both"]
    threshold: float | None
    """A score above it, 0..1, is rejected as unknown; None: none is, for want of pictures."""
    keep: float
    """The share of known things that it is to keep."""
    kept: dict[str, Any]
    """`value` and `interval`: the share of validation pictures kept, each by a threshold that was
    set without it."""
    left_out: dict[str, dict[str, dict[str, Any]]] = {}
    """By score and label: `value` and `interval` of the share found, `auroc` and `images`, measured
    on the frozen network without that class."""
    note: str = ""


class AcceptBasis(BaseModel):
    """The scores by which the accept thresholds were chosen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scores: Literal["cross-fitted", "validation"]
    """The origin of the scores: cross-fitted models, each of which was not trained on the pictures
    that it scored, or the final model on the validation split."""
    images: int
    """Pictures so scored."""
    folds: int
    """Cross-fitted models that were used: those trained whole, and about as good as the final."""
    folds_planned: int
    note: str = ""
    """Why fewer folds were used than planned, and what that means; empty if all were used."""


class StartFacts(BaseModel):
    """The earlier run that a training started from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    """Where it lay, absolute."""
    model: str
    """SHA-256 of its model file."""
    new_labels: tuple[str, ...]
    """The classes that it did not have."""
    validation_accuracy: float
    """Before training, on the validation split, 0..1."""


def _checked_labels(labels: tuple[str, ...]) -> tuple[str, ...]:
    try:
        check_label_list(labels, name="labels")
    except LabelListError as error:
        raise ValueError(str(error)) from error
    return labels


class RunFacts(BaseModel):
    """`run.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    recipe: str
    variant: str
    seed: int
    labels: Annotated[tuple[str, ...], AfterValidator(_checked_labels)]
    input: InputSpec
    temperature: Annotated[float, Field(gt=0)]
    """The number by which the logits are divided, already folded into `model.keras`."""
    accept: dict[str, Annotated[float, Field(ge=0, le=1)]]
    accept_notes: dict[str, str] = {}
    """For each label whose threshold promises nothing, the reason and what would be needed."""
    accept_basis: AcceptBasis | None = None
    """None in a run of an earlier pilah, which did not say."""
    unknown: UnknownFacts | None = None
    """None where `model.keras` has no such score."""
    started_from: StartFacts | None = None
    """None where the training did not start from an earlier run."""
    data: DataFacts
    finished: str
    """UTC, ISO 8601, seconds."""
    minutes: float
    """Wall time of the whole training."""
    stopped_early: bool
    """Ended by Ctrl-C or by `--max-minutes` before the recipe's last epoch."""
    parameters: int
    tools: dict[str, str]

    @model_validator(mode="after")
    def _a_threshold_for_each_label(self) -> Self:
        if set(self.accept) != set(self.labels):
            raise ValueError("accept must have a threshold for each of the labels, and no other")
        return self


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run."""

    path: Path
    facts: RunFacts

    def pictures(
        self, data: Path | None = None, *, advice: str = "put it back, or train again"
    ) -> tuple[LabelledPicture, ...]:
        """Every picture with its label, group and split.

        Args:
            data: the folder the pictures lie in now; None: where they lay in training.
            advice: what to do where a picture is not there.

        Raises:
            RunError: `split.csv` is damaged, or a picture is not there any more.
        """
        root = data or Path(self.facts.data.root)
        try:
            found = tuple(
                LabelledPicture(root / row["path"], row["label"], row["group"], row["part"])
                for row in _split_rows(self.path / SPLIT)
            )
        except (OSError, KeyError, TypeError, UnicodeDecodeError, csv.Error) as error:
            raise RunError(f"{self.path / SPLIT}: cannot be read: {error}. Train again") from error
        for picture in found:
            if picture.label not in self.facts.labels or picture.split not in SPLITS:
                raise RunError(
                    f"{self.path / SPLIT}: {picture.path.name} is of the class {picture.label!r} "
                    f"in the split {picture.split!r}, which this run does not have. Train again"
                )
            if not picture.path.is_file():
                raise RunError(
                    f"{picture.path}: a picture of this run is not there any more: {advice}"
                )
        return found

    def learning_forecast(self) -> dict[str, Any] | None:
        """What more pictures of each class would bring, as `metrics.json` has it: `more`, `gain`
        and `interval`; None: the training had no forecast, or was of a pilah that made none.

        Raises:
            RunError: `metrics.json` is damaged.
        """
        file = self.path / METRICS
        if not file.exists():
            return None
        try:
            with storage_errors("read", file):
                found = read_json(read_regular(file, largest=_LARGEST_FACTS))
            curve = found.get("learning_curve") or {}
            forecast: dict[str, Any] | None = curve.get("forecast")
        except (ValueError, AttributeError) as error:
            raise RunError(
                f"{file}: is damaged: restore it, or remove it if nobody needs its figures"
            ) from error
        return forecast

    def load_model(self) -> Any:
        """The Keras model, uncompiled.

        Raises:
            RunError: the file is missing or damaged.
        """
        import keras

        try:
            check_regular(self.path / MODEL)
            with zipfile.ZipFile(self.path / MODEL) as archive:
                if (part := archive.testzip()) is not None:  # Keras does not look at checksums
                    raise ValueError(f"its part {part} is damaged")
            return keras.saving.load_model(self.path / MODEL, compile=False)
        except Exception as error:  # Keras and what it reads with raise anything over such a file
            why = " ".join(str(error).split())[:300]
            raise RunError(f"{self.path / MODEL}: cannot be loaded: {why}. Train again") from error


def tool_versions() -> dict[str, str]:
    """Name and version, where it is installed, of what a run and a bundle depend on."""
    versions = {"pilah": __version__, "python": platform.python_version()}
    for tool in (
        "tensorflow", "tensorflow-cpu", "keras", "ai-edge-litert", "numpy",
        "opencv-python-headless",
    ):  # fmt: skip
        try:
            versions[tool] = importlib.metadata.version(tool)
        except importlib.metadata.PackageNotFoundError:
            continue  # TensorFlow comes under one of two names, OpenCV perhaps from the system
    return versions


def read_run(path: Path) -> Run:
    """The run in the folder `path`.

    Raises:
        RunError: no run, one that did not finish, or one of another pilah.
    """
    if not (path / FACTS).is_file():
        raise RunError(
            f"{path}: not a finished run, it has no {FACTS}: make one with "
            "`pilah-trainer train RECIPE --data PATH --out RUN`"
        )
    try:
        with storage_errors("read", path / FACTS):
            raw = read_regular(path / FACTS, largest=_LARGEST_FACTS)
        return Run(path, RunFacts.model_validate(read_json(raw)))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        # A mistake between keys has no place of its own, and what was received is the whole file.
        said = (
            f"{where}: {first['msg']}. Received: {first['input']!r:.80}" if where else first["msg"]
        )
        raise RunError(
            f"{path / FACTS}: not as this pilah writes it: {said}. Train again"
        ) from error
    except ValueError as error:
        if isinstance(error, PilahError):
            raise
        raise RunError(f"{path / FACTS}: no JSON: {error}. Train again") from error


@dataclass(frozen=True, slots=True)
class SplitRow:
    """One picture of a run, as `split.csv` has it."""

    path: str
    """Relative to `DataFacts.root`; absolute in `seen.csv`."""
    label: str
    group: str
    split: str
    sha256: str
    """Of its file, in hexadecimal."""


def split_rows(path: Path) -> tuple[SplitRow, ...]:
    """The pictures of the run in the folder `path`, or of a `split.csv` that lies elsewhere.

    Raises:
        RunError: its `split.csv` is missing or damaged.
    """
    return _checked_rows(_split_file(path))


def earlier_rows(path: Path) -> tuple[SplitRow, ...]:
    """The pictures of a run, and those of the runs before it that it was not given.

    The weights of a run that started from another one have learned from these, too.

    Args:
        path: a finished run; or a `split.csv`, as comparisons and sweeps draw splits beforehand.

    Raises:
        RunError: there is no such run, or its `split.csv` or `seen.csv` is damaged.
    """
    if path.name != SPLIT:
        read_run(path)
    seen = _split_file(path).with_name(SEEN)
    return (*split_rows(path), *(_checked_rows(seen) if seen.exists() else ()))


def _checked_rows(file: Path) -> tuple[SplitRow, ...]:
    try:
        rows = [SplitRow(*(row[column] for column in _COLUMNS)) for row in _split_rows(file)]
    except (OSError, KeyError, TypeError, UnicodeDecodeError, csv.Error) as error:
        raise RunError(
            f"{file}: does not say by {', '.join(_COLUMNS)} which picture was used for "
            f"what, as this pilah writes it ({error!r}). Train again"
        ) from error
    if wrong := sorted({str(row.split) for row in rows} - set(SPLITS)):
        raise RunError(f"{file}: the splits must be {', '.join(SPLITS)}. Received: {wrong}")
    return tuple(rows)


def _split_rows(file: Path) -> Iterable[dict[str, str]]:
    text = read_regular(file, largest=_LARGEST_SPLIT).decode()
    return csv.DictReader(io.StringIO(text, newline=""))


def _split_file(path: Path) -> Path:
    return path if path.name == SPLIT else path / SPLIT


def unfinished_folder(run: Path) -> Path:
    """The folder of the checkpoint of a training to `run`, beside the run to be."""
    return run.absolute().parent / f".{run.name}.training"


def write_split(
    folder: Path, root: Path, pictures: Sequence[LabelledPicture], digests: Sequence[str]
) -> None:
    """Writes `split.csv`: of every picture path (relative to `root`), label, group, split, digest.

    Args:
        digests: SHA-256 of the content of each picture's file, in hexadecimal.
    """
    lines = [
        (p.path.relative_to(root).as_posix(), p.label, p.group, p.split, digest)
        for p, digest in zip(pictures, digests, strict=True)
    ]
    _write_rows(folder / SPLIT, lines)


def write_seen(folder: Path, rows: Sequence[SplitRow]) -> None:
    """Writes `seen.csv`: the pictures of earlier runs, by absolute paths."""
    _write_rows(folder / SEEN, [(r.path, r.label, r.group, r.split, r.sha256) for r in rows])


def _write_rows(file: Path, lines: Iterable[Sequence[object]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([_COLUMNS, *lines])
    write_file(file, text.getvalue())


def write_facts(folder: Path, facts: RunFacts) -> None:
    """Writes `run.json`, last of all: a folder that has it is a finished run."""
    text = json.dumps(facts.model_dump(mode="json"), indent=2, ensure_ascii=False)
    write_file(folder / FACTS, text + "\n")
