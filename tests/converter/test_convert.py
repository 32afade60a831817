"""The command `convert`: what it prints, which files it writes, and its exit codes."""

from __future__ import annotations

import errno
import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from converter import convert as converting
from converter.bundle import writer as bundle_writing
from converter.bundle.writer import bundle_title
from converter.cli import main
from converter.exports.tflite import Kind
from edge.core.errors import GoldenError, UsageError
from edge.core.images.image_file import read_image
from edge.core.model.bundle import read_bundle
from edge.core.model.classifier import Classifier
from edge.core.model.golden import check_golden_exactly, check_golden_start
from edge.core.verdict import RejectReason
from tests.bundles import TINY
from tests.converter.runs import LABELS, make_run
from tests.plain_words import unexplained
from trainer.run import FACTS, Run

Swap = Callable[[Kind, bytes], None]


@pytest.fixture
def words(run: Run, tmp_path: Path) -> list[str]:
    out = str(tmp_path / "out" / "bundle")
    # Where int8 does not pass, fallbacks take seconds each; they have tests of their own.
    return ["convert", str(run.path), "--out", out, "--no-fallbacks"]


def left(tmp_path: Path) -> list[Path]:
    """The names in the folder where the bundle should be, hidden ones included."""
    return sorted((tmp_path / "out").iterdir()) if (tmp_path / "out").exists() else []


def test_a_bundle_is_whole_and_says_where_it_comes_from(
    words: list[str], run: Run, tmp_path: Path, converted_before: Swap
) -> None:
    assert main(words) == 0
    assert left(tmp_path) == [tmp_path / "out" / "bundle"]
    bundle = read_bundle(tmp_path / "out" / "bundle")
    check_golden_exactly(bundle)
    classifier = Classifier(bundle)
    check_golden_start(classifier)
    manifest = bundle.manifest
    assert bundle.labels == LABELS
    assert (manifest.name, manifest.version) == ("bundle", "2026.11.21.231504")
    assert manifest.input == run.facts.input
    assert manifest.accept == dict.fromkeys(LABELS, 0.5)
    assert manifest.quantization.calibration_pictures == 36
    assert manifest.recipe["name"] == "tiny"
    assert manifest.data == {
        "digest": "0" * 64,
        "pictures": {"train": 36, "validation": 9, "test": 24},
        "skipped": 1,
    }
    assert manifest.figures["int8"]["images"] == 24
    assert manifest.figures["agreement"]["images"] == 9 + 24  # all of training calibrated
    for name in ("float", "int8"):
        assert manifest.figures[name]["accuracy"] == 1.0
    assert {"pilah", "keras", "numpy"} <= set(manifest.tools)
    for picture in run.pictures()[::7]:
        best = classifier.scores(read_image(picture.path)).argmax()
        assert bundle.labels[best] == picture.label


def test_the_card_gives_figures_with_intervals_and_limits(
    words: list[str], tmp_path: Path, converted_before: Swap
) -> None:
    main(words)
    card = (tmp_path / "out" / "bundle" / "card.md").read_text(encoding="utf-8")
    assert card.startswith("# bundle 2026.11.21.231504\n")
    assert "| accuracy | 100.0% (86.2% to 100.0%, 24 of 24) | 100.0%" in card
    assert "36 train, 9 validation, 24 test; 1 could not be read" in card
    assert f"| {LABELS[2]} | 67% to 100% | 67% to 100% | 8 | 0.500 |" in card
    assert "**Too few pictures to say (24; about 35 needed).**" in card
    assert unexplained(card) == []
    assert "The intervals know which pictures belong together" in card
    assert f"Threshold of {LABELS[0]}: too few pictures to promise anything." in card


def test_a_run_that_tells_unknown_things_makes_a_bundle_that_rejects_them(
    novelty_run: Run,
    novelty_models: Mapping[Kind, bytes],
    tmp_path: Path,
    converted_before: Swap,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for kind, model in novelty_models.items():
        converted_before(kind, model)
    assert (
        main(
            [
                "convert",
                str(novelty_run.path),
                "--out",
                str(tmp_path / "out" / "bundle"),
                "--no-fallbacks",
            ]
        )
        == 0
    )
    assert "of the test split wrongly rejected as unknown" in capsys.readouterr().out
    bundle = read_bundle(tmp_path / "out" / "bundle")
    check_golden_exactly(bundle)
    classifier = Classifier(bundle)
    check_golden_start(classifier)
    manifest = bundle.manifest
    assert manifest.unknown is not None
    assert (manifest.unknown.score, manifest.unknown.threshold) == ("both", 0.5)
    assert 0 < (manifest.golden.unknown_tolerance or 0) < 0.2
    assert manifest.figures["unknown"]["images"] == 9 + 24
    assert manifest.figures["unknown"]["agreement"] > 0.9
    known = [classifier.predict(read_image(picture.path)) for picture in novelty_run.pictures()]
    assert sum(classifier.verdict(answer).accepted for answer in known) > len(known) / 2
    grey = classifier.predict(np.full((60, 80, 3), 127, np.uint8))
    assert classifier.verdict(grey).reject is RejectReason.UNKNOWN
    card = (tmp_path / "out" / "bundle" / "card.md").read_text(encoding="utf-8")
    assert "score above 0.5 is rejected as `unknown`; the threshold was chosen to keep 95%" in card
    assert f"| {LABELS[2]} | 80% | 60% to 90% | 23 |" in card
    assert "- No promise: too few series." in card
    assert "and a float32 (1, 1) novelty score, named `unknown`" in card
    assert (
        "started from the weights of an earlier run (model `555555555555`; new to it: "
        f"{LABELS[0]}), by which 75.0% of the validation pictures were right."
    ) in card
    assert unexplained(card) == []


def test_json_is_one_object_on_stdout(
    words: list[str], tmp_path: Path, converted_before: Swap, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--json", "--name", "n1", "--version", "2.10"]) == 0
    result = json.loads(capfd.readouterr().out)
    assert result["passed"] is True
    assert (result["name"], result["version"]) == ("n1", "2.10")
    assert result["digest"] == read_bundle(tmp_path / "out" / "bundle").digest
    assert result["agreement"]["value"] == 1.0
    assert result["accuracy_drop"]["value"] == 0.0
    assert result["warnings"] == []


def test_the_same_run_gives_the_same_bundle(
    words: list[str], tmp_path: Path, converted_before: Swap
) -> None:
    main(words)
    first = read_bundle(tmp_path / "out" / "bundle").digest
    assert main([*words, "--replace"]) == 0
    assert read_bundle(tmp_path / "out" / "bundle").digest == first
    assert left(tmp_path) == [tmp_path / "out" / "bundle"]


def test_calibration_pictures_never_come_from_the_other_parts(
    words: list[str], run: Run, monkeypatch: pytest.MonkeyPatch, converted_before: Swap
) -> None:
    calibrated, compared = [], []
    read, score = converting.calibration_tensors, converting.score_both
    monkeypatch.setattr(
        converting,
        "calibration_tensors",
        lambda chosen, spec: (calibrated.extend(chosen), read(chosen, spec))[1],
    )
    monkeypatch.setattr(
        converting,
        "score_both",
        lambda others, spec, **m: (compared.extend(others), score(others, spec, **m))[1],
    )
    assert main([*words, "--calibration-pictures", "12"]) == 0
    assert {picture.split for picture in calibrated} == {"train"}
    assert len(calibrated) == 12
    assert not {p.path for p in calibrated} & {p.path for p in compared}
    assert {p.path for p in calibrated + compared} == {p.path for p in run.pictures()}


# The gate


def reversed_labels(model: bytes) -> bytes:
    """The float model instead of int8, with two of its colours swapped."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    parsed = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    for buffer in parsed.buffers:
        if buffer.data is not None and len(buffer.data) == 8 * 3 * 4:
            weights = np.frombuffer(bytes(buffer.data), np.float32).reshape(3, 8)
            buffer.data = np.frombuffer(weights[[1, 0, 2]].tobytes(), np.uint8)
    builder = flatbuffers.Builder(len(model))
    builder.Finish(parsed.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def test_a_model_that_answers_otherwise_leaves_no_bundle(
    words: list[str],
    tmp_path: Path,
    converted_before: Swap,
    models: dict[Kind, bytes],
    capfd: pytest.CaptureFixture[str],
) -> None:
    converted_before("int8", reversed_labels(models["float32"]))
    assert main([*words, "--json"]) == 1
    out, err = capfd.readouterr()
    assert left(tmp_path) == []
    assert "the int8 model does not pass, so no bundle was written" in err
    assert re.search(r"float and int8 agree on .* of the pictures, less than", err)
    assert "int8 loses 66.7 points of accuracy" in err
    assert "Try --calibration-pictures 200" in err
    result = json.loads(out)
    assert result["passed"] is False
    assert result["accuracy_drop"]["float_only_right"] == 16


def test_a_failed_gate_leaves_the_old_bundle_alone(
    words: list[str], tmp_path: Path, converted_before: Swap, models: dict[Kind, bytes]
) -> None:
    main(words)
    before = read_bundle(tmp_path / "out" / "bundle").digest
    converted_before("int8", reversed_labels(models["float32"]))
    assert main([*words, "--replace"]) == 1
    assert read_bundle(tmp_path / "out" / "bundle").digest == before
    assert left(tmp_path) == [tmp_path / "out" / "bundle"]


# What goes wrong


@pytest.mark.parametrize(
    ("trouble", "code", "message"),
    [
        (GoldenError("golden/0.png gets other scores"), 65, "golden/0.png gets other scores"),
        (OSError(errno.ENOSPC, "No space left on device"), 74, "the disk is full"),
        (KeyboardInterrupt(), 130, "stopped by Ctrl-C"),
    ],
)
def test_trouble_while_writing_leaves_nothing(
    words: list[str],
    tmp_path: Path,
    converted_before: Swap,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    trouble: BaseException,
    code: int,
    message: str,
) -> None:
    def fails(bundle: object) -> None:
        assert any((tmp_path / "out").iterdir())  # it had begun to write
        raise trouble

    monkeypatch.setattr(bundle_writing, "check_golden_exactly", fails)
    assert main(words) == code
    assert message in capfd.readouterr().err
    assert left(tmp_path) == []


def test_what_is_there_already_is_not_written_over(
    words: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "out" / "bundle" / "photo.jpg"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    assert main(words) == 74
    assert "is there already: choose another --out" in capfd.readouterr().err
    assert main([*words, "--replace"]) == 74
    assert "is not a bundle, so --replace does not replace it" in capfd.readouterr().err
    assert mine.read_bytes() == b"mine"


def copy_of(run: Run, tmp_path: Path) -> Path:
    shutil.copytree(run.path.parent, tmp_path / "copy")
    facts = tmp_path / "copy" / "run" / FACTS
    text = facts.read_text(encoding="utf-8")
    facts.write_text(text.replace(str(run.path.parent), str(tmp_path / "copy")), encoding="utf-8")
    return tmp_path / "copy" / "run"


def no_facts(run: Path) -> None:
    (run / FACTS).unlink()


def no_run(run: Path) -> None:
    shutil.rmtree(run)


def a_picture_moved(run: Path) -> None:
    (run.parent / "photos" / LABELS[0] / "test0.png").unlink()


def a_picture_cut_short(run: Path) -> None:
    picture = run.parent / "photos" / LABELS[0] / "test0.png"
    picture.write_bytes(picture.read_bytes()[:100])


def no_test_part(run: Path) -> None:
    use_part(run, "test", "train")


def little_training(run: Path) -> None:
    use_part(run, "train", "test")


def use_part(run: Path, before: str, after: str) -> None:
    """Moves all pictures of the part `before` to the part `after`."""
    split = run / "split.csv"
    lines = split.read_text(encoding="utf-8")
    assert f",{before}," in lines
    split.write_text(lines.replace(f",{before},", f",{after},"), "utf-8")


def a_strange_label(run: Path) -> None:
    split = run / "split.csv"
    text = split.read_text(encoding="utf-8")
    split.write_text(text.replace(f"{LABELS[1]},{LABELS[1]}/0,", f"hat,{LABELS[1]}/0,"), "utf-8")


def a_threshold_short(run: Path) -> None:
    facts = json.loads((run / FACTS).read_text(encoding="utf-8"))
    del facts["accept"][LABELS[0]]
    (run / FACTS).write_text(json.dumps(facts), encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (no_run, "not a finished run"),
        (no_facts, "not a finished run, it has no run.json"),
        (a_picture_moved, "not there any more: say where the pictures lie now with --data"),
        (a_picture_cut_short, r"test0.png: this PNG file is damaged (it is cut short)"),
        (no_test_part, "the run has no test split"),
        (little_training, "the training split has 0 pictures"),
        (
            a_strange_label,
            "is of the class 'hat' in the split 'train', which this run does not",
        ),
        (
            a_threshold_short,
            "a threshold for each of the labels, and no other. Train",
        ),
    ],
)
def test_a_run_that_cannot_be_converted_says_why(
    run: Run,
    tmp_path: Path,
    converted_before: Swap,
    capfd: pytest.CaptureFixture[str],
    spoil: Callable[[Path], None],
    message: str,
) -> None:
    copy = copy_of(run, tmp_path)
    spoil(copy)
    assert main(["convert", str(copy), "--out", str(tmp_path / "out" / "bundle")]) == 65
    assert message in capfd.readouterr().err
    assert left(tmp_path) == []


def test_pictures_that_moved_are_found_with_data(
    run: Run, tmp_path: Path, converted_before: Swap
) -> None:
    copy = copy_of(run, tmp_path)
    (tmp_path / "copy" / "photos").rename(tmp_path / "elsewhere")
    words = ["convert", str(copy), "--out", str(tmp_path / "out" / "bundle")]
    assert main(words) == 65
    assert main([*words, "--data", str(tmp_path / "elsewhere")]) == 0


@pytest.mark.parametrize(
    ("out", "given", "expected"),
    [
        ("bundles/first", (None, None), "first 2026.11.21.231504"),
        ("bundles/v1.2", (None, None), "v1.2 2026.11.21.231504"),
        ("bundles/My shoes (new)", (None, None), "My-shoes-new 2026.11.21.231504"),
        ("bundles/靴", (None, None), "tiny 2026.11.21.231504"),
        ("bundles/first", ("line-3", "1.2"), "line-3 1.2"),
    ],
)
def test_names_and_versions(
    run: Run, out: str, given: tuple[str | None, str | None], expected: str
) -> None:
    assert str(bundle_title(run.facts, Path(out), name=given[0], version=given[1])) == expected


@pytest.mark.parametrize(
    ("name", "version"), [("a/b", None), ("", None), (".a", None), (None, "v1"), (None, "1.")]
)
def test_names_and_versions_that_no_bundle_can_have(
    run: Run, name: str | None, version: str | None
) -> None:
    with pytest.raises(UsageError, match="Received: '"):
        bundle_title(run.facts, Path("first"), name=name, version=version)


def test_a_model_of_other_labels_is_refused(
    tmp_path: Path, keras_model: Path, converted_before: Swap, capfd: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path, keras_model, labels=(*LABELS, "extra"), parts={"train": 3, "test": 3})
    converted_before("int8", TINY.read_bytes())
    assert main(["convert", str(run), "--out", str(tmp_path / "out" / "bundle")]) == 65
    assert "4 labels" in capfd.readouterr().err
    assert left(tmp_path) == []
