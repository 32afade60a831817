"""A row for every item."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the table `items`."""
    op.create_table(
        "items",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("time", sa.String(27), nullable=False),
        sa.Column("station", sa.String(64), nullable=False),
        sa.Column("item", sa.Integer, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("label", sa.String),
        sa.Column("confidence", sa.Float),
        sa.Column("scores", sa.JSON),
        sa.Column("accepted", sa.Boolean, nullable=False),
        sa.Column("reject", sa.String(32)),
        sa.Column("lane", sa.String, nullable=False),
        sa.Column("bundle", sa.String, nullable=False),
        sa.Column("bundle_digest", sa.String(64), nullable=False),
        sa.Column("latency_ms", sa.Float, nullable=False),
        sa.UniqueConstraint("station", "time", "item", name="one_row_per_item"),
    )
    op.create_index("ix_items_time", "items", ["time"])
