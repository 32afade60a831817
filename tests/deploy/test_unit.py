from __future__ import annotations

import configparser
import os
import re
import subprocess
from pathlib import Path

import pytest

from edge.core.errors import EXIT_CONFIG, EXIT_DATA, EXIT_MACHINE
from edge.publish.program import END_SECONDS as PUBLISHER_END_SECONDS
from edge.runtime.supervisor import END_SECONDS, STUCK_SECONDS
from edge.web.reading import read_plan
from tests.deploy.scripts import DEPLOY, tool
from tests.edge.stations import STATION

UNIT = DEPLOY / "pilah.service"
PUBLISHER = DEPLOY / "pilah-publish.service"
WEB = DEPLOY / "pilah-web.service"
UNITS = pytest.mark.parametrize("unit", [UNIT, PUBLISHER, WEB], ids=lambda unit: unit.stem)


def section(name: str, unit: Path = UNIT) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit, "utf-8")
    return parser[name]


@UNITS
def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path, tmp_path: Path) -> None:
    # systemd-analyze wants the program to be there; /bin/true is.
    text = re.sub(r"/opt/pilah/bin/pilah-(edge|publish)", "/bin/true", unit.read_text("utf-8"))
    (tmp_path / unit.name).write_text(text, "utf-8")
    found = subprocess.run(
        [
            tool("systemd-analyze", "systemd"),
            "verify",
            "--man=no",
            "--recursive-errors=no",
            str(tmp_path / unit.name),
        ],
        capture_output=True,
        text=True,
    )
    assert found.stdout + found.stderr == ""
    assert found.returncode == 0


@UNITS
def test_the_unit_is_no_more_exposed_than_it_was(unit: Path) -> None:
    found = subprocess.run(
        [
            tool("systemd-analyze", "systemd"),
            "security",
            "--offline=true",
            "--threshold=25",  # tenths
            "--no-pager",
            str(unit),
        ],
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout.splitlines()[-1]


def test_the_station_has_devices_and_the_publisher_the_network() -> None:
    station, publisher = section("Service"), section("Service", PUBLISHER)
    assert "AF_INET" not in station["RestrictAddressFamilies"]
    assert "PrivateDevices" not in station
    assert "AF_INET" in publisher["RestrictAddressFamilies"]
    assert publisher["PrivateDevices"] == "yes"


def test_a_publisher_is_tried_for_ever_but_not_where_a_file_is_wrong() -> None:
    service = section("Service", PUBLISHER)
    assert (service["Type"], service["Restart"]) == ("notify", "always")
    assert section("Unit", PUBLISHER)["StartLimitIntervalSec"] == "0"
    assert service["RestartPreventExitStatus"] == str(EXIT_CONFIG)
    assert int(service["TimeoutStopSec"]) > PUBLISHER_END_SECONDS


def test_the_pages_have_the_network_and_neither_devices_nor_the_accounts_to_change() -> None:
    service = section("Service", WEB)
    assert "AF_INET" in service["RestrictAddressFamilies"]
    assert service["PrivateDevices"] == "yes"
    assert service["CapabilityBoundingSet"] == ""
    assert (service["Type"], service["Restart"]) == ("notify", "always")
    assert service["RestartPreventExitStatus"] == str(EXIT_CONFIG)


def test_what_the_pages_may_only_read_are_folders_that_are_there_before_they_start(
    tmp_path: Path,
) -> None:
    """A file that is replaced, or a folder that is made later, would not be covered any more."""
    text = WEB.read_text("utf-8").replace("\\\n", " ")
    (before,) = re.findall("^ExecStartPre=(.*)", text, re.MULTILINE)
    made = {Path(name) for name in before.split() if "/ledger" in name}
    kept = {Path(name) for name in re.findall(r"(?<=[ =]-)/\S+", text)}
    file = tmp_path / "station.yaml"
    file.write_text(STATION.replace("path: ledger.sqlite", "path: /var/lib/pilah/ledger.sqlite"))
    plan = read_plan(file)
    assert made == {plan.accounts.parent, plan.photographs, plan.taught}
    assert made < kept


def test_a_station_is_tried_for_ever_but_not_where_a_file_is_wrong() -> None:
    service = section("Service")
    assert service["Restart"] == "always"
    assert section("Unit")["StartLimitIntervalSec"] == "0"
    assert int(service["RestartSec"]) >= 2
    never_again = {int(code) for code in service["RestartPreventExitStatus"].split()}
    assert never_again == {EXIT_CONFIG, EXIT_DATA, EXIT_MACHINE}


def test_a_stuck_station_ends_by_itself_before_the_watchdog_kills_it() -> None:
    service = section("Service")
    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) > STUCK_SECONDS
    assert int(service["TimeoutStopSec"]) > END_SECONDS


def test_a_station_that_hung_is_started_again_within_ten_seconds() -> None:
    service = section("Service")
    found = max(STUCK_SECONDS, int(service["WatchdogSec"])) + int(service["RestartSec"])
    assert found <= 10  # and a start takes three


@pytest.mark.parametrize(
    ("result", "status", "safe"),
    [
        ("success", "0", False),
        ("exit-code", "69", True),  # a part hung: perhaps the lanes
        ("exit-code", "74", False),
        ("exit-code", "65", False),
        ("exit-code", "1", False),
        ("exit-code", "130", False),
        ("watchdog", "ABRT", True),
        ("signal", "KILL", True),
        ("timeout", "KILL", True),
        ("core-dump", "SEGV", True),
        ("oom-kill", "KILL", True),
    ],
)
def test_what_may_have_left_a_coil_on_is_made_safe(
    tmp_path: Path, result: str, status: str, safe: bool
) -> None:
    line = re.search(r"ExecStopPost=-/bin/sh -c '(.*?)'\n", UNIT.read_text("utf-8"), re.DOTALL)
    assert line is not None
    called = tmp_path / "called"
    script = line[1].replace("\\\n", " ").replace("$$", "$")
    program = "/opt/pilah/bin/pilah-edge lane safe /etc/pilah/station.yaml"
    assert program in script
    script = script.replace(program, f"touch {called}")
    environment = {"PATH": os.environ["PATH"], "SERVICE_RESULT": result, "EXIT_STATUS": status}
    done = subprocess.run(["/bin/sh", "-c", script], env=environment, check=False)
    assert (done.returncode, called.exists()) == (0, safe)


def test_nothing_in_the_unit_hides_the_board_or_its_cameras() -> None:
    # Each of these breaks gpiozero, XNNPACK, or a camera that is plugged in later.
    given = set(section("Service"))
    assert not given & {
        "ProcSubset",
        "PrivateDevices",
        "ProtectClock",
        "DeviceAllow",
        "PrivateUsers",
    }
