"""EPCIS 2.0 of a ledger's items: GS1's events of what was seen where, as JSON-LD.

An item is an `ObjectEvent` with action OBSERVE and business step `receiving`. A corrected item is
the same event with an `errorDeclaration`, which names the event that is right; that one follows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO
from urllib.parse import quote

from edge.events import utc_text
from edge.ledger.export.reading import ExportedItem

CONTEXT = (
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"pilah": "urn:x-pilah:"},
)
_GTIN_LENGTHS = (8, 12, 13, 14)
_EXTENSIONS = (
    "label",
    "confidence",
    "lane",
    "accepted",
    "reject",
    "barcode",
    "photograph",
    "photograph_gone",
)


def write_epcis(
    items: Iterable[ExportedItem],
    out: BinaryIO,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Writes one EPCIS document with the events of all items.

    Args:
        now: the time in UTC, for the document's date of creation.
    """
    out.write(json.dumps(document_head(now())).encode()[:-1] + b', "epcisBody": {"eventList": [')
    separator = b"\n"
    for item in items:
        for event in object_events(item):
            out.write(separator + json.dumps(event, ensure_ascii=False).encode())
            separator = b",\n"
    out.write(b"\n]}}\n")


def document_head(now: datetime) -> dict[str, Any]:
    """An EPCIS document without its body, which has the list of events."""
    return {
        "@context": CONTEXT,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": utc_text(now.timestamp()),
    }


def object_events(item: ExportedItem) -> Iterator[dict[str, Any]]:
    """The events of an item: one, and one more for each correction of it."""
    values: dict[str, Any] = dict(item.row)
    event = _event(values["id"], values)
    for correction in item.corrections:
        yield {
            **event,
            "errorDeclaration": {
                "declarationTime": correction.time,
                "reason": "incorrect_data",
                "correctiveEventIDs": [f"urn:uuid:{correction.id}"],
            },
        }
        new = int(correction.new) if correction.field == "quantity" else correction.new
        values[correction.field] = new
        if correction.field == "label":
            values["confidence"] = None  # which was that of the other label
        event = _event(correction.id, values) | {"pilah:correctedBy": correction.who}
    yield event


def gtin_14(code: str | None) -> str | None:
    """The GTIN-14 of the digits of a GTIN-8, -12, -13 or -14.

    Returns:
        None where `code` is something else, or its check digit is wrong (GS1 General
        Specifications, section 7.9).
    """
    if code is None or not (code.isascii() and code.isdecimal() and len(code) in _GTIN_LENGTHS):
        return None
    whole = code.zfill(14)
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(whole))
    return whole if weighted % 10 == 0 else None


def _event(event_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
    event: dict[str, Any] = {
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:{event_id}",
        "eventTime": values["time"],
        "eventTimeZoneOffset": "+00:00",
        "action": "OBSERVE",
        "bizStep": "receiving",
        "readPoint": {"id": _urn("station", values["station"])},
        "quantityList": [{"epcClass": _class_of(values), "quantity": values["quantity"]}],
    }
    if values["delivery_id"] is not None:
        event["bizTransactionList"] = [{"bizTransaction": _urn("delivery", values["delivery_id"])}]
    event |= {f"pilah:{name}": values[name] for name in _EXTENSIONS if values[name] is not None}
    event["pilah:bundleDigest"] = values["bundle_digest"]
    return event


def _class_of(values: Mapping[str, Any]) -> str:
    """The URI of the kind of goods: a GTIN where its code was read, else pilah's own label."""
    if (gtin := gtin_14(values["barcode"])) is not None:
        return f"https://id.gs1.org/01/{gtin}"
    return "urn:x-pilah:unknown" if values["label"] is None else _urn("label", values["label"])


def _urn(kind: str, name: str) -> str:
    return f"urn:x-pilah:{kind}:{quote(name, safe='')}"
