"""Reads from a model's file how its input pictures must be normalised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from converter.foreign.graph_surgery import NORMALISATIONS, Normalisation, takes_raw_levels
from converter.foreign.interface import ModelInterface
from converter.tflite.metadata import PictureMetadata

_NEAR = 0.08
"""How far both ends of a range may lie from those of a known normalisation, as a share of its
width: calibration pictures seldom contain pure black and pure white."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The normalisation that a model's file suggests, and which part of the file suggests it."""

    normalisation: Normalisation
    """The suggested normalisation. No file says whether the channels are RGB or BGR."""
    source: str
    """The part of the file that it was read from, as words for a message."""
    explicit: bool = True
    """True if the file states the normalisation, False if it is only usual for such files."""


def read_evidence(interface: ModelInterface, described: PictureMetadata | None) -> Evidence | None:
    """The strongest evidence in the file, or None if the file says nothing about normalisation.

    The scale and zero point of an integer input say which real numbers its integers stand for, and
    so in which range the calibration pictures were. The metadata of a float input give a mean and a
    deviation. PyTorch's layout (channels first) only suggests what is usual for PyTorch.
    """
    if takes_raw_levels(interface):
        return Evidence(NORMALISATIONS[0], "its input (levels 0 to 255 as they are)")
    if interface.input.scale:
        scale, zero_point = interface.input.scale, interface.input.zero_point
        lowest = -128 if interface.input.dtype == "INT8" else 0  # the integer that black becomes
        way = Normalisation("integers", (scale,), (scale * (lowest - zero_point),))
        near = _nearest(way)
        if near is None:
            return None
        source = f"its input's integers (scale {scale:g}, zero point {zero_point})"
        # The file's own numbers are kept: each level then becomes exactly one integer, where those
        # of the known normalisation could fall between two integers.
        taken = Normalisation(near.name, way.scale, way.offset) if near.uniform else near
        return Evidence(taken, source)
    if described is not None and described.deviation:
        mean, deviation = _spread(described.mean, described.deviation)
        if len(mean) not in (1, interface.channels) or any(value <= 0 for value in deviation):
            return None
        way = Normalisation.from_mean_and_deviation("metadata", mean, deviation)
        shown = f"mean {_numbers(mean)}, deviation {_numbers(deviation)}"
        return Evidence(_nearest(way) or way, f"its metadata ({shown})")
    if interface.channels_first:
        return Evidence(
            next(way for way in NORMALISATIONS if way.name == "torchvision"),
            "its layout (channels first, as PyTorch has them)",
            explicit=False,
        )
    return None


def normalisations_to_try(
    interface: ModelInterface, evidence: Evidence | None
) -> tuple[Normalisation, ...]:
    """Every normalisation that the model may need; that of `evidence` as RGB and as BGR."""
    if takes_raw_levels(interface):
        ways = [way for way in NORMALISATIONS if way.name == "raw"]
    else:
        stated = None if evidence is None else evidence.normalisation
        ways = [
            Normalisation(way.name, stated.scale, stated.offset, way.bgr)
            if stated is not None and way.name == stated.name
            else way
            for way in NORMALISATIONS
        ]
        if stated is not None and all(way.name != stated.name for way in ways):
            ways += [stated, Normalisation(stated.name, stated.scale, stated.offset, bgr=True)]
    if interface.channels == 1:
        ways = [way for way in ways if way.uniform and not way.bgr]
    return tuple(ways)


def _nearest(way: Normalisation) -> Normalisation | None:
    low, high = way.range
    for known in NORMALISATIONS:
        least, most = known.range
        width = most - least
        if abs(low - least) <= _NEAR * width and abs(high - most) <= _NEAR * width:
            return known
    return None


def _spread(
    mean: Sequence[float], deviation: Sequence[float]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation with one value per channel, or one value if all channels are alike."""
    count = max(len(mean), len(deviation))
    means = tuple(mean) * count if len(mean) == 1 else tuple(mean)
    deviations = tuple(deviation) * count if len(deviation) == 1 else tuple(deviation)
    if len(set(means)) == len(set(deviations)) == 1:
        return means[:1], deviations[:1]
    return means, deviations


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:g}" for value in values)
