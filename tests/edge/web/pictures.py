"""Writes the picture of the operator's pages that the README shows: `deploy/pictures/pages.jpg`.

    python -m tests.edge.web.pictures

Chromium looks at the pages of a made-up station, whose items are drawn.
"""

from __future__ import annotations

import base64
import tempfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from edge.core.images.image_file import Image
from edge.events import Stamps, utc_text
from edge.receiving.code import read_code
from edge.receiving.delivery import Line
from edge.receiving.desk import Desk
from edge.receiving.scan import Scan
from edge.receiving.store import Deliveries
from edge.samples.photograph_store import photograph_file
from edge.simulation.belt.drawing.draw import draw_item
from tests.deploy.scripts import DEPLOY
from tests.edge.ledger.entries import entry
from tests.edge.receiving.goods_lists import PACK_OF_SHOES, SHOE, goods
from tests.edge.web.browsing import NOON, SEEN, Pages
from tests.edge.web.chromium import Screen, chromium, served

_HEIGHT = 900
_GREY = 96
LANES = {"bottles": ("bottle",), "cans": ("can",), "fruit": ("fruit",), "rest": ()}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        pages = Pages(
            Path(name), lanes=LANES, kept="all", share=0.0, kept_days=30.0,
            names={"id": {"bottle": "botol", "can": "kaleng", "fruit": "buah", "bottles": "botol",
                          "cans": "kaleng", "fruits": "buah", "rest": "sisa"}},
        )  # fmt: skip
        _fill(pages)
        _count(pages)
        shots = []
        with served(pages) as address, chromium() as browser:
            for size, language, path in (
                ("phone", "id", "/review"), ("wall", "en", "/"), ("tablet", "en", "/delivery"),
            ):  # fmt: skip
                screen = Screen(browser, address, size, language)
                page = screen.open(path)
                page.locator("header").wait_for()
                page.wait_for_timeout(1500)
                raw = np.frombuffer(page.screenshot(), np.uint8)
                shots.append(cv2.imdecode(raw, cv2.IMREAD_COLOR))
                screen.close()
        file = DEPLOY / "pictures" / "pages.jpg"
        cv2.imwrite(str(file), _beside_each_other(shots), (cv2.IMWRITE_JPEG_QUALITY, 82))


def _fill(pages: Pages) -> None:
    labels = [label for labels in LANES.values() for label in labels]
    rows = []
    for number in range(1, 61):
        label = labels[number * 7 % 3]
        rejected = number % 9 == 0
        found = entry(
            number, time=utc_text(NOON - 5 * (61 - number)), label=label, accepted=not rejected,
            reject="low_confidence" if rejected else None, confidence=0.45 if rejected else 0.97,
            lane="rest" if rejected else next(x for x, y in LANES.items() if label in y),
            scores={label: 0.97},
        )  # fmt: skip
        found = replace(found, photograph=photograph_file(found.id))
        file = pages.plan.photographs / str(found.photograph)
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), _drawn(label, number))
        rows.append(found)
    pages.write(rows)
    pages.control.shown = {"state": "Execute"}
    raw = cv2.imencode(".jpg", _drawn("bottle", 5))[1].tobytes()
    pages.control.seen = {
        **SEEN,
        "jpeg": base64.b64encode(raw).decode("ascii"),
        "boxes": [],
        "region": [20, 40, 600, 400],
    }


def _drawn(label: str, number: int) -> Image:
    sprite = draw_item(label, random=np.random.default_rng(number), height=360)
    alpha = sprite.alpha[..., None].astype(np.float32)
    alpha = alpha / max(1.0, float(alpha.max()))
    image = sprite.image * alpha + _GREY * (1 - alpha)
    return np.asarray(np.clip(image, 0, 255), np.uint8)


def _count(pages: Pages) -> None:
    lines = (
        Line(number=1, sku="SH-42", gtin="04006381333931", description="Adidas shoe 42",
             label="adidas", expected=8, pack_size=6),
        Line(number=2, sku="SO-7", gtin="00000096385074", description="Nike socks", label="nike",
             expected=2),
    )  # fmt: skip
    with Deliveries(pages.plan.deliveries) as deliveries:
        desk = Desk(deliveries, Stamps("bin-1", lambda: pages.now), "Ana")
        desk.import_goods([goods(*lines, delivery="D-1")], "goods.csv")
        desk.open("D-1")
        for code, seen in ((SHOE, None), (PACK_OF_SHOES, None), (SHOE, "nike")):
            desk.scan("D-1", Scan(code=read_code(code), seen=seen))


def _beside_each_other(shots: list[Image]) -> Image:
    made = []
    for shot in shots:
        height, width = shot.shape[:2]
        small = cv2.resize(shot, (round(width * _HEIGHT / height), _HEIGHT),
                           interpolation=cv2.INTER_AREA)  # fmt: skip
        made.append(cv2.copyMakeBorder(small, 12, 12, 12, 12, cv2.BORDER_CONSTANT,
                                       value=(150, 150, 150)))  # fmt: skip
    return np.asarray(np.hstack(made), np.uint8)


if __name__ == "__main__":
    main()
