"""Encoded files become the right pixels, or one named error that says what to do."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageOps

from edge.core.errors import PictureTooLargeError, UnreadableImageError
from edge.core.images.image_file import MAX_FILE_BYTES, Image, decode_image, read_image
from tests.edge.core.images.awkward import (
    awkward_files,
    bmp,
    exif,
    jpeg_with_exif,
    noise,
    png,
    slopes,
    stored,
    webp_with_exif,
)

FILES = awkward_files()
RGB = noise(97, 151)
BGR = RGB[:, :, ::-1]


def on_white(bgr: Image, alpha: Image) -> Image:
    """What transparency means: the colour's share over white, rounded."""
    share = alpha.astype(np.float64) / 255
    return np.floor(bgr * share + 255 * (1 - share) + 0.5).astype(np.uint8)


def test_rgb_becomes_bgr() -> None:
    assert np.array_equal(decode_image(png(RGB, colour=2)), BGR)


def test_grey_becomes_three_equal_channels() -> None:
    grey = noise(97, 151, 1)
    assert np.array_equal(decode_image(png(grey, colour=0)), grey.repeat(3, axis=2))


@pytest.mark.parametrize(("depth", "factor"), [(1, 255), (2, 85), (4, 17)])
def test_few_grey_levels_span_black_to_white(depth: int, factor: int) -> None:
    grey = noise(97, 151, 1) & ((1 << depth) - 1)
    expected = (grey * factor).astype(np.uint8).repeat(3, axis=2)
    assert np.array_equal(decode_image(png(grey, colour=0, depth=depth)), expected)


def test_transparent_pixels_lie_on_white() -> None:
    rgba = noise(97, 151, 4)
    expected = on_white(rgba[:, :, 2::-1], rgba[:, :, 3:])
    assert np.array_equal(decode_image(png(rgba, colour=6)), expected)


def test_grey_with_alpha_lies_on_white() -> None:
    both = noise(97, 151, 2)
    expected = on_white(both[:, :, :1].repeat(3, axis=2), both[:, :, 1:])
    assert np.array_equal(decode_image(png(both, colour=4)), expected)


def test_a_palette_with_transparent_entries_lies_on_white() -> None:
    index = noise(97, 151, 1) & 3
    palette = np.array([[255, 0, 0], [0, 255, 0], [10, 20, 30], [0, 0, 0]], np.uint8)
    alpha = np.array([0, 255, 128, 255], np.uint8)
    content = png(
        index,
        colour=3,
        before=((b"PLTE", palette.tobytes()), (b"tRNS", alpha[:3].tobytes())),
    )
    expected = on_white(palette[index[:, :, 0]][:, :, ::-1], alpha[index])
    assert np.array_equal(decode_image(content), expected)


def test_a_transparent_grey_level_stays_as_it_is() -> None:
    grey = noise(97, 151, 1) // 64
    content = png(grey, colour=0, before=((b"tRNS", b"\0\2"),))
    assert np.array_equal(decode_image(content), grey.repeat(3, axis=2))


def test_a_transparent_colour_lies_on_white() -> None:
    rgb = noise(97, 151) // 128 * 255
    content = png(rgb, colour=2, before=((b"tRNS", b"\0\xff\0\0\0\xff"),))
    magenta = (rgb == (255, 0, 255)).all(axis=2, keepdims=True)
    expected = np.where(magenta, 255, rgb[:, :, ::-1]).astype(np.uint8)
    assert np.array_equal(decode_image(content), expected)


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3)])
def test_sixteen_bits_keep_their_upper_eight(colour: int, channels: int) -> None:
    wide = noise(97, 151, 2 * channels).view(np.uint16)
    upper = (wide >> 8).astype(np.uint8)
    expected = upper[:, :, ::-1] if channels == 3 else upper.repeat(3, axis=2)
    assert np.array_equal(decode_image(png(wide, colour=colour, depth=16)), expected)


def test_sixteen_bits_with_alpha_lie_on_white() -> None:
    wide = noise(97, 151, 8).view(np.uint16)
    upper = (wide >> 8).astype(np.uint8)
    expected = on_white(upper[:, :, 2::-1], upper[:, :, 3:])
    assert np.array_equal(decode_image(png(wide, colour=6, depth=16)), expected)


@pytest.mark.parametrize("form", [{}, {"top_down": True}, {"bits": 32}])
def test_bmp_in_its_forms(form: dict[str, int]) -> None:
    assert np.array_equal(decode_image(bmp(BGR, **form)), BGR)


def test_an_animation_gives_its_first_picture() -> None:
    assert np.array_equal(decode_image(FILES["animated.png"]()), slopes(53, 90)[:, :, ::-1])
    first = decode_image(FILES["animated.webp"]())
    still = decode_image(FILES["lossy.webp"]())
    assert np.abs(first.astype(int) - still).mean() < 8


# How a picture must be turned so that it stands upright: Exif 2.32, tag Orientation, where the
# names are of the side on which the stored 0th row and 0th column are to be seen.
TURNS = {
    1: lambda picture: picture,  # row 0 top, column 0 left
    2: lambda picture: picture[:, ::-1],  # top, right
    3: lambda picture: np.rot90(picture, 2),  # bottom, right
    4: lambda picture: picture[::-1],  # bottom, left
    5: lambda picture: picture.transpose(1, 0, 2),  # left, top
    6: lambda picture: np.rot90(picture, -1),  # right, top: a quarter turn clockwise
    7: lambda picture: picture.transpose(1, 0, 2)[::-1, ::-1],  # right, bottom
    8: lambda picture: np.rot90(picture, 1),  # left, bottom: a quarter turn back
}


@pytest.mark.parametrize("turn", TURNS)
def test_exif_orientation_in_jpeg(turn: int) -> None:
    still = decode_image(stored("baseline_420.jpg"))
    for order in "<>":
        turned = jpeg_with_exif(stored("baseline_420.jpg"), exif(turn, order=order))
        assert np.array_equal(decode_image(turned), TURNS[turn](still))


@pytest.mark.parametrize("turn", TURNS)
def test_exif_orientation_in_png(turn: int) -> None:
    content = png(RGB, colour=2, before=((b"eXIf", exif(turn)),))
    assert np.array_equal(decode_image(content), TURNS[turn](BGR))


@pytest.mark.parametrize("turn", TURNS)
def test_exif_orientation_in_webp(turn: int) -> None:
    still = decode_image(stored("lossy.webp"))
    content = webp_with_exif(stored("lossy.webp"), exif(turn), height=97, width=151)
    assert np.array_equal(decode_image(content), TURNS[turn](still))


def test_transparency_turns_with_its_picture() -> None:
    rgba = noise(53, 90, 4)
    content = png(rgba, colour=6, before=((b"eXIf", exif(6)),))
    expected = np.rot90(on_white(rgba[:, :, 2::-1], rgba[:, :, 3:]), -1)
    assert np.array_equal(decode_image(content), expected)


@pytest.mark.parametrize(
    "block",
    [exif(0), exif(9), b"", b"II*\0", exif(6)[:12], b"MM\0*\xff\xff\xff\xff", b"rubbish"],
    ids=["0", "9", "empty", "header only", "cut", "points outside", "rubbish"],
)
def test_a_senseless_orientation_leaves_the_picture_as_it_is(block: bytes) -> None:
    still = decode_image(stored("baseline_420.jpg"))
    turned = decode_image(jpeg_with_exif(stored("baseline_420.jpg"), block))
    assert np.array_equal(turned, still)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("empty.jpg", "the file has no bytes: copy it again"),
        (
            "text.jpg",
            "this is not a picture in a known format: use JPEG, PNG, WebP or BMP",
        ),
        ("cut.jpg", "this JPEG file is damaged (it is cut short): copy it again"),
        ("cut_in_header.jpg", "this JPEG file is damaged (it is cut short): copy it again"),
        ("cut_progressive.jpg", "this JPEG file is damaged (it is cut short): copy it again"),
        ("cut_with_thumbnail.jpg", "this JPEG file is damaged (it is cut short): copy it again"),
        ("cut.png", "this PNG file is damaged (it is cut short): copy it again"),
        ("cut_end.png", "this PNG file is damaged (it is cut short): copy it again"),
        ("flipped_bit.png", "this PNG file is damaged (bytes of it were changed)"),
        ("cut.webp", "this WebP file is damaged (it is cut short): copy it again"),
        ("cut_lossless.webp", "this WebP file is damaged (it is cut short): copy it again"),
        ("cut.bmp", "this BMP file is damaged (it is cut short): copy it again"),
        ("picture.gif", "GIF is not supported: use JPEG, PNG, WebP or BMP"),
        ("picture.tif", "TIFF is not supported"),
        ("picture.heic", "convert the picture to JPEG first, for example with `heif-convert"),
    ],
)
def test_what_cannot_be_read_says_why_and_what_to_do(
    name: str, says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UnreadableImageError) as caught:
        decode_image(FILES[name](), name=name)
    assert str(caught.value).startswith(f"{name}: ")
    assert says in str(caught.value)
    assert capfd.readouterr().err == "", "the decoder has nothing to add"


def test_a_cut_file_with_a_whole_thumbnail_has_an_end_marker() -> None:
    assert b"\xff\xd9" in FILES["cut_with_thumbnail.jpg"](), "else the test above proves nothing"


def test_every_shorter_jpeg_is_refused() -> None:
    whole = stored("thumbnail.jpg")
    for length in range(len(whole) - 1):
        with pytest.raises(UnreadableImageError):
            decode_image(whole[:length])


def test_bytes_that_begin_well_and_make_no_sense_are_refused() -> None:
    broken = stored("baseline_420.jpg").replace(b"\xff\xc0", b"\xff\xfe")
    with pytest.raises(UnreadableImageError, match="open it in a viewer and save it again"):
        decode_image(broken)


def test_damage_to_a_comment_does_not_matter() -> None:
    content = png(RGB, colour=2, before=((b"tEXt", b"Comment\0hello"),))
    assert np.array_equal(decode_image(content.replace(b"hello", b"hullo")), BGR)


def test_the_content_decides_not_the_ending(tmp_path: Path) -> None:
    (tmp_path / "picture.jpg").write_bytes(png(RGB, colour=2))
    assert np.array_equal(read_image(tmp_path / "picture.jpg"), BGR)


@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "picture.jpg"
    if kind == "folder":
        path.mkdir()
    with pytest.raises(UnreadableImageError, match=r"picture\.jpg: cannot be read \("):
        read_image(path)


@pytest.mark.shared
def test_every_photograph_beside_the_checkout_can_be_read(shared: Path) -> None:
    photographs = sorted((shared / "data").rglob("*.jpg"))[::40]
    assert len(photographs) > 50
    for path in photographs:
        image = read_image(path)
        assert image.dtype == np.uint8
        assert image.ndim == 3


def test_what_claims_too_much_is_refused_before_it_is_decoded() -> None:
    for side in (8193, 20000, 65535):
        header = struct.pack(">II", side, side)
        content = png(RGB, colour=2)
        claims = content[:16] + header + content[24:]
        with pytest.raises(PictureTooLargeError, match=f"claims {side:,} x {side:,} pixels"):
            decode_image(claims, name="bomb.png")


def test_pixels_of_many_bytes_are_bounded_by_their_bytes() -> None:
    content = png(noise(3, 3, 4), colour=6, depth=8)
    header = struct.pack(">IIBB", 8000, 8000, 16, 6)
    with pytest.raises(PictureTooLargeError, match="which take 16 bytes each"):
        decode_image(content[:16] + header + content[26:])


def test_a_jpeg_that_goes_over_its_pixels_without_end_is_refused() -> None:
    content = bytearray(stored("progressive.jpg"))
    at = content.index(b"\xff\xc2")
    content[at + 5 : at + 9] = struct.pack(">HH", 8000, 8000)
    scan = bytes(content[content.index(b"\xff\xda") : -2])
    with pytest.raises(PictureTooLargeError, match=r"in .* scans, and a progressive"):
        decode_image(bytes(content[:-2]) + scan * 30)


def test_a_file_that_is_too_large_or_no_plain_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "large.bmp").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(PictureTooLargeError, match=r"large\.bmp: the file has .* bytes"):
        read_image(tmp_path / "large.bmp")
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(UnreadableImageError, match=r"pipe\.jpg: this is not a regular file"):
        read_image(tmp_path / "pipe.jpg")


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_a_picture_whose_sixteen_bits_hold_fewer_is_refused(bits: int) -> None:
    levels = noise(20, 20, 2).view(np.uint16) >> (16 - bits)
    with pytest.raises(UnreadableImageError, match="would be nearly black"):
        decode_image(png(levels, colour=0, depth=16))
    assert not decode_image(png(levels * 0, colour=0, depth=16)).any(), "black is black"


@pytest.mark.parametrize("level", [0, 255])
def test_a_picture_of_which_nothing_is_seen_is_refused(level: int) -> None:
    """All transparent, or a white thing on a transparent ground."""
    rgba = np.full((20, 20, 4), level, np.uint8)
    rgba[:, 5:, 3] = 0
    rgba[:, :5, 3] = level
    with pytest.raises(UnreadableImageError, match="this picture would be all white"):
        decode_image(png(rgba, colour=6))


def masked_bmp(*masks: int, alpha: int = 0, header: int = 40) -> bytes:
    """A 32-bit BMP file whose fourth byte goes from 0 on."""
    words = struct.pack("<IIII", *masks, alpha)[: 12 if header == 40 else 16]
    start = 14 + 40 + 12 if header == 40 else 14 + header
    pixels = noise(5, 4, 4).tobytes()
    head = struct.pack("<2sIHHI", b"BM", start + len(pixels), 0, 0, start)
    head += struct.pack("<IiiHHIIiiII", header, 4, 5, 1, 32, 3, len(pixels), 0, 0, 0, 0) + words
    return head.ljust(start, b"\0") + pixels


def test_bmp_masks_that_opencv_reads_otherwise_are_refused() -> None:
    usual = (0xFF0000, 0xFF00, 0xFF)
    assert decode_image(masked_bmp(*usual)).shape == (5, 4, 3)
    for masks in ((0xFF, 0xFF00, 0xFF0000), (0x7FF << 21, 0x7FF << 10, 0x3FF)):
        with pytest.raises(UnreadableImageError, match="packed in an unusual order"):
            decode_image(masked_bmp(*masks))
    with pytest.raises(UnreadableImageError, match="transparent pixels"):
        decode_image(masked_bmp(*usual, alpha=0xFF000000, header=108))


def tag(kind: int, value: int, *, order: str) -> bytes:
    """An EXIF block whose orientation has a number of this type."""
    form = {1: "B3x", 3: "H2x", 4: "I", 6: "b3x", 8: "h2x", 9: "i"}[kind]
    entry = struct.pack(f"{order}HHI{form}", 0x0112, kind, 1, value)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, 1)
    return head + entry + bytes(4)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [1, 3, 4, 6, 8, 9])
def test_orientation_is_read_by_its_own_type_as_pillow_does(kind: int, order: str) -> None:
    content = jpeg_with_exif(stored("baseline_420.jpg"), tag(kind, 6, order=order))
    upright = ImageOps.exif_transpose(PillowImage.open(io.BytesIO(content)))
    assert decode_image(content).shape[1::-1] == upright.size


def test_orientation_is_read_from_xmp_where_exif_has_none() -> None:
    plain = stored("baseline_420.jpg")
    packet = b'http://ns.adobe.com/xap/1.0/\0<rdf:Description tiff:Orientation="6"/>'
    xmp = b"\xff\xe1" + struct.pack(">H", len(packet) + 2) + packet
    with_xmp = plain[:2] + xmp + plain[2:]
    assert decode_image(with_xmp).shape == decode_image(plain).transpose(1, 0, 2).shape
    assert np.array_equal(decode_image(jpeg_with_exif(with_xmp, exif(1))), decode_image(plain))
