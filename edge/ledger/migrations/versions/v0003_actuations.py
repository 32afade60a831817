"""What was planned for an item, and what moved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Adds what was planned to `items`, the table `actuations`, and the view `outcomes` of both.

    In `outcomes`, `actuation` is `moved`; `missed`; `none`, the lane has no actuator; `planned`,
    nothing is known of it since: its moment lies ahead, or the power failed before it was written
    down. It is NULL for items whose rows are older than this.
    """
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("items")}
    for name, length in (("actuation", 16), ("due", 27), ("missed", 16)):
        if name not in there:  # they are, in a ledger that was set back to an older revision
            op.add_column("items", sa.Column(name, sa.String(length)))
    op.create_table(
        "actuations",
        sa.Column("station", sa.String(64), primary_key=True),
        sa.Column("time", sa.String(27), primary_key=True),
        sa.Column("item", sa.Integer, primary_key=True),
        sa.Column("lane", sa.String, nullable=False),
        sa.Column("ended", sa.String(27), nullable=False),
        sa.Column("missed", sa.String(16)),
        sqlite_with_rowid=False,
        if_not_exists=True,
    )
    op.execute(
        "CREATE VIEW IF NOT EXISTS outcomes AS SELECT "
        "i.time, i.station, i.item, i.source, i.label, i.confidence, i.accepted, i.reject, i.lane, "
        "i.due, CASE WHEN a.item IS NULL THEN i.actuation WHEN a.missed IS NULL THEN 'moved' "
        "ELSE 'missed' END AS actuation, COALESCE(a.missed, i.missed) AS missed, "
        "CASE WHEN a.missed IS NULL THEN a.ended END AS moved "
        "FROM items i LEFT JOIN actuations a USING (station, time, item)"
    )
