from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edge.telemetry.status import StatusReading
from edge.web.plan import LearningForecast, ModelFacts
from edge.web.watch import sorting_model
from edge.web.watch.sorting_model import SortingModel, read_beside
from tests.edge.telemetry.statuses import SIGNS, status
from tests.edge.web.browsing import Pages

OLD = ModelFacts(digest="0" * 64, accuracy=0.81, interval=(0.7, 0.9), images=100,
                 forecast=LearningForecast(more=50, gain=0.02, low=0.01, high=0.03))  # fmt: skip
NEW = replace(OLD, digest=SIGNS.model_digest, accuracy=0.93,
              forecast=LearningForecast(more=70, gain=0.04, low=0.03, high=0.05))  # fmt: skip


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    return Pages(tmp_path, model=OLD, bundle=tmp_path / "bundle", kept="all", kept_days=30.0)


def knowing(pages: Pages, read: Callable[[Path], ModelFacts | None]) -> SortingModel:
    """What the site of `pages` knows of the model from now on."""
    pages.site.model = SortingModel(pages.plan, read=read, clock=lambda: pages.now)
    return pages.site.model


def settled(model: SortingModel) -> None:
    assert model.reading is not None
    model.reading.join()


def test_after_an_install_the_figures_are_those_of_the_model_that_sorts(pages: Pages) -> None:
    model, browser = knowing(pages, lambda path: NEW), pages.browser()
    for path in ("/health", "/review", "/teach"):
        text = browser.get(path).text
        assert "81.0%" not in text.partition("<main")[2], path
        assert "50 more pictures" not in text, path
    settled(model)
    assert "93.0% (95 % interval" in browser.get("/health").text
    for path in ("/review", "/teach"):
        assert "70 more pictures" in browser.get(path).text


def test_a_station_that_does_not_run_keeps_what_was_known_last(pages: Pages) -> None:
    knowing(pages, lambda path: pytest.fail("nothing is to be read"))
    pages.reading = None
    assert "50 more pictures" in pages.browser().get("/review").text
    signs = replace(SIGNS, model_digest=OLD.digest)
    pages.reading = StatusReading(status(pages.plan.ledger, signs=signs), 0.4)
    assert "50 more pictures" in pages.browser().get("/review").text


def test_a_bundle_is_not_read_again_and_again(pages: Pages) -> None:
    looks: list[Path] = []
    model = knowing(pages, lambda path: looks.append(path))
    now = pages.now
    for wait, count in ((0.0, 1), (1.0, 1), (sorting_model._AGAIN_SECONDS, 2)):
        pages.now = now + wait
        assert model.facts("1" * 64) is None
        settled(model)
        assert len(looks) == count


def test_a_bundle_is_read_by_a_process_of_its_own(tiny_bundle: Path, tmp_path: Path) -> None:
    found = read_beside(tiny_bundle)
    assert found is not None
    assert len(found.digest) == 64
    assert read_beside(tmp_path / "nothing") is None


def test_a_process_that_cannot_be_started_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    assert read_beside(tmp_path) is None
