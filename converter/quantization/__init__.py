"""Quantises a float model to int8."""
