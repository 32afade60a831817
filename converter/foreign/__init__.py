"""Somebody else's TFLite classifier: its form, what it says of itself, its labels, its input."""
