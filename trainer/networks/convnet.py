"""Three residual blocks of plain convolutions: few layers, so that they learn from scratch fast."""

from __future__ import annotations

from typing import Any

import keras

from edge.core.images.preprocess import InputSpec
from trainer.networks.parts.blocks import convolved, rescaled, residual, width
from trainer.networks.parts.weights import load_weights
from trainer.recipes.plan import NetworkPlan


def features(plan: NetworkPlan, spec: InputSpec, image: Any) -> Any:
    # The stem shrinks by four at once: at the picture's own size a few filters take longest.
    x = convolved(rescaled(image, plan), width(24, plan), "stem", stride=4, size=7)
    for number, filters in enumerate((48, 96, 128), start=1):
        x = residual(x, width(filters, plan), f"block_{number}", stride=2)
    return load_weights(keras.Model(image, x), plan).output
