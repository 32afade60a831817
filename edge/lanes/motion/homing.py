"""The way of a motor to its home switch, which gives it its position 0."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from edge.core.errors import HomeSwitchError
from edge.lanes.motion.profile import Profile
from edge.pins.inputs import InputSettings
from edge.pins.pins import Pins


class HomeSettings(InputSettings, title="HomeSwitch"):
    """`home` of a motor: the switch at the position 0."""

    steps_per_second: Annotated[
        float,
        Field(
            gt=0,
            le=2000,
            description="speed while the switch is looked for; without it, 100, or "
            "max_steps_per_second where that is lower",
        ),
    ] = 100
    within_steps: Annotated[
        int,
        Field(
            gt=0,
            le=1_000_000,
            description="the most steps in which the switch must be reached; somewhat more than "
            "the motor's whole way, or than a whole turn",
        ),
    ]


class Homing:
    """A home switch, and the search for it: off the switch if it is reached already, then onto it.

    Attributes:
        switch: the switch.
    """

    def __init__(self, settings: HomeSettings, pins: Pins, *, motor: str) -> None:
        """Opens the switch.

        Args:
            motor: what errors call the motor.

        Raises:
            PinError: its pin cannot be used.
        """
        self.switch, self._settings, self._motor = settings.open(pins), settings, motor
        self._begun = self._leaving = False

    def restart(self) -> None:
        """Lets `begin` look for the switch again."""
        self._begun = False

    @property
    def reached(self) -> bool:
        """Whether the switch is closed, read twice: a disturbance on its wire is short."""
        return self.switch.active and self.switch.active

    def begin(self, profile: Profile) -> None:
        """Sends the motor off the switch or towards it, unless it is on its way already."""
        if self._begun:
            return
        profile.halt(0)  # wherever that is
        self._begun, self._leaving = True, self.switch.active
        profile.max_speed = min(self._settings.steps_per_second, profile.max_speed)
        profile.target = self._settings.within_steps * (1 if self._leaving else -1)

    def look(self, profile: Profile) -> bool:
        """Looks at the switch after a step; True: the motor stands on it, and that is its 0.

        Raises:
            HomeSwitchError: the switch is not where it should be.
        """
        active, within = self.switch.active, self._settings.within_steps
        if active != self._leaving and self.switch.active == active:  # it has just changed
            profile.halt(0)
            if not self._leaving:
                return True
            self._leaving, profile.target = False, -within
        elif profile.position == profile.target:
            said = "did not open" if self._leaving else "was not reached"
            raise HomeSwitchError(
                f"{self._motor}: its home switch on GPIO {self.switch.pin} {said} within "
                f"{within:,} steps. Has the motor its supply, is its way free, does it turn "
                "towards the switch (`reverse`), and is `active_high` of the switch right?"
            )
        return False
