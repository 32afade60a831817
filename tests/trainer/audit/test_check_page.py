"""The page needs nothing but itself, whatever files are called; the list can be filled in."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from edge.core.errors import StorageError
from tests.plain_words import unexplained
from tests.trainer.audit.drawn import check_quickly, write_set
from trainer.audit.check import CheckResult, check_pictures
from trainer.audit.check_page import to_json, write_page
from trainer.audit.problems import problems
from trainer.audit.review import COLUMNS, check_unreviewed, read_rows, suspects, write_review
from trainer.errors import ReviewError


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> CheckResult:
    """A set with one of everything, checked once for all tests."""
    place = tmp_path_factory.mktemp("checked")
    folder = write_set(place / "set", each=24)
    shutil.copy(folder / "can" / "03.png", folder / "jar" / "same.png")
    shutil.copy(folder / "can" / "05.png", folder / "can" / "<b>copy&.png")
    (folder / "can" / "07.png").rename(folder / "jar" / "=wrong.png")
    (folder / "jar" / "empty.jpg").touch()
    with pytest.MonkeyPatch.context() as patch:
        check_quickly(patch, place / "cache")
        return check_pictures(folder)


class Tags(HTMLParser):
    """Every tag with its attributes, and that each is closed where it must be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "br", "wbr", "link", "path"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page(found: CheckResult, tmp_path: Path) -> str:
    write_page(tmp_path / "page.html", found, problems(found), "page.review.csv")
    return (tmp_path / "page.html").read_text(encoding="utf-8")


def test_the_page_is_whole_and_fetches_nothing(found: CheckResult, tmp_path: Path) -> None:
    text, tags = page(found, tmp_path), Tags()
    tags.feed(text)
    assert tags.open == []
    links = [a.get("src") or a.get("href") or "" for _, a in tags.seen if "src" in a or "href" in a]
    assert links
    assert all(link.startswith(("data:image/", "#")) for link in links)
    assert not re.search(r"https?:", text)
    assert text.count("<script") == 2
    ids = {a["id"] for _, a in tags.seen if "id" in a}
    assert {link[1:] for link in links if link.startswith("#")} <= ids


def test_the_page_explains_its_words_and_has_none_that_need_a_book(
    found: CheckResult, tmp_path: Path
) -> None:
    text = page(found, tmp_path)
    _, words = text.split('<section id="words">')
    assert "<dt>validation split</dt>" in words or "<dt>score</dt>" in words
    assert unexplained(re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL)) == []


def test_every_suspect_that_is_shown_can_be_decided_on(found: CheckResult, tmp_path: Path) -> None:
    tags = Tags()
    tags.feed(page(found, tmp_path))
    listed = {suspect.path for suspect in suspects(found)}
    groups = [a["data-path"] for _, a in tags.seen if "data-path" in a]
    assert set(groups) == listed - {"jar/empty.jpg"}  # which has no picture to look at
    offered = {a["data-do"] for _, a in tags.seen if "data-do" in a}
    assert {"keep", "drop", "relabel:can"} <= offered


def test_the_page_has_the_list_that_lies_beside_it(found: CheckResult, tmp_path: Path) -> None:
    """Its script fills in the last column and saves it under that name."""
    text = page(found, tmp_path)
    write_review(tmp_path / "page.review.csv", suspects(found))
    rows = [list(row.values()) for _, row in read_rows(tmp_path / "page.review.csv")]
    embedded = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)
    assert embedded is not None
    content = json.loads(embedded[1])
    assert (content["name"], tuple(content["columns"])) == ("page.review.csv", COLUMNS)
    assert content["rows"] == rows


def test_no_script_runs_but_the_page_s_own(found: CheckResult, tmp_path: Path) -> None:
    text = page(found, tmp_path)
    script = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text
    assert "fetch(" not in script[0]


def test_names_of_files_are_no_html(found: CheckResult, tmp_path: Path) -> None:
    text = page(found, tmp_path)
    assert "<b>copy&" not in text
    assert "&lt;b&gt;copy&amp;.png" in text


def test_the_page_says_first_whether_one_can_train(found: CheckResult, tmp_path: Path) -> None:
    text = page(found, tmp_path)
    assert "Do not train on this yet" in text
    assert text.index("Do not train") < text.index("Classes</h2>")
    assert "perhaps can" in text
    assert "<b>different labels</b>" in text


def test_the_same_is_there_for_programs(found: CheckResult) -> None:
    facts = json.loads(json.dumps(to_json(found, problems(found))))
    assert facts["spoils"] is True
    assert facts["pictures"] == 50
    assert facts["classes"]["can"]["pictures"] == 24
    assert [each["path"] for each in facts["unreadable"]] == ["jar/empty.jpg"]
    assert facts["copies"][0]["labels"] == ["can", "jar"]
    assert len(facts["label_errors"]["ranking"]) == 50
    assert facts["label_errors"]["ranking"][0]["probable_error"]
    assert {problem["kind"] for problem in facts["problems"]} >= {"copies", "files", "labels"}


def test_the_review_list_names_every_suspect_and_leaves_the_decision_open(
    found: CheckResult, tmp_path: Path
) -> None:
    write_review(tmp_path / "list.csv", suspects(found))
    rows = [row for _, row in read_rows(tmp_path / "list.csv")]
    assert tuple(rows[0]) == COLUMNS
    assert not any(row["do"] for row in rows)
    by_path = {row["path"]: row for row in rows}
    assert len(by_path) == len(rows)
    assert by_path["jar/empty.jpg"]["suggested"] == "drop"
    assert (by_path["jar/=wrong.png"]["suggested"], by_path["jar/=wrong.png"]["new_label"]) == (
        "relabel",
        "can",
    )
    contrary = [row for row in rows if "which is" in row["problem"]]
    assert [row["path"] for row in contrary] == ["jar/same.png"]  # the wrong one of the two
    copies = [row["path"] for row in rows if row["problem"].startswith("copy of")]
    assert len(copies) == 2


def test_no_path_in_the_list_is_a_formula(found: CheckResult, tmp_path: Path) -> None:
    write_review(tmp_path / "list.csv", suspects(found))
    lines = (tmp_path / "list.csv").read_text(encoding="utf-8-sig").splitlines()
    assert not any(re.match(r"[=+@-]", line) for line in lines)


@pytest.mark.parametrize("decided", [True, False])
def test_a_list_with_decisions_is_not_written_over(tmp_path: Path, decided: bool) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"path,do\na.jpg,{'drop' if decided else ''}\n")
    if decided:
        with pytest.raises(StorageError, match="has decisions in it"):
            check_unreviewed(file)
    else:
        check_unreviewed(file)


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "an empty file"), ("path,label\na,b\n", "columns path and do"), ("\xff", "UTF-8")],
)
def test_what_is_no_review_list_says_why(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ReviewError, match=words):
        list(read_rows(file))
