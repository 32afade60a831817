from __future__ import annotations

import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from edge.core.errors import ReceiverSetupError
from edge.publish import http_client
from edge.publish.http_client import HttpClient, basic
from edge.publish.receiver import ReceiverUnavailable
from tests.edge.publish.http_server import Reply, System


def client(url: str) -> HttpClient:
    return HttpClient(url, headers={"Authorization": "Token t"}, ca_file=None, key="k")


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        *((status, "done") for status in (200, 201, 202, 204)),
        *((status, "refused") for status in (400, 409, 410, 413, 422)),
        *((status, "later") for status in (401, 403, 404, 405, 408, 415, 425, 429)),
        *((status, "later") for status in (301, 302, 307, 500, 502, 503, 504)),
    ],
)
def test_an_answer_is_done_refused_or_later(status: int, meaning: str) -> None:
    with System(lambda asked: Reply(status, {"why": "so"} if status != 204 else None)) as system:
        if meaning == "later":
            with pytest.raises(ReceiverUnavailable, match=f"/path answers {status}.*so"):
                client(system.url).ask("POST", "/path", {"a": 1})
        else:
            answer = client(system.url).ask("POST", "/path", {"a": 1})
            assert meaning == ("done" if answer.done else "refused")
            assert answer.reason.startswith(str(status))
    assert len(system.asked) == 1  # a redirection is not followed


def test_a_request_has_the_headers_and_the_path_of_its_system() -> None:
    with System(lambda asked: Reply(200, [1, "ä"])) as system:
        answer = client(f"{system.url}/base/").ask("POST", "/x?y=1", {"ä": 2}, headers={"N": "1"})
    (asked,) = system.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/base/x?y=1", {"ä": 2})
    assert asked.headers["authorization"] == "Token t"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["n"] == "1"
    assert answer.value == [1, "ä"]


@pytest.mark.parametrize(
    ("says", "match"),
    [
        (b"", "does not answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "does not answer"),
        (b"SSH-2.0-OpenSSH\r\n", "does not answer"),
    ],
)
def test_one_who_breaks_off_or_speaks_otherwise_is_not_there(says: bytes, match: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(says)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ReceiverUnavailable, match=match):
            client(f"http://127.0.0.1:{server.getsockname()[1]}").ask("GET", "/")
        thread.join()


def test_one_who_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "_PATIENCE_SECONDS", 0.05)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(ReceiverUnavailable, match="timed out"),
    ):
        client(f"http://127.0.0.1:{server.getsockname()[1]}").ask("GET", "/")


def test_an_answer_without_end_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "_LARGEST", 10)
    with (
        System(lambda asked: Reply(200, "x" * 20)) as system,
        pytest.raises(ReceiverUnavailable, match="more than 10 bytes"),
    ):
        client(system.url).ask("GET", "/")


def test_certificates_that_cannot_be_read_are_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ReceiverSetupError, match=r"publish\.x\.ca_file"):
        HttpClient("https://h", headers={}, ca_file=tmp_path / "none", key="publish.x.ca_file")


def test_a_server_without_tls_is_not_spoken_to_in_the_clear() -> None:
    with (
        System(lambda asked: Reply()) as system,
        pytest.raises(ReceiverUnavailable, match="does not answer"),
    ):
        client(system.url.replace("http:", "https:")).ask("GET", "/")
    assert system.asked == []


def test_a_name_and_a_password_are_sent_as_rfc_7617_says() -> None:
    assert basic("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


def test_a_host_that_is_no_name_is_not_there() -> None:
    with pytest.raises(ReceiverUnavailable, match=r"a\.\.b does not answer"):
        client("http://a..b:80").ask("GET", "/")


def test_an_answer_that_is_nested_too_deeply_has_no_value() -> None:
    with System(lambda asked: Reply(200, "x")) as system:
        answer = client(system.url).ask("GET", "/")
    assert replace(answer, body=b"[" * 100_000).value is None
