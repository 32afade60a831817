"""Reads what a bundle says of itself, for the pages. What reads a bundle takes more memory than the
pages have: so it runs before them, or beside them as `python -m edge.web.watch.bundle_facts PATH`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge.core.errors import PilahError
from edge.core.model.bundle import read_bundle
from edge.web.plan import LearningForecast, ModelFacts


def bundle_facts(path: Path) -> ModelFacts | None:
    """What the bundle at `path` says of itself; None: it cannot be read, as the station says."""
    try:
        bundle = read_bundle(path)
    except PilahError:
        return None
    found = bundle.manifest.figures
    grade, int8 = found.get("verdict") or {}, found.get("int8") or {}
    interval = int8.get("accuracy_interval")
    return ModelFacts(
        digest=bundle.digest,
        accuracy=int8.get("accuracy") if interval else None,
        interval=tuple(interval) if interval else None,
        images=int8.get("images"),
        verdict=str(grade.get("word", "")),
        forecast=_forecast(found.get("learning")),
        input_size=(bundle.manifest.input.width, bundle.manifest.input.height),
        crop=bundle.manifest.input.crop,
    )


def _forecast(found: Mapping[str, Any] | None) -> LearningForecast | None:
    if not found:
        return None
    low, high = found["interval"]
    return LearningForecast(more=found["more"], gain=found["gain"], low=low, high=high)


def main() -> None:
    """Writes the facts as JSON, or nothing."""
    found = bundle_facts(Path(sys.argv[1]))
    if found is not None:
        sys.stdout.write(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
