"""The process of the pages: how it is started, what it refuses, how it ends, how large it is."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge.core.errors import (
    EXIT_CONFIG,
    EXIT_UNAVAILABLE,
    AccountsError,
    PagesUnavailableError,
    PilahError,
)
from edge.neighbours.claims import Neighbour
from edge.web import serving
from edge.web.people.accounts import Role, set_password
from edge.web.reading import read_plan
from edge.web.serving import check_accounts, run_pages
from tests.edge.stations import STATION, make_station
from tests.edge.web.browsing import PASSWORD
from tests.ports import free_port


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
            assert said.startswith("pages      http"), said + process.stderr.read()
            yield said.split()[1], process
        finally:
            process.kill()


def test_the_pages_are_served_until_a_signal_and_stay_small(station: Path) -> None:
    with served(station) as (address, process):
        for path in ("", "health", "history", "review", "delivery", "static/pilah.js"):
            assert httpx2.get(address + path, timeout=120).status_code == 200
        loaded = Path(f"/proc/{process.pid}/maps").read_text()
        for large in ("numpy", "cv2", "pydantic_core"):
            assert large not in loaded
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == 0


def test_an_open_page_does_not_hold_up_the_end(station: Path) -> None:
    with (
        served(station) as (address, process),
        httpx2.stream("GET", f"{address}events", timeout=120) as stream,
    ):
        assert next(stream.iter_lines()) == "retry: 500"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == 0


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
    set_password(
        station.with_name("ledger-accounts") / "accounts.json", "Ana", PASSWORD, Role.OPERATOR
    )
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


def test_pages_are_served_with_a_certificate(station: Path) -> None:
    folder = station.parent
    _certify(folder)
    files = "certificate_file: pi.pem, key_file: pi.key"
    station.write_text(station.read_text().replace("web: {", f"web: {{{files}, "))
    trusted = ssl.create_default_context(cafile=str(folder / "pi.pem"))
    with served(station) as (address, process):
        assert address.startswith("https://127.0.0.1:")
        answer = httpx2.get(address, verify=trusted, timeout=120)
        assert answer.status_code == 200
        assert "; secure" in answer.headers["set-cookie"].lower()
        port = int(address.rpartition(":")[2].strip("/"))
        with pytest.raises(httpx2.HTTPError):
            httpx2.get(f"http://127.0.0.1:{port}/", timeout=120)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        with warnings.catch_warnings(action="ignore"):
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", port)) as plain, pytest.raises(OSError):  # noqa: PT011
            old.wrap_socket(plain)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == 0


def _certify(folder: Path) -> None:
    """Makes a certificate of 127.0.0.1 that is its own issuer, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pi")])
    own, now = x509.IPAddress(IPv4Address("127.0.0.1")), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([own]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    (folder / "pi.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "pi.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


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


@pytest.mark.parametrize("known", [True, False])
def test_a_port_that_is_taken_is_said_with_the_station_that_has_it(
    known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Neighbour("cell-2", "/etc/pilah/second.yaml", (), 812)
    asked: list[str] = []

    def claimants(what: str, **more: object) -> list[Neighbour]:
        asked.append(what)
        return [other] if known else []

    monkeypatch.setattr("edge.neighbours.running.claimants", claimants)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        plan: Any = SimpleNamespace(host="127.0.0.1", port=port, ledger=Path("/ledger"))
        with pytest.raises(PagesUnavailableError) as told:
            serving._listen(plan)
    assert asked == [f"the port {port}"]
    who = "a program of the station cell-2 (/etc/pilah/second.yaml, process 812)"
    assert f": {who if known else 'another program'} listens there" in str(told.value)
