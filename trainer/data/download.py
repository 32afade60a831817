"""Files fetched over HTTP: interrupted downloads are resumed, and every file is checked.

On `requests` alone, which TensorFlow and kagglehub bring along. Of the libraries made for this,
pooch and parfive begin anew after a break, resumable-urlretrieve was left by its maker in 2018, and
pypdl goes on only with an event loop and threads of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import requests

from edge.core.files import storage_errors, write_file
from edge.core.terminal.progress import Progress
from trainer.errors import DownloadError

_TIMEOUT = (20, 60)
"""Seconds: to connect, and between two bytes."""
_TRIES = 5
"""Attempts in a row without new bytes before a download fails."""
_MOST_REDIRECTS = 10
_PIECE = 1 << 13
"""Bytes read at once; a piece that is interrupted is lost."""
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP status codes after which another attempt may succeed."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on a web server."""

    name: str
    urls: tuple[str, ...]
    """The addresses of the file, tried in order."""
    checksum: str | None = None
    """`md5:` or `sha256:` and hex digits, as published; None if none is published."""


def fetch(file: RemoteFile, folder: Path, *, wait: Callable[[float], None] = time.sleep) -> Path:
    """The file, whole and checked, in `folder`.

    An interrupted download stays there as `NAME.part` and is resumed the next time, if the server
    still has the same file.

    Args:
        folder: there already.
        wait: pauses for so many seconds before another try.

    Raises:
        DownloadError: no server has it, each broke off again and again, or it is another file than
            was published.
        StorageError: the disk is full.
    """
    whole = folder / file.name
    if whole.exists() and _fits(whole, file.checksum):
        return whole
    problems: list[str] = []
    for url in file.urls:
        try:
            part = _fetched(url, folder / f"{file.name}.part", file.name, wait)
        except DownloadError as error:
            problems.append(str(error))
            continue
        if _fits(part, file.checksum):
            with storage_errors("write", whole):
                part.replace(whole)
                _facts(part).unlink(missing_ok=True)
            return whole
        kind = str(file.checksum).partition(":")[0]
        problems.append(
            f"{url}: another file than was published: {file.checksum} is expected. Received: "
            f"{kind}:{digest(part, kind)}"
        )
        _forget(part)
    raise DownloadError(
        "; ".join(problems) + ". Check the connection and run the same command again"
    )


def digest(path: Path, kind: str = "sha256") -> str:
    """Hex digits of the file's content.

    Args:
        kind: "md5" or "sha256".
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()


def _fits(path: Path, checksum: str | None) -> bool:
    kind, _, wanted = (checksum or "").partition(":")
    return not checksum or digest(path, kind) == wanted


def _fetched(url: str, part: Path, name: str, wait: Callable[[float], None]) -> Path:
    idle = 0
    while True:
        before = _size(part)
        problem = _go_on(url, part, name)
        if not problem:
            return part
        idle = 0 if _size(part) > before else idle + 1
        if idle == _TRIES:
            raise DownloadError(f"{url}: {problem}, {_TRIES} times in a row")
        wait(2.0**idle)


def _go_on(url: str, part: Path, name: str) -> str:
    """Fetches the missing bytes; returns the problem if another attempt may succeed.

    Raises:
        DownloadError: it will not.
    """
    have = _size(part)
    validator = _validator(part)
    if have and not validator:
        # Nothing tells whether the rest would belong to it.
        _forget(part)
        have = 0
    # As it lies there: of what is packed on the way no byte could be counted.
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": validator}
    try:
        with (
            _session() as session,
            session.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as answer,
        ):
            if answer.status_code == 416:
                _forget(part)
                return "what is here is more than the server has"
            if answer.status_code in _RETRIED:
                return f"the server answers {answer.status_code} {answer.reason}"
            if answer.status_code not in (200, 206):
                raise DownloadError(
                    f"{url}: the server answers {answer.status_code} {answer.reason}"
                )
            return _receive(answer, part, have, name)
    except requests.TooManyRedirects as error:
        raise DownloadError(
            f"{url}: the server sends from one address to the next, {_MOST_REDIRECTS} times"
        ) from error
    except requests.exceptions.InvalidURL as error:
        raise DownloadError(f"{url}: no address: {error}") from error
    except requests.RequestException as error:
        return f"broke off ({_reason(error)})"


def _session() -> requests.Session:
    session = requests.Session()
    session.max_redirects = _MOST_REDIRECTS
    return session


def _receive(answer: requests.Response, part: Path, have: int, name: str) -> str:
    start, total = _extent(answer)
    if start not in (0, have):
        raise DownloadError(f"{answer.url}: sends bytes from {start}, asked for from {have}")
    with storage_errors("write", part):
        if start == 0:
            write_file(_facts(part), json.dumps({"validator": _newest(answer.headers)}))
        left = max(0, (total or 0) - start)
        with (
            part.open("r+b" if start else "wb") as file,
            Progress(f"{name}, kB", total=left // 1000) as progress,
        ):
            file.seek(start)
            at = start
            problem = ""
            try:
                for piece in answer.iter_content(_PIECE):
                    file.write(piece)
                    progress.advance((at + len(piece)) // 1000 - at // 1000)
                    at += len(piece)
            except requests.RequestException as error:  # an OSError, but none of the disk
                problem = f"broke off after {at:,} bytes ({_reason(error)})"
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
    if problem or total in (None, at):
        return problem
    return f"broke off after {at:,} of {total:,} bytes"


def _extent(answer: requests.Response) -> tuple[int, int | None]:
    """From which byte on it sends, and how many the whole file has, if it says so."""
    if answer.status_code == 206:
        # bytes 100-199/200
        said = answer.headers.get("Content-Range", "")
        span, _, total = said.removeprefix("bytes ").partition("/")
        start = span.partition("-")[0]
        if not start.isdecimal():
            raise DownloadError(f"{answer.url}: sends a part without saying which")
        return int(start), int(total) if total.isdecimal() else None
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else None


def _newest(headers: Mapping[str, str]) -> str:
    """The identifier of this version of the file: a strong ETag, else its date."""
    tag = headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")


def _facts(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _validator(part: Path) -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads(_facts(part).read_text(encoding="utf-8"))["validator"])
    return ""


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _forget(part: Path) -> None:
    with storage_errors("remove", part):
        part.unlink(missing_ok=True)
        _facts(part).unlink(missing_ok=True)


def _reason(error: Exception) -> str:
    names: Sequence[tuple[type[Exception], str]] = (
        (requests.exceptions.SSLError, "no safe connection"),
        (requests.exceptions.ProxyError, "the proxy refuses"),
        (requests.ConnectTimeout, "no answer"),
        (requests.Timeout, "nothing more came"),
        (requests.exceptions.ChunkedEncodingError, "the connection was closed"),
        (requests.ConnectionError, "no connection"),
    )
    return next((text for kind, text in names if isinstance(error, kind)), str(error))
