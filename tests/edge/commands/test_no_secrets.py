"""However an address is written, its password leaves a station by no way."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from edge.cli import main
from tests.edge.stations import STATION, make_station

pytestmark = pytest.mark.usefixtures("ledger_within")

SECRET = "S3cretPw"
HERE = "127.0.0.1:9"  # where nothing answers
ADDRESSES = [
    f"rtsp://admin:{SECRET}@{HERE}/h264",
    f"RTSP://admin:{SECRET}@{HERE}/h264",
    f"rtsp://:{SECRET}@{HERE}/h264",
    f"rtsp://{SECRET}@{HERE}/h264",
    f"rtsp://admin:p%40{SECRET}@{HERE}/h264",
    f"rtsp://admin:{SECRET}%2Fx@{HERE}/h264",
    f"rtsp://admin:p@{SECRET}@{HERE}/h264",
    f"rtsp://admin:a:{SECRET}:b@{HERE}/h264",
    f"rtsp://admin:a/{SECRET}@{HERE}/h264",
    f"rtsp://admin:a?{SECRET}@{HERE}/h264",
    f"rtsp://admin:a#{SECRET}@{HERE}/h264",
    f"rtsp://admin:a {SECRET}@{HERE}/h264",
    f"http://admin:{SECRET}@[::1]:9/video",
    f"http://{HERE}/video?user=admin&password={SECRET}",
    f"http://{HERE}/video?pwd={SECRET}&user=admin",
    f"http://{HERE}/video?token={SECRET}",
    f"http://{HERE}/video?auth={SECRET}",
    f"rtsp://{HERE}/user=admin&password={SECRET}&channel=1&stream=0.sdp?",
    f"rtsp%3A%2F%2Fadmin%3A{SECRET}%40{HERE}",
    f"ftp://admin:{SECRET}@{HERE}/h264",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_command_no_ledger_and_no_service_manager_is_told_a_password(
    tmp_path: Path,
    tiny_bundle: Path,
    address: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        camera = f"{{kind: stream, url: {json.dumps(address)}, open_timeout_seconds: 1}}"
        text = STATION.replace("{kind: folder, path: photos, frames_per_second: 1000}", camera)
        station = str(make_station(tmp_path, text=text, bundle=tiny_bundle))
        for words in ("check", "run", "doctor"):
            main([words, station, "-v"])
        told = "".join(capfd.readouterr())
        with suppress(BlockingIOError):  # nothing more was sent
            while True:
                told += systemd.recv(10_000).decode()
    assert "error" in told
    assert SECRET not in told
    for file in tmp_path.glob("ledger.sqlite*"):
        assert SECRET.encode() not in file.read_bytes()
