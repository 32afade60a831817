"""Reads recipes: training plans in YAML, with the changes that a command asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from edge.core.errors import ConfigError, UsageError
from edge.core.suggestions import did_you_mean
from edge.core.yaml_file import YamlFile
from edge.core.yaml_messages import FileProblem, Location
from edge.core.yaml_text import read_value, syntax_problem
from trainer.recipes.plan import Recipe

_SHIPPED = Path(__file__).parent

_DEEPEST_KEY = 4

_Origin = Location | str
"""The origin of a changed value: a place in the recipe's file, or a `--set` as it was given."""


def shipped_recipes() -> list[str]:
    """The names of the recipes that come with pilah."""
    return sorted(file.stem for file in _SHIPPED.glob("*.yaml"))


def is_recipe(name: str) -> bool:
    """Whether a name is that of a shipped recipe, or a path of one's own, and no folder."""
    return name in shipped_recipes() or Path(name).suffix in (".yaml", ".yml")


def read_recipe(name: str, *, variant: str = "default", settings: Sequence[str] = ()) -> Recipe:
    """A shipped recipe by its name, or one's own by its path, with its changes applied.

    Args:
        variant: one of the recipe's `variants`; "default" changes nothing.
        settings: `key=value`, key dotted, a phase by its name: `phases.upper.epochs=4`.

    Raises:
        ConfigError: the file is wrong, or a setting makes it so. What is wrong with a setting is
            told of that setting, and of a variant on the variant's line.
        UsageError: no such recipe or variant, or a setting of another form.
    """
    file = YamlFile(recipe_path(name))
    origins: dict[Location, _Origin] = {}
    variants = file.content.get("variants")
    if not isinstance(variants, dict):
        variants = {}
    if variant != "default" and variant not in variants:
        raise UsageError(
            f"recipe {name} has no variant {variant!r}. It has: {', '.join(['default', *variants])}"
        )
    changes = variants.get(variant)
    for key, value in changes.items() if isinstance(changes, dict) else ():
        place: Location = ("variants", variant, str(key))
        where = f"{file.path}:{file.line(place)}: variants.{variant}: {key}"
        origins[_set(file.content, str(key), value, where)] = place
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key:
            raise UsageError(f"--set takes key=value. Received: {setting!r}")
        try:
            value = read_value(text)
        except yaml.YAMLError as error:
            _, problem = syntax_problem(error, text)
            raise UsageError(f"--set {setting}: the value is not YAML: {problem}") from error
        origins[_set(file.content, key, value, f"--set {key}")] = setting
    recipe, problems = file.check(Recipe)
    if recipe is None:
        raise _blamed(file, problems, origins)
    if variant != "default" or any(setting.startswith("network.") for setting in settings):
        # What was measured stood beside the recipe's own network.
        return recipe.model_copy(update={"measured": []})
    return recipe


def _blamed(
    file: YamlFile, problems: Sequence[FileProblem], origins: Mapping[Location, _Origin]
) -> ConfigError:
    """An exception that names each problem with the place of the value that causes it."""
    in_file: list[FileProblem] = []
    of_settings: list[str] = []
    own = set(YamlFile(file.path).check(Recipe)[1])
    for problem in problems:
        found = [origins[at] for at in origins if at == problem.location[: len(at)]]
        if not found and problem not in own:
            # Made by the changes together: of several keys, or of what is above a changed one.
            found = [origin for origin in origins.values() if isinstance(origin, str)]
        origin = found[-1] if found else None
        key = "".join(f"{part}." for part in problem.location)[:-1]
        if isinstance(origin, str):
            said = " ".join(dict.fromkeys(o for o in found if isinstance(o, str)))
            of_settings.append(f" {said}: {f'{key}: ' if key else ''}{problem.message}")
        elif origin is not None:
            in_file.append(FileProblem(origin, problem.message))
        else:
            in_file.append(problem)
    # What is wrong with the file is wrong with every setting: it comes first.
    return file.error(in_file) if in_file else ConfigError("--set", of_settings)


def recipe_yaml(recipe: Recipe) -> str:
    """The recipe as resolved, as YAML that `read_recipe` reads again, without what it was once
    measured to do: the same training is the same whatever is known of others."""
    fields = recipe.model_dump(mode="json", exclude={"variants", "measured"})
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)


def recipe_path(name: str) -> Path:
    """The file of a shipped recipe by its name, or of one's own by its path.

    Raises:
        UsageError: there is no such recipe.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise UsageError(f"{path}: no such recipe file")
        return path
    names = shipped_recipes()
    if name not in names:
        # A place is meant for a recipe's file, or for the run of a teacher.
        none = f"there is no folder or recipe {name}" if "/" in name else f"no recipe {name!r}"
        raise UsageError(
            f"{none}: shipped are {', '.join(names)}; or give the path of your own "
            f".yaml file{did_you_mean(name, names, listing=False)}"
        )
    return _SHIPPED / f"{name}.yaml"


def _set(fields: dict[Any, Any], dotted: str, value: Any, where: str) -> Location:
    """Changes one key of a recipe, and gives its location.

    Args:
        where: of whom to tell what is wrong.
    """
    *path, last = dotted.split(".")
    if len(path) >= _DEEPEST_KEY:
        raise UsageError(f"{where}: no key of a recipe lies so deep")
    at: Any = fields
    location: list[int | str] = []
    for part in path:
        if isinstance(at, list):
            index = _phase(at, part, where)
            at = at[index]
            location.append(index)
        else:
            at = at.setdefault(part, {})
            location.append(part)
        if not isinstance(at, (dict, list)):
            raise UsageError(f"{where}: {part} has no keys below it")
    if isinstance(at, list):
        raise UsageError(f"{where}: name a phase's key, as phases.upper.epochs=4")
    at[last] = value
    return (*location, last)


def _phase(phases: list[Any], name: str, where: str) -> int:
    for index, phase in enumerate(phases):
        if isinstance(phase, Mapping) and phase.get("name") == name:
            return index
    known = ", ".join(str(phase.get("name")) for phase in phases if isinstance(phase, Mapping))
    raise UsageError(f"{where}: no phase {name!r}. The recipe has: {known}")
