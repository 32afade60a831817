"""What is tried when int8 answers too differently from float, in the order of what it costs.

Other calibration pictures cost nothing on the device; neither do narrower ranges, nor a head fitted
to the int8 features. Layers left in float cost size and time there, so they come last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from converter.apart import apart
from converter.calibration import Tensors, calibration_tensors, choose_calibration
from converter.errors import CalibrationError, ConversionError
from converter.operators import check_integers
from converter.parity import Parity, Verdict
from edge.cli import say
from edge.pictures import LabelledPicture
from trainer.run import Run

PLAIN = "none"


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """One way to make the model int8, and what the gate says of it."""

    remedy: str
    """PLAIN, or the name of a remedy."""
    model: bytes
    tensors: Tensors
    """What it was calibrated on."""
    calibration: tuple[LabelledPicture, ...]
    parity: Parity
    verdict: Verdict

    @property
    def line(self) -> str:
        """What it gave, for people."""
        parity = self.parity
        agreement = parity.agreement.value
        share = "-" if agreement is None else f"{agreement:.1%}"
        passed = "passes" if not self.verdict.failures else "does not pass"
        return (
            f"{self.remedy}: same label {share}, accuracy {parity.drop}, confidence moves by "
            f"{parity.confidence_change.mean:.3f}: {passed}"
        )

    def to_json(self) -> dict[str, Any]:
        """A part of a bundle's figures."""
        return {
            "remedy": self.remedy,
            "passed": not self.verdict.failures,
            "agreement": self.parity.agreement.value,
            "accuracy_drop": self.parity.drop.value,
            "confidence_change": self.parity.confidence_change.mean,
        }


@dataclass(frozen=True, slots=True)
class Remedy:
    """One way out, as the process apart knows it."""

    name: str
    task: str
    pictures: int
    """How many times the calibration pictures of the plain attempt."""
    other_seed: bool = False


REMEDIES = (
    Remedy("other pictures", "int8", 2, other_seed=True),
    Remedy("clipping", "int8 clipped", 1),
    Remedy("head refitted", "int8 refitted", 4),
    Remedy("wider layers", "int8 wider", 1),
)


def try_remedies(
    plain: Attempt,
    run: Run,
    pictures: Sequence[LabelledPicture],
    *,
    seed: int,
    judged: Callable[[bytes, Sequence[LabelledPicture]], tuple[Parity, Verdict]],
) -> list[Attempt]:
    """The plain attempt and one after the other, up to the first that passes.

    Args:
        plain: does not pass.
        pictures: all of the run's.
        judged: the gate, of a model and the pictures that it was calibrated on.

    """
    attempts = [plain]
    say(f"int8 does not pass. {plain.line}")
    for remedy in REMEDIES:
        chosen, tensors = plain.calibration, plain.tensors
        if remedy.pictures > 1:
            try:
                chosen = choose_calibration(
                    pictures,
                    remedy.pictures * len(plain.calibration),
                    seed=seed + remedy.other_seed,
                )
            except CalibrationError as error:
                say(f"{remedy.name}: not tried: {error}")
                continue
            tensors = calibration_tensors(chosen, run.facts.input)
        try:
            with apart(remedy.task, run, tensors, doing=f"trying {remedy.name}") as made:
                model = made.result.read_bytes()
            unknown = None if run.facts.unknown is None else run.facts.unknown.score
            check_integers(model, unknown, wider=remedy.task == "int8 wider")
        except ConversionError as error:
            say(f"{remedy.name}: cannot be done: {error}")
            continue
        parity, verdict = judged(model, chosen)
        attempts.append(Attempt(remedy.name, model, tensors, chosen, parity, verdict))
        say(attempts[-1].line)
        if not verdict.failures:
            break
    return attempts
