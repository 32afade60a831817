"""What a browser is given to be known again by: a signed-in name, and the mark of a form. Pure.

A session is no entry in a list but a text with a MAC, so that a restart of the pages signs nobody
out and nothing has to be written. The MAC covers the hash of the password: a new password, or an
account that was removed, ends every session of that name.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable

from edge.web.people.accounts import AccountList, PageAccount

SHIFT_SECONDS = 12 * 3600
"""How long a person stays signed in."""
WALL_SECONDS = 90 * 24 * 3600
"""How long a screen stays signed in that nobody touches."""


class Sessions:
    """Makes and reads sessions; remembers those that were ended before their time."""

    def __init__(self, wall: Callable[[], float]) -> None:
        """Has ended none.

        Args:
            wall: seconds since 1970.
        """
        self._wall = wall
        self._ended: dict[str, int] = {}

    def begin(self, listed: AccountList, name: str, seconds: int) -> str:
        """The session of a name that has an account, for so many seconds."""
        expires = int(self._wall()) + seconds
        mac = _mac(listed.key, "session", name, str(expires), listed.accounts[name].hash)
        return f"{_text(name.encode())}.{expires}.{mac}"

    def read(self, listed: AccountList, session: str) -> tuple[str, PageAccount] | None:
        """Whose session it is; None: it is nobody's, or is over."""
        try:
            coded, expiry, mac = session.split(".")
            name, expires = _bytes(coded).decode(), int(expiry)
        except ValueError:
            return None
        if (coded, expiry) != (_text(name.encode()), str(expires)):
            return None  # the same session otherwise written would outlive its end
        account = listed.accounts.get(name)
        if account is None or expires <= self._wall() or mac in self._ended:
            return None
        right = _mac(listed.key, "session", name, str(expires), account.hash)
        return (name, account) if hmac.compare_digest(mac.encode(), right.encode()) else None

    def end(self, session: str) -> None:
        """Ends a session, which was read before."""
        now = self._wall()
        self._ended = {mac: expires for mac, expires in self._ended.items() if expires > now}
        _, expires, mac = session.split(".")
        self._ended[mac] = int(expires)


def new_seat() -> str:
    """The mark of a browser, which nobody can guess."""
    return secrets.token_urlsafe(18)


def form_token(key: bytes, seat: str, session: str) -> str:
    """What a form must send that was given to the browser with that mark and session."""
    return _mac(key, "form", seat, session)


def is_form_token(token: str, key: bytes, seat: str, session: str) -> bool:
    """Whether a form that sent `token` was given to the browser with that mark and session."""
    return bool(seat) and hmac.compare_digest(
        token.encode(), form_token(key, seat, session).encode()
    )


def _mac(key: bytes, *parts: str) -> str:
    said = b"".join(len(raw).to_bytes(4, "big") + raw for raw in (p.encode() for p in parts))
    return _text(hmac.new(key, said, hashlib.sha256).digest())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
