"""The station file: one model per section, and what must be true between the sections.

`read_station` is the one way to read it; `deploy/examples/` has files to start from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from edge import camera, lanes, trigger
from edge.cautions import cautions
from edge.core.errors import (
    BundleError,
    BundleMissingError,
    StorageError,
)
from edge.core.files import may_come_back
from edge.core.model.bundle import (
    Bundle,
    Threshold,
    read_bundle,
)
from edge.core.model.signature import PublicKey
from edge.core.suggestions import did_you_mean
from edge.core.yaml_file import (
    FilePath,
    Section,
    YamlFile,
    file_or_nothing,
    one_of,
)
from edge.core.yaml_messages import (
    Location,
    Problem,
    advised,
)
from edge.flow import EMPTY
from edge.installed import RECORD_LOST, check_as_installed, record_is_lost
from edge.lanes.keep_alive import Settings as KeepAliveSettings
from edge.region import Region
from edge.trust import Trust, pinned_keys

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""What can stand in a file name, a topic and a log."""


class Decision(Section):
    """`decision`: how the scores of an item's frames become one verdict, and which count."""

    deadline_seconds: Annotated[
        float | None,
        Field(
            gt=0,
            le=3600,
            description="seconds after its first frame by which an item gets its verdict, from the "
            "frames there are; where even that comes later, it is a reject",
        ),
    ] = None
    clear_frames: Annotated[
        int,
        Field(
            ge=2,  # a single frame may be a damaged one
            le=100,
            description="so many frames that all say the same, and surely enough to be accepted, "
            "are a verdict at once; the item's other frames are not looked at",
        ),
    ] = 3
    max_frames: Annotated[
        int,
        Field(
            ge=2,
            le=1000,
            description="an item's verdict comes with this frame at the latest, of those "
            "that show it well",
        ),
    ] = 20
    agreement: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="share of an item's frames that must say what the verdict says; with fewer "
            "it is a reject",
        ),
    ] = 0.6
    accept: dict[str, Threshold] = Field(
        default_factory=dict,
        description="accept thresholds, 0 to 1, in place of the bundle's, by label",
    )
    unknown: Annotated[
        Threshold | None,
        Field(
            description="an item stranger than this, 0 to 1, is a reject as of no class; without "
            "it the bundle's threshold counts"
        ),
    ] = None

    @model_validator(mode="after")
    def _clear_before_the_end(self) -> Self:
        if self.clear_frames > self.max_frames:
            raise advised(
                f"clear_frames ({self.clear_frames}) is above max_frames ({self.max_frames}): "
                "no verdict would ever come early. Lower the one or raise the other"
            )
        return self


class Belt(Section):
    """`belt`: what carries the items from the camera to the lanes."""

    metres_per_second: Annotated[float, Field(gt=0, le=20, description="the belt's speed")]


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
            description="seconds an item takes from the middle of the region to the actuator, "
            "which moves at that time; without it, it moves as soon as there is a verdict",
        ),
    ] = None
    distance_metres: Annotated[
        float | None,
        Field(
            gt=0,
            le=100,
            description="instead of delay_seconds: how far it is from the middle of the region to "
            "the actuator, on a belt whose speed is under `belt`",
        ),
    ] = None
    actuator: Annotated[
        lanes.ActuatorSettings | None,
        one_of(lanes.KINDS, lanes.ALSO),
        Field(description="what moves items into the lane; without one they fall through"),
    ] = None

    @model_validator(mode="after")
    def _one_way_to_say_when(self) -> Self:
        if self.delay_seconds is not None and self.distance_metres is not None:
            raise advised("has delay_seconds and distance_metres: keep one of them")
        return self


NO_SPILL = Path()
"""What `spill: none` is read as."""


class LedgerSettings(Section):
    """`ledger`: where a row for every item is kept."""

    # That its folder is missing is no mistake of the file: its disk may come, and a station sorts.
    path: Annotated[
        FilePath,
        AfterValidator(file_or_nothing),
        Field(description="the SQLite file, made where it is not there"),
    ]
    commit_seconds: Annotated[
        float,
        Field(
            ge=0,
            le=60,
            description="how long rows may wait to be written together, which wears a card less; "
            "a power cut takes the rows of so many seconds. 0: each row is written at once",
        ),
    ] = 1.0
    spill: Annotated[
        FilePath | None,
        BeforeValidator(lambda received: NO_SPILL if received == "none" else received),
        Field(
            description="a file on another disk, where rows wait while the ledger cannot be "
            "written, or `none`; without it, one in memory"
        ),
    ] = None

    @model_validator(mode="after")
    def _two_files(self) -> Self:
        if self.spill == self.path:
            raise advised(f"spill is the ledger itself ({self.path}): name a file on another disk")
        return self


class Eye(Section):
    """What of a station file tells how items are seen: all that taking photographs needs."""

    station: Annotated[Name, Field(description="the station's name, as the ledger gives it")]
    camera: Annotated[
        camera.CameraSettings,
        one_of(camera.KINDS, camera.ALSO),
        Field(description="where frames come from: `{kind: ..., ...}`"),
    ]
    region: Annotated[
        Region | None, Field(description="what of the picture to look at; without it, all of it")
    ] = None
    trigger: Annotated[
        trigger.TriggerSettings,
        one_of(trigger.KINDS, trigger.ALSO),
        Field(description="when there is an item: `{kind: ..., ...}`"),
    ]


class StationConfig(Eye):
    """A whole station file. Paths in it are relative to it."""

    bundle: Annotated[
        FilePath,
        Field(
            description="the model bundle: a folder, a zip file, or the link that `pilah-edge "
            "install` points to one"
        ),
    ]
    trust: Annotated[
        Trust | None,
        Field(description="whose bundles are loaded; without it, those of anybody"),
    ] = None
    decision: Annotated[Decision, Field(description="which verdicts count")] = Decision()
    belt: Annotated[
        Belt | None, Field(description="what carries the items, where lanes have a distance")
    ] = None
    lanes: Annotated[
        dict[str, Lane],
        Field(min_length=1, description="where items go, by the name of the lane"),
    ]
    default_lane: Annotated[
        str, Field(description="the name of the lane that rejected items go to")
    ]
    keep_alive: Annotated[
        KeepAliveSettings | None,
        Field(
            description="a pin whose level changes as long as all is well, for a circuit that cuts "
            "the actuators' supply when it does not (wiring.md)"
        ),
    ] = None
    ledger: Annotated[LedgerSettings, Field(description="where a row for every item is kept")]

    @property
    def seconds_per_item(self) -> float | None:
        """Seconds from one item to the next, as far as the file says; None: it does not."""
        if self.trigger.has_box:
            return self.camera.seconds_per_item
        return self.camera.seconds_per_frame

    def delay_seconds(self, lane: Lane) -> float | None:
        """Seconds from an item's passing to the moment `lane` moves; None: as soon as known."""
        if lane.distance_metres is not None and self.belt is not None:
            return lane.distance_metres / self.belt.metres_per_second
        return lane.delay_seconds


class _EyeOfStation(Eye):
    """The eye of a station file; its other sections may be missing, or wrong as yet."""

    bundle: Any = None
    trust: Any = None
    decision: Any = None
    belt: Any = None
    lanes: Any = None
    default_lane: Any = None
    keep_alive: Any = None
    ledger: Any = None


class Hands(Section):
    """The lanes of a station file, and the pin that lets them move; its other sections may be
    missing, or wrong as yet.
    """

    lanes: Annotated[
        dict[str, Lane],
        Field(min_length=1, description="where items go, by the name of the lane"),
    ]
    keep_alive: KeepAliveSettings | None = None
    station: Any = None
    camera: Any = None
    region: Any = None
    trigger: Any = None
    bundle: Any = None
    trust: Any = None
    decision: Any = None
    belt: Any = None
    default_lane: Any = None
    ledger: Any = None


@dataclass(frozen=True, slots=True, eq=False)
class StationPlan:
    """A station file in which no mistake was found, and the bundle it names."""

    file: YamlFile
    config: StationConfig
    bundle: Bundle
    keys: tuple[PublicKey, ...]
    """Those pinned; where there are any, one of them signed the bundle."""
    warnings: tuple[str, ...] = ()
    """What is allowed and probably not meant, each as `LINE: KEY: message`."""


def read_station(path: Path, *, bundle: Path | None = None) -> StationPlan:
    """The station that the file `path` describes.

    Args:
        bundle: one that the station might have in place of the one that its file names.

    Raises:
        ConfigError: it has mistakes; every one is named, with its line. That its bundle is broken,
            or not signed with a key that it pins, is one of them.
        ConfigUnreadError: nothing is wrong but that its bundle or a key cannot be read now.
        BundleError: that is so of `bundle`.
    """
    file = YamlFile(path)
    config, problems = file.check(StationConfig)
    shapes = [problem.location for problem in problems]
    keys, refusal = pinned_keys(file)
    problems += refusal
    found: Bundle | None = None
    if keys is not None and bundle is not None:
        found = read_bundle(bundle, keys=keys)
    elif keys is not None:
        found, refusal = _bundle(file, keys)
        problems += refusal
    problems += _pins_used_twice(file.content)
    problems += _label_problems(file, found, shapes)
    problems += _distance_problems(file.content)
    problems += _region_problems(file)
    if config is not None and found is not None:
        problems += _box_problems(config, found)
    if config is None or found is None or keys is None or problems:
        raise file.error(problems)
    warnings = [*cautions(config), *(_about_its_record(found, config.bundle) if not bundle else ())]
    return StationPlan(file, config, found, keys, tuple(file.told(warnings)))


def read_eye(path: Path) -> Eye:
    """How the station of the file `path` sees; what else stands in the file is not judged.

    Raises:
        ConfigError: those sections have mistakes, or the file has a key that no station has.
    """
    file = YamlFile(path)
    eye, problems = file.check(_EyeOfStation)
    if eye is None:
        raise file.error(problems)
    return eye


def read_hands(path: Path) -> tuple[YamlFile, Hands]:
    """The station file `path` and what it moves; what else stands in it is not judged.

    Raises:
        ConfigError: the lanes have mistakes, or the file has a key that no station has.
    """
    file = YamlFile(path)
    config, problems = file.check(Hands)
    problems += _pins_used_twice(file.content)
    if config is None or problems:
        raise file.error(problems)
    return file, config


def _bundle(file: YamlFile, keys: tuple[PublicKey, ...]) -> tuple[Bundle | None, list[Problem]]:
    path = file.path_at(("bundle",))
    if path is None:
        return None, []  # told already
    try:
        found = read_bundle(path, keys=keys)
        check_as_installed(found, path)
        return found, []
    except (BundleError, StorageError) as error:
        away = isinstance(error, BundleMissingError | StorageError)
        passing = away and may_come_back(path, error.__cause__)
        return None, [Problem(("bundle",), str(error), passing=passing)]


def _about_its_record(bundle: Bundle, link: Path) -> Iterator[Problem]:
    if record_is_lost(bundle, link):
        yield Problem(
            ("bundle",),
            f"{bundle.title} was installed, and {RECORD_LOST}. Give it to `pilah-edge install` "
            "again, or go back with `pilah-edge rollback`",
        )


def _pins_used_twice(content: dict[Any, Any]) -> Iterator[Problem]:
    first: dict[str, Location] = {}
    for location, name in _pins(content, ()):
        if name in first:
            other, kind = ".".join(map(str, first[name])), name.partition(" ")[0]
            message = f"{name} is used by {other} already: give each device a {kind} of its own"
            yield Problem(location, message)
        else:
            first[name] = location


def _pins(value: Any, location: Location) -> Iterator[tuple[Location, str]]:
    """Each pin, and each channel of the PWM hardware, with its kind and its name."""
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from _pins(part, (*location, index))
    elif isinstance(value, dict):
        for key, part in value.items():
            name = str(key)
            if name == "pin" or name.endswith("_pin"):
                if isinstance(part, int):
                    yield (*location, name), f"pin {part}"
            elif name == "hardware_pwm":
                if isinstance(part, str):
                    yield (*location, name), f"channel {part}"
            else:
                yield from _pins(part, (*location, name))


def _distance_problems(content: dict[Any, Any]) -> Iterator[Problem]:
    lanes = content.get("lanes")
    if content.get("belt") is not None or not isinstance(lanes, dict):
        return
    for name, lane in lanes.items():
        if isinstance(lane, dict) and lane.get("distance_metres") is not None:
            yield Problem(
                ("lanes", str(name), "distance_metres"),
                "needs the belt's speed: add a section `belt: {metres_per_second: ...}`, or give "
                "delay_seconds instead",
            )


def _region_problems(file: YamlFile) -> Iterator[Problem]:
    """Where the region does not fit the picture that the camera is asked for."""
    eye, _ = file.check(_EyeOfStation)
    size = None if eye is None else eye.camera.size
    if eye is None or eye.region is None or size is None:
        return
    right, bottom = eye.region.left + eye.region.width, eye.region.top + eye.region.height
    if right > size[0] or bottom > size[1]:
        yield Problem(
            ("region",),
            f"reaches to {right}, {bottom} (left + width, top + height), but the camera's picture "
            f"is {size[0]}x{size[1]}: correct the region, or width and height of the camera",
        )


def _box_problems(config: StationConfig, bundle: Bundle) -> Iterator[Problem]:
    if bundle.manifest.input.crop == "item" and not config.trigger.has_box:
        yield Problem(
            ("trigger",),
            f"{bundle.title} was trained on items cut out of the picture (crop: item), and a "
            f"{config.trigger.kind} trigger does not tell where an item is: use {{kind: motion}}",
        )


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
    if bundle.manifest.unknown is None and file.value(("decision", "unknown")) is not None:
        yield Problem(
            ("decision", "unknown"),
            f"{bundle.title} has no score for things of no class: remove this line, or train again",
        )
    misspelt = any(s[:1] == ("lanes",) and "actuator" not in s for s in shapes)
    homeless = [label for label in bundle.labels if label not in first and label != EMPTY]
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
