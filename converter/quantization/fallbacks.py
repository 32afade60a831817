"""Other ways to quantise a model, tried when the plain int8 model fails the gate.

They are ordered by cost. Other calibration pictures and narrower ranges cost nothing on the device.
A last layer that is refitted to the int8 features costs nothing either, but it may overfit. Layers
in float make the model larger and slower.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from converter.calibration import (
    CALIBRATION_PICTURES,
    Tensors,
    calibration_tensors,
    choose_calibration,
)
from converter.errors import CalibrationError, ConversionError
from converter.parity.gate import GateVerdict, Parity
from converter.tensorflow.process import in_subprocess
from converter.tflite.operators import check_integers
from edge.core.dataset import LabelledPicture
from trainer.run import Run

_log = logging.getLogger(__name__)

PLAIN = "plain"
"""The name of the first attempt, without a fallback."""


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """One attempt to quantise the model, and the gate's verdict on it."""

    fallback: str
    """PLAIN, or the name of the fallback that was used."""
    model: bytes
    """The int8 `.tflite` file's bytes."""
    tensors: Tensors
    """The tensors that it was calibrated with, black and white first."""
    calibration: tuple[LabelledPicture, ...]
    """The pictures that it was calibrated with."""
    parity: Parity
    """How it compares with the float model."""
    verdict: GateVerdict
    """The gate's verdict on it."""

    @property
    def calibrated_on(self) -> int:
        """The number of pictures that ranges and rounding were chosen by.

        It is less than all of `calibration` for a refitted last layer, which needs more pictures.
        """
        count = len(self.calibration)
        return min(CALIBRATION_PICTURES, count) if self.fallback == REFITTED.name else count

    @property
    def passed(self) -> bool:
        """Whether the gate accepts the model."""
        return not self.verdict.failures

    @property
    def summary(self) -> str:
        """The most important figures as a sentence for people."""
        parity = self.parity
        agreement = parity.agreement.value
        share = "-" if agreement is None else f"{agreement:.1%}"
        return (
            f"{self.fallback}: same label {share}, accuracy {parity.drop}, confidence moves by "
            f"{parity.confidence_change.mean:.3f}, divergence on the validation split "
            f"{parity.divergence:.2g}{'' if self.passed else ': does not pass'}"
        )

    def to_json(self) -> dict[str, Any]:
        """The JSON object in the `figures` of a bundle."""
        return {
            "remedy": self.fallback,
            "passed": self.passed,
            "agreement": self.parity.agreement.value,
            "accuracy_drop": self.parity.drop.value,
            "confidence_change": self.parity.confidence_change.mean,
            "validation_divergence": self.parity.divergence,
        }


@dataclass(frozen=True, slots=True)
class Fallback:
    """A way to quantise the model after the plain attempt has failed."""

    name: str
    task: str
    """The name of the TensorFlow task that does it; see `converter.tensorflow.tasks`."""
    pictures: int
    """The number of calibration pictures, as a multiple of that of the plain attempt."""
    other_seed: bool = False
    """True if the pictures are chosen with another seed."""


REFITTED = Fallback("head refitted", "int8 refitted", 4)
FALLBACKS = (
    Fallback("other pictures", "int8", 2, other_seed=True),
    Fallback("clipping", "int8 clipped", 1),
    REFITTED,
    Fallback("wider layers", "int8 wider", 1),
)
"""All fallbacks, in the order in which they are tried."""

Judge = Callable[[bytes, Sequence[LabelledPicture]], tuple[Parity, GateVerdict]]
"""A function that evaluates an int8 model, given the pictures that it was calibrated with."""


def try_fallbacks(
    plain: Attempt, run: Run, pictures: Sequence[LabelledPicture], *, seed: int, judged: Judge
) -> list[Attempt]:
    """The plain attempt, followed by fallbacks until one of them passes the gate.

    Args:
        plain: the plain attempt; no fallback is tried if it passes.
        run: the run.
        pictures: all pictures of the run.
        seed: the seed by which the plain attempt's pictures were chosen.
        judged: evaluates an int8 model.
    """
    attempts = [plain]
    if not plain.passed:
        _log.warning("the int8 model does not pass the gate: trying the fallbacks")
        _log.info(plain.summary)
    for fallback in FALLBACKS:
        if attempts[-1].passed:
            break
        chosen, tensors = plain.calibration, plain.tensors
        try:
            if fallback.pictures > 1:
                count = fallback.pictures * len(plain.calibration)
                chosen = choose_calibration(pictures, count, seed=seed + fallback.other_seed)
                tensors = calibration_tensors(chosen, run.facts.input)
            with in_subprocess(fallback.task, run, tensors, doing=f"int8, {fallback.name}") as made:
                model = made.result.read_bytes()
            unknown = None if run.facts.unknown is None else run.facts.unknown.score
            check_integers(model, unknown, wider=fallback.task == "int8 wider")
        except (CalibrationError, ConversionError) as error:
            _log.warning(f"the fallback {fallback.name} is not possible: {error}")
            continue
        attempts.append(Attempt(fallback.name, model, tensors, chosen, *judged(model, chosen)))
        _log.info(attempts[-1].summary)
    return attempts
