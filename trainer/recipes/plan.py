"""The schema of recipes: the keys of a training plan, and what they mean."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from edge.core.images.preprocess import InputSpec
from edge.core.suggestions import did_you_mean
from edge.core.yaml_file import Section
from edge.core.yaml_messages import advised
from trainer.recipes.measured import MeasuredPlan

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
        str,
        Field(
            description="imagenet (fetched once into `models` of KERAS_HOME, else of ~/.keras), "
            "none (from scratch), or a Keras weights file"
        ),
    ] = "imagenet"
    pixels: Annotated[
        Literal["own", "unit"],
        Field(
            description="own: levels in the range that the network's weights were trained with; "
            "unit: in 0 to 1, as some published systems have them"
        ),
    ] = "own"
    blocks: Annotated[int, Field(ge=1, le=3, description="of textbook_cnn")] = 2
    head: Annotated[
        Literal["plain", "dense", "conv", "conv_pool"],
        Field(
            description="between features and scores: nothing, a hidden layer, a convolution with "
            "BatchNorm, or a convolution with a pooling and BatchNorm behind it"
        ),
    ] = "plain"
    head_width: Annotated[
        int, Field(ge=8, le=4096, description="of a dense, conv or conv_pool head")
    ] = 128
    head_norm: Annotated[
        bool, Field(description="whether a convolution of the head has BatchNorm behind it")
    ] = True
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

    accuracy: Annotated[float, Field(gt=0, le=1, description="the accuracy")]
    of: Annotated[
        Literal["validation", "training"],
        Field(
            description="the pictures that reach it; those trained on say little, and are here for "
            "published systems that stopped by them"
        ),
    ] = "validation"
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
        Literal["adamw", "adam", "adamax", "nadam", "rmsprop", "sgd"],
        Field(description="sgd: with Nesterov's momentum of 0.9"),
    ] = "adamw"
    weight_decay: Annotated[float, Field(ge=0, le=1, description="decoupled, as in AdamW")] = 0.0001
    clip: Annotated[
        float,
        Field(ge=0, le=1000, description="longest gradient of a layer's weights; 0: any length"),
    ] = 1
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
    keep: Annotated[
        Literal["best", "last"],
        Field(
            description="the epoch whose weights are kept: that of the lowest validation loss so "
            "far, or the phase's last one, whatever it is worth (with --from, no worse than what "
            "the training starts from)"
        ),
    ] = "best"
    stop_at: Annotated[TargetPlan | None, Field(description="an accuracy that is enough")] = None
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
            "validation split that chose no epoch serves",
        ),
    ] = 3
    epochs: Annotated[int, Field(ge=1, le=100, description="of each fold's training")] = 6


class UnknownPlan(Section):
    """The novelty score, by which things of no class are rejected as unknown."""

    score: Annotated[
        Literal["auto", "energy", "distance", "both", "none"],
        Field(description="what it is computed from; auto: what finds most of classes left out"),
    ] = "auto"
    keep: Annotated[
        float, Field(gt=0.5, lt=1, description="share of known things not to be rejected for it")
    ] = 0.95
    confidence: Annotated[float, Field(gt=0.5, lt=1, description="of that share")] = 0.95


class DistillPlan(Section):
    """A teacher: larger networks, from whose scores the network learns beside the labels."""

    teacher: Annotated[
        str,
        Field(
            description="a recipe by its name or path, which is trained on the same training "
            "pictures and kept in the cache; or the folder of a run"
        ),
    ]
    variant: Annotated[str, Field(description="of the teacher's recipe")] = "default"
    settings: Annotated[
        list[str],
        Field(
            default_factory=list,
            max_length=32,
            description="changes of the teacher's recipe, as `input.height=288`",
        ),
    ]
    folds: Annotated[
        int,
        Field(
            ge=1,
            le=10,
            description="teachers, of which each leaves another part of the training pictures out; "
            "the network learns from their mean. 1: one teacher, of all",
        ),
    ] = 1
    cross_fit: Annotated[
        bool,
        Field(
            description="with folds: of each training picture the network learns only from the "
            "teacher that has not learned from it, and so does not only repeat its label; false: "
            "from all"
        ),
    ] = False
    temperature: Annotated[
        float, Field(ge=1, le=20, description="by which the logits of both are divided")
    ] = 2
    weight: Annotated[
        float, Field(gt=0, le=1, description="of the teacher's scores; the rest is the labels'")
    ] = 0.7
    max_minutes: Annotated[
        float, Field(gt=0, description="for all teachers, beside the network's own max_minutes")
    ] = 20

    @model_validator(mode="after")
    def _some_left_out(self) -> Self:
        if self.cross_fit and self.folds == 1:
            raise advised(
                "cross_fit: a single teacher leaves no training picture out: set folds to 2 or "
                "more, such as 5"
            )
        return self


class SplitPlan(Section):
    """Shares of the pictures; the rest is trained on."""

    validation: Share = 0.1
    test: Share = 0.1
    near_duplicates: Annotated[
        bool,
        Field(description="copies are found by what they show and kept in one split; else by file"),
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
    distill: Annotated[
        DistillPlan | None, Field(description="a teacher to learn from; without it, none")
    ] = None
    notes: list[str] = Field(
        default_factory=list,
        max_length=12,
        description="what to know of it, said in the report and by `pilah-trainer recipes`",
    )
    measured: list[MeasuredPlan] = Field(
        default_factory=list, max_length=12, description="other networks beside its own"
    )
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
        for each in self.measured:
            if each.variant is not None and each.variant not in self.variants:
                raise advised(
                    f"measured: there is no variant {each.variant!r}"
                    f"{did_you_mean(each.variant, [*self.variants])}"
                )
        if self.network.weights == "none" and any(p.average_from < 1 for p in self.phases):
            raise advised(
                "average_from goes with pretrained weights: from scratch BatchNorm learns, and its "
                "statistics would belong to no averaged weights. Use ema, or a variant made for "
                "it, such as `scratch` of mobilenet_v2"
            )
        if self.distill and (
            fresh := [p.name for p in self.phases if p.fresh or p.train_from == "input"]
        ):
            raise advised(
                "distill: the teacher scores saved copies of the pictures, and phases that augment "
                f"them anew have none: {', '.join(fresh)}. Train these from a layer, without "
                "fresh, as bottles, fruit, garbage, shoes and mobilenet_v2 do"
            )
        return self
