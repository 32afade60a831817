from __future__ import annotations

from pathlib import Path

import pytest

from edge.core.errors import ConfigError
from edge.web.plan import WebPlan
from edge.web.reading import read_plan
from tests.edge.stations import STATION, make_station

MORE = """\
receiving: {path: goods.sqlite}
photographs: {items: all, share: 0.1, days: 7}
publish:
  mqtt: {host: broker.example}
  epcis: {url: "https://epcis.example/x"}
  metrics: {}
web: {listen: "0.0.0.0:80", names: {id: {red: merah}}}
"""


@pytest.fixture
def plan(tmp_path: Path, tiny_bundle: Path) -> WebPlan:
    return read_plan(make_station(tmp_path, text=STATION + MORE, bundle=tiny_bundle))


def test_what_the_pages_need_is_in_the_station_file(plan: WebPlan, tmp_path: Path) -> None:
    assert plan.station == "bin-1"
    assert plan.ledger == tmp_path / "ledger.sqlite"
    assert plan.deliveries == tmp_path / "goods.sqlite"
    assert plan.photographs == tmp_path / "ledger-photographs"
    assert plan.accounts == tmp_path / "ledger-accounts" / "accounts.json"
    assert plan.lanes == {"warm": ("red",), "cold": ("blue",), "rest": ("green",)}
    assert plan.labels == ("red", "blue", "green")
    assert (plan.kept, plan.share, plan.kept_days) == ("all", 0.1, 7)
    assert plan.address == "http://0.0.0.0:80/"
    assert plan.names == {"id": {"red": "merah"}}
    assert plan.keep is not None
    assert plan.keep.receivers == ("mqtt", "epcis")


def test_what_leaves_the_machine_is_named(plan: WebPlan) -> None:
    assert [(one.name, one.place) for one in plan.outgoing] == [
        ("mqtt", "broker.example"),
        ("epcis", "https://epcis.example/x"),
        ("metrics", "127.0.0.1:9477"),
    ]


def test_a_plan_reaches_another_process_as_it_is(plan: WebPlan) -> None:
    assert WebPlan.from_json(plan.as_json()) == plan


def test_a_station_without_more_keeps_and_sends_nothing(tmp_path: Path, tiny_bundle: Path) -> None:
    plan = read_plan(make_station(tmp_path, bundle=tiny_bundle))
    assert (plan.kept, plan.kept_days, plan.keep, plan.outgoing) == ("none", None, None, ())
    assert plan.address == "http://127.0.0.1:8040/"
    assert plan.model is not None


def test_a_bundle_that_cannot_be_read_has_no_figures(tmp_path: Path, tiny_bundle: Path) -> None:
    file = make_station(tmp_path, bundle=tiny_bundle)
    (tmp_path / "bundle" / "bundle.json").write_text("{")
    assert read_plan(file).model is None


def test_a_mistake_elsewhere_does_not_disturb_the_pages(tmp_path: Path, tiny_bundle: Path) -> None:
    file = make_station(tmp_path, bundle=tiny_bundle, text=STATION.replace("folder", "crystal"))
    assert read_plan(file).station == "bin-1"
    file.write_text(STATION + "web: {listen: everywhere}\n")
    with pytest.raises(ConfigError, match=r"web\.listen: must be an address and a port"):
        read_plan(file)
