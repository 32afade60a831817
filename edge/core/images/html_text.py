"""Text on pages that are made without templates. It needs no OpenCV."""

from __future__ import annotations

import html


def escaped(text: str) -> str:
    """`text` escaped for HTML; bytes of a file name that are not UTF-8 become escapes too."""
    return html.escape(text.encode("utf-8", "backslashreplace").decode())
