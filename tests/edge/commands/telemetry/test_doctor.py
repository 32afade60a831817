"""`pilah-edge doctor`: what it finds, and that it ends with 1 when something is wrong."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.cli import main
from edge.core.errors import EXIT_NO, EXIT_OK, CodesMissingError, PinError, RuntimeMissingError
from edge.core.model import classifier
from edge.core.model.bundle import read_bundle
from edge.core.model.classifier import Classifier
from edge.flow import Frame, PictureFault, PictureFaultKind
from edge.ledger.ledger import Ledger
from edge.ledger.spill import Spill
from edge.vision.camera.settled import SettledFrame
from tests.edge.ledger.entries import entry
from tests.edge.rollout.rollouts import OPEN, PINNED, make_pinned, make_signed
from tests.edge.stations import STATION, make_station
from tests.signatures import OURS, Key

CAMERA = (
    "bad      camera     {}: no pictures in this folder (JPEG, PNG, WebP or BMP): put some into "
    "it, or correct `path` of the camera\n"
)
"""What the camera says itself, and no advice for cameras of another kind."""


def doctor(station: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["doctor", str(station)])
    return code, capsys.readouterr().out


def test_a_station_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    station = make_pinned(tmp_path / "station")
    bundle = make_signed(tmp_path, "1")
    main(["install", str(bundle), str(station)])
    code, out = doctor(station, capsys)
    assert code == EXIT_OK
    digest = read_bundle(bundle).digest[:12]
    assert f"bundle     tiny 1  (digest {digest}), all files intact\n" in out
    assert f"signature  signed by key {OURS.id}, which is pinned\n" in out
    runtime = Classifier(read_bundle(bundle)).interpreter.title
    assert f"runtime    {runtime}\n" in out
    assert "XNNPACK " in runtime
    assert "golden     2 pictures reproduced exactly\n" in out
    assert "installed  verified here 20" in out
    assert "bad " not in out


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (None, "signature  not signed; no key is pinned, so a bundle from anyone is loaded\n"),
        (
            OURS,
            f"signature  claims to be signed by key {OURS.id}, which was not checked; no key is",
        ),
    ],
    ids=["unsigned", "signed"],
)
def test_that_no_key_is_pinned_is_said_and_is_not_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], key: Key | None, says: str
) -> None:
    bundle = make_signed(tmp_path, "1", key=key)
    code, out = doctor(make_station(tmp_path / "station", bundle=bundle), capsys)
    assert (code, says in out) == (EXIT_OK, True)
    assert "installed  not by `pilah-edge install`" in out


def test_an_unsigned_bundle_where_a_key_is_pinned_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = make_pinned(tmp_path / "station", text=OPEN)
    main(["install", str(make_signed(tmp_path, "1", key=None)), str(station)])
    assert doctor(station, capsys)[0] == EXIT_OK
    station.write_text(PINNED)
    code, out = doctor(station, capsys)
    assert code == EXIT_NO
    assert out.startswith(f"bad      station    {station}:2: bundle: ")
    assert "not signed" in out


def test_golden_pictures_that_come_out_otherwise_are_wrong(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))
    manifest = json.loads((bundle / "bundle.json").read_text())
    manifest["golden"]["pictures"][1]["scores"][0] += 0.001
    (bundle / "bundle.json").write_text(json.dumps(manifest))
    code, out = doctor(make_station(tmp_path / "station", bundle=bundle), capsys)
    assert code == EXIT_NO
    assert "bad      golden     " in out
    assert "golden/1.png gets other scores on this machine" in out
    assert "reproduced" not in out


def test_a_mistake_in_the_station_file_is_wrong(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = STATION.replace("pin: 23", "pin: 18")
    code, out = doctor(make_station(tmp_path, text=text, bundle=tiny_bundle), capsys)
    assert code == EXIT_NO
    assert f"bad      station    {tmp_path / 'station.yaml'}:11: " in out


def test_a_missing_runtime_is_wrong(
    tmp_path: Path,
    tiny_bundle: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(*arguments: object, **options: object) -> None:
        raise RuntimeMissingError("no TFLite runtime is installed")

    monkeypatch.setattr(classifier, "Interpreter", missing)
    code, out = doctor(make_station(tmp_path, bundle=tiny_bundle), capsys)
    assert (code, "bad      runtime    no TFLite runtime is installed\n" in out) == (EXIT_NO, True)


def test_an_installed_bundle_without_its_record_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = make_pinned(tmp_path / "station")
    main(["install", str(make_signed(tmp_path, "1")), str(station)])
    (station.parent / "model.versions" / "tiny-1.json").unlink()
    code, out = doctor(station, capsys)
    assert code == EXIT_NO
    assert "bad      installed  tiny 1, and its record cannot be read" in out


def test_what_was_set_aside_and_what_waits_is_told(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = STATION.replace("ledger.sqlite}", "ledger.sqlite, spill: spill}")
    station = make_station(tmp_path, text=text, bundle=tiny_bundle)
    (tmp_path / "ledger.set-aside-20261129T120000Z.sqlite").write_bytes(b"damaged")
    Spill(tmp_path / "spill").append([entry(1), entry(2)])
    before = sorted(tmp_path.iterdir())
    code, out = doctor(station, capsys)
    assert code == EXIT_OK
    assert "warning  ledger     1 damaged or foreign file set aside, the last one is" in out
    assert f"warning  ledger     2 rows wait in {tmp_path / 'spill'} until" in out
    assert "is on the same disk as the ledger" in out
    assert sorted(tmp_path.iterdir()) == before


def test_every_part_of_a_station_is_looked_at(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = make_station(tmp_path, bundle=tiny_bundle)
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.append([entry(1)])
    code, out = doctor(station, capsys)
    assert code == EXIT_OK
    assert "ok       camera     folder, 90x60 pixels\n" in out
    assert "warning  pins       mock (no Raspberry Pi" in out
    assert f"ledger.sqlite, 1 row, the last one at {entry(1).time}\n" in out
    assert "GB free in " in out
    assert " clock      20" in out
    assert " heat       " in out


def test_without_its_bundle_the_other_parts_are_looked_at_all_the_same(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = STATION.replace("bundle: bundle", "bundle: gone")
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.append([entry(1)])
    code, out = doctor(make_station(tmp_path, text=text, bundle=tiny_bundle), capsys)
    assert code == EXIT_NO
    assert f"bad      station    {tmp_path / 'station.yaml'}:2: bundle: " in out
    for told in ("ok       camera ", " pins ", "ledger.sqlite, 1 row,", "GB free in "):
        assert told in out, told


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (("path: photos", "path: none"), CAMERA),
        (
            ("trigger:", "region: {left: 80, top: 0, width: 20, height: 20}\ntrigger:"),
            "bad      camera     region: reaches to 100, 20 (left + width, top + height), but",
        ),
        (("ledger.sqlite", "station.yaml"), "bad      ledger     cannot read the ledger"),
        (("ledger.sqlite", "pipe"), "is a pipe, a socket or a device: give the name of a file"),
    ],
)
def test_what_is_wrong_with_a_part_is_told_as_bad(
    change: tuple[str, str],
    finding: str,
    tmp_path: Path,
    tiny_bundle: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    station = make_station(tmp_path, text=STATION.replace(*change, 1), bundle=tiny_bundle)
    (tmp_path / "none").mkdir()
    os.mkfifo(tmp_path / "pipe")
    code, out = doctor(station, capsys)
    assert code == EXIT_NO
    assert finding.format(tmp_path / "none") in out


def test_a_picture_with_nothing_to_see_is_a_warning(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = make_station(tmp_path, bundle=tiny_bundle)
    cv2.imwrite(str(tmp_path / "photos" / "0.png"), np.zeros((60, 90, 3), np.uint8))
    code, out = doctor(station, capsys)
    assert code == EXIT_OK
    assert "warning  camera     folder, 90x60 pixels, evenly dark: it shows nothing" in out


def test_for_programs_it_is_one_object(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = make_station(tmp_path, bundle=tiny_bundle)
    assert main(["doctor", str(station), "--json"]) == EXIT_OK
    found = json.loads(capsys.readouterr().out)
    assert found["right"] is True
    parts = {finding["part"] for finding in found["findings"]}
    assert parts >= {"station", "bundle", "camera", "pins", "ledger", "disk", "clock", "heat"}
    assert {finding["state"] for finding in found["findings"]} <= {"ok", "warning", "bad"}
    station.write_text("station: bin-1\n")
    assert main(["doctor", str(station), "--json"]) == EXIT_NO
    assert json.loads(capsys.readouterr().out)["right"] is False


SCANNER = "codes: {formats: [ean13, qr]}\nscanner: {kind: pipe, path: keys}\n"


def test_codes_and_the_scanner_are_looked_at(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = make_station(tmp_path, text=STATION + SCANNER, bundle=tiny_bundle)
    code, out = doctor(station, capsys)
    assert code == EXIT_NO
    assert "ok       codes      ean13, qr are read on items\n" in out
    assert f"bad      scanner    {tmp_path / 'keys'}: no scanner is there: plug it in" in out
    (tmp_path / "keys").touch()
    code, out = doctor(station, capsys)
    assert code == EXIT_OK
    assert f"ok       scanner    {tmp_path / 'keys'} can be read\n" in out


def test_packages_that_codes_need_and_that_are_missing_are_told(
    tmp_path: Path,
    tiny_bundle: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing() -> None:
        raise CodesMissingError("codes need zxing-cpp")

    monkeypatch.setattr("edge.receiving.codes.packages.require_packages", missing)
    text = STATION + "codes: {formats: [ean13]}\n"
    code, out = doctor(make_station(tmp_path, text=text, bundle=tiny_bundle), capsys)
    assert code == EXIT_NO
    assert "bad      codes      codes need zxing-cpp\n" in out


def settled(**changes: object) -> Callable[..., SettledFrame]:
    """In place of `settled_frame`: a good picture of a live camera, changed by `changes`."""
    noise = np.random.default_rng(1).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    fault = changes.pop("fault", None)
    assert fault is None or isinstance(fault, PictureFault)
    known = {"seconds": 1.0, "steady": True, "faults": Counter[PictureFaultKind]()}
    found = SettledFrame(Frame(noise, 1.0, 1, fault=fault), **{**known, **changes})  # type: ignore[arg-type]
    return lambda *_, **__: found


TORN = PictureFault(PictureFaultKind.TORN, words="gives torn pictures")


@pytest.mark.parametrize(
    ("changes", "code", "line"),
    [
        ({}, EXIT_OK, "ok       camera     folder, 90x60 pixels\n"),
        ({"fault": TORN}, EXIT_NO, "bad      camera     folder, 90x60 pixels: it gives torn pict"),
        (
            {"faults": Counter({PictureFaultKind.TORN: 2, PictureFaultKind.FIRST: 1})},
            EXIT_OK,
            "warning  camera     folder, 90x60 pixels, but some pictures have faults (2 torn)",
        ),
        ({"steady": False}, EXIT_OK, "90x60 pixels, its brightness does not settle"),
    ],
    ids=["good", "faulty", "some faulty", "unsteady"],
)
def test_what_a_camera_shows_is_told(
    tmp_path: Path,
    tiny_bundle: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, object],
    code: int,
    line: str,
) -> None:
    monkeypatch.setattr("edge.vision.camera.settled.settled_frame", settled(**changes))
    found, out = doctor(make_station(tmp_path, bundle=tiny_bundle), capsys)
    assert (found, line in out) == (code, True), out


def test_a_belt_that_is_drawn_is_not_opened(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    camera = "{kind: folder, path: photos, frames_per_second: 1000}"
    assert camera in STATION
    text = STATION.replace(camera, "{kind: belt, truth: truth.csv}")
    _, out = doctor(make_station(tmp_path, text=text, bundle=tiny_bundle), capsys)
    assert "ok       camera     belt: simulated, so there is nothing to look at\n" in out
    assert not (tmp_path / "truth.csv").exists()


def test_pins_that_cannot_be_used_are_told(
    tmp_path: Path,
    tiny_bundle: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused() -> None:
        raise PinError("this user may not use the pins")

    monkeypatch.setattr("edge.pins.pins.open_pins", refused)
    code, out = doctor(make_station(tmp_path, bundle=tiny_bundle), capsys)
    assert code == EXIT_NO
    assert "bad      pins       this user may not use the pins\n" in out
