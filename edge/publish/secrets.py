"""Passwords and tokens, each the first line of a file that the station file names."""

from __future__ import annotations

from pathlib import Path

from edge.core.errors import ReceiverSetupError


def read_secret(file: Path, key: str) -> str:
    """The secret in `file`.

    Args:
        key: what the station file calls it, for the message: `publish.postgres.password_file`.

    Raises:
        ReceiverSetupError: the file cannot be read, or its first line is empty.
    """
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ReceiverSetupError(f"{key} {file} cannot be read: {error}") from error
    if not lines or not lines[0].strip():
        raise ReceiverSetupError(f"{key} {file} has an empty first line: write the secret there")
    return lines[0].strip()
