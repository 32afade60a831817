"""Whether a simulated belt with photographs as items keeps what `evaluate` says of them.

    python -m tests.benchmarks.photographs BUNDLE --run RUN [--split test] [--count N] [--json]

Each photograph of a split of the run passes once as an item, in front of a station whose region has
the photographs' shape and whose trigger takes items of any size. Beside it stands what the bundle
says of the same photographs one by one, as `pilah-edge evaluate` does. A lower purity is told by
Fisher's exact test, one-sided, and the other shares have Wilson's 95 % intervals; both take the
photographs for independent. Exit code 1 where the purity of what was accepted is lower (p < 0.05).
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from scipy.stats import fisher_exact

from edge.config.reading import read_station
from edge.core.dataset import LabelledPicture
from edge.core.images.image_file import read_image
from edge.core.model.bundle import read_bundle
from edge.core.model.classifier import Classifier
from edge.core.model.metrics import Share
from edge.simulation.account.fates import Pending
from edge.simulation.options import SimulationOptions
from edge.simulation.photograph_place import region_of_shape, usual_shape
from edge.simulation.simulate import simulate
from trainer.run import read_run

_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Sorted:
    """What became of the photographs."""

    right: int
    accepted: int
    total: int

    @property
    def purity(self) -> Share:
        """Those accepted as what they are, of the accepted."""
        return Share(self.right, self.accepted)

    @property
    def rejected(self) -> Share:
        """Those not accepted, or without a verdict."""
        return Share(self.total - self.accepted, self.total)

    def to_json(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {
            "right": self.right, "accepted": self.accepted, "photographs": self.total,
            "purity_interval": self.purity.interval, "rejected_interval": self.rejected.interval,
        }  # fmt: skip


def lower(belt: Sorted, alone: Sorted) -> float:
    """The p-value of the belt's purity being lower: Fisher's exact test, one-sided."""
    table = [[each.right, each.accepted - each.right] for each in (belt, alone)]
    return float(fisher_exact(table, alternative="less").pvalue)


def evaluated(classifier: Classifier, pictures: Sequence[LabelledPicture]) -> Sorted:
    """What the bundle says of the photographs one by one."""
    right = accepted = 0
    for picture in pictures:
        verdict = classifier.verdict(classifier.predict(read_image(picture.path)))
        accepted += verdict.accepted
        right += verdict.accepted and verdict.label == picture.label
    return Sorted(right, accepted, len(pictures))


def on_a_belt(
    bundle: Path,
    pictures: Sequence[LabelledPicture],
    labels: Sequence[str],
    *,
    seed: int,
    picture: tuple[int, int] = (640, 480),
) -> tuple[Sorted, dict[str, Any]]:
    """(what a station says of the photographs as items, the report of the run).

    Args:
        picture: width and height of the camera's picture.
    """
    shape = usual_shape([picture.path for picture in pictures])
    assert shape is not None
    size = dict(zip(("width", "height"), picture, strict=True))
    station = {
        "station": "photographs",
        "bundle": str(bundle.absolute()),
        "camera": {"kind": "usb", "device": 0, "frames_per_second": 15, **size},
        "region": region_of_shape(shape, **size).model_dump(),
        "trigger": {"kind": "motion", "contrast": 10, "min_gap": 0.3, "max_area": 1.0},
        "belt": {"metres_per_second": 0.2},
        "lanes": {f"lane-{n}": {"labels": [label]} for n, label in enumerate(labels)}
        | {"rejects": {}},
        "default_lane": "rejects",
        "ledger": {"path": "ledger.sqlite"},
    }
    right = accepted = 0

    def settled(pending: Pending, lane: str) -> None:
        nonlocal right, accepted
        row = None if pending.first is None else pending.first.row
        if row is not None and row.accepted:
            accepted += 1
            right += row.label == pending.item.label

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "photographs.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("path", "label"))
            rows.writerows((picture.path, picture.label) for picture in pictures)
        (folder / "station.yaml").write_text(yaml.safe_dump(station), encoding="utf-8")
        options = SimulationOptions(
            items=folder / "photographs.csv", count=len(pictures), seed=seed
        )
        report = simulate(read_station(folder / "station.yaml"), options, settled=settled)
    return Sorted(right, accepted, len(pictures)), report.to_json()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the bundle")
    parser.add_argument("--run", type=Path, required=True, help="the run that it was made of")
    parser.add_argument("--split", choices=("validation", "test"), default="test")
    parser.add_argument("--count", type=int, metavar="N", help="no more photographs than these")
    parser.add_argument("--seed", type=int, default=0, help="seed of their order (0)")
    parser.add_argument("--json", action="store_true", help="numbers for machines")
    arguments = parser.parse_args()
    classifier = Classifier(read_bundle(arguments.bundle))
    pictures = [p for p in read_run(arguments.run).pictures() if p.split == arguments.split]
    if arguments.count is not None:  # some of each class
        pictures = pictures[:: max(1, len(pictures) // arguments.count)][: arguments.count]
    alone = evaluated(classifier, pictures)
    belt, report = on_a_belt(arguments.bundle, pictures, classifier.labels, seed=arguments.seed)
    p = lower(belt, alone)
    if arguments.json:
        found = {"evaluate": alone.to_json(), "belt": belt.to_json(), "p_lower": p}
        print(json.dumps(found | {"report": report}))
    else:
        for name, each in (("evaluate", alone), ("belt", belt)):
            print(
                f"{name:<11}{each.right} right of {each.accepted} accepted, purity {each.purity}; "
                f"rejected {each.rejected}"
            )
        print(f"{'p':<11}{p:.3f} that the belt's purity is lower (Fisher, one-sided)")
        print(f"{'verdicts':<11}{report['verdicts']}, rejects {report['rejects']}")
    return 1 if p < _LEVEL else 0


if __name__ == "__main__":
    sys.exit(main())
