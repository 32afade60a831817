"""A whole station file, and the parts of one that can be read by themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from edge.config.belt import Belt
from edge.config.decision import Decision
from edge.config.lanes import Lane
from edge.config.ledger import LedgerSettings
from edge.config.trust import Trust
from edge.config.version import NEWEST
from edge.core.images.image_file import Image
from edge.core.yaml_file import FilePath, Section
from edge.core.yaml_kinds import one_of, section_of
from edge.core.yaml_messages import advised, shown
from edge.lanes import ActuatorSettings, bins
from edge.lanes.keep_alive import Settings as KeepAliveSettings
from edge.outbox.retention import Keep
from edge.vision import camera, trigger
from edge.vision.region import Region

if TYPE_CHECKING:
    from edge.config.codes import CodesSettings
    from edge.config.photographs import PhotographSettings
    from edge.config.publish.section import PublishSettings
    from edge.config.receiving import ReceivingSettings
    from edge.config.scanner import ScannerSettings
    from edge.config.serving.pages import WebSettings
    from edge.config.stops.section import StopSettings
    from edge.lanes.encoder import BeltWithEncoder
else:  # most stations have none of these, and start sooner without their models
    CodesSettings = section_of("edge.config.codes", "CodesSettings")
    PhotographSettings = section_of("edge.config.photographs", "PhotographSettings")
    PublishSettings = section_of("edge.config.publish.section", "PublishSettings")
    ReceivingSettings = section_of("edge.config.receiving", "ReceivingSettings")
    ScannerSettings = section_of("edge.config.scanner", "ScannerSettings")
    StopSettings = section_of("edge.config.stops.section", "StopSettings")
    WebSettings = section_of("edge.config.serving.pages", "WebSettings")

_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


def _a_name(received: Any) -> Any:
    """Returns `received` if it may be a name.

    Raises:
        PydanticCustomError: it is text with other characters.
    """
    if isinstance(received, str) and re.search(_NAME, received) is None:
        raise advised(
            "must be letters from A to Z, digits, `.`, `_` and `-`, 64 at most, of which the first "
            f"is a letter or a digit. Received: {shown(received)}"
        )
    return received


# The pattern is for the JSON Schema; people are told in words.
Name = Annotated[str, Field(pattern=_NAME), BeforeValidator(_a_name)]
"""A name that is valid in a file name, an MQTT topic and a log."""


class StationPart(Section):
    """Some of the sections of a station file, which can be read while the others are wrong."""

    version: Annotated[
        int,
        Field(
            ge=1,
            le=NEWEST,
            description="the edition of the station file's keys; without it, the first",
        ),
    ] = 1


class NamedPart(StationPart):
    """The section with the station's name."""

    station: Annotated[Name, Field(description="the station's name, as the ledger records it")]


class VisionConfig(NamedPart):
    """The sections that say how items are seen: all that taking photographs needs."""

    camera: Annotated[
        camera.CameraSettings,
        one_of(camera.KINDS, camera.SYNONYMS),
        Field(description="where frames come from: `{kind: ..., ...}`"),
    ]
    region: Annotated[
        Region | None,
        Field(description="the part of the picture to look at; without it, the whole picture"),
    ] = None
    reference_picture: Annotated[
        FilePath | None,
        Field(
            description="a picture of what the camera sees when nothing is in view, which "
            "`pilah-edge roi --reference` takes at set-up: a camera that was moved since is an "
            "incident from the start on. Without it, the scene of the first seconds counts"
        ),
    ] = None
    trigger: Annotated[
        trigger.TriggerSettings,
        one_of(trigger.KINDS, trigger.SYNONYMS),
        Field(description="what finds the items in the frames: `{kind: ..., ...}`"),
    ]

    @property
    def reference(self) -> Image | None:
        """The reference picture, uint8 (180, 240, 4) BGRA; None: there is none.

        Raises:
            UnreadableImageError: its file cannot be used.
        """
        if self.reference_picture is None:
            return None
        from edge.vision.camera.scene_reference import read_reference  # which few stations need

        return read_reference(self.reference_picture)


class ActuationConfig(StationPart):
    """The sections that say what is moved: the lanes, and the keep-alive pin."""

    lanes: Annotated[
        dict[str, Lane],
        Field(min_length=1, description="where items go, by the name of the lane"),
    ]
    bin: Annotated[
        bins.BinSettings | None,
        one_of(bins.KINDS, bins.SYNONYMS),
        Field(
            description="one mover for several lanes, whose actuators are "
            "`{kind: bin, position: ...}`: `{kind: flap, ...}` or `{kind: carousel, ...}`"
        ),
    ] = None
    keep_alive: Annotated[
        KeepAliveSettings | None,
        Field(
            description="a pin whose level changes as long as the station works, for a circuit "
            "that cuts the actuators' supply when the changes stop (wiring.md)"
        ),
    ] = None
    stops: Annotated[
        StopSettings | None,
        Field(
            description="what stops the station beside a person who pauses it (incidents.md); "
            "without it, only the loss of its camera does"
        ),
    ] = None

    @property
    def actuators(self) -> dict[str, ActuatorSettings]:
        """The settings of the actuators, by the name of their lane."""
        return {name: lane.actuator for name, lane in self.lanes.items() if lane.actuator}

    @model_validator(mode="after")
    def _one_bin_for_all(self) -> Self:
        for lane in self.lanes.values():
            if lane.actuator is not None:
                lane.actuator.shares(self.bin)
        return self


class RecordsConfig(NamedPart):
    """The sections for the records of what happened."""

    ledger: Annotated[LedgerSettings, Field(description="where a row for every item is kept")]
    receiving: Annotated[
        ReceivingSettings | None,
        Field(
            description="how deliveries are counted; without it, the station counts none of what "
            "it sorts, and the verbs of `pilah-edge delivery` count what is scanned"
        ),
    ] = None
    photographs: Annotated[
        PhotographSettings | None,
        Field(
            description="of which sorted items a photograph is kept, and how long; without it, "
            "none is kept"
        ),
    ] = None
    publish: Annotated[
        PublishSettings | None,
        Field(
            description="other systems that hear of what happens, by `pilah-publish`; without it, "
            "none does"
        ),
    ] = None

    ideal_items_per_minute: Annotated[
        float | None,
        Field(
            gt=0,
            le=100_000,
            description="how many items the station sorts in a minute at its best, which its "
            "performance and so its OEE are measured by (`pilah-edge ledger states`); without it, "
            "they are not known",
        ),
    ] = None

    @property
    def keep(self) -> Keep | None:
        """What the outboxes keep; None: nothing is written to them."""
        return None if self.publish is None else self.publish.keep(self.ledger.path)


class ReceivingConfig(RecordsConfig, ActuationConfig):
    """What receiving goods needs to know: the labels of the lanes, and where records are kept."""


class WebConfig(StationPart):
    """Where the operator's pages are."""

    web: Annotated[
        WebSettings | None,
        Field(
            description="the operator's pages, by `pilah-edge web`; without it, they are for "
            "browsers on this machine alone"
        ),
    ] = None


class PagesConfig(ReceivingConfig, WebConfig):
    """What the operator's pages need to know."""


class ScannerConfig(StationPart):
    """The hand scanner alone."""

    scanner: Annotated[
        ScannerSettings | None,
        Field(description="a hand scanner; without it, there is none"),
    ] = None


class StationConfig(RecordsConfig, ActuationConfig, VisionConfig, ScannerConfig, WebConfig):
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
        Field(description="whose bundles are loaded; without it, those of anyone"),
    ] = None
    decision: Annotated[Decision, Field(description="which verdicts count")] = Decision()
    belt: Annotated[
        Belt | None, Field(description="what carries the items, where lanes have a distance")
    ] = None
    default_lane: Annotated[
        str, Field(description="the name of the lane that rejected items go to")
    ]
    codes: Annotated[
        CodesSettings | None,
        Field(description="codes to read in the pictures of items; without it, none are read"),
    ] = None

    @property
    def seconds_per_item(self) -> float | None:
        """Seconds from one item to the next; None if the file does not give them."""
        if self.trigger.has_box:
            return self.camera.seconds_per_item
        return self.camera.seconds_per_frame if self.trigger.kind == "continuous" else None

    @property
    def alarm_lane(self) -> str | None:
        """The lane of a lamp or a buzzer, which moves also for an item that is stopped after it
        went elsewhere. None: there is none; an actuator with a delay is at a place on the belt, and
        would move another item."""
        name = None if self.receiving is None else self.receiving.mismatch_lane
        lane = None if name is None else self.lanes[name]
        moves = lane is not None and lane.actuator is not None
        return name if moves and lane is not None and self.delay_seconds(lane) is None else None

    @property
    def belt_with_encoder(self) -> BeltWithEncoder | None:
        """The belt, if an encoder tells its way."""
        if self.belt is None or self.belt.encoder is None:
            return None
        from edge.lanes.encoder import BeltWithEncoder

        return BeltWithEncoder(self.belt.metres_per_second, self.belt.encoder)

    def delay_seconds(self, lane: Lane) -> float | None:
        """Seconds from an item's passing to the moment `lane` moves.

        None if it moves as soon as the verdict is known.
        """
        if lane.distance_metres is not None and self.belt is not None:
            return lane.distance_metres / self.belt.metres_per_second
        return lane.delay_seconds
