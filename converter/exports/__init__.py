"""The other formats of a model."""
