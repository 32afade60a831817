"""Which values of a recipe's keys a sweep tries, as a file says it or as is usual."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, Field, ValidationError, model_validator

from edge.core.errors import ConfigError, UsageError
from edge.core.yaml_file import Section, YamlFile
from edge.core.yaml_messages import FileProblem, advised, problem_of, shown
from trainer.recipes.plan import Recipe
from trainer.recipes.reading import read_recipe

if TYPE_CHECKING:
    from optuna import Trial

_FIXED: Mapping[str, str] = {
    "split": "all trials are scored on the same validation pictures",
    "accept": "it is applied after the training that a trial is scored by",
    "unknown": "it is applied after the training that a trial is scored by",
    "max_minutes": "it is the same for all trials: give --max-minutes, or --set max_minutes=M",
    "name": "it changes no training",
    "description": "it changes no training",
    "notes": "they change no training",
    "variants": "a sweep trains one variant: give --variant",
}
"""Keys of a recipe that are not searched, and why."""
_DIGITS = 6
"""The significant digits of a drawn number, so that a person can read the best recipe."""


class RangePlan(Section):
    """The numbers between two, of which a sweep draws."""

    low: Annotated[float | int, Field(description="the smallest value")]
    high: Annotated[float | int, Field(description="the largest value")]
    log: Annotated[
        bool, Field(description="drawn evenly by their logarithm, as learning rates are")
    ] = False
    step: Annotated[float | None, Field(gt=0, description="from low on, only every so much")] = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise advised(f"low must be below high. Received: {self.low:g} and {self.high:g}")
        if self.log and self.low <= 0:
            raise advised(f"with log, low must be above 0. Received: {self.low:g}")
        if self.log and self.step is not None:
            raise advised("log and step do not go together: leave one out")
        if not _is_whole((self.high - self.low) / (self.step or self.high - self.low)):
            raise advised(
                f"from low to high must be whole steps. Received: {self.low:g} to {self.high:g} by "
                f"{self.step:g}"
            )
        return self


@dataclass(frozen=True, slots=True)
class SearchedKey:
    """One key of a recipe, and the values of it that are tried."""

    key: str
    """Dotted, a phase by its name: `phases.upper.epochs`."""
    plan: RangePlan | tuple[Any, ...]
    """A range of numbers, or the values themselves."""
    own: Any
    """The recipe's value."""
    whole: bool = False
    """Whether only whole numbers are tried."""

    @property
    def has_own(self) -> bool:
        """Whether the recipe's own value is among those that are tried."""
        if not isinstance(self.plan, RangePlan):
            return self.own in self.plan
        low, high, step = self.plan.low, self.plan.high, self.plan.step
        if not low <= self.own <= high:
            return False
        return step is None or _is_whole((self.own - low) / step)

    def suggested(self, trial: Trial) -> Any:
        """The value for a trial."""
        plan = self.plan
        if not isinstance(plan, RangePlan):
            return trial.suggest_categorical(self.key, plan)
        if self.whole:
            step = 1 if plan.step is None else int(plan.step)
            return trial.suggest_int(
                self.key, int(plan.low), int(plan.high), step=step, log=plan.log
            )
        drawn = trial.suggest_float(self.key, plan.low, plan.high, step=plan.step, log=plan.log)
        return min(plan.high, max(plan.low, float(f"{drawn:.{_DIGITS}g}")))

    def to_json(self) -> Any:
        """The values as a search file has them."""
        if isinstance(self.plan, RangePlan):
            return self.plan.model_dump(exclude_defaults=True)
        return list(self.plan)


def _is_whole(steps: float) -> bool:
    """Whether a number is whole but for what rounding does."""
    return math.isclose(steps, round(steps), abs_tol=1e-9)


def as_settings(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The values by key as settings, `key=value`, that `read_recipe` takes."""
    return tuple(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in values.items())


def usual_search(recipe: Recipe) -> dict[str, Any]:
    """What is searched where no file says it, as the content of such a file.

    Each learning rate from a quarter to four times the recipe's, and what is known to matter and
    leaves the saved outputs of frozen layers as they are: to search augmentation or the size of the
    input as well takes a file, and for each trial the minutes in which those are computed again.
    """
    rates = {
        f"phases.{phase.name}.learning_rate": {
            "low": float(f"{phase.learning_rate / 4:.2g}"),
            "high": min(1.0, float(f"{phase.learning_rate * 4:.2g}")),
            "log": True,
        }
        for phase in recipe.phases
    }
    teacher = {"distill.weight": {"low": 0.3, "high": 0.9}} if recipe.distill else {}
    return {
        **rates,
        f"phases.{recipe.phases[-1].name}.mixup": [0, 0.2],
        "network.dropout": {"low": 0, "high": 0.5, "step": 0.1},
        "label_smoothing": {"low": 0, "high": 0.2, "step": 0.05},
        "class_weights": ["none", "sqrt", "balanced"],
        **teacher,
    }


def usual_keys(
    recipe: str, *, variant: str = "default", settings: Sequence[str] = ()
) -> tuple[SearchedKey, ...]:
    """The keys of `usual_search` for a recipe; see `read_recipe` for the arguments and errors."""
    plain = read_recipe(recipe, variant=variant, settings=settings)
    return tuple(_searched(plain, key, _plan(plan)) for key, plan in usual_search(plain).items())


def read_search(
    path: Path, recipe: str, *, variant: str = "default", settings: Sequence[str] = ()
) -> tuple[SearchedKey, ...]:
    """The keys that a search file names, each tried in the recipe.

    The file has a line for each key: `KEY: [VALUE, VALUE]` or `KEY: {low: L, high: H}`, with
    `log: true` or `step: S` where wanted.

    Args:
        path: a YAML file.
        recipe, variant, settings: see `read_recipe`.

    Raises:
        ConfigError: the file or the recipe is wrong.
        UsageError: there is no such recipe or variant.
    """
    plain = read_recipe(recipe, variant=variant, settings=settings)
    file = YamlFile(path)
    if not file.content:
        raise ConfigError(path, ["1: there is no key to search: give `KEY: [VALUE, VALUE]` lines"])
    problems = list(file.repeated)
    found = []
    for key, content in file.content.items():
        try:
            plan = _plan(content)
            values = [plan.low, plan.high] if isinstance(plan, RangePlan) else plan
            for value in values:
                _check(str(key), value, recipe, variant=variant, settings=settings)
            found.append(_searched(plain, key, plan))
        except ValidationError as error:
            problems += [
                problem_of({**each, "loc": (key, *each["loc"])}, RangePlan, value=file.value)
                for each in error.errors(include_url=False)
            ]
        except _NotSearchedError as error:
            problems.append(FileProblem((key,), str(error)))
    if problems:
        raise file.error(problems)
    return tuple(found)


class _NotSearchedError(ValueError):
    """A key cannot be searched so, for the reason in the message."""


def _plan(content: object) -> RangePlan | tuple[Any, ...]:
    if not isinstance(content, list):
        return RangePlan.model_validate(content)
    if wrong := [each for each in content if isinstance(each, dict | list)]:
        raise _NotSearchedError(
            "each value must be a number, a text, or true or false. Received: " + shown(wrong[0])
        )
    if len({json.dumps(each) for each in content}) != len(content) or len(content) < 2:
        raise _NotSearchedError(f"give two different values or more. Received: {shown(content)}")
    return tuple(content)


def _check(key: str, value: Any, recipe: str, *, variant: str, settings: Sequence[str]) -> None:
    """Passes a value that makes a recipe.

    Raises:
        _NotSearchedError: the recipe has no such key, it is not searched, or the value is wrong.
    """
    if (first := key.partition(".")[0]) in _FIXED:
        raise _NotSearchedError(f"{first} is not searched: {_FIXED[first]}")
    try:
        read_recipe(recipe, variant=variant, settings=(*settings, *as_settings({key: value})))
    except ConfigError as error:
        said = error.problems[0].strip().removeprefix(f"{as_settings({key: value})[0]}: ")
        raise _NotSearchedError(said.removeprefix(f"{key}: ")) from error
    except UsageError as error:
        raise _NotSearchedError(str(error).removeprefix(f"--set {key}: ")) from error


def _searched(plain: Recipe, key: str, plan: RangePlan | tuple[Any, ...]) -> SearchedKey:
    """The key with the recipe's own value.

    Raises:
        _NotSearchedError: a range is given for a key that takes no numbers.
    """
    *path, last = key.split(".")
    at: Any = plain
    for part in path:
        at = next(p for p in at if p.name == part) if isinstance(at, list) else getattr(at, part)
    if isinstance(at, list) or isinstance(getattr(at, last), BaseModel | list):
        raise _NotSearchedError("it has keys below it: name one of those, as phases.upper.epochs")
    kind = type(at).model_fields[last].annotation
    if isinstance(plan, RangePlan):
        if kind not in (int, float):
            raise _NotSearchedError("it takes no numbers: give its values as a list, [a, b]")
        if kind is int and plan.step is not None and not plan.step.is_integer():
            raise _NotSearchedError(f"step must be a whole number here. Received: {plan.step:g}")
    return SearchedKey(key, plan, getattr(at, last), whole=kind is int)
