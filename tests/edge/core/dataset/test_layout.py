"""Which folders are classes, and which are splits, in the layouts of public data sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.core.dataset import read_picture_set
from edge.core.errors import PictureSetError
from tests.edge.core.dataset.test_reading import touch


def parts(path: Path) -> list[tuple[str, str, str | None]]:
    return [(p.path.name, p.label, p.split) for p in read_picture_set(path).pictures]


@pytest.mark.parametrize("name", ["val", "valid", "validation", "VAL"])
def test_a_divided_folder_keeps_its_parts(tmp_path: Path, name: str) -> None:
    touch(tmp_path, "train/can/1.jpg", f"{name}/can/2.jpg", "test/can/3.jpg")
    touch(tmp_path, "train/jar/x/4.jpg")
    assert sorted(parts(tmp_path)) == [
        ("1.jpg", "can", "train"), ("2.jpg", "can", "validation"), ("3.jpg", "can", "test"),
        ("4.jpg", "jar", "train"),
    ]  # fmt: skip
    found = read_picture_set(tmp_path)
    assert (found.classes, found.notes) == (("can", "jar"), ())


@pytest.mark.parametrize(
    ("folders", "expected", "says"),
    [
        (
            ["train", "val"],
            {"train", "test"},
            "the validation split is used for the test",
        ),
        (["train", "test"], {"train", "test"}, "no validation split is given"),
        (["train"], {None}, "both are taken out of the train split"),
    ],
)
def test_what_a_divided_folder_lacks_is_told(
    tmp_path: Path, folders: list[str], expected: set[str | None], says: str
) -> None:
    touch(tmp_path, *(f"{folder}/can/1.jpg" for folder in folders))
    assert {part for _, _, part in parts(tmp_path)} == expected
    assert says in read_picture_set(tmp_path).missing_splits


CLASSES = ("can/1.jpg", "can/2.jpg", "jar/3.jpg")


def put(root: Path, *folders: str, names: tuple[str, ...] = CLASSES) -> None:
    touch(root, *(f"{folder}/{name}" for folder in folders for name in names))


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("Training", "Test"),
        ("Training", "Testing"),
        ("training_set", "test_set"),
        ("training_set/training_set", "test_set/test_set"),
        ("TrainSet", "TestSet"),
        ("trainset", "testset"),
        ("train_data", "test_data"),
        ("train-images", "test-images"),
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("flowers_train", "flowers_test"),
        ("train_256", "test_256"),
        ("TRAIN", "TEST"),
        ("dataset/dataset/train", "dataset/dataset/test"),
        ("archive/Fruits-360/Training", "archive/Fruits-360/Test"),
        ("training", "evaluation"),
        ("train", "holdout"),
    ],
)
def test_parts_by_the_names_that_public_sets_give_them(
    tmp_path: Path, train: str, test: str
) -> None:
    put(tmp_path, train, test)
    assert {(label, part) for _, label, part in parts(tmp_path)} == {
        ("can", "train"), ("can", "test"), ("jar", "train"), ("jar", "test"),
    }  # fmt: skip


def test_a_divided_set_as_roboflow_exports_it(tmp_path: Path) -> None:
    put(tmp_path, "train", "valid", "test")
    touch(tmp_path, "README.roboflow.txt", "README.dataset.txt", "__MACOSX/train/can/._1.jpg")
    assert {part for _, _, part in parts(tmp_path)} == {"train", "validation", "test"}
    assert read_picture_set(tmp_path).notes == ()


def test_a_part_without_labels_is_left_out_and_told(tmp_path: Path) -> None:
    put(tmp_path, "Training", "Validation")
    touch(tmp_path, "Test/1.jpg", "Test/2.jpg", "test-multiple_fruits/3.jpg", "seg_pred/4.jpg")
    found = read_picture_set(tmp_path)
    assert {picture.split for picture in found.pictures} == {"train", "test"}
    assert found.classes == ("can", "jar")
    assert f"{tmp_path}/Test: its 2 pictures lie in no folders of classes" in found.notes[0]
    assert [note.partition(":")[0] for note in found.notes] == [
        f"{tmp_path}/{name}" for name in ("Test", "seg_pred", "test-multiple_fruits")
    ]


def test_a_part_may_have_one_class_whose_pictures_lie_in_folders(tmp_path: Path) -> None:
    put(tmp_path, "train")
    touch(tmp_path, "test/can/monday/1.jpg", "test/can/tuesday/2.jpg")
    assert read_picture_set(tmp_path).classes == ("can", "jar")


@pytest.mark.parametrize(
    "around", ["dataset", "dataset/dataset", "archive/Garbage set/Garbage set",
               "trashnet-master/data/dataset-resized", "test"]
)  # fmt: skip
def test_folders_around_a_set_are_gone_into_and_that_is_said(tmp_path: Path, around: str) -> None:
    put(tmp_path, around)
    touch(tmp_path, "readme.md", "__MACOSX/1.jpg", f"{around}/.DS_Store", f"{around}/can/Thumbs.db")
    found = read_picture_set(tmp_path)
    assert found.classes == ("can", "jar")
    assert found.notes == (
        f"{tmp_path}: the classes are in its folder {tmp_path}/{around}, which is read",
    )


def test_a_folder_of_a_known_label_is_a_class_and_nothing_around_one(tmp_path: Path) -> None:
    put(tmp_path, "can", names=("monday/1.jpg", "tuesday/2.jpg"))
    assert read_picture_set(tmp_path, labels=["can"]).classes == ("can",)
    touch(tmp_path, "first/can/1.jpg", "first/jar/2.jpg", "later/jar/a/1.jpg", "later/jar/b/1.jpg")
    found = read_picture_set(tmp_path / "first", add=[tmp_path / "later"])
    assert found.classes == ("can", "jar")


def test_folders_that_were_captured_are_classes_whatever_their_names(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/1.jpg", "train/b/1.jpg", "test/1.jpg", "capture.json")
    assert read_picture_set(tmp_path).classes == ("test", "train")


def test_classes_that_are_divided_each_by_itself(tmp_path: Path) -> None:
    put(tmp_path, "can", "jar", names=("train/1.jpg", "test/2.jpg", "train/more/3.jpg"))
    assert sorted(parts(tmp_path)) == [
        (f"{number}.jpg", label, part)
        for number, part in ((1, "train"), (2, "test"), (3, "train"))
        for label in ("can", "jar")
    ]


def test_a_thing_on_rails_among_other_things_is_a_class(tmp_path: Path) -> None:
    touch(tmp_path, "train/1.jpg", "bus/1.jpg", "train-ticket/1.jpg")
    assert read_picture_set(tmp_path).classes == ("bus", "train", "train-ticket")


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["train/1.jpg", "test/1.jpg"], "2 pictures lie here in 'test', 'train' without a class"),
        (["train/cat.0.jpg", "test1/1.jpg"], "in 'test1', 'train' without a class"),
        (["train/1.jpg"], "1 picture lies here without a class"),
        (["train/a/1.jpg", "train/b/1.jpg", "test/a/1.jpg", "can/1.jpg"],
         "'test', 'train' are splits of a data set, and 'can' lies beside them: move it away"),
        (["train/a/1.jpg", "test/a/1.jpg", "x/train/a/1.jpg", "x/test/a/1.jpg"],
         r"'x' lies beside them: move it away, or give .*/x alone"),
        (["val/a/1.jpg", "test/a/1.jpg"], r"no train split with folders.*for example .*/test"),
        (["ok/1.jpg", "bad/1.jpg", "test/1.jpg"], "'test' has the name of a split, but no folders"),
        (["x/train/a/1.jpg", "x/train/b/1.jpg", "x/test/a/1.jpg", "y/y/train/a/1.jpg",
          "y/y/train/b/1.jpg", "y/y/test/a/1.jpg"],
         r"'x', 'y' has its own splits with folders of classes: give .*/x$"),
        (["can/train/1.jpg", "can/test/1.jpg", "jar/1.jpg"], "Write a manifest"),
        (["brain/yes/1.jpg", "brain/no/1.jpg", "yes/1.jpg", "no/1.jpg"],
         r"'brain' has folders of the same names .*'no', 'yes'.*or give .*/brain alone"),
        (["fold1/a/1.jpg", "fold1/b/1.jpg", "fold2/a/1.jpg", "fold2/b/1.jpg"],
         r"class map, .*`a: \[fold1/a, fold2/a\]`"),
        (["2026-01-01/a/1.jpg", "2026-01-01/b/1.jpg", "2026-01-02/a/1.jpg", "2026-01-02/b/1.jpg"],
         "class map"),
        (["train/images/1.jpg", "train/labels/1.txt", "valid/images/1.jpg", "valid/labels/1.txt"],
         "boxes or masks"),
        (["images/train/1.jpg", "labels/train/1.txt"], "boxes or masks"),
        (["images/1.jpg", "masks/1.png"], "boxes or masks"),
        (["JPEGImages/1.jpg", "Annotations/1.xml"], "boxes or masks"),
        (["train/1.jpg", "train/_annotations.coco.json", "valid/2.jpg"], "set for detection"),
        (["images/1.jpg", "images/2.jpg", "labels.csv"],
         r"/images: 2 pictures lie here without .*'labels\.csv' may have the labels"),
        (["archive/images/1.jpg", "archive/images/2.jpg"], "/images: 2 pictures lie here without"),
    ],
)  # fmt: skip
def test_a_layout_that_cannot_be_told_is_refused_with_what_is_probably_meant(
    tmp_path: Path, names: list[str], says: str
) -> None:
    touch(tmp_path, *names)
    with pytest.raises(PictureSetError, match=says):
        read_picture_set(tmp_path)


def test_pictures_beside_the_folders_of_classes_are_told(tmp_path: Path) -> None:
    put(tmp_path, ".")
    touch(tmp_path, "9.jpg", "8.png", "dataset.zip")
    found = read_picture_set(tmp_path)
    assert len(found.pictures) == 3
    assert found.notes == (
        f"{tmp_path}: 2 pictures lie beside the folders and have no class, so they are left "
        "out; the first is '8.png'",
    )
    assert found.skipped == (f"{tmp_path}/dataset.zip: it is an archive: unpack it",)


def test_documents_are_no_class_and_those_beside_pictures_are_counted(tmp_path: Path) -> None:
    put(tmp_path, ".")
    touch(tmp_path, "can/1.xml", "can/2.xml", "jar/notes.txt", "papers/a.pdf")
    (tmp_path / "empty").mkdir()
    found = read_picture_set(tmp_path)
    assert found.classes == ("can", "empty", "jar")
    assert found.notes == (
        f"{tmp_path}: files that are not pictures are left out: 2 .xml files, 1 .txt file, "
        "1 .pdf file",
    )


def test_folders_whose_names_are_nearly_equal_are_told(tmp_path: Path) -> None:
    touch(tmp_path, "Glass/1.jpg", "glass/2.jpg", "can/3.jpg")
    (note,) = read_picture_set(tmp_path).notes
    assert note.startswith("'Glass' and 'glass' are 2 classes")


def test_two_folders_of_one_part_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/1.jpg", "val/a/1.jpg", "validation/a/1.jpg")
    with pytest.raises(PictureSetError, match="val and validation are both the validation split"):
        read_picture_set(tmp_path)
