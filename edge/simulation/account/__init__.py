"""The account of a simulated run: which verdict is whose, where each item fell, and the figures.

It compares what the station did with what really passed, and sees the station only from outside.
"""
