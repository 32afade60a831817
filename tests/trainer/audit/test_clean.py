"""A reviewed list makes a manifest; nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.core.dataset import read_picture_set
from edge.core.errors import PictureSetError, StorageError
from trainer.audit.clean import CleanResult, clean_pictures
from trainer.errors import ReviewError

SET = ("can/1.jpg", "can/2.jpg", "can/3.jpg", "jar/1.jpg", "jar/2.jpg")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in SET:
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_text(name)
    return tmp_path / "set"


def clean(source: Path, lines: list[str], out: Path | None = None, **options: bool) -> CleanResult:
    root = source if source.is_dir() else source.parent
    review = root.parent / "list.csv"
    review.write_text("\n".join(["path,do", *lines]) + "\n", encoding="utf-8")
    return clean_pictures(source, review, out, **options)


def kept(done: CleanResult) -> list[tuple[str, str]]:
    found = read_picture_set(done.manifest)
    return [(p.path.parent.name + "/" + p.path.name, p.label) for p in found.pictures]


def test_what_is_dropped_is_left_out_and_what_is_relabelled_has_its_label(folder: Path) -> None:
    before = {p: p.read_bytes() for p in folder.rglob("*.jpg")}
    done = clean(
        folder, ["can/1.jpg,drop", "can/2.jpg,relabel:jar", "can/3.jpg,keep", "jar/1.jpg,"]
    )
    assert kept(done) == [
        ("can/2.jpg", "jar"),
        ("can/3.jpg", "can"),
        ("jar/1.jpg", "jar"),
        ("jar/2.jpg", "jar"),
    ]
    assert (done.kept, done.dropped, done.relabelled, done.undecided) == (4, 1, 1, 1)
    assert done.counts == {"can": 1, "jar": 3}
    assert {p: p.read_bytes() for p in folder.rglob("*.jpg")} == before


def test_the_manifest_lies_beside_the_list_or_where_it_is_wanted(folder: Path) -> None:
    assert clean(folder, []).manifest == folder.parent / "list.clean.csv"
    inner = clean(folder, [], folder.parent / "deep" / "er")
    assert inner.manifest == folder.parent / "deep" / "er" / "manifest.csv"
    assert len(kept(inner)) == len(SET)
    named = clean(folder, [], folder.parent / "mine.csv")
    assert named.manifest == folder.parent / "mine.csv"


def test_groups_and_parts_are_kept(folder: Path) -> None:
    manifest = folder / "set.csv"
    rows = [f"{name},{name[:3]},g{i // 2},{'test' if i > 3 else 'train'}"
            for i, name in enumerate(SET)]  # fmt: skip
    manifest.write_text("\n".join(["path,label,group,split", *rows]) + "\n")
    done = clean(manifest, ["can/1.jpg,drop"])
    found = read_picture_set(done.manifest).pictures
    assert [(p.group, p.split) for p in found] == [
        ("g0", "train"), ("g1", "train"), ("g1", "train"), ("g2", "test"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["can/9.jpg,drop"], r"list\.csv:2: .*9\.jpg is not there"),
        (["can/1.jpg,drop", "can/2.jpg,delete"], r"list\.csv:3: do must be .* Received: 'delete'"),
        (["can/1.jpg,relabel"], r"list\.csv:2: do must be"),
        (["can/1.jpg,relabel:jra"], r"list\.csv:2: there is no class 'jra'\. Did you mean jar"),
        (["can/1.jpg,drop:jar"], r"list\.csv:2: do must be"),
        ([",drop"], r"list\.csv:2: it names no picture"),
        (["can/1.jpg,drop", "can/1.jpg,relabel:jar"], r"list\.csv:3: .*dropped on line 2"),
        (["notes.txt,drop"], r"list\.csv:2: .*is no picture of"),
    ],
)
def test_a_line_that_cannot_be_applied_is_named_and_nothing_written(
    folder: Path, lines: list[str], words: str
) -> None:
    (folder / "notes.txt").touch()
    with pytest.raises(ReviewError, match=words):
        clean(folder, lines)
    assert not (folder.parent / "list.clean.csv").exists()


def test_every_mistake_is_told_at_once(folder: Path) -> None:
    with pytest.raises(ReviewError, match=r"(?s):2:.*:4:"):
        clean(folder, ["can/9.jpg,drop", "can/1.jpg,keep", "can/2.jpg,what"])


def test_keep_yields_to_another_decision_on_the_same_picture(folder: Path) -> None:
    done = clean(folder, ["can/1.jpg,keep", "can/1.jpg,drop", "can/1.jpg,"])
    assert done.dropped == 1


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_spreadsheet_may_have_saved_the_list(folder: Path, separator: str) -> None:
    review = folder.parent / "list.csv"
    text = f"path{separator}do\r\n.\\can\\1.jpg{separator} Drop \r\n"
    review.write_text("\ufeff" + text, encoding="utf-8", newline="")
    assert clean_pictures(folder, review).dropped == 1


def test_what_is_there_is_not_written_over(folder: Path) -> None:
    clean(folder, [])
    with pytest.raises(StorageError, match="is there already"):
        clean(folder, [])
    assert clean(folder, ["can/1.jpg,drop"], replace_out=True).kept == 4


def test_neither_the_list_nor_the_set_itself_is_ever_replaced(folder: Path) -> None:
    manifest = folder / "set.csv"
    manifest.write_text("path,label\ncan/1.jpg,can\njar/1.jpg,jar\n")
    with pytest.raises(StorageError, match="what is to be cleaned"):
        clean(manifest, [], manifest, replace_out=True)
    with pytest.raises(StorageError, match="is the list"):
        clean(folder, [], folder.parent / "list.csv", replace_out=True)


def test_a_list_that_drops_everything_makes_no_manifest(folder: Path) -> None:
    with pytest.raises(PictureSetError, match="nothing is left"):
        clean(folder, [f"{name},drop" for name in SET])
