"""Contacts that are read again and again: the emergency stop, the sensors of bins. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from edge.state.incidents.notice import Notice


class Contact:
    """An incident that lasts as long as a contact is active, which may bounce."""

    def __init__(
        self, name: str, *, scope: str = "", begin_seconds: float = 0.0, end_seconds: float = 0.0
    ) -> None:
        """The contact is not active.

        Args:
            name: the incident's name.
            scope: its scope.
            begin_seconds: for how long the contact must be active without a break.
            end_seconds: for how long it must not be.
        """
        self._name, self._scope = name, scope
        self._seconds = {True: begin_seconds, False: end_seconds}
        self._is, self._level = False, False
        self._since = 0.0

    def read(self, active: bool, at: float) -> Iterator[Notice]:
        """What the level at the time `at` tells.

        Args:
            active: whether the contact is active then.
        """
        if active != self._level:
            self._level, self._since = active, at
        if self._level != self._is and at - self._since >= self._seconds[active]:
            self._is = active
            yield Notice(self._name, active, self._since, self._scope)
