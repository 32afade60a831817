"""Indexes of the few rows that are looked for among a million: of a delivery, and without an id."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Adds two indexes that have only the rows which they are for, and so cost others nothing.

    Making them reads all of `items` twice: some seconds for a million rows, once.
    """
    op.execute(
        "CREATE INDEX IF NOT EXISTS ix_items_delivery ON items (delivery_id, time) "
        "WHERE delivery_id IS NOT NULL"
    )
    op.execute(
        "CREATE INDEX IF NOT EXISTS ix_items_without_uuid ON items (uuid) WHERE uuid IS NULL"
    )
