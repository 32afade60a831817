"""The wrong thing in the right box: `python -m tests.benchmarks.receipts BUNDLE --run RUN`.

1,000 boxes pass a station while a delivery is open. Each has a code that names a brand of shoes and
holds what a photograph of the run's test split shows; in 40 of them that is another brand. Verdicts
are the bundle's, and what follows from them is the station's own: Dispatch, Counting, the ledger
and its export. Reading the codes is left out, which `codes.py` measures.

Printed is how many were stopped, put aside (the model rejected the picture) and counted, with 95 %
intervals (Wilson); they take each receipt for independent, and the photographs of a small test
split come again and again. So the same shares are given over every pair of a photograph and a code,
with an interval by drawing the photographs anew (bootstrap); and so is what a limit on the score of
the code's label would stop, chosen on the validation split. The EPCIS events of all receipts are
held against GS1's schema, where ../shared has it.

Exit code 1: fewer than 95 % of the wrong ones were stopped, more than 5 right ones were, a count is
not that of the rows, or an event does not fit the schema.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import cv2
import jsonschema
import numpy as np

from deploy.demo_receiving.boxes import ean_13
from edge.config.reading import StationPlan, read_station
from edge.core.errors import EXIT_NO, EXIT_OK
from edge.core.images.image_file import Image, read_image
from edge.core.images.preprocess import Box
from edge.core.model.bundle import read_bundle
from edge.core.model.classifier import Classifier
from edge.core.model.wilson import wilson
from edge.core.verdict import Verdict
from edge.events import CodeRead, Event, Stamps
from edge.flow import NO_CODE, CodeFound, Frame, ItemInFrame, ItemKey
from edge.lanes.lanes import Lanes
from edge.ledger.export.epcis import write_epcis
from edge.ledger.export.reading import read_items
from edge.ledger.ledger import Ledger
from edge.receiving.counting import Counting
from edge.receiving.delivery import Expected, Line
from edge.receiving.desk import Desk
from edge.receiving.events import PictureDisagreed, PieceCounted, PutAside
from edge.receiving.store import Deliveries
from edge.runtime.clock import SYSTEM_CLOCK
from edge.sorting.dispatch import Dispatch
from edge.sorting.picture_uses import PictureUses
from edge.sorting.sorter import Outcome
from edge.sorting.tally import Tally
from tests.edge.ledger.export.test_epcis import FORMATS
from trainer.run import read_run

SEED = 20261130
RECEIPTS, WRONG = 1000, 40
LEAST_STOPPED, MOST_FALSE = 0.95, 5
Scores: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
STOPPED, ASIDE, COUNTED = "stopped", "put aside", "counted"
_DRAWS = 2000
_STATION = """\
station: door
bundle: {bundle}
camera: {{kind: folder, path: ., frames_per_second: 10}}
trigger: {{kind: continuous}}
lanes:
  counted: {{labels: [{labels}]}}
  stopped: {{}}
  rest: {{}}
default_lane: rest
ledger: {{path: ledger.sqlite}}
receiving: {{mismatch_lane: stopped}}
"""


class Photograph(NamedTuple):
    """A photograph of the test split, as the bundle sees it."""

    path: Path
    brand: str
    verdict: Verdict


class Receipt(NamedTuple):
    """A box: what it holds, and what its code says."""

    photograph: Photograph
    code_brand: str

    @property
    def is_wrong(self) -> bool:
        """Whether it holds another brand than its code says."""
        return self.photograph.brand != self.code_brand


class Rows(list[Event]):
    """Takes events."""

    def offer(self, event: Event) -> None:
        """Takes one."""
        self.append(event)


class KnownCodes:
    """Codes that are known as soon as they are asked for."""

    wait_seconds, scan_waits = 1.0, False

    def __init__(self, counting: Counting, stamps: Stamps, rows: Rows) -> None:
        self._counting, self._stamps, self._rows = counting, stamps, rows
        self.text, self.found = "", CodeFound()

    def expect(self, key: ItemKey, frame: Frame, *, alone: bool) -> None:
        """The box that passes now counts by its code."""
        self._counting.expect(key.id)

    def scanned(self, key: ItemKey) -> CodeFound:
        """Nobody scans by hand."""
        return NO_CODE

    def look(self, key: ItemKey, frame: Frame, box: Box | None) -> KnownCodes:
        """The code of the box that passes now."""
        read = CodeRead(
            *self._stamps.now(), item=key.item, item_id=key.id, text=self.text, format="ean13",
            gtin=self.text.zfill(14), sscc=None, lot=None, expiry=None, serial=None, rung="plain",
            milliseconds=0.0,
        )  # fmt: skip
        self._rows.offer(read)
        self.found = self._counting.codes_read(key.id, [read])
        return self


def receipts(
    photographs: Sequence[Photograph], brands: Sequence[str], *, count: int, wrong: int, seed: int
) -> list[Receipt]:
    """`count` boxes in any order, `wrong` of which hold another brand than their code says."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(count):
        photograph = photographs[int(random.integers(len(photographs)))]
        others = [brand for brand in brands if brand != photograph.brand]
        says = str(random.choice(others)) if number < wrong else photograph.brand
        made.append(Receipt(photograph, says))
    return [made[int(place)] for place in random.permutation(count)]


def pass_by(
    boxes: Sequence[Receipt], brands: Sequence[str], plan: StationPlan, folder: Path
) -> tuple[list[str], dict[str, int]]:
    """What was answered for each box in turn, and the pieces counted of each brand; the ledger of
    `folder` has their rows then."""
    stamps, clock = Stamps("door", SYSTEM_CLOCK.wall), SYSTEM_CLOCK
    lines = tuple(
        Line(number=n, sku=brand, gtin=ean_13(n).zfill(14), label=brand, expected=1)
        for n, brand in enumerate(brands, start=1)
    )
    with Deliveries(folder / "ledger-deliveries.sqlite") as deliveries:
        desk = Desk(deliveries, stamps, "benchmark")
        desk.import_goods([Expected(delivery="R", lines=lines)], "")
        desk.open("R")
    assert plan.config.receiving is not None
    rows, nothing = Rows(), np.zeros((1, 1, 3), np.uint8)
    counting = Counting(plan.config.receiving, folder / "ledger.sqlite", stamps=stamps, clock=clock)
    codes = KnownCodes(counting, stamps, rows)
    counting.start(rows.offer)
    dispatch = Dispatch(
        plan,
        lanes=Lanes({}, {}, clock=clock),
        recorder=counting.before(rows),
        tally=Tally(),
        stamps=stamps,
        clock=clock,
        pictures=PictureUses(codes=codes),
    )
    for number, box in enumerate(boxes):
        codes.text = ean_13(1 + brands.index(box.code_brand))
        frame = Frame(nothing, clock.now(), number, str(box.photograph.path))
        dispatch.carry_out([outcome(box.photograph.verdict, frame)])
    counting.close()
    with Ledger(folder / "ledger.sqlite") as ledger:
        ledger.append(rows)
    # What there was no time for at the end, the next start counts from the ledger.
    after = Counting(plan.config.receiving, folder / "ledger.sqlite", stamps=stamps, clock=clock)
    after.start()
    after.close()
    with Deliveries(folder / "ledger-deliveries.sqlite") as deliveries:
        events, state = deliveries.events("R"), deliveries.state("R")
    assert state is not None
    words = {PieceCounted: COUNTED, PutAside: ASIDE, PictureDisagreed: STOPPED}
    answers = [words[type(event)] for event in events if type(event) in words]  # type: ignore[index]
    return answers, {line.sku: state.count(line.number).counted for line in lines}


def outcome(verdict: Verdict, frame: Frame) -> Outcome:
    """An item that one frame showed."""
    at = frame.captured
    sharpest = ItemInFrame(frame, None)
    return Outcome(
        item=1, verdict=verdict, frame=frame, box=None, first=at, passed=at, frames=1,
        deciding=frame, sharpest=sharpest, closes=None,
    )  # fmt: skip


def answered(photograph: Photograph, says: str) -> str:
    """What a box with that code is answered."""
    verdict = photograph.verdict
    if not verdict.accepted:
        return ASIDE
    return COUNTED if verdict.label == says else STOPPED


def shares(
    photographs: Sequence[Photograph], brands: Sequence[str], *, wrong: bool, what: str, seed: int
) -> tuple[float, float, float]:
    """The share over all pairs of a photograph and a code, and its 95 % interval."""
    each = np.array(
        [
            np.mean([answered(p, b) == what for b in brands if (b != p.brand) is wrong])
            for p in photographs
        ]
    )
    random = np.random.default_rng(seed)
    means = [each[random.integers(len(each), size=len(each))].mean() for _ in range(_DRAWS)]
    low, high = np.percentile(means, (2.5, 97.5))
    return float(each.mean()), float(low), float(high)


def schema_errors(ledger: Path, schema_file: Path) -> Iterator[str]:
    """What does not fit GS1's schema in the EPCIS document of a ledger."""
    out = io.BytesIO()
    write_epcis(read_items(ledger), out)
    schema = json.loads(schema_file.read_text("utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema, format_checker=FORMATS)
    document = json.loads(out.getvalue())
    print(f"EPCIS: {len(document['epcisBody']['eventList'])} events")
    yield from (f"{error.json_path}: {error.message[:100]}" for error in
                validator.iter_errors(document))  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("bundle", type=Path, help="a bundle of brands of shoes")
    parser.add_argument("--run", type=Path, required=True, help="the run that it was made from")
    parser.add_argument("--receipts", type=int, default=RECEIPTS)
    parser.add_argument("--wrong", type=int, default=WRONG)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    bundle = read_bundle(arguments.bundle)
    classifier, brands = Classifier(bundle), list(bundle.labels)
    splits: dict[str, list[Photograph]] = {"validation": [], "test": []}
    for picture in read_run(arguments.run).pictures():
        if picture.split in splits:
            verdict = verdict_of(classifier, read_image(picture.path))
            splits[picture.split].append(Photograph(picture.path, picture.label, verdict))
    photographs = splits["test"]
    boxes = receipts(photographs, brands, count=arguments.receipts, wrong=arguments.wrong,
                     seed=arguments.seed)  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "station.yaml").write_text(
            _STATION.format(bundle=arguments.bundle.absolute(), labels=", ".join(brands)), "utf-8"
        )
        with redirect_stdout(sys.stderr):
            answers, counts = pass_by(boxes, brands, read_station(folder / "station.yaml"), folder)
        schema = Path(os.environ.get("PILAH_SHARED", "../shared")) / "gs1" / "epcis_schema.json"
        errors = list(schema_errors(folder / "ledger.sqlite", schema)) if schema.is_file() else []
        print(f"errors against GS1's schema: {len(errors) if schema.is_file() else 'skipped'}")
    code = judge(arguments, photographs, boxes, answers, counts, errors)
    print(compared_with_a_limit(splits["validation"], photographs, brands, seed=arguments.seed))
    return code


def compared_with_a_limit(
    validation: Sequence[Photograph],
    test: Sequence[Photograph],
    brands: Sequence[str],
    *,
    seed: int,
) -> str:
    """What another rule would stop: a score below a limit of the label that the code names.

    The limit has one false stop among the photographs of `validation`; `test` says what it does.
    """
    limit = sorted(_scores(validation, brands, wrong=False).ravel())[1]
    right, wrong = (_scores(test, brands, wrong=wrong) < limit for wrong in (False, True))
    rule = np.array([[answered(p, b) == STOPPED for b in brands if b != p.brand] for p in test])
    random = np.random.default_rng(seed)
    draws = random.integers(len(test), size=(_DRAWS, len(test)))
    said = []
    for name, of_each in (
        ("stopped by the limit", wrong.mean(axis=1)),
        ("less the share that the rule stops", (wrong.astype(float) - rule).mean(axis=1)),
        ("right things stopped by the limit", right.mean(axis=1)),
    ):
        low, high = np.percentile(of_each[draws].mean(axis=1), (2.5, 97.5))
        said.append(f"{name}: {of_each.mean():.3f} ({low:.3f} to {high:.3f})")
    for split, of_it in (("validation", validation), ("test", test)):
        good, bad = (_logits(_scores(of_it, brands, wrong=w)) for w in (False, True))
        apart = (good.mean() - bad.mean()) / np.sqrt((good.var() + bad.var()) / 2)
        said.append(f"right and wrong lie {apart:.1f} standard deviations apart ({split})")
    return f"\na limit of {limit:.4f} on the score of the code's label, over the photographs:\n" + (
        "\n".join(said)
    )


def _scores(photographs: Sequence[Photograph], brands: Sequence[str], *, wrong: bool) -> Scores:
    """The score of the label that the code names, for each photograph and code."""
    return np.array(
        [
            [photograph.verdict.scores[b] for b in brands if (b != photograph.brand) is wrong]
            for photograph in photographs
        ],
        np.float64,
    )


def _logits(scores: Scores) -> Scores:
    found: Scores = np.log(scores / (1 - scores))
    return found


def verdict_of(classifier: Classifier, picture: Image) -> Verdict:
    """The verdict on one picture."""
    return classifier.verdict(classifier.predict(picture))


def judge(
    arguments: argparse.Namespace,
    photographs: Sequence[Photograph],
    boxes: Sequence[Receipt],
    answers: Sequence[str],
    counts: dict[str, int],
    errors: Sequence[str],
) -> int:
    """Prints the tables; the exit code."""
    found = Counter(zip((box.is_wrong for box in boxes), answers, strict=True))
    print(f"\n{len(boxes)} receipts, {len(photographs)} photographs of the test split\n")
    print("| box | receipts | answer | share | over pairs of photograph and code |")
    print("|---|---|---|---|---|")
    for wrong in (True, False):
        total = sum(box.is_wrong is wrong for box in boxes)
        for what in (STOPPED, ASIDE, COUNTED):
            count = found[wrong, what]
            low, high = wilson(count / total, total)
            share, least, most = shares(
                photographs, list(counts), wrong=wrong, what=what, seed=arguments.seed
            )
            print(
                f"| {'wrong thing' if wrong else 'right thing'} | {total} | {what}: {count} | "
                f"{count / total:.3f} ({low:.3f}-{high:.3f}) | {share:.3f} "
                f"({least:.3f}-{most:.3f}) |"
            )
    reckoned = Counter(
        box.code_brand for box, what in zip(boxes, answers, strict=True) if what == COUNTED
    )
    expected = [answered(box.photograph, box.code_brand) for box in boxes]
    exact = counts == {brand: reckoned[brand] for brand in counts} and list(answers) == expected
    print(f"\ncounts are those of the rows: {'yes' if exact else 'NO'}")
    print("\n".join(errors[:10]))
    enough = found[True, STOPPED] >= LEAST_STOPPED * arguments.wrong
    few = found[False, STOPPED] <= MOST_FALSE
    return EXIT_OK if enough and few and exact and not errors else EXIT_NO


if __name__ == "__main__":
    sys.exit(main())
