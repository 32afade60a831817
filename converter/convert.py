"""From a run to a bundle: calibrate, convert twice, compare, and write what passes the gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from converter.battery import Format
from converter.bundle import bundle_title, check_out, write_bundle
from converter.calibration import calibration_tensors, choose_calibration
from converter.errors import CalibrationError, GateError
from converter.exports import Exports, check_exports, exports_folder, write_exports
from converter.metadata import with_metadata
from converter.parity import Parity, compare, judge, score_both
from converter.tflite import convert_model
from edge.model.bundle import Bundle
from edge.pictures import LabelledPicture
from trainer.errors import RunError
from trainer.run import Run, read_run

CALIBRATION_PICTURES = 100
"""On 50, 100, 200 and 400 photographs MobileNetV2 came out alike; each costs time."""


@dataclass(frozen=True, slots=True, eq=False)
class Conversion:
    """A bundle, and how it compares with the float model it was made from."""

    bundle: Bundle
    parity: Parity
    exports: Exports | None
    """The other formats; None where none was wanted."""
    warnings: tuple[str, ...]
    """Figures worse than a bar of the gate, within what chance could explain."""


def convert(
    run: Path,
    out: Path,
    *,
    data: Path | None = None,
    name: str | None = None,
    version: str | None = None,
    formats: Sequence[Format] = ("int8",),
    calibration_pictures: int = CALIBRATION_PICTURES,
    seed: int | None = None,
    replace: bool = False,
) -> Conversion:
    """The bundle of a finished run, written to the folder `out`.

    Args:
        run: the folder a training left behind.
        data: where the run's pictures lie now; None: where they lay in training.
        name: of the bundle; None: that of the data's folder.
        version: numbers with dots; None: from the time the training finished.
        formats: those besides int8 are written to `BUNDLE-exports`; see `converter.exports`.
        calibration_pictures: how many to measure the integers' ranges on, at most.
        seed: decides which pictures calibrate and which become golden; None: the run's.
        replace: take the place of a bundle that is there, once the new one is whole.

    Raises:
        RunError: no finished run, or its pictures are not there.
        CalibrationError: too few pictures to calibrate on or to judge by.
        UnreadableImageError: a picture has been damaged since the training.
        ConversionError: TensorFlow cannot convert the model.
        GateError: int8 answers too differently from float. No bundle is left.
        StorageError: `out` is there already or cannot be written.
    """
    check_out(out, replace=replace)
    others_too = tuple(formats) != ("int8",)
    if others_too:
        check_exports(exports_folder(out), replace=replace)
    source = read_run(run)
    facts = source.facts
    title = bundle_title(facts, name=name, version=version)
    pictures = _checked_pictures(source, data)
    seed = facts.seed if seed is None else seed
    chosen = choose_calibration(pictures, calibration_pictures, seed=seed)
    used = {picture.path for picture in chosen}
    others = [picture for picture in pictures if picture.path not in used]
    tensors = calibration_tensors(chosen, facts.input)
    float32 = convert_model(source, "float32", tensors)
    int8 = convert_model(source, "int8", tensors)
    parity = compare(*score_both(others, facts.input, float32=float32, int8=int8), others, facts)
    verdict = judge(parity)
    if verdict.failures:
        raise GateError(_refusal(verdict.failures, run, calibration_pictures), parity)
    bundle = write_bundle(
        out,
        source,
        title=title,
        model=with_metadata(
            int8,
            name=title.name,
            version=title.version,
            spec=facts.input,
            labels=facts.labels,
        ),
        parity=parity,
        pictures=pictures,
        calibration_pictures=len(chosen),
        seed=seed,
        warnings=verdict.warnings,
        replace=replace,
    )
    exports = None
    if others_too:
        exports = write_exports(
            exports_folder(out),
            source,
            bundle,
            formats,
            pictures=pictures,
            float32=float32,
            calibration=tensors,
            seed=seed,
            replace=replace,
        )
    return Conversion(bundle, parity, exports, verdict.warnings)


def _checked_pictures(run: Run, data: Path | None) -> tuple[LabelledPicture, ...]:
    pictures = run.pictures(data)
    if strange := sorted({picture.label for picture in pictures} - set(run.facts.labels)):
        raise RunError(
            f"{run.path}: split.csv has labels that run.json has not: {', '.join(strange)}. "
            "Train again"
        )
    if set(run.facts.accept) != set(run.facts.labels):
        raise RunError(f"{run.path}: run.json has not one accept threshold for each label: "
                       "train again")  # fmt: skip
    if not any(picture.part == "test" for picture in pictures):
        raise CalibrationError(
            f"{run.path}: the run has no test part, so nothing shows what int8 loses: train with "
            "a split that has one"
        )
    return pictures


def _refusal(failures: Sequence[str], run: Path, calibration_pictures: int) -> str:
    return (
        f"{run}: the int8 model does not pass, so no bundle was written.\n"
        + "".join(f"  - {failure}\n" for failure in failures)
        + f"Try --calibration-pictures {2 * calibration_pictures}, or another --seed; see that the "
        "training part shows every label as the others do; else train longer or with more "
        "pictures: a model that wavers between two labels changes its mind with every rounding"
    )
