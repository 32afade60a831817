from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.config.publish.section import PublishSettings, publisher_path
from edge.config.reading import read_part
from edge.config.station import RecordsConfig
from edge.core.errors import ConfigError
from edge.outbox.retention import Keep


def read(folder: Path, publish: str) -> RecordsConfig:
    """What a station file says of records, with the section `publish` as given."""
    file = folder / "station.yaml"
    file.write_text(f"station: cell-1\nledger: {{path: ledger.sqlite}}\n{publish}\n", "utf-8")
    return read_part(file, RecordsConfig)[1]


@pytest.mark.parametrize("publish", ["", "publish: {metrics: {}}"])
def test_where_nobody_is_told_nothing_is_kept_for_anybody(tmp_path: Path, publish: str) -> None:
    assert read(tmp_path, publish).keep is None


def test_what_the_outbox_keeps_and_for_whom(tmp_path: Path) -> None:
    config = read(tmp_path, "publish: {mqtt: {host: broker}, outbox: {megabytes: 5, days: 0.5}}")
    publisher = tmp_path / "ledger-publish.sqlite"
    assert config.keep == Keep(publisher, ("mqtt",), 5.0, 0.5)
    assert publisher_path(config.ledger.path) == publisher


MISTAKES: dict[str, tuple[str, str]] = {
    "nobody is told": ("publish: {outbox: {days: 3}}", "names nobody to tell: give it one of mqtt"),
    "an unknown receiver": ("publish: {mqqt: {host: broker}}", "Did you mean mqtt?"),
    "no room at all": (
        "publish: {mqtt: {host: broker}, outbox: {megabytes: 0}}", "greater than or equal to 1",
    ),
    "for ever": (
        "publish: {mqtt: {host: broker}, outbox: {days: .inf}}", "finite",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_named(tmp_path: Path, case: str) -> None:
    publish, words = MISTAKES[case]
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, publish)
    assert words in str(caught.value)
    assert "publish" in str(caught.value)


def test_receivers_are_in_the_order_of_the_sections() -> None:
    received: dict[str, Any] = {"mqtt": {"host": "broker"}}
    assert PublishSettings.model_validate(received).receivers == ("mqtt",)
