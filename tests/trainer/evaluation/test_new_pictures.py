"""A finished run on pictures of other places: what is different there, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.core.errors import EXIT_DATA, EXIT_OK, EXIT_USAGE
from edge.core.images.image_file import decode_image
from edge.core.images.preprocess import preprocess
from tests.plain_words import unexplained
from tests.trainer.session.test_training import BGR, DRAWN, draw_photos
from tests.trainer.tiny import tiny_network
from trainer.cli import main
from trainer.run import read_run, split_rows

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

_SETTINGS = ("--set", "accept.folds=1", "--set", "unknown.score=energy")


@pytest.fixture(scope="module", autouse=True)
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with `photos`, the run `run` of them, and `night`, the same colours in the dark."""
    folder = tmp_path_factory.mktemp("places")
    draw_photos(folder / "photos", count=30)
    for label, colour in BGR.items():
        draw(folder / "night" / label, [channel * 0.3 for channel in colour])
    (folder / "drawn.yaml").write_text(DRAWN, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILAH_CACHE", str(folder / "cache"))
        with tiny_network():
            words = ["train", str(folder / "drawn.yaml"), "--data", str(folder / "photos")]
            assert main([*words, "--out", str(folder / "run"), *_SETTINGS]) == EXIT_OK
            yield folder


def draw(folder: Path, colour: Sequence[float], *, count: int = 24) -> None:
    rng = np.random.default_rng(len(folder.name))
    folder.mkdir(parents=True)
    for number in range(count):
        picture = rng.normal(colour, 25, (40, 60, 3)).clip(0, 255).astype(np.uint8)
        (folder / f"{number}.png").write_bytes(cv2.imencode(".png", picture)[1])


def evaluated(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[str, str, str]:
    """(stdout, stderr, the page's text) of an evaluation."""
    page = tmp_path / "page.html"
    capsys.readouterr()
    assert main(["evaluate", str(trained / "run"), "--out", str(page), *words]) == EXIT_OK
    captured = capsys.readouterr()
    return captured.out, captured.err, page.read_text(encoding="utf-8")


def test_two_places_stand_beside_the_run_s_own_test_pictures(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ["--data", str(trained / "photos"), "--data", str(trained / "night")]
    names = ["--source", "day", "--source", "by night"]
    out, err, page = evaluated(trained, tmp_path, capsys, *places, *names, "--adapt", "--json")
    told = json.loads(out)
    rows = split_rows(trained / "run")
    tested = sum(row.split == "test" for row in rows)
    day, night = told["sources"]["day"], told["sources"]["by night"]
    # What was trained on is left out, however it lies among the pictures.
    assert (day["images"], day["trained_on"], day["in_test_split"]) == (
        tested, len(rows) - tested, tested,
    )  # fmt: skip
    assert f"{len(rows) - tested} of {len(rows)} pictures were trained on by the run" in err
    assert day["accuracy"]["value"] == told["test"]["accuracy"]["value"]
    assert day["confidence_shift"]["value"] == pytest.approx(0)
    assert (night["images"], night["trained_on"]) == (72, 0)
    assert night["accuracy_shift"]["value"] == pytest.approx(
        night["accuracy"]["value"] - told["test"]["accuracy"]["value"]
    )
    shares = night["classes"]
    assert [shares[label]["share"] for label in BGR] == pytest.approx([1 / 3] * 3)
    assert sum(each["taken_share"] for each in shares.values()) == pytest.approx(1)
    # The model's own answers: nothing is computed here that a station would compute otherwise.
    scores, novelty = scored(trained, "night")
    assert night["confidence"]["value"] == pytest.approx(scores.max(axis=1).mean(), abs=1e-4)
    limit = (read_run(trained / "run").facts.unknown or pytest.fail("no score")).threshold
    if limit is not None:
        assert night["unknown"]["value"] == pytest.approx((novelty > limit).mean())
    points = told["adapted"]["by night"]["points"]
    assert [point["new_per_class"] for point in points] == [0, 1, 2, 5, 10]
    assert told["adapted"]["by night"]["run"]["value"] == night["accuracy"]["value"]
    assert points[-1]["gain"]["value"] == pytest.approx(
        points[-1]["accuracy"]["value"] - points[0]["accuracy"]["value"]
    )
    assert "test split of the run" in page
    assert "by night" in page
    assert unexplained(re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL)) == []


def scored(trained: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The scores and novelty scores of the run's model for all pictures of a folder."""
    run = read_run(trained / "run")
    pictures = [
        preprocess(decode_image(file.read_bytes(), name=""), run.facts.input)
        for file in sorted((trained / name).rglob("*.png"))
    ]
    outputs = run.load_model()(np.array(pictures, np.float32))
    return np.asarray(outputs[0]), np.asarray(outputs[1])[:, 0]


def test_a_picture_is_explained_by_what_the_run_has_learned_from(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = next(row for row in split_rows(trained / "run") if row.split == "train")
    seen = trained / "photos" / row.path
    files = [str(seen), str(trained / "night" / "red" / "0.png")]
    page = tmp_path / "why.html"
    assert main(["explain", str(trained / "run"), *files, "--out", str(page)]) == EXIT_OK
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2
    # It is most like itself, and that says nothing.
    assert re.search(rf"alike: {row.label}, ", said[0])
    assert all(re.search(r" \d\.\d\d, (accepted|rejected[^;]*); alike", line) for line in said)
    text = page.read_text(encoding="utf-8")
    assert text.count("one of the training pictures of this run") == 1
    assert text.count(f"{seen.parent.name}/<wbr>{seen.name}") == 1
    assert len(re.findall(r"Of what its places say, \d+% speaks for", text)) == 2
    assert f"{seen.parent.name}/<wbr>{seen.name}" in text
    assert text.count("data:image/jpeg") == 2 * (1 + 1 + 5)
    assert unexplained(re.sub(r"<style>.*?</style>|<[^>]*>", " ", text, flags=re.DOTALL)) == []
    assert main(["explain", str(trained / "run"), str(tmp_path / "none.png")]) != EXIT_OK
    assert main(["explain", str(trained / "run"), files[0], "--out", "why.txt"]) == EXIT_USAGE


def test_the_table_is_for_people(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err, _ = evaluated(trained, tmp_path, capsys, "--data", str(trained / "night"))
    head, test, night, *_ = out.splitlines()
    assert head.split() == [
        "source", "pictures", "right", "confidence", "unknown", "accepted", "of", "these", "right",
    ]  # fmt: skip
    assert test.startswith("test split of the run")
    assert re.match(r"night +72 ", night)
    assert "page.html" in err


def test_pictures_that_are_not_where_they_were_leave_nothing_to_compare_with(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(trained / "run", tmp_path / "run")
    facts = tmp_path / "run" / "run.json"
    text = facts.read_text(encoding="utf-8").replace(str(trained / "photos"), str(tmp_path))
    facts.write_text(text, encoding="utf-8")
    words = ["--data", str(trained / "night"), "--out", str(tmp_path / "page.html")]
    assert main(["evaluate", str(tmp_path / "run"), *words]) == EXIT_OK
    captured = capsys.readouterr()
    assert "the run's test pictures cannot be compared with" in captured.err
    assert "test split of the run" not in captured.out
    # The page is written, too, though what new pictures would bring cannot be measured.
    assert main(["evaluate", str(tmp_path / "run"), *words, "--adapt", "--replace"]) == EXIT_OK
    told = capsys.readouterr().err
    assert "what new pictures would bring cannot be measured" in told
    assert "is not there any more: put it back, or train again" in told
    assert "--data" not in told


def other_classes(folder: Path) -> list[str]:
    draw(folder / "more" / "amber", BGR["red"], count=2)
    draw(folder / "more" / "red", BGR["red"], count=2)
    return ["--data", str(folder / "more")]


def trained_on_all(folder: Path) -> list[str]:
    run = folder / "run"
    lines = ["path,label"]
    lines += [
        f"{folder / 'photos' / row.path},{row.label}"
        for row in split_rows(run)
        if row.split != "test"
    ]
    (folder / "seen.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return ["--data", str(folder / "seen.csv")]


def names_missing(folder: Path) -> list[str]:
    return ["--data", str(folder / "night"), "--data", str(folder / "photos"), "--source", "day"]


def one_name_twice(folder: Path) -> list[str]:
    return ["--data", str(folder / "night"), "--data", str(folder / "night")]


def no_page(folder: Path) -> list[str]:
    return ["--data", str(folder / "night"), "--out", str(folder / "page.txt")]


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (other_classes, EXIT_DATA, r"classes that .*run does not know: amber. The run knows cyan,"),
        (trained_on_all, EXIT_DATA, r"all of its \d+ pictures that can be read were trained on"),
        (names_missing, EXIT_USAGE, "Received: 2 of --data, 1 of --source"),
        (one_name_twice, EXIT_USAGE, "two sources are called 'night'"),
        (no_page, EXIT_USAGE, "--out must be a page"),
    ],
)
def test_what_cannot_be_evaluated_is_told(
    given: object, code: int, said: str, trained: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for name in ("run", "photos", "night"):
        (tmp_path / name).symlink_to(trained / name)
    assert callable(given)
    words = given(tmp_path)
    page = [] if "--out" in words else ["--out", str(tmp_path / "page.html")]
    assert main(["evaluate", str(tmp_path / "run"), *words, *page]) == code
    captured = capsys.readouterr().err
    assert "Traceback" not in captured
    assert re.search(said, captured), captured
    assert not (tmp_path / "page.html").exists()
