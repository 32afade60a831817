"""How the ledger's schema came about: alembic runs these in order."""
