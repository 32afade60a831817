"""A table of what is to leave the machine."""

from __future__ import annotations

from alembic import op

from edge.outbox.table import TABLE

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Adds the table `outbox`, which stays empty where the station file has no `publish`.

    A pilah of before does not look at it: what such a one writes is not published.
    """
    op.execute(TABLE)
