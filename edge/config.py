"""The station file: one model per section, and what must be true between the sections.

`read_station` is the one way to read it; `deploy/examples/` has files to start from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from edge import camera, lanes, trigger
from edge.errors import BundleError, StorageError
from edge.model.bundle import Bundle, Threshold, read_bundle
from edge.yaml_file import (
    FilePath,
    Location,
    NewFilePath,
    Problem,
    Section,
    YamlFile,
    did_you_mean,
    one_of,
)

Pixels = Annotated[int, Field(ge=0, le=32768)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""What can stand in a file name, a topic and a log."""


class Region(Section):
    """`region`: the part of the camera's picture that items pass through."""

    left: Annotated[Pixels, Field(description="pixels from the picture's left edge")] = 0
    top: Annotated[Pixels, Field(description="pixels from the picture's top edge")] = 0
    width: Annotated[Pixels, Field(ge=8, description="pixels")]
    height: Annotated[Pixels, Field(ge=8, description="pixels")]


class Decision(Section):
    """`decision`: which verdicts count."""

    deadline_seconds: Annotated[
        float | None,
        Field(
            gt=0,
            le=3600,
            description="seconds after its capture by which an item must have its verdict; one "
            "that comes later is a reject",
        ),
    ] = None
    accept: dict[str, Threshold] = Field(
        default_factory=dict,
        description="accept thresholds, 0 to 1, in place of the bundle's, by label",
    )


class Lane(Section):
    """One of `lanes`: a destination of items."""

    labels: list[str] = Field(
        default_factory=list,
        description="labels of the items that go here, such as [paper, cardboard]",
    )
    delay_seconds: Annotated[
        float | None,
        Field(
            gt=0,
            le=3600,
            description="seconds an item takes from the camera to the actuator, which moves at "
            "that time; without it, the actuator moves as soon as there is a verdict",
        ),
    ] = None
    actuator: Annotated[
        lanes.ActuatorSettings | None,
        one_of(lanes.KINDS),
        Field(description="what moves items into the lane; without one they fall through"),
    ] = None


class LedgerSettings(Section):
    """`ledger`: where a row for every item is kept."""

    path: Annotated[NewFilePath, Field(description="the SQLite file, made where it is not there")]


class StationConfig(Section):
    """A whole station file. Paths in it are relative to it."""

    station: Annotated[Name, Field(description="the station's name, as the ledger gives it")]
    bundle: Annotated[FilePath, Field(description="the model bundle: a folder or a zip file")]
    camera: Annotated[
        camera.CameraSettings,
        one_of(camera.KINDS),
        Field(description="where frames come from: `{kind: ..., ...}`"),
    ]
    region: Annotated[
        Region | None, Field(description="what of the picture to look at; without it, all of it")
    ] = None
    trigger: Annotated[
        trigger.TriggerSettings,
        one_of(trigger.KINDS),
        Field(description="when there is an item: `{kind: ..., ...}`"),
    ]
    decision: Annotated[Decision, Field(description="which verdicts count")] = Decision()
    lanes: Annotated[
        dict[str, Lane],
        Field(min_length=1, description="where items go, by the name of the lane"),
    ]
    default_lane: Annotated[
        str, Field(description="the name of the lane that rejected items go to")
    ]
    ledger: Annotated[LedgerSettings, Field(description="where a row for every item is kept")]


@dataclass(frozen=True, slots=True, eq=False)
class StationPlan:
    """A station file in which no mistake was found, and the bundle it names."""

    file: YamlFile
    config: StationConfig
    bundle: Bundle


def read_station(path: Path) -> StationPlan:
    """The station that the file `path` describes.

    Raises:
        ConfigError: it has mistakes; every one is named, with its line.
    """
    file = YamlFile(path)
    config, problems = file.check(StationConfig)
    shapes = [problem.location for problem in problems]
    bundle, refusal = _bundle(file)
    problems += refusal
    problems += _pins_used_twice(file.content)
    problems += _label_problems(file, bundle, shapes)
    if config is None or bundle is None or problems:
        raise file.error(problems)
    return StationPlan(file, config, bundle)


def _bundle(file: YamlFile) -> tuple[Bundle | None, list[Problem]]:
    name = file.value(("bundle",))
    if not isinstance(name, str) or not name:
        return None, []  # told already
    try:
        return read_bundle(file.path.absolute().parent / name), []
    except (BundleError, StorageError) as error:
        return None, [Problem(("bundle",), str(error))]


def _pins_used_twice(content: dict[Any, Any]) -> Iterator[Problem]:
    first: dict[int, Location] = {}
    for location, pin in _pins(content, ()):
        if pin in first:
            other = ".".join(map(str, first[pin]))
            message = f"pin {pin} is used by {other} already: give each device a pin of its own"
            yield Problem(location, message)
        else:
            first[pin] = location


def _pins(value: Any, location: Location) -> Iterator[tuple[Location, int]]:
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from _pins(part, (*location, index))
    elif isinstance(value, dict):
        for key, part in value.items():
            name = str(key)
            if name == "pin" or name.endswith("_pin"):
                if isinstance(part, int):
                    yield (*location, name), part
            else:
                yield from _pins(part, (*location, name))


def _label_problems(
    file: YamlFile, bundle: Bundle | None, shapes: list[Location]
) -> Iterator[Problem]:
    """What does not fit between lanes, thresholds and the bundle's labels.

    Args:
        shapes: where the file's form is wrong already; what hangs on it is not judged.
    """
    content = file.content
    found = content.get("lanes")
    described = found if isinstance(found, dict) else {}
    default = content.get("default_lane")
    if isinstance(default, str) and described and default not in described:
        advice = did_you_mean(default, map(str, described))
        yield Problem(("default_lane",), f"there is no lane {default!r}{advice}")
    first: dict[str, str] = {}
    for location, label in _labels_of_lanes(described):
        lane = str(location[1])
        if label in first:
            yield Problem(
                location, f"the label {label!r} is in the lane {first[label]} already: remove one"
            )
        elif bundle is not None and label not in bundle.labels:
            yield Problem(location, _unknown_label(label, bundle))
        first.setdefault(label, lane)
    if bundle is None:
        return
    accept = file.value(("decision", "accept"))
    for label in accept if isinstance(accept, dict) else {}:
        if isinstance(label, str) and label not in bundle.labels:
            yield Problem(("decision", "accept", label), _unknown_label(label, bundle))
    misspelt = any(s[:1] == ("lanes",) and "actuator" not in s for s in shapes)
    homeless = [label for label in bundle.labels if label not in first]
    if described and homeless and not misspelt:
        yield Problem(
            ("lanes",),
            f"no lane for {', '.join(map(repr, homeless))}: put each label of {bundle.title} into "
            "the labels of one lane",
        )


def _labels_of_lanes(described: dict[Any, Any]) -> Iterator[tuple[Location, str]]:
    for name, lane in described.items():
        labels = lane.get("labels") if isinstance(lane, dict) else None
        for index, label in enumerate(labels if isinstance(labels, list) else ()):
            if isinstance(label, str):
                yield ("lanes", name, "labels", index), label


def _unknown_label(label: str, bundle: Bundle) -> str:
    return f"{bundle.title} has no label {label!r}{did_you_mean(label, bundle.labels)}"
