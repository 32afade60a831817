"""Converts a run into a bundle: quantise, compare with float, and write what passes the gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from converter.bundle.writer import bundle_draft, bundle_title, check_bundle_path
from converter.calibration import CALIBRATION_PICTURES, calibration_tensors, choose_calibration
from converter.errors import CalibrationError
from converter.exports.export_folders import (
    Exports,
    check_exports_path,
    exports_folder,
    read_test_split,
    write_exports,
)
from converter.exports.formats import ExportSource, keras_requests, tflite_requests
from converter.exports.tflite import convert_model
from converter.parity.export_parity import Format
from converter.parity.gate import GateError, GateVerdict, Parity, compare, judge, score_both
from converter.quantization.calibration_checks import (
    QuantizedModel,
    alternative_tensors,
    check_calibration,
    check_tensors,
)
from converter.quantization.fallbacks import PLAIN, Attempt, try_fallbacks
from converter.tensorflow.process import TaskRequest, background_tasks, start_in_background
from edge.core.dataset import LabelledPicture
from edge.core.model.bundle import Bundle
from trainer.run import Run, read_run


@dataclass(frozen=True, slots=True, eq=False)
class Conversion:
    """The bundle of a run, and how it compares with the float model that it was made from."""

    bundle: Bundle
    parity: Parity
    exports: Exports | None
    """The exports in other formats, or None if none were requested."""
    attempts: tuple[Attempt, ...]
    """The plain conversion and the fallbacks that were tried, in order."""
    kept: Attempt
    """The attempt whose model is in the bundle."""
    warnings: tuple[str, ...]
    """Figures that are worse than a limit of the gate, by no more than chance could explain."""


@background_tasks()
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
    fallbacks: bool = True,
    replace: bool = False,
) -> Conversion:
    """Makes the bundle of a finished run and writes it to the folder `out`.

    Args:
        run: the folder of the run.
        out: the folder of the bundle.
        data: the folder of the run's pictures; None takes the one that was used in training.
        name: the bundle's name; None takes the name of the folder `out`.
        version: numbers with dots between; None makes it from the time the training finished.
        formats: the formats; those besides int8 are written to `BUNDLE-exports`, see
            `converter.exports.export_folders`.
        calibration_pictures: the largest number of calibration pictures.
        seed: decides which pictures calibrate and which become golden pictures; None takes the
            run's seed.
        fallbacks: tries other ways to quantise if the int8 model does not pass the gate; see
            `converter.quantization.fallbacks`.
        replace: replaces a bundle that is already there, after the new one is complete.

    Raises:
        RunError: there is no finished run, or its pictures are missing.
        CalibrationError: too few pictures to calibrate on or to evaluate with.
        UnreadableImageError: a picture has been damaged since the training.
        ConversionError: TensorFlow cannot convert the model.
        GateError: the int8 model answers too differently from float. No bundle is written.
        StorageError: `out` exists already or cannot be written.

    Example:
        >>> made = convert(Path("runs/first"), Path("bundles/first"), formats=["int8", "float16"])
    """
    check_bundle_path(out, replace=replace)
    others_too = tuple(formats) != ("int8",)
    if others_too:
        check_exports_path(exports_folder(out), replace=replace)
    source = read_run(run)
    facts = source.facts
    title = bundle_title(facts, out, name=name, version=version)
    pictures = _checked_pictures(source, data)
    seed = facts.seed if seed is None else seed
    chosen = choose_calibration(pictures, calibration_pictures, seed=seed)
    tensors = calibration_tensors(chosen, facts.input)
    check_tensors(tensors, chosen, facts.input)  # fallbacks read their tensors the same way
    # The models for the gate come first. Each result is waited for where it is used.
    start_in_background(
        source, [TaskRequest("float32", tensors), *tflite_requests(formats, tensors)]
    )
    integers = [TaskRequest("int8", tensors)]
    if (others := alternative_tensors(pictures, chosen, facts.input, seed=seed)) is not None:
        integers.append(TaskRequest("int8", others))
    start_in_background(source, integers)
    tested = read_test_split(pictures, facts.input, seed=seed) if others_too else None
    if tested is not None:
        start_in_background(source, keras_requests(formats, tested, tensors))
    float32 = convert_model(source, "float32", tensors)

    def judged(model: bytes, calibrated: Sequence[LabelledPicture]) -> tuple[Parity, GateVerdict]:
        used = {picture.path for picture in calibrated}
        rest = [picture for picture in pictures if picture.path not in used]
        both = score_both(rest, facts.input, float32=float32, int8=model)
        parity = compare(*both, rest, facts)
        return parity, judge(parity)

    int8 = convert_model(source, "int8", tensors)
    attempts = [Attempt(PLAIN, int8, tensors, chosen, *judged(int8, chosen))]
    if fallbacks:
        attempts = try_fallbacks(attempts[0], source, pictures, seed=seed, judged=judged)
    best = attempts[-1]
    if not best.passed:
        raise GateError(_refusal(attempts, run, calibration_pictures), attempts[0].parity)
    check = check_calibration(source, pictures, best, seed=seed)
    quantized = QuantizedModel(best, tuple(attempts), check)
    draft = bundle_draft(source, quantized, title=title, pictures=pictures, seed=seed)
    bundle = draft.write(out, replace=replace)
    exports = None
    if tested is not None:
        made_from = ExportSource(source, bundle, tested, best.tensors, float32)
        exports = write_exports(exports_folder(out), made_from, formats, replace=replace)
    return Conversion(bundle, best.parity, exports, tuple(attempts), best, best.verdict.warnings)


def _checked_pictures(run: Run, data: Path | None) -> tuple[LabelledPicture, ...]:
    pictures = run.pictures(data, advice="say where the pictures lie now with --data FOLDER")
    if not any(picture.split == "test" for picture in pictures):
        raise CalibrationError(
            f"{run.path}: the run has no test split, so the loss by int8 cannot be measured: train "
            "with a split that has a test split"
        )
    return pictures


def _refusal(attempts: Sequence[Attempt], run: Path, calibration_pictures: int) -> str:
    failures = attempts[0].verdict.failures
    tried = "".join(f"  {attempt.summary}\n" for attempt in attempts[1:])
    return (
        f"{run}: the int8 model does not pass, so no bundle was written.\n"
        + "".join(f"  - {failure}\n" for failure in failures)
        + (f"These fallbacks were tried and do not pass either:\n{tried}" if tried else "")
        + f"Try --calibration-pictures {2 * calibration_pictures}, or another --seed. Check that "
        "the pictures of the training split look like those of the other parts. Else train longer "
        "or with more pictures: where a model is unsure between two labels, rounding decides"
    )
