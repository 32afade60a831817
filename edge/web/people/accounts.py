"""Who may sign in to the pages: names, roles and password hashes, in one file.

Passwords are hashed by argon2id with the least memory of the equally strong settings that OWASP's
Password Storage Cheat Sheet gives (7 MiB, five passes, one lane), because a Raspberry Pi that sorts
has little to spare.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from edge.core.errors import AccountsError, StorageError, UsageError
from edge.core.files import read_regular, write_file

_LARGEST = 256 * 1024
_VERSION = 1
_SHORTEST, _LONGEST = 8, 200
"""Characters of a password. The longest bounds what somebody who is not signed in has hashed."""
_HASHER = PasswordHasher(time_cost=5, memory_cost=7 * 1024, parallelism=1)


class Role(StrEnum):
    """What a person may do."""

    OPERATOR = "operator"
    """Look at all pages, count deliveries, review items, and pause and resume the station."""
    ADMIN = "admin"
    """All of that, and what takes records away from the machine or cannot be taken back."""


@dataclass(frozen=True, slots=True)
class PageAccount:
    """One who may sign in."""

    role: Role
    hash: str
    """Of the password: argon2id, in the form of the reference implementation."""


@dataclass(frozen=True, slots=True)
class AccountList:
    """What the file of accounts holds."""

    key: bytes
    """32 random bytes, by which sign-ins are told from made-up ones."""
    accounts: Mapping[str, PageAccount]


class Accounts:
    """The accounts in the file `path`, which is read anew when it has changed. For any thread."""

    def __init__(self, path: Path) -> None:
        """Reads nothing yet."""
        self.path = path
        self._alone = threading.Lock()
        self._known: tuple[tuple[int, int, int], AccountList] | None = None
        self._nobody: str | None = None

    def known(self) -> AccountList | None:
        """Those in the file; None: there is no file.

        Raises:
            AccountsError: it is damaged, or this user may not read it.
        """
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise AccountsError(f"cannot read {self.path}: {error.strerror}") from error
        mark = found.st_ino, found.st_size, found.st_mtime_ns
        with self._alone:
            if self._known is None or self._known[0] != mark:
                self._known = mark, _read(self.path)
            return self._known[1]

    def check(self, name: str, password: str) -> PageAccount | None:
        """The account with that name and password; None: there is none.

        It takes as long for a name that nobody has as for a wrong password. One is checked at a
        time, so that guesses take no more than one processor and 7 MiB.

        Raises:
            AccountsError: see `known`.
        """
        listed = self.known()
        account = None if listed is None else listed.accounts.get(name)
        if len(password) > _LONGEST:
            return None
        with self._alone:
            if self._nobody is None:
                self._nobody = _HASHER.hash(secrets.token_hex())
            try:
                _HASHER.verify(self._nobody if account is None else account.hash, password)
            except (VerificationError, InvalidHashError):
                return None
        return account


def set_password(path: Path, name: str, password: str, role: Role | None) -> Role:
    """Gives a person an account in the file `path`, or a new password; returns the role.

    Args:
        role: None: the one that the account has, or operator.

    Raises:
        UsageError: the name or the password cannot be used.
        AccountsError: the file is damaged.
        StorageError: it cannot be written.
    """
    if not 1 <= len(name) <= 64 or name.strip() != name or not name.isprintable():
        raise UsageError(f"a name has 1 to 64 printable characters. Received: {name!r}")
    if not _SHORTEST <= len(password) <= _LONGEST:
        raise UsageError(
            f"a password has {_SHORTEST} to {_LONGEST} characters. Received: {len(password)}"
        )
    listed = _read(path) if path.exists() else AccountList(secrets.token_bytes(32), {})
    before = listed.accounts.get(name)
    role = role or (Role.OPERATOR if before is None else before.role)
    accounts = {**listed.accounts, name: PageAccount(role, _HASHER.hash(password))}
    _write(path, AccountList(listed.key, accounts))
    return role


def remove_account(path: Path, name: str) -> None:
    """Takes a person's account out of the file `path`.

    Raises:
        UsageError: there is no such account.
        AccountsError: the file is damaged.
        StorageError: it cannot be written.
    """
    listed = _read(path) if path.exists() else AccountList(b"", {})
    if name not in listed.accounts:
        names = ", ".join(sorted(listed.accounts)) or "nobody"
        raise UsageError(f"{path} has no account {name!r}: it has {names}")
    left = {other: account for other, account in listed.accounts.items() if other != name}
    _write(path, AccountList(listed.key, left))


def _write(path: Path, listed: AccountList) -> None:
    found = {name: asdict(account) for name, account in listed.accounts.items()}
    whole = {"version": _VERSION, "key": listed.key.hex(), "accounts": found}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot make {path.parent}: {error.strerror or error}") from error
    write_file(path, json.dumps(whole, ensure_ascii=False, indent=1) + "\n", mode=0o600)


def _read(path: Path) -> AccountList:
    try:
        found = json.loads(read_regular(path, largest=_LARGEST))
        if found["version"] != _VERSION:
            raise AccountsError(
                f"{path} was written by another pilah (version {found['version']}, this one knows "
                f"{_VERSION}): set the passwords again, in a new file"
            )
        accounts = {
            str(name): PageAccount(Role(one["role"]), str(one["hash"]))
            for name, one in found["accounts"].items()
        }
        key = bytes.fromhex(found["key"])
    except OSError as error:
        raise AccountsError(f"cannot read {path}: {error.strerror or error}") from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, AccountsError):
            raise
        raise AccountsError(
            f"{path} is not a file of accounts, or it is damaged: move it away, and set the "
            "passwords again"
        ) from error
    if len(key) < 32:
        raise AccountsError(f"{path} has no key of 32 bytes: move it away, and set passwords again")
    return AccountList(key, accounts)
