from __future__ import annotations

import io
import json
from pathlib import Path

from edge.ledger.export.json_lines import write_json_lines
from edge.ledger.export.reading import read_items
from edge.ledger.ledger import Ledger
from tests.edge.ledger.entries import correction, entry


def test_an_object_a_line_with_scores_and_all_corrections(tmp_path: Path) -> None:
    file, out = tmp_path / "ledger.sqlite", io.BytesIO()
    with Ledger(file) as ledger:
        ledger.append(
            [
                entry(1, source="größe.jpg"),
                entry(2, label=None, scores=None, accepted=False),
                correction(2, "label", None, "can", 1),
                correction(2, "label", "can", "jar", 2),
            ]
        )
    write_json_lines(read_items(file), out)
    assert "größe.jpg".encode() in out.getvalue()
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["id"], first["scores"]) == (entry(1).id, {"can": 0.9, "bottle": 0.1})
    assert (first["corrected"], first["corrections"]) == ({}, [])
    assert (second["label"], second["scores"], second["accepted"]) == (None, None, False)
    assert second["corrected"] == {"label": "jar"}
    assert [(c["old"], c["new"], c["who"]) for c in second["corrections"]] == [
        (None, "can", "Ana"),
        ("can", "jar", "Ana"),
    ]
