"""The schema of a ledger: which migrations its file has had, and who may write it.

Two tables tell the schema. `ledger_version` has the newest migration that was run, as alembic
writes it. `alembic_version` has the schema of the oldest pilah that can still write the file: up to
0003 pilah looked at this one alone, and refuses a ledger where it is newer than its own. A
migration that only adds leaves it as it is, one that takes something away raises it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

HEAD = "0010"
"""The newest migration. Known here, so that alembic and SQLAlchemy are imported only where there is
work for them."""
BEFORE = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")
OLDEST_WRITER = "0003"
"""The schema of the oldest pilah that can write a ledger of this one's schema."""

HAPPENINGS = (
    "camera_back", "camera_lost", "incident_ended", "incident_raised", "lane_moved", "ledger_back",
    "ledger_failed", "model_changed", "picture_contradicted", "state_changed", "station_started",
    "station_stopped",
)  # fmt: skip
"""The kinds of events that tell of the station rather than of one item that passes it."""
OF_STATION = f"kind IN {HAPPENINGS}"
"""The condition of the index `ix_events_of_station`. SQLite uses it for a query that has these very
words, and looks for a few rows there in place of among a million."""

MIGRATIONS = Path(__file__).with_name("migrations")
VERSION_TABLE = "ledger_version"
WRITER_TABLE = "alembic_version"


class Versions:
    """What a file says of its schema; None in both: it is empty."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.writer = _number(connection, WRITER_TABLE)
        """The schema of the oldest pilah that can write it."""
        run = _number(connection, VERSION_TABLE)
        # A person may have set it back by hand for an older pilah, who knew of one table only.
        set_back = run is None or (self.writer is not None and self.writer < OLDEST_WRITER)
        self.run = self.writer if set_back else run
        """The newest migration that was run."""


def upgrade(connection: sqlite3.Connection) -> None:
    """Runs the migrations that are missing, all or none, in a transaction of its own.

    Raises:
        sqlite3.Error: one of them failed.
    """
    import sqlalchemy as sa
    from alembic import command
    from alembic.config import Config

    config = Config()
    # ConfigParser takes % for the start of an interpolation.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    engine = sa.create_engine("sqlite://", creator=lambda: connection, poolclass=sa.StaticPool)
    # Python's driver would begin transactions by itself, but not before DDL.
    sa.event.listen(engine, "begin", lambda begun: begun.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as config.attributes["connection"]:
            run = Versions(connection).run
            if run is not None:
                _set_number(connection, VERSION_TABLE, run)
            if run is None or run < HEAD:  # nobody else has run them meanwhile
                command.upgrade(config, "head")
                _set_number(connection, WRITER_TABLE, OLDEST_WRITER)
    except sa.exc.DBAPIError as error:  # what SQLite said is in it
        raise error.orig if isinstance(error.orig, sqlite3.Error) else error from error


def _number(connection: sqlite3.Connection, table: str) -> str | None:
    named = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    if connection.execute(named, (table,)).fetchone() is None:
        return None
    found = connection.execute(f"SELECT version_num FROM {table}").fetchone()
    return None if found is None or found[0] is None else str(found[0])


def _set_number(connection: sqlite3.Connection, table: str, number: str) -> None:
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {table} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
    )
    connection.execute(f"DELETE FROM {table}")
    connection.execute(f"INSERT INTO {table} VALUES (?)", (number,))
