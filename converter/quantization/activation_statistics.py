"""What calibration pictures show of a float model: ranges, and how what each layer reads varies.

TensorFlow's own calibration reads a tensor after the operator behind it may have written its result
over it, and then notes too wide a range: of 70 tensors of MobileNetV2 it does so for 20. Here every
tensor is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from converter.calibration import BLACK_AND_WHITE, Tensors
from converter.tensorflow.tasks import Stage
from converter.tflite.layers import Layer, layers_of, read_graph, write_graph
from converter.tflite.operators import intermediates

_PLACES = 64
"""Of each picture, by chance, where what a convolution reads is looked at."""
_MOST_READ = 2304
"""Values that one output is computed from, beyond which their covariance takes too much memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """How what one output of a layer is computed from varies over pictures and places."""

    mean: npt.NDArray[np.float64]
    """(values,), or of a depthwise convolution (channels, values)."""
    covariance: npt.NDArray[np.float32] | None
    """(values, values) or (channels, values, values); None: too many values."""
    places: int
    """How many were looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class ActivationStatistics:
    """What a float model's tensors were seen to hold."""

    ranges: Mapping[int, tuple[float, float]]
    """Lowest and highest value by the number of the tensor; zero is in every range."""
    reads: Mapping[str, Moments]
    """By the name of the tensor that a layer writes."""


def measure_activations(calibrated: bytes, tensors: Tensors, stage: Stage) -> ActivationStatistics:
    """Runs the float model on all pictures.

    Args:
        calibrated: the float `.tflite` file's bytes.
        tensors: uint8 (2 + pictures, height, width, channels), black and white first.
    """
    graph = read_graph(calibrated)
    layers = [layer for layer in layers_of(graph) if layer.has_places]
    (taken,) = graph.inputs
    draw = np.random.default_rng(0)
    low: dict[int, float] = {}
    high: dict[int, float] = {}
    sums = {layer.name: _Sums(layer) for layer in layers}
    for count, written in enumerate(intermediates(calibrated, tensors)):
        # No operator writes the picture itself.
        written[taken] = tensors[count][None].astype(np.float32)
        if count % 10 == 0:
            stage(f"calibrating, picture {count} of {len(tensors)}")
        for index, values in written.items():
            if values.dtype == np.float32:
                low[index] = min(low.get(index, 0.0), float(values.min()))
                high[index] = max(high.get(index, 0.0), float(values.max()))
        if count >= BLACK_AND_WHITE:  # they count for ranges alone
            for layer in layers:
                sums[layer.name].add(written[layer.reads], draw)
    # Each sum goes as its moments come: DenseNet121's take 0.4 GB.
    reads = {name: sums.pop(name).moments() for name in list(sums) if sums[name].count}
    return ActivationStatistics({index: (low[index], high[index]) for index in low}, reads)


def with_ranges(calibrated: bytes, statistics: ActivationStatistics) -> bytes:
    """The calibrated model with the ranges that were seen in place of those it notes."""
    graph = read_graph(calibrated)
    for index, (low, high) in statistics.ranges.items():
        ranges = graph.tensors[index].quantization
        if ranges is None or ranges.min is None or len(ranges.min) != 1 or low == high:
            continue
        ranges.min, ranges.max = np.array([low], np.float32), np.array([high], np.float32)
    return write_graph(graph)


class _Sums:
    """Sums over places of what one output of a layer is computed from, and of its products."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self.count = 0
        # Products of what is near zero on average lose fewest digits: all is less the first mean.
        self._first: Any = None
        self._sum: Any = 0.0
        self._products: Any = 0.0 if layer.values <= _MOST_READ else None

    def add(self, read: npt.NDArray[np.float32], draw: np.random.Generator) -> None:
        places = self._layer.places(read, _PLACES, draw)
        if self._first is None:
            self._first = places.mean(axis=0)
        places = places - self._first
        self.count += len(places)
        self._sum = self._sum + places.sum(axis=0, dtype=np.float64)
        if self._products is not None:
            # (values, places) of the one kernel, or of each channel's.
            rows = places.T if places.ndim == 2 else places.transpose(1, 2, 0)
            self._products = self._products + rows @ np.swapaxes(rows, -1, -2)

    def moments(self) -> Moments:
        beyond = self._sum / self.count
        mean = self._first + beyond
        if self._products is None:
            return Moments(mean, None, self.count)
        covariance = self._products / self.count
        covariance -= beyond[..., :, None] * beyond[..., None, :]
        return Moments(mean, covariance, self.count)
