"""`pilah-edge web`: accounts. How it serves is in tests/edge/web/test_serving.py."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from edge.cli import main
from edge.core.errors import EXIT_OK, EXIT_USAGE
from edge.web.people.accounts import Accounts, Role
from tests.edge.stations import make_station
from tests.edge.web.browsing import PASSWORD


@pytest.fixture
def station(tmp_path: Path, tiny_bundle: Path) -> Path:
    return make_station(tmp_path, bundle=tiny_bundle)


def set_password(
    station: Path, monkeypatch: pytest.MonkeyPatch, *words: str, typed: str = f"{PASSWORD}\n"
) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    return main(["web", str(station), "--set-password", "Ana", *words])


def test_an_account_is_made_listed_and_taken_away(
    station: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set_password(station, monkeypatch, "--role", "admin") == EXIT_OK
    assert "Ana may sign in as admin" in capsys.readouterr().out
    account = Accounts(station.with_name("ledger-accounts") / "accounts.json").check(
        "Ana", PASSWORD
    )
    assert account is not None
    assert account.role is Role.ADMIN
    assert main(["web", str(station), "--accounts"]) == EXIT_OK
    assert capsys.readouterr().out == "admin     Ana\n"
    assert main(["web", str(station), "--remove-account", "Ana"]) == EXIT_OK
    capsys.readouterr()
    main(["web", str(station), "--accounts"])
    assert "nobody has an account, and nobody can sign in" in capsys.readouterr().out


def test_a_short_password_makes_no_account(
    station: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set_password(station, monkeypatch, typed="short\n") == EXIT_USAGE
    assert "a password has 8 to 200 characters. Received: 5" in capsys.readouterr().err
    assert not (station.with_name("ledger-accounts") / "accounts.json").exists()


@pytest.mark.parametrize("second", [PASSWORD, "another"])
def test_a_password_is_asked_for_twice_at_a_terminal(
    station: Path, monkeypatch: pytest.MonkeyPatch, second: str
) -> None:
    typed = iter([PASSWORD, second])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    code = main(["web", str(station), "--set-password", "Ana"])
    assert code == (EXIT_OK if second == PASSWORD else EXIT_USAGE)


def test_a_role_without_a_password_is_a_mistake(
    station: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["web", str(station), "--role", "admin"]) == EXIT_USAGE
    assert "--role belongs to --set-password" in capsys.readouterr().err
