"""Lists of labels, as `edge.core.labels` reads them."""

from __future__ import annotations

from edge.core.errors import LabelListError
from edge.core.labels import check_label, nearly_equal, parse_label_list
from tests.fuzz.target import Target


def _feed(content: bytes) -> None:
    try:
        labels = parse_label_list(content, name="labels.txt")
    except LabelListError:
        return
    assert labels
    assert len(set(labels)) == len(labels)
    for label in labels:
        check_label(label, where="labels.txt")
    nearly_equal(labels)


def _seeds() -> list[bytes]:
    text = "can\nglass bottle\nWeißglas\n♻️ Papier\n"
    return [
        text.encode(),
        text.replace("\n", "\r\n").encode("utf-8-sig"),
        text.encode("utf-16"),
        text.encode("utf-16-be"),
        b"0 can\n1 jar\n2 bag\n",
        b"0: can\n1: jar\n",
        b"1 euro\n2 euro\n5 euro\n",
        b"m\xe4\nb\n",
        b"../../x\n\n\na/b\n",
        "a\u2028b\nu\u0308\n\n".encode(),
        b"",
    ]


TARGET = Target(
    _feed,
    _seeds,
    words=(
        b"\n", b"\r\n", b"\r", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0", b"0 ", b"1 ",
        b"99999999999 ", b"..", b"/", b"\\", b",", b'"', b"\xe2\x80\xa8", b"\xc2\x85", b"u\xcc\x88",
        b"\xed\xa0\x80", b"\xf0\x9f\x8d\x8e", b"\t", b" ",
    ),
)  # fmt: skip
