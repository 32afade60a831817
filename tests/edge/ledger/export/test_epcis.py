from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from edge.ledger.export.epcis import gtin_14, write_epcis
from edge.ledger.export.reading import read_items
from edge.ledger.ledger import Ledger
from tests.edge.ledger.entries import correction, entry

FORMATS = jsonschema.FormatChecker(formats=())
"""Without one, a business step that is spelt wrongly passes as some other vocabulary's URI."""


@FORMATS.checks("uri")
def is_uri(text: object) -> bool:
    """Whether it is a URI of RFC 3986: a scheme, and then its characters alone."""
    return isinstance(text, str) and bool(
        re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[\w.~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-F]{2})+",
                     text, re.ASCII)
    )  # fmt: skip


@FORMATS.checks("date-time", raises=ValueError)
def is_date_time(text: object) -> bool:
    """Whether it is a time of RFC 3339, with its offset."""
    return isinstance(text, str) and datetime.fromisoformat(text).tzinfo is not None


def document(file: Path) -> dict[str, Any]:
    out = io.BytesIO()
    write_epcis(read_items(file), out, now=lambda: datetime(2026, 11, 29, 12, tzinfo=UTC))
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    file = tmp_path / "ledger.sqlite"
    with Ledger(file) as opened:
        opened.append(
            [
                entry(1, barcode="4006381333931", delivery_id="PO 17/ä", quantity=6),
                entry(2, label="größe 39"),
                entry(3, label=None, confidence=None, scores=None, accepted=False),
                entry(4, barcode="not a GTIN", station="belt 1"),
                correction(2, "label", "größe 39", "größe 40", 1),
                correction(2, "quantity", None, "2", 2),
            ]
        )
    return file


def test_an_item_is_an_observation_at_receiving(ledger: Path) -> None:
    found = document(ledger)
    first = found["epcisBody"]["eventList"][0]
    assert found["creationDate"] == "2026-11-29T12:00:00.000000Z"
    assert (first["type"], first["action"], first["bizStep"]) == (
        "ObjectEvent", "OBSERVE", "receiving"
    )  # fmt: skip
    assert first["eventID"] == f"urn:uuid:{entry(1).id}"
    assert first["quantityList"] == [
        {"epcClass": "https://id.gs1.org/01/04006381333931", "quantity": 6}
    ]
    assert first["bizTransactionList"] == [
        {"bizTransaction": "urn:x-pilah:delivery:PO%2017%2F%C3%A4"}
    ]


def test_a_correction_declares_the_event_wrong_and_adds_the_right_one(ledger: Path) -> None:
    events = document(ledger)["epcisBody"]["eventList"]
    original, second, right = [e for e in events if e["eventTime"] and e in events[1:-2]]
    first_id, second_id = (correction(2, "", "", "", second).id for second in (1, 2))
    assert [e["eventID"] for e in (original, second, right)] == [
        f"urn:uuid:{found}" for found in (entry(2).id, first_id, second_id)
    ]
    assert original["errorDeclaration"] == {
        "declarationTime": "2026-11-21T23:10:01.000000Z",
        "reason": "incorrect_data",
        "correctiveEventIDs": [f"urn:uuid:{first_id}"],
    }
    assert second["errorDeclaration"]["correctiveEventIDs"] == [f"urn:uuid:{second_id}"]
    assert "errorDeclaration" not in right
    assert [e["pilah:label"] for e in (original, second, right)] == [
        "größe 39", "größe 40", "größe 40"
    ]  # fmt: skip
    assert right["quantityList"][0]["quantity"] == 2
    assert "pilah:confidence" not in right


def test_an_empty_ledger_is_a_document_without_events(tmp_path: Path) -> None:
    Ledger(tmp_path / "ledger.sqlite").close()
    assert document(tmp_path / "ledger.sqlite")["epcisBody"] == {"eventList": []}


def test_gs1_s_schema_accepts_it(ledger: Path, shared: Path) -> None:
    file = shared / "gs1" / "epcis_schema.json"
    if not file.is_file():
        pytest.skip(f"GS1's schema is not at {file}")
    schema = json.loads(file.read_text("utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema, format_checker=FORMATS)
    found = document(ledger)
    assert [error.message for error in validator.iter_errors(found)] == []
    found["epcisBody"]["eventList"][0]["bizStep"] = "recieving"
    assert not validator.is_valid(found)


@pytest.mark.parametrize(
    ("code", "gtin"),
    [
        ("4006381333931", "04006381333931"),
        ("96385074", "00000096385074"),
        ("036000291452", "00036000291452"),
        ("10614141543219", "10614141543219"),
        ("4006381333932", None),
        ("4006381333931 ", None),
        ("٤٠٠٦٣٨١٣٣٣٩٣١", None),
        ("123", None),
        ("", None),
        (None, None),
    ],
)
def test_what_is_a_gtin(code: str | None, gtin: str | None) -> None:
    assert gtin_14(code) == gtin
