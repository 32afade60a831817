"""The station file: a model for each section, what must be true between them, and its reader."""
