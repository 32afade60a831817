"""What a model's file itself says of how it takes its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from converter.foreign.interface import ModelInterface
from converter.foreign.surgery import NORMALISATIONS, Normalisation, takes_levels
from converter.tflite.metadata import PictureMetadata

_NEAR = 0.08
"""How far both ends of what levels become may lie from those of a known normalisation, as a share
of its width: calibration pictures seldom have pure black and white."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing in the file that says how the model takes its pictures."""

    normalisation: Normalisation
    """In which order it takes the channels, no file says."""
    source: str
    """What it is read from, for people."""
    told: bool = True
    """The file says so; else it is only usual for such files."""


def read_evidence(form: ModelInterface, described: PictureMetadata | None) -> Evidence | None:
    """What counts most of what the file says; None: nothing.

    The scale and zero point of an integer input say what its integers stand for: pictures become
    them in the way that they were calibrated in. The metadata of a float input say it in words.
    The layout of PyTorch says only what is usual there.
    """
    if takes_levels(form):
        return Evidence(NORMALISATIONS[0], "its input (levels 0 to 255 as they are)")
    if form.taken.scale:
        scale, zero_point = form.taken.scale, form.taken.zero_point
        lowest = -128 if form.taken.dtype == "INT8" else 0  # the integer that black becomes
        way = Normalisation("integers", (scale,), (scale * (lowest - zero_point),))
        near = _nearest(way)
        if near is None:
            return None
        source = f"its input's integers (scale {scale:g}, zero point {zero_point})"
        # Its own numbers: a level then is one integer, where the known ones may fall between two.
        taken = Normalisation(near.name, way.scale, way.offset) if near.plain else near
        return Evidence(taken, source)
    if described is not None and described.deviation:
        mean, deviation = _spread(described.mean, described.deviation)
        if len(mean) not in (1, form.channels) or any(value <= 0 for value in deviation):
            return None
        way = Normalisation.of_moments("metadata", mean, deviation)
        shown = f"mean {_numbers(mean)}, deviation {_numbers(deviation)}"
        return Evidence(_nearest(way) or way, f"its metadata ({shown})")
    if form.channels_first:
        return Evidence(
            next(way for way in NORMALISATIONS if way.name == "torchvision"),
            "its layout (channels first, as PyTorch has them)",
            told=False,
        )
    return None


def normalisations_to_try(
    form: ModelInterface, evidence: Evidence | None
) -> tuple[Normalisation, ...]:
    """Every normalisation that the model could want, that of `evidence` in both orders."""
    if takes_levels(form):
        ways = [way for way in NORMALISATIONS if way.name == "raw"]
    else:
        told = None if evidence is None else evidence.normalisation
        ways = [
            Normalisation(way.name, told.scale, told.offset, way.bgr)
            if told is not None and way.name == told.name
            else way
            for way in NORMALISATIONS
        ]
        if told is not None and all(way.name != told.name for way in ways):
            ways += [told, Normalisation(told.name, told.scale, told.offset, bgr=True)]
    if form.channels == 1:
        ways = [way for way in ways if way.plain and not way.bgr]
    return tuple(ways)


def _nearest(way: Normalisation) -> Normalisation | None:
    low, high = way.limits
    for known in NORMALISATIONS:
        least, most = known.limits
        width = most - least
        if abs(low - least) <= _NEAR * width and abs(high - most) <= _NEAR * width:
            return known
    return None


def _spread(
    mean: Sequence[float], deviation: Sequence[float]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Both as long as the longer one, and one where all channels have the same."""
    count = max(len(mean), len(deviation))
    means = tuple(mean) * count if len(mean) == 1 else tuple(mean)
    deviations = tuple(deviation) * count if len(deviation) == 1 else tuple(deviation)
    if len(set(means)) == len(set(deviations)) == 1:
        return means[:1], deviations[:1]
    return means, deviations


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:g}" for value in values)
