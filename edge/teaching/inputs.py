"""The inputs of a station, and how each stands: for whoever tries its wiring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from edge.config.station import StationConfig
from edge.core.yaml_file import Section
from edge.pins.inputs import InputKeys

_BY_LANE = {"bins": "bin", "exits": "exit"}
"""The keys of `stops` under which each lane has an input, and the kind of those."""


class StationInput(NamedTuple):
    """A pin that a station reads."""

    kind: str
    """What is connected to it: `emergency_stop`, `bin`, `exit`, `encoder`, `home`, `end`, or the
    kind of the trigger."""
    lane: str
    """The lane that it belongs to; empty: to none."""
    pin: int
    """Its BCM number."""
    active_high: bool
    """Whether its level is high while it is active: reached, pressed, or broken as a beam is."""


def inputs_of(config: StationConfig) -> list[StationInput]:
    """Every pin that the station of a station file reads."""
    return list(_inputs(config, ()))


def shown_inputs(inputs: list[StationInput], active: Mapping[int, bool]) -> dict[str, Any]:
    """How the inputs stand, for another process.

    Args:
        active: as `OpenedPins.active` gives it.
    """
    return {"inputs": [{**one._asdict(), "active": active.get(one.pin)} for one in inputs]}


def _inputs(value: Any, path: tuple[str, ...]) -> Iterator[StationInput]:
    if isinstance(value, InputKeys):
        yield _input(value, path)
    elif isinstance(value, Section | dict):
        for name, part in value.items() if isinstance(value, dict) else value:
            yield from _inputs(part, (*path, name))


def _input(settings: InputKeys, path: tuple[str, ...]) -> StationInput:
    """The input of a section.

    Args:
        path: the keys under which the section is in the station file.
    """
    kind, lane = getattr(settings, "kind", path[-1]), path[1] if path[0] == "lanes" else ""
    if len(path) > 1 and path[-2] in _BY_LANE:
        kind, lane = _BY_LANE[path[-2]], path[-1]
    return StationInput(kind, lane, settings.pin, settings.active_high)
