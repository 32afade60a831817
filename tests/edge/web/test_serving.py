"""The process of the pages: how it is started, what it refuses, how it ends, how large it is."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from edge.core.errors import (
    EXIT_CONFIG,
    EXIT_UNAVAILABLE,
    AccountsError,
    PagesUnavailableError,
    PilahError,
)
from edge.web.people.accounts import Role, set_password
from edge.web.reading import read_plan
from edge.web.serving import check_accounts, run_pages
from tests.edge.stations import STATION, make_station
from tests.edge.web.browsing import PASSWORD


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@pytest.fixture
def station(tmp_path: Path, tiny_bundle: Path) -> Path:
    text = f'{STATION}web: {{listen: "127.0.0.1:{free_port()}"}}\n'
    return make_station(tmp_path, text=text, bundle=tiny_bundle)


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "edge", "web", *map(str, words)]


@contextmanager
def served(station: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of the pages, and their process."""
    with subprocess.Popen(command(station), stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            assert said.startswith("pages      http://"), said + process.stderr.read()
            yield said.split()[1], process
        finally:
            process.kill()


def test_the_pages_are_served_until_a_signal_and_stay_small(station: Path) -> None:
    with served(station) as (address, process):
        for path in ("", "health", "history", "review", "delivery", "static/pilah.js"):
            assert httpx2.get(address + path, timeout=30).status_code == 200
        loaded = Path(f"/proc/{process.pid}/maps").read_text()
        for large in ("numpy", "cv2", "pydantic_core"):
            assert large not in loaded
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_an_open_page_does_not_hold_up_the_end(station: Path) -> None:
    with (
        served(station) as (address, process),
        httpx2.stream("GET", f"{address}events", timeout=30) as stream,
    ):
        assert next(stream.iter_lines()) == "retry: 500"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def refusal(station: Path, kind: type[PilahError]) -> PilahError:
    """Why pages are not served."""
    with pytest.raises(kind) as raised:
        run_pages(read_plan(station))
    return raised.value


def test_beyond_this_machine_an_account_is_asked_for(station: Path) -> None:
    station.write_text(station.read_text().replace("127.0.0.1", "0.0.0.0"))
    error = refusal(station, AccountsError)
    assert error.exit_code == EXIT_CONFIG
    assert "the pages would be open to everyone who reaches 0.0.0.0: make an account" in str(error)
    set_password(station.with_name("ledger-accounts.json"), "Ana", PASSWORD, Role.OPERATOR)
    check_accounts(read_plan(station))


def test_an_address_that_is_taken_is_said(station: Path) -> None:
    port = read_plan(station).port
    with socket.create_server(("127.0.0.1", port)):
        error = refusal(station, PagesUnavailableError)
    assert error.exit_code == EXIT_UNAVAILABLE
    assert f"cannot serve the pages at 127.0.0.1:{port}: another program" in str(error)


def test_a_wrong_certificate_is_said(station: Path) -> None:
    files = "certificate_file: no.pem, key_file: no.key"
    station.write_text(station.read_text().replace("web: {", f"web: {{{files}, "))
    (station.parent / "no.pem").write_text("no certificate")
    (station.parent / "no.key").write_text("no key")
    assert "cannot use the certificate" in str(refusal(station, PagesUnavailableError))
    (station.parent / "no.pem").unlink()
    assert "cannot use the certificate" in str(refusal(station, PagesUnavailableError))


def test_what_lies_in_the_folder_is_not_taken_for_a_part_of_the_program(
    station: Path, tmp_path: Path
) -> None:
    """`python -m` looks into the folder first where it stands."""
    (tmp_path / "jinja2.py").write_text("raise SystemExit(3)")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    words = ["-P", "-m", "edge", "web", str(station)]
    with subprocess.Popen(
        [sys.executable, *words], stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("pages")
        process.send_signal(signal.SIGTERM)
