"""`pilah-publish --refused` and `--send-refused`: what was refused is listed, and sent again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.core.errors import EXIT_NO, EXIT_OK, EXIT_USAGE
from edge.publish import receivers
from edge.publish.cli import main
from edge.publish.receiver import Entry
from tests.edge.ledger.entries import entry
from tests.edge.publish.outboxes import Taking, write
from tests.edge.publish.test_program import station


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Taking:
    """A receiver that refuses the items 2 and 3, in place of the broker."""
    receiver = Taking()
    receiver.refuses = lambda entry: entry.payload["item"] > 1
    monkeypatch.setattr(receivers, "open_receiver", lambda *_: receiver)
    return receiver


@pytest.fixture
def file(tmp_path: Path, receiver: Taking) -> str:
    """A station file whose publisher was refused two entries."""
    write(tmp_path, 1, 2, 3)
    file = station(tmp_path, 1)
    assert main([file, "--once"]) == EXIT_NO
    return file


def refused(file: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    assert main([file, "--refused", "--json"]) == EXIT_OK
    found = json.loads(capsys.readouterr().out)["refused"]
    assert all(one["receiver"] == "mqtt" and one["refused_at"] for one in found)
    return [one["id"] for one in found]


def put_right(receiver: Taking) -> None:
    def takes(entry: Entry) -> bool:
        return False

    receiver.refuses = takes


def test_all_that_was_refused_is_listed_with_its_reason(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(file, capsys) == [entry(2).id, entry(3).id]
    assert main([file, "--refused", "--receiver", "mqtt"]) == EXIT_OK
    assert f"mqtt       item {entry(2).id} of {entry(2).time}: not this one" in (
        capsys.readouterr().out
    )


def test_all_is_sent_again_and_each_comes_once(
    file: str, receiver: Taking, capsys: pytest.CaptureFixture[str]
) -> None:
    put_right(receiver)
    for says in ("entries that are sent again: 2 to mqtt", "they are to be sent again already"):
        assert main([file, "--send-refused"]) == EXIT_OK
        assert says in capsys.readouterr().out
    assert main([file, "--once"]) == EXIT_OK
    assert [one.payload["item"] for one in receiver.taken] == [1, 2, 3]
    assert refused(file, capsys) == []
    assert main([file, "--refused"]) == EXIT_OK
    assert capsys.readouterr().out == "nothing that was refused is set aside\n"
    assert main([file, "--send-refused"]) == EXIT_NO
    assert "nothing that was refused is set aside" in capsys.readouterr().out


def test_one_alone_is_sent_again(
    file: str, receiver: Taking, capsys: pytest.CaptureFixture[str]
) -> None:
    put_right(receiver)
    capsys.readouterr()
    assert main([file, "--send-refused", entry(3).id, "--receiver", "mqtt", "--json"]) == EXIT_OK
    assert json.loads(capsys.readouterr().out)["asked"] == {"mqtt": 1}
    assert main([file, "--once"]) == EXIT_OK
    assert [one.payload["item"] for one in receiver.taken] == [1, 3]
    assert refused(file, capsys) == [entry(2).id]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--send-refused", "019aa3d6"], "nothing with the id 019aa3d6 is set aside"),
        (["--refused", "--receiver", "mqt"], "no receiver 'mqt' under `publish`. Did you mean"),
        (["--once", "--receiver", "mqtt"], "--receiver belongs to --refused or --send-refused"),
    ],
)
def test_what_cannot_be_meant_is_said(
    file: str, words: list[str], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert main([file, *words]) == EXIT_USAGE
    assert says in caplog.text


def test_before_anything_was_sent_nothing_is_set_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = station(tmp_path, 1)
    assert refused(file, capsys) == []
    assert main([file, "--refused"]) == EXIT_OK
    assert capsys.readouterr().out == "nothing that was refused is set aside\n"
    assert main([file, "--send-refused"]) == EXIT_NO
    assert not (tmp_path / "ledger-publish.sqlite").exists()
