"""The demo's boxes are what they say, and its report is held against what really came."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from deploy.demo_receiving.boxes import SIDE, DrawnBox, draw_box, ean_13
from deploy.demo_receiving.broker import BrokerError, DemoBroker
from deploy.demo_receiving.goods import NAME, THINGS, code_of, goods_csv, truth, wrongs
from edge.receiving.code import gtin_14
from edge.receiving.codes.ladder import CodeLadder, part_with_item


@pytest.mark.parametrize("thing", THINGS)
def test_the_code_of_a_drawn_box_is_read(thing: str) -> None:
    picture = draw_box(DrawnBox(thing, ean_13(4711), 7), seed=0)
    assert picture.shape == (SIDE, SIDE, 3)
    reading = CodeLadder(["ean13"]).read(part_with_item(picture, None))
    assert [code.text for code in reading.codes] == [ean_13(4711)]


def test_what_comes_is_not_what_is_announced() -> None:
    real = truth(0)
    announced = {
        row["label"]: int(row["expected"]) for row in csv.DictReader(io.StringIO(goods_csv()))
    }
    assert real.differences == {thing: real.counts[thing] - announced[thing] for thing in announced}
    assert min(real.differences.values()) < 0 < max(real.differences.values())
    wrong = [box for box in real.boxes if box.name in real.uncounted]
    known = {code_of(thing): thing for thing in THINGS}
    assert sorted(known.get(box.code, "") for box in wrong) == ["", "bottle", "paper_ball"]
    assert all(gtin_14(box.code) for box in real.boxes)
    assert f"{NAME}," in goods_csv()


def test_every_seed_has_the_same_boxes_in_another_order() -> None:
    one, other = truth(0), truth(1)
    assert one.counts == other.counts
    assert [box.thing for box in one.boxes] != [box.thing for box in other.boxes]


def test_a_report_that_shows_something_else_is_named() -> None:
    real = truth(0)
    assert wrongs(real, real.counts, real.uncounted) == []
    (first, *rest) = sorted(real.uncounted)
    assert wrongs(real, real.counts | {"fruit": 0}, {*rest, "other.png"}) == [
        f"0 fruit were counted, and {real.counts['fruit']} came",
        f"{first} is not on the list of what was stopped or put aside",
        "other.png is on that list, and was right",
    ]


def test_what_a_broker_heard_twice_counts_once(tmp_path: Path) -> None:
    program = tmp_path / "mosquitto_sub"
    lines = (
        "pilah/door/availability online",
        'pilah/door/item {"kind": "item", "id": "1"}',
        'pilah/door/item {"kind": "item", "id": "1"}',
        'pilah/door/item {"kind": "item", "id": "2"}',
        'pilah/door/incident {"kind": "picture_contradicted", "id": "3"}',
    )
    said = "".join(f"echo '{line}'\n" for line in lines)
    program.write_text(f"#!/bin/sh\n{said}exit 27\n", "utf-8")
    program.chmod(0o755)
    assert DemoBroker(1, str(program)).heard() == {"item": 2, "incident": 1}
    program.write_text("#!/bin/sh\necho refused >&2; exit 5\n", "utf-8")
    with pytest.raises(BrokerError, match="ended with 5: refused"):
        DemoBroker(1, str(program)).subscribe()
