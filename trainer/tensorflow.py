"""TensorFlow and Keras, imported without their chatter."""

from __future__ import annotations

import logging
import os
import platform
import sys
import warnings

from edge.core.terminal.chatter import chatter_held_back


def choose_environment() -> None:
    """Sets what Keras and TensorFlow read from the environment when they are imported."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if platform.machine() == "x86_64":
        # By itself TensorFlow takes oneDNN's kernels only on processors with VNNI, and without
        # them it has none for the fused depthwise convolution of TF.js models.
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def import_tensorflow() -> None:
    """Imports TensorFlow and Keras on it; only their errors are shown, then and later.

    Raises:
        ModuleNotFoundError: TensorFlow or Keras is not installed.
    """
    if "tensorflow" in sys.modules and "keras" in sys.modules:
        return
    choose_environment()
    with chatter_held_back(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Protobuf gencode version")
        import keras  # noqa: F401
        import tensorflow  # noqa: F401
    # That a function was traced again is no news to who trains: networks differ in their phases.
    for name in ("tensorflow", "absl"):
        logging.getLogger(name).setLevel(logging.ERROR)
