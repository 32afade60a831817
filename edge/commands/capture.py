"""Take labelled photographs with a station's own camera, region and trigger, to train with."""

from __future__ import annotations

import argparse
import logging
import math
import queue
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.command_line import count
from edge.core.errors import EXIT_OK, StorageError, UsageError
from edge.core.terminal.hints import command

if TYPE_CHECKING:
    from edge.config.station import VisionConfig
    from edge.core.dataset.photo_folder import PhotoFolder
    from edge.core.images.contact_sheet import Headline, Tile
    from edge.core.terminal.progress import Progress
    from edge.runtime.keyboard import Keyboard
    from edge.samples.capture import CaptureSession

_log = logging.getLogger(__name__)

GOOD_START = 100
"""The number of pictures of a label that is enough for a first training."""
_ON_THE_SHEET = 48


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")
    parser.add_argument(
        "--label",
        action="append",
        required=True,
        dest="labels",
        metavar="X",
        help="what the pictures show, such as `can`, or `empty` for pictures without an item. "
        "Repeatable: the keys 1 to 9 select a label, n selects the next one",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("photos"),
        metavar="FOLDER",
        help="folder for the pictures, with a subfolder for each label (photos)",
    )
    parser.add_argument(
        "--items", action="store_true", help="one picture of each item that the trigger finds"
    )
    parser.add_argument(
        "--whole-region",
        action="store_true",
        help="with --items: store the whole region, not the item's own box",
    )
    parser.add_argument(
        "--button",
        type=gpio_number,
        metavar="GPIO",
        help="a button between this GPIO and ground takes a picture",
    )
    parser.add_argument(
        "--every", type=_seconds, metavar="SECONDS", help="take a picture every SECONDS seconds"
    )
    parser.add_argument("--count", type=count, metavar="N", help="end after N pictures")


def run(arguments: argparse.Namespace) -> int:
    from edge.config.reading import read_vision_config
    from edge.core.dataset.photo_folder import PhotoFolder, photo_label
    from edge.core.terminal.live_line import LiveLine
    from edge.runtime.keyboard import Keyboard
    from edge.runtime.service import stop_signals
    from edge.samples.capture import CaptureSchedule, CaptureSession, geometry_of

    vision = read_vision_config(arguments.station)
    labels = list(dict.fromkeys(map(photo_label, arguments.labels)))
    _check(arguments, vision, labels)
    geometry = geometry_of(vision, items=arguments.items, whole_region=arguments.whole_region)
    line = LiveLine()
    with ExitStack() as parts:
        folder = parts.enter_context(
            PhotoFolder(arguments.out, geometry=geometry, station=vision.station)
        )
        endings = parts.enter_context(stop_signals())
        pressed = _button(arguments.button, parts) if arguments.button is not None else _nothing
        keys = parts.enter_context(Keyboard(sys.stdin))
        session = parts.enter_context(
            CaptureSession(
                vision,
                folder,
                labels=labels,
                schedule=CaptureSchedule(arguments.items, arguments.every, arguments.count),
                key=lambda: pressed() or _key(keys, arguments),
                line=line,
            )
        )
        _log.info(f"{vision.station}: pictures show {geometry}")
        if folder.unknown:
            _log.warning(
                f"{folder.path}: has pictures that were taken in another way; all pictures of a "
                "folder should look alike"
            )
        for label in labels:
            _say_if_new(label, folder)
        _log.info(_keys(arguments, labels))
        try:
            session.run(endings)
        finally:
            # Also after an error such as a full disk, because pictures were taken before it.
            _say_counts(session, folder)
            _write_sheet(folder, vision.station, labels)
            _say_next(folder)
    return EXIT_OK


def _check(arguments: argparse.Namespace, vision: VisionConfig, labels: Sequence[str]) -> None:
    """Checks that the options fit together, and fit the trigger.

    Raises:
        UsageError: they do not.
    """
    from edge.flow import EMPTY

    if arguments.whole_region and not arguments.items:
        raise UsageError(
            "--whole-region needs --items: without it, a picture always shows the whole region"
        )
    if not arguments.items:
        return
    if arguments.every is not None or arguments.button is not None:
        raise UsageError(
            "--items takes one picture of each item by itself; --every and --button take the whole "
            "region: use either --items or these options"
        )
    if EMPTY in labels:
        raise UsageError(
            f"--items takes a picture when there is an item, and {EMPTY!r} is for pictures with "
            "none: take those without --items, by key or with --every"
        )
    if vision.trigger.kind == "continuous":
        raise UsageError(
            "--items: for the trigger `continuous` every frame is an item, so every frame would be "
            "kept: use `trigger: {kind: motion}`, or take pictures by key or with --every"
        )


def _keys(arguments: argparse.Namespace, labels: Sequence[str]) -> str:
    by = [] if arguments.items else ["space takes a picture"]
    if len(labels) > 1:
        by.append(f"1 to {min(9, len(labels))} and n change the label")
    by += ["d deletes the last one", "q ends"]
    return f"keys: {', '.join(by)}"


def _say_if_new(label: str, folder: PhotoFolder) -> None:
    """Logs that a label is new if it resembles another: a typing error would make a new class."""
    from edge.core.suggestions import did_you_mean

    others = list(+folder.counts)  # the labels that have pictures
    if label not in others and (hint := did_you_mean(label, others, listing=False)):
        _log.info(f"{label!r} is a new label, beside {', '.join(sorted(others))}{hint}")


def _say_counts(session: CaptureSession, folder: PhotoFolder) -> None:
    faults = [f"{number} {fault}" for fault, number in session.warned.items() if number]
    _log.info(
        f"taken: {len(session.taken)}"
        + (f", of these {', '.join(faults)}: look at them in the contact sheet" if faults else "")
    )
    if session.single_frame:
        _log.warning(
            f"  not taken: {session.single_frame} objects that were seen in a single frame only"
        )
    if session.refused:
        _log.info(
            f"  not taken: {session.refused}, because the picture was frozen, blank, torn or of "
            "another size"
        )
    for label, number in sorted((+folder.counts).items()):
        more = GOOD_START - number
        _log.info(f"  {label:<20} {number:>5}" + (f"   {more} more make a good start" * (more > 0)))


def _say_next(folder: PhotoFolder) -> None:
    counts = (+folder.counts).values()
    if len(counts) == 1:
        _log.info("next: take pictures of another --label; a model needs at least two")
    elif counts and min(counts) >= GOOD_START:
        words = ("pilah-trainer", "train", "mobilenet_v2", "--data", folder.path, "--out", "run")
        _log.info(f"next: {command(*words)}")


def _write_sheet(folder: PhotoFolder, station: str, labels: Sequence[str]) -> None:
    """Writes the contact sheet beside the folder, if it can be written."""
    from edge.core.images.contact_sheet import Mark, SheetSection, write_contact_sheet
    from edge.core.terminal.progress import Progress

    place = folder.path if folder.path.name else folder.path.absolute()  # "." has no name
    path = place.with_name(f"{place.name}.html")
    if not folder.counts.total():
        return
    found = +folder.counts
    latest = {
        label: folder.latest(label, _ON_THE_SHEET)
        for label in [*labels, *sorted(set(found) - set(labels))]
        if label in found
    }
    with Progress("contact sheet", total=sum(map(len, latest.values()))) as progress:
        sections = [
            SheetSection(label, _tiles(files, progress), count=found[label])
            for label, files in latest.items()
        ]
    try:
        write_contact_sheet(
            path,
            title=f"Photographs of {station}",
            headline=_headline([tile for section in sections for tile in section.tiles]),
            summary=[f"{place.name}, {folder.counts.total():,} in all; the newest come first."],
            sections=sections,
            limit_per_section=_ON_THE_SHEET,
            meanings={Mark.REJECT: "look at it again"},
        )
    except StorageError as error:
        _log.warning(f"no contact sheet: {error}")
    else:
        _log.info(f"contact sheet: {path}")


def _headline(tiles: Sequence[Tile]) -> Headline:
    from edge.core.images.contact_sheet import Headline, Mark

    poor = sum(tile.mark is Mark.REJECT for tile in tiles)
    if not poor:
        return Headline(Mark.OK, "None of these pictures is dark, very bright or blurred")
    are = "1 picture is" if poor == 1 else f"{poor} pictures are"
    return Headline(Mark.REJECT, f"{are} worth another look", ("They come first.",))


def _tiles(files: Sequence[Path], progress: Progress) -> list[Tile]:
    from edge.core.errors import UnreadableImageError
    from edge.core.images.contact_sheet import Mark, Tile
    from edge.core.images.image_file import read_image
    from edge.core.images.quality import judge

    tiles = []
    for file in files:
        progress.advance()
        try:
            image = read_image(file)
        except UnreadableImageError as error:
            _log.warning(f"unreadable: {error}")
            continue
        faults = judge(image).warnings
        size = f"{image.shape[1]}x{image.shape[0]}"
        detail = ", ".join([size, *faults])
        tiles.append(Tile(image, file.stem, detail, Mark.REJECT if faults else None))
    return tiles


def _key(keys: Keyboard, arguments: argparse.Namespace) -> str | None:
    """The next key. If only keys take pictures, the end of the keys ends the session."""
    from edge.samples.capture import QUIT

    key = keys.get(0)
    if key != "end":
        return key
    if arguments.items or arguments.every is not None or arguments.button is not None:
        return None
    _log.warning(
        "the keyboard input has ended, so no more pictures can be taken; --items, --every and "
        "--button need no keyboard"
    )
    return QUIT


def _nothing() -> None:
    return None


def _button(gpio: int, parts: ExitStack) -> Callable[[], str | None]:
    """A function that returns a key for each press of the button on `gpio`, else None."""
    from gpiozero import Button

    from edge.pins.pins import open_pins, pin_errors
    from edge.samples.capture import TAKE

    presses: queue.SimpleQueue[str] = queue.SimpleQueue()
    pins = parts.enter_context(open_pins())
    _log.info(f"button     GPIO {gpio}, pins {pins.title}")
    with pin_errors(gpio):
        button = Button(gpio, bounce_time=0.05, pin_factory=pins.factory)
    parts.callback(button.close)
    button.when_pressed = lambda: presses.put(TAKE)

    def pressed() -> str | None:
        try:
            return presses.get_nowait()
        except queue.Empty:
            return None

    return pressed


def gpio_number(text: str) -> int:
    """The BCM number of a pin; for argparse.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    from pydantic_core import PydanticCustomError

    from edge.pins.header import a_bcm_number

    try:
        return a_bcm_number(int(text) if text.isdecimal() else text)
    except PydanticCustomError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 < (seconds := float(text)) < math.inf:
            return seconds
    raise argparse.ArgumentTypeError(f"must be seconds, more than 0. Received: {text}")
