"""The receiver `postgres`: writes what happens at a station into a database of many stations."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from edge.config.publish.postgres import PostgresSettings
from edge.core.errors import PilahError
from edge.core.redaction import redacted
from edge.publish.credentials import read_secret, trusting
from edge.publish.postgres.tables import METADATA, SCHEMA, VERSION, insertion, row_of
from edge.publish.receiver import Entry, ReceiverUnavailable, Refused
from edge.publish.receivers import Surroundings
from edge.publish.settled import Settled

_log = logging.getLogger(__name__)

_PATIENCE_SECONDS = 20.0
"""How many seconds the server may take for an answer, and for opening a connection."""
_LOCK = 0x70696C6168  # "pilah": of all stations, only one makes the tables at a time
_INSERTIONS = {name: insertion(table) for name, table in METADATA.tables.items()}
_OF_THE_ROW = ("22", "23")
"""Classes of SQLSTATE that a row is to blame for: data exception, and integrity constraint
violation (PostgreSQL documentation, appendix A). All else is the server's, and may pass."""


class PostgresReceiver:
    """See `edge/publish/receiver.py`. Connects when there is something to send."""

    name = "postgres"

    def __init__(self, settings: PostgresSettings) -> None:
        """Connects to nothing yet.

        Raises:
            ReceiverSetupError: the password or the certificates cannot be read.
        """
        password = ""  # of None, pg8000 makes an AttributeError where the server asks for one
        if settings.password_file is not None:
            password = read_secret(settings.password_file, "publish.postgres.password_file")
        self._engine = sa.create_engine(
            sa.URL.create(
                "postgresql+pg8000",
                username=settings.user,
                host=settings.host,
                port=settings.port,
                database=settings.database,
            ),
            connect_args={
                "password": password,  # not of the URL, which leaves an empty one out
                "timeout": _PATIENCE_SECONDS,
                "application_name": "pilah-publish",
                "ssl_context": trusting(settings.ca_file, "publish.postgres.ca_file")
                if settings.tls
                else None,
            },
            poolclass=sa.NullPool,
        )
        self._where = f"{settings.host}:{settings.port}/{settings.database}"
        self._connection: sa.Connection | None = None
        self._settled = Settled()

    def send(self, entries: Sequence[Entry]) -> Sequence[Refused]:
        """See `Receiver`: all rows in one transaction, or in more where one is wrong."""
        try:
            connection = self._connected()
            self._write(connection, self._settled.begin(entries))
            return self._settled.end(entries)
        except ReceiverUnavailable:
            raise
        except (SQLAlchemyError, OSError) as error:
            self.close()
            raise ReceiverUnavailable(f"{self._where}: {_words(error)}") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """See `Receiver`."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except (SQLAlchemyError, OSError) as error:  # it is gone already
                _log.debug(f"postgres: {_words(error)}")

    def _connected(self) -> sa.Connection:
        if self._connection is None:
            with self._understood():
                connection = self._engine.connect()
            try:
                with self._understood():
                    _make_tables(connection, self._where)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _write(self, connection: sa.Connection, entries: Sequence[Entry]) -> None:
        """Writes all rows except those that the database refuses."""
        if not entries:
            return
        self._settled.check_time()
        reason = self._insert(connection, entries)
        if reason is None or len(entries) == 1:
            for entry in entries:
                self._settled.settle(entry, reason)
            return
        half = len(entries) // 2  # a row that is wrong is soon alone, and the rest is not
        self._write(connection, entries[:half])
        self._write(connection, entries[half:])

    def _insert(self, connection: sa.Connection, entries: Sequence[Entry]) -> str | None:
        """Writes all rows, or none; one whose id is there already stays as it is.

        Returns:
            What is wrong with one of the rows; None if they were all written.
        """
        # An actuation may stand between two items; only rows of one table go together.
        rows = sorted((row_of(entry) for entry in entries), key=lambda found: found[0].name)
        try:
            with self._understood(), connection.begin():
                for table, found in groupby(rows, key=lambda found: found[0]):
                    rows_of_it = json.dumps([row for _, row in found])
                    connection.execute(_INSERTIONS[table.name], {"rows": rows_of_it})
        except DBAPIError as error:
            if not _is_of_the_row(error):
                raise
            return _words(error)
        return None

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """Asks the server within it.

        Raises:
            ReceiverUnavailable: it answers what is none of the answers of a PostgreSQL server.
        """
        try:
            yield
        except (PilahError, SQLAlchemyError, OSError):
            raise
        except Exception as error:  # whatever pg8000 makes of an answer that it cannot read
            raise ReceiverUnavailable(
                f"{self._where} does not answer as a PostgreSQL server does, so look at `host` "
                f"and `port`: {type(error).__name__}: {error}"
            ) from error


def open_receiver(settings: PostgresSettings, surroundings: Surroundings) -> PostgresReceiver:
    """See `edge/publish/receivers.py`."""
    return PostgresReceiver(settings)


def _make_tables(connection: sa.Connection, where: str) -> None:
    """Makes the tables where they are not there.

    Raises:
        ReceiverUnavailable: they are those of a newer pilah.
    """
    with connection.begin():
        if not sa.inspect(connection).has_table(SCHEMA.name):
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            METADATA.create_all(connection)  # those that are not there
            connection.execute(insert(SCHEMA).values(version=VERSION).on_conflict_do_nothing())
        version = connection.execute(sa.select(sa.func.max(SCHEMA.c.version))).scalar_one()
    if version is None or version > VERSION:
        raise ReceiverUnavailable(
            f"{where} has tables of another pilah (version {version}, this one writes {VERSION}): "
            "install that pilah here, or name another database"
        )


def _server_fields(error: BaseException) -> dict[str, Any]:
    """The fields of the server's error, by the letters of its protocol; empty without an answer."""
    cause = getattr(error, "orig", None)
    found = cause.args[0] if cause is not None and cause.args else None
    return found if isinstance(found, dict) else {}


def _is_of_the_row(error: DBAPIError) -> bool:
    return str(_server_fields(error).get("C", "")).startswith(_OF_THE_ROW)


def _words(error: BaseException) -> str:
    """The error in one line, without passwords or the statement."""
    fields = _server_fields(error)
    if "M" in fields:
        return redacted(f"{fields['M']} ({fields.get('C', '')})")
    cause = getattr(error, "orig", None) or error
    return redacted(" ".join(str(cause).split()) or type(cause).__name__)
