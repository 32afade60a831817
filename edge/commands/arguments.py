"""Kinds of words on a command line that several verbs take."""

from __future__ import annotations

import argparse


def count(text: str) -> int:
    """A whole number from 1.

    Raises:
        ValueError: no whole number; argparse says so.
        argparse.ArgumentTypeError: 0 or less.
    """
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more. Received: {text}")
    return number
