"""Nothing comes: a station that sorts has seen no item for a long time. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from edge.state.incidents.notice import Notice


class Starvation:
    """Finds that nothing has come into view for a given time in which the station sorted."""

    def __init__(self, seconds: float) -> None:
        """Waits from the first time that the station sorts.

        Args:
            seconds: how long nothing may come.
        """
        self._seconds = seconds
        self._since: float | None = None
        self._found = False

    def sorts(self, at: float) -> None:
        """The station begins to sort, or sorts on, at the time `at`."""
        self._since = at

    def stands(self) -> None:
        """The station stands, for whatever reason: nothing is to come."""
        self._since = None

    @property
    def next_at(self) -> float | None:
        """When it is starved unless something comes; None: that is not known now."""
        return None if self._since is None or self._found else self._since + self._seconds

    def seen(self, at: float) -> Iterator[Notice]:
        """Something is in view at the time `at`."""
        if self._since is not None:
            self._since = at
        if self._found:
            self._found = False
            yield Notice("starved", False, at)

    def notices(self, now: float) -> Iterator[Notice]:
        """That it is starved at the time `now`; found once."""
        if (due := self.next_at) is not None and now >= due:
            self._found = True
            yield Notice("starved", True, due)
