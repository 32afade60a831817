"""Arrays of pictures become the picture files that everything else reads."""

from __future__ import annotations

import gzip
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.core.dataset import read_picture_set
from edge.core.errors import PictureSetError
from edge.core.images.image_file import read_image
from trainer.data.arrays import unpacked

pytestmark = pytest.mark.usefixtures("own_cache")

GREY = np.random.default_rng(0).integers(0, 256, (6, 9, 12), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (4, 9, 12, 3), dtype=np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2])
TEXT = np.array(["can", "jar", "bag"])


def write_npz(path: Path, **changes: np.ndarray) -> Path:
    arrays = {"x_train": GREY, "y_train": LABELS, "x_test": GREY[:3], "y_test": LABELS[:3]}
    np.savez(path, **(arrays | changes))
    return path


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx(folder: Path, *, packed: bool = False) -> Path:
    folder.mkdir()
    for start, count in {"train": 6, "t10k": 3}.items():
        for name, array in {
            f"{start}-images-idx3-ubyte": GREY[:count],
            f"{start}-labels-idx1-ubyte": LABELS[:count].astype(np.uint8),
        }.items():
            content = idx(array)
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (folder / name).write_bytes(content)
    return folder


def test_an_npz_file_is_a_divided_set(tmp_path: Path) -> None:
    found = read_picture_set(unpacked(write_npz(tmp_path / "set.npz")))
    assert found.classes == ("0", "1", "2")
    assert sorted(p.split or "" for p in found.pictures) == ["test"] * 3 + ["train"] * 6
    for picture in found.pictures:
        image = cv2.cvtColor(read_image(picture.path), cv2.COLOR_BGR2GRAY)
        number = int(picture.path.stem) - 1
        assert np.array_equal(image, GREY[number])
        assert picture.label == str(LABELS[number])


def test_colours_come_in_their_order(tmp_path: Path) -> None:
    file = write_npz(tmp_path / "c.npz", x_train=COLOUR, y_train=LABELS[:4])
    image = read_image(unpacked(file) / "train" / "1" / "000002.png")
    assert np.array_equal(image[..., ::-1], COLOUR[1])


@pytest.mark.parametrize("packed", [False, True])
def test_idx_files_are_the_same_pictures(tmp_path: Path, packed: bool) -> None:
    assert unpacked(write_idx(tmp_path / "idx", packed=packed)) == unpacked(
        write_npz(tmp_path / "set.npz")
    )


def test_labels_may_stand_beside_it(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("can\njar\nbag\n", encoding="utf-8")
    found = read_picture_set(unpacked(write_npz(tmp_path / "set.npz")))
    assert found.classes == ("bag", "can", "jar")


@pytest.mark.parametrize(
    "values",
    [
        LABELS[:, None], LABELS.astype(np.uint64), LABELS.astype(np.float32),
        np.eye(3)[LABELS], np.eye(3, dtype=bool)[LABELS], TEXT[LABELS], TEXT[LABELS].astype(bytes),
    ],
)  # fmt: skip
def test_labels_in_the_forms_that_people_save_them(tmp_path: Path, values: np.ndarray) -> None:
    (tmp_path / "labels.txt").write_text("can\njar\nbag\n", encoding="utf-8")
    np.savez(tmp_path / "set.npz", x_train=GREY, y_train=values)
    pictures = read_picture_set(unpacked(tmp_path / "set.npz")).pictures
    truth = {int(picture.path.stem) - 1: picture.label for picture in pictures}
    assert [truth[number] for number in range(6)] == TEXT[LABELS].tolist()


def test_text_and_article_numbers_are_labels_themselves(tmp_path: Path) -> None:
    for values in (
        TEXT[LABELS],
        LABELS + 4006381333930,
        LABELS.astype(np.uint64) + np.uint64(2**64 - 4),
    ):
        np.savez(tmp_path / "set.npz", x=GREY, y=values)
        classes = read_picture_set(unpacked(tmp_path / "set.npz")).classes
        assert classes == tuple(sorted(set(map(str, values.tolist()))))


@pytest.mark.parametrize("name", ["x_val", "X_valid", "val_images"])
def test_arrays_are_known_by_the_names_that_tools_give_them(tmp_path: Path, name: str) -> None:
    labels = name.lower().replace("x_", "y_").replace("images", "labels")
    np.savez(tmp_path / "set.npz", X_train=GREY, y_train=LABELS, **{name: GREY, labels: LABELS})
    assert sorted(p.name for p in unpacked(tmp_path / "set.npz").iterdir()) == [
        "train", "validation",
    ]  # fmt: skip


@pytest.mark.usefixtures("log_lines")
def test_arrays_that_are_not_read_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "set.npz", x=GREY, y=LABELS, extra=np.array([{}], object))
    unpacked(tmp_path / "set.npz")
    assert "set.npz: not read: the arrays extra" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("labels", "values", "says"),
    [
        (b"../../../../../x\nb\nc\n", LABELS, r"labels\.txt:1: the label .* has a slash"),
        (b"a/b\nb\nc\n", LABELS, r"labels\.txt:1: the label 'a/b' has a slash"),
        (b"m\xe4\nb\nc\n", LABELS, r"labels\.txt:1: not text in UTF-8"),
        (b"a\na\nc\n", LABELS, r"labels\.txt:2: the label a is already on line 1"),
        (b"a\nb\n", LABELS, r"y_train: 2 pictures have the class 2, and labels\.txt has 2 labels"),
        (b"a\nb\nc\n", LABELS - 1, "2 pictures have the class number -1"),
        (b"a\nb\nc\n", LABELS + 4006381333930, r"the class 4006381333930, and labels\.txt has 3"),
        (b"a\nb\nc\n", TEXT[LABELS], r"2 pictures have the class 'bag', and labels\.txt has 3"),
    ],
)
def test_labels_that_do_not_fit_are_refused_before_anything_is_written(
    tmp_path: Path, labels: bytes, values: np.ndarray, says: str
) -> None:
    (tmp_path / "labels.txt").write_bytes(labels)
    np.savez(tmp_path / "set.npz", x_train=GREY, y_train=values)
    with pytest.raises(PictureSetError, match=says):
        unpacked(tmp_path / "set.npz")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.txt", "set.npz"]


def test_a_label_without_a_picture_is_a_class_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("can\njar\nbag\nbox\n", encoding="utf-8")
    found = read_picture_set(unpacked(write_npz(tmp_path / "set.npz")))
    assert (found.classes, found.labels) == (("bag", "box", "can", "jar"), ("bag", "can", "jar"))


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of change of each file."""
    return {
        str(file.relative_to(folder)): (file.read_bytes(), file.stat().st_mtime_ns)
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.mark.usefixtures("log_lines")
def test_a_second_time_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = unpacked(write_npz(tmp_path / "set.npz"))
    before = state(folder.parent)
    assert unpacked(tmp_path / "set.npz") == folder
    assert state(folder.parent) == before
    assert "anew" not in capsys.readouterr().err


def test_the_list_beside_them_is_one_that_other_tools_can_check(tmp_path: Path) -> None:
    folder = unpacked(write_npz(tmp_path / "set.npz"))
    command = ["sha256sum", "--check", "--quiet", f"../{folder.name}.sha256"]
    subprocess.run(command, cwd=folder, check=True)


def exchange(first: Path, second: Path) -> None:
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        lambda at: (at / "train/0/000001.png").unlink(),
        lambda at: flip(at / "train/0/000001.png"),
        lambda at: exchange(at / "train/0/000001.png", at / "test/1/000002.png"),
        lambda at: (at / "train/0/000001.png").rename(at / "train/1/000001.png"),
        lambda at: (at / "train/0/000001.png").write_bytes(b""),
        lambda at: shutil.copy(at / "train/0/000001.png", at / "train/0/000007.png"),
        lambda at: shutil.rmtree(at / "test"),
        lambda at: (at / "train/3").rmdir(),
        lambda at: (at / "train/4").mkdir(),
        lambda at: at.with_name(f"{at.name}.sha256").unlink(),
        lambda at: at.with_name(f"{at.name}.sha256").write_bytes(b"\xff\0"),
        lambda at: flip(at.with_name(f"{at.name}.sha256")),
    ],
)
@pytest.mark.usefixtures("log_lines")
def test_what_was_changed_since_is_said_and_unpacked_anew(
    tmp_path: Path, damage: Callable[[Path], object], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "labels.txt").write_text("0\n1\n2\n3\n", encoding="utf-8")
    folder = unpacked(write_npz(tmp_path / "set.npz"))

    def contents() -> dict[str, bytes]:
        folders = {str(path.relative_to(folder)): b"" for path in folder.rglob("*")}
        return folders | {name: content for name, (content, _) in state(folder.parent).items()}

    before = contents()
    damage(folder)
    assert unpacked(tmp_path / "set.npz") == folder
    assert contents() == before
    assert "are not those that were unpacked: they are unpacked anew" in capsys.readouterr().err


def test_what_is_no_array_stays_as_it_is(tmp_path: Path) -> None:
    assert unpacked(tmp_path) == tmp_path
    assert unpacked(tmp_path / "list.csv") == tmp_path / "list.csv"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"y_train": LABELS[:5]}, "a whole number or a text for each of 6 pictures"),
        ({"y_train": LABELS / 2}, "a whole number for each of 6 pictures.* with 0.5"),
        ({"y_train": LABELS + np.nan}, "a whole number for each of 6 pictures"),
        ({"y_train": np.eye(6)[LABELS] * 2}, "rows of zeros with a single 1.*row 0 is another"),
        ({"y_train": LABELS.astype(object)}, r"is not run: save it as plain numbers or text"),
        ({"y_train": LABELS - 1}, "2 pictures have the class number -1, which often says that no"),
        ({"y_train": LABELS.astype(complex)}, "a whole number or a text"),
        ({"y_train": LABELS.astype(str)}, "must be text in all of them, or numbers in all"),
        ({"y_train": np.array(list("ab../"))[[0, 1, 2, 3, 4, 0]].astype(bytes), "y_test": TEXT},
         r"y_train: the label '\.' .*\n.*y_train: the label '/' has a slash"),
        ({"x_train": GREY / 255}, r"expected uint8 .* Received: float64.*\(x \* 255\)\.round\(\)"),
        ({"x_train": GREY.astype(int)}, r"Received: int64 .*x\.astype\(np\.uint8\)"),
        ({"x_train": GREY[0]}, r"Received: uint8 \(9, 12\): give each picture its height"),
        ({"x_train": np.zeros((6, 3, 9, 9), np.uint8)}, r"x\.transpose\(0, 2, 3, 1\)"),
        ({"x_train": np.zeros((6, 9, 9, 4), np.uint8)}, r"x\[\.\.\., :3\]"),
        ({"x_train": GREY[:, :0]}, "a picture has levels"),
        ({"x_train": GREY[:0], "y_train": LABELS[:0], "x_test": GREY[:0], "y_test": LABELS[:0]},
         "there are no pictures"),
        ({"train_images": GREY, "train_labels": LABELS}, "which name the same split"),
    ],
)  # fmt: skip
def test_arrays_that_are_no_pictures_are_told(
    tmp_path: Path, changes: dict[str, np.ndarray], words: str
) -> None:
    with pytest.raises(PictureSetError, match=words):
        unpacked(write_npz(tmp_path / "set.npz", **changes))


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x_train=GREY)
    with pytest.raises(PictureSetError, match="has no array y_train"):
        unpacked(tmp_path / "a.npz")
    (write_idx(tmp_path / "idx") / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(PictureSetError, match="t10k-labels-idx1-ubyte is missing"):
        unpacked(tmp_path / "idx")
    (tmp_path / "idx" / "t10k-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\x09ab")
    with pytest.raises(PictureSetError, match="not a whole idx file"):
        unpacked(tmp_path / "idx")
    np.save(tmp_path / "one.npy", GREY)
    for content in (b"", b"PK\x03\x04rubbish", (tmp_path / "one.npy").read_bytes()):
        (tmp_path / "b.npz").write_bytes(content)
        with pytest.raises(PictureSetError, match="not a NumPy file"):
            unpacked(tmp_path / "b.npz")
