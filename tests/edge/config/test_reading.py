from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from edge import lanes
from edge.config.belt import Belt
from edge.config.codes import CodesSettings
from edge.config.decision import Decision
from edge.config.lanes import Lane
from edge.config.ledger import LedgerSettings
from edge.config.reading import read_station, read_vision_config
from edge.config.scanner import ScannerSettings
from edge.config.station import StationConfig
from edge.config.stops.section import BinSensor, ExitSensor, StopSettings
from edge.core.errors import EXIT_CONFIG, ConfigError
from edge.core.yaml_file import Section
from edge.vision import camera, trigger
from edge.vision.region import Region
from tests.bundles import SPEC, make_bundle
from tests.edge.stations import STATION, make_station


def problems_of(folder: Path, bundle: Path, *changes: tuple[str, str]) -> list[str]:
    """What is said about the station file after each (old, new) was replaced in it."""
    text = STATION
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    with pytest.raises(ConfigError) as caught:
        read_station(make_station(folder, text=text, bundle=bundle))
    assert caught.value.exit_code == EXIT_CONFIG
    return caught.value.problems


def test_a_station_file_without_mistakes_is_read(tmp_path: Path, tiny_bundle: Path) -> None:
    plan = read_station(make_station(tmp_path, bundle=tiny_bundle))
    assert plan.config.station == "bin-1"
    assert plan.bundle.title == "tiny 1"
    assert plan.config.lanes["cold"].labels == ["blue"]
    assert plan.config.lanes["rest"].actuator is None


def test_paths_are_relative_to_the_file(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    station = make_station(tmp_path / "here", bundle=tiny_bundle)
    monkeypatch.chdir(tmp_path)
    config = read_station(station.relative_to(tmp_path)).config
    assert config.ledger.path == tmp_path / "here" / "ledger.sqlite"


MISTAKES = [
    # an unknown key, at the top and deep down
    (("station: bin-1", "staton: bin-1"), 1, "staton: unknown key. Did you mean station?"),
    (("pin: 18", "pinn: 18"), 8, "actuator.pinn: unknown key. Did you mean pin?"),
    (
        ("{labels: [green]}", "{labels: [green], colour: 1}"),
        12,
        "unknown key. Known: labels, delay",
    ),
    # what stops the station
    (
        ("default_lane: rest", "default_lane: rest\nstops: {bins: {worm: {pin: 6}}}"),
        14,
        "stops.bins.worm: there is no lane 'worm'. Did you mean warm?",
    ),
    (
        (
            "default_lane: rest",
            "default_lane: rest\nstops: {exits: {rest: {pin: 6, after_seconds: 1}}}",
        ),
        14,
        "stops.exits.rest: the lane rest has no actuator, and items fall through into it",
    ),
    (
        ("default_lane: rest", "default_lane: rest\nstops: {exits: {warm: {pin: 6}}}"),
        14,
        "stops.exits.warm.after_seconds",
    ),
    (
        ("default_lane: rest", "default_lane: rest\nstops: {emergency_stop: {pin: 18}}"),
        14,
        "stops.emergency_stop.pin: pin 18 is used by lanes.warm.actuator.pin already",
    ),
    (
        ("default_lane: rest", "default_lane: rest\nstops: {starved_minutes: 0}"),
        14,
        "stops.starved_minutes",
    ),
    # codes and the scanner
    (
        ("default_lane: rest", "default_lane: rest\ncodes: {formats: [ean14]}"),
        14,
        "codes.formats",
    ),
    (("default_lane: rest", "default_lane: rest\ncodes: {formats: []}"), 14, "codes.formats"),
    (("default_lane: rest", "default_lane: rest\nscanner: {}"), 14, "scanner.path: missing"),
    # something missing is told on the line of what it is missing from
    (("ledger: {path: ledger.sqlite}", "ledger: {}"), 14, "ledger.path: missing: the SQLite file"),
    (("default_lane: rest\n", ""), 1, "default_lane: missing: the name of the lane"),
    # kinds
    (
        ("kind: folder", "kind: foldr"),
        3,
        "camera.kind: no such kind: 'foldr'. Did you mean folder?",
    ),
    (("kind: continuous", "kind: 3"), 4, "trigger.kind: no such kind: 3. Known: continuous"),
    (("{kind: solenoid, ", "{"), 11, "actuator.kind: missing: one of servo, solenoid, relay, st"),
    (("kind: folder", "kind: csi"), 3, "no such kind: 'csi'. Did you mean picamera?"),
    (("kind: folder", "kind: pi"), 3, "no such kind: 'pi'. Did you mean picamera?"),
    (("kind: folder", "kind: webcam"), 3, "no such kind: 'webcam'. Did you mean usb?"),
    (("kind: folder", "kind: rtsp"), 3, "no such kind: 'rtsp'. Did you mean stream?"),
    (("kind: folder", "kind: ip"), 3, "no such kind: 'ip'. Did you mean stream?"),
    (("kind: servo", "kind: Valve"), 8, "no such kind: 'Valve'. Did you mean solenoid?"),
    (("kind: servo", "kind: SSR"), 8, "no such kind: 'SSR'. Did you mean relay?"),
    (("kind: servo", "kind: NEMA17"), 8, "no such kind: 'NEMA17'. Did you mean stepper?"),
    (("kind: solenoid", "kind: relay"), 11, "actuator.active_high: missing: the level of the pin"),
    # what turns the meaning round is not suggested
    (
        ("pin: 23", "active_low: true, pin: 23"),
        11,
        "unknown key. There is active_high, which means the opposite: write active_high: false",
    ),
    # types and limits
    (("pin: 18", "pin: 40"), 8, "Received: 40: header pin 40 is GPIO 21: if that is meant"),
    (("pin: 18", 'pin: "18"'), 8, "must be a BCM number, 0 to 27. Received: '18': write 18, w"),
    (("pin: 18", "pin: true"), 8, "pin: must be a BCM number, 0 to 27. Received: True"),
    (("hold_seconds: 0.1", "hold_seconds: '3'"), 8, "number. Received: '3': remove the quotes"),
    (("hold_seconds: 0.1", "hold_seconds: 017"), 8, "Received: '017': write 17, without the zero"),
    (("hold_seconds: 0.1", "hold_seconds: 1:30"), 8, "'1:30': write it as one decimal number"),
    (("hold_seconds: 0.1", "hold_seconds: '0,1'"), 8, "'0,1': write 0.1, with a decimal point"),
    (("hold_seconds: 0.1", "hold_seconds: .inf"), 8, "must be a finite number. Received: inf"),
    (("active_angle: 60", "active_angle: 6,0"), 8, "a comma ends a value: a decimal number has a"),
    (("second: 1000", "second: 1000, loop: yes"), 3, "valid boolean. Received: 'yes': write true"),
    (("labels: [green]", "labels: green"), 12, "labels: must be a list, for example [a, b]"),
    (("labels: [green]", "labels: [7]"), 12, "labels.0: must be a valid string. Received: 7: put"),
    (
        ("camera: {kind", "camera: [{kind"),
        4,
        "not YAML while parsing a flow sequence begun on line 3",
    ),
    (("{kind: continuous}", "continuous"), 4, "trigger: must be `key: value` lines"),
    (("second: 1000", "second: 0"), 3, "frames_per_second: must be greater than 0. Received: 0"),
    (("station: bin-1", "station: bin 1"), 1, "station: must be letters from A to Z, digits, "),
    # paths
    (("path: photos", "path: photo"), 3, "camera.path: no such folder: "),
    (("ledger.sqlite}", "ledger.sqlite, commit_seconds: -1}"), 14, "ledger.commit_seconds: "),
    (("ledger.sqlite}", "ledger.sqlite, spill: ledger.sqlite}"), 14, "spill is the ledger itself"),
    (("ledger.sqlite}", "ledger.sqlite, spill: 3}"), 14, "ledger.spill: "),
    (("path: ledger.sqlite", "path: photos"), 14, "is a folder: give the name of a file"),
    (("path: photos", "path: http://a/b"), 3, "must be a path of this machine, not an address"),
    (("path: photos", f"path: {'a' * 300}"), 3, "cannot be examined: File name too long"),
    (("path: photos", f"path: {'a' * 5000}"), 3, "a path can have up to 4,000 bytes"),
    (("path: photos", r'path: "a\0b"'), 3, "the character '\\x00' is not allowed: remove it"),
    (("bundle: bundle", "bundle: bundel"), 2, "no such bundle"),
    (("bundle: bundle", "bundle: photos"), 2, "not a bundle, it has no bundle.json"),
    # between the sections
    (("pin: 23", "pin: 18"), 11, "pin 18 is used by lanes.warm.actuator.pin already"),
    (
        ("[blue]", "[bleu]"),
        10,
        "lanes.cold.labels.0: tiny 1 has no label 'bleu'. Did you mean blue?",
    ),
    (("[green]", "[]"), 5, "lanes: no lane for 'green': put each label of tiny 1 into"),
    (("[green]", "[green, red]"), 12, "the label 'red' is in the lane warm already: remove one"),
    (("lane: rest", "lane: rset"), 13, "default_lane: there is no lane 'rset'. Did you mean rest?"),
    (
        ("ledger.sqlite}", "ledger.sqlite}\nreceiving: {mismatch_lane: rset}"),
        15,
        "receiving.mismatch_lane: there is no lane 'rset'. Did you mean rest?",
    ),
    (
        ("hold_seconds: 0.1}\n  rest", "hold_seconds: 2, max_on_seconds: 1}\n  rest"),
        11,
        "hold_seconds (2) is above max_on_seconds (1)",
    ),
    (
        ("hold_seconds: 0.1}\n  rest", "hold_seconds: 5}\n  rest"),
        11,
        "hold_seconds (5) is above max_on_seconds (2)",
    ),
    (("active_angle: 60", "active_angle: 100"), 8, "min_angle and max_angle (-90 to 90)"),
    (("pin: 18", "pin: 18, min_angle: 95"), 8, "max_angle: must be above min_angle (95)"),
    (
        ("default_lane", "decision: {accept: {blau: 0.9}}\ndefault_lane"),
        13,
        "decision.accept.blau: tiny 1 has no label 'blau'. Did you mean blue?",
    ),
    (
        ("default_lane", "decision: {accept: {blue: 90}}\ndefault_lane"),
        13,
        "decision.accept.blue: must be less than or equal to 1. Received: 90",
    ),
    (
        ("default_lane", "decision: {unknown: 0.5}\ndefault_lane"),
        13,
        "decision.unknown: tiny 1 has no novelty score: remove this line",
    ),
    (
        ("    labels: [red]", "    labels: [red]\n    distance_metres: 0.4"),
        8,
        "lanes.warm.distance_metres: needs the belt's speed: add a section `belt:",
    ),
    (
        ("    labels: [red]", "    labels: [red]\n    distance_metres: 0.4\n    delay_seconds: 1"),
        6,
        "lanes.warm: has delay_seconds and distance_metres: keep one of them",
    ),
    (
        ("default_lane", "decision: {clear_frames: 9, max_frames: 8}\ndefault_lane"),
        13,
        "decision: clear_frames (9) is above max_frames (8)",
    ),
    # YAML itself
    (("default_lane", "station: bin-2\ndefault_lane"), 13, "this key is already on line 1"),
    (("  cold:\n", "  warm:\n"), 9, "lanes.warm: this key is already on line 6"),
    (("    labels: [red]", "\tlabels: [red]"), 7, "there is a tab here: indent with spaces"),
    (("    labels: [blue]", "   labels [blue]"), 11, "not YAML"),
    (("bin-1", "bin\x07"), 1, "the character '\\x07' is not allowed"),
]


@pytest.mark.parametrize(("change", "line", "said"), MISTAKES, ids=[m[2][:40] for m in MISTAKES])
def test_a_mistake_is_told_with_its_line_and_what_to_do(
    change: tuple[str, str], line: int, said: str, tmp_path: Path, tiny_bundle: Path
) -> None:
    problems = problems_of(tmp_path, tiny_bundle, change)
    matching = [problem for problem in problems if said in problem]
    assert len(matching) == 1, problems
    assert matching[0].startswith(f"{line}: ")


def test_every_mistake_is_told_at_once_in_the_order_of_lines(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    problems = problems_of(
        tmp_path,
        tiny_bundle,
        ("path: photos", "path: photo"),
        ("pin: 23", "pin: 18"),
        ("[green]", "[gren]"),
        ("default_lane: rest", "default_lane: rset"),
    )
    assert [int(problem.partition(":")[0]) for problem in problems] == [3, 5, 11, 12, 13]


def test_a_reference_picture_that_is_not_there_is_told(tmp_path: Path, tiny_bundle: Path) -> None:
    (told,) = problems_of(
        tmp_path, tiny_bundle, ("trigger:", "reference_picture: empty.png\ntrigger:")
    )
    assert "reference_picture" in told
    assert "empty.png is not there: `pilah-edge roi --reference` takes one" in told


def test_two_servos_on_one_channel_are_told(tmp_path: Path, tiny_bundle: Path) -> None:
    servo = "rest_angle: 0, active_angle: 60, hardware_pwm: pwmchip0/pwm0"
    problems = problems_of(
        tmp_path,
        tiny_bundle,
        ("rest_angle: 0, active_angle: 60", servo),
        ("kind: solenoid, pin: 23", f"kind: servo, pin: 12, {servo}"),
    )
    assert problems == [
        "11: lanes.cold.actuator.hardware_pwm: channel pwmchip0/pwm0 is used by "
        "lanes.warm.actuator.hardware_pwm already: give each device a channel of its own"
    ]


def test_two_servos_on_one_output_of_a_board_are_told(tmp_path: Path, tiny_bundle: Path) -> None:
    here = "rest_angle: 0, active_angle: 60, board: {kind: pca9685, channel: 4"
    problems = problems_of(
        tmp_path,
        tiny_bundle,
        ("pin: 18, rest_angle: 0, active_angle: 60", here + ", address: 0x40}"),
        ("kind: solenoid, pin: 23", f"kind: servo, {here}}}"),
    )
    assert problems == [
        "11: lanes.cold.actuator.board.channel: channel 4 of the board 0x40 on bus 1 is used by "
        "lanes.warm.actuator.board.channel already: give each device a channel of its own"
    ]


def test_a_pin_that_is_a_wire_of_a_board_s_bus_is_told(tmp_path: Path, tiny_bundle: Path) -> None:
    board = "rest_angle: 0, active_angle: 60, board: {kind: pca9685, channel: 4}"
    problems = problems_of(
        tmp_path,
        tiny_bundle,
        ("pin: 18, rest_angle: 0, active_angle: 60", board),
        ("pin: 23", "pin: 3"),
    )
    assert problems == [
        "11: lanes.cold.actuator.pin: pin 3 is a wire of the I2C bus that "
        "lanes.warm.actuator.board uses: take another pin"
    ]


def test_a_misspelt_key_does_not_make_its_labels_homeless(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    problems = problems_of(tmp_path, tiny_bundle, ("labels: [red]", "lables: [red]"))
    assert problems == ["7: lanes.warm.lables: unknown key. Did you mean labels?"]


def test_a_distance_on_a_belt_is_a_delay(tmp_path: Path, tiny_bundle: Path) -> None:
    text = STATION.replace("    labels: [red]", "    labels: [red]\n    distance_metres: 0.5")
    text = text.replace("    labels: [blue]", "    labels: [blue]\n    delay_seconds: 3")
    file = make_station(
        tmp_path, text=text + "belt: {metres_per_second: 0.2}\n", bundle=tiny_bundle
    )
    config = read_station(file).config
    assert {name: config.delay_seconds(lane) for name, lane in config.lanes.items()} == {
        "warm": pytest.approx(2.5),
        "cold": 3,
        "rest": None,
    }


def test_pictures_of_nothing_need_no_lane(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "made", labels=("red", "empty", "blue"))
    text = STATION.replace("{labels: [green]}", "{labels: []}")
    assert read_station(make_station(tmp_path / "station", text=text, bundle=bundle)).config


def test_a_model_of_single_items_needs_a_trigger_that_finds_them(tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"crop": "item"})
    bundle = make_bundle(tmp_path / "made", spec=spec)
    problems = problems_of(tmp_path / "station", bundle)
    assert len(problems) == 1
    assert problems[0].startswith("4: trigger: tiny 1 was trained on items cut out of the picture")


EYE = """\
station: bin-1
camera: {kind: folder, path: photos}
trigger: {kind: continuous}
"""


@pytest.mark.parametrize("rest", ["", "bundle: no/such\nlanes: {metal: {labels: [what]}}\n"])
def test_how_a_station_sees_is_known_before_there_is_a_bundle(rest: str, tmp_path: Path) -> None:
    file = tmp_path / "station.yaml"
    file.write_text(EYE + rest, encoding="utf-8")
    (tmp_path / "photos").mkdir()
    eye = read_vision_config(file)
    assert (eye.station, eye.camera.kind, eye.trigger.kind) == ("bin-1", "folder", "continuous")


def test_a_mistake_in_how_a_station_sees_is_told(tmp_path: Path) -> None:
    file = tmp_path / "station.yaml"
    file.write_text(EYE.replace("photos", "photo") + "lains: {}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_vision_config(file)
    assert len(caught.value.problems) == 2
    assert caught.value.problems[0].startswith("2: camera.path: no such folder")
    assert caught.value.problems[1].startswith("4: lains: unknown key. Did you mean lanes?")


MODELS: list[type[Section]] = [
    StationConfig,
    Region,
    Decision,
    Belt,
    Lane,
    LedgerSettings,
    CodesSettings,
    ScannerSettings,
    StopSettings,
    BinSensor,
    ExitSensor,
    *(
        importlib.import_module(module).Settings
        for kinds in (camera.KINDS, trigger.KINDS, lanes.KINDS)
        for module in kinds.values()
    ),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model.__module__}.{model.__name__}")
def test_every_key_is_described(model: type[Section]) -> None:
    bare = [name for name, field in model.model_fields.items() if not field.description]
    assert bare == []
