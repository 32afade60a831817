"""What is done with the pictures of items: codes are looked for in them, and some are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from edge.core.images.preprocess import Box
from edge.core.verdict import Verdict
from edge.flow import CodeFound, Frame, ItemInFrame, ItemKey


class CodeLook(Protocol):
    """The picture of an item that another thread looks at for codes."""

    @property
    def found(self) -> CodeFound | None:
        """What came of it; None: that is not known yet."""
        ...


class ItemCodes(Protocol):
    """What looks for codes on items."""

    @property
    def wait_seconds(self) -> float:
        """How long an item with a verdict may wait for its code now; 0: nobody needs it so soon."""
        ...

    @property
    def scan_waits(self) -> bool:
        """Whether a code was scanned by hand whose piece may be the next item."""
        ...

    def expect(self, key: ItemKey, frame: Frame, *, alone: bool) -> None:
        """Says of an item, before anything else hears of it, that `look` will be called.

        Args:
            alone: whether no other item was in view.
        """
        ...

    def scanned(self, key: ItemKey) -> CodeFound:
        """The code of the hand scan that belongs to this item for certain; must not wait."""
        ...

    def look(self, key: ItemKey, frame: Frame, box: Box | None) -> CodeLook | None:
        """Has the picture of an item looked at; must not wait. None: it is not looked at.

        Args:
            frame: the one that shows the item best.
            box: where the item is in it; None: it is the whole region.
        """
        ...


class PictureUses(NamedTuple):
    """What is done with the picture of an item; neither waits."""

    codes: ItemCodes
    """Looks for codes."""
    keep: Callable[[Verdict, ItemInFrame, ItemKey], str | None] = lambda verdict, sharpest, key: (
        None
    )
    """Has a photograph of the item kept, and returns its file for the item's row; None if none is
    kept. The item is given in the frame that shows it best."""
