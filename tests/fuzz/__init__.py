"""Readers of what comes from outside, fed with what nobody meant to write.

Every module here that has a `TARGET` is one reader: what is fed to it, what it begins with, and
what it may answer. A new one is found by its name alone:

    python -m tests.fuzz NAME --runs 1000000    as `make fuzz` does it, by way of atheris
    python -m pytest tests/fuzz                 the short form, by way of hypothesis
"""
