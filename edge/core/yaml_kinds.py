"""Sections of a YAML file whose model is imported only where the file asks for it.

The field of a section that has several kinds, chosen by its key `kind`, is annotated with
`one_of(KINDS)`; only the module of the kind that the file names is imported. The type of a section
that few files have is `section_of(MODULE, MODEL)`; its module is imported where a file has it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    GetJsonSchemaHandler,
    PlainValidator,
    ValidationError,
    ValidationInfo,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, core_schema

from edge.core.suggestions import did_you_mean
from edge.core.terminal.hints import install_command
from edge.core.yaml_file import Section
from edge.core.yaml_messages import advised, shown


@dataclass(frozen=True, slots=True)
class OneOf(BeforeValidator):
    """Annotates a field whose section names its `kind`; made by `one_of`.

    Attributes:
        kinds: the module of each kind, whose `Settings` is the section's model.
    """

    kinds: Mapping[str, str] = field(default_factory=dict)

    def models(self) -> dict[str, type[Section]]:
        """The model of each kind that is installed here; imports all modules."""
        found = ((kind, _settings_of(module)) for kind, module in self.kinds.items())
        return {kind: model for kind, model in found if model is not None}

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The schemas of all kinds, with the key `kind` as discriminator."""
        choices = {kind: model.__pydantic_core_schema__ for kind, model in self.models().items()}
        return handler(core_schema.tagged_union_schema(choices, discriminator="kind"))


def one_of(kinds: Mapping[str, str], also: Mapping[str, str] | None = None) -> OneOf:
    """Annotates a field whose section names its `kind`.

    Args:
        kinds: the module of each kind, whose `Settings` is the section's model.
        also: other words that people use for a kind, and the kind that each one means.
    """

    def settings(received: Any, info: ValidationInfo) -> Any:
        if not isinstance(received, dict):
            return received
        kind = received.get("kind")
        if kind is None:
            raise _at_kind(f"missing: one of {', '.join(kinds)}", received)
        if not isinstance(kind, str) or kind not in kinds:
            meant = (also or {}).get(str(kind).lower())
            advice = f". Did you mean {meant}?" if meant else did_you_mean(kind, kinds)
            raise _at_kind(f"no such kind: {shown(kind)}{advice}", received)
        model = _settings_of(kinds[kind])
        if model is None:
            raise _at_kind(
                f"{kind} is not installed here, because pilah's wheel leaves it out: "
                f"{install_command('edge', editable=True)}",
                received,
            )
        return model.model_validate(received, context=info.context)

    return OneOf(settings, kinds=kinds)


@dataclass(frozen=True, slots=True)
class SectionOf(PlainValidator):
    """Annotates the type of a section that few files have; made by `section_of`.

    Attributes:
        module: the module of the section's model.
        name: the name of the model in it.
    """

    module: str = ""
    name: str = ""

    def model(self) -> type[Section]:
        """The section's model; imports its module."""
        found: type[Section] = getattr(importlib.import_module(self.module), self.name)
        return found

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """A reference to the schema of the model."""
        return handler(core_schema.chain_schema([self.model().__pydantic_core_schema__]))


def section_of(module: str, name: str) -> Any:
    """The type of a section whose model is imported only where a file has that section.

    A type checker is told the model itself, by an import under `TYPE_CHECKING`.

    Args:
        module: the module of the section's model.
        name: the name of the model in it.
    """

    def settings(received: Any, info: ValidationInfo) -> Any:
        return found.model().model_validate(received, context=info.context)

    found = SectionOf(settings, module=module, name=name)
    return Annotated[Any, found]


def _settings_of(module: str) -> type[Section] | None:
    """The model of the kind in `module`; None if the module is not in the wheel."""
    try:
        model: type[Section] = importlib.import_module(module).Settings
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):
            raise
        return None
    return model


def _at_kind(message: str, received: dict[Any, Any]) -> ValidationError:
    return ValidationError.from_exception_data(
        "section",
        [InitErrorDetails(type=advised(message), loc=("kind",), input=received.get("kind"))],
    )
