"""What a file is like is told once, and why it is no picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from edge.core.dataset import LabelledPicture
from tests.trainer.audit.drawn import COLOURS, draw, write
from trainer.audit import file_facts as module
from trainer.audit.file_facts import FileFacts, Unreadable, read_facts

pytestmark = pytest.mark.usefixtures("own_cache")


def facts(*paths: Path) -> list[FileFacts | Unreadable]:
    return read_facts([LabelledPicture(path, "can") for path in paths])


@pytest.mark.parametrize(("ending", "kind"), [("jpg", "JPEG"), ("png", "PNG"), ("bmp", "BMP")])
def test_size_and_format_are_told(tmp_path: Path, ending: str, kind: str) -> None:
    path = write(tmp_path / f"a.{ending}", draw(COLOURS["can"], 0)[:60])
    (found,) = facts(path)
    assert isinstance(found, FileFacts)
    assert (found.width, found.height, found.kind) == (96, 60, kind)
    assert found.size == path.stat().st_size
    assert bool(found.tables) == (kind == "JPEG")


def test_the_tables_of_a_jpeg_tell_how_strongly_it_was_compressed(tmp_path: Path) -> None:
    paths = []
    for number, quality in enumerate((90, 90, 60)):
        paths.append(tmp_path / f"{number}.jpg")
        image = draw(COLOURS["can"], number)
        cv2.imwrite(str(paths[-1]), image, (cv2.IMWRITE_JPEG_QUALITY, quality))
    first, alike, other = (f.tables for f in facts(*paths) if isinstance(f, FileFacts))
    assert first == alike != other


def test_what_is_no_picture_says_why(tmp_path: Path) -> None:
    empty, text, short = tmp_path / "empty.jpg", tmp_path / "text.jpg", tmp_path / "short.jpg"
    empty.touch()
    text.write_text("no picture at all")
    whole = write(tmp_path / "whole.jpg", draw(COLOURS["can"], 0)).read_bytes()
    short.write_bytes(whole[: len(whole) // 2])
    found = [f for f in facts(empty, text, short, tmp_path / "gone.jpg") if not hasattr(f, "kind")]
    assert [(f.is_empty, f.is_cut_short) for f in found if isinstance(f, Unreadable)] == [
        (True, False),
        (False, False),
        (False, True),
        (False, False),
    ]
    assert "cannot be opened" in found[3].why  # type: ignore[union-attr]


def test_a_file_seen_before_is_not_decoded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.jpg", draw(COLOURS["can"], 0))
    before = facts(path)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr(module, "decode_image", never)
    assert facts(path) == before
