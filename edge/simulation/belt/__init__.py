"""A simulated camera over a belt: drawn items, or photographs, pass by with known truth.

`draw.py` draws items, and photographs to train on; `camera.py` is what the station has of it.
"""

from __future__ import annotations

LABELS: tuple[str, ...] = ("bottle", "can", "carton", "cup", "fruit", "paper_ball")
"""What can be drawn, sorted."""
