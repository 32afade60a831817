"""How long the int8 model of a run takes for a picture, on this machine."""

from __future__ import annotations

import logging
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from edge.core.errors import PilahError
from edge.core.model.bundle import read_bundle
from edge.core.model.classifier import Classifier

_log = logging.getLogger(__name__)

_WARM_UP, _RUNS = 10, 50


def int8_milliseconds(run: Path, bundle: Path) -> float | None:
    """The median of 50 inferences on one thread, in milliseconds; None if there is no int8 model.

    The run is converted by `pilah-converter`, in a process of its own, because the trainer does not
    know the converter. A bundle that is there already is measured as it is. The time depends on the
    network and its input, not on what was learned, so one run of each way is enough.

    Args:
        run: the folder of the run.
        bundle: the folder of its bundle, made if it is not there.
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
        classifier = Classifier(read_bundle(bundle))
    except (OSError, PilahError) as error:
        _log.warning(f"{run}: its time is not measured: {error}")
        return None
    image = np.full(classifier.spec.shape, 128, np.uint8)
    took = []
    for _ in range(_WARM_UP + _RUNS):
        start = time.perf_counter()
        classifier.scores(image)
        took.append(1000 * (time.perf_counter() - start))
    return statistics.median(took[_WARM_UP:])
