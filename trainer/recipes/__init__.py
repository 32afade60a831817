"""Training plans: their schema, their reader, and those that come with pilah."""
