"""Converts a trained model into the bundle that a station runs."""

import logging

logging.getLogger(__name__).addHandler(logging.NullHandler())  # a library prints nothing by itself
