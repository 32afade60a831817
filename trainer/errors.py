"""The trainer's own mistakes; see `edge/core/errors.py`."""

from __future__ import annotations

from edge.core.errors import EXIT_DATA, EXIT_UNAVAILABLE, PilahError


class TooFewPicturesError(PilahError, ValueError):
    """There are not enough readable pictures, classes or groups to train and to test."""

    exit_code = EXIT_DATA


class GroupError(PilahError, ValueError):
    """`--groups` does not fit the pictures."""


class DownloadError(PilahError, OSError):
    """Something could not be fetched whole, or is not what was promised."""

    exit_code = EXIT_UNAVAILABLE


class WeightsMissingError(PilahError, OSError):
    """Pretrained weights are not on this machine and cannot be fetched."""

    exit_code = EXIT_UNAVAILABLE


class ReviewError(PilahError, ValueError):
    """A reviewed list of pictures cannot be applied."""

    exit_code = EXIT_DATA


class RunError(PilahError, ValueError):
    """A folder is not a run that a training finished."""

    exit_code = EXIT_DATA


class OtherClassesError(PilahError, ValueError):
    """Pictures are of classes that a run does not know."""

    exit_code = EXIT_DATA
