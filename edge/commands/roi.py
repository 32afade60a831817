"""Take one picture with a station's camera and draw its region on it, with rulers to read off."""

from __future__ import annotations

import argparse
import logging
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.errors import EXIT_NO, EXIT_OK, UsageError

if TYPE_CHECKING:
    from edge.config.station import VisionConfig
    from edge.core.images.image_file import Image
    from edge.core.model.bundle import Bundle
    from edge.vision.region import Region

_log = logging.getLogger(__name__)

_SMALLEST, _LARGEST = 8, 32768
"""The limits of the sides of a region, in pixels, as in a station file."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("station", type=Path, metavar="STATION.yaml", help="station file")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("roi.jpg"),
        metavar="PICTURE",
        help="file to write, .jpg or .png (roi.jpg)",
    )
    parser.add_argument(
        "--region",
        type=_numbers,
        metavar="LEFT,TOP,WIDTH,HEIGHT",
        help="draw this region, in pixels, in place of the one in the station file",
    )
    parser.add_argument(
        "--fit",
        action="store_true",
        help="draw the region most like it for which one resize to the model's input is enough, as "
        "its size is a multiple; it needs the bundle of the station file",
    )

    parser.add_argument(
        "--reference",
        type=Path,
        metavar="FILE.png",
        help="take the reference picture of the scene in place of this, by which a station notices "
        "that its camera was moved: with nothing in view, and the belt as it runs. It takes six "
        "seconds",
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.reference is not None:
        return _reference(arguments.station, arguments.reference)
    return _region(arguments)


def _reference(station: Path, file: Path) -> int:
    """Takes the reference picture of the station's camera."""
    from edge.config.reading import read_vision_config
    from edge.vision.camera.scene_checks import recognisable
    from edge.vision.camera.scene_reference import take_reference, write_reference

    if file.suffix.lower() != ".png":
        raise UsageError(f"--reference must end with .png. Received: {file}")
    vision = read_vision_config(station)
    reference = take_reference(vision.camera)
    write_reference(file, reference)
    share = recognisable(reference)
    if share:
        _log.info(f"{file}: {share:.0%} of the scene can be recognised")
    else:
        _log.warning(
            f"{file}: too little of the scene can be recognised: a camera that is moved will not "
            "be noticed. Let it see something that stays where it is, such as the belt's frame"
        )
    if vision.reference_picture is None or vision.reference_picture.resolve() != file.resolve():
        _log.info("the station file does not name it yet. It needs this line:")
    print(f"reference_picture: {file.resolve()}")
    return EXIT_OK if share else EXIT_NO


def _region(arguments: argparse.Namespace) -> int:
    import cv2

    from edge.config.reading import read_vision_config
    from edge.core.files import write_file
    from edge.vision.region import Region
    from edge.vision.region_picture import draw_region
    from edge.vision.region_size import one_step_region

    file: Path = arguments.out
    if file.suffix.lower() not in (".jpg", ".jpeg", ".png"):
        raise UsageError(f"--out must end with .jpg or .png. Received: {file}")
    vision = read_vision_config(arguments.station)
    region = vision.region
    if arguments.region is not None:
        left, top, width, height = arguments.region
        region = Region(left=left, top=top, width=width, height=height)
    image = _picture(vision)
    height, width = image.shape[:2]
    shown = Region(width=width, height=height) if region is None else region
    bundle = _bundle(arguments.station, needed=arguments.fit)
    inside = shown.left + shown.width <= width and shown.top + shown.height <= height
    fitting = None
    if bundle is not None and inside:
        fitting = one_step_region(bundle.manifest.input, shown, picture=(width, height))
        if arguments.fit and fitting is None:
            raise UsageError(f"--fit: {_about_size(bundle, shown, None)}")
        if arguments.fit and fitting is not None:
            region = shown = fitting
    _, content = cv2.imencode(file.suffix.lower(), draw_region(image, region))
    write_file(file, content.tobytes())
    _log.info(f"{file}: the camera's picture, {width}x{height} pixels")
    if region is None:
        _log.info("no region: the whole picture is used, as if the station file had this line:")
    print(_line(shown))
    if bundle is not None and inside:
        _log.info(_about_size(bundle, shown, fitting))
    region = shown
    right, bottom = region.left + region.width, region.top + region.height
    if not inside:
        _log.info(
            f"the region does not fit: it reaches to {right}, {bottom} (left + width, top + "
            f"height), and the picture ends at {width}, {height}"
        )
        return EXIT_NO
    return EXIT_OK


def _bundle(station: Path, *, needed: bool) -> Bundle | None:
    """The bundle that the station file names; None: there is none yet, or it cannot be read.

    Args:
        needed: whether nothing can be done without it.

    Raises:
        UsageError: it is needed, and the station file names none.
        BundleError, StorageError: it is needed, and cannot be read.
    """
    from edge.core.errors import BundleError, StorageError
    from edge.core.model.bundle import read_bundle
    from edge.core.yaml_file import YamlFile

    path = YamlFile(station).path_at(("bundle",))
    if path is None:
        if needed:
            raise UsageError(f"--fit needs the model's input: {station} has no line `bundle:`")
        return None
    try:
        return read_bundle(path)
    except (BundleError, StorageError) as error:
        if needed:
            raise
        _log.info(f"what its size means to the model is not known: {error}")
        return None


def _about_size(bundle: Bundle, region: Region, fitting: Region | None) -> str:
    """What the size of the region means to the model, in a sentence."""
    spec = bundle.manifest.input
    takes = f"{bundle.title} takes {spec.width}x{spec.height} pixels ({spec.geometry})"
    if spec.crop == "item":
        return f"{takes} of the item's own box: the size of the region costs no time"
    if fitting is None:
        return f"{takes}: no region of this picture is a multiple of that"
    if fitting == region:
        return f"{takes}: one resize is enough for a region of {region.width}x{region.height}"
    return (
        f"{takes}: a region of {region.width}x{region.height} is resized twice. One resize is "
        f"enough for {_line(fitting)} (--fit draws it). Choose it before you take photographs: the "
        "model should see what it was trained on"
    )


def _picture(vision: VisionConfig) -> Image:
    """The picture of the station's camera, uint8 (height, width, 3) BGR, once it has settled.

    Raises:
        CameraError: the camera gives no picture.
    """
    from edge.vision.camera.settled import settled_frame

    found = settled_frame(vision.camera)
    if found.seconds:
        how = "its brightness had settled" if found.steady else "its brightness still changed"
        _log.info(f"picture taken {found.seconds:.1f} s after the camera's first one: {how}")
    if (fault := found.frame.fault) is not None:
        _log.warning(f"warning: the camera {fault.words or 'gives one picture only'}")
    return found.frame.image


def _line(region: Region) -> str:
    fields = ", ".join(f"{name}: {value}" for name, value in region.model_dump().items())
    return f"region: {{{fields}}}"


def _numbers(text: str) -> tuple[int, int, int, int]:
    with suppress(ValueError):  # no numbers, or not four
        left, top, width, height = (int(part) for part in text.split(","))
        fits = min(left, top) >= 0 and min(width, height) >= _SMALLEST
        if fits and max(left, top, width, height) <= _LARGEST:
            return left, top, width, height
    raise argparse.ArgumentTypeError(
        "must be LEFT,TOP,WIDTH,HEIGHT in pixels, the first two at least 0, the others at least "
        f"{_SMALLEST}, none above {_LARGEST}. Received: {text}"
    )
