"""Passwords, tokens and certificates, in files that the station file names."""

from __future__ import annotations

import ssl
from pathlib import Path

from edge.core.errors import ReceiverSetupError


def read_secret(file: Path, key: str) -> str:
    """The secret in `file`, which is its first line without the line end.

    Args:
        key: its key in the station file, for the message: `publish.postgres.password_file`.

    Raises:
        ReceiverSetupError: the file cannot be read, or its first line is empty.
    """
    try:
        # Notepad and others begin a file with a byte order mark, which is not of the secret.
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ReceiverSetupError(f"{key} {file} cannot be read: {error}") from error
    if not lines or not lines[0].strip():
        raise ReceiverSetupError(f"{key} {file} has an empty first line: write the secret there")
    return lines[0]


def read_token(file: Path, key: str) -> str:
    """The token in `file`, in characters that an HTTP header may have; see `read_secret`.

    Raises:
        ReceiverSetupError: as `read_secret` says; or it has other characters than ASCII's printable
            ones (RFC 9110, section 11.2).
    """
    token = read_secret(file, key).strip()
    if not (token.isascii() and token.isprintable()):
        raise ReceiverSetupError(
            f"{key} {file} has a character that no token can have: write the token alone into the "
            "first line, as the other system shows it"
        )
    return token


def trusting(ca_file: Path | None, key: str) -> ssl.SSLContext:
    """The TLS context that verifies the name of a server.

    Args:
        ca_file: the certificates of the trusted authorities; None for those of this machine.
        key: what the station file calls it, for the message.

    Raises:
        ReceiverSetupError: the file cannot be read, or has no certificate.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ReceiverSetupError(f"{key} {ca_file} cannot be used: {error}") from error
