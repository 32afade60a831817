"""A PostgreSQL server of a test's own, on a port that was free, in a folder that vanishes."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pg8000.native
import pytest

from edge.core.closing import Closing
from tests.ports import free_port

_PLACES = "/usr/local/bin:/usr/lib/postgresql/17/bin:/usr/lib/postgresql/15/bin"
PASSWORD = "of tests"


class Postgres(Closing):
    """A server with a database `pilah` and a user `pilah`, who must give PASSWORD."""

    def __init__(self, *, safe: bool = False) -> None:
        """Starts it; the test is skipped where it is not installed.

        Args:
            safe: whether what is committed outlives a power cut, which costs time.
        """
        path = os.environ["PATH"] + ":" + _PLACES
        self._initdb, self._pg_ctl = (
            shutil.which("initdb", path=path),
            shutil.which("pg_ctl", path=path),
        )
        if self._initdb is None or self._pg_ctl is None:
            pytest.skip("needs a PostgreSQL server (apt install postgresql)")
        self._user = _user()
        self._safe = safe
        self.folder = Path(tempfile.mkdtemp(prefix="pilah-postgres-"))
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        self.port = free_port()
        self.password_file = self.folder / "password"
        self.password_file.write_text(f"{PASSWORD}\n")
        self.password_file.chmod(0o644)
        self._run([
            self._initdb, "-D", str(self._data), "-U", "pilah", "-A", "scram-sha-256",
            "--pwfile", str(self.password_file), "-E", "UTF8", "--no-locale", "--no-sync",
        ])  # fmt: skip
        self.start()
        self.query("CREATE DATABASE pilah", database="postgres")

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        if not self._safe:
            options += " -c fsync=off -c full_page_writes=off"
        self._run([
            str(self._pg_ctl), "start", "-w", "-t", "300", "-D", str(self._data), "-o", options,
            "-l", str(self.folder / "log"),
        ])  # fmt: skip

    def stop(self, how: str = "fast") -> None:
        """Ends the server: `fast` in order, `immediate` as a crash would."""
        self._run([str(self._pg_ctl), "stop", "-w", "-t", "300", "-m", how, "-D", str(self._data)])

    def pause(self) -> None:
        """Halts it: its connections stay open, and nobody answers."""
        self._send(signal.SIGSTOP)

    def go_on(self) -> None:
        """Has a paused one work again."""
        self._send(signal.SIGCONT)

    def _send(self, number: int) -> None:
        """Sends a signal to the server and to the process of each connection."""
        first = int((self._data / "postmaster.pid").read_text().split()[0])
        os.kill(first, number)
        for children in Path(f"/proc/{first}/task").glob("*/children"):
            for child in children.read_text().split():
                os.kill(int(child), number)

    def query(self, text: str, *, database: str = "pilah") -> list[Any]:
        """The rows that a statement gives."""
        connection = pg8000.native.Connection("pilah", "127.0.0.1", database, self.port, PASSWORD)
        try:
            return list(connection.run(text) or ())
        finally:
            connection.close()

    def close(self) -> None:
        """Ends the server and removes its folder; may be called twice."""
        if self.folder.exists():
            if (self._data / "postmaster.pid").exists():
                self.stop("immediate")
            shutil.rmtree(self.folder)

    def _run(self, words: Sequence[str]) -> None:
        found = subprocess.run(
            words,
            user=self._user,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if found.returncode:
            raise RuntimeError(f"{words[0]} failed: {found.stdout}")


def _user() -> str | None:
    """As whom the server runs: it refuses to run as root. None: as this user."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    pytest.skip("PostgreSQL does not run as root, and there is no other user here")
