"""The model that a station sorts by, known to answer as it should, and warm."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from edge.config.reading import StationPlan
from edge.core.model.classifier import Classifier
from edge.core.model.golden import check_golden_start

_WARM_UPS = 10


def open_model(plan: StationPlan, *, say: Callable[[str], None]) -> tuple[Classifier, float]:
    """The model of a station, and how many seconds its slowest inference takes once it is warm.

    Args:
        say: tells the operator which model it is.

    Raises:
        BundleError: the model is not what its bundle says, or does not reproduce.
    """
    bundle, region = plan.bundle, plan.config.region
    classifier = Classifier(bundle)
    check_golden_start(classifier)
    size = (region.height, region.width, 3) if region else (480, 640, 3)
    slowest = 0.0
    for warm in range(_WARM_UPS):
        began = time.perf_counter()
        classifier.scores(np.zeros(size, np.uint8))
        if warm >= _WARM_UPS // 2:
            slowest = max(slowest, time.perf_counter() - began)
    interpreter = classifier.interpreter
    found = ["golden picture right", *([bundle.origin] if plan.keys else [])]
    say(f"bundle     {bundle.title}  (digest {bundle.digest[:12]}), {', '.join(found)}")
    say(f"runtime    {interpreter.title}")
    return classifier, slowest
