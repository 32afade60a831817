"""A simulated camera over a belt, on which drawn or photographed items pass with known labels.

`drawing/` draws items, and photographs to train on; `camera.py` is the camera of the station.
"""

from __future__ import annotations

LABELS: tuple[str, ...] = ("bottle", "can", "carton", "cup", "fruit", "paper_ball")
"""The classes of items that can be drawn, sorted."""
