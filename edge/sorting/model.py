"""The model that a station sorts by, as a value: what it answers, its rules, and its name."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from edge.config.decision import Decision
from edge.config.reading import StationPlan
from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box, InputSpec
from edge.core.model.bundle import Bundle
from edge.core.model.classifier import Classifier
from edge.core.model.golden import check_golden_start
from edge.core.verdict import Ballot, Prediction, Rules

_log = logging.getLogger(__name__)

_WARM_UPS = 10


class Answering(Protocol):
    """What answers to pictures: a Classifier, as the sorting sees it."""

    @property
    def spec(self) -> InputSpec:
        """What of a region it looks at."""
        ...

    def predict(self, image: Image, *, box: Box | None = None) -> Prediction:
        """What the model says to the item in `box` of a region; see `Classifier.predict`."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ActiveModel:
    """A model that items are judged by, known to answer as it should, and warm."""

    classifier: Answering
    """Used by the sorting thread only, once it is the station's."""
    rules: Rules
    """How its scores become verdicts: the bundle's, with what the station file says instead."""
    title: str
    """The bundle's name and version."""
    digest: str
    """The bundle's digest."""
    inference_seconds: float
    """What the slowest of a few inferences took."""

    @property
    def whole_region(self) -> bool:
        """Whether it looks at all of the region (`crop: region`).

        It knows items where photographs have them then: one that travels is seen best in the
        middle.
        """
        return self.classifier.spec.crop == "region"

    def ballot(self) -> Ballot:
        """An empty ballot for one item that this model judges."""
        return Ballot(self.rules, title=self.title, digest=self.digest)


def open_model(plan: StationPlan) -> ActiveModel:
    """The model of a station.

    Args:

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
    _log.info(f"bundle     {bundle.title}  (digest {bundle.digest[:12]}), {', '.join(found)}")
    _log.info(f"runtime    {interpreter.title}")
    return ActiveModel(
        classifier,
        _rules(bundle, plan.config.decision),
        title=bundle.title,
        digest=bundle.digest,
        inference_seconds=slowest,
    )


def _rules(bundle: Bundle, decision: Decision) -> Rules:
    manifest = bundle.manifest
    unknown = manifest.unknown_threshold if decision.unknown is None else decision.unknown
    return Rules(
        labels=bundle.labels,
        accept={**manifest.accept, **decision.accept},
        clear_frames=decision.clear_frames,
        max_frames=decision.max_frames,
        agreement=decision.agreement,
        unknown=unknown,
    )
