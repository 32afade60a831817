"""Draws what a command printed as the SVG of a terminal: COMMAND 2>&1 | terminal.py 'COMMAND'."""

import html
import sys

COLUMN, ROW, MARGIN = 8.4, 18, 16
"""Pixels of a character, of a line, and around them all."""


def svg(command: str, lines: list[str]) -> str:
    """The picture of a terminal in which `command` printed `lines`."""
    rows = [f"$ {command}", *lines]
    width = round(max(len(row) for row in rows) * COLUMN + 2 * MARGIN)
    height = len(rows) * ROW + 2 * MARGIN
    text = "\n".join(
        f'<text x="{MARGIN}" y="{MARGIN + ROW * (number + 0.75):g}" '
        f'fill="{"#7ee787" if number == 0 else "#e6edf3"}" xml:space="preserve">'
        f"{html.escape(row)}</text>"
        for number, row in enumerate(rows)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="ui-monospace, Menlo, Consolas, '
        f'DejaVu Sans Mono, monospace" font-size="14">\n'
        f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>\n{text}\n</svg>\n'
    )


if __name__ == "__main__":
    sys.stdout.write(svg(sys.argv[1], [line.rstrip("\n") for line in sys.stdin]))
