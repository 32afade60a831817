"""The place of a page is checked before anything is computed, and no page is lost."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

import pytest

from edge.core.errors import PilahError
from trainer.commands.evaluate import named
from trainer.commands.page import add_page_arguments, checked_page


def asked(*words: str, run: Path = Path("runs/first")) -> Namespace:
    parser = ArgumentParser()
    add_page_arguments(parser, "evaluation")
    return parser.parse_args(list(words), Namespace(run=run))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_page_lies_in_the_working_folder_unless_a_place_is_given(here: Path) -> None:
    assert checked_page(asked(), "evaluation") == Path("first-evaluation.html")
    assert checked_page(asked("--out", "a.htm"), "evaluation") == Path("a.htm")
    assert list(here.iterdir()) == []


def test_a_page_that_is_there_is_replaced_only_when_asked(here: Path) -> None:
    (here / "first-evaluation.html").write_text("with somebody's remarks")
    with pytest.raises(PilahError, match="there already: give --replace"):
        checked_page(asked(), "evaluation")
    assert checked_page(asked("--replace"), "evaluation").read_text() == "with somebody's remarks"


@pytest.mark.parametrize(
    ("out", "told"),
    [
        ("none/page.html", "a folder of that path does not exist"),
        ("file/page.html", "a part of that path is a file"),
        ("page.txt", "must be a page"),
    ],
)
def test_a_place_where_nothing_can_be_written_is_told_first(
    here: Path, out: str, told: str
) -> None:
    (here / "file").write_text("")
    with pytest.raises(PilahError, match=told):
        checked_page(asked("--out", out), "evaluation")


def test_a_source_has_the_whole_name_of_its_folder(here: Path) -> None:
    (here / "shop.b").mkdir()
    (here / "shop.c.csv").write_text("path,label\n")
    sources = named([Path("shop.b"), Path("shop.c.csv")], [])
    assert [name for name, _ in sources] == ["shop.b", "shop.c"]
