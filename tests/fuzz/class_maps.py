"""Class maps, as `edge.core.dataset` reads them; the folders that they name are not gone into."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path

from edge.core.dataset.class_map import folders_of, read_map
from edge.core.errors import PictureSetError
from edge.core.labels import check_label
from tests.fuzz.target import Target


@cache
def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"pilah-fuzz-maps-{os.getuid()}"
    for name in ("sets/green", "sets/brown", "can"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return folder


def _feed(content: bytes) -> None:
    path = _folder() / f"map-{os.getpid()}.yaml"
    path.write_bytes(content)
    try:
        folders = folders_of(read_map(path))
    except PictureSetError:
        return
    for label, folder in folders:
        check_label(label, where="map.yaml")
        assert folder.is_dir()


def _seeds() -> list[bytes]:
    return [
        b"glass: [sets/green, sets/brown]\nmetal:\n  - can\n",
        b"\xef\xbb\xbfno: [can]\ntrue: [sets]\n",
        b"a: &a [can]\nb: *a\n",
        b"1: [can]\n? [x]\n: [can]\n",
        b"a: can\nb:\n",
        b"a: [can\n",
        b"a: [.]\nb: [..]\nc: [/]\n",
        b"",
    ]


TARGET = Target(
    _feed,
    _seeds,
    words=(
        b"\n", b": ", b"- ", b"[", b"]", b"{", b"}", b"&a ", b"*a", b"<<: ", b"!!python/", b"? ",
        b"|\n", b"'", b'"', b"\\0", b"can", b"sets/green", b"../", b"---\n", b"\0", b"%YAML",
    ),
    longest=1024,
)  # fmt: skip
