"""What other networks were measured to bring in the place of a recipe's own, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from edge.core.suggestions import did_you_mean
from edge.core.terminal.wording import in_a_sentence, number_of
from edge.core.yaml_file import Section
from edge.core.yaml_messages import advised
from trainer.recipes.network_names import network_names

Points = Annotated[float, Field(ge=-100, le=100)]
Times = Annotated[float, Field(gt=0, le=1000)]


class MeasuredPlan(Section):
    """Another network, or a variant with one, beside the recipe as it is, on the same pictures."""

    network: Annotated[
        str | None, Field(description="in the place of the recipe's own, by `compare --networks`")
    ] = None
    variant: Annotated[str | None, Field(description="of this recipe, if it is no network")] = None
    points: Annotated[
        Points, Field(description="of accuracy more than the recipe as it is; below 0: fewer")
    ]
    interval: Annotated[
        list[Points] | None,
        Field(
            min_length=2,
            max_length=2,
            description="of the points, paired, 95 %; without it, too few trainings to have one",
        ),
    ] = None
    picture_time: Annotated[
        Times | None, Field(description="of the int8 model, as a multiple of that of the recipe's")
    ] = None
    training_time: Annotated[
        Times | None, Field(description="of a training, as a multiple of that of the recipe's")
    ] = None
    trainings: Annotated[int, Field(ge=1, le=10_000, description="of each of the two")]
    pictures: Annotated[
        str, Field(min_length=1, max_length=200, description="on which it was measured")
    ]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if (self.network is None) == (self.variant is None):
            raise advised("give either the network or the variant that was measured, and not both")
        if self.network is not None and self.network not in (names := network_names()):
            raise advised(
                f"network: there is no network {self.network!r}{did_you_mean(self.network, names)}"
            )
        if self.interval is not None and not (self.interval[0] <= self.points <= self.interval[1]):
            raise advised(
                "the points must lie within their interval. Received: points "
                f"{self.points:g}, interval {self.interval[0]:g} to {self.interval[1]:g}"
            )
        return self

    @property
    def way(self) -> str:
        """The network or the variant by its name."""
        return str(self.network or self.variant)

    @property
    def asked_by(self) -> str:
        """How a command asks for it beside the recipe as it is, as `compare` takes it."""
        if self.network is not None:
            return f"--networks own,{self.network}"
        return f"--variants default,{self.variant}"

    @property
    def sure(self) -> bool:
        """Whether it is better or worse by more than chance explains."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]

    @property
    def brought(self) -> str:
        """The difference in words: "2.9 points more right (1.1 to 4.7)"."""
        if self.interval is None:
            return f"{_signed(self.points)} points, too few trainings to show a difference"
        low, high = self.interval
        if not self.sure:
            between = f"{_signed(low)} to {_signed(high)}"
            return f"{_signed(self.points)} points ({between}), no difference shows"
        if self.points < 0:
            low, high = -high, -low
        more = "more" if self.points > 0 else "fewer"
        return f"{abs(self.points):.1f} points {more} right ({low:.1f} to {high:.1f})"

    @property
    def cost(self) -> str:
        """The times in words; empty where none was measured."""
        told = [
            f"a {what} takes {times:.1f} times as long"
            for what, times in (("picture", self.picture_time), ("training", self.training_time))
            if times is not None
        ]
        return " and ".join(told)

    @property
    def measured_on(self) -> str:
        """By how many trainings, and on which pictures."""
        return f"{number_of(self.trainings, 'trainings')} of each, on {self.pictures}"

    @property
    def sentence(self) -> str:
        """All of it in a line, without a full stop."""
        return f"{self.way}: {self.brought}; {self.cost or 'time not measured'}; {self.measured_on}"

    def to_json(self) -> dict[str, Any]:
        """The object of `metrics.json`."""
        return self.model_dump(mode="json")


def whether_better(measured: Sequence[MeasuredPlan]) -> str:
    """Whether one of them is surely better than the recipe's own, without a full stop."""
    better = [each.way for each in measured if each.sure and each.points > 0]
    if better:
        return f"better by more than chance explains: {in_a_sentence(better)}"
    return "none of them is better by more than chance explains"


def _signed(points: float) -> str:
    return f"{points:+.1f}" if round(points, 1) else "0.0"
