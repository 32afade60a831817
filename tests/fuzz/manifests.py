"""Manifests of pictures, as `edge.core.dataset` reads them."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path

from edge.core.dataset.manifest import parse_manifest
from edge.core.errors import PictureSetError
from edge.core.labels import check_label
from tests.fuzz.target import Target


@cache
def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"pilah-fuzz-{os.getuid()}"
    (folder / "sub").mkdir(parents=True, exist_ok=True)
    for name in ("1.jpg", "2.jpg", "sub/3.jpg"):
        (folder / name).touch()
    return folder


def _feed(content: bytes) -> None:
    try:
        found = parse_manifest(content, _folder() / "list.csv", "group")
    except PictureSetError:
        return
    assert found.pictures
    for picture in found.pictures:
        assert picture.path.is_file()
        check_label(picture.label, where="list.csv")


def _seeds() -> list[bytes]:
    text = "path,label,group,split\n1.jpg,can,a,train\n2.jpg,jar,b,val\nsub/3.jpg,can,,test\n"
    return [
        text.encode(),
        text.replace("\n", "\r\n").encode("utf-8-sig"),
        text.replace(",", "\t").encode("utf-16"),
        text.replace(",", ";").encode(),
        b"sep=;\npath;label\n1.jpg;can\n",
        b'path,label\n"1.jpg","can, red"\n2.jpg,can, red\n',
        b'path,label\n"1.jpg","can\n2.jpg,can\n',
        b"path,label\n1.jpg,can\n1.jpg,can\n./1.jpg,jar\n",
        b"path,label,label\nsub\\3.jpg,can,x\n",
        b"path,label\ngone.jpg,can\n/etc/passwd,can\n../1.jpg,can\n",
        b"path,label\n",
        b"",
    ]


TARGET = Target(
    _feed,
    _seeds,
    words=(
        b"\n", b"\r\n", b"\r", b'"', b'""', b",", b";", b"\t", b"|", b"\xef\xbb\xbf", b"\xff\xfe",
        b"\0", b"path", b"label", b"group", b"split", b"sep=;", b"train", b"validation", b"1.jpg",
        b"sub\\3.jpg", b"../", b"/", b"\xe2\x80\xa8", b"\xed\xa0\x80",
    ),
)  # fmt: skip
