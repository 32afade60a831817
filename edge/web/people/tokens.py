"""The marks of browsers and of the forms that each was given. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets


def new_seat() -> str:
    """The mark of a browser, which nobody can guess."""
    return secrets.token_urlsafe(18)


def form_token(key: bytes, seat: str, session: str) -> str:
    """What a form must send that was given to the browser with that mark and session."""
    parts = [part.encode() for part in ("form", seat, session)]
    said = b"".join(len(raw).to_bytes(4, "big") + raw for raw in parts)
    digest = hmac.new(key, said, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_form_token(token: str, key: bytes, seat: str, session: str) -> bool:
    """Whether a form that sent `token` was given to the browser with that mark and session."""
    return bool(seat) and hmac.compare_digest(
        token.encode(), form_token(key, seat, session).encode()
    )
