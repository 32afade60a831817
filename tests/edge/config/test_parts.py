"""Some sections of a station file, read while the others are missing, wrong, or not known."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from edge.cli import main
from edge.config.ledger import LedgerSettings
from edge.config.reading import read_actuation_config, read_config, read_part, read_vision_config
from edge.config.station import StationPart
from edge.core.errors import EXIT_CONFIG, EXIT_OK, ConfigError
from tests.bundles import BGR, write_picture
from tests.edge.stations import STATION, make_station

EYE = """\
station: bin-1
camera: {kind: folder, path: photos, frames_per_second: 1000}
trigger: {kind: continuous}
"""
HANDS = """\
lanes:
  warm:
    labels: [red]
    actuator: {kind: servo, pin: 18, rest_angle: 0, active_angle: 60, hold_seconds: 0.1}
"""
VERBS = {
    "roi": (EYE, ["roi", "station.yaml"]),
    "capture": (
        EYE,
        ["capture", "station.yaml", "--label", "can", "--every", "0.001", "--count", "1"],
    ),
    "lane test": (HANDS, ["lane", "test", "station.yaml", "warm"]),
    "lane safe": (HANDS, ["lane", "safe", "station.yaml"]),
}
"""The sections that a verb needs, and how it is called."""
UNKNOWN = "delivery: {to: https://example.org, every_seconds: 60}\n"
FAULTY = {
    "nothing else": "",
    "an unknown section": UNKNOWN,
    "two unknown sections of one name": UNKNOWN * 2,
    "unknown sections with names like known ones": "vision: {}\nretention: {}\nsimulation: {}\n",
    "a section of another form": "ledger: 3\n",
    "an unknown key in another section": "decision: {agreemnt: 0.5}\n",
    "a value out of bounds": "belt: {metres_per_second: -1}\n",
    "a key that stands twice": "trust: {public_keys: [a], public_keys: [b]}\n",
    "a bundle that is not there": "bundle: nowhere\n",
    "a name that is no text": "3: x\n",
}
OF_THE_OTHER = {
    EYE: "lanes: {warm: {actuator: {kind: servo, pin: 99}}}\nkeep_alive: {pin: 18, pin: 18}\n",
    HANDS: "camera: {kind: folder, path: nowhere, pin: 18}\nregion: wide\ntrigger: {kind: magic}\n",
}
"""By what a verb needs, faults in what the other verbs need."""
CASES = [
    pytest.param(*VERBS[verb], text, id=f"{verb}: {fault}")
    for verb in VERBS
    for fault, text in [*FAULTY.items(), ("others' sections", OF_THE_OTHER[VERBS[verb][0]])]
]


@pytest.mark.parametrize(("sections", "words", "rest"), CASES)
def test_a_verb_needs_its_own_sections_alone(
    sections: str,
    words: list[str],
    rest: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_picture(tmp_path / "photos" / "1.png", BGR["red"])
    (tmp_path / "station.yaml").write_text(sections + rest, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with Path(os.devnull).open(encoding="utf-8") as keys:
        monkeypatch.setattr(sys, "stdin", keys)
        assert main(words) == EXIT_OK, capsys.readouterr().err


@pytest.mark.parametrize("words", [["check"], ["run"]], ids=["check", "run"])
def test_what_sorts_judges_every_section(
    words: list[str], tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = make_station(tmp_path, text=STATION + UNKNOWN, bundle=tiny_bundle)
    assert main([*words, str(file)]) == EXIT_CONFIG
    assert f"{file}:15: delivery: unknown key" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        # An own section that is misspelt would be taken for one that is not there.
        (EYE + "regoin: {width: 90, height: 60}\n", "4: regoin: unknown key. Did you mean region?"),
        (EYE + "versoin: 2\n", "4: versoin: unknown key. Did you mean version?"),
        (EYE.replace("camera:", "kamera:"), "2: kamera: unknown key. Did you mean camera?"),
        # Not close to any: it is told with what is missing, for it may have been meant for that.
        (EYE.replace("trigger:", "when:"), "3: when: unknown key. Known: version, "),
        (EYE + "station: bin-2\n", "4: station: this key is already on line 1"),
    ],
)
def test_a_misspelt_own_section_is_told(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    file = tmp_path / "station.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_vision_config(file)
    assert any(problem.startswith(said) for problem in caught.value.problems), str(caught.value)


def test_pins_of_the_own_sections_alone_are_compared(tmp_path: Path) -> None:
    file = tmp_path / "station.yaml"
    file.write_text(HANDS + "delivery: {pin: 18}\nkeep_alive: {pin: 21}\n", encoding="utf-8")
    assert set(read_actuation_config(file)[1].lanes) == {"warm"}
    file.write_text(HANDS + "keep_alive: {pin: 18}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="pin 18 is used by"):
        read_actuation_config(file)


class Ledger(StationPart):
    """A part that no verb reads by itself today."""

    ledger: Annotated[LedgerSettings, Field(description="where rows are kept")]


def test_any_section_can_be_a_part(tmp_path: Path) -> None:
    file = tmp_path / "station.yaml"
    file.write_text("camera: 3\nledger: {path: rows.sqlite}\n", encoding="utf-8")
    assert read_part(file, Ledger)[1].ledger.path == tmp_path / "rows.sqlite"
    file.write_text("camera: 3\nledger: {}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_part(file, Ledger)
    assert caught.value.problems == ["2: ledger.path: missing: the SQLite file; it is created if "
                                     "it does not exist"]  # fmt: skip


def test_the_whole_file_is_read_without_its_bundle(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    file = tmp_path / "station.yaml"
    file.write_text(STATION, encoding="utf-8")
    assert read_config(file).bundle == tmp_path / "bundle"
    wrong = STATION.replace("lane: rest", "lane: rset").replace("pin: 23", "pin: 18")
    file.write_text(wrong + "trust:\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_config(file)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["11", "13", "15"]
