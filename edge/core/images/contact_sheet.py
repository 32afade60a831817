"""Contact sheets: many small pictures on one HTML page without external files."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np

from edge.core.errors import StorageError
from edge.core.files import write_file
from edge.core.images.html_text import escaped
from edge.core.images.image_file import Image
from edge.core.images.preprocess import InputSpec, preprocess

_THUMBNAIL = 240
"""Pixels of a thumbnail's longer side: twice the size on the page, for sharp screens and print."""
_QUALITY = 82


class Mark(StrEnum):
    """The meaning of a tile's badge. Each badge has its own shape and colour."""

    OK = "ok"
    WRONG = "wrong"
    REJECT = "reject"


_FIRST: Mapping[Mark | None, int] = {Mark.WRONG: 0, Mark.REJECT: 1, Mark.OK: 2, None: 2}
MEANINGS: Mapping[Mark, str] = {Mark.OK: "right", Mark.WRONG: "wrong", Mark.REJECT: "reject"}


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One picture with its caption."""

    image: Image
    """uint8 (height, width, 3) BGR, of any size."""
    caption: str
    detail: str = ""
    """A second line, in a smaller font."""
    mark: Mark | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SheetSection:
    """Tiles under a heading."""

    title: str
    tiles: Sequence[Tile]
    note: str = ""
    count: int | None = None
    """The number of pictures, if `tiles` has only some of them; None means that it has all."""
    content: str = ""
    """HTML above the tiles, such as a table, whose texts are escaped already. A section with
    content and without tiles shows no number of pictures."""

    @property
    def is_counted(self) -> bool:
        """Whether the number of its pictures is shown."""
        return bool(self.tiles) or not self.content


@dataclass(frozen=True, slots=True)
class Headline:
    """The conclusion of the page, in a sentence at its top."""

    mark: Mark
    text: str
    details: Sequence[str] = ()
    """The reasons for the conclusion, one line each."""


def write_contact_sheet(
    path: Path,
    *,
    title: str,
    headline: Headline | None = None,
    summary: Sequence[str] = (),
    sections: Sequence[SheetSection],
    limit_per_section: int = 60,
    meanings: Mapping[Mark, str] = MEANINGS,
) -> None:
    """Writes a page of thumbnails to `path`, without scripts or external files, also for print.

    In each section the tiles marked as wrong come first, then rejects, then the others.

    Args:
        headline: the conclusion of the page.
        summary: a few lines below the headline.
        limit_per_section: the most tiles shown in a section; the number of the others is given.
        meanings: the meaning of each mark, in a word or two, for the legend.

    Raises:
        StorageError: the file cannot be written.
    """
    marks = Counter(tile.mark for section in sections for tile in section.tiles if tile.mark)
    parts = [
        *_head(title),
        "<header>",
        f'<h1 dir="auto">{escaped(title)}</h1>',
        *_headline(headline),
        *(f'<p dir="auto">{escaped(line)}</p>' for line in summary),
        *_legend(marks, meanings),
        "</header>",
        *_contents(sections),
        "<main>",
    ]
    for number, section in enumerate(sections, start=1):
        parts += _section(number, section, limit_per_section, meanings)
    parts += ["</main>", "</body>", "</html>", ""]
    write_file(path, "\n".join(parts))


def thumbnail(image: Image, *, side: int = _THUMBNAIL) -> Image:
    """`image` shrunk so that its longer side has `side` pixels; a smaller image is unchanged."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return image
    small = InputSpec(
        height=max(8, round(height * scale)), width=max(8, round(width * scale)), geometry="squash"
    )
    return np.ascontiguousarray(preprocess(image, small)[:, :, ::-1])


def _head(title: str) -> Iterable[str]:
    yield "<!doctype html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    # With this policy the browser itself blocks everything outside of this file.
    yield (
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
    )
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escaped(title)}</title>"
    yield f"<style>{_STYLE}</style>"
    yield "</head>"
    yield "<body>"
    yield _SYMBOLS


def _legend(marks: Counter[Mark], meanings: Mapping[Mark, str]) -> Iterable[str]:
    if not marks:
        return
    yield '<ul class="legend">'
    for mark in Mark:
        if mark in marks:
            meaning = escaped(meanings[mark])
            yield f"<li>{_badge(mark, meanings)} {meaning} <b>{marks[mark]:,}</b></li>"
    yield "</ul>"


def _headline(headline: Headline | None) -> Iterable[str]:
    if headline is None:
        return
    yield f'<div class="headline {headline.mark}"><svg class="badge" aria-hidden="true">'
    yield f'<use href="#{headline.mark}"/></svg><div><p class="said" dir="auto">'
    yield f"{escaped(headline.text)}</p>"
    yield from (f'<p dir="auto">{escaped(line)}</p>' for line in headline.details)
    yield "</div></div>"


def _contents(sections: Sequence[SheetSection]) -> Iterable[str]:
    if len(sections) < 2:
        return
    yield '<nav aria-label="Contents"><ul>'
    for number, section in enumerate(sections, start=1):
        title = f'<span dir="auto">{escaped(section.title)}</span>'
        count = f" <small>{_count(section):,}</small>" if section.is_counted else ""
        yield f'<li><a href="#s{number}">{title}</a>{count}</li>'
    yield "</ul></nav>"


def _count(section: SheetSection) -> int:
    return len(section.tiles) if section.count is None else section.count


def _section(
    number: int, section: SheetSection, limit: int, meanings: Mapping[Mark, str]
) -> Iterable[str]:
    count = _count(section)
    shown = sorted(section.tiles, key=lambda tile: _FIRST[tile.mark])[:limit]
    yield f'<section id="s{number}">'
    counted = f" <small>{count:,}</small>" if section.is_counted else ""
    yield f'<h2><span dir="auto">{escaped(section.title)}</span>{counted}</h2>'
    if section.note:
        yield f'<p class="note" dir="auto">{escaped(section.note)}</p>'
    if section.content:
        yield section.content
    if shown:
        yield '<ul class="tiles">'
        yield from (_tile(tile, meanings) for tile in shown)
        if count > len(shown):
            yield f'<li class="more">and {count - len(shown):,} more</li>'
        yield "</ul>"
    yield "</section>"


def _tile(tile: Tile, meanings: Mapping[Mark, str]) -> str:
    mark = f' class="{tile.mark}"' if tile.mark else ""
    badge = _badge(tile.mark, meanings) if tile.mark else ""
    detail = f'<span class="detail" dir="auto">{escaped(tile.detail)}</span>' if tile.detail else ""
    return (
        f'<li{mark}><div class="picture"><img src="{_jpeg(tile)}" alt="{escaped(tile.caption)}">'
        f'{badge}</div><span class="caption" dir="auto">{escaped(tile.caption)}</span>{detail}</li>'
    )


def _badge(mark: Mark, meanings: Mapping[Mark, str]) -> str:
    label = escaped(meanings[mark])
    return f'<svg class="badge" role="img" aria-label="{label}"><use href="#{mark}"/></svg>'


def _jpeg(tile: Tile) -> str:
    done, content = cv2.imencode(
        ".jpg", thumbnail(tile.image), (cv2.IMWRITE_JPEG_QUALITY, _QUALITY)
    )
    if not done:
        raise StorageError(f"the picture of {tile.caption!r} cannot be written as JPEG")
    return "data:image/jpeg;base64," + base64.b64encode(content.tobytes()).decode()


# Blue and vermilion can be distinguished with every kind of colour blindness (Okabe and Ito, 2008),
# and disc, square and ring in black and white.
_SYMBOLS = """\
<svg width="0" height="0" style="position:absolute" aria-hidden="true">
<symbol id="ok" viewBox="0 0 24 24"><circle cx="12" cy="12" r="11" fill="#0072b2"/>
<path d="M6.5 12.5l3.8 3.8 7.2-8" fill="none" stroke="#fff" stroke-width="2.8"/></symbol>
<symbol id="wrong" viewBox="0 0 24 24"><rect x="1" y="1" width="22" height="22" rx="3"
fill="#d55e00"/><path d="M7 7l10 10M17 7L7 17" stroke="#fff" stroke-width="3"/></symbol>
<symbol id="reject" viewBox="0 0 24 24"><circle cx="12" cy="12" r="10" fill="#fff" stroke="#555"
stroke-width="2.4"/><path d="M7 12h10" stroke="#555" stroke-width="3"/></symbol>
</svg>"""

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59626d; --paper: #fff; --card: #f3f5f7;
  --line: #d9dee4; --wrong: #d55e00; --reject: #8a929c; --ok: #0072b2;
  --edge: rgb(110 118 128 / .55); }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebee; --soft: #9ba5b0; --paper: #14171a;
  --card: #1f2429; --line: #343b43; --wrong: #ff8a3d; --reject: #7d8791; --ok: #6cbef0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1640px; padding: 2rem 1.25rem 3rem; color: var(--ink);
  background: var(--paper); font: 15px/1.45 system-ui, "Noto Sans", "DejaVu Sans", sans-serif; }
h1 { margin: 0 0 .4rem; font-size: 1.7rem; line-height: 1.2; }
h2 { margin: 0; font-size: 1.15rem; break-after: avoid; overflow-wrap: anywhere; }
h2 small { margin-left: .3rem; padding: .1rem .55rem; border-radius: 1rem; background: var(--card);
  color: var(--soft); font-size: .85rem; font-weight: 600; font-variant-numeric: tabular-nums; }
header p, .note { margin: .1rem 0; color: var(--soft); overflow-wrap: anywhere; }
section { margin-top: 1.6rem; padding-top: 1.1rem; border-top: 1px solid var(--line); }
ul { margin: 0; padding: 0; list-style: none; }
.headline { display: flex; gap: .9rem; align-items: center; margin: .8rem 0; padding: .8rem 1.1rem;
  border: 1px solid var(--line); border-left: 6px solid var(--reject); border-radius: 10px;
  background: var(--card); }
.headline.ok { border-left-color: var(--ok); }
.headline.wrong { border-left-color: var(--wrong); }
.headline .badge { width: 40px; height: 40px; }
.headline .said { color: var(--ink); font-size: 1.25rem; font-weight: 650; line-height: 1.25; }
nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.3rem; margin-top: .9rem; }
nav small { color: var(--soft); font-variant-numeric: tabular-nums; }
a { color: var(--ok); }
a:focus-visible { outline: 3px solid var(--ok); outline-offset: 2px; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin-top: .7rem; }
.legend li { display: flex; align-items: center; gap: .4rem; }
.badge { width: 22px; height: 22px; flex: none; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(120px, 1fr));
  gap: .9rem .7rem; margin-top: .8rem; }
.tiles li { min-width: 0; break-inside: avoid; font-size: .85rem; line-height: 1.3; }
.picture { position: relative; aspect-ratio: 1; margin-bottom: .3rem; overflow: hidden;
  border-radius: 8px; background: var(--card); }
.picture img { display: block; width: 100%; height: 100%; object-fit: contain; }
/* Over the picture, not under it, so that a white item on a white page has an edge. */
.picture::after { content: ""; position: absolute; inset: 0; border: 1px solid var(--edge);
  border-radius: 8px; pointer-events: none; }
.picture .badge { position: absolute; right: 6px; bottom: 6px; }
.wrong .picture { outline: 3px solid var(--wrong); outline-offset: -1px; }
.reject .picture { outline: 2px dashed var(--reject); outline-offset: -1px; }
.caption, .detail { display: block; overflow-wrap: anywhere; }
.caption { font-weight: 600; }
.detail { color: var(--soft); font-variant-numeric: tabular-nums; }
.tiles .more { display: grid; place-content: center; aspect-ratio: 1; padding: .5rem;
  border: 1px dashed var(--line); border-radius: 8px; color: var(--soft); text-align: center; }
@media print { :root { --ink: #000; --soft: #444; --paper: #fff; --card: #f3f5f7; --line: #ccc;
  --wrong: #d55e00; --reject: #777; --ok: #0072b2; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .tiles { grid-template-columns: repeat(6, 1fr); }
  .picture, .badge { print-color-adjust: exact; } }
"""
