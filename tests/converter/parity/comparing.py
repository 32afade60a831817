"""Compares float and int8 on all pictures of a run, for tests of the gate."""

from __future__ import annotations

from converter.parity.gate import Parity, compare, score_both
from trainer.run import Run


def parity_of(run: Run, *, float32: bytes, int8: bytes) -> Parity:
    """The figures of two models of a run."""
    pictures = run.pictures()
    scores = score_both(pictures, run.facts.input, float32=float32, int8=int8)
    return compare(*scores, pictures, run.facts)
