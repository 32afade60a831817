"""`pilah-edge evaluate`: figures that can be counted by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.cli import main
from edge.core.dataset.scores_file import read_scores
from tests.bundles import BGR, make_bundle, write_picture

# Colour -> the class its picture is put in. Six of eight right: red is mistaken for blue once,
# green for red once.
PICTURES = [
    ("red", "red"), ("red", "red"), ("red", "blue"),
    ("green", "green"), ("green", "green"), ("green", "red"),
    ("blue", "blue"), ("blue", "blue"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder per class."""
    for index, (colour, label) in enumerate(PICTURES):
        write_picture(tmp_path / "pictures" / label / f"{index}.png", BGR[colour])
    return tmp_path / "pictures"


def as_manifest(folder: Path) -> Path:
    lines = [f"pictures/{label}/{index}.png,{label}" for index, (_, label) in enumerate(PICTURES)]
    path = folder.parent / "list.csv"
    path.write_text("\n".join(["path,label", *lines]), encoding="utf-8-sig")
    return path


def as_class_map(folder: Path) -> Path:
    path = folder.parent / "map.yaml"
    path.write_text("".join(f"{label}: [pictures/{label}]\n" for label in ("red", "green", "blue")))
    return path


@pytest.mark.parametrize(
    "form", [lambda folder: folder, as_manifest, as_class_map], ids=["folder", "csv", "yaml"]
)
def test_the_figures_of_eight_pictures(
    tiny_bundle: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    form: Callable[[Path], Path],
) -> None:
    assert main(["evaluate", str(tiny_bundle), str(form(folder)), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["images"] == 8
    assert found["accuracy"] == 6 / 8
    low, high = found["accuracy_interval"]
    assert low == pytest.approx(0.4093, abs=1e-4)  # Wilson for 6 of 8
    assert high == pytest.approx(0.9285, abs=1e-4)
    assert found["accepted"] == 1
    assert found["accepted_interval"] == pytest.approx([0.6756, 1], abs=1e-4)  # 8 of 8
    assert found["purity"] == 6 / 8
    shares = ("precision", "recall", "images")
    by_class = {label: [of[name] for name in shares] for label, of in found["classes"].items()}
    assert by_class == {"red": [2 / 3, 2 / 3, 3], "green": [2 / 3, 1, 2], "blue": [1, 2 / 3, 3]}
    assert found["skipped"] == 0


def test_words_for_people(
    tiny_bundle: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(tiny_bundle), str(folder)]) == 0
    out = capsys.readouterr().out
    assert f"tiny 1 on {folder}" in out
    assert "right      too few to say (8; about 70 needed), of all pictures" in out
    assert "purity     too few to say (8; about 70 needed), right ones among the accepted" in out
    assert "verdict    too few pictures to say (8; about " in out
    assert "green                    too few     too few       2" in out


def test_things_of_no_class_that_are_rejected_as_unknown_are_counted(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Without the novelty score every picture would be accepted.
    accept = dict.fromkeys(("red", "green", "blue"), 0.1)
    bundle = str(make_bundle(tmp_path / "b", accept=accept, unknown=0.5))
    write_picture(folder / "red" / "greyish.png", (120, 120, 140))
    for name in ("a", "b", "c"):
        write_picture(tmp_path / "strange" / "stones" / f"{name}.png", (128, 128, 128))
    write_picture(tmp_path / "strange" / "toys" / "red.png", BGR["red"])
    words = ["evaluate", bundle, str(folder), "--unknown", str(tmp_path / "strange")]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["images"], found["unknown"], found["accepted"]) == (9, 1 / 9, 8 / 9)
    assert found["strange"] == {
        "images": 4,
        "unknown": 3 / 4,
        "unknown_interval": pytest.approx([0.3006, 0.9544], abs=1e-4),
        "accepted": 1 / 4,
        "accepted_interval": pytest.approx([0.0456, 0.6994], abs=1e-4),
    }
    main(words)
    out = capsys.readouterr().out
    assert "unknown    1% to 44% (1 of 9), of them wrongly rejected as unknown" in out
    assert (
        "--unknown  too few to say (4; about 70 needed), of these pictures rejected as unknown"
        in out
    )


def test_things_of_no_class_lie_in_a_plain_folder_too_and_the_old_name_is_taken(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = str(make_bundle(tmp_path / "b", unknown=0.5))
    write_picture(tmp_path / "strange" / "1.png", (128, 128, 128))
    write_picture(tmp_path / "strange" / "deep" / "er" / "2.png", (128, 128, 128))
    (tmp_path / "strange" / "note.jpg").write_bytes(b"hello")
    words = ["evaluate", bundle, str(folder), "--strange", str(tmp_path / "strange")]
    assert main([*words, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["strange"]["images"] == 2
    assert "note.jpg: this is not a picture in a known format" in err


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "no pictures found"),
        (
            {"1.heic": b"x"},
            r"no pictures found; 1 file is left out (1 HEIC picture); the first is ",
        ),
        ({"1.jpg": b"<html>"}, "none of its 1 picture can be read, first: "),
    ],
)
def test_no_picture_of_a_thing_of_no_class_is_told(
    tiny_bundle: Path,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    files: dict[str, bytes],
    says: str,
) -> None:
    (tmp_path / "strange").mkdir()
    for name, content in files.items():
        (tmp_path / "strange" / name).write_bytes(content)
    words = ["evaluate", str(tiny_bundle), str(folder), "--strange", str(tmp_path / "strange")]
    assert main(words) == 65
    assert f"{tmp_path}/strange: {says}" in capsys.readouterr().err


def test_thresholds_make_rejects(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = make_bundle(tmp_path / "b", accept={"red": 1.0, "green": 0.5, "blue": 0.5})
    main(["evaluate", str(bundle), str(folder), "--json"])
    found = json.loads(capsys.readouterr().out)
    # The three red pictures are rejected; of the other five, four are right.
    assert (found["accepted"], found["purity"]) == (5 / 8, 4 / 5)


def test_a_class_without_pictures_has_no_recall(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_picture(tmp_path / "pictures" / "red" / "1.png", BGR["red"])
    assert main(["evaluate", str(tiny_bundle), str(tmp_path / "pictures"), "--json"]) == 0
    blue = json.loads(capsys.readouterr().out)["classes"]["blue"]
    assert blue == {
        "precision": None,
        "precision_interval": None,
        "recall": None,
        "recall_interval": None,
        "images": 0,
    }
    assert main(["evaluate", str(tiny_bundle), str(tmp_path / "pictures")]) == 0
    assert "blue                           -           -       0" in capsys.readouterr().out


def test_unreadable_pictures_are_named_and_counted(
    tiny_bundle: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "red" / "a.jpg").write_bytes(b"")
    (folder / "red" / "b.heic").write_bytes(b"x")
    assert main(["evaluate", str(tiny_bundle), str(folder), "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["images"], found["skipped"]) == (8, 2)
    assert f"skipped: {folder}/red/a.jpg: the file has no bytes" in err
    assert f"skipped: {folder}/red/b.heic: HEIC is not supported: convert it to JPEG" in err


def test_nothing_readable_is_an_error(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "red").mkdir()
    (tmp_path / "red" / "a.jpg").write_bytes(b"")
    assert main(["evaluate", str(tiny_bundle), str(tmp_path)]) == 65
    out, err = capsys.readouterr()
    assert out == ""
    assert "none of its pictures can be read" in err


def test_classes_that_the_bundle_lacks_are_named(
    tiny_bundle: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "red").rename(folder / "crimson")
    assert main(["evaluate", str(tiny_bundle), str(folder)]) == 65
    err = capsys.readouterr().err
    assert "the bundle has no label 'crimson'. It knows red, green, blue" in err


def test_a_manifest_with_a_mistake_names_its_line(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.csv").write_text("path,label\ngone.jpg,red\n")
    assert main(["evaluate", str(tiny_bundle), str(tmp_path / "list.csv")]) == 65
    assert f"{tmp_path}/list.csv:2: no such picture" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("crop", "padding", "warned"),
    [("region", None, False), ("item", 0.1, True)],
)
def test_pictures_that_were_cut_otherwise_than_at_a_station_are_told(
    tiny_bundle: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    crop: str,
    padding: float | None,
    warned: bool,
) -> None:
    taken = {"schema_version": 1, "station": "bin", "crop": crop, "padding": padding}
    (folder / "capture.json").write_text(json.dumps(taken), "utf-8")
    assert main(["evaluate", str(tiny_bundle), str(folder)]) == 0
    assert ("a station gives the bundle the whole region" in capsys.readouterr().err) == (warned)


def test_the_scores_of_each_picture_are_written_for_others_to_use(
    tiny_bundle: Path, folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "scores.csv"
    assert main(["evaluate", str(tiny_bundle), str(folder), "--scores", str(file)]) == 0
    found = read_scores(file, ("red", "green", "blue"))
    assert sorted(one.label for one in found) == sorted(label for _, label in PICTURES)
    right = [("red", "green", "blue")[one.prediction.scores.argmax()] == one.label for one in found]
    assert sum(right) == 6
