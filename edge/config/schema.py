"""JSON Schema of station files, for editors that complete and check them as they are written.

It is made from the models that read the files. It describes the keys, and the types and limits of
their values. Rules between keys, and whether files exist, are checked by `pilah-edge check` only.
The reader takes a key without a value for one that is left out; the schema does not allow it.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from edge.config.station import StationConfig
from edge.core.yaml_file import Section

DIALECT = "http://json-schema.org/draft-07/schema#"
"""The newest dialect that yaml-language-server, which most editors use, supports completely."""

_ORDER = (
    *("version", "station", "bundle", "trust"),
    *("camera", "region", "trigger", "codes", "decision"),
    *("lanes", "default_lane", "belt", "bin", "keep_alive", "stops"),
    *("ledger", "photographs", "receiving", "scanner", "web"),
)
"""The keys of a station file on an item's way: from the camera to the lane and to the records."""


def station_schema() -> dict[str, Any]:
    """The schema of station files, with every kind of camera, trigger and actuator.

    Its keys are in the order of an item's way; keys that are not listed there come last.
    """
    found = schema_of(StationConfig, "Station file of pilah")
    keys = found["properties"]
    first = {key: keys[key] for key in _ORDER}
    found["properties"] = first | keys
    return found


def schema_of(model: type[Section], title: str) -> dict[str, Any]:
    """The JSON Schema of the files that `model` reads."""
    found = model.model_json_schema(
        ref_template="#/definitions/{model}", schema_generator=_Generator
    )
    definitions = found.pop("$defs")
    for definition in definitions.values():
        kind = definition["properties"].get("kind", {})
        if "const" in kind:
            definition["title"] = f"kind: {kind['const']}"
    return {
        "$schema": DIALECT,
        **found,
        "title": title,
        "definitions": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """The schema of station files as JSON text."""
    return json.dumps(station_schema(), indent=2, ensure_ascii=False) + "\n"


class _Generator(GenerateJsonSchema):
    """pydantic's generator with three changes that suit editors.

    It leaves out null as a value, titles that only repeat a key, and defaults that are mappings,
    which an editor would insert as text.
    """

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        if found.get("default") is None or isinstance(found["default"], dict):
            found.pop("default", None)
        return found

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False
