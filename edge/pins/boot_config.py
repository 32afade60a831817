"""What a Raspberry Pi's firmware makes of the pins at boot: the `gpio=` lines of its config.txt.

Their form is that of the Raspberry Pi documentation, "GPIO control": pins or ranges of pins, then
settings: `op` an output, `ip` an input, `a0` to `a5` another function, `dh` and `dl` its level,
`pu`, `pd` and `pn` its resistor. Later lines add to earlier ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PLACES = (Path("/boot/firmware/config.txt"), Path("/boot/config.txt"))
"""Where the file is: since Debian bookworm, and before."""

_LINE = re.compile(r"^gpio\s*=\s*([0-9,\s-]+)=\s*([a-z0-9,\s]+)$")


@dataclass(slots=True)
class BootPin:
    """What the firmware makes of one pin."""

    output: bool | None = None
    """None: no line says."""
    high: bool | None = None
    """Its level as an output; None: no line says."""
    line: int = 0
    """The number of the last line about it."""
    below: str = ""
    """The filter, such as `[pi4]`, that a line about it is below, so that it counts on some boards
    only; empty: it counts on all."""


def boot_pins(text: str) -> dict[int, BootPin]:
    """The pins of which the `gpio=` lines of a config.txt say something, by BCM number.

    A line below a filter such as `[pi4]` counts as if the filter fitted, and the pin says so; below
    `[none]` none does. What a file that is included says is not read: see `included`.
    """
    found: dict[int, BootPin] = {}
    ignored, below = False, ""
    for number, line in enumerate(text.splitlines(), 1):
        plain = line.partition("#")[0].strip().lower()
        if plain.startswith("["):
            ignored, below = plain == "[none]", "" if plain == "[all]" else plain
        match = None if ignored else _LINE.fullmatch(plain)
        if match is None:
            continue
        for pin in _numbers(match.group(1)):
            _apply(found.setdefault(pin, BootPin()), match.group(2), number, below)
    return found


def included(text: str) -> dict[int, str]:
    """The files that a config.txt includes, by the number of the line."""
    lines = (line.partition("#")[0].split() for line in text.splitlines())
    return {
        number: words[1]
        for number, words in enumerate(lines, 1)
        if len(words) == 2 and words[0].lower() == "include"
    }


def _apply(pin: BootPin, options: str, line: int, below: str) -> None:
    pin.line = line
    settings = options.replace(" ", "").split(",")
    if below or ({"dh", "dl"} & set(settings) and "op" in settings):  # which settles all
        pin.below = below
    for option in settings:
        if option == "op":
            pin.output = True
        elif option == "ip" or re.fullmatch(r"a[0-5]", option):
            pin.output = False
        elif option in ("dh", "dl"):
            pin.high = option == "dh"


def _numbers(text: str) -> Iterable[int]:
    for part in text.replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        if first.isdecimal() and (not dash or last.isdecimal()):
            yield from range(int(first), int(last if dash else first) + 1)


def missing_lines(wanted: Mapping[int, bool], found: Mapping[int, BootPin]) -> list[str]:
    """The lines to add, so that each pin is an output at its level from the firmware on.

    Args:
        wanted: whether the level at rest is high, by BCM number.
        found: what the firmware makes of pins now.
    """
    lines = []
    for high, word in ((False, "dl"), (True, "dh")):
        pins = sorted(
            pin for pin, level in wanted.items() if level is high and not _is(found.get(pin), high)
        )
        if pins:
            lines.append(f"gpio={','.join(map(str, pins))}=op,{word}")
    return lines


def contrary_pins(wanted: Mapping[int, bool], found: Mapping[int, BootPin]) -> dict[int, BootPin]:
    """The pins that the firmware sets to the level that moves something."""
    return {
        pin: one
        for pin, high in wanted.items()
        if (one := found.get(pin)) is not None and one.output and one.high is (not high)
    }


def _is(pin: BootPin | None, high: bool) -> bool:
    return pin is not None and pin.output is True and pin.high is high
