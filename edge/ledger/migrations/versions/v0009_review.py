"""Indexes for the review of pictures: of the items that have one, and of what was decided on."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Adds two indexes that have only the rows which they are for, and so cost others nothing.

    The first has all that decides which picture is shown next, so that none of the items' own rows
    is read for that. Making it reads all of `items` once: some seconds for a million rows.
    """
    op.execute(
        "CREATE INDEX IF NOT EXISTS ix_items_photographed "
        "ON items (accepted, time, confidence, label, uuid, photograph) "
        "WHERE photograph IS NOT NULL"
    )
    op.execute(
        "CREATE INDEX IF NOT EXISTS ix_events_audited ON events (time) WHERE kind = 'item_audited'"
    )
