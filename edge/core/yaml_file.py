"""Reads a YAML file, checks it against pydantic models, and reports each mistake with its line.

The models derive from `Section`; `edge.core.yaml_kinds` is for sections of several kinds.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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
from pydantic_core import PydanticCustomError

from edge.core.errors import ConfigError, ConfigUnreadError
from edge.core.files import may_come_back, read_regular
from edge.core.redaction import redacted
from edge.core.suggestions import closest, similar_path
from edge.core.yaml_messages import (
    FileProblem,
    Location,
    advised,
    dotted,
    problem_of,
    shown,
    unknown_key,
)
from edge.core.yaml_text import LARGEST_FILE, read_document, syntax_problem

_LONGEST_PATH = 4000
"""The longest path in bytes; Linux accepts 4095, including the folder."""


_MISSPELT = 0.8
"""The least similarity of a key and its misspelling: `regoin` and `region` have 0.83, and
`retention`, which is a word of its own, has 0.67."""


class Section(BaseModel):
    """One section of a file. Unknown keys are errors, and values are not converted between types.

    Every field has a description, which is shown if the field is missing.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        validate_default=True,
        allow_inf_nan=False,
        defer_build=True,
    )

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
    """The model that each received mapping was checked against, by the `id` of the mapping."""


Model = TypeVar("Model", bound=Section)


class YamlFile:
    """A YAML file with its content and the line of each value.

    Attributes:
        path: the file.
        content: the content of the file, a mapping.
        repeated: a problem for each key that is repeated in its mapping.
    """

    content: dict[Any, Any]

    def __init__(self, path: Path) -> None:
        """Reads `path`.

        Raises:
            ConfigError: the file is missing, not a regular file, too large, not UTF-8, not YAML, or
                not a mapping.
            ConfigUnreadError: the file cannot be read now.
        """
        self.path = path
        try:
            text = read_regular(path, largest=LARGEST_FILE).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ConfigError(path, ["1: not a text file in UTF-8: save it as one"]) from error
        except OSError as error:
            advice = similar_path(path) if isinstance(error, FileNotFoundError) else ""
            away = not isinstance(error, FileNotFoundError) and may_come_back(path, error)
            kind = ConfigUnreadError if away else ConfigError
            raise kind(path, [f" cannot be read: {error.strerror}{advice}"]) from error
        try:
            node, content = read_document(text)
            self.repeated = () if node is None else tuple(_repeated_keys(node))
            self.content = content()
        except yaml.YAMLError as error:
            line, problem = syntax_problem(error, text)
            raise ConfigError(path, [f"{line}: {problem}"]) from error
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(
                path, ["1: expected `key: value` lines. Received: " + _kind_of_node(node)]
            )
        self._root = node

    def check(
        self, model: type[Model], *, whole: type[Section] | None = None
    ) -> tuple[Model | None, list[FileProblem]]:
        """(the content as a `model`, no problems), or (None, all problems of the content).

        Paths of type `FilePath` are taken relative to this file's folder.

        Args:
            whole: the model of the whole file, if `model` has only some of its keys. Values under
                the other keys are then not checked. An unknown key is reported only if it may be
                the reason for a problem or a missing key of `model`.
        """
        checking = _Checking(self.path.absolute().parent)
        content, problems, checked = self.content, list(self.repeated), None
        if whole is not None:
            content = {key: content[key] for key in content if key in model.model_fields}
            problems = [p for p in problems if p.location[0] in model.model_fields]
        checking.sections[id(self.content)] = model
        try:
            checked = model.model_validate(content, context=checking)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                section = checking.sections.get(id(self.value(details["loc"][:-1])))
                problems.append(problem_of(details, section, value=self.value))
        if whole is not None:
            strange = [key for key in self.content if key not in whole.model_fields]
            problems += [
                unknown_key((str(key),), self.content[key], whole)
                for key in strange
                if problems or self._stands_for(key, model, whole)
            ]
        return (None if problems else checked), problems

    def _stands_for(self, key: object, model: type[Section], whole: type[Section]) -> bool:
        """Whether an unknown key is a misspelling of a key of `model` that the file lacks."""
        close = closest(key, whole.model_fields, cutoff=_MISSPELT)
        absent = model.model_fields.keys() - self.content.keys()
        return close is not None and close.word in absent

    def error(self, problems: Iterable[FileProblem]) -> ConfigError:
        """An exception with all `problems` in the order of their lines.

        It is a ConfigUnreadError if each of the problems may go away without a change of the file.
        """
        found = list(problems)
        passing = bool(found) and all(problem.passing for problem in found)
        kind = ConfigUnreadError if passing else ConfigError
        return kind(self.path, self.messages(found))

    def messages(self, problems: Iterable[FileProblem]) -> list[str]:
        """`LINE: KEY: message` for each of `problems`, in the order of the lines."""
        lines = [(self.line(p.location), p) for p in dict.fromkeys(problems)]
        lines.sort(key=lambda found: found[0])
        return [redacted(f"{line}: {dotted(p.location)}{p.message}") for line, p in lines]

    def line(self, location: Location) -> int:
        """The line of a value, counted from 1; if it is missing, the line of what contains it."""
        node: yaml.Node = self._root
        line = 1
        for part in location:
            found = _child(node, part)
            if found is None:
                break
            line, node = found
        return line

    def value(self, location: Location) -> Any:
        """The value at `location`; None if there is none."""
        value: Any = self.content
        for part in location:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def path_at(self, location: Location) -> Path | None:
        """The path at `location`, relative to this file's folder; None if there is no usable path.

        `check` reports what is wrong with the path, if the field is a `FilePath`.
        """
        try:
            found = _usable_path(self.value(location))
        except PydanticCustomError:
            return None
        return self.path.absolute().parent / found if isinstance(found, str) else None


def _usable_path(received: Any) -> Any:
    if not isinstance(received, str):
        return received
    if not received:
        raise advised("the path is empty: give a path")
    if "\0" in received:
        raise advised(f"a path cannot have a zero byte. Received: {shown(received)}")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", received):
        raise advised(
            f"must be a path of this machine, not an address. Received: {shown(received)}. A "
            "network camera is `{kind: stream, url: ...}`"
        )
    if len(os.fsencode(received)) > _LONGEST_PATH:
        raise advised(f"a path can have up to {_LONGEST_PATH:,} bytes. Received: {shown(received)}")
    return received


def _from_folder(received: Any, info: ValidationInfo) -> Any:
    if not isinstance(_usable_path(received), str):
        return received
    folder = info.context.folder if isinstance(info.context, _Checking) else Path()
    return folder / received


@contextmanager
def looking_at(path: Path) -> Iterator[None]:
    """Turns an OSError of examining `path` into an error that a validator may raise."""
    try:
        yield
    except OSError as error:
        raise advised(f"{path} cannot be examined: {error.strerror}") from error


def _folder_is_there(path: Path) -> Path:
    with looking_at(path):
        if not path.is_dir():
            raise advised(f"no such folder: {path}{similar_path(path)}")
    return path


def file_or_nothing(path: Path) -> Path:
    """`path`, if it is a regular file or missing, or cannot be examined now.

    Raises:
        PydanticCustomError: `path` is a folder, a pipe, a socket or a device.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return path
    if stat.S_ISDIR(mode):
        raise advised(f"{path} is a folder: give the name of a file")
    if not stat.S_ISREG(mode):
        raise advised(f"{path} is a pipe, a socket or a device: give the name of a file")
    return path


def folder_or_nothing(path: Path) -> Path:
    """`path`, if it is a folder or missing, or cannot be examined now.

    Raises:
        PydanticCustomError: `path` is something else.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return path
    if not stat.S_ISDIR(mode):
        raise advised(f"{path} is no folder: give the name of one")
    return path


def _parent_is_there(path: Path) -> Path:
    file_or_nothing(path)
    with looking_at(path):
        if not path.parent.is_dir():
            raise advised(f"no such folder: {path.parent}{similar_path(path.parent)}")
    return path


FilePath = Annotated[Path, BeforeValidator(_from_folder)]
"""A path, relative to the folder of the file in which it is written."""

FolderPath = Annotated[FilePath, AfterValidator(_folder_is_there)]
"""The path of an existing folder."""

NewFilePath = Annotated[FilePath, AfterValidator(_parent_is_there)]
"""The path of a file, existing or not, in an existing folder."""


def _repeated_keys(root: yaml.Node) -> Iterable[FileProblem]:
    seen: set[int] = set()

    def walk(node: yaml.Node, location: Location) -> Iterable[FileProblem]:
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
                    message = f"this key is already on line {first}: remove one of the two"
                    yield FileProblem((*location, key.value), message)
                elif isinstance(key, yaml.ScalarNode):
                    lines[key.value] = line
                yield from walk(child, (*location, str(key.value)))

    return walk(root, ())


def _child(node: yaml.Node, part: int | str) -> tuple[int, yaml.Node] | None:
    """(line, node) of the value under the key or index `part`; the last one if a key repeats."""
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        child = node.value[part]
        return child.start_mark.line + 1, child
    if isinstance(node, yaml.MappingNode):
        for key, child in reversed(node.value):
            if key.value == str(part) or key.value.lower() == str(part).lower():
                mark = child.start_mark if isinstance(child, yaml.ScalarNode) else key.start_mark
                return mark.line + 1, child
    return None


def _kind_of_node(node: yaml.Node | None) -> str:
    if node is None:
        return "an empty file"
    return "a list" if isinstance(node, yaml.SequenceNode) else shown(node.value)
