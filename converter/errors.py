"""The converter's own mistakes; see `edge/core/errors.py`."""

from __future__ import annotations

from edge.core.errors import EXIT_DATA, EXIT_UNAVAILABLE, PilahError, StorageError


class CalibrationError(PilahError, ValueError):
    """The run's pictures do not suffice to calibrate the integers or to judge them."""

    exit_code = EXIT_DATA


class ConversionError(PilahError, RuntimeError):
    """TensorFlow cannot turn the run's model into the TFLite model that was asked for."""

    exit_code = EXIT_DATA


class PrivateKeyError(PilahError, ValueError):
    """A file that should hold an Ed25519 private key holds something else."""

    exit_code = EXIT_DATA


class KeyModeError(PilahError, PermissionError):
    """A private key's file can be read by others than its owner."""

    exit_code = EXIT_DATA


class KeyInBundleError(PilahError, ValueError):
    """A private key lies in a bundle, which is there to be given away."""

    exit_code = EXIT_DATA


class SignedAlreadyError(StorageError):
    """The bundle has a signature, and nobody asked to replace it."""


class LibraryMissingError(PilahError, OSError):
    """A program or library of another maker is not on this machine and cannot be fetched."""

    exit_code = EXIT_UNAVAILABLE


class TfjsError(PilahError, RuntimeError):
    """TF.js cannot run the model that was written for it."""

    exit_code = EXIT_DATA


class ForeignModelError(PilahError, ValueError):
    """Somebody else's model whose labels do not fit, or which does not show what it takes."""

    exit_code = EXIT_DATA
