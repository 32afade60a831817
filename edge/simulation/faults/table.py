"""All faults by their names, and the list of those that a run is to have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from edge.core.errors import UsageError
from edge.core.suggestions import did_you_mean
from edge.simulation.belt.wire import BeltOrder
from edge.simulation.faults import belt, camera, contacts, machine
from edge.simulation.faults.fault import Fault, PassingFault
from edge.vision.camera.reopening import CapturedPicture

FAULTS: Mapping[str, type[Fault]] = {
    kind.name: kind
    for kind in (
        camera.DropOuts,
        camera.CameraGone,
        camera.Frozen,
        camera.Black,
        camera.Covered,
        camera.Blurred,
        camera.Moved,
        camera.Torn,
        camera.Damaged,
        camera.Light,
        belt.Speed,
        belt.Touching,
        belt.EncoderSilent,
        machine.HomeStuck,
        machine.SlowInference,
        machine.SlowDisk,
        contacts.EmergencyStop,
        contacts.BinFull,
        contacts.Jam,
        contacts.Pause,
    )
}
"""A fault is a line here, and a class in a module of this room."""


class Faults:
    """The faults of a run, as one."""

    def __init__(self, faults: Sequence[Fault] = (), *, seed: int) -> None:
        """Has them all begin."""
        self.all = tuple(faults)
        for number, fault in enumerate(self.all):
            fault.begin((seed, 5, number))

    def belt(self, order: BeltOrder) -> BeltOrder:
        """The belt as all faults together have it."""
        for fault in self.all:
            order = fault.belt(order)
        return order

    def picture(self, picture: CapturedPicture) -> CapturedPicture:
        """A picture as all faults together have it."""
        for fault in self.all:
            picture = fault.picture(picture)
        return picture

    def camera_hangs(self, moment: float) -> bool:
        """Whether the camera gives no pictures at a moment."""
        return any(fault.camera_hangs(moment) for fault in self.all)

    def camera_is_gone(self, moment: float) -> bool:
        """Whether the camera cannot be used at a moment."""
        return any(fault.camera_is_gone(moment) for fault in self.all)

    def inference_seconds(self, moment: float) -> float:
        """How long an inference takes that begins at a moment."""
        return sum(fault.inference_seconds(moment) for fault in self.all)

    @property
    def usual_inference_seconds(self) -> float:
        """How long an inference takes as a rule."""
        return sum(fault.usual_inference_seconds for fault in self.all)

    def is_pressed(self, moment: float) -> bool:
        """Whether the emergency stop is pressed at a moment."""
        return any(fault.is_pressed(moment) for fault in self.all)

    def is_paused(self, moment: float) -> bool:
        """Whether somebody wants the station to pause at a moment."""
        return any(fault.is_paused(moment) for fault in self.all)

    def is_full(self, lane: str, moment: float) -> bool:
        """Whether the bin of a lane is full at a moment."""
        return any(fault.is_full(lane, moment) for fault in self.all)

    def is_jammed(self, lane: str, moment: float) -> bool:
        """Whether nothing comes out of a lane that is sent into it at a moment."""
        return any(fault.is_jammed(lane, moment) for fault in self.all)

    @property
    def ends_station(self) -> bool:
        """Whether a station ends because of one of them, as no motor finds its home."""
        return any(isinstance(fault, machine.HomeStuck) for fault in self.all)

    @property
    def needs_an_operator(self) -> bool:
        """Whether a person does something about one of them."""
        kinds = contacts.EmergencyStop | contacts.Jam | contacts.Pause
        return any(isinstance(each, kinds) for each in self.all)

    def encoder_is_silent(self, moment: float) -> bool:
        """Whether the belt's encoder gives no pulses at a moment."""
        return any(fault.encoder_is_silent(moment) for fault in self.all)

    def write_seconds(self, moment: float) -> float:
        """How long a write to the ledger takes that begins at a moment."""
        return sum(fault.write_seconds(moment) for fault in self.all)


def read_faults(text: str) -> list[Fault]:
    """The faults of a list such as `light:factor=0.5,drop-outs`.

    Raises:
        UsageError: there is no such fault, or it has no such parameter, or not with that value; or
            one that does not pass is there twice, of which only the last would count.
    """
    found = [_read(part.strip()) for part in text.split(",")] if text else []
    for kind, times in Counter(type(fault) for fault in found).items():
        if times > 1 and not issubclass(kind, PassingFault):
            raise UsageError(
                f"--faults: {kind.name} is there {times} times, and a run has it once: it lasts "
                f"for the whole run. Give it once, such as {kind()}. Received: {text!r}"
            )
    return found


def fault_lines() -> list[str]:
    """A line for each fault, with its parameters, what happens, and the kinds of machine that it
    is for, unless it is for all."""
    wide = max(map(len, map(str, (kind() for kind in FAULTS.values()))))
    return [
        f"{kind()!s:<{wide}}  {kind.summary}"
        + (f" ({', '.join(kind.kinds)})" if kind.kinds else "")
        for kind in FAULTS.values()
    ]


def _read(text: str) -> Fault:
    name, *parameters = text.split(":")
    kind = FAULTS.get(name)
    if kind is None:
        raise UsageError(
            f"--faults: there is no fault {name!r}{did_you_mean(name, FAULTS)} (`--faults help` "
            "says what each does)"
        )
    values: dict[str, str] = {}
    for parameter in parameters:
        key, given, value = parameter.partition("=")
        if not given or key not in kind.model_fields:
            raise UsageError(
                f"--faults: {name} takes {', '.join(f'{key}=...' for key in kind.model_fields)}, "
                f"such as {kind()}. Received: {parameter!r}"
            )
        if key in values:
            raise UsageError(f"--faults: {name}: give {key} once. Received: {text!r}")
        values[key] = value
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        said = first["msg"].replace("Input should ", "must ")
        raise UsageError(
            f"--faults: {name}{f': {where}' if where else ''}: {said}. Received: {text!r}"
        ) from error
