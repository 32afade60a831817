"""`pilah-edge inspect`: what is in a bundle, once all of it is proven."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from edge.cli import main
from edge.core.model.bundle import read_bundle, write_manifest
from tests.bundles import LABELS, make_bundle


def test_words_for_people(tiny_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(tiny_bundle)]) == 0
    out = capsys.readouterr().out
    digest = read_bundle(tiny_bundle).digest
    assert out.startswith(f"tiny 1  (digest {digest[:12]})\n")
    assert "input      32x32, RGB, letterbox, of the whole region" in out
    for label in LABELS:
        assert f"  {label:<20} 0.500\n" in out
    assert "golden     2 pictures reproduced exactly" in out


def test_json_has_the_whole_manifest(tiny_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(tiny_bundle), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    manifest = json.loads((tiny_bundle / "bundle.json").read_text())
    assert found | manifest == found
    assert found["labels"] == list(LABELS)
    assert found["model_bytes"] == (tiny_bundle / "model.tflite").stat().st_size
    assert found["digest"] == read_bundle(tiny_bundle).digest
    assert isinstance(found["runtime"], str)
    assert found["xnnpack"] in (True, False, None)


@pytest.mark.parametrize(
    ("unknown", "says"),
    [
        (None, "no class   not recognised: every item gets one of these labels\n"),
        (
            0.5,
            "no class   rejected as unknown above a novelty score of 0.500, by how little "
            "any class speaks for it and how far it looks from known things\n",
        ),
    ],
)
def test_what_happens_to_things_of_no_class_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], unknown: float | None, says: str
) -> None:
    assert main(["inspect", str(make_bundle(tmp_path / "b", unknown=unknown))]) == 0
    assert says in capsys.readouterr().out


def test_the_figures_of_the_test_part_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = make_bundle(tmp_path / "bundle")
    fields = read_bundle(bundle).manifest.model_dump(exclude={"files", "schema_version"})
    int8 = {"accuracy": 0.9, "accuracy_interval": [0.85, 0.94], "images": 300}
    write_manifest(bundle, **fields | {"figures": {"int8": int8, "agreement": 0.99}})
    assert main(["inspect", str(bundle)]) == 0
    says = "int8       right on the test split: 90.0% (85.0% to 94.0%, 270 of 300)"
    assert says in capsys.readouterr().out


@pytest.mark.parametrize("name", ["model.tflite", "labels.txt", "card.md", "golden/0.png"])
def test_a_damaged_bundle_shows_nothing(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    bundle = Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))
    with (bundle / name).open("ab") as file:
        file.write(b"\n")
    assert main(["inspect", str(bundle), "--json"]) == 65
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"pilah-edge: error: {bundle}: {name} has been changed")


@pytest.mark.parametrize("picture", [0, 1])
def test_a_bundle_that_answers_otherwise_here_shows_nothing(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], picture: int
) -> None:
    bundle = Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))
    manifest = json.loads((bundle / "bundle.json").read_text())
    manifest["golden"]["pictures"][picture]["scores"][0] += 0.001
    (bundle / "bundle.json").write_text(json.dumps(manifest))
    assert main(["inspect", str(bundle)]) == 65
    out, err = capsys.readouterr()
    assert out == ""
    assert f"golden/{picture}.png gets other scores on this machine" in err


def test_a_path_with_no_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(tmp_path / "gone")]) == 65
    assert f"{tmp_path}/gone: no such bundle" in capsys.readouterr().err
