"""From a run to a bundle: quantise, compare with float, and write what passes the gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from converter.bundle.writer import bundle_draft, bundle_title, check_out
from converter.calibration import CALIBRATED_ON, calibration_tensors, choose_calibration
from converter.errors import CalibrationError
from converter.exports.formats import Source, keras_pieces, tflite_pieces
from converter.exports.tflite import convert_model
from converter.exports.writer import (
    Exports,
    check_exports,
    exports_folder,
    read_test_part,
    write_exports,
)
from converter.parity.export_parity import Format
from converter.parity.gate import GateError, GateVerdict, Parity, compare, judge, score_both
from converter.quantization.calibration_checks import (
    QuantizedModel,
    check_calibration,
    check_tensors,
    other_tensors,
)
from converter.quantization.fallbacks import PLAIN, Attempt, try_fallbacks
from converter.tensorflow.process import Piece, begin_ahead, working_ahead
from edge.core.dataset import LabelledPicture
from edge.core.model.bundle import Bundle
from trainer.run import Run, read_run


@dataclass(frozen=True, slots=True, eq=False)
class Conversion:
    """A bundle, and how it compares with the float model it was made from."""

    bundle: Bundle
    parity: Parity
    exports: Exports | None
    """The other formats; None where none was wanted."""
    attempts: tuple[Attempt, ...]
    """The plain conversion and the fallbacks that were tried."""
    kept: Attempt
    warnings: tuple[str, ...]
    """Figures worse than a bar of the gate, within what chance could explain."""


@working_ahead()
def convert(
    run: Path,
    out: Path,
    *,
    data: Path | None = None,
    name: str | None = None,
    version: str | None = None,
    formats: Sequence[Format] = ("int8",),
    calibration_pictures: int = CALIBRATED_ON,
    seed: int | None = None,
    fallbacks: bool = True,
    replace: bool = False,
) -> Conversion:
    """The bundle of a finished run, written to the folder `out`.

    Args:
        run: the folder a training left behind.
        data: where the run's pictures lie now; None: where they lay in training.
        name: of the bundle; None: that of the folder `out`.
        version: numbers with dots; None: from the time the training finished.
        formats: those besides int8 are written to `BUNDLE-exports`; see `converter.exports.writer`.
        calibration_pictures: how many to choose ranges and the rounding of weights by, at most.
        seed: decides which pictures calibrate and which become golden; None: the run's.
        fallbacks: where int8 does not pass, try what is known to help; see
            `converter.quantization.fallbacks`.
        replace: take the place of a bundle that is there, once the new one is whole.

    Raises:
        RunError: no finished run, or its pictures are not there.
        CalibrationError: too few pictures to calibrate on or to judge by.
        UnreadableImageError: a picture has been damaged since the training.
        ConversionError: TensorFlow cannot convert the model.
        GateError: int8 answers too differently from float. No bundle is left.
        StorageError: `out` is there already or cannot be written.

    Example:
        >>> made = convert(Path("runs/first"), Path("bundles/first"), formats=["int8", "float16"])
    """
    check_out(out, replace=replace)
    others_too = tuple(formats) != ("int8",)
    if others_too:
        check_exports(exports_folder(out), replace=replace)
    source = read_run(run)
    facts = source.facts
    title = bundle_title(facts, out, name=name, version=version)
    pictures = _checked_pictures(source, data)
    seed = facts.seed if seed is None else seed
    chosen = choose_calibration(pictures, calibration_pictures, seed=seed)
    tensors = calibration_tensors(chosen, facts.input)
    check_tensors(tensors, chosen, facts.input)  # fallbacks read theirs by the same function
    # Those of the gate first. What is begun here is waited for where it is used.
    begin_ahead(source, [Piece("float32", tensors), *tflite_pieces(formats, tensors)])
    integers = [Piece("int8", tensors)]
    if (others := other_tensors(pictures, chosen, facts.input, seed=seed)) is not None:
        integers.append(Piece("int8", others))
    begin_ahead(source, integers)
    tested = read_test_part(pictures, facts.input, seed=seed) if others_too else None
    if tested is not None:
        begin_ahead(source, keras_pieces(formats, tested, tensors))
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
        made_from = Source(source, bundle, tested, best.tensors, float32)
        exports = write_exports(exports_folder(out), made_from, formats, replace=replace)
    return Conversion(bundle, best.parity, exports, tuple(attempts), best, best.verdict.warnings)


def _checked_pictures(run: Run, data: Path | None) -> tuple[LabelledPicture, ...]:
    pictures = run.pictures(data)
    if not any(picture.split == "test" for picture in pictures):
        raise CalibrationError(
            f"{run.path}: the run has no test part, so nothing shows what int8 loses: train with "
            "a split that has one"
        )
    return pictures


def _refusal(attempts: Sequence[Attempt], run: Path, calibration_pictures: int) -> str:
    failures = attempts[0].verdict.failures
    tried = "".join(f"  {attempt.line}\n" for attempt in attempts[1:])
    return (
        f"{run}: the int8 model does not pass, so no bundle was written.\n"
        + "".join(f"  - {failure}\n" for failure in failures)
        + (f"Tried, and not enough:\n{tried}" if tried else "")
        + f"Try --calibration-pictures {2 * calibration_pictures}, or another --seed; see that the "
        "training part shows every label as the others do; else train longer or with more "
        "pictures: a model that wavers between two labels changes its mind with every rounding"
    )
