"""What alembic runs: the migrations that are missing, on the connection it is given."""

from __future__ import annotations

from alembic import context

from edge.ledger.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    render_as_batch=True,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
