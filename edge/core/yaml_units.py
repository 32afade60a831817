"""Advice on numbers that were written in another unit than the one that their key names. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_IN: Mapping[str, Mapping[str, float]] = {
    "metres_per_second": {"mm/s": 0.001, "cm/s": 0.01, "m/s": 1, "m/min": 1 / 60, "km/h": 1 / 3.6},
    "metres": {"mm": 0.001, "cm": 0.01, "m": 1},
    "microseconds": {"us": 1, "µs": 1, "ms": 1000, "s": 1e6},
    "seconds": {"ms": 0.001, "s": 1, "sec": 1, "min": 60, "h": 3600},
    "minutes": {"s": 1 / 60, "min": 1, "h": 60},
}
"""By the end of a key, and by a unit that people write: how much of the key's own unit it is."""
_A_THOUSANDTH = {
    "metres_per_second": "millimetres a second",
    "metres": "millimetres",
    "seconds": "milliseconds",
}
"""What a thousandth of a key's unit is called, by the end of the key."""
_NUMBER = r"[-+]?[0-9]{1,9}(?:[.,][0-9]{1,9})?"


def unit_advice(key: object, text: str) -> str:
    """What to write instead of a number with a unit; empty if `text` is none.

    Example:
        unit_advice("delay_seconds", "300 ms")  # ": write 0.3 alone: the key says its unit"
    """
    found = re.fullmatch(
        rf"({_NUMBER})\s*((?!e[-+]?[0-9])[^\W\d_][\w%/²°]{{0,15}}|[%°])", text.strip()
    )
    if found is None:
        return ""
    number = float(found.group(1).replace(",", "."))
    factor = _IN.get(_unit(key), {}).get(found.group(2))
    if factor is None:
        return ": write a number alone, without a unit"
    return f": write {number * factor:.6g} alone, as the key says its unit"


def smaller_unit_advice(key: object, received: float, most: float) -> str:
    """What to write where a number that is too large may be one of a smaller unit; else empty.

    Args:
        most: the largest number that is right.

    Example:
        smaller_unit_advice("hold_seconds", 150, 60)  # ": if milliseconds are meant, write 0.15"
    """
    if most == 1 and 1 < received <= 100:
        return f": if per cent are meant, write {received / 100:.6g}"
    named = _A_THOUSANDTH.get(_unit(key))
    if named is None or not most < received <= 1000 * most:
        return ""
    return f": if {named} are meant, write {received / 1000:.6g}"


def _unit(key: object) -> str:
    """The unit that a key ends with; empty: none that is known."""
    name = str(key)
    return next((unit for unit in _IN if name == unit or name.endswith(f"_{unit}")), "")
