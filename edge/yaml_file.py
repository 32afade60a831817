"""A YAML file that a person wrote, checked against its pydantic models: each mistake with its line.

A file's models derive from `Section`. Where a section is one of several kinds, its field is
annotated with `one_of(KINDS)`: only the module of the kind that the file names is imported.
"""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from edge.errors import ConfigError

Location = tuple[int | str, ...]
"""The keys and list indices that lead to a value."""


class Section(BaseModel):
    """One section of a file: unknown keys are refused, and no value is guessed from another type.

    Every field has a description, which is shown where the field is missing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _remember_fields(cls, received: Any, info: ValidationInfo) -> Any:
        if isinstance(info.context, _Checking) and isinstance(received, dict):
            info.context.sections[id(received)] = cls
        return received


@dataclass(frozen=True, slots=True)
class _Checking:
    """The pydantic context of one check."""

    folder: Path
    sections: dict[int, type[Section]] = field(default_factory=dict)
    """By the identity of what was received, which model it was checked against."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a file."""

    location: Location
    message: str
    """What is wrong, what was received and what to do, without the place."""


Model = TypeVar("Model", bound=Section)


class YamlFile:
    """A YAML file that has been read, and knows the line of each of its values.

    Attributes:
        path: the file.
        content: what stands in it: a mapping.
        repeated: a problem for each key that stands twice in its mapping.
    """

    def __init__(self, path: Path) -> None:
        """Reads `path`.

        Raises:
            ConfigError: no such file, not UTF-8, not YAML, or not a mapping.
        """
        self.path = path
        try:
            text = path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ConfigError(path, ["1: not a text file in UTF-8: save it as one"]) from error
        except OSError as error:
            advice = similar_path(path) if isinstance(error, FileNotFoundError) else ""
            raise ConfigError(path, [f" cannot be read: {error.strerror}{advice}"]) from error
        try:
            loader = _Loader(text)
            node = loader.get_single_node()
            if not isinstance(node, yaml.MappingNode):
                raise ConfigError(
                    path, ["1: expected `key: value` lines. Received: " + _kind_of_node(node)]
                )
            self._root = node
            self.repeated = tuple(_repeated_keys(node))
            self.content: dict[Any, Any] = loader.construct_document(node)
        except yaml.MarkedYAMLError as error:
            raise ConfigError(path, [_syntax_problem(error)]) from error
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, int(error.position)) + 1
            character = chr(int(error.character))
            raise ConfigError(
                path, [f"{line}: the character {character!r} is not allowed in YAML: remove it"]
            ) from error

    def check(self, model: type[Model]) -> tuple[Model | None, list[Problem]]:
        """The content as a `model`, or None and every way in which it is not one.

        Paths of type `FilePath` become relative to this file's folder.
        """
        checking = _Checking(self.path.absolute().parent)
        problems = list(self.repeated)
        try:
            checked = model.model_validate(self.content, context=checking)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                problems.append(self._problem(details, checking))
            return None, problems
        return (None if problems else checked), problems

    def error(self, problems: Iterable[Problem]) -> ConfigError:
        """An exception that tells all `problems` in the order of their lines."""
        lines = [(self.line(p.location), p) for p in dict.fromkeys(problems)]
        lines.sort(key=lambda found: found[0])
        return ConfigError(
            self.path, [f"{line}: {_dotted(p.location)}{p.message}" for line, p in lines]
        )

    def line(self, location: Location) -> int:
        """The line of a value, counted from 1; of what surrounds it where it is not there."""
        node: yaml.Node = self._root
        line = 1
        for part in location:
            found = _child(node, part)
            if found is None:
                break
            line, node = found
        return line

    def value(self, location: Location) -> Any:
        """What stands at `location`; None where nothing does."""
        value: Any = self.content
        for part in location:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def _problem(self, details: ErrorDetails, checking: _Checking) -> Problem:
        location, received = details["loc"], details["input"]
        kind = details["type"]
        section = checking.sections.get(id(self.value(location[:-1])))
        if kind == "extra_forbidden" and section is not None:
            advice = did_you_mean(location[-1], section.model_fields)
            return Problem(location, f"unknown key{advice}")
        if kind == "missing" and section is not None:
            description = section.model_fields[str(location[-1])].description
            return Problem(location, f"missing: {description}")
        if location[-1:] == ("[key]",):
            location = location[:-1]
            advice = f'put the name in quotes: "{received}"'
            return Problem(location, f"YAML reads this name as no text: {advice}")
        message = re.sub(r"^(Input|String|List|Dictionary|Value) should ", "must ", details["msg"])
        if kind in ("model_type", "dict_type"):
            message = "must be `key: value` lines"
        elif kind == "list_type":
            message = "must be a list, for example [a, b]"
        advice = ""
        if kind == "string_type" and not isinstance(received, dict | list | None):
            advice = ": put it in quotes"
        elif kind in ("int_type", "float_type", "bool_type") and isinstance(received, str):
            advice = "" if not _is_number(received) else ": remove the quotes"
        if kind == "literal_error" and "did you mean" not in message:
            advice = did_you_mean(received, re.findall(r"'([^']*)'", message), listing=False)
        if kind == "advised":  # says all there is to say
            return Problem(location, message)
        return Problem(location, f"{message}. Received: {_shown(received)}{advice}")


def one_of(kinds: Mapping[str, str]) -> BeforeValidator:
    """Annotates a field whose section names its `kind`.

    Args:
        kinds: the module of each kind, whose `Settings` is the section's model.
    """

    def settings(received: Any, info: ValidationInfo) -> Any:
        if not isinstance(received, dict):
            return received
        kind = received.get("kind")
        if kind is None:
            raise _at_kind(f"missing: one of {', '.join(kinds)}", received)
        if not isinstance(kind, str) or kind not in kinds:
            raise _at_kind(f"no such kind: {kind!r}{did_you_mean(kind, kinds)}", received)
        model: type[Section] = importlib.import_module(kinds[kind]).Settings
        return model.model_validate(received, context=info.context)

    return BeforeValidator(settings)


def advised(message: str) -> PydanticCustomError:
    """What a validator raises when its message already says what was received and what to do."""
    return PydanticCustomError("advised", "{message}", {"message": message})


def did_you_mean(name: object, known: Iterable[str], *, listing: bool = True) -> str:
    """`. Did you mean X?` where a known name is close, else the known names; begins with a stop."""
    known = list(known)
    lower = {word.lower(): word for word in known}
    close = difflib.get_close_matches(str(name).lower(), list(lower), n=1)
    if close:
        return f". Did you mean {lower[close[0]]}?"
    return f". Known: {', '.join(known)}" if listing and known else ""


def similar_path(path: Path) -> str:
    """`. Did you mean PATH?` where something of a close name lies beside it, else nothing."""
    names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, names, n=1)
    return f". Did you mean {path.parent / close[0]}?" if close else ""


def _from_folder(received: Any, info: ValidationInfo) -> Any:
    if not isinstance(received, str):
        return received
    if not received:
        raise advised("is empty: give a path")
    folder = info.context.folder if isinstance(info.context, _Checking) else Path()
    return folder / received


def _folder_is_there(path: Path) -> Path:
    if not path.is_dir():
        raise advised(f"no such folder: {path}{similar_path(path)}")
    return path


def _parent_is_there(path: Path) -> Path:
    if path.is_dir():
        raise advised(f"{path} is a folder: give the name of a file")
    if not path.parent.is_dir():
        raise advised(f"no such folder: {path.parent}{similar_path(path.parent)}")
    return path


FilePath = Annotated[Path, BeforeValidator(_from_folder)]
"""A path, relative to the folder of the file it stands in."""

FolderPath = Annotated[FilePath, AfterValidator(_folder_is_there)]
"""A folder that is there."""

NewFilePath = Annotated[FilePath, AfterValidator(_parent_is_there)]
"""A file, there or not, in a folder that is there."""


class _Loader(yaml.SafeLoader):
    """YAML with version 1.2's booleans and decimal numbers, and no dates.

    `no`, `on` and `2026-11-21` are text; `1e-4` is a number.
    """


_loose = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:float", "tag:yaml.org,2002:timestamp")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _loose]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
# With a point or an exponent: what has neither is for the resolver of whole numbers.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^[-+]?(?:(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+"
        r"|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN|NAN)$"
    ),
    list("-+.0123456789"),
)


def read_value(text: str) -> Any:
    """The one YAML value that `text` is, read as it would be in a file.

    Raises:
        yaml.YAMLError: it is none.
    """
    return yaml.load(text, _Loader)


def _at_kind(message: str, received: dict[Any, Any]) -> ValidationError:
    return ValidationError.from_exception_data(
        "section",
        [InitErrorDetails(type=advised(message), loc=("kind",), input=received.get("kind"))],
    )


def _repeated_keys(root: yaml.Node) -> Iterable[Problem]:
    seen: set[int] = set()

    def walk(node: yaml.Node, location: Location) -> Iterable[Problem]:
        if id(node) in seen:  # an alias
            return
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            for index, child in enumerate(node.value):
                yield from walk(child, (*location, index))
        elif isinstance(node, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, child in node.value:
                line = key.start_mark.line + 1
                if key.value in lines and isinstance(key, yaml.ScalarNode):
                    first = lines[key.value]
                    message = f"stands here twice, first on line {first}: remove one"
                    yield Problem((*location, key.value), message)
                elif isinstance(key, yaml.ScalarNode):
                    lines[key.value] = line
                yield from walk(child, (*location, str(key.value)))

    return walk(root, ())


def _child(node: yaml.Node, part: int | str) -> tuple[int, yaml.Node] | None:
    """(line, node) of the value under the key or index `part`; of a key that repeats, the last."""
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        child = node.value[part]
        return child.start_mark.line + 1, child
    if isinstance(node, yaml.MappingNode):
        for key, child in reversed(node.value):
            if key.value == str(part) or key.value.lower() == str(part).lower():
                mark = child.start_mark if isinstance(child, yaml.ScalarNode) else key.start_mark
                return mark.line + 1, child
    return None


def _syntax_problem(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    problem = error.problem or str(error.context)
    if "\\t" in problem:
        return f"{line}: a tab stands here: indent with spaces"
    hint = {
        "mapping values are not allowed here": ": is a line above it indented differently, or a "
        "text with `: ` in it not in quotes?",
        "could not find expected ':'": ": is a colon missing on the line above?",
        "expected <block end>, but found '<block mapping start>'": ": this line is indented "
        "differently from those above",
    }.get(problem, "")
    context = f" {error.context}" if error.context else ""
    if context and error.context_mark and error.context_mark.line + 1 != line:
        context += f" begun on line {error.context_mark.line + 1}"
    return f"{line}: not YAML{context}: {problem}{hint}"


def _kind_of_node(node: yaml.Node | None) -> str:
    if node is None:
        return "an empty file"
    return "a list" if isinstance(node, yaml.SequenceNode) else repr(node.value)[:80]


def _dotted(location: Location) -> str:
    return ".".join(str(part) for part in location) + ": " if location else ""


def _shown(received: Any) -> str:
    text = repr(received)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
