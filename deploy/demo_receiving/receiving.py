"""The demo of a receiving station: from drawn boxes to the report of a delivery."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

from deploy.demo.folder import BUNDLE, LEDGER, PHOTOS, RUN, STATION, fresh_folder
from deploy.demo.stages import Stages, pilah
from deploy.demo.stations import write_station
from deploy.demo_receiving.boxes import DrawnBox, ean_13, write_box
from deploy.demo_receiving.broker import CONFIG, DemoBroker, demo_broker
from deploy.demo_receiving.goods import NAME, THINGS, Truth, goods_csv, truth, wrongs
from edge.core.files import write_file
from edge.ledger.ledger import Ledger
from edge.receiving.events import kind_of
from edge.receiving.state import DeliveryState
from edge.receiving.store import Deliveries

_log = logging.getLogger(__name__)

KEPT = "kept"
"""The folder of photographs that the station keeps, for the report to show what was stopped."""
PHOTOGRAPHS = 150
"""Of each thing, to train on."""
BOXES, GOODS, REPORT = "boxes", "goods.csv", f"{NAME}.html"
_DELIVERIES = "ledger-deliveries.sqlite"
_FILES = (LEDGER, _DELIVERIES, "ledger-publish.sqlite")
_MADE = (
    *(PHOTOS, RUN, BUNDLE, BOXES, GOODS, STATION, REPORT, KEPT, CONFIG),
    *(
        f"{name}{end}"
        for name in (LEDGER, _DELIVERIES, "ledger-publish.sqlite")
        for end in ("", "-wal", "-shm")
    ),
)
_MINUTES = 24 * 60
"""For the training, which is bounded by its epochs."""


def receiving_demo(folder: Path, *, seed: int, photographs: int = PHOTOGRAPHS) -> bool:
    """Whether the report of the delivery shows exactly what came.

    Args:
        folder: to fill.
        seed: of the boxes, of the training, of everything.
        photographs: to train on, of each thing.

    Raises:
        PilahError: a stage failed, or the folder cannot be filled.
        KeyboardInterrupt: Ctrl-C.
    """
    folder = fresh_folder(folder, made=_MADE)
    real, stages = truth(seed), Stages(total=5)
    _log.info(
        "A delivery of drawn boxes passes a camera. A station reads the code on each box, looks at "
        "what is in it, and counts it where the two agree. Some boxes are missing, some are too "
        f"many, and {len(real.uncounted)} are not right: their report is to show exactly that."
    )
    with stages.stage("photographs", f"photographs: {photographs} drawn boxes of each thing"):
        for number in range(photographs * len(THINGS)):
            # Any code may be on any of them: the model is to look at the thing.
            box = DrawnBox(THINGS[number % len(THINGS)], ean_13(1000 + number), number)
            write_box(box, folder / PHOTOS / box.thing, seed=seed)
    with stages.stage("training", "training: a small network from scratch"):
        pilah(
            *("trainer", "train", "convnet", "--data", folder / PHOTOS, "--out", folder / RUN),
            *("--seed", seed, "--max-minutes", _MINUTES),
            *("--set", "input.crop=region", "--set", "split.near_duplicates=false"),
        )
    with stages.stage("conversion", "conversion: to int8, and proof that it answers alike"):
        pilah("converter", "convert", folder / RUN, "--out", folder / BUNDLE, "--name", "boxes")
    with demo_broker(folder) as broker:
        with stages.stage("delivery", f"delivery: {len(real.boxes)} boxes pass the camera"):
            receive(folder, real, broker, seed=seed)
        with stages.stage("report", "report: a person scans what was rejected, and closes"):
            well = close(folder, real)
            return (broker is None or told(folder, real, broker)) and well


def receive(folder: Path, real: Truth, broker: DemoBroker | None, *, seed: int) -> None:
    """Announces and opens the delivery, and has the station count what passes."""
    publish = {} if broker is None else {"publish": broker.section()}
    for box in real.boxes:
        write_box(box, folder / BOXES, seed=seed)
    write_file(folder / GOODS, goods_csv())
    write_station(
        folder / STATION,
        {
            "station": "door",
            "bundle": BUNDLE,
            "camera": {"kind": "folder", "path": BOXES, "frames_per_second": 2},
            "trigger": {"kind": "continuous"},
            "lanes": {
                "counted": {"labels": list(THINGS)},
                # A lamp: it lights for each box whose picture says otherwise than its code.
                "stopped": {"actuator": {"kind": "solenoid", "pin": 24, "hold_seconds": 0.4}},
                "rest": {},
            },
            "default_lane": "rest",
            "ledger": {"path": LEDGER},
            "codes": {"formats": ["ean13"]},
            "receiving": {"mismatch_lane": "stopped", "wait_seconds": 10},
            "photographs": {"items": "all", "path": KEPT, "megabytes": 20, "days": 30},
            **publish,
        },
        comment="A station that receives drawn boxes: `pilah-edge run` of this file runs it again.",
    )
    pilah("edge", "delivery", "import", folder / STATION, folder / GOODS, "--by", "demo")
    pilah("edge", "delivery", "open", folder / STATION, NAME, "--by", "demo")
    pilah("edge", "run", folder / STATION)


def close(folder: Path, real: Truth) -> bool:
    """Scans by hand what the model rejected although it is right, closes the delivery, and says
    whether its report shows exactly what came."""
    boxes = {box.name: box for box in real.boxes}
    for name in sorted(uncounted(folder) - real.uncounted):
        _log.info(f"{name} was put aside: a person looks, and it is a {boxes[name].thing}")
        code = boxes[name].code
        pilah("edge", "delivery", "scan", folder / STATION, code, "--by", "demo", "--force")
    pilah("edge", "delivery", "close", folder / STATION, "--as-counted", "--by", "demo")
    words = ("--delivery", NAME, "--out", folder / REPORT)
    pilah("edge", "delivery", "report", folder / STATION, *words)
    state = _state(folder)
    counted = {line.label or "": state.count(line.number).counted for line in state.lines}
    found = wrongs(real, counted, uncounted(folder))
    for thing, difference in real.differences.items():
        _log.info(f"{thing:10}  {counted[thing]} counted, {difference:+d} against the list")
    _log.info(
        f"uncounted   {len(state.disagreements)} stopped, as the picture says otherwise than the "
        f"code; {len(state.asides)} put aside; {len(real.uncounted)} boxes were not right"
    )
    for sentence in found:
        _log.error(f"WRONG       {sentence}")
    _log.info(
        f"\nThe report {folder / REPORT} "
        + ("shows something else than came" if found else "shows exactly what came")
    )
    return not found


def told(folder: Path, real: Truth, broker: DemoBroker) -> bool:
    """Whether the broker hears of each box, of each that was stopped, and of each that counts."""
    broker.subscribe()
    pilah("publish", folder / STATION, "--once")
    heard, state = broker.heard(), _state(folder)
    with Deliveries(folder / _DELIVERIES) as deliveries:
        events = Counter(kind_of(event) for event in deliveries.events(NAME))
    expected = {
        "item": len(real.boxes),
        "incident": len(state.disagreements),
        "piece_counted": events["piece_counted"],
        "delivery_closed": 1,
    }
    found = {kind: heard[kind] for kind in expected}
    _log.info(f"broker      mosquitto heard of {found}")
    if found != expected:
        _log.error(f"WRONG       it was to hear of {expected}")
    return found == expected


def uncounted(folder: Path) -> set[str]:
    """The pictures of the boxes that were stopped or put aside."""
    state = _state(folder)
    with Ledger(folder / LEDGER) as ledger:
        names = {entry.id: Path(entry.source).name for entry in ledger.entries()}
    seen = [
        *(one.item_id for one in state.disagreements),
        *(one.item_id for one in state.asides),
    ]
    return {names[item] for item in seen if item is not None}


def _state(folder: Path) -> DeliveryState:
    with Deliveries(folder / _DELIVERIES) as deliveries:
        state = deliveries.state(NAME)
    assert state is not None  # it was imported by the stage before
    return state
