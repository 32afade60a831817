from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import edge
from edge.flow import PictureFaultKind
from edge.telemetry import host
from edge.telemetry.disks import Disk
from edge.telemetry.finding import Finding
from edge.web.language.languages import read_languages
from edge.web.words.machine import machine_words, part_words, picture_fault_words

LANGUAGE = read_languages()["id"]
INDONESIAN = LANGUAGE.gettext


def findings(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Finding]:
    """Every finding of disk, heat and power."""
    for free in (10**10, 4 * 10**8, 10**7):
        yield host.disk_finding(folder, free=free)
    for missing, kind in ((Path("/a"), "ext4"), (None, "tmpfs")):
        patch.setattr(host, "missing_disk", lambda _, missing=missing: missing)
        patch.setattr(host, "disk_of", lambda _, kind=kind: Disk(Path("/"), kind))
        yield host.disk_finding(folder, free=10**10)
    patch.setattr("os.access", lambda *_: False)
    yield host.disk_finding(folder, free=10**10)
    zone, throttled = folder / "thermal_zone0", folder / "throttled"
    yield from host.heat_findings(zones=folder, throttled=throttled)
    zone.mkdir()
    for degrees, flags in ((40, "0"), (78, "50000"), (90, "5000f")):
        (zone / "temp").write_text(f"{degrees}000")
        throttled.write_text(flags)
        yield from host.heat_findings(zones=folder, throttled=throttled)


def test_each_finding_is_translated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = list(findings(tmp_path, monkeypatch))
    assert len(found) == 13
    for one in found:
        said = machine_words(one, LANGUAGE)
        assert said == replace(one, said=said.said, advice=said.advice)
        assert said.said != str(one.said)
        assert not one.advice or said.advice != str(one.advice)
    assert str(machine_words(found[0], LANGUAGE).said).startswith("10,0 GB kosong")
    wrong = [str(machine_words(one, LANGUAGE).said) for one in found[3:5]]
    assert wrong[0].endswith("tetapi tidak ada disk terpasang di /a: foldernya ada di disk /")
    assert wrong[1].endswith("yang ada di memori: isinya hilang saat mesin dimatikan")
    limits = machine_words(found[-1], LANGUAGE).said
    assert limits == "sekarang: tegangan kurang, kecepatan dibatasi, diperlambat, batas suhu awal"


@pytest.mark.parametrize("kind", PictureFaultKind)
def test_each_fault_of_a_picture_has_words(kind: PictureFaultKind) -> None:
    assert picture_fault_words(kind, INDONESIAN) not in (kind, picture_fault_words(kind, str))


def test_what_a_newer_station_reports_stays_as_it_is() -> None:
    assert picture_fault_words("upside_down", INDONESIAN) == "upside_down"


def test_each_thread_that_can_fall_silent_has_words() -> None:
    texts = [file.read_text("utf-8") for file in Path(edge.__file__).parent.rglob("*.py")]
    threads = set(re.findall(r'\bTask\(\s*"(\w+)"', "".join(texts)))
    assert {"camera", "scanner", "ledger"} < threads
    for thread in threads:
        assert part_words(thread, INDONESIAN) != thread
    assert part_words("of a newer pilah", INDONESIAN) == "of a newer pilah"
