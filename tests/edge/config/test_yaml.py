"""Station files that are no YAML, no mapping, no file, or more than they seem."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from edge.config.reading import read_station
from edge.core.errors import ConfigError
from tests.bundles import make_bundle
from tests.edge.stations import STATION, make_station


def test_what_yaml_1_1_takes_for_a_boolean_or_a_date_can_be_a_label(tmp_path: Path) -> None:
    labels = ("no", "on", "2026-11-21")
    bundle = make_bundle(tmp_path / "made", labels=labels)
    text = re.sub(r"\[red\]", "[no, on, 2026-11-21]", STATION)
    text = text.replace("[blue]", "[]").replace("[green]", "[]")
    plan = read_station(make_station(tmp_path / "station", text=text, bundle=bundle))
    assert plan.config.lanes["warm"].labels == list(labels)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "1: expected `key: value` lines. Received: an empty file"),
        (b"- a\n- b\n", "1: expected `key: value` lines. Received: a list"),
        (b"station: \xff\n", "1: not a text file in UTF-8"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_is_no_station_file_at_all(
    content: bytes | None, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "station.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(said)):
        read_station(file)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("station", "cannot be read: it is a pipe, not a file"),
        ("bundle", "a pipe, a socket or a device: give the folder or zip file of a bundle"),
        ("key", "it is a pipe, not a file"),
    ],
)
def test_a_pipe_is_not_waited_for(where: str, said: str, tmp_path: Path, tiny_bundle: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    text = STATION + "trust: {public_keys: [pipe]}\n" if where == "key" else STATION
    station = make_station(
        tmp_path / "s",
        text=text.replace("[pipe]", f"[{tmp_path / 'pipe'}]").replace(
            "bundle: bundle",
            f"bundle: {tmp_path / 'pipe'}" if where == "bundle" else "bundle: bundle",
        ),
        bundle=tiny_bundle,
    )
    with pytest.raises(ConfigError, match=said):
        read_station(tmp_path / "pipe" if where == "station" else station)


def test_aliases_that_unfold_without_end_are_refused_at_once(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    lists = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lists += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    merged = ["m0: &m0 {a: 1, b: 2}"]
    merged += [f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}" for n in range(1, 12)]
    for number, lines in enumerate((lists, merged)):
        text = STATION + "\n".join(lines) + "\n"
        station = make_station(tmp_path / str(number), text=text, bundle=tiny_bundle)
        with pytest.raises(ConfigError, match="more than 20,000 values, including"):
            read_station(station)


def test_an_alias_that_repeats_little_is_read(tmp_path: Path, tiny_bundle: Path) -> None:
    text = STATION.replace("{kind: servo, pin: 18,", "&arm {kind: servo, pin: 18,")
    text = text.replace("{kind: solenoid, pin: 23, hold_seconds: 0.1}", "{<<: *arm, pin: 23}")
    config = read_station(make_station(tmp_path, text=text, bundle=tiny_bundle)).config
    assert config.lanes["cold"].actuator is not None
    assert config.lanes["cold"].actuator.kind == "servo"
