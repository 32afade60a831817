"""What a station claims for itself alone, and where two of one machine collide."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.config.reading import read_config
from edge.core.yaml_file import YamlFile
from edge.neighbours.claims import ClaimKind, Neighbour, collisions, neighbour_of

STATION = """\
station: {name}
bundle: bundle
camera: {camera}
trigger: {trigger}
lanes:
  warm: {{labels: [red], actuator: {{kind: solenoid, pin: {pin}, hold_seconds: 0.1}}}}
  rest: {{labels: [green]}}
default_lane: rest
ledger: {{path: {ledger}}}
"""
BOARD = (
    "  cold: {{labels: [blue], actuator: {{kind: servo, rest_angle: 0, active_angle: 60, "
    "hold_seconds: 0.3, board: {{kind: pca9685, channel: {}, address: {}}}}}}}\n"
)


def station(folder: Path, name: str, more: str = "", **parts: object) -> Neighbour:
    """The station of a file that has a name, a camera, a pin and a ledger of its own."""
    number = int(name[-1])
    found = {
        "camera": f"{{kind: usb, device: {number}}}", "trigger": "{kind: continuous}",
        "pin": 20 + number, "ledger": f"{name}.sqlite",
    }  # fmt: skip
    file = folder / f"{name}.yaml"
    text = STATION.format(name=name, **(found | parts))
    lanes, default = text.split("default_lane")
    board = more if more.startswith("  ") else ""
    file.write_text(f"{lanes}{board}default_lane{default}{'' if board else more}", "utf-8")
    return neighbour_of(read_config(file), YamlFile(file))


def test_two_stations_that_have_all_of_their_own_do_not_collide(tmp_path: Path) -> None:
    mine, other = station(tmp_path, "cell-1"), station(tmp_path, "cell-2")
    assert collisions(mine.claims, other) == ()


@pytest.mark.parametrize(
    ("mine", "other", "what", "kind"),
    [
        ({"pin": 23}, {"pin": 23}, "GPIO 23 (lanes.warm.actuator.pin)", ClaimKind.PIN),
        ({"pin": 23}, {"trigger": "{kind: beam, pin: 23}"}, "GPIO 23", ClaimKind.PIN),
        ({"pin": 23}, {"more": "stops: {emergency_stop: {pin: 23}}\n"}, "GPIO 23", ClaimKind.PIN),
        ({"pin": 23}, {"more": "keep_alive: {pin: 23}\n"}, "GPIO 23", ClaimKind.PIN),
        ({"pin": 3}, {"more": BOARD.format(0, "0x41")}, "GPIO 3", ClaimKind.PIN),
        ({"more": BOARD.format(0, "0x41")}, {"more": BOARD.format(5, "0x41")},
         "the board 0x41 on bus 1 (lanes.cold.actuator.board)", ClaimKind.PIN),
        ({"camera": "{kind: usb, device: 0}"}, {"camera": "{kind: usb, device: /dev/video0}"},
         "the camera /dev/video0 (camera)", ClaimKind.PART),
        ({"camera": "{kind: picamera}"}, {"camera": "{kind: picamera, camera: 0}"},
         "the camera 0 of the Raspberry Pi", ClaimKind.PART),
        ({"ledger": "a.sqlite"}, {"ledger": "../{folder}/a.sqlite"}, "the ledger ", ClaimKind.PART),
        ({"more": "photographs: {path: kept}\n"}, {"more": "photographs: {path: kept}\n"},
         "the folder ", ClaimKind.PART),
        ({"trigger": "{kind: socket, path: s}"}, {"trigger": "{kind: socket, path: s}"},
         "the socket ", ClaimKind.PART),
        ({"more": "scanner: {path: /dev/input/a}\n"}, {"more": "scanner: {path: /dev/input/a}\n"},
         "the scanner /dev/input/a", ClaimKind.PART),
        ({"more": "web: {}\n"}, {"more": "web: {listen: '0.0.0.0:8040'}\n"}, "the port 8040",
         ClaimKind.PORT),
        ({"more": "web: {listen: '0.0.0.0:9101'}\n"},
         {"more": "publish: {metrics: {listen: '127.0.0.1:9101'}}\n"}, "the port 9101",
         ClaimKind.PORT),
    ],
)  # fmt: skip
def test_what_two_stations_claim_is_named_with_both(
    tmp_path: Path, mine: dict[str, str], other: dict[str, str], what: str, kind: ClaimKind
) -> None:
    other = {key: str(text).replace("{folder}", tmp_path.name) for key, text in other.items()}
    first = station(tmp_path, "cell-1", **mine)
    second = station(tmp_path, "cell-2", **other)
    found = collisions(second.claims, first)
    assert [one.mine.kind for one in found][:1] == [kind]
    assert "is needed by the station cell-1 (" in found[0].words
    back = collisions(first.claims, second)
    assert len(back) == len(found) == 1
    assert back[0].words.startswith(what.partition(" (")[0])
    assert "cell-2.yaml)" in back[0].words


def test_one_bus_may_have_the_boards_of_two_stations(tmp_path: Path) -> None:
    mine = station(tmp_path, "cell-1", more=BOARD.format(0, "0x40"))
    other = station(tmp_path, "cell-2", more=BOARD.format(0, "0x41"))
    assert collisions(mine.claims, other) == ()


@pytest.mark.parametrize(
    ("more", "kind"),
    [("", ClaimKind.NAME), ("publish: {mqtt: {host: broker}}\n", ClaimKind.PART)],
)
def test_a_name_matters_to_others_where_it_is_published(
    tmp_path: Path, more: str, kind: ClaimKind
) -> None:
    one = station(tmp_path, "cell-1", more=more)
    (found,) = (claim for claim in one.claims if claim.what == "the name cell-1")
    assert found.kind is kind


def test_the_same_station_is_known_by_its_name_and_ledger(tmp_path: Path) -> None:
    one = station(tmp_path, "cell-1")
    assert one.is_same_as(station(tmp_path, "cell-1"))
    assert not one.is_same_as(station(tmp_path, "cell-1", ledger="b.sqlite"))
    assert not one.is_same_as(station(tmp_path, "cell-2"))
