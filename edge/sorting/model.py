"""The model by which a station sorts, as a value: its classifier, its rules and its name."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
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
    """The part of a Classifier that sorting needs."""

    @property
    def spec(self) -> InputSpec:
        """Which part of a region the model uses, and how it is preprocessed."""
        ...

    def predict(
        self,
        image: Image,
        *,
        box: Box | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> Prediction:
        """The model's scores for the item in `box` of a region; see `Classifier.predict`."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ActiveModel:
    """A model that is checked against its golden picture and warmed up, ready to sort by."""

    classifier: Answering
    """The classifier, which only the sorting thread may use once the station has it."""
    rules: Rules
    """The rules for verdicts: those of the bundle, with the station file's values in their place.
    """
    title: str
    """The bundle's name and version."""
    digest: str
    """The bundle's digest."""
    inference_seconds: float
    """The time of the slowest of a few inferences."""

    @property
    def whole_region(self) -> bool:
        """Whether the model uses the whole region (`crop: region`).

        Such a model expects items where its photographs had them: a travelling item is classified
        best in the middle.
        """
        return self.classifier.spec.crop == "region"

    def ballot(self) -> Ballot:
        """An empty ballot for one item that this model classifies."""
        return Ballot(self.rules, title=self.title, digest=self.digest)


def open_model(plan: StationPlan) -> ActiveModel:
    """Loads, checks and warms up the model of a station.

    Raises:
        BundleError: the model is not as its bundle describes it, or does not reproduce its golden
            picture.
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
