"""EfficientNet-Lite0: a little slower than MobileNetV2, and on many photographs a little better.

Its ImageNet weights were trained at 224 x 224 pixels.
"""

from __future__ import annotations

from typing import Any

from edge.core.images.preprocess import InputSpec
from trainer.networks.parts import efficientnet_lite
from trainer.recipes.plan import NetworkPlan


def features(plan: NetworkPlan, spec: InputSpec, image: Any) -> Any:
    return efficientnet_lite.features(plan, spec, image, efficientnet_lite.LITE0)
