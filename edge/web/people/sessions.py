"""Who is signed in: the sessions that browsers have, in one file, which a restart of the pages
leaves as it is."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from edge.core.errors import StorageError
from edge.core.files import read_regular, write_file
from edge.web.people.accounts import AccountList, PageAccount

SHIFT_SECONDS = 12 * 3600
"""How long a person stays signed in."""
WALL_SECONDS = 90 * 24 * 3600
"""How long a screen stays signed in that nobody touches."""
MOST_OF_NAME = 50
"""Sessions of one name; one more ends the oldest."""
_LARGEST = 4 * 2**20
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PageSession:
    """A browser in which somebody has signed in."""

    name: str
    expires: int
    """Seconds since 1970."""
    password: str
    """The mark of the password with which it began."""


class Sessions:
    """The sessions in the file `path`, each by the digest of the text that its browser has, so that
    whoever reads the file cannot use them. For any thread; one process at a time.

    Only what is in the file is a session: where it was lost, everybody signs in again. A new
    password, or an account that was removed, ends every session of that name.
    """

    def __init__(self, path: Path, wall: Callable[[], float]) -> None:
        """Reads those that the pages had when they ended.

        Args:
            wall: seconds since 1970.
        """
        self._path, self._wall = path, wall
        self._alone = threading.Lock()
        self._known: Mapping[str, PageSession] = _read(path)

    def begin(self, listed: AccountList, name: str, seconds: int) -> str:
        """A new session of a name that has an account, for so many seconds."""
        session = secrets.token_urlsafe(32)
        begun = PageSession(name, int(self._wall()) + seconds, _mark(listed.accounts[name]))
        with self._alone:
            others = {digest: one for digest, one in self._known.items() if self._lasts(one)}
            mine = [digest for digest, one in others.items() if one.name == name]
            for digest in mine[: max(0, len(mine) - MOST_OF_NAME + 1)]:
                del others[digest]
            self._keep({**others, _digest(session): begun})
        return session

    def read(self, listed: AccountList, session: str) -> tuple[str, PageAccount] | None:
        """Whose session it is; None: it is nobody's, or is over."""
        found = self._known.get(_digest(session))
        account = None if found is None else listed.accounts.get(found.name)
        if found is None or account is None or not self._lasts(found):
            return None
        return (found.name, account) if _mark(account) == found.password else None

    def end(self, session: str) -> None:
        """Ends a session; one that is over already stays so."""
        with self._alone:
            ended = _digest(session)
            self._keep({digest: one for digest, one in self._known.items() if digest != ended})

    def _lasts(self, session: PageSession) -> bool:
        return session.expires > self._wall()

    def _keep(self, known: Mapping[str, PageSession]) -> None:
        self._known = known
        whole = {digest: asdict(one) for digest, one in known.items()}
        try:
            write_file(self._path, json.dumps(whole, ensure_ascii=False) + "\n", mode=0o600)
        except StorageError as error:
            _log.warning(
                f"warning    who signed in or out is forgotten when the pages are started again: "
                f"{error}"
            )


def _read(path: Path) -> Mapping[str, PageSession]:
    try:
        found = json.loads(read_regular(path, largest=_LARGEST))
        return {
            str(digest): PageSession(str(one["name"]), int(one["expires"]), str(one["password"]))
            for digest, one in found.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        _log.warning(
            f"warning    {path} holds no sessions that can be read, so that everybody signs in "
            f"again: {error}"
        )
        return {}


def _digest(session: str) -> str:
    return hashlib.sha256(session.encode("utf-8", "surrogateescape")).hexdigest()


def _mark(account: PageAccount) -> str:
    """Changes with the password; nothing of the password, or of its hash, can be made of it."""
    return hashlib.sha256(account.hash.encode()).hexdigest()
