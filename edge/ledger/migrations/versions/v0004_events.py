"""Ids for rows, and a table of what happened to the station itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Adds the ids of events to `items` and `actuations`, and the table `events`.

    It only adds what a pilah of schema 0003 does not look at, so that it can still write the
    ledger: `alembic_version` goes on telling 0003, which is all that such a pilah asks. Rows that
    are there get their ids later, bit by bit (`Ledger.give_ids`); `progress` tells how far that is.
    """
    for table, names in (("items", ("uuid",)), ("actuations", ("uuid", "item_uuid"))):
        there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}
        for name in names:
            if name not in there:  # they are, in a ledger that was set back to an older revision
                op.add_column(table, sa.Column(name, sa.String(36)))
    op.create_table(
        "events",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("time", sa.String(27), nullable=False),
        sa.Column("station", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sqlite_with_rowid=False,
        if_not_exists=True,
    )
    op.create_table(
        "progress",
        sa.Column("what", sa.String(32), primary_key=True),
        sa.Column("up_to", sa.Integer, nullable=False),
        if_not_exists=True,
    )
