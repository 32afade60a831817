"""How many frames of an item voted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds the column `frames`, which older rows leave empty."""
    op.add_column("items", sa.Column("frames", sa.Integer))
