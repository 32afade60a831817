"""Columns of `items` for how the camera took the picture of an item."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_NEW = (
    ("exposure_microseconds", sa.Float()),
    ("gain", sa.Float()),
    ("white_balance", sa.String(32)),
)


def upgrade() -> None:
    """Adds the columns; rows of before have none of these values."""
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("items")}
    for name, kind in _NEW:
        if name not in there:  # they are, in a ledger that was set back to an older revision
            op.add_column("items", sa.Column(name, kind))
