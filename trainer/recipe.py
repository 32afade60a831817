"""The recipe: a training plan in YAML, one schema and one reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, model_validator

from edge.core.errors import ConfigError, UsageError
from edge.core.images.preprocess import InputSpec
from edge.core.suggestions import did_you_mean
from edge.core.yaml_file import Section, YamlFile
from edge.core.yaml_messages import Location, Problem, advised
from edge.core.yaml_text import read_value, syntax_problem

_SHIPPED = Path(__file__).with_name("recipes")

_DEEPEST_KEY = 4

_Origin = Location | str
"""Where a changed value comes from: a place in the recipe's file, or a `--set`, as it was given."""

Share = Annotated[float, Field(gt=0, lt=0.5, description="of the pictures")]
Name = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]*$", description="small letters, digits and _")
]

RandomChange = Literal[
    "rotate",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
    "auto_contrast",
    "equalise",
    "posterise",
    "solarise",
    "colour",
    "contrast",
    "brightness",
    "sharpness",
]


class NetworkPlan(Section):
    """Which network, and what it starts from."""

    name: Annotated[str, Field(description="a file of trainer/networks/")] = "mobilenet_v2"
    alpha: Annotated[float, Field(gt=0, le=2, description="width multiplier")] = 1.0
    weights: Annotated[
        str, Field(description="imagenet, none (from scratch), or a Keras weights file")
    ] = "imagenet"
    head: Annotated[
        Literal["plain", "dense", "conv"],
        Field(description="between features and scores: nothing, a hidden layer, a convolution"),
    ] = "plain"
    head_width: Annotated[int, Field(ge=8, le=4096, description="of a dense or conv head")] = 128
    dropout: Annotated[float, Field(ge=0, lt=1, description="before the last layer")] = 0.2


class RandAugmentPlan(Section):
    """A few changes of a list, chosen at random for each picture."""

    layers: Annotated[int, Field(ge=0, le=8, description="changes, one after the other")] = 0
    magnitude: Annotated[float, Field(ge=0, le=10, description="how strong at most")] = 5
    leave_out: list[RandomChange] = Field(
        default_factory=list, max_length=12, description="such as colour, where it tells"
    )


class AugmentPlan(Section):
    """What is done to training pictures, outside the exported graph. Zero: not done."""

    copies: Annotated[
        int, Field(ge=0, le=64, description="augmented copies of each picture in a saved phase")
    ] = 4
    flip_horizontal: Annotated[bool, Field(description="mirrored, half of the time")] = True
    flip_vertical: Annotated[bool, Field(description="upside down, half of the time")] = False
    rotate: Annotated[float, Field(ge=0, le=180, description="degrees, either way")] = 15
    zoom: Annotated[float, Field(ge=0, lt=1, description="0.2: from 0.8 to 1.2 times")] = 0.15
    shift: Annotated[float, Field(ge=0, lt=1, description="share of the side, either way")] = 0.08
    brightness: Annotated[float, Field(ge=0, lt=1, description="0.2: 0.8 to 1.2 times")] = 0.2
    contrast: Annotated[float, Field(ge=0, lt=1, description="0.2: 0.8 to 1.2 times")] = 0.2
    color: Annotated[float, Field(ge=0, lt=1, description="gain of each channel by itself")] = 0.05
    shear: Annotated[float, Field(ge=0, lt=1, description="share of the side, either way")] = 0
    gamma: Annotated[float, Field(ge=0, le=2, description="0.2: power of 1/1.2 to 1.2")] = 0
    white_balance: Annotated[
        float, Field(ge=0, lt=1, description="red 0.2 up and blue 0.2 down, or the other way")
    ] = 0
    light: Annotated[
        float, Field(ge=0, lt=1, description="how much darker one side or a shadow is at most")
    ] = 0
    blur: Annotated[float, Field(ge=0, le=5, description="largest Gaussian sigma, pixels")] = 0
    defocus: Annotated[float, Field(ge=0, le=10, description="largest radius, pixels")] = 0
    motion: Annotated[float, Field(ge=0, le=40, description="longest way, pixels")] = 0
    noise: Annotated[float, Field(ge=0, le=64, description="largest sigma, levels")] = 0
    jpeg: Annotated[
        float, Field(ge=0, lt=1, description="0.6: saved at a quality of down to 40 of 100")
    ] = 0
    occlude: Annotated[float, Field(ge=0, le=0.5, description="largest covered share")] = 0
    background: Annotated[
        float,
        Field(ge=0, le=1, description="share given another background, where a plain one is found"),
    ] = 0
    randaugment: RandAugmentPlan = RandAugmentPlan()


class TargetPlan(Section):
    """A score at which training has done enough: it ends there, whatever phases are left."""

    accuracy: Annotated[float, Field(gt=0, le=1, description="on the validation pictures")]
    confirm: Annotated[int, Field(ge=1, le=100, description="epochs in a row that reach it")] = 2
    min_epochs: Annotated[int, Field(ge=1, le=1000, description="of the phase, before any")] = 1


class PhasePlan(Section):
    """One stretch of training: which layers, how long, how fast."""

    name: Name
    train_from: Annotated[
        str,
        Field(
            description="the layer whose outputs are saved once for every picture and copy; those "
            "behind it train. `input`: every layer trains, on pictures augmented anew each epoch"
        ),
    ]
    epochs: Annotated[int, Field(ge=1, le=1000, description="times through the pictures")]
    learning_rate: Annotated[float, Field(gt=0, le=1, description="at its peak")]
    schedule: Annotated[
        Literal["cosine", "constant", "plateau"],
        Field(
            description="what becomes of the rate after warm-up: down along a cosine, nothing, or "
            "divided by 3 after `patience` epochs without a better validation loss"
        ),
    ] = "cosine"
    warmup: Annotated[float, Field(ge=0, lt=1, description="share of the steps")] = 0.05
    rate_floor: Annotated[
        float, Field(ge=0, le=1, description="where the rate ends, as a share of its peak")
    ] = 0.01
    patience: Annotated[int, Field(ge=1, le=100, description="epochs, of schedule: plateau")] = 2
    layer_decay: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="discriminative rates: each quarter of the trained layers below the head "
            "learns at this share of the rate of the quarter above it; 1: all at one rate",
        ),
    ] = 1
    optimizer: Annotated[
        Literal["adamw", "adam", "nadam", "rmsprop", "sgd"],
        Field(description="sgd: with Nesterov's momentum of 0.9"),
    ] = "adamw"
    weight_decay: Annotated[float, Field(ge=0, le=1, description="decoupled, as in AdamW")] = 0.0001
    mixup: Annotated[float, Field(ge=0, le=2, description="Beta parameter; 0: none")] = 0
    fresh: Annotated[
        bool,
        Field(
            description="pictures augmented anew each epoch also behind frozen layers, which then "
            "compute them again; slow, and there to measure what saved copies cost"
        ),
    ] = False
    average_from: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="share of the steps after which weights are averaged; 1: never",
        ),
    ] = 1
    ema: Annotated[
        float,
        Field(
            ge=0,
            lt=1,
            description="decay of an exponential moving average of the weights, which is what is "
            "validated and kept; 0: none",
        ),
    ] = 0
    early_stopping: Annotated[
        int,
        Field(
            ge=0,
            le=1000,
            description="ends the phase after so many epochs without a better validation loss; "
            "0: never",
        ),
    ] = 0
    stop_at: Annotated[
        TargetPlan | None, Field(description="a validation accuracy that is enough")
    ] = None
    if_time: Annotated[
        bool, Field(description="left out when it would not fit into what is left of max_minutes")
    ] = False

    @model_validator(mode="after")
    def _one_average(self) -> Self:
        if self.ema and self.average_from < 1:
            raise advised("ema and average_from are two ways to average weights: choose one")
        return self


class AcceptPlan(Section):
    """What an accept threshold is to promise."""

    purity: Annotated[float, Field(gt=0.5, lt=1, description="of what is accepted")] = 0.95
    confidence: Annotated[float, Field(gt=0.5, lt=1, description="of the promise")] = 0.95
    folds: Annotated[
        int,
        Field(
            ge=1,
            le=10,
            description="to cross-fit the scores with; 1: no further trainings, the half of the "
            "validation part that chose no epoch serves",
        ),
    ] = 3
    epochs: Annotated[int, Field(ge=1, le=100, description="of each fold's training")] = 6


class UnknownPlan(Section):
    """How things of no class are told."""

    score: Annotated[
        Literal["auto", "energy", "distance", "both", "none"],
        Field(description="what it is computed from; auto: what finds most of classes left out"),
    ] = "auto"
    keep: Annotated[
        float, Field(gt=0.5, lt=1, description="share of known things not to be rejected for it")
    ] = 0.95
    confidence: Annotated[float, Field(gt=0.5, lt=1, description="of that share")] = 0.95


class SplitPlan(Section):
    """Shares of the pictures; the rest is trained on."""

    validation: Share = 0.1
    test: Share = 0.1
    near_duplicates: Annotated[
        bool,
        Field(description="copies are found by what they show, and kept in one part; else by file"),
    ] = True


class Recipe(Section):
    """A training plan."""

    name: Name
    description: Annotated[str, Field(description="what it is for, in a line")] = ""
    network: NetworkPlan = NetworkPlan()
    input: InputSpec = InputSpec()
    split: SplitPlan = SplitPlan()
    augment: AugmentPlan = AugmentPlan()
    batch_size: Annotated[int, Field(ge=1, le=1024, description="pictures a step")] = 32
    label_smoothing: Annotated[
        float, Field(ge=0, lt=1, description="share of a target spread over all classes")
    ] = 0.1
    class_weights: Annotated[
        Literal["none", "sqrt", "balanced"],
        Field(description="weight of a class: 1, or 1 over (the root of) its count"),
    ] = "sqrt"
    sampling: Annotated[
        Literal["shuffled", "balanced"],
        Field(description="balanced: every class as often as any other in each epoch"),
    ] = "shuffled"
    phases: Annotated[list[PhasePlan], Field(min_length=1, description="in order")]
    accept: AcceptPlan = AcceptPlan()
    unknown: UnknownPlan = UnknownPlan()
    max_minutes: Annotated[float, Field(gt=0, description="for everything, the report too")] = 14
    variants: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="changes by name: {key: value, ...}"
    )

    @model_validator(mode="after")
    def _phases_fit(self) -> Self:
        names = [phase.name for phase in self.phases]
        if len(set(names)) != len(names):
            raise advised(f"phases must have different names. Received: {', '.join(names)}")
        if self.phases[0].if_time:
            raise advised(f"the first phase, {names[0]}, must not be if_time: it is always needed")
        if self.network.weights == "none" and any(p.average_from < 1 for p in self.phases):
            raise advised(
                "average_from goes with pretrained weights: from scratch BatchNorm learns, and its "
                "statistics would belong to no averaged weights. Use ema, or a variant made for "
                "it, such as `scratch` of mobilenet_v2"
            )
        return self


def shipped_recipes() -> list[str]:
    """The names of the recipes that come with pilah."""
    return sorted(file.stem for file in _SHIPPED.glob("*.yaml"))


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
    return recipe


def _blamed(
    file: YamlFile, problems: Sequence[Problem], origins: Mapping[Location, _Origin]
) -> ConfigError:
    """An exception that tells each problem where the value stands that makes it."""
    in_file: list[Problem] = []
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
            in_file.append(Problem(origin, problem.message))
        else:
            in_file.append(problem)
    # What is wrong with the file is wrong with every setting: it comes first.
    return file.error(in_file) if in_file else ConfigError("--set", of_settings)


def recipe_yaml(recipe: Recipe) -> str:
    """The recipe as resolved, as YAML that `read_recipe` reads again."""
    fields = recipe.model_dump(mode="json", exclude={"variants"})
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
        raise UsageError(
            f"no recipe {name!r}: shipped are {', '.join(names)}; or give the path of your own "
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
