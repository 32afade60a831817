"""`pilah-edge classify`: a line for each picture."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from edge.cli import main
from tests.bundles import BGR, LABELS, make_bundle, write_picture
from tests.edge.core.images.awkward import awkward_files


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, Path]:
    return {label: write_picture(tmp_path / f"{label}.png", BGR[label]) for label in LABELS}


def test_a_line_for_each_picture(
    tiny_bundle: Path, pictures: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classify", str(tiny_bundle), *map(str, pictures.values())]) == 0
    lines = capsys.readouterr().out.splitlines()
    for line, (label, path) in zip(lines, pictures.items(), strict=True):
        assert line.startswith(f"{path}: {label} 9")
        assert line.endswith("%")


def test_json_is_an_object_a_line(
    tiny_bundle: Path, pictures: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classify", str(tiny_bundle), *map(str, pictures.values()), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for line, (label, path) in zip(lines, pictures.items(), strict=True):
        assert set(line) == {
            "path", "label", "confidence", "accepted", "reject", "unknown", "scores"
        }  # fmt: skip
        assert (line["reject"], line["unknown"]) == (None, None)  # it has no such score
        assert (line["path"], line["label"], line["accepted"]) == (str(path), label, True)
        assert tuple(line["scores"]) == LABELS
        assert line["confidence"] == line["scores"][label] == max(line["scores"].values())
        assert sum(line["scores"].values()) == pytest.approx(1)


def test_a_score_below_the_threshold_is_a_reject(
    tmp_path: Path, pictures: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = str(make_bundle(tmp_path / "b", accept={"red": 1.0, "green": 0.5, "blue": 0.5}))
    assert main(["classify", bundle, str(pictures["red"]), str(pictures["blue"])]) == 0
    red, blue = capsys.readouterr().out.splitlines()
    assert red.endswith("  reject: low_confidence")
    assert "reject" not in blue
    main(["classify", bundle, str(pictures["red"]), "--json"])
    line = json.loads(capsys.readouterr().out)
    assert (line["accepted"], line["reject"]) == (False, "low_confidence")


def test_a_thing_of_no_class_is_rejected_as_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = str(make_bundle(tmp_path / "b", unknown=0.5))
    red = str(write_picture(tmp_path / "red.png", BGR["red"]))
    grey = str(write_picture(tmp_path / "grey.png", (128, 128, 128)))
    assert main(["classify", bundle, red, grey]) == 0
    known, novel = capsys.readouterr().out.splitlines()
    assert re.search(r": red 9\d\.\d%  novelty 0\.[0-3]\d$", known)
    assert re.search(r"  novelty 0\.[78]\d  reject: unknown$", novel)
    main(["classify", bundle, red, grey, "--json"])
    known, novel = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (known["accepted"], known["reject"]) == (True, None)
    assert (novel["accepted"], novel["reject"]) == (False, "unknown")
    assert known["unknown"] < 0.5 < novel["unknown"] < 1


def test_unreadable_pictures_are_named_and_the_rest_is_done(
    tiny_bundle: Path,
    tmp_path: Path,
    pictures: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = awkward_files()
    bad = ["empty.jpg", "cut.jpg", "cut.png", "picture.heic", "picture.gif", "text.jpg"]
    for name in bad:
        (tmp_path / name).write_bytes(files[name]())
    words = [*(str(tmp_path / name) for name in [*bad, "missing.jpg"]), str(pictures["red"])]
    assert main(["classify", str(tiny_bundle), *words]) == 65
    out, err = capsys.readouterr()
    assert out.startswith(f"{pictures['red']}: red")
    skipped = [line for line in err.splitlines() if line.startswith("skipped: ")]
    for line, path in zip(skipped, words[:-1], strict=True):
        assert line.startswith(f"skipped: {path}: ")


def test_a_file_name_that_is_no_text_is_printed_all_the_same(
    tiny_bundle: Path,
    tmp_path: Path,
    pictures: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/gr\xfcn.png")
    shutil.copy(pictures["green"], odd)
    assert main(["classify", str(tiny_bundle), odd, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["path"] == odd
    assert found["label"] == "green"


@pytest.mark.parametrize("label", ["Weißglas", "rotes Zeug", "🍎"])
def test_odd_labels_are_printed_as_they_are(
    tmp_path: Path,
    pictures: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
    label: str,
) -> None:
    bundle = make_bundle(tmp_path / "b", labels=(label, "green", "blue"))
    assert main(["classify", str(bundle), str(pictures["red"]), "--json"]) == 0
    assert f'"label": "{label}"' in capsys.readouterr().out


def test_a_bundle_that_does_not_reproduce_classifies_nothing(
    tiny_bundle: Path,
    tmp_path: Path,
    pictures: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    bundle = Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))
    manifest = json.loads((bundle / "bundle.json").read_text())
    manifest["golden"]["pictures"][0]["scores"] = [0.0, 0.5, 0.5]
    (bundle / "bundle.json").write_text(json.dumps(manifest))
    assert main(["classify", str(bundle), str(pictures["red"])]) == 65
    out, err = capsys.readouterr()
    assert out == ""
    assert "This model must not sort here" in err


def test_threads_that_make_no_sense_are_wrong_usage(
    tiny_bundle: Path, pictures: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classify", str(tiny_bundle), str(pictures["red"]), "--threads", "0"]) == 2
    assert "threads must be 1 or more. Received: 0" in capsys.readouterr().err
