"""What a running station does with the bundle that it finds where its file says."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.config.reading import StationPlan, read_station
from edge.core.errors import (
    BundleFileChangedError,
    BundleMissingError,
    ConfigError,
    GoldenError,
    SignatureMissingError,
)
from edge.core.images.preprocess import InputSpec
from edge.core.model.bundle import read_bundle
from edge.rollout import reloading
from edge.rollout.install import install
from edge.rollout.reloading import BundleReload
from edge.sorting.model import ActiveModel, open_model
from tests.bundles import LABELS, change_manifest, make_bundle
from tests.edge.rollout.rollouts import OPEN, make_pinned, make_signed
from tests.signatures import OURS


class Given:
    """A station that was started with the bundle `tiny 1`, and what its reloading did."""

    def __init__(self, file: Path, open_model: Callable[[StationPlan], ActiveModel]) -> None:
        self.file, self.titles, self.refusals = file, list[str](), list[Exception]()
        self.quiet = True
        self.reload = BundleReload(
            read_station(file),
            open_model=open_model,
            change=lambda model: self.titles.append(model.title),
            judging=self._judging,
            quiet=lambda: self.quiet,
        )

    @contextmanager
    def _judging(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.refusals.append(error)
            raise

    def loads(self) -> str:
        """Why the bundle that is there now is refused."""
        order = self.reload.ask("ana")["order"]
        for _ in range(6000):
            if self.reload.facts()["done"] >= order:
                break
            time.sleep(0.01)
        facts = self.reload.facts()
        assert facts["done"] == order
        return str(facts["refused"])


NewStation = Callable[..., Given]


@pytest.fixture
def new_station(tmp_path: Path) -> NewStation:
    def make(open_model: Callable[[StationPlan], ActiveModel] = open_model, **more: str) -> Given:
        file = make_pinned(tmp_path / "station", **more)
        install(make_signed(tmp_path, "1"), file)
        return Given(file, open_model)

    return make


def test_what_is_installed_is_loaded_once(new_station: NewStation, tmp_path: Path) -> None:
    found = new_station()
    assert (found.loads(), found.titles) == ("", [])
    install(make_signed(tmp_path, "2"), found.file)
    with found.reload:
        assert [found.loads() for _ in range(2)] == ["", ""]
    assert (found.titles, found.refusals) == (["tiny 2"], [])
    assert found.reload.facts()["bundle"] == found.reload.plan.bundle.title == "tiny 2"


def unsigned(link: Path) -> None:
    (link / "signature").unlink()


def damaged(link: Path) -> None:
    (link / "labels.txt").write_text("red\ngreen\nblue\n\n")


def gone(link: Path) -> None:
    link.unlink()


def changed(link: Path) -> None:
    """Signed, but not what was verified here."""
    change_manifest(link, lambda fields: fields.update(figures={"accuracy": 1.0}))
    OURS.sign(link)


def replaced(link: Path, **fields: object) -> None:
    """Another bundle, which nobody installed."""
    link.unlink()
    OURS.sign(make_bundle(link, version="2", **fields))  # type: ignore[arg-type]


def with_other_labels(link: Path) -> None:
    replaced(link, labels=("red", "cup", "blue"))


def of_items(link: Path) -> None:
    replaced(link, spec=InputSpec(height=32, width=32, crop="item"))


def with_wrong_golden(link: Path) -> None:
    replaced(link)
    wrong = [0.0, 0.0, 1.0]
    change_manifest(link, lambda fields: fields["golden"]["pictures"][0].update(scores=wrong))
    OURS.sign(link)


@pytest.mark.parametrize(
    ("happens", "kind", "said"),
    [
        (unsigned, SignatureMissingError, "signed"),
        (damaged, BundleFileChangedError, "labels.txt"),
        (gone, BundleMissingError, "model"),
        (changed, BundleFileChangedError, "was verified here"),
        (with_other_labels, ConfigError, "no lane for 'cup'"),
        (of_items, ConfigError, "use {kind: motion}"),
        (with_wrong_golden, GoldenError, "golden/0.png gets other scores"),
    ],
)
def test_a_bundle_by_which_the_station_could_not_start_is_refused_and_the_one_before_stays(
    new_station: NewStation, happens: Callable[[Path], None], kind: type[Exception], said: str
) -> None:
    found = new_station()
    link = found.file.with_name("model")
    kept = shutil.copytree(link, found.file.with_name("kept"))
    happens(link)
    with found.reload:
        assert said in found.loads()
        assert found.titles == []
        assert [type(error) for error in found.refusals] == [kind]
        facts = found.reload.facts()
        assert (facts["bundle"], facts["bundle_digest"]) == ("tiny 1", read_bundle(kept).digest)
        if link.is_symlink() or link.exists():
            shutil.rmtree(link.resolve())
        link.unlink(missing_ok=True)
        kept.rename(link)
        assert found.loads() == ""
    assert found.titles == []


def test_what_nobody_foresaw_is_refused_too_and_the_next_is_heard(
    new_station: NewStation, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    failing = [True]

    def opened(plan: StationPlan) -> ActiveModel:
        if failing:
            raise MemoryError("no memory is left")
        return open_model(plan)

    found = new_station(opened)
    install(make_signed(tmp_path, "2"), found.file)
    with found.reload:
        assert found.loads() == "MemoryError: no memory is left"
        failing.clear()
        assert found.loads() == ""
    assert found.titles == ["tiny 2"]
    assert "a bundle could not be loaded" in caplog.text


def held_up(
    loads: threading.Event, goes_on: threading.Event
) -> Callable[[StationPlan], ActiveModel]:
    """Loads a model once it may, and says when it has begun."""

    def opened(plan: StationPlan) -> ActiveModel:
        loads.set()
        assert goes_on.wait(60)
        return open_model(plan)

    return opened


def test_one_that_is_installed_while_another_one_is_loaded_is_loaded_after_it(
    new_station: NewStation, tmp_path: Path
) -> None:
    loads, goes_on = threading.Event(), threading.Event()
    found = new_station(held_up(loads, goes_on))
    install(make_signed(tmp_path, "2"), found.file)
    with found.reload:
        found.reload.ask("ana")
        assert loads.wait(60)
        install(make_signed(tmp_path, "3"), found.file)
        orders = [found.reload.ask(who)["order"] for who in ("ana", "ben")]
        assert orders == [2, 3]
        assert found.reload.facts()["done"] == 0
        goes_on.set()
        assert found.loads() == ""
    assert found.titles == ["tiny 2", "tiny 3"]


def test_it_is_loaded_once_no_item_is_there(
    new_station: NewStation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reloading, "_QUIET_SECONDS", 600.0)
    opened: list[bool] = []

    def open_quietly(plan: StationPlan) -> ActiveModel:
        opened.append(found.quiet)
        return open_model(plan)

    found = new_station(open_quietly)
    install(make_signed(tmp_path, "2"), found.file)
    found.quiet = False
    with found.reload:
        found.reload.ask("ana")
        time.sleep(0.3)
        assert opened == []
        found.quiet = True
        assert found.loads() == ""
    assert (opened, found.titles) == ([True], ["tiny 2"])


def test_it_is_loaded_among_items_that_never_end(
    new_station: NewStation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reloading, "_QUIET_SECONDS", 0.1)
    found = new_station()
    install(make_signed(tmp_path, "2"), found.file)
    found.quiet = False
    with found.reload:
        assert found.loads() == ""
    assert found.titles == ["tiny 2"]


def test_a_station_that_has_ended_meanwhile_is_not_changed(
    new_station: NewStation, tmp_path: Path
) -> None:
    loads, goes_on = threading.Event(), threading.Event()
    found = new_station(held_up(loads, goes_on))
    install(make_signed(tmp_path, "2"), found.file)
    found.reload.ask("ana")
    assert loads.wait(60)
    (thread,) = (one for one in threading.enumerate() if one.name == "bundle")
    found.reload.close()
    goes_on.set()
    thread.join(60)
    assert not thread.is_alive()
    assert found.titles == []
    assert found.reload.ask("ana") == {"order": 2}
    assert found.reload.facts()["bundle"] == "tiny 1"


def test_a_station_without_keys_takes_what_nobody_signed(
    new_station: NewStation, tmp_path: Path
) -> None:
    found = new_station(text=OPEN)
    install(make_signed(tmp_path, "2", key=None), found.file)
    with found.reload:
        assert found.loads() == ""
    assert found.titles == ["tiny 2"]
    assert found.reload.plan.bundle.labels == LABELS
