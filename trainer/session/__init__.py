"""A training from photographs to a run, and what is said and written of it."""
