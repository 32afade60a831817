from __future__ import annotations

import json
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest
from argon2 import PasswordHasher

from edge.core.errors import AccountsError, UsageError
from edge.web.people.accounts import Accounts, Role, remove_account, set_password
from tests.edge.web.browsing import PASSWORD


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "accounts.json"


def test_a_password_is_checked_and_not_kept(file: Path) -> None:
    set_password(file, "Ana", PASSWORD, Role.ADMIN)
    accounts = Accounts(file)
    found = accounts.check("Ana", PASSWORD)
    assert found is not None
    assert found.role is Role.ADMIN
    assert found.hash.startswith("$argon2id$")
    assert PASSWORD not in file.read_text()


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("Ana", "wrong horse"),
        ("Ana", ""),
        ("ana", PASSWORD),
        ("Budi", PASSWORD),
        ("Ana", "x" * 999),
    ],
)
def test_anything_else_is_wrong(file: Path, name: str, password: str) -> None:
    set_password(file, "Ana", PASSWORD, None)
    assert Accounts(file).check(name, password) is None


def test_two_passwords_are_never_checked_at_once(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each check takes 7 MB, of which the pages have room for one."""
    set_password(file, "Ana", PASSWORD, None)
    accounts, alone, met = Accounts(file), threading.Lock(), []

    class Hasher(PasswordHasher):
        def verify(self, *words: str | bytes) -> Literal[True]:
            met.append(alone.acquire(blocking=False))
            time.sleep(0.02)  # far longer than others take to come here
            if met[-1]:
                alone.release()
            return super().verify(*words)

    monkeypatch.setattr("edge.web.people.accounts._HASHER", Hasher(1, 8, 1))
    with ThreadPoolExecutor(4) as people:
        found = list(people.map(accounts.check, ["Ana", "Budi"] * 4, [PASSWORD] * 8))
    assert [one is not None for one in found] == [True, False] * 4
    assert met == [True] * 8


def test_only_its_owner_may_read_the_file(file: Path) -> None:
    set_password(file, "Ana", PASSWORD, None)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_role_stays_until_another_is_given(file: Path) -> None:
    assert set_password(file, "Ana", PASSWORD, None) is Role.OPERATOR
    assert set_password(file, "Ana", PASSWORD, Role.ADMIN) is Role.ADMIN
    assert set_password(file, "Ana", PASSWORD + "!", None) is Role.ADMIN


def test_a_change_of_the_file_counts_at_once(file: Path) -> None:
    accounts = Accounts(file)
    assert accounts.known() is None
    set_password(file, "Ana", PASSWORD, None)
    set_password(file, "Budi", PASSWORD, None)
    assert accounts.check("Ana", PASSWORD) is not None
    remove_account(file, "Ana")
    assert accounts.check("Ana", PASSWORD) is None
    assert accounts.check("Budi", PASSWORD) is not None


def test_an_account_that_is_not_there_cannot_be_removed(file: Path) -> None:
    set_password(file, "Ana", PASSWORD, None)
    with pytest.raises(UsageError, match="has no account 'Budi': it has Ana"):
        remove_account(file, "Budi")


@pytest.mark.parametrize("name", ["", " Ana", "A\nna", "x" * 65])
def test_a_name_must_be_one(file: Path, name: str) -> None:
    with pytest.raises(UsageError, match="a name has 1 to 64 printable characters"):
        set_password(file, name, PASSWORD, None)


@pytest.mark.parametrize("password", ["", "1234567", "x" * 201])
def test_a_password_is_neither_short_nor_endless(file: Path, password: str) -> None:
    with pytest.raises(UsageError, match="a password has 8 to 200 characters"):
        set_password(file, "Ana", password, None)
    assert not file.exists()


WHOLE = {"version": 1, "key": "00" * 32, "accounts": {}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not a file of accounts"),
        ("[]", "is not a file of accounts"),
        (json.dumps(WHOLE | {"version": 2}), "another pilah"),
        (json.dumps(WHOLE | {"key": "zz"}), "is not a file of accounts"),
        (json.dumps(WHOLE | {"key": ""}), "no key of 32 bytes"),
        (json.dumps(WHOLE | {"accounts": []}), "is not a file of accounts"),
        (json.dumps(WHOLE | {"accounts": {"a": {"role": "king", "hash": ""}}}), "damaged"),
        (json.dumps(WHOLE | {"accounts": {"a": 1}}), "damaged"),
        ("x" * 300_000, "more than"),
    ],
)
def test_a_file_that_is_none_is_refused(file: Path, content: str, said: str) -> None:
    file.write_text(content)
    with pytest.raises(AccountsError, match=said):
        Accounts(file).known()
    with pytest.raises(AccountsError, match=said):
        set_password(file, "Ana", PASSWORD, None)
    assert file.read_text() == content


def test_a_hash_that_is_none_lets_nobody_in(file: Path) -> None:
    accounts = {"Ana": {"role": "admin", "hash": "plain"}}
    file.write_text(json.dumps(WHOLE | {"accounts": accounts}))
    assert Accounts(file).check("Ana", "plain") is None
