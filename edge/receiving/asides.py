"""Why a piece is put aside: the sentences' ends, with places for what each is about.

An event has the filled-in text in English; the pages find its form again to translate it.
"""

from __future__ import annotations

NO_CODE = "it has no code"
NO_GTIN = "no line has the code {code}, which is no GTIN with a right check digit"
OTHER_GTIN = "no line has the GTIN {code}"
OTHER_LABEL = "no line has the label {label}"
SEVERAL_LABELS = "{count} lines have the label {label}: scan its code"
SEVERAL_CODES = "its codes are those of several lines"
SEVERAL_LINES = "lines {lines} have its code: choose one"
REJECTED = "the station rejected it ({reject})"
REJECTED_SCAN_CODE = "the station rejected it ({reject}): scan its code by hand"
REJECTED_SCAN = "the station rejected it ({reject}): scan it by hand"
PACK_OF_NO_SIZE = "a pack of {goods}, whose size was not announced: open it"
OTHER_CONTAINER = "the container {code} was not announced"
COUNTED_BEFORE = "the serial number {serial} was counted before"
OTHER_SERIAL = "the serial number {serial} of {goods} was not announced"

FORMS = (
    NO_CODE, NO_GTIN, OTHER_GTIN, OTHER_LABEL, SEVERAL_LABELS, SEVERAL_CODES, SEVERAL_LINES,
    REJECTED_SCAN_CODE, REJECTED_SCAN, REJECTED, PACK_OF_NO_SIZE, OTHER_CONTAINER, COUNTED_BEFORE,
    OTHER_SERIAL,
)  # fmt: skip
