"""Writes a bundle completely, reads it back and checks it, or leaves nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from converter.bundle.card import model_card
from converter.bundle.golden_choice import (
    ReferencePicture,
    choose_golden,
    golden_tolerance,
    unknown_tolerance,
)
from converter.quantization.calibration_checks import QuantizedModel
from converter.tflite.metadata import with_metadata
from edge.core.dataset import LabelledPicture
from edge.core.errors import ConfigError, StorageError, UsageError
from edge.core.files import new_folder
from edge.core.images.preprocess import InputSpec
from edge.core.model import bundle as bundles
from edge.core.model.classifier import Classifier
from edge.core.model.golden import check_golden_exactly, check_golden_start, record_golden
from edge.core.model.trial import note_harmless
from edge.core.yaml_file import YamlFile
from trainer.errors import RunError
from trainer.run import RECIPE, Run, RunFacts, tool_versions

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*")


def bundle_title(
    facts: RunFacts, out: Path, *, name: str | None, version: str | None
) -> bundles.Title:
    """The title of a run's bundle.

    Args:
        facts: what the run says of itself.
        out: the folder of the bundle.
        name: the bundle's name; None makes it from `out`, or else from the recipe's name.
        version: the bundle's version; None makes it from the time the training finished.

    Raises:
        UsageError: the name or version is not allowed.
    """
    return checked_title(
        (name_from_folder(out) or facts.recipe) if name is None else name,
        version_from_time(facts.finished) if version is None else version,
    )


def name_from_folder(out: Path) -> str:
    """A bundle's name made from the name of a folder; empty if no character of it is allowed."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", out.absolute().name).strip("._-")[:64]


def version_from_time(time: str) -> str:
    """A version made from an ISO 8601 time, such that a later time gives a higher version."""
    date, _, clock = time.partition("T")
    return f"{date.replace('-', '.')}.{re.sub('[^0-9]', '', clock)[:6]}"


def checked_title(name: str, version: str) -> bundles.Title:
    """The title with this name and version.

    Raises:
        UsageError: the name or version is not allowed.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            "--name takes up to 64 letters, digits, '.', '_' and '-', and begins with a letter or "
            f"digit. Received: {name!r}"
        )
    if not _VERSION.fullmatch(version):
        raise UsageError(
            f"--version takes numbers with dots between, such as 1.2. Received: {version!r}"
        )
    return bundles.Title(name, version)


def check_bundle_path(out: Path, *, replace: bool) -> None:
    """Checks, before the long work, that a bundle may be written to `out`.

    Raises:
        StorageError: the path exists, and it is not a bundle that may be replaced.
    """
    if not out.exists():
        return
    if not replace:
        raise StorageError(
            f"{out} is there already: choose another --out, or replace it with --replace"
        )
    if not (out / bundles.MANIFEST).is_file():
        raise StorageError(
            f"{out} is there already and is not a bundle, so --replace does not replace it: choose "
            "another --out"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """The content of a bundle before it is written."""

    title: bundles.Title
    model: bytes
    """The `.tflite` file's bytes."""
    labels: Sequence[str]
    spec: InputSpec
    golden: Sequence[ReferencePicture]
    card: str
    manifest: Mapping[str, Any]
    """The other entries of `bundle.json`; see `edge.core.model.bundle.Manifest`."""

    def write(self, out: Path, *, replace: bool) -> bundles.Bundle:
        """Writes the bundle to the folder `out`, reads it back and checks its golden pictures.

        Args:
            out: the folder of the bundle.
            replace: replaces a bundle that is already there.

        Raises:
            StorageError: `out` exists already or cannot be written.
            BundleError: the bundle that was written fails a check; nothing is left of it.
        """
        labels, golden = self.labels, self.golden
        with new_folder(out, replace=replace) as folder:
            (folder / bundles.GOLDEN).mkdir()
            for index, picture in enumerate(golden):
                (folder / bundles.GOLDEN / f"{index}.png").write_bytes(picture.png)
            (folder / bundles.MODEL).write_bytes(self.model)
            text = "".join(f"{label}\n" for label in labels)
            (folder / bundles.LABELS).write_bytes(text.encode())
            (folder / bundles.CARD).write_bytes(self.card.encode())
            bundles.write_manifest(
                folder,
                name=self.title.name,
                version=self.title.version,
                input=self.spec,
                golden={
                    "tolerance": golden_tolerance(golden, self.model),
                    "unknown_tolerance": unknown_tolerance(golden, self.model),
                    "pictures": record_golden(
                        [picture.prediction for picture in golden],
                        [picture.tensor for picture in golden],
                    ),
                },
                **self.manifest,
            )
            bundle = bundles.read_bundle(folder)
            note_harmless(bundle)  # it ran in this process when golden pictures were chosen
            check_golden_exactly(bundle)
            check_golden_start(Classifier(bundle))
        return bundles.read_bundle(out)


def bundle_draft(
    run: Run,
    quantized: QuantizedModel,
    *,
    title: bundles.Title,
    pictures: Sequence[LabelledPicture],
    seed: int,
) -> Draft:
    """The content of a run's bundle, before it is written.

    Args:
        run: the run.
        quantized: the run's int8 model, which has passed the gate.
        title: the bundle's name and version.
        pictures: all pictures of the run; golden pictures are chosen from the test split.
        seed: decides which pictures become golden pictures.
    """
    facts, kept = run.facts, quantized.kept
    model = with_metadata(
        kept.model,
        name=title.name,
        version=title.version,
        spec=facts.input,
        labels=facts.labels,
    )
    thresholds = kept.parity.thresholds
    manifest = {
        "accept": dict(thresholds.accept),
        "unknown": facts.unknown
        and {"score": facts.unknown.score, "threshold": thresholds.unknown},
        "quantization": {"scheme": "int8", "calibration_pictures": kept.calibrated_on},
        "figures": kept.parity.to_json()
        | {
            "kept": kept.fallback,
            "attempts": [attempt.to_json() for attempt in quantized.attempts],
            "calibration": quantized.check.to_json(),
            "learning": run.learning_forecast(),
        },
        "recipe": _recipe(run),
        "data": facts.data.model_dump(mode="json", include={"digest", "pictures", "skipped"}),
        "tools": facts.tools | tool_versions(),
    }
    return Draft(
        title=title,
        model=model,
        labels=facts.labels,
        spec=facts.input,
        golden=choose_golden(pictures, model, facts.input, seed=seed),
        card=model_card(str(title), facts, quantized),
        manifest=manifest,
    )


def _recipe(run: Run) -> dict[str, Any]:
    facts = run.facts
    recipe: dict[str, Any] = {"name": facts.recipe} | facts.model_dump(
        mode="json",
        include={
            "variant", "seed", "temperature", "accept_notes", "accept_basis", "finished", "minutes",
            "stopped_early", "parameters", "unknown",
        },
    )  # fmt: skip
    if (resolved := run.path / RECIPE).is_file():
        try:
            recipe["resolved"] = YamlFile(resolved).content
        except ConfigError as error:
            raise RunError(f"{error}. Train again") from error
    return recipe
