from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.telemetry.finding import Health
from edge.telemetry.host import clock_finding, disk_finding, heat_findings

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("synchronised", "rtc", "now", "state", "said"),
    [
        (True, True, NOW, Health.OK, "2026-11-29 12:00 UTC, synchronised, an RTC"),
        (True, False, NOW, Health.WARNING, "after a power cut without a network, times are wrong"),
        (False, True, NOW, Health.WARNING, "not synchronised, an RTC: connect a network"),
        (False, False, NOW, Health.WARNING, "rows get wrong times"),
        (None, True, NOW, Health.OK, "2026-11-29 12:00 UTC, an RTC"),
        (True, True, datetime(1970, 1, 2, tzinfo=UTC), Health.BAD, "set it"),
    ],
)
def test_a_clock(
    synchronised: bool | None, rtc: bool, now: datetime, state: Health, said: str, tmp_path: Path
) -> None:
    if rtc:
        (tmp_path / "rtc0").mkdir()
    found = clock_finding(synchronised=synchronised, now=now, rtc=tmp_path)
    assert found.state == state
    assert said in str(found)


@pytest.mark.parametrize(
    ("free", "state"), [(10**10, Health.OK), (4 * 10**8, Health.WARNING), (10**7, Health.BAD)]
)
def test_a_disk(free: int, state: Health, tmp_path: Path) -> None:
    assert disk_finding(tmp_path, free=free).state == state
    assert disk_finding(tmp_path / "none").state == Health.BAD


def test_a_disk_that_became_read_only_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.telemetry.host.is_read_only", lambda _: True)
    found = disk_finding(tmp_path, free=10**10)
    assert found.state is Health.BAD
    assert "whose file system is read-only: mount it for writing" in str(found)


@pytest.mark.parametrize(
    ("degrees", "flags", "states"),
    [
        ([40, 50], "0", [Health.OK, Health.OK]),
        ([40, 78], "0x50000", [Health.WARNING, Health.WARNING]),
        ([90], "50005", [Health.BAD, Health.BAD]),
        ([], None, [Health.OK]),
        ([40], "what", [Health.OK]),
    ],
)
def test_heat_and_power(
    degrees: list[int], flags: str | None, states: list[Health], tmp_path: Path
) -> None:
    for index, degree in enumerate(degrees):
        zone = tmp_path / f"thermal_zone{index}"
        zone.mkdir()
        (zone / "temp").write_text(f"{degree * 1000}\n")
    if flags is not None:
        (tmp_path / "throttled").write_text(f"{flags}\n")
    found = list(heat_findings(zones=tmp_path, throttled=tmp_path / "throttled"))
    assert [finding.state for finding in found] == states
    assert all(bool(finding.advice) == (finding.state != Health.OK) for finding in found)
