"""The station files of the demo, as a user could have written them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from edge.core.files import write_file

FLAP_METRES = 0.05
"""The flaps stand so far behind the place that the station file gives: an item is in front of its
flap when that has stood out for a moment."""
_VIEW_METRES = 0.40
"""How much of the belt is in view: a bottle of 25 cm fits in."""
_FIRST_METRES, _STEP_METRES = 0.50, 0.20
"""From the middle of the view to the first lane, and from lane to lane."""
_EXPOSURE_SECONDS = 0.002
"""A shutter as short as a belt needs: what moves by more than a pixel meanwhile is blurred."""
_PINS = tuple(pin for pin in range(27, 3, -1))
"""The GPIOs of the lanes, first to last; 0 to 3 have uses of their own on a Raspberry Pi."""
_REST, _OTHERS = "rest", "others"
TRIGGER: Mapping[str, Any] = {
    "kind": "motion",
    # A corner that comes into view before the rest of its item is none.
    "min_area": 0.01,
    # The belt begins with half a view without an item: what is learned must fit in there.
    "learn_seconds": 0.2,
    "lost_seconds": 0.3,
}
"""At the belt's full speed; see `trigger_on`."""


@dataclass(frozen=True, slots=True)
class BeltPlan:
    """A belt and its camera."""

    width: int
    height: int
    frames_per_second: float
    views_per_second: float
    """The belt's speed."""
    spacing_views: float
    """From the middle of an item to that of the next."""
    jitter: float
    """By what share of it that varies."""
    background: str
    """The belt's colour; see `camera: {kind: belt}`."""
    slowness: float = 1.0
    """How many times as long everything takes as at full speed."""

    def slowed(self, factor: float) -> BeltPlan:
        """The same belt in slow motion: fewer frames a second, and the same frames of an item."""
        return replace(
            self,
            frames_per_second=self.frames_per_second / factor,
            views_per_second=self.views_per_second / factor,
            slowness=self.slowness * factor,
        )

    @property
    def metres_per_second(self) -> float:
        """The belt's speed."""
        return _VIEW_METRES * self.views_per_second

    @property
    def deadline_seconds(self) -> float:
        """How long after an item came into view it must have its verdict.

        An item comes into view with its middle half a view before that of the view, or more; the
        verdict is there when it is no further behind it than a third of the way to the next.
        """
        return round((0.5 + 0.35 * self.spacing_views) / self.views_per_second, 2)

    @property
    def flap_after_seconds(self) -> float:
        """How long after a lane begins to move an item is in front of its flap."""
        return FLAP_METRES / self.metres_per_second


def belt_camera(plan: BeltPlan, **more: Any) -> dict[str, Any]:
    """The section `camera` of a belt.

    Args:
        more: further keys of it, such as labels, seed and items.
    """
    return {
        "kind": "belt",
        "width": plan.width,
        "height": plan.height,
        "frames_per_second": round(plan.frames_per_second, 3),
        "views_per_second": round(plan.views_per_second, 4),
        "spacing_views": plan.spacing_views,
        "jitter": plan.jitter,
        "background": plan.background,
        "exposure_seconds": round(_EXPOSURE_SECONDS * plan.slowness, 4),
        **more,
    }


def trigger_on(plan: BeltPlan, trigger: Mapping[str, Any]) -> dict[str, Any]:
    """The section `trigger` of a belt: its times are those of the belt's own pace."""
    return {
        key: round(value * plan.slowness, 2) if key.endswith("_seconds") else value
        for key, value in trigger.items()
    }


def lanes_for(labels: Sequence[str], plan: BeltPlan) -> dict[str, dict[str, Any]]:
    """A lane with a pushing solenoid for every label, in order along the belt, and the rest.

    Where there are more labels than pins, the last ones share a lane without a flap.
    """
    lanes: dict[str, dict[str, Any]] = {}
    hold = 2 * plan.flap_after_seconds
    for index, (label, pin) in enumerate(zip(labels, _PINS, strict=False)):
        lanes[lane_name(label)] = {
            "labels": [label],
            "distance_metres": round(_FIRST_METRES + index * _STEP_METRES, 2),
            "actuator": {
                "kind": "solenoid",
                "pin": pin,
                "hold_seconds": round(hold, 3),
                "max_on_seconds": round(max(2.0, 4 * hold), 1),
            },
        }
    if len(labels) > len(_PINS):
        lanes[_OTHERS] = {"labels": list(labels[len(_PINS) :])}
    lanes[_REST] = {}
    return lanes


def lane_name(label: str) -> str:
    """The name of a label's lane."""
    return f"{label} lane" if label in (_REST, _OTHERS) else label


def write_station(path: Path, sections: Mapping[str, Any], *, comment: str) -> None:
    """Writes a station file, with a comment at its top.

    Raises:
        StorageError: the place cannot be written.
    """
    text = yaml.safe_dump(dict(sections), sort_keys=False, allow_unicode=True)
    write_file(path, "".join(f"# {line}\n" for line in comment.splitlines()) + text)


def belt_station(
    plan: BeltPlan,
    camera: Mapping[str, Any],
    labels: Sequence[str],
    *,
    bundle: str,
    ledger: str,
    trigger: Mapping[str, Any] = TRIGGER,
) -> dict[str, Any]:
    """The sections of a station that sorts what passes on the belt, by motion."""
    return {
        "station": "demo",
        "bundle": bundle,
        "camera": dict(camera),
        "trigger": trigger_on(plan, trigger),
        # Before the next item is nearer the middle of the view than this one.
        "decision": {"deadline_seconds": plan.deadline_seconds},
        "belt": {"metres_per_second": round(plan.metres_per_second, 4)},
        "lanes": lanes_for(labels, plan),
        "default_lane": _REST,
        "ledger": {"path": ledger},
    }


def rehearsal_station(
    plan: BeltPlan,
    camera: Mapping[str, Any],
    labels: Sequence[str],
    *,
    bundle: str,
    ledger: str,
    trigger: Mapping[str, Any] = TRIGGER,
) -> dict[str, Any]:
    """The sections of a station that looks at the belt and moves nothing, with no deadline."""
    return belt_station(plan, camera, labels, bundle=bundle, ledger=ledger, trigger=trigger) | {
        "decision": {},
        "lanes": {_OTHERS: {"labels": list(labels)}, _REST: {}},
    }
