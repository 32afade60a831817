"""TensorFlow and Keras, imported without their chatter."""

from __future__ import annotations

import os
import sys
import tempfile


def import_tensorflow() -> None:
    """Imports TensorFlow and Keras on it; what they print to stderr meanwhile is dropped.

    TensorFlow's C++ part greets with lines about oneDNN and log levels that no setting of its own
    silences. They are shown after all where the import fails.

    Raises:
        ModuleNotFoundError: TensorFlow or Keras is not installed.
    """
    if "tensorflow" in sys.modules and "keras" in sys.modules:
        return
    # Both are read at import.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            import keras  # noqa: F401
            import tensorflow  # noqa: F401
        except BaseException:
            os.dup2(terminal, 2)
            said.seek(0)
            sys.stderr.write(said.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
