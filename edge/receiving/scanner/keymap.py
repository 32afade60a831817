"""The characters of the keys of a US keyboard, the layout that a hand scanner is set to."""

from __future__ import annotations

from collections.abc import Mapping

LEFT_SHIFT, RIGHT_SHIFT = 42, 54
LEFT_CONTROL, RIGHT_CONTROL = 29, 97
LEFT_ALT, RIGHT_ALT = 56, 100
CAPS_LOCK = 58
TAB, ENTER, KEYPAD_ENTER = 15, 28, 96
"""Key codes of Linux (include/uapi/linux/input-event-codes.h)."""

_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (57, " ", " "),
)
"""First key code of keys that lie beside one another, and what they type without and with shift."""

CHARACTERS: Mapping[int, tuple[str, str]] = {
    first + place: pair
    for first, plain, shifted in _ROWS
    for place, pair in enumerate(zip(plain, shifted, strict=True))
}
"""By key code: what it types without and with shift."""

KEYPAD: Mapping[int, str] = {
    71: "7", 72: "8", 73: "9", 74: "-", 75: "4", 76: "5", 77: "6", 78: "+",
    79: "1", 80: "2", 81: "3", 82: "0", 83: ".", 55: "*", 98: "/",
}  # fmt: skip
"""By key code: what the keys of the number pad type."""

KEYS: Mapping[str, tuple[int, bool]] = {
    character: (key, shift)
    for key, pair in CHARACTERS.items()
    for shift, character in zip((True, False), reversed(pair), strict=True)
}
"""By character: the key that types it, and whether with shift."""
