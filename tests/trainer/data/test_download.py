"""A download goes on where it broke off, and is taken only when it is what was published."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.core.errors import EXIT_UNAVAILABLE
from tests.trainer.data.file_server import FileServer, file_server
from trainer.data.download import RemoteFile, fetch
from trainer.errors import DownloadError

pytestmark = pytest.mark.usefixtures("no_proxy")

CONTENT = random.Random(0).randbytes(300_000)
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server() as running:
        running.files["set.zip"] = CONTENT
        yield running


class Waits(list[float]):
    """Pauses that were asked for, and took no time."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def take(server: FileServer, folder: Path, checksum: str | None = SHA256) -> bytes:
    file = RemoteFile("set.zip", (server.url("set.zip"),), checksum)
    return fetch(file, folder, wait=Waits()).read_bytes()


@pytest.mark.parametrize("checksum", [SHA256, MD5, None])
def test_a_file_arrives_whole(server: FileServer, tmp_path: Path, checksum: str | None) -> None:
    assert take(server, tmp_path, checksum) == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["set.zip"]


def test_a_file_that_is_there_is_not_fetched_again(server: FileServer, tmp_path: Path) -> None:
    take(server, tmp_path)
    take(server, tmp_path)
    assert len(server.asked) == 1


def test_what_broke_off_goes_on_where_it_was(server: FileServer, tmp_path: Path) -> None:
    server.break_after = [81_920, 40_960]
    assert take(server, tmp_path) == CONTENT
    assert server.asked == [
        ("set.zip", None), ("set.zip", "bytes=81920-"), ("set.zip", "bytes=122880-"),
    ]  # fmt: skip


def test_what_broke_off_goes_on_in_another_process(server: FileServer, tmp_path: Path) -> None:
    server.break_after = [122_880, *[0] * 5]
    with pytest.raises(DownloadError, match=r"broke off|connection was closed.*5 times in a row"):
        take(server, tmp_path)
    assert (tmp_path / "set.zip.part").stat().st_size == 122_880
    server.asked.clear()
    assert take(server, tmp_path) == CONTENT
    assert server.asked == [("set.zip", "bytes=122880-")]


@pytest.mark.parametrize("ranges", [True, False])
def test_another_file_meanwhile_is_fetched_from_its_start(
    server: FileServer, tmp_path: Path, ranges: bool
) -> None:
    server.tags["set.zip"] = '"old"'
    server.break_after = [200_000, *[0] * 5]
    with pytest.raises(DownloadError):
        take(server, tmp_path)
    server.files["set.zip"], server.tags["set.zip"] = CONTENT[::-1], '"new"'
    server.ranges = ranges
    assert take(server, tmp_path, None) == CONTENT[::-1]


def test_a_server_that_knows_no_ranges_sends_it_all_again(
    server: FileServer, tmp_path: Path
) -> None:
    server.ranges = False
    server.break_after = [100_000]
    assert take(server, tmp_path) == CONTENT


def test_without_a_mark_of_its_version_nothing_is_gone_on_with(
    server: FileServer, tmp_path: Path
) -> None:
    server.tags["set.zip"] = 'W/"weak"'
    server.break_after = [100_000]
    assert take(server, tmp_path) == CONTENT
    assert [span for _, span in server.asked] == [None, None]


def test_more_than_the_server_has_is_thrown_away(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "set.zip.part").write_bytes(bytes(400_000))
    (tmp_path / "set.zip.part.json").write_text('{"validator": "\\"300000\\""}')
    assert take(server, tmp_path) == CONTENT
    assert [span for _, span in server.asked] == ["bytes=400000-", None]


def test_pauses_grow_while_nothing_arrives(server: FileServer, tmp_path: Path) -> None:
    server.fail = [503, 503, 429]
    waits = Waits()
    file = RemoteFile("set.zip", (server.url("set.zip"),), SHA256)
    assert fetch(file, tmp_path, wait=waits).read_bytes() == CONTENT
    assert waits == [2.0, 4.0, 8.0]


@pytest.mark.parametrize(
    ("fail", "says"),
    [([404], "answers 404"), ([403], "answers 403"), ([503] * 5, "answers 503 .*5 times in a row")],
)
def test_a_server_that_does_not_have_it_is_named(
    server: FileServer, tmp_path: Path, fail: list[int], says: str
) -> None:
    server.fail = fail
    with pytest.raises(DownloadError, match=says) as caught:
        take(server, tmp_path)
    assert server.address in str(caught.value)
    assert caught.value.exit_code == EXIT_UNAVAILABLE


def test_no_server_at_all_is_told(tmp_path: Path) -> None:
    with file_server() as gone:
        pass
    with pytest.raises(DownloadError, match="no connection"):
        take(gone, tmp_path)


def test_another_file_than_was_published_is_not_taken(server: FileServer, tmp_path: Path) -> None:
    server.files["set.zip"] = b"something else"
    received = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(DownloadError, match=rf"{SHA256} is expected. Received: sha256:{received}"):
        take(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("first", [b"wrong", None], ids=["another file", "not there"])
def test_the_next_server_is_asked(server: FileServer, tmp_path: Path, first: bytes | None) -> None:
    if first is not None:
        server.files["mirror"] = first
    file = RemoteFile("set.zip", (server.url("mirror"), server.url("set.zip")), SHA256)
    assert fetch(file, tmp_path, wait=Waits()).read_bytes() == CONTENT
