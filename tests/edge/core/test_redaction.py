"""No password leaves in a message, wherever it stood and however it was written."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest

from edge.core import command_line
from edge.core.errors import CameraError, ConfigError, PilahError
from edge.core.redaction import redacted, redacted_value
from edge.core.terminal.log_lines import LogLines

SECRET = "S3cretPw"
LEAKS = [
    f"rtsp://admin:{SECRET}@192.0.2.1/h264",
    f"camera 'rtsp://admin:{SECRET}@192.0.2.1/h264' is silent",
    f"/home/me/rtsp:/admin:{SECRET}@192.0.2.1/h264: no such folder",
    f"rtsp://admin:p@{SECRET}@host/x",
    f"rtsp://admin:{SECRET}/x?y#z@host",
    f"https://{SECRET}@host/token-only",
    f"postgresql+psycopg://u:{SECRET}@db:5432/x",
    f"mqtt://u:{SECRET}@broker",
    f"rtsp%3A%2F%2Fadmin%3A{SECRET}%40host",
    f"rtsp://admin:{SECRET}%40x@host",
    f"admin:{SECRET}@192.0.2.1",
    f"(admin:{SECRET}@[2001:db8::1])",
    f"http://host/video?user=a&password={SECRET}&x=1",
    f"http://host/video?user=a&pwd={SECRET}",
    f"http://host/cgi?loginuse=a&loginpas={SECRET}",
    f"http://host/video?auth={SECRET}",
    f"https://host/live.m3u8?X-Amz-Signature={SECRET}",
    f"rtsp://host:554/user=admin_password={SECRET}_channel=1",
    f"rtsp://host/user=admin&password={SECRET}&channel=1&stream=0.sdp?",
    f"http%3A%2F%2Fhost%2F%3Fpassword%3D{SECRET}",
    f"dsn: host=db password={SECRET} user=a",
    f"Received: 'rtsp://admin:12 {SECRET} 34@host'",
    f'Received: "rtsp://admin:it\'s {SECRET}@host"',
    "x" * 5000 + f"rtsp://admin:{SECRET}@host",
]


@pytest.mark.parametrize("text", LEAKS, ids=range(len(LEAKS)))
def test_a_password_is_hidden_and_hidden_again_without_change(text: str) -> None:
    said = redacted(text)
    assert SECRET not in said
    assert "***" in said
    assert redacted(said) == said
    assert SECRET not in str(PilahError(text))


@pytest.mark.parametrize(
    "text",
    [
        "station.yaml:7: camera.path: no such folder: /home/me/photos",
        "rtsp://USER:PASSWORD@HOST:PORT/PATH",
        "rtsp://192.0.2.1:554/h264 gives no picture",
        "a @, : or / in the password is written %40",
        "write to: someone@example.org",
        "git@github.com:owner/name",
        "passes=3 of 4",
        "--set phases.head.learning_rate=0.01 author=me pa=1",
    ],
)
def test_what_is_no_password_stays(text: str) -> None:
    assert redacted(text) == text


def test_a_value_is_one_address_whatever_stands_in_it() -> None:
    value = {"url": f"rtsp://a:b \n {SECRET}@h", "list": [f"http://x:{SECRET}@h", 3]}
    assert redacted_value(value) == {"url": "rtsp://***@h", "list": ["http://***@h", 3]}
    assert redacted_value({"password": SECRET, "mqtt_password": SECRET, "pin": 3}) == {
        "password": "***",
        "mqtt_password": "***",
        "pin": 3,
    }


@pytest.mark.parametrize("error", [CameraError, PilahError])
def test_errors_talk_and_json_are_without_passwords(
    error: type[PilahError], capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"rtsp://admin:{SECRET}@host/x"
    assert str(error(f"{url}: gone")) == "rtsp://***@host/x: gone"
    assert ConfigError("a.yaml", [f"1: {url}"]).problems == ["1: rtsp://***@host/x"]
    with LogLines():
        logging.getLogger("edge").info(url)
    command_line.print_json({"url": url})
    said = capsys.readouterr()
    assert said.err == "rtsp://***@host/x\n"
    assert json.loads(said.out) == {"url": "rtsp://***@host/x"}


def test_a_bug_keeps_its_traceback_but_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    try:
        raise ValueError(f"rtsp://admin:{SECRET}@host")
    except ValueError as error:
        command_line._tell_bug(type(error), error, error.__traceback__)
    assert "Traceback" in said.getvalue()
    assert SECRET not in said.getvalue()
