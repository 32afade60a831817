"""JSON Schema of station files, for editors that complete and check them as they are written.

It is made from the models that read the files. It says which keys there are, and the kinds and
limits of their values. What must be true between keys, and whether files are there, only
`pilah-edge check` says. A key without a value, which is read as one that is left out, is not in it.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from edge.config.station import StationConfig
from edge.core.yaml_file import Section

DIALECT = "http://json-schema.org/draft-07/schema#"
"""The newest one that yaml-language-server, which most editors use, knows whole."""


def station_schema() -> dict[str, Any]:
    """The schema, with those kinds of camera, trigger and actuator that are installed here."""
    return schema_of(StationConfig, "Station file of pilah")


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
    """`station_schema` as the text of a file."""
    return json.dumps(station_schema(), indent=2, ensure_ascii=False) + "\n"


class _Generator(GenerateJsonSchema):
    """pydantic's, without null as a value, without titles that only repeat a key, and without
    defaults that are no single value: an editor would write them out.
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
