"""The machine that sorts: camera, verdict, lane, ledger. Never imports TensorFlow."""

__version__ = "0.1.0"
