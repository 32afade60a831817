"""What is tried where int8 answers too differently from float, and what each way gave.

In order of cost: other calibration pictures and narrower ranges cost nothing on the device, nor
does a head fitted to the int8 features, but it may fit too closely; layers in float cost size and
time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from converter.calibration import CALIBRATED_ON, Tensors, calibration_tensors, choose_calibration
from converter.errors import CalibrationError, ConversionError
from converter.parity.gate import GateVerdict, Parity
from converter.tensorflow.process import in_subprocess
from converter.tflite.operators import check_integers
from edge.core.dataset import LabelledPicture
from trainer.run import Run

_log = logging.getLogger(__name__)

PLAIN = "plain"


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """One way to make the model int8, and what the gate says of it."""

    fallback: str
    """PLAIN, or the name of a fallback."""
    model: bytes
    tensors: Tensors
    """What it was calibrated on."""
    calibration: tuple[LabelledPicture, ...]
    parity: Parity
    verdict: GateVerdict

    @property
    def calibrated_on(self) -> int:
        """How many of these ranges and rounding were chosen by: a refitted head needs more."""
        count = len(self.calibration)
        return min(CALIBRATED_ON, count) if self.fallback == REFITTED.name else count

    @property
    def passed(self) -> bool:
        """By the gate."""
        return not self.verdict.failures

    @property
    def line(self) -> str:
        """What it gave, for people."""
        parity = self.parity
        agreement = parity.agreement.value
        share = "-" if agreement is None else f"{agreement:.1%}"
        return (
            f"{self.fallback}: same label {share}, accuracy {parity.drop}, confidence moves by "
            f"{parity.confidence_change.mean:.3f}, divergence on the validation part "
            f"{parity.divergence:.2g}{'' if self.passed else ': does not pass'}"
        )

    def to_json(self) -> dict[str, Any]:
        """A part of a bundle's figures."""
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
    """One way to make the model int8 after the plain one has failed."""

    name: str
    task: str
    pictures: int
    """How many times the calibration pictures of the plain attempt."""
    other_seed: bool = False


REFITTED = Fallback("head refitted", "int8 refitted", 4)
FALLBACKS = (
    Fallback("other pictures", "int8", 2, other_seed=True),
    Fallback("clipping", "int8 clipped", 1),
    REFITTED,
    Fallback("wider layers", "int8 wider", 1),
)
"""In the order in which they are tried."""

Judge = Callable[[bytes, Sequence[LabelledPicture]], tuple[Parity, GateVerdict]]
"""The gate, of a model and the pictures that it was calibrated on."""


def try_fallbacks(
    plain: Attempt, run: Run, pictures: Sequence[LabelledPicture], *, seed: int, judged: Judge
) -> list[Attempt]:
    """The plain attempt, and others as long as none passes.

    Args:
        pictures: all of the run's.
    """
    attempts = [plain]
    if not plain.passed:
        _log.warning("int8 does not pass: trying what is known to help")
        _log.info(plain.line)
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
            _log.warning(f"{fallback.name}: cannot be done: {error}")
            continue
        attempts.append(Attempt(fallback.name, model, tensors, chosen, *judged(model, chosen)))
        _log.info(attempts[-1].line)
    return attempts
