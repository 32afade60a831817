"""Columns of `items` for deliveries, a table of corrections, and triggers that forbid changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_NEW = (
    ("delivery_id", sa.String(64)),
    ("barcode", sa.String()),
    ("quantity", sa.Integer()),
    ("photograph", sa.String()),
    ("monotonic", sa.Float()),
    ("boot_id", sa.String(36)),
    ("clock_synchronised", sa.Boolean()),
)
_FIRST = (
    "id, time, station, item, source, label, confidence, scores, accepted, reject, lane, bundle, "
    "bundle_digest, latency_ms"
)
"""The columns that every ledger has. A trigger that names a column keeps it from being dropped."""


def upgrade() -> None:
    """Adds the columns, the table `corrections`, and a trigger for each change that is forbidden.

    The pilah of schema 0004 changes rows in one way: it gives a `uuid` to a row of a pilah before
    it that has none. That stays allowed.
    """
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("items")}
    for name, kind in _NEW:
        if name not in there:  # they are, in a ledger that was set back to an older revision
            op.add_column("items", sa.Column(name, kind))
    op.create_table(
        "corrections",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("time", sa.String(27), nullable=False),
        sa.Column("station", sa.String(64), nullable=False),
        sa.Column("item_id", sa.String(36), nullable=False),
        sa.Column("who", sa.String, nullable=False),
        sa.Column("field", sa.String(16), nullable=False),
        sa.Column("old", sa.String),
        sa.Column("new", sa.String, nullable=False),
        sa.Column("why", sa.String, nullable=False),
        sqlite_with_rowid=False,
        if_not_exists=True,
    )
    op.create_index("ix_corrections_item_id", "corrections", ["item_id"], if_not_exists=True)
    _forbid("items_first_columns", f"UPDATE OF {_FIRST} ON items")
    _forbid("items_update", "UPDATE ON items", when="WHEN OLD.uuid IS NOT NULL OR NEW.uuid IS NULL")
    _forbid("items_delete", "DELETE ON items")
    for table in ("actuations", "events", "corrections"):
        _forbid(f"{table}_update", f"UPDATE ON {table}")
        _forbid(f"{table}_delete", f"DELETE ON {table}")


def _forbid(name: str, change: str, *, when: str = "") -> None:
    op.execute(
        f"CREATE TRIGGER IF NOT EXISTS never_{name} BEFORE {change} {when} BEGIN "
        "SELECT RAISE(ABORT, 'rows of the ledger are never changed: add a correction'); END"
    )
