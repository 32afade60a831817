from __future__ import annotations

from pathlib import Path

import pytest

from edge.config.reading import read_vision_config
from edge.web.pages import region
from edge.web.pages.region import Rectangle, Shape, whole_multiple
from edge.web.plan import ModelFacts
from tests.edge.stations import STATION
from tests.edge.telemetry.statuses import SIGNS
from tests.edge.web.browsing import SEEN, Pages

MODEL = ModelFacts(digest=SIGNS.model_digest, input_size=(224, 224))


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    found = Pages(tmp_path, model=MODEL)
    found.control.seen = SEEN
    return found


def drawn(pages: Pages, *numbers: object) -> str:
    query = "&".join(
        f"{name}={number}" for name, number in zip(Rectangle._fields, numbers, strict=True)
    )
    return pages.browser().get(f"/teach/region?{query}").text


def test_the_fields_begin_with_the_region_that_is_used(pages: Pages) -> None:
    text = pages.browser().get("/teach/region").text
    for name, value in zip(Rectangle._fields, SEEN["region"], strict=True):
        assert f'name="{name}" type="number"' in text
        assert f'required value="{value}"' in text
    assert 'viewBox="0 0 640 480"' in text


def test_what_is_drawn_becomes_the_line_that_a_station_file_takes(
    pages: Pages, tmp_path: Path
) -> None:
    text = drawn(pages, 10, 20, 300, 200)
    line = "region: {left: 10, top: 20, width: 300, height: 200}"
    assert f'<pre class="lines" tabindex="0">{line}</pre>' in text
    file = tmp_path / "station.yaml"
    (tmp_path / "photos").mkdir()
    file.write_text(STATION + line + "\n")
    read = read_vision_config(file).region
    assert read is not None
    assert tuple(read.model_dump().values()) == (10, 20, 300, 200)


def test_a_whole_multiple_of_the_model_s_input_is_proposed(pages: Pages) -> None:
    text = drawn(pages, 100, 20, 400, 400)
    assert "448 × 448 pixels about the same middle. That is 2 times" in text
    assert 'name="left" value="76"' in text
    assert "✓ It is 2 times what the model computes with." in drawn(pages, 76, 0, 448, 448)


@pytest.mark.parametrize(
    ("rectangle", "expected"),
    [
        ((0, 0, 224, 224), (0, 0, 224, 224)),
        ((600, 440, 40, 40), (416, 256, 224, 224)),  # moved in from the corner
        ((0, 0, 640, 480), (96, 16, 448, 448)),
        ((300, 200, 8, 8), (192, 92, 224, 224)),
    ],
)
def test_the_proposal_is_near_what_was_drawn_and_in_the_picture(
    rectangle: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    found = whole_multiple(Rectangle(*rectangle), Shape(224, 224), Shape(640, 480))
    assert found == expected


def test_a_picture_that_is_smaller_than_the_input_has_no_proposal() -> None:
    assert whole_multiple(Rectangle(0, 0, 50, 50), Shape(224, 224), Shape(320, 200)) is None


def test_one_that_does_not_fit_is_said_not_to(pages: Pages) -> None:
    text = drawn(pages, 400, 100, 300, 200)
    assert "It reaches to 700, 300, and the picture ends at 640, 480." in text
    assert "Better:" not in text


@pytest.mark.parametrize(
    "numbers", [("", 1, 2, 3), (0, 0, 7, 100), (-1, 0, 50, 50), (0, 0, 99999, 50), ("x", 0, 9, 9),
                ("1e2", 0, 50, 50), ("٣", 0, 50, 50)],
)  # fmt: skip
def test_what_no_station_file_could_have_is_refused(pages: Pages, numbers: tuple[object]) -> None:
    text = drawn(pages, *numbers)
    assert "This is no region." in text
    assert 'class="lines"' not in text


def test_a_model_that_looks_at_items_needs_no_multiple(tmp_path: Path) -> None:
    pages = Pages(
        tmp_path, model=ModelFacts(digest=SIGNS.model_digest, input_size=(224, 224), crop="item")
    )
    pages.control.seen = SEEN
    assert "may have any size in which items are whole" in drawn(pages, 100, 20, 400, 400)


def test_the_first_picture_is_waited_for(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([{}, {}, SEEN])
    monkeypatch.setattr(pages.control, "picture", lambda who: next(answers))
    assert 'viewBox="0 0 640 480"' in pages.browser().get("/teach/region").text


def test_without_a_picture_the_line_can_be_written_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = Pages(tmp_path)
    monkeypatch.setattr(region, "_PATIENCE_SECONDS", 0.0)
    assert "The station gives no picture." in pages.browser().get("/teach/region").text
    pages.reading = None
    assert "there is no picture to draw on" in pages.browser().get("/teach/region").text
    assert "region: {left: 1, top: 2, width: 30, height: 40}" in drawn(pages, 1, 2, 30, 40)
    off = Pages(tmp_path, live=False)
    off.control.seen = SEEN
    assert "web: {live_picture: false}" in off.browser().get("/teach/region").text
