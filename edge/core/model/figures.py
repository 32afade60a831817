"""Checks of those figures in a bundle that pilah reads again.

The figures are for people, and new versions add more, so a bundle may have others beside these. A
figure that is printed must have the right type.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MOST_PICTURES = 1_000_000_000

_Share = Annotated[float, Field(ge=0, le=1)]


class _Grade(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    word: str
    why: str
    needed: Annotated[int, Field(ge=0, le=MOST_PICTURES)] | None = None


class _Accuracy(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    accuracy: _Share
    accuracy_interval: tuple[_Share, _Share]
    images: Annotated[int, Field(ge=1, le=MOST_PICTURES)]


class _Learning(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    more: Annotated[int, Field(ge=1, le=MOST_PICTURES)]
    gain: Annotated[float, Field(ge=-1, le=1)]
    interval: tuple[Annotated[float, Field(ge=-1, le=1)], Annotated[float, Field(ge=-1, le=1)]]


class _Data(BaseModel):
    model_config = ConfigDict(extra="ignore")

    digest: str = ""


GRADES = ("verdict", "int8_loss")
"""The names of the figures that are grades: a word with its reason."""


def checked_figures(figures: dict[str, Any]) -> dict[str, Any]:
    """`figures`, if those that are read again have the right form.

    Raises:
        ValueError: a figure has another form.
    """
    for name, found in figures.items():
        if name in GRADES and found:
            _check(_Grade, found, name)
        elif name == "learning" and found:
            _check(_Learning, found, name)
        elif isinstance(found, dict) and found.get("accuracy_interval"):
            _check(_Accuracy, found, name)
    return figures


def checked_data(data: dict[str, Any]) -> dict[str, Any]:
    """`data`, the description of the pictures, if its digest is text.

    Raises:
        ValueError: the digest is not text.
    """
    _check(_Data, data, "it")
    return data


def _check(kind: type[BaseModel], found: Any, name: str) -> None:
    try:
        kind.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join([name, *map(str, first["loc"])])
        raise ValueError(f"{where}: {first['msg']}") from error
