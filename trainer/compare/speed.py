"""How long the int8 models of runs take for a picture, on this machine."""

from __future__ import annotations

import logging
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.core.errors import PilahError
from edge.core.model.bundle import read_bundle
from edge.core.model.classifier import Classifier
from trainer.recipes.reading import read_recipe
from trainer.run import RECIPE, Run

_log = logging.getLogger(__name__)

_WARM_UP = 10
_ROUNDS, _RUNS = 5, 10
"""Models take turns, so that other work of the machine slows all of them alike."""


@dataclass(frozen=True, slots=True)
class InferenceTime:
    """The time of one inference on one thread, in milliseconds that the processor worked for it."""

    milliseconds: float
    """The median."""
    least: float
    most: float
    """The medians of the fastest and of the slowest round."""

    def is_less_than(self, other: InferenceTime) -> bool:
        """Whether every round was faster than every one of the other model."""
        return self.most < other.least


def int8_timings(runs: Mapping[str, Run], bundles: Path) -> dict[str, InferenceTime | None]:
    """The times of the int8 models of runs, by their names; None where there is no int8 model.

    The time depends on the network, its head, its input and its novelty score, not on what was
    learned: runs that have these in common are one model here, and have one time.

    Args:
        runs: by the name of the way, one of each.
        bundles: the folder of their bundles, each made if it is not there.
    """
    alike: dict[object, list[str]] = {}
    for name, run in runs.items():
        alike.setdefault(_model_of(run), []).append(name)
    models = {}
    for names in alike.values():
        # A bundle that is there already is measured as it is.
        name = next((each for each in names if (bundles / each).is_dir()), names[0])
        model = _int8_model(runs[name].path, bundles / name)
        if model is not None:
            models[names[0]] = model
    timings = _timed(models)
    return {name: timings.get(names[0]) for names in alike.values() for name in names}


def _model_of(run: Run) -> object:
    """What the time of the run's model depends on."""
    network = read_recipe(str(run.path / RECIPE)).network
    unknown = run.facts.unknown
    return (
        network.model_dump_json(exclude={"weights", "dropout"}),
        run.facts.input.model_dump_json(),
        len(run.facts.labels),
        unknown and unknown.score,
    )


def _int8_model(run: Path, bundle: Path) -> Classifier | None:
    """The classifier of the run's bundle; None, with a warning, if there is none.

    The run is converted by `pilah-converter`, in a process of its own, because the trainer does not
    know the converter.
    """
    try:
        if not bundle.is_dir():
            words = ["-m", "converter", "convert", str(run), "--out", str(bundle)]
            done = subprocess.run(
                [sys.executable, *words], capture_output=True, text=True, check=False
            )
            if done.returncode:
                last = (done.stderr.strip().splitlines() or ["no word"])[-1]
                _log.warning(f"{run}: not converted, so its time is not measured: {last}")
                return None
        return Classifier(read_bundle(bundle))
    except (OSError, PilahError) as error:
        _log.warning(f"{run}: its time is not measured: {error}")
        return None


def _timed(models: Mapping[str, Classifier]) -> dict[str, InferenceTime]:
    rounds: dict[str, list[list[float]]] = {name: [] for name in models}
    for number in range(_ROUNDS + 1):
        for name, model in models.items():
            image = np.full(model.spec.shape, 128, np.uint8)
            took = []
            for _ in range(_RUNS if number else _WARM_UP):
                # Not the clock's time: of that, other work on the machine takes its part.
                start = time.process_time()
                model.scores(image)
                took.append(1000 * (time.process_time() - start))
            if number:
                rounds[name].append(took)
    timings = {}
    for name, found in rounds.items():
        medians = [statistics.median(took) for took in found]
        whole = statistics.median([each for took in found for each in took])
        timings[name] = InferenceTime(whole, min(medians), max(medians))
    return timings
