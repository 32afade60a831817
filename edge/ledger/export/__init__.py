"""A ledger for other programs: CSV, JSON Lines, Parquet and EPCIS 2.0."""
