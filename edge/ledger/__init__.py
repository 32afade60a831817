"""What happened: a row for every item, in SQLite."""
