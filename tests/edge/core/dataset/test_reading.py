"""Labelled pictures are found in folders, manifests and class maps, or the mistake is named."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from edge.core.dataset import read_picture_set
from edge.core.errors import EXIT_DATA, PictureSetError, UnreadableImageError
from edge.core.images.image_file import decode_image
from edge.core.labels import check_label

ODD_LABELS = ["Weißglas", "Dosen & Bleche", "déchets ménagers", "🍎", "♻️ Papier", "ガラス", "a-b",
              "x.y", "100%", "it's"]  # fmt: skip


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def found(path: Path) -> list[tuple[str, str]]:
    pictures = read_picture_set(path).pictures
    return [(picture.path.name, picture.label) for picture in pictures]


# A folder per class


def test_a_folder_per_class(tmp_path: Path) -> None:
    touch(tmp_path, "glass/2.jpg", "glass/1.PNG", "can/a.jpeg", "can/b.webp", "can/c.bmp")
    assert found(tmp_path) == [
        ("a.jpeg", "can"), ("b.webp", "can"), ("c.bmp", "can"),
        ("1.PNG", "glass"), ("2.jpg", "glass"),
    ]  # fmt: skip
    assert read_picture_set(tmp_path).labels == ("can", "glass")


def test_folders_within_a_class_belong_to_it(tmp_path: Path) -> None:
    touch(tmp_path, "can/monday/1.jpg", "can/tuesday/1.jpg", "jar/1.jpg")
    assert found(tmp_path) == [("1.jpg", "can"), ("1.jpg", "can"), ("1.jpg", "jar")]
    (note,) = read_picture_set(tmp_path).notes
    assert note == (
        f"{tmp_path}: pictures in folders within a class count as pictures of that class: "
        "'can' (2). If those folders are the classes, "
        f"give {tmp_path}/can, or write a class map"
    )


def test_what_is_no_picture_and_what_is_hidden_is_passed_over(tmp_path: Path) -> None:
    touch(tmp_path, "can/1.jpg", "can/notes.txt", "can/.cut.jpg", "can/.trash/2.jpg")
    touch(tmp_path, ".git/1.jpg", "__MACOSX/1.jpg", "readme.md")
    assert found(tmp_path) == [("1.jpg", "can")]


@pytest.mark.parametrize("ending", ["gif", "TIF", "tiff"])
def test_pictures_of_another_format_are_named_with_what_to_do(tmp_path: Path, ending: str) -> None:
    touch(tmp_path, "can/1.jpg", f"can/2.{ending}")
    (skipped,) = read_picture_set(tmp_path).skipped
    says = f"{tmp_path}/can/2.{ending}: {ending.upper()} is not supported: convert it to JPEG"
    assert skipped == says


@pytest.mark.parametrize("ending", ["heic", "HEIF", "avif"])
def test_a_phones_pictures_are_told_how_to_convert_as_one_of_them_is_when_read(
    tmp_path: Path, ending: str
) -> None:
    touch(tmp_path, "can/1.jpg", f"can/2.{ending}")
    (skipped,) = read_picture_set(tmp_path).skipped
    assert skipped.startswith(
        f"{tmp_path}/can/2.{ending}: {ending.upper()} is not supported: convert"
    )
    with pytest.raises(UnreadableImageError) as caught:
        decode_image(b"\0\0\0\x18ftypheic")
    assert skipped.partition(" to JPEG ")[2] == str(caught.value).partition(" to JPEG ")[2] != ""


def test_a_name_that_is_no_utf_8_is_left_out_and_told(tmp_path: Path) -> None:
    touch(tmp_path, "can/1.jpg", "can/gr\udcfcn.jpg", "can/m\udcfcll/2.png", "can/\udcff.heic")
    found = read_picture_set(tmp_path)
    assert [picture.path.name for picture in found.pictures] == ["1.jpg"]
    says = "its name is not UTF-8: rename it"
    assert sorted(found.skipped) == [
        rf"{tmp_path}/can/\xff.heic: {says}",
        rf"{tmp_path}/can/gr\xfcn.jpg: {says}",
        rf"{tmp_path}/can/m\xfcll/2.png: {says}",
    ]


@pytest.mark.parametrize("source", ["", "list.csv", "map.yaml"])
def test_a_set_in_a_folder_whose_name_is_no_utf_8_is_refused(tmp_path: Path, source: str) -> None:
    folder = tmp_path / "m\udcfcll"
    touch(folder, "can/1.jpg")
    (folder / "list.csv").write_text("path,label\ncan/1.jpg,can\n", "utf-8")
    (folder / "map.yaml").write_text("can: [can]\n", "utf-8")
    with pytest.raises(PictureSetError, match=r"m\\xfcll.*: its name is not UTF-8: rename it$"):
        read_picture_set(folder / source)


def test_a_class_whose_name_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "can/1.jpg", "gr\udcfcn/1.jpg")
    with pytest.raises(PictureSetError, match=r"cannot be printed: rename the class"):
        read_picture_set(tmp_path)


def test_a_class_without_a_picture_is_a_class_all_the_same(tmp_path: Path) -> None:
    touch(tmp_path, "can/1.jpg", "paper/1.heic", ".git/1.jpg")
    (tmp_path / "glass").mkdir()
    (tmp_path / "map.yaml").write_text("tin: [can]\nice: [glass]\nair: []\n", "utf-8")
    (tmp_path / "list.csv").write_text("path,label\ncan/1.jpg,tin\n", "utf-8")
    found = read_picture_set(tmp_path)
    assert (found.classes, found.labels) == (("can", "glass", "paper"), ("can",))
    found = read_picture_set(tmp_path / "map.yaml")
    assert (found.classes, found.labels) == (("air", "ice", "tin"), ("tin",))
    found = read_picture_set(tmp_path / "list.csv")
    assert (found.classes, found.labels) == (("tin",), ("tin",))


@pytest.mark.parametrize("label", ODD_LABELS)
def test_odd_labels_are_labels(tmp_path: Path, label: str) -> None:
    touch(tmp_path, f"{label}/1.jpg")
    assert found(tmp_path) == [("1.jpg", label)]


def test_both_spellings_of_an_umlaut_are_one_label(tmp_path: Path) -> None:
    # macOS writes a name with its marks apart (NFD), others with them joined (NFC).
    apart, joined = (unicodedata.normalize(form, "Grünglas") for form in ("NFD", "NFC"))
    touch(tmp_path, f"{apart}/1.jpg")
    (tmp_path / "list.csv").write_text(f"path,label\n{apart}/1.jpg,{apart}\n", "utf-8")
    (tmp_path / "map.yaml").write_text(f"{apart}: [{apart}]\n", "utf-8")
    for source in (tmp_path, tmp_path / "list.csv", tmp_path / "map.yaml"):
        assert found(source) == [("1.jpg", joined)]
        assert read_picture_set(source).classes == (joined,)


@pytest.mark.parametrize(
    ("label", "says"),
    [
        ("-rf", 'starts with ".", "-"'),
        ("#1", "starts with"),
        ("=cmd()", "starts with"),
        ("a,b", "a slash, comma or quote"),
        ('5" pipe', "a slash, comma or quote"),
        ("a\\b", "a slash, comma or quote"),
        (" can", "spaces around it"),
        ("can ", "spaces around it"),
        ("line\nbreak", "cannot be printed"),
        ("bell\a", "cannot be printed"),
        ("zero\u200bwidth", "cannot be printed"),
        ("x" * 101, "longer than 100 bytes"),
        ("ü" * 51, "longer than 100 bytes"),
    ],
)
def test_a_folder_whose_name_cannot_be_a_label_is_refused(
    tmp_path: Path, label: str, says: str
) -> None:
    touch(tmp_path, f"{label}/1.jpg")
    with pytest.raises(PictureSetError) as caught:
        read_picture_set(tmp_path)
    assert says in str(caught.value)
    assert f"the label {label!r}" in str(caught.value)
    assert str(caught.value).endswith("rename the class")


@pytest.mark.parametrize("label", ["", "a/b", ".hidden", "\0", "\ud800"])
def test_labels_that_no_folder_can_have_are_refused_too(label: str) -> None:
    with pytest.raises(PictureSetError, match=r"the label .* rename the class"):
        check_label(label, where="list.csv")


# Pictures that came later


def test_later_pictures_know_where_they_came_from(tmp_path: Path) -> None:
    touch(tmp_path, "old/can/1.jpg", "new/can/1.jpg", "new/jar/1.jpg", "newer/can/1.heic")
    touch(tmp_path, "newer/can/2.jpg")
    found = read_picture_set(tmp_path / "old", add=[tmp_path / "new", tmp_path / "newer"])
    assert [(p.path.parts[-3], p.label, p.source) for p in found.pictures] == [
        ("old", "can", 0), ("new", "can", 1), ("new", "jar", 1), ("newer", "can", 2),
    ]  # fmt: skip
    assert found.classes == ("can", "jar")
    assert found.notes == (f"{tmp_path}/new: brings new classes: jar",)
    assert len(found.skipped) == 1
    assert found.source == tmp_path / "old"


def test_a_later_picture_that_was_there_already_counts_once(tmp_path: Path) -> None:
    touch(tmp_path, "old/can/1.jpg", "new/can/2.jpg")
    (tmp_path / "list.csv").write_text("path,label\nold/can/1.jpg,can\nnew/can/2.jpg,can\n")
    found = read_picture_set(tmp_path / "old", add=[tmp_path / "list.csv"])
    assert [(p.path.name, p.source) for p in found.pictures] == [("1.jpg", 0), ("2.jpg", 1)]
    assert found.notes == (f"{tmp_path}/list.csv: 1 of its pictures are in an earlier source too: "
                           "each is counted once",)  # fmt: skip


def test_a_later_picture_of_another_label_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "old/can/1.jpg")
    (tmp_path / "list.csv").write_text("path,label\nold/can/1.jpg,jar\n")
    with pytest.raises(PictureSetError, match=r"1\.jpg is 'jar' here and 'can' in .*old: remove"):
        read_picture_set(tmp_path / "old", add=[tmp_path / "list.csv"])


# What is no set of pictures


def test_nothing_there_suggests_a_name_that_is(tmp_path: Path) -> None:
    touch(tmp_path, "photographs/can/1.jpg")
    with pytest.raises(PictureSetError, match=r"no such file.*Did you mean .*photographs\?"):
        read_picture_set(tmp_path / "photograps")


def test_a_path_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureSetError, match=r"no such file or folder$"):
        read_picture_set(tmp_path / "a" / "b")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureSetError, match="no pictures found") as caught:
        read_picture_set(tmp_path)
    assert caught.value.exit_code == EXIT_DATA


def test_only_heic_pictures_says_so(tmp_path: Path) -> None:
    touch(tmp_path, "can/1.heic", "can/2.heic")
    with pytest.raises(
        PictureSetError,
        match=r"2 files are left out \(2 HEIC pictures\); .*1\.heic: HEIC is not",
    ):
        read_picture_set(tmp_path)


def test_pictures_without_a_class_folder_say_what_to_do(tmp_path: Path) -> None:
    touch(tmp_path, "1.jpg", "2.jpg")
    with pytest.raises(PictureSetError, match=r"2 pictures lie here without a class\. Make one"):
        read_picture_set(tmp_path)


@pytest.mark.parametrize("name", ["pictures.zip", "pictures"])
def test_another_kind_of_file_is_refused(tmp_path: Path, name: str) -> None:
    touch(tmp_path, name)
    with pytest.raises(PictureSetError, match="expected a folder with one folder per class"):
        read_picture_set(tmp_path / name)


# Class maps


def class_map(root: Path, content: str | bytes) -> Path:
    touch(root, "sets/green/1.jpg", "sets/brown/2.jpg", "can/3.jpg")
    path = root / "map.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("start", ["", "\ufeff", "# household waste\n"])
def test_a_class_map_merges_folders(tmp_path: Path, start: str) -> None:
    path = class_map(tmp_path, start + "glass: [sets/green, sets/brown]\nmetal:\n  - can\n")
    assert found(path) == [("1.jpg", "glass"), ("2.jpg", "glass"), ("3.jpg", "metal")]


def test_words_that_yaml_1_1_takes_for_a_boolean_are_labels_in_a_class_map(tmp_path: Path) -> None:
    path = class_map(tmp_path, "no: [can]\non: [sets/green]\n")
    assert found(path) == [("3.jpg", "no"), ("1.jpg", "on")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", r"map\.yaml:1: .*Received: an empty file\. A class map has a line `label: "),
        ("- glass\n", r"map\.yaml:1: .*Received: a list\. A class map has a line `label: "),
        ("glass: [sets/green\n", r"map\.yaml:\d: not YAML"),
        (b"gr\xfcn: [can]\n", r"map\.yaml:1: not a text file in UTF-8"),
        ("glass: sets/green\n", r"glass must be a list of folders\. Received: 'sets/green'"),
        ("glass: [1]\n", r"glass must be a list of folders\. Received: \[1\]"),
        ("a: [can]\ntrue: [can]\n", r"map\.yaml:2: put the label True in quotes"),
        ("1: [can]\n", "put the label 1 in quotes"),
        ("can: [can]\nglass:\n- sets/green\n- sets/gren\n",
         r"map\.yaml:4: glass: no such folder: .*sets/gren\. Did you mean .*green\?"),
        ("can: [can]\nglass: [sets/green]\ncan: [sets/brown]\n",
         r"map\.yaml:3: can: this key is already on line 1: remove one"),
        ("glass: [sets/green]\ncan: [can, ./sets/green/]\n",
         r"map\.yaml:2: can: the pictures in .*green belong to glass already, by line 1"),
        ("glass: [sets/green]\ncan:\n- sets\n",
         r"map\.yaml:3: can: .*sets belong to glass already"),
        ("can:\n- sets\nglass:\n- sets/green\n",
         r"map\.yaml:4: glass: .*belong to can already, by"),
        ("a/b: [can]\n", "the label 'a/b' has a slash"),
        ("glass: []\n", "no pictures found"),
        ("? [x]\n: [can]\n", r"map\.yaml:1: a list or a mapping cannot be a key"),
        ("a: &a [b]\nc: " + "[" * 5000 + "\n", r"map\.yaml:2: the values are nested more"),
        ("a: " + "9" * 5000 + "\n", "a must be a list of folders"),
        ("a: [gone]\nb: [lost]\n", r"map\.yaml:1: a: no such folder.*\n.*map\.yaml:2: b: no"),
        ("{}\n", "no pictures found"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_class_map_is_named(tmp_path: Path, content: str | bytes, says: str) -> None:
    with pytest.raises(PictureSetError, match=says):
        read_picture_set(class_map(tmp_path, content))


@pytest.mark.shared
def test_the_sets_beside_the_checkout_are_read(shared: Path) -> None:
    assert len(read_picture_set(shared / "data" / "bottles_cans.csv").pictures) == 458
    assert len(read_picture_set(shared / "data" / "trashnet").labels) == 6
    assert len(read_picture_set(shared / "data" / "garbage.yaml").labels) == 9
    fruit = read_picture_set(shared / "data" / "fruit")
    assert (len(fruit.pictures), len(fruit.labels)) == (1253, 19)
    assert {picture.split for picture in fruit.pictures} == {"train", "test"}
