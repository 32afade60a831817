"""The errors that only the converter raises; see `edge/core/errors.py` for the common ones."""

from __future__ import annotations

from edge.core.errors import EXIT_DATA, EXIT_UNAVAILABLE, PilahError, StorageError


class CalibrationError(PilahError, ValueError):
    """The run has too few pictures to calibrate the int8 model or to evaluate it."""

    exit_code = EXIT_DATA


class ConversionError(PilahError, RuntimeError):
    """TensorFlow cannot turn the run's model into the TFLite model that was asked for."""

    exit_code = EXIT_DATA


class PrivateKeyError(PilahError, ValueError):
    """A file that should contain an Ed25519 private key contains something else."""

    exit_code = EXIT_DATA


class KeyModeError(PilahError, PermissionError):
    """The file of a private key has permissions for users other than its owner."""

    exit_code = EXIT_DATA


class KeyInBundleError(PilahError, ValueError):
    """A bundle, which is meant to be published, contains a private key."""

    exit_code = EXIT_DATA


class AlreadySignedError(StorageError):
    """The bundle is signed already, and replacing the signature was not requested."""


class LibraryMissingError(PilahError, OSError):
    """A third-party program or library is not on this machine and cannot be downloaded."""

    exit_code = EXIT_UNAVAILABLE


class TfjsError(PilahError, RuntimeError):
    """TF.js cannot run the model that was written for it."""

    exit_code = EXIT_DATA


class ForeignModelError(PilahError, ValueError):
    """The labels of somebody else's model do not fit, or its normalisation cannot be found out."""

    exit_code = EXIT_DATA
