"""The page tells all that is known, escapes every word, and needs nothing but itself."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.core.errors import StorageError
from edge.core.model.glossary import explained
from tests.plain_words import unexplained
from tests.trainer.report.made_up import (
    LABELS,
    TEST,
    disturbed,
    explanations,
    facts,
    learning,
    scored,
    unknown,
)
from trainer.calibration.accept_thresholds import AcceptThreshold
from trainer.evaluation.held_out_use import EarlierUse, HeldOutUse
from trainer.recipes.measured import MeasuredPlan
from trainer.report.metrics_json import metrics_json
from trainer.report.report_facts import ReportFacts
from trainer.report.report_page import write_report
from trainer.report.thumbnails import Thumbnails, jpeg_uri
from trainer.statistics.intervals import Figure

_VOID = {"meta", "img", "br", "wbr", "link", "input", "hr"}


class Page(HTMLParser):
    """What a browser would find: text, and the attributes of each tag; every tag closed."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(source)
        assert self.open == [], "every tag is closed"
        self.text = re.sub(r"\s+", " ", "".join(self.words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    def values(self, tag: str, name: str) -> list[str]:
        return [value for t, found in self.tags if t == tag and (value := found.get(name))]


def written(folder: Path, told: ReportFacts | None = None, **changes: Any) -> Page:
    file = folder / "report.html"
    write_report(file, told or facts(**changes))
    return Page(file.read_text(encoding="utf-8"))


def full(**changes: Any) -> ReportFacts:
    return facts(
        **{
            "cross_fitted": scored([*TEST, (2, 0, 0.9)]),
            "unknown": unknown(),
            "learning": learning(),
            "disturbed": disturbed(),
            "explained": explanations(),
        }
        | changes
    )


def test_the_top_says_how_good_it_is_in_plain_words(tmp_path: Path) -> None:
    page = written(tmp_path)
    for text in (
        "tells 3 kinds of things apart",
        "can, glass or paper.",
        "It learned from 303 pictures and was tested on 120 others that it had never seen",
        "96.7%right on pictures it has never seen",
        "Good 91% to 99% of pictures like these are classified correctly.",
        "116 of 120; 95% interval 91.7% to 98.7%",
        "Always naming the most frequent class: 44%",
        "3 of 3 classes carry a promise",
        "test pictures usedfor the first time",
    ):
        assert text in page.text, text
    assert "Before you rely on it" not in page.text


def test_what_makes_it_doubtful_stands_at_the_top(tmp_path: Path) -> None:
    notes = {"can": AcceptThreshold(0.9, 20, 20, "no promise: it takes about 19 more pictures")}
    page = written(
        tmp_path,
        cut_short=True,
        thresholds=facts().thresholds | notes,
        held_out_use=HeldOutUse(
            5, "2026-01-02T00:00:00+00:00", (EarlierUse("2026-01-02", "runs/a", 0.8),)
        ),
    )
    top = page.text.partition("Mistakes, with")[0]
    assert "Before you rely on it" in top
    assert "The training was cut short." in top
    assert "used 5 times, since 2026-01-02" in top
    assert "2 of 3 classes carry a promise" in top
    assert "no promise: it takes about 19 more pictures" in top
    assert "which shares 80% of them" in page.text


def test_series_of_one_object_are_told_and_widen_the_interval(tmp_path: Path) -> None:
    page = written(tmp_path, test=scored(TEST, groups=[str(n // 5) for n in range(len(TEST))]))
    assert "in 24 groups of pictures that belong together" in page.text
    assert "The pictures come in groups of alike ones" in page.text


@pytest.mark.parametrize(
    ("section", "texts"),
    [
        ("training", ["Epoch 5 of 6", "Learning rate", "epoch 4 (upper 1): loss 0.250"]),
        ("confusion", ["On the test split", "cross-fitted", "can50 94%3 6%0"]),
        ("classes", ["97.6% 40 of 41", "0.60", "shown on 80 accepted pictures, all of them right",
                     "at least 90% of what is accepted as it is right, at 95% confidence"]),
        ("mistakes", ["can taken for glass 3 of 53", "can/50.jpg"]),
        ("why", ["The surest error on the test split", "can/50.jpg",
                 "It is can; taken for glass 0.90", "can 0.06", "glass 0.93", "glass/7.jpg"]),
        ("confidence", ["temperature of 1.00", "scores lay 5.0% off the share that is right"]),
        ("accepting", ["wanted 90%", "with the thresholds: 98.3% accepted"]),
        ("unknown", ["how little any class speaks for it", "novelty score above 0.50",
                     "kept 96.0% (93.0% to 99.0%)", "calls 2.5% (0.9% to 7.1%) unknown", "80.0%",
                     "91%"]),
        ("more", ["+1.3 points", "+0.2 to +3.1", "from 100 per class to 150"]),
        ("robustness", ["motion blur", "quality 10", "−5.0 points (−15.0 to +1.0)", "60 of 100"]),
        ("made", ["2,345,678 parameters", "9.4 MB", "2 CPU cores", "decoding 12 s", "ab" * 32,
                  "pilah-trainer train bottles --data photos --seed 3", "keras 3.15",
                  "name: bottles", "303"]),
    ],
)  # fmt: skip
def test_every_section_has_its_figures(tmp_path: Path, section: str, texts: list[str]) -> None:
    write_report(tmp_path / "report.html", full())
    source = (tmp_path / "report.html").read_text(encoding="utf-8")
    found = re.search(rf'<section id="{section}"[^>]*>.*?</section>', source, re.DOTALL)
    assert found is not None
    text = Page(found[0]).text
    for each in texts:
        assert each in text, each


def test_errors_are_explained_by_pictures_within_the_page(tmp_path: Path) -> None:
    def pictures(told: ReportFacts) -> list[str]:
        write_report(tmp_path / "report.html", told)
        page = (tmp_path / "report.html").read_text(encoding="utf-8")
        return re.findall(r'src="(data:image/jpeg[^"]+)"', page.partition('<section id="why">')[2])

    found = pictures(facts(explained=explanations(3)))
    assert len(found) == len(set(found)) == 3 * 4  # plain, coloured, and two that look alike
    (one,) = explanations()
    no_map = pictures(facts(explained=(replace(one, heat=None, alike=()),)))
    assert len(no_map) == 1


def test_what_there_is_nothing_of_is_left_out(tmp_path: Path) -> None:
    page = written(tmp_path, history=[], tensors=None, held_out_use=None, validation=None)
    sections = page.values("section", "id")
    assert sections == [
        "figures", "classes", "mistakes", "confusion", "accepting", "confidence", "made", "words"
    ]  # fmt: skip
    assert page.values("img", "src") == []
    assert set(page.values("a", "href")) == {f"#{section}" for section in sections}
    assert "not counted" in page.text


def test_a_training_without_a_test_part_says_so(tmp_path: Path) -> None:
    page = written(tmp_path, full(test=scored([])))
    assert "There is no test split" in page.text
    assert "–right on pictures it has never seen" in page.text


def test_what_other_networks_brought_is_told_with_their_cost(tmp_path: Path) -> None:
    better = MeasuredPlan(
        variant="better", points=2.9, interval=[1.1, 4.7], picture_time=1.3, trainings=15,
        pictures="<shoes>",
    )  # fmt: skip
    page = written(tmp_path, measured=(better,))
    assert "2.9 points more right (1.1 to 4.7)" in page.text
    assert "a picture takes 1.3 times as long" in page.text
    assert "15 trainings of each, on <shoes>" in page.text
    assert "not on yours. Better by more than chance explains: better." in page.text
    assert "compare bottles --data PICTURES --variants default,better --out FOLDER" in page.text
    assert "#others" in page.values("a", "href")
    (told,) = metrics_json(facts(measured=(better,)))["measured"]  # type: ignore[misc]
    assert (told["variant"], told["interval"]) == ("better", [1.1, 4.7])
    assert "#others" not in written(tmp_path).values("a", "href")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"notes": ("Its mistake: it is one.",)},
            "Its mistake: it is one.",
        ),
        (
            {"unknown": unknown(rejected=Figure(0.01, (0.002, 0.036)))},
            "so it is shown that it keeps what it is to keep",
        ),
        ({"unknown": unknown()}, "that does not show that it keeps what it is to keep"),
        ({"unknown": unknown(threshold=None, note="too few")}, "Nothing is rejected by it yet"),
        (
            {"unknown": unknown(found={}, kind="both")},
            "for it and how far it looks from known things",
        ),
        ({"learning": learning(forecast=None, note="too far")}, "No forecast: too far."),
        ({"learning": learning(points=(), fit=None, forecast=None, note="why")}, "forecast: why."),
        ({"cross_fitted": scored([(0, 0, 0.9)])}, "cross-fitted: 0 of 1 wrong"),
        ({"test": scored([(0, 1, 0.9)] * 120)}, "0 of 120"),
        ({}, "Epoch 5 of 6 was kept, which has the lowest loss on the validation split."),
        ({"kept_epoch": 5}, "Epoch 6 of 6 was kept, the last one of its phase, as the recipe says"),
        ({"kept_epoch": None}, "No epoch had a lower loss on the validation split than"),
    ],
)
def test_odd_cases_are_told(tmp_path: Path, changes: dict[str, Any], text: str) -> None:
    assert text in written(tmp_path, full(**changes)).text


@pytest.mark.parametrize("total", [3, 13, 34])
def test_figures_of_a_few_pictures_are_not_shown(tmp_path: Path, total: int) -> None:
    page = written(tmp_path, full(test=scored(TEST[48 : 48 + total])))
    assert "Too few pictures to say It was tested on" in page.text
    top = page.text.partition("Mistakes, with")[0]
    if total < 16:
        assert not re.search(r"\d\.\d%right on", top), "an interval, or nothing"
    sections = page.values("section", "id")
    assert not {"robustness", "accepting", "confidence"} & set(sections)
    assert "what bad light, dirt and blur cost (about 35 needed)" in page.text
    assert "whether a score means what it says (about 100 needed)" in page.text


def test_the_verdict_and_the_contents_come_before_everything_else(tmp_path: Path) -> None:
    page = written(tmp_path, full())
    blocks = [tag for tag, _ in page.tags if tag in ("h1", "nav", "main", "section")]
    assert blocks[:4] == ["h1", "nav", "main", "section"]
    text = page.text
    assert text.index("Good 91%") < text.index("In figures") < text.index("Each class")
    sections = page.values("section", "id")
    assert sections.index("mistakes") < sections.index("training")
    links = [target for target in page.values("a", "href") if target.startswith("#")]
    assert set(links) == {f"#{section}" for section in sections}


def test_no_picture_is_shown_twice_among_the_mistakes_of_a_part(tmp_path: Path) -> None:
    many = [(n % 3, (n + 1) % 3, 0.9) for n in range(60)] + [(n % 3, n % 3, 0.9) for n in range(60)]
    write_report(tmp_path / "report.html", facts(test=scored(many)))
    source = (tmp_path / "report.html").read_text(encoding="utf-8")
    section = re.search(r'<section id="mistakes">.*?</section>', source, re.DOTALL)
    assert section is not None
    shown = re.findall(r"\w+/<wbr>\d+\.jpg", section[0])
    assert len(shown) == len(set(shown)) > 20


@pytest.mark.parametrize("changes", [{}, {"test": scored(TEST[48:61])}, {"unknown": None}])
def test_every_technical_word_is_explained_on_the_page(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    page = written(tmp_path, full(**changes))
    assert unexplained(page.text) == []
    terms = page.text.rpartition("Words")[2]
    for term in explained(page.text):
        assert term in terms, term


def test_every_picture_has_an_alternative_text(tmp_path: Path) -> None:
    page = written(tmp_path, full())
    pictures = [found for tag, found in page.tags if tag == "img"]
    assert pictures
    assert all(found.get("alt") for found in pictures)
    symbols = [found for tag, found in page.tags if tag == "svg"]
    assert all("aria-label" in found or "aria-hidden" in found for found in symbols)


def test_nothing_is_fetched_and_no_script_runs(tmp_path: Path) -> None:
    page = written(tmp_path, full())
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert not [name for _, found in page.tags for name in found if name.startswith("on")]
    targets = page.values("img", "src") + page.values("use", "href") + page.values("a", "href")
    assert targets
    assert [target for target in targets if not target.startswith(("data:", "#"))] == []
    source = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"url\(|@import|https?:", source)
    assert any("default-src 'none'" in policy for policy in page.values("meta", "content"))


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '" onload="x', "红 色 🍎", "{{ 7 }}"]
)
def test_any_word_is_shown_as_it_is(tmp_path: Path, name: str) -> None:
    labels = (name, "glass", "paper")
    plain = full()
    told = replace(
        plain,
        labels=labels,
        recipe=name,
        data=name,
        command=name,
        counts=dict(zip(labels, plain.counts.values(), strict=True)),
        thresholds=dict(zip(labels, plain.thresholds.values(), strict=True)),
        test=replace(plain.test, names=[name] * len(TEST)),
        unknown=unknown(found={name: unknown().kept}, note=name),
    )
    page = written(tmp_path, told)
    assert page.text.count(name) > 20
    assert not any(tag == "script" or "onload" in found for tag, found in page.tags)


def test_a_name_that_is_no_utf8_is_shown_with_escapes(tmp_path: Path) -> None:
    page = written(tmp_path, test=replace(scored(TEST), names=["caf\udce9.jpg"] * len(TEST)))
    assert "caf\\udce9.jpg" in page.text


def test_numbers_are_never_told_by_colour_alone(tmp_path: Path) -> None:
    page = written(tmp_path)
    matrix = [
        found for tag, found in page.tags if tag == "td" and "--s" in (found.get("style") or "")
    ]
    assert len(matrix) == 9
    assert all(re.search(r": \d+ \(", found.get("title") or "") for found in matrix)
    assert page.text.count("50 94%") == 1, "the count and its share of the row"
    assert page.values("table", "class") == ["full", "matrix"]


def test_every_class_that_is_used_has_a_style(tmp_path: Path) -> None:
    page = written(tmp_path, full())
    style = (tmp_path / "report.html").read_text(encoding="utf-8").partition("</style>")[0]
    used = {word for _, found in page.tags for word in (found.get("class") or "").split()}
    assert {word for word in used if not re.search(rf"\.{word}\b", style)} - {"label"} == set()


def test_pictures_stop_where_the_page_would_grow_too_large() -> None:
    tensors = np.random.default_rng(0).integers(0, 256, (50, 200, 200, 3), np.uint8)
    thumbnails = Thumbnails(tensors, budget=200_000)
    shown = [uri for row in range(50) if (uri := thumbnails.of_row(row))]
    assert 3 < len(shown) < 50
    assert sum(map(len, shown)) <= 200_000


def test_a_report_of_many_errors_is_of_a_bearable_size(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    count = 2000
    answers = [(int(a), int(b), 0.6) for a, b in rng.integers(0, 20, (count, 2))]
    labels = tuple(f"label {n}" for n in range(20))
    tensors = np.broadcast_to(
        rng.integers(0, 256, (1, 224, 224, 3), np.uint8), (count, 224, 224, 3)
    )
    told = facts(
        labels=labels,
        counts={label: {"train": 80, "test": 100} for label in labels},
        thresholds={label: AcceptThreshold(0.9, 8, 8, "no promise") for label in labels},
        test=scored(answers, labels=20),
        cross_fitted=scored(answers, labels=20),
        validation=None,
        tensors=tensors,
        disturbed=disturbed(),
    )
    write_report(tmp_path / "report.html", told)
    size = (tmp_path / "report.html").stat().st_size
    assert 500_000 < size < 3_000_000


def test_more_labels_than_a_table_can_hold_are_told_by_their_pairs(tmp_path: Path) -> None:
    labels = tuple(f"label {n}" for n in range(60))
    page = written(
        tmp_path,
        labels=labels,
        counts={},
        thresholds={label: AcceptThreshold(0.9, 8, 8, "no promise") for label in labels},
        test=scored([(n % 60, (n + n // 60) % 60, 0.7) for n in range(240)], labels=60),
        validation=None,
        tensors=None,
    )
    assert "too many classes for a table" in page.text
    assert "label 0 taken for label 1" in page.text


@pytest.mark.parametrize("shape", [(28, 28, 1), (28, 28, 3), (300, 200, 3)])
def test_a_thumbnail_keeps_form_and_colours(shape: tuple[int, int, int]) -> None:
    import base64

    from edge.core.images.image_file import decode_image

    tensor = np.full(shape, 90, np.uint8)
    if shape[2] == 3:
        tensor[:, :, 0] = 200
    content = base64.b64decode(jpeg_uri(tensor, side=160).partition(",")[2])
    shown = decode_image(content)
    assert max(shown.shape[:2]) == (56 if shape[0] == 28 else 160)
    blue, red = shown[5, 5, 0], shown[5, 5, 2]
    assert abs(int(red) - (200 if shape[2] == 3 else 90)) < 6
    assert abs(int(blue) - 90) < 6


def test_all_figures_are_there_for_machines(tmp_path: Path) -> None:
    told = json.loads(json.dumps(metrics_json(full(cut_short=True))))
    assert told["test"]["accuracy"] == pytest.approx(116 / 120)
    assert told["test"]["accuracy_interval"] == pytest.approx([0.9174, 0.9870], abs=1e-3)
    assert told["test"]["classes"]["glass"]["f1"] == pytest.approx(80 / 84)
    assert told["test"]["confusion"] == [[50, 3, 0], [0, 40, 1], [0, 0, 26]]
    assert told["test"]["confused"][0] == {"is": "can", "taken_for": "glass", "images": 3}
    assert told["test"]["calibration"]["after"]["bins"] == 10
    assert told["cross_fitted"]["images"] == 121
    assert told["validation"]["images"] == 60
    assert set(told["thresholds"]) == set(LABELS)
    assert told["unknown"]["rejected_known"] == {"value": 0.025, "interval": [0.0086, 0.0709]}
    assert told["unknown"]["found"]["can"] == {"value": 0.8, "interval": [0.7, 0.9]}
    assert told["learning_curve"]["forecast"]["gain"] == 0.013
    assert len(told["robustness"]) == 18
    assert told["test_looks"]["times"] == 1
    assert told["warnings"] == ["The training was cut short"]
    assert json.dumps(metrics_json(facts(test=scored([]), held_out_use=None)))


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="does not exist"):
        write_report(tmp_path / "no" / "report.html", facts())
