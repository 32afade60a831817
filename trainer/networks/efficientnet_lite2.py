"""EfficientNet-Lite2: wider and deeper than Lite0.

Its ImageNet weights were trained at 260 x 260 pixels.
"""

from __future__ import annotations

from typing import Any

from edge.core.images.preprocess import InputSpec
from trainer.networks.parts import efficientnet_lite
from trainer.recipes.plan import NetworkPlan


def features(plan: NetworkPlan, spec: InputSpec, image: Any) -> Any:
    return efficientnet_lite.features(plan, spec, image, efficientnet_lite.LITE2)
