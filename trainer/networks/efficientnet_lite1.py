"""EfficientNet-Lite1: as wide as Lite0, with five more blocks.

Its ImageNet weights were trained at 240 x 240 pixels.
"""

from __future__ import annotations

from typing import Any

from edge.core.images.preprocess import InputSpec
from trainer.networks.parts import efficientnet_lite
from trainer.recipes.plan import NetworkPlan


def features(plan: NetworkPlan, spec: InputSpec, image: Any) -> Any:
    return efficientnet_lite.features(plan, spec, image, efficientnet_lite.LITE1)
