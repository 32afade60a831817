"""The tables of a ledger, as the newest migration leaves them.

A test compares them with what the migrations make. The writer of the ledger does not import them
(`edge/ledger/ledger.py`): SQLAlchemy takes half of the time that its process needs to start.
"""

from __future__ import annotations

import sqlalchemy as sa

from edge.ledger.schema import OF_STATION

METADATA = sa.MetaData()
ITEMS = sa.Table(
    "items",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("time", sa.String(27), nullable=False, index=True),
    sa.Column("station", sa.String(64), nullable=False),
    sa.Column("item", sa.Integer, nullable=False),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("label", sa.String),
    sa.Column("confidence", sa.Float),
    sa.Column("scores", sa.JSON(none_as_null=True)),
    sa.Column("accepted", sa.Boolean, nullable=False),
    sa.Column("reject", sa.String(32)),
    sa.Column("lane", sa.String, nullable=False),
    sa.Column("bundle", sa.String, nullable=False),
    sa.Column("bundle_digest", sa.String(64), nullable=False),
    sa.Column("latency_ms", sa.Float, nullable=False),
    sa.Column("frames", sa.Integer),
    sa.Column("actuation", sa.String(16)),
    sa.Column("due", sa.String(27)),
    sa.Column("missed", sa.String(16)),
    sa.Column("uuid", sa.String(36)),  # the event's `id`, which is a number in this table
    sa.Column("delivery_id", sa.String(64)),
    sa.Column("barcode", sa.String),
    sa.Column("quantity", sa.Integer),
    sa.Column("photograph", sa.String),
    sa.Column("monotonic", sa.Float),
    sa.Column("boot_id", sa.String(36)),
    sa.Column("clock_synchronised", sa.Boolean),
    sa.Column("exposure_microseconds", sa.Float),
    sa.Column("gain", sa.Float),
    sa.Column("white_balance", sa.String(32)),
    # Makes writing a row twice harmless, where a disk fails between commit and answer.
    sa.UniqueConstraint("station", "time", "item", name="one_row_per_item"),
    # Each has the rows that it is for, and costs the others nothing.
    sa.Index(
        "ix_items_delivery",
        "delivery_id",
        "time",
        sqlite_where=sa.text("delivery_id IS NOT NULL"),
    ),
    sa.Index("ix_items_without_uuid", "uuid", sqlite_where=sa.text("uuid IS NULL")),
    sa.Index(
        "ix_items_photographed",
        *("accepted", "time", "confidence", "label", "uuid", "photograph"),
        sqlite_where=sa.text("photograph IS NOT NULL"),
    ),
)
ACTUATIONS = sa.Table(
    "actuations",
    METADATA,
    sa.Column("station", sa.String(64), primary_key=True),
    sa.Column("time", sa.String(27), primary_key=True),
    sa.Column("item", sa.Integer, primary_key=True),
    sa.Column("lane", sa.String, nullable=False),
    sa.Column("ended", sa.String(27), nullable=False),
    sa.Column("missed", sa.String(16)),
    sa.Column("uuid", sa.String(36)),
    sa.Column("item_uuid", sa.String(36)),
    sqlite_with_rowid=False,
)
"""What became of the actuations that rows of `items` say were planned. The view `outcomes` joins
the two; see the migration that makes it."""
CORRECTIONS = sa.Table(
    "corrections",
    METADATA,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("time", sa.String(27), nullable=False),
    sa.Column("station", sa.String(64), nullable=False),
    sa.Column("item_id", sa.String(36), nullable=False, index=True),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("field", sa.String(16), nullable=False),
    sa.Column("old", sa.String),
    sa.Column("new", sa.String, nullable=False),
    sa.Column("why", sa.String, nullable=False),
    sqlite_with_rowid=False,
)
"""What somebody corrected. Rows of `items` are never changed; `item_id` is the `uuid` of one."""
EVENTS = sa.Table(
    "events",
    METADATA,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("time", sa.String(27), nullable=False),
    sa.Column("station", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
    sa.Index("ix_events_audited", "time", sqlite_where=sa.text("kind = 'item_audited'")),
    sa.Index("ix_events_of_station", "id", sqlite_where=sa.text(OF_STATION)),
    sqlite_with_rowid=False,
)
"""Every event that has no table of its own; `details` has what its class has beside the others."""
OUTBOX = sa.Table(
    "outbox",
    METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("time", sa.Text, nullable=False),
    sa.Column("station", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
"""What is to leave the machine; see `edge/outbox/table.py`, which writes it."""
PROGRESS = sa.Table(
    "progress",
    METADATA,
    sa.Column("what", sa.String(32), primary_key=True),
    sa.Column("up_to", sa.Integer, nullable=False),
)
"""Not used by this pilah. Those of the schemas 0004 to 0006 note here up to which `id` of `items`
each row has a `uuid`."""
