"""Where pictures come from, by folders and by what cameras call their files."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.core.dataset import read_picture_set
from trainer.audit.sources import Sources, find_sources


def sources(path: Path) -> Sources | None:
    found = read_picture_set(path)
    return find_sources(found.source, found.pictures)


def fill(folder: Path, names: list[str]) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def numbered(folder: str, count: int = 10, name: str = "{}.jpg") -> list[str]:
    return [f"{folder}/{name.format(i)}" for i in range(count)]


def test_a_class_map_says_where_each_class_comes_from(tmp_path: Path) -> None:
    fill(tmp_path, [*numbered("web/fruit", 20), *numbered("own/can"), *numbered("own/jar")])
    (tmp_path / "set.yaml").write_text("fruit: [web/fruit]\ncan: [own/can]\njar: [own/jar]\n")
    found = sources(tmp_path / "set.yaml")
    assert found is not None
    assert found.kind == "folder"
    assert found.counts == {"own": {"can": 10, "jar": 10}, "web": {"fruit": 20}}
    best = found.classes[0]
    assert (best.label, best.sources, best.f1) == ("fruit", ("web",), 1.0)
    assert [told.f1 < 0.9 for told in found.classes[1:]] == [True, True]
    assert (found.told.count, found.largest.count) == (30, 20)


def test_classes_that_come_from_everywhere_are_not_told(tmp_path: Path) -> None:
    for label in ("can", "jar"):
        fill(tmp_path, [*numbered(f"web/{label}"), *numbered(f"own/{label}")])
    (tmp_path / "set.yaml").write_text("can: [web/can, own/can]\njar: [web/jar, own/jar]\n")
    found = sources(tmp_path / "set.yaml")
    assert found is not None
    assert found.told.value == 0.5
    assert all(told.f1 < 0.9 for told in found.classes)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([*numbered("can"), *numbered("jar")], None),
        # Kinds of a class are no sources.
        ([*numbered("apple/golden"), *numbered("apple/red"), *numbered("pear/anjou")], None),
        ([*numbered("can/web"), *numbered("jar/web"), *numbered("jar/own")], {"web", "own"}),
        ([*numbered("can", 9), *numbered("jar", 9, "IMG_{}.jpg")], {"IMG", "other"}),
        # Named by what is on them, which nobody sees.
        ([*numbered("can", 9, "can{}.jpg"), *numbered("jar", 9, "jar{}.jpg")], None),
        # Three of a hundred are no source.
        ([*numbered("can", 99), *numbered("jar", 3, "IMG_{}.jpg")], None),
    ],
)
def test_of_a_folder_per_class(tmp_path: Path, names: list[str], expected: set[str] | None) -> None:
    fill(tmp_path, names)
    found = sources(tmp_path)
    assert (set(found.counts) if found else None) == expected


def test_a_manifest_has_the_folders_its_folders_lie_in(tmp_path: Path) -> None:
    names = [*numbered("web/a"), *numbered("own/b")]
    fill(tmp_path, names)
    rows = [f"{name},{'can' if 'web' in name else 'jar'}" for name in names]
    (tmp_path / "set.csv").write_text("\n".join(["path,label", *rows]) + "\n")
    found = sources(tmp_path / "set.csv")
    assert found is not None
    assert set(found.counts) == {"web", "own"}
