"""The receiver `postgres`: one database for the rows of many stations."""
