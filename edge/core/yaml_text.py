"""YAML that a person wrote, read as that person means it, and never for long.

What no reader takes for a decimal number is text: `017`, `0o17`, `0x1F`, `1_000` and `1:30` (15,
15, 31, 1000 and 90 in YAML 1.1), `no`, `on`, `2026-11-21` and `=`. Tags such as `!!int`, keys that
are lists, and characters that steer a terminal are refused. Size, nesting and what aliases unfold
to are bounded, so that no file takes all time or memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

LARGEST_FILE = 1_000_000
"""Bytes."""
_DEEPEST = 32
"""Mappings and lists within each other; a station file has five."""
_MOST_VALUES = 20_000
"""Keys and values, those that aliases and `<<` repeat counted each time."""
_TEXT_TAG = "tag:yaml.org,2002:str"


class _Loader(yaml.SafeLoader):
    """YAML with decimal numbers, version 1.2's booleans, and bounds."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._values = self._depth = 0
        self._sizes: dict[int, int] = {}
        """By the identity of a node that is complete, how many keys and values it has."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        before = self._values
        if isinstance(event, yaml.AliasEvent):
            node = super().compose_node(parent, index)
            if id(node) not in self._sizes:
                raise _refused("an alias stands within what it stands for: remove it", event)
            self._values += self._sizes[id(node)]
        else:
            self._values += 1
            self._depth += 1
            if self._depth > _DEEPEST:
                raise _refused(f"nested more than {_DEEPEST} deep: is a bracket missing?", event)
            _check_tag(event)
            node = super().compose_node(parent, index)
            _check_node(node)
            self._depth -= 1
            self._sizes[id(node)] = self._values - before
        if self._values > _MOST_VALUES:
            raise _refused(
                f"more than {_MOST_VALUES:,} values, what aliases repeat included: "
                "this is no file that a person wrote",
                event,
            )
        return node


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] in ("null", "merge")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
# Not with a zero in front, which says octal to some readers, and no longer than 64 bits hold.
_WHOLE = re.compile(r"^[-+]?(?:0|[1-9][0-9]{0,17})$")
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _WHOLE, list("-+0123456789"))
# With a point or an exponent: what has neither is for the resolver of whole numbers.
_DECIMAL = re.compile(
    r"^[-+]?(?:(?:\.[0-9]+|(?:0|[1-9][0-9]*)\.[0-9]*)(?:[eE][-+]?[0-9]+)?"
    r"|(?:0|[1-9][0-9]*)[eE][-+]?[0-9]+|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN|NAN)$"
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _DECIMAL, list("-+.0123456789"))


def read_document(text: str) -> tuple[yaml.Node | None, Callable[[], Any]]:
    """(the root node, with the lines of everything; what gives the content) of the one document.

    Giving the content replaces `<<` in the nodes by what it stands for: look at them before.

    Raises:
        yaml.YAMLError: it is none, or one that is refused; see `syntax_problem`. So does what gives
            the content.
    """
    loader = _Loader(text)
    node = loader.get_single_node()
    return node, lambda: None if node is None else loader.construct_document(node)


def read_value(text: str) -> Any:
    """The one YAML value that `text` is, read as it would be in a file.

    Raises:
        yaml.YAMLError: it is none.
    """
    return read_document(text)[1]()


def number_advice(text: str) -> str:
    """What to write in place of `text` where a number is wanted; empty where nobody can know.

    Example:
        number_advice("017")  # ": write 17, without the zero in front"
    """
    plain = text.strip()
    if found := re.fullmatch(r"([-+]?)0+([0-9]{1,18}(?:\.[0-9]{0,18})?)", plain):
        return f": write {found.group(1)}{found.group(2)}, without the zero in front"
    if re.fullmatch(r"[-+]?[0-9]{1,9},[0-9]{1,9}", plain):
        return f": write {plain.replace(',', '.')}, with a decimal point"
    if re.fullmatch(r"[-+]?[0-9]{1,3}([_ '][0-9]{3}){1,5}", plain):
        return f": write {re.sub('[^-+0-9]', '', plain)}"
    if re.fullmatch(r"[-+]?0[xXoObB][0-9A-Fa-f_]{1,16}", plain):
        try:
            return f": write it as a decimal number, {int(plain.replace('_', ''), 0)}"
        except ValueError:
            return ": write it as a decimal number"
    if re.fullmatch(r"[0-9]{1,4}(:[0-5]?[0-9]){1,2}(\.[0-9]*)?", plain):
        return ": write it as one decimal number, a time in seconds"
    return ": remove the quotes" if _WHOLE.match(plain) or _DECIMAL.match(plain) else ""


def syntax_problem(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """(line, what is wrong there) for an error of this module's readers; no text of the file."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, int(error.position)) + 1
        character = chr(int(error.character))
        return line, f"the character {character!r} is not allowed in YAML: remove it"
    if not isinstance(error, yaml.MarkedYAMLError):
        return 1, f"not YAML: {error}"
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    if isinstance(error, _Refused):
        return line, str(error.problem)
    problem = error.problem or str(error.context)
    if "\\t" in problem:
        return line, "a tab stands here: indent with spaces"
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
    return line, f"not YAML{context}: {problem}{hint}"


class _Refused(yaml.MarkedYAMLError):
    """YAML, but of a kind that is not read here."""


def _refused(problem: str, at: yaml.Event | yaml.Node) -> _Refused:
    mark: Any = at.start_mark
    return _Refused(problem=problem, problem_mark=mark)


def _check_tag(event: yaml.Event) -> None:
    tag = getattr(event, "tag", None)
    is_text = isinstance(event, yaml.ScalarEvent) and tag == _TEXT_TAG
    if tag is not None and not is_text:
        shown = tag.replace("tag:yaml.org,2002:", "!!")[:40]
        raise _refused(f"the tag {shown} is not used here: write the value alone", event)


def _check_node(node: yaml.Node | None) -> None:
    if isinstance(node, yaml.ScalarNode):
        for character in node.value:
            if (ord(character) < 32 and character not in "\t\n") or (
                "\x7f" <= character <= "\x9f" or "\ud800" <= character <= "\udfff"
            ):
                raise _refused(f"the character {character!r} is not allowed: remove it", node)
    elif isinstance(node, yaml.MappingNode):
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused("a list or a mapping cannot be a key: write a name", key)
