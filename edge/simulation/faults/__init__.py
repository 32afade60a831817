"""Faults to plant into a simulated run, each a class with a name and a few parameters.

The classes lie in modules by what they disturb (`camera.py`, `belt.py`, `machine.py`); `table.py`
names them all, and reads the list of `--faults`.
"""
