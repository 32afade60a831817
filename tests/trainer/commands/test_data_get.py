"""Public sets arrive by name, and a person is told what to do with them."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import math
import struct
import sys
import types
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from edge.core.dataset import read_picture_set
from edge.core.errors import EXIT_IO, EXIT_UNAVAILABLE, EXIT_USAGE
from edge.core.terminal.hints import install_command
from tests.trainer.data.file_server import FileServer, file_server
from trainer.cli import main
from trainer.data import public_sets
from trainer.data.public_sets import PUBLIC_SETS, PublicSet, get
from trainer.errors import DownloadError

pytestmark = pytest.mark.usefixtures("no_proxy")


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server() as running:
        yield running


def served(
    server: FileServer, name: str, contents: Mapping[str, bytes], *, checked: bool = True
) -> dict[str, PublicSet]:
    """The public set `name`, its files those of `contents` on the local server."""
    server.files |= contents
    files = tuple(
        replace(
            file,
            urls=(server.url(file.name),),
            checksum=f"md5:{hashlib.md5(contents[file.name]).hexdigest()}" if checked else None,
        )
        for file in PUBLIC_SETS[name].files
    )
    return {name: replace(PUBLIC_SETS[name], files=files)}


def zip_of(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, b"x" * 2000)
    return content.getvalue()


TRASHNET = {"dataset-resized.zip": zip_of(
    "dataset-resized/glass/glass1.jpg", "dataset-resized/metal/metal1.jpg",
    "dataset-resized/.DS_Store", "__MACOSX/dataset-resized/._glass",
)}  # fmt: skip


def idx(kind: str, *shape: int) -> bytes:
    head = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
    return gzip.compress(head + bytes(math.prod(shape)))


def test_an_archive_becomes_a_folder_per_class(server: FileServer, tmp_path: Path) -> None:
    out = tmp_path / "trashnet"
    fetched = get("trashnet", out, sets=served(server, "trashnet", TRASHNET))
    assert read_picture_set(out).labels == ("glass", "metal")
    assert [path.name for path in tmp_path.iterdir()] == ["trashnet"]
    assert (fetched.folder, fetched.notes) == (out, ())


def test_what_has_no_published_checksum_says_so_with_what_was_received(
    server: FileServer, tmp_path: Path
) -> None:
    sets = served(server, "trashnet", TRASHNET, checked=False)
    (note,) = get("trashnet", tmp_path / "out", sets=sets).notes
    sha256 = hashlib.sha256(TRASHNET["dataset-resized.zip"]).hexdigest()
    assert note.endswith(f"no checksum is published for it; SHA-256 received: {sha256}")


def test_arrays_come_with_the_names_of_their_classes(server: FileServer, tmp_path: Path) -> None:
    names = [file.name for file in PUBLIC_SETS["fashion-mnist"].files]
    contents = {name: idx(name, 3, 28, 28) if "images" in name else idx(name, 3) for name in names}
    get("fashion-mnist", tmp_path / "out", sets=served(server, "fashion-mnist", contents))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "labels.txt", *sorted(names)
    ]  # fmt: skip
    assert len((tmp_path / "out" / "labels.txt").read_text().splitlines()) == 10


def test_a_download_that_broke_off_goes_on_when_called_again(
    server: FileServer, tmp_path: Path
) -> None:
    sets = served(server, "trashnet", TRASHNET)
    server.break_after = [8192, *[0] * 5]
    with pytest.raises(DownloadError):
        get("trashnet", tmp_path / "out", sets=sets, wait=lambda seconds: None)
    assert [path.name for path in tmp_path.iterdir()] == ["out.download"]
    get("trashnet", tmp_path / "out", sets=sets)
    assert server.asked[-1] == ("dataset-resized.zip", "bytes=8192-")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (TRASHNET["dataset-resized.zip"][:-900], "not a whole zip file"),
        (zip_of("../../evil.jpg"), "leads out of its folder"),
    ],
)
def test_a_bad_archive_leaves_nothing_behind(
    server: FileServer, tmp_path: Path, content: bytes, says: str
) -> None:
    sets = served(server, "trashnet", {"dataset-resized.zip": content})
    with pytest.raises(DownloadError, match=says):
        get("trashnet", tmp_path / "a" / "out", sets=sets)
    assert not (tmp_path / "a" / "out").exists()
    assert not list(tmp_path.rglob("evil.jpg"))


# The command


@pytest.fixture
def local(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> FileServer:
    sets = served(server, "trashnet", TRASHNET)
    monkeypatch.setitem(public_sets.PUBLIC_SETS, "trashnet", sets["trashnet"])  # type: ignore[arg-type]
    return server


def test_the_command_says_how_to_train(
    local: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "my photos"
    assert main(["data", "get", "trashnet", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[-1] == (
        f"next: pilah-trainer train garbage --groups blocks:20 --data '{out}' --out RUN"
    )


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["trashnett"], EXIT_USAGE, "no public set 'trashnett': there are "),
        (["trashnett"], EXIT_USAGE, "and kaggle:owner/name. Did you mean trashnet?"),
        (["kaggle:nobody"], EXIT_USAGE, "a set of Kaggle is kaggle:owner/name"),
    ],
)
def test_a_name_that_is_none_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, says: str
) -> None:
    assert main(["data", "get", *words, "--out", str(tmp_path / "out")]) == code
    assert says in capsys.readouterr().err


def test_a_folder_that_is_there_is_left_alone(
    local: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "get", "trashnet", "--out", str(tmp_path)]) == EXIT_IO
    assert "is there already" in capsys.readouterr().err
    assert local.asked == []


# Kaggle


def test_without_kagglehub_one_sentence_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "kagglehub" else find(name)
    )
    code = main(["data", "get", "kaggle:a/b", "--out", str(tmp_path / "out")])
    assert code == EXIT_UNAVAILABLE
    assert capsys.readouterr().err.endswith(f"not installed: {install_command('kaggle')}\n")


@pytest.fixture
def kagglehub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the package; returns the folder it has fetched to."""
    cache = tmp_path / "kaggle"

    def dataset_download(handle: str) -> str:
        if handle != "owner/bottles":
            raise RuntimeError("403 Client Error")
        return str(cache)

    module = types.ModuleType("kagglehub")
    module.dataset_download = dataset_download  # type: ignore[attr-defined]
    module.__spec__ = importlib.util.spec_from_loader("kagglehub", None)
    monkeypatch.setitem(sys.modules, "kagglehub", module)
    return cache


def test_a_set_of_kaggle_is_copied_out_of_its_cache(kagglehub: Path, tmp_path: Path) -> None:
    (kagglehub / "Bottle Images" / "cola").mkdir(parents=True)
    (kagglehub / "Bottle Images" / "cola" / "1.jpg").write_bytes(b"x")
    (kagglehub / "Bottle Images" / "beer").mkdir()
    fetched = get("kaggle:owner/bottles", tmp_path / "out")
    assert read_picture_set(fetched.folder).classes == ("beer", "cola")
    assert (kagglehub / "Bottle Images").is_dir()


def test_a_set_of_kaggle_in_no_folders_asks_for_a_class_map(
    kagglehub: Path, tmp_path: Path
) -> None:
    kagglehub.mkdir()
    (kagglehub / "1.jpg").write_bytes(b"x")
    (note,) = get("kaggle:owner/bottles", tmp_path / "out").notes
    assert "write a class map" in note


def test_what_kaggle_refuses_is_told(kagglehub: Path, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"owner/other: .*RuntimeError: 403 Client Error"):
        get("kaggle:owner/other", tmp_path / "out")
    assert not (tmp_path / "out").exists()
