"""Sweeps: a recipe trained with many sets of values, by several machines, to find better ones."""
