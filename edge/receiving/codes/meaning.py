"""The meaning of a code: the article, the container, the lot; parsed by biip.

Only what a code's own symbology promises counts. The thirteen digits of an EAN-13 are an article
number; thirteen digits in a plain Code 128 may be anything. A hand scanner seldom says which
symbology it has read: what it typed counts as GS1 elements only where it names an article or a
container whose check digit is right.
"""

from __future__ import annotations

from dataclasses import dataclass

import biip
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementStrings
from biip.symbology import GS1Symbology, SymbologyIdentifier

_ARTICLES = ("]E0", "]E4", "]I1")
"""EAN-13, UPC-A and UPC-E; EAN-8; ITF with a check digit, which is read as ITF-14 alone."""
_GS1_128 = "]C1"
_LOT, _EXPIRY, _SERIAL = "10", "17", "21"
"""GS1 application identifiers (GS1 General Specifications, section 3)."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """The content of a code; a value that the code does not have is None."""

    gtin: str | None = None
    """The GS1 number of an article, as 14 digits."""
    sscc: str | None = None
    """The GS1 number of a container, as 18 digits."""
    lot: str | None = None
    expiry: str | None = None
    """The expiry date, such as 2027-03-31."""
    serial: str | None = None


def meaning_of(text: str, symbology_identifier: str) -> Meaning:
    """The meaning of a code's text.

    Args:
        text: with 0x1D where the code has FNC1.
        symbology_identifier: three characters by ISO/IEC 15424 that begin with `]`.
    """
    try:
        if text.lower().startswith(("http://", "https://")):
            return _of_elements(GS1DigitalLinkURI.parse(text).element_strings)
        if symbology_identifier in _ARTICLES:
            gtin = biip.parse(symbology_identifier + text).gtin
            return Meaning(gtin=gtin.as_gtin_14() if gtin else None)
        symbology = SymbologyIdentifier.extract(symbology_identifier).gs1_symbology
        if symbology in GS1Symbology.with_gs1_messages():
            message = biip.parse(symbology_identifier + text).gs1_message
            return _of_elements(message.element_strings) if message else Meaning()
    except (biip.BiipException, ValueError):  # an address that is none is a ValueError
        return Meaning()  # no code of GS1: its text is all that it says
    return Meaning()


def meaning_of_typed(text: str) -> Meaning:
    """The meaning of a text that a hand scanner typed, without a symbology identifier.

    Args:
        text: GS1 elements, divided by 0x1D where the code has FNC1, or the address of a GS1 Digital
            Link. Any other text has no meaning, the digits of a single GTIN or SSCC either.
    """
    found = meaning_of(text, _GS1_128)
    return found if found.gtin or found.sscc else Meaning()


def _of_elements(elements: GS1ElementStrings) -> Meaning:
    found = {element.ai.ai: element for element in elements}
    gtin = next((e.gtin for e in elements if e.gtin is not None and e.ai.ai == "01"), None)
    sscc = next((e.sscc for e in elements if e.sscc is not None), None)
    expiry = found[_EXPIRY].date if _EXPIRY in found else None
    return Meaning(
        gtin=gtin.as_gtin_14() if gtin else None,
        sscc=sscc.value if sscc else None,
        lot=found[_LOT].value if _LOT in found else None,
        expiry=expiry.isoformat() if expiry else None,
        serial=found[_SERIAL].value if _SERIAL in found else None,
    )
