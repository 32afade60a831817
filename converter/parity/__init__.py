"""Whether one model answers as another does."""
