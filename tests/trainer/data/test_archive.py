"""Zip files are unpacked whole or not, and never to another place."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from trainer.data import archive
from trainer.data.archive import unzip
from trainer.errors import DownloadError


def zipped(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as content:
        for name in names:
            content.writestr(name, b"" if name.endswith("/") else f"{name} " * 100)
    return path


def test_an_archive_is_unpacked_without_what_macos_adds(tmp_path: Path) -> None:
    names = ["set/", "set/can/1.jpg", "set/.DS_Store", "__MACOSX/set/can/._1.jpg"]
    unzip(zipped(tmp_path / "a.zip", *names), tmp_path / "out")
    files = [p.relative_to(tmp_path / "out") for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert files == [Path("set/can/1.jpg")]
    assert (tmp_path / "out/set/can/1.jpg").read_text() == "set/can/1.jpg " * 100


@pytest.mark.parametrize(
    "name", ["../evil.jpg", "can/../../evil.jpg", "/tmp/evil.jpg", "..\\evil.jpg", "C:/evil.jpg"]
)
def test_a_name_that_leads_out_is_refused_and_nothing_is_unpacked(
    tmp_path: Path, name: str
) -> None:
    out = tmp_path / "deep" / "out"
    out.mkdir(parents=True)
    with pytest.raises(DownloadError, match="leads out of its folder"):
        unzip(zipped(tmp_path / "a.zip", "can/1.jpg", name), out)
    assert list(out.iterdir()) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "deep"]


def test_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("can")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as content:
        content.writestr(link, "/etc")
        content.writestr("can/passwd", "x")
    with pytest.raises(DownloadError, match="holds the link 'can'"):
        unzip(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_an_archive_cut_short_is_refused(tmp_path: Path, kept: float) -> None:
    path = zipped(tmp_path / "a.zip", *(f"can/{n}.jpg" for n in range(9)))
    content = path.read_bytes()
    path.write_bytes(content[: int(kept if kept > 1 else kept * len(content))])
    with pytest.raises(DownloadError, match="not a whole zip file"):
        unzip(path, tmp_path / "out")


def test_a_changed_byte_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as content:
        content.writestr("1.jpg", b"a" * 1000)
    raw = bytearray(path.read_bytes())
    raw[500] ^= 1
    path.write_bytes(raw)
    with pytest.raises(DownloadError, match="not a whole zip file"):
        unzip(path, tmp_path / "out")


def test_an_archive_made_to_fill_the_disk_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_MOST", 1000)
    with pytest.raises(DownloadError, match="would unpack to"):
        unzip(zipped(tmp_path / "a.zip", "can/1.jpg", "can/2.jpg"), tmp_path / "out")
