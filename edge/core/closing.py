"""The base class of everything that is closed: hardware, files, threads and processes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self


class Closing(ABC):
    """A context manager that closes itself at the end of its block, whatever happened in it.

    Example:
        >>> class Door(Closing):
        ...     def close(self) -> None:
        ...         print("closed")
        >>> with Door() as door:
        ...     print("open")
        open
        closed
    """

    @abstractmethod
    def close(self) -> None:
        """Releases the resource that this object holds; may be called twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()
