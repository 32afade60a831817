"""The part of a first station file that says where items go, for each kind of machine.

Times and distances are those of a small machine on a desk; `pilah-edge lane test` finds one's own.
Pins are of GPIO 12 to 26, which are pulled low from power-on, so that nothing moves before the
station runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edge.config.first_file.vision import quoted
from edge.core.errors import UsageError

Lanes = Callable[[Sequence[str], str], str]
"""The text of the lanes, and of what moves items into them: from the labels, and the name of the
lane that rejected items go to."""


@dataclass(frozen=True, slots=True)
class MachineKind:
    """A kind of machine."""

    name: str
    said: str
    """What it is, in a few words."""
    lanes: Lanes
    still_seconds: float | None = None
    """How long an item lies still before it is one; None: items move past the camera."""
    most_lanes: int | None = None
    """How many labels it has a lane for; None: any number."""


def sorting_text(
    *, labels: Sequence[str], bundle: str, machine: MachineKind, photographs: str = "none"
) -> str:
    """The rest of a station file, with a lane for each of `labels`.

    Args:
        bundle: its path, as it is written in the file.
        machine: what moves the items.
        photographs: of which items one is kept: `none`, `rejected` or `all`.

    Raises:
        UsageError: the machine has no lane for so many labels.
    """
    if machine.most_lanes is not None and len(labels) > machine.most_lanes:
        raise UsageError(
            f"--kind {machine.name} writes {machine.most_lanes} lanes at most, and the bundle has "
            f"{len(labels)} labels: {', '.join(labels)}. Write the file with --kind table, put "
            "labels that belong together into one lane, and add what moves: `actuator` of those "
            "lanes, and the section `belt` or `bin` where the machine has one, as "
            "deploy/station-file.md tells"
        )
    rest = "rejects" if "rejects" not in labels else "rejected items"
    return f"""
bundle: {quoted(bundle)}

{machine.lanes(labels, rest)}default_lane: {quoted(rest)}       # of what is not accepted

{_stops([*labels, rest][0], moves=machine.most_lanes is not None)}
ledger:
  path: ledger.sqlite        # a row for every item

# Photographs of sorted items, to look through and to train with. People may be in them: they are
# deleted after so many days, and without this section none is kept.
{_PHOTOGRAPHS[photographs]}"""


def _stops(lane: str, *, moves: bool) -> str:
    """The section `stops`, which is off until its contacts are wired.

    Args:
        lane: the one whose sensors are written.
        moves: whether items come out of the lanes, which a sensor could see.
    """
    name = quoted(lane)
    lines = f"""\
# What stops the station beside `pilah-edge pause`, once it is wired; `pilah-edge simulate --faults`
# tries each. The contact of the emergency stop opens, so that a cut wire stops the station, too.
# stops:
#   emergency_stop: {{pin: 5, active_high: true, pull: up}}
#   bins: {{{name}: {{pin: 6}}}}    # a sensor that pulls the pin low while the bin is full
"""
    exits = f"""\
#   exits: {{{name}: {{pin: 17, after_seconds: 0.5}}}}   # one that sees items come out of the lane
"""
    return lines + exits if moves else lines


_PHOTOGRAPHS: Mapping[str, str] = {
    "none": "# photographs: {items: rejected, share: 0.02, days: 30}\n",
    "rejected": "photographs: {items: rejected, share: 0.02, days: 30}\n",
    "all": "photographs: {items: all, days: 30}\n",
}
_COIL_PINS = (23, 24, 25, 16, 20, 21, 26, 12)
_SERVO_PINS = (18, 13, 12, 19)
"""Those that hardware can make exact pulses on."""
_STEPS = 800
"""Of a carousel: 200 of the motor, with the driver set to quarter steps."""


def _lane(name: str, labels: Sequence[str], *keys: str) -> str:
    listed = ", ".join(quoted(label) for label in labels)
    lines = "".join(f"    {key}\n" for key in keys)
    if not keys:
        return f"  {quoted(name)}: {{labels: [{listed}]}}\n"
    return f"  {quoted(name)}:\n    labels: [{listed}]\n{lines}"


def _table(labels: Sequence[str], rest: str) -> str:
    lanes = "".join(_lane(label, [label]) for label in labels)
    return f"""\
# Where items go. A lane without an actuator is only written down. To move something:
#   paper:
#     labels: [paper, cardboard]
#     delay_seconds: 0.5     # from the camera to the flap
#     actuator: {{kind: servo, pin: 18, rest_angle: 0, active_angle: 60, hold_seconds: 0.6,
#       pulses: while_active}}  # it holds while it diverts, and gets no pulses at rest
lanes:
{lanes}{_lane(rest, [])}"""


def _belt(labels: Sequence[str], rest: str) -> str:
    lanes = "".join(
        _lane(
            label,
            [label],
            f"distance_metres: {0.3 + 0.15 * place:.2f}",
            f"actuator: {{kind: solenoid, pin: {pin}, hold_seconds: 0.15, max_on_seconds: 1}}",
        )
        for place, (label, pin) in enumerate(zip(labels, _COIL_PINS, strict=False))
    )
    return f"""\
belt:
  metres_per_second: 0.2     # measure it: a mark on the belt, a metre, a watch

decision:
  deadline_seconds: 1.2      # before the first item is at its lane
  min_gap_seconds: 0.3       # a pusher would move both of two that are closer (6 cm): both rejected

# Where items go: a coil pushes each off the belt. Distances are along the belt, from the middle of
# the region to the middle of the pusher; `pilah-edge lane test` finds the times.
lanes:
{lanes}{_lane(rest, [])}"""


def _chute(labels: Sequence[str], rest: str) -> str:
    lanes = "".join(
        _lane(
            label,
            [label],
            f"actuator: {{kind: servo, pin: {pin}, rest_angle: 0, active_angle: 70, "
            f"hold_seconds: {1.2 + 0.3 * place:.1f}, pulses: while_active}}",
        )
        for place, (label, pin) in enumerate(zip(labels, _SERVO_PINS, strict=False))
    )
    return f"""\
decision:
  deadline_seconds: 0.4      # with what was seen by then: a flap needs 0.2 s to turn

# Where items go: they slide past the camera and a row of flaps. A flap turns as soon as there is a
# verdict, and stays until the item is past it; `pilah-edge lane test` finds the angles. At rest
# nothing presses on it, so it gets no pulses there (while_active) and does not tremble.
lanes:
{lanes}{_lane(rest, [])}"""


def _positions(
    labels: Sequence[str], rest: str, position: Callable[[int, int], int], *, hold: float
) -> str:
    """The lanes of a bin, each with a position of its mover, that of `rest` last.

    Args:
        position: of a lane, from its place and that of the last one.
        hold: how long the mover stays there, in seconds.
    """
    lanes = [*((label, [label]) for label in labels), (rest, [])]
    return "".join(
        _lane(
            name,
            sorted_there,
            f"actuator: {{kind: bin, position: {position(place, len(labels))}, "
            f"hold_seconds: {hold}}}",
        )
        for place, (name, sorted_there) in enumerate(lanes)
    )


def _flap_bin(labels: Sequence[str], rest: str) -> str:
    lanes = _positions(labels, rest, lambda place, last: round(-60 + 120 * place / last), hold=1.5)
    return f"""\
decision:
  max_frames: 12             # one that is hard to tell has its verdict within a second, too
  deadline_seconds: 2

bin:
  kind: flap
  pin: 18                    # BCM number of the servo's signal wire
  pulses: always             # items lie on the flap, which must hold them

# Where items go: one flap under the item turns to an angle for each lane, in degrees.
lanes:
{lanes}"""


def _carousel_bin(labels: Sequence[str], rest: str) -> str:
    lanes = _positions(labels, rest, lambda place, last: _STEPS * place // (last + 1), hold=2.5)
    return f"""\
decision:
  max_frames: 12             # one that is hard to tell has its verdict within a second, too
  deadline_seconds: 2

bin:
  kind: carousel
  step_pin: 20               # BCM numbers
  direction_pin: 21
  enable_pin: 26
  steps_per_turn: {_STEPS}        # 200 steps of the motor, with the driver set to quarter steps
  max_steps_per_second: 800
  steps_per_second_squared: 2000
  home: {{pin: 16, within_steps: {_STEPS * 5 // 4}, steps_per_second: 200}}

# Where items go: the chute turns over the box for each, in steps from the home switch. hold_seconds
# counts from the start of the turn: half a turn takes 0.9 s, the rest is for the fall.
lanes:
{lanes}"""


MACHINE_KINDS: Mapping[str, MachineKind] = {
    machine.name: machine
    for machine in (
        MachineKind("table", "nothing moves, and what is seen is written down", _table),
        MachineKind(
            "belt", "coils push items off a belt", _belt, most_lanes=len(_COIL_PINS)
        ),
        MachineKind(
            "chute", "items slide past a row of flaps", _chute, most_lanes=len(_SERVO_PINS)
        ),
        MachineKind(
            "flap-bin", "a bin with one flap, one item at a time", _flap_bin,
            still_seconds=0.4, most_lanes=4,
        ),
        MachineKind(
            "carousel-bin", "a bin with a chute that turns, one item at a time", _carousel_bin,
            still_seconds=0.4, most_lanes=15,
        ),
    )
}  # fmt: skip
NOTHING = MACHINE_KINDS["table"]
"""What is written where nobody says a kind."""
