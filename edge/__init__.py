"""The machine that sorts: camera, verdict, lane, ledger. Never imports TensorFlow."""

import logging

__version__ = "0.1.0"

logging.getLogger(__name__).addHandler(logging.NullHandler())  # a library prints nothing by itself
