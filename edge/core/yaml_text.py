"""A YAML reader for files that people write, without YAML's surprises and with bounded cost.

A value that is not a plain decimal number is text: `017`, `0o17`, `0x1F`, `1_000` and `1:30` (15,
15, 31, 1000 and 90 in YAML 1.1), and so are `no`, `on`, `2026-11-21` and `=`. Tags such as `!!int`,
keys that are lists, and control characters are refused. The size, the nesting and the expansion of
aliases are bounded, so that no file can use up time or memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

LARGEST_FILE = 1_000_000
"""Bytes."""
_DEEPEST = 32
"""The deepest nesting of mappings and lists; a station file has five levels."""
_MOST_VALUES = 20_000
"""The most keys and values; those that aliases and `<<` repeat count each time."""
_TEXT_TAG = "tag:yaml.org,2002:str"
_IN: Mapping[str, Mapping[str, float]] = {
    "metres_per_second": {"mm/s": 0.001, "cm/s": 0.01, "m/s": 1, "m/min": 1 / 60, "km/h": 1 / 3.6},
    "metres": {"mm": 0.001, "cm": 0.01, "m": 1},
    "microseconds": {"us": 1, "µs": 1, "ms": 1000, "s": 1e6},
    "seconds": {"ms": 0.001, "s": 1, "sec": 1, "min": 60, "h": 3600},
    "minutes": {"s": 1 / 60, "min": 1, "h": 60},
}
"""By the end of a key, and by a unit that people write: how much of the key's own unit it is."""
_A_THOUSANDTH = {
    "metres_per_second": "millimetres a second",
    "metres": "millimetres",
    "seconds": "milliseconds",
}
"""What a thousandth of a key's unit is called, by the end of the key."""
_NUMBER = r"[-+]?[0-9]{1,9}(?:[.,][0-9]{1,9})?"


class _Loader(yaml.SafeLoader):
    """YAML with decimal numbers, version 1.2's booleans, and bounds."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._values = self._depth = 0
        self._sizes: dict[int, int] = {}
        """The number of keys and values of each complete node, by the `id` of the node."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        before = self._values
        if isinstance(event, yaml.AliasEvent):
            node = super().compose_node(parent, index)
            if id(node) not in self._sizes:
                raise _refused("this alias is inside the value that it repeats: remove it", event)
            self._values += self._sizes[id(node)]
        else:
            self._values += 1
            self._depth += 1
            if self._depth > _DEEPEST:
                raise _refused(
                    f"the values are nested more than {_DEEPEST} deep: is a bracket missing?", event
                )
            _check_tag(event)
            node = super().compose_node(parent, index)
            _check_node(node)
            self._depth -= 1
            self._sizes[id(node)] = self._values - before
        if self._values > _MOST_VALUES:
            raise _refused(
                f"the file has more than {_MOST_VALUES:,} values, including those that aliases "
                "repeat: remove some of them",
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
# Not with a leading zero, which means octal to some readers, and at most 64 bits long.
_WHOLE = re.compile(r"^[-+]?(?:0|[1-9][0-9]{0,17})$")
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _WHOLE, list("-+0123456789"))
# With a point or an exponent; a number without both is left to the resolver of whole numbers.
_DECIMAL = re.compile(
    r"^[-+]?(?:(?:\.[0-9]+|(?:0|[1-9][0-9]*)\.[0-9]*)(?:[eE][-+]?[0-9]+)?"
    r"|(?:0|[1-9][0-9]*)[eE][-+]?[0-9]+|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN|NAN)$"
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _DECIMAL, list("-+.0123456789"))


def read_document(text: str) -> tuple[yaml.Node | None, Callable[[], Any]]:
    """(the root node with all line numbers, a function that returns the content) of a document.

    The function replaces `<<` in the nodes by the merged keys, so look at the nodes before calling
    it.

    Raises:
        yaml.YAMLError: the text is not YAML, or is refused; see `syntax_problem`. The function may
            raise it too.
    """
    loader = _Loader(text)
    node = loader.get_single_node()
    return node, lambda: None if node is None else loader.construct_document(node)


def read_value(text: str) -> Any:
    """The YAML value in `text`, read by the same rules as in a file.

    Raises:
        yaml.YAMLError: the text is not a YAML value.
    """
    return read_document(text)[1]()


def number_advice(text: str) -> str:
    """What to write instead of `text` for a number; empty if that cannot be known.

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


def unit_advice(key: object, text: str) -> str:
    """What to write instead of a number with a unit; empty if `text` is none.

    Example:
        unit_advice("delay_seconds", "300 ms")  # ": write 0.3 alone: the key says its unit"
    """
    found = re.fullmatch(
        rf"({_NUMBER})\s*((?!e[-+]?[0-9])[^\W\d_][\w%/²°]{{0,15}}|[%°])", text.strip()
    )
    if found is None:
        return ""
    number = float(found.group(1).replace(",", "."))
    factor = _IN.get(_unit(key), {}).get(found.group(2))
    # "1,500" is one and a half or fifteen hundred, by where one lives.
    if factor is None or re.fullmatch(r"[-+]?[1-9][0-9]*,[0-9]{3}", found.group(1)):
        return ": write a number alone, without a unit"
    return f": write {number * factor:.6g} alone, as the key says its unit"


def smaller_unit_advice(key: object, received: float, most: float) -> str:
    """What to write where a number that is too large may be one of a smaller unit; else empty.

    Args:
        most: the largest number that is right.

    Example:
        smaller_unit_advice("hold_seconds", 150, 60)  # ": if milliseconds are meant, write 0.15"
    """
    if not _unit(key) and most == 1 and 1 < received <= 100:
        return f": if per cent are meant, write {received / 100:.6g}"
    named = _A_THOUSANDTH.get(_unit(key))
    if named is None or not most < received <= 1000 * most:
        return ""
    return f": if {named} are meant, write {received / 1000:.6g}"


def _unit(key: object) -> str:
    """The unit that a key ends with; empty: none that is known."""
    name = str(key)
    return next((unit for unit in _IN if name == unit or name.endswith(f"_{unit}")), "")


def syntax_problem(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """(line, description) of an error of this module's readers, without any text of the file."""
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
        return line, "there is a tab here: indent with spaces"
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
    """The text is YAML, but uses a feature that this module refuses."""


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
