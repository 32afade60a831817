"""A stepper motor behind a driver with step and direction inputs, and its switches."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from edge.core.errors import EndSwitchError, HomeSwitchError
from edge.core.yaml_file import Section
from edge.core.yaml_messages import advised
from edge.lanes.motion.homing import HomeSettings, Homing
from edge.lanes.motion.profile import Profile
from edge.pins.header import Pin
from edge.pins.inputs import Input, InputSettings
from edge.pins.pins import Pins, pin_errors

_SETTLE_SECONDS = 0.1
"""The time for which a motor is held at rest before its current is switched off."""
_STALLED = 2.0
"""How late a step may be for the motor to turn on, as a share of the time between two steps."""
_LOST_STEPS = 30
"""So many lost steps are made up for without a word; 54 degrees of a motor in whole steps."""
_EARLY = 0.25
"""How much sooner than meant a step may follow a late one, as a share of the time between them. A
late step makes the move slower beyond that, because a motor that must catch up loses steps."""


class DriveSettings(Section):
    """The keys of a stepper motor behind a driver with step and direction inputs."""

    step_pin: Annotated[Pin, Field(description="BCM number of the GPIO on the driver's STEP")]
    direction_pin: Annotated[Pin, Field(description="BCM number of the GPIO on the driver's DIR")]
    enable_pin: Annotated[
        Pin | None,
        Field(description="BCM number of the GPIO on the driver's ENABLE; without it, always on"),
    ] = None
    enable_active_high: Annotated[
        bool,
        Field(description="true where a high level on ENABLE switches the motor's current on"),
    ] = False
    reverse: Annotated[
        bool, Field(description="true where the motor must turn the other way round")
    ] = False
    max_steps_per_second: Annotated[
        float,
        Field(
            gt=0,
            le=2000,
            description="highest speed, counted in the driver's steps: micro-steps where it is set "
            "to these",
        ),
    ]
    steps_per_second_squared: Annotated[
        float, Field(gt=0, le=100_000, description="how fast it gets faster and slower")
    ]
    at_rest: Annotated[
        Literal["released", "held"],
        Field(
            description="released: no current while it stands at rest, so that it stays cool and "
            "can be pushed. held: it holds against a push"
        ),
    ] = "released"
    home: Annotated[
        HomeSettings | None,
        Field(
            description="the switch at position 0, which is looked for at each start; without it, "
            "0 is where the motor stands when the station starts"
        ),
    ] = None
    end: Annotated[
        InputSettings | None,
        Field(description="a switch behind the farthest position, which must never be reached"),
    ] = None

    @model_validator(mode="after")
    def _can_be_released(self) -> Self:
        if self.at_rest == "released" and self.enable_pin is None:
            raise advised(
                "has at_rest: released, which needs enable_pin: connect the driver's ENABLE, or "
                "write `at_rest: held`"
            )
        return self

    @model_validator(mode="after")
    def _comes_home_at_a_speed_of_its_own(self) -> Self:
        home = self.home
        if home is None or "steps_per_second" not in home.model_fields_set:
            return self
        if home.steps_per_second > self.max_steps_per_second:
            raise advised(
                f"has home.steps_per_second ({home.steps_per_second:g}) above max_steps_per_second "
                f"({self.max_steps_per_second:g}), the highest speed of the motor: lower it"
            )
        return self

    @property
    def levels_at_rest(self) -> Mapping[int, bool]:
        """Low on STEP and DIR, and on ENABLE the level without current."""
        levels = {self.step_pin: False, self.direction_pin: False}
        if self.enable_pin is not None:
            levels[self.enable_pin] = not self.enable_active_high
        return levels

    @property
    def profile(self) -> Profile:
        """A motor of these speeds that stands at 0."""
        return Profile(self.max_steps_per_second, self.steps_per_second_squared)


class Drive:
    """A stepper motor that goes to positions, a step at a time.

    The thread of the lanes calls `step` when `next_at` is due; nothing waits in here but `finish`.
    """

    def __init__(self, settings: DriveSettings, pins: Pins, *, endless: bool = False) -> None:
        """Claims the pins; the motor has no current if it can be released.

        Args:
            endless: whether it turns round and round, past its home switch.

        Raises:
            PinError: a pin cannot be used.
        """
        self._settings, self._pins, self._endless = settings, pins, endless
        self._name = f"the motor on GPIO {settings.step_pin}"
        self._profile = settings.profile
        self._due: float | None = None
        self._planned = 0.0
        self._target, self._resting = 0, True
        self._release_at: float | None = None
        self._failed = self._closed = self._on_end = self._cut_off = False
        self._homing: Homing | None = None
        self._end: Input | None = None
        with ExitStack() as opened:
            self._step = self._output(settings.step_pin, opened)
            self._direction = self._output(settings.direction_pin, opened)
            self._enable = None
            if settings.enable_pin is not None:
                self._enable = self._output(
                    settings.enable_pin,
                    opened,
                    active_high=settings.enable_active_high,
                    on=not self._releases,
                )
            if settings.home is not None:
                self._homing = Homing(settings.home, pins, motor=self._name)
                opened.callback(self._homing.switch.close)
            if settings.end is not None:
                self._end = settings.end.open(pins)
                opened.callback(self._end.close)
            self._parts = opened.pop_all()
        # Mock switches are reached by nothing, because nothing moves.
        self.ready = self._homing is None or not pins.has_switches

    def _output(
        self, pin: int, opened: ExitStack, active_high: bool = True, *, on: bool = False
    ) -> Any:
        from gpiozero import OutputDevice

        with pin_errors(pin):
            device = OutputDevice(
                pin, active_high=active_high, initial_value=on, pin_factory=self._pins.factory
            )
        opened.callback(device.close)
        return device

    @property
    def position(self) -> int:
        """Where the motor is, in steps; a step that is due counts as done."""
        return self._profile.position

    @property
    def target(self) -> int:
        """Where it was sent last, in steps."""
        return self._target

    @property
    def standing(self) -> bool:
        """Whether it stands where it was sent last."""
        return self._due is None and self.ready and self._profile.position == self._target

    @property
    def next_at(self) -> float | None:
        """When `step` is to be called, in seconds on its clock; None: nothing is to move."""
        if self._failed:
            return None
        if self._due is not None:
            return self._due
        if not self.ready or self._profile.position != self._target:
            return float("-inf")
        return self._release_at

    def go(self, target: int, *, rests: bool = False) -> None:
        """Sends the motor to a position; it moves with the next calls of `step`.

        Args:
            target: in steps from the home switch.
            rests: whether it is at rest there, where its current may be switched off.
        """
        if rests and self._releases and self.standing and self._target == target:
            self._release_at = float("-inf")
        self._target, self._resting = target, rests
        if self.ready:
            self._profile.target = target

    def step(self, now: float) -> None:
        """Takes the step that is due at the time `now`, and plans the next one.

        Raises:
            HomeSwitchError: the home switch is not where it should be.
            EndSwitchError: the end switch was reached.
            PinError: a pin cannot be used.
        """
        if self._failed:
            return
        self._cut_off = False
        try:
            if self._due is None:
                self._begin(now)
            elif now >= self._due:
                self._pulse()
                late = (now - self._due) / self._planned
                since, self._due = now if late > _EARLY else self._due, None
                if late > _STALLED:
                    self._profile.stall()
                self._look()
                self._plan(since)
        except BaseException:
            self._failed = True
            self._set_current(False)
            raise

    def lose_position(self) -> None:
        """Stops at once, without current; see TimedActuator."""
        self._cut_off = True
        self._profile.stall(untaken=self._due is not None)
        self._due = self._release_at = None
        if self._releases or self._homing is not None:  # what is only held is held again
            self._set_current(False)
        if self._homing is not None and self._pins.has_switches and self.ready:
            self.ready = False
            self._target = 0
        if self._homing is not None:
            self._homing.restart()

    def finish(self) -> None:
        """Ends the move from standing, and waits for that. A motor whose position is not known
        stays as it is, and so does one that was told to `lose_position` and took no step since.

        Raises:
            PinError: see `step`.
        """
        if self._failed or self._cut_off or not self.ready:
            return
        self._profile.stall(untaken=self._due is not None)
        at, self._due = 0.0, None
        while not self.standing:
            due = self._due
            if due is not None:
                self._pins.wait(max(0.0, due - at))
                at = max(at, due)
            self.step(at)

    def close(self) -> None:
        """Switches the motor's current off and frees the pins; may be called twice."""
        if not self._closed:
            self._closed = self._failed = True
            with self._parts:
                self._set_current(False)

    def _begin(self, now: float) -> None:
        if self._release_at is not None and now >= self._release_at and self._at_target:
            self._release_at = None
            self._set_current(False)
            return
        if self._homing is not None and not self.ready:
            self._homing.begin(self._profile)
            self._on_end = self._end is not None and self._end.active
        elif self._at_target:
            return
        self._release_at = None
        self._set_current(True)
        self._plan(now)

    @property
    def _releases(self) -> bool:
        return self._settings.at_rest == "released"

    @property
    def _comes_home(self) -> bool:
        return not self._endless and self._profile.direction < 0

    @property
    def _at_target(self) -> bool:
        return self._profile.position == self._target and self._profile.speed == 0

    def _plan(self, since: float) -> None:
        step = self._profile.next_step()
        if step is None:
            if self._resting and self._releases:
                self._release_at = since + _SETTLE_SECONDS
            return
        forward = (step.direction > 0) != self._settings.reverse
        with pin_errors(self._settings.direction_pin):
            self._direction.value = forward
        self._planned, self._due = step.seconds, since + step.seconds

    def _pulse(self) -> None:
        with pin_errors(self._settings.step_pin):
            self._step.on()  # a driver needs 2 µs of it; each call takes longer than that
            self._step.off()

    def _look(self) -> None:
        """Looks at the switches after a step."""
        profile, home, end = self._profile, self._homing, self._end
        if not self._pins.has_switches:
            return
        at_end, was = end is not None and end.active, self._on_end
        self._on_end = at_end
        if end is not None and at_end and (profile.direction > 0 if self.ready else not was):
            raise EndSwitchError(
                f"{self._name}: it reached its end switch on GPIO {end.pin} at step "
                f"{self.position}, where it must never be: it lost steps, turns the wrong way, or "
                "a position in the station file is too far. It has no current now: turn it back "
                "by hand before the next start"
            )
        if home is not None and not self.ready:
            if home.look(profile):
                self.ready = True
                profile.max_speed = self._settings.max_steps_per_second
                profile.target = self._target
        elif self._comes_home and home is not None and home.reached:
            if profile.position > _LOST_STEPS:
                raise HomeSwitchError(
                    f"{self._name}: its home switch on GPIO {home.switch.pin} closed at step "
                    f"{profile.position:,}, far from where it is: the motor lost steps, or its "
                    "wire is disturbed. Lower max_steps_per_second, or shield the wire"
                )
            profile.halt(0)  # counts anew, which makes up for steps that were lost
            profile.target = self._target = max(0, self._target)

    def _set_current(self, on: bool) -> None:
        if self._enable is not None:
            assert self._settings.enable_pin is not None
            with pin_errors(self._settings.enable_pin):
                self._enable.value = on


class Driven:
    """What a device moved by one drive has in common with another: see TimedActuator."""

    def __init__(self, drive: Drive) -> None:
        """Takes `drive` over; the device closes it."""
        self._drive = drive

    @property
    def steps(self) -> int:
        """Where it is, in steps; of an endless drive counted on over whole turns."""
        return self._drive.position

    @property
    def next_at(self) -> float | None:
        """See TimedActuator."""
        return self._drive.next_at

    @property
    def ready(self) -> bool:
        """See TimedActuator."""
        return self._drive.ready

    def lose_position(self) -> None:
        """See TimedActuator."""
        self._drive.lose_position()

    def step(self, now: float) -> None:
        """See TimedActuator."""
        self._drive.step(now)

    def release(self) -> None:
        """Does nothing: the motor is released by itself once it has stood at rest for a moment."""
