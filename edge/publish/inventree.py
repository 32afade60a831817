"""The receiver `inventree`: receives the goods of a delivery in InvenTree, when it is closed.

This is the pattern for other warehouse systems: what they take is made from the delivery's own
events, which are only read, and is sent so that a second time does no harm. A delivery has the name
of its purchase order. InvenTree gives a stock item that was received a barcode, and refuses one
that is in use; so each has one that is made from the event that closed the delivery.

See https://docs.inventree.org/en/stable/api/schema/ : `order/po/`, `order/po-line/` and
`order/po/ID/receive/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard
from urllib.parse import urlencode

from edge.config.publish.web import InvenTreeSettings
from edge.core.errors import DeliveryFileError
from edge.publish.credentials import read_token
from edge.publish.http_client import HttpAnswer, HttpClient
from edge.publish.receiver import Entry, ReceiverUnavailable, Refused
from edge.publish.receivers import Surroundings
from edge.publish.settled import Settled
from edge.receiving.delivery import Line
from edge.receiving.events import DeliveryImported
from edge.receiving.state import Count, DeliveryState
from edge.receiving.store import Deliveries

_CLOSED = "delivery_closed"
_OK, _DAMAGED = 10, 55
"""InvenTree's codes of the status of a stock item."""


class InvenTreeReceiver:
    """See `edge/publish/receiver.py`."""

    name = "inventree"

    def __init__(self, settings: InvenTreeSettings, deliveries: Path) -> None:
        """Connects to nothing yet.

        Args:
            deliveries: the station's file of deliveries.

        Raises:
            ReceiverSetupError: the token or a certificate cannot be read.
        """
        token = read_token(settings.token_file, "publish.inventree.token_file")
        self._client = HttpClient(
            f"{settings.url}/api",
            headers={
                "Authorization": f"Token {token}",
                "Accept": "application/json",
                "Accept-Language": "en",
            },
            ca_file=settings.ca_file,
            key="publish.inventree.ca_file",
        )
        self._location, self._deliveries = settings.location, deliveries
        self._settled = Settled()

    def send(self, entries: Sequence[Entry]) -> Sequence[Refused]:
        """See `Receiver`: only the closing of a delivery is sent."""
        for entry in self._settled.begin(entries):
            if entry.kind == _CLOSED:
                self._settled.check_time()
                try:
                    self._receive(entry)
                except _NotReceived as error:
                    self._settled.settle(entry, str(error))
                else:
                    self._settled.settle(entry)
        return self._settled.end(entries)

    def close(self) -> None:
        """See `Receiver`: nothing is open between two requests."""

    def _receive(self, entry: Entry) -> None:
        """Receives the goods of a delivery that was closed.

        Raises:
            _NotReceived: InvenTree does not know the order or an article, or refuses them.
        """
        receipt = _Receipt(self._deliveries, entry.payload["delivery"])
        goods = [(line, count) for line, count in receipt.counts if count.counted]
        if not goods:
            return
        order = self._order(receipt.order)
        lines = self._lines(order)
        items = []
        for line, count in goods:
            number = lines.get(line.sku)
            if number is None:
                raise _NotReceived(f"the purchase order {receipt.order} has no line {line.sku}")
            for index, item in enumerate(_items(count)):
                barcode = f"pilah-{entry.id}-{line.number}-{index}"
                items.append({"line_item": number, "barcode": barcode, **item})
        body: dict[str, Any] = {"items": items}
        if self._location is not None:
            body["location"] = self._location
        answer = self._client.ask("POST", f"/order/po/{order}/receive/", body)
        if not answer.done and not _is_repeated(answer):
            raise _NotReceived(answer.reason)

    def _order(self, reference: str) -> int:
        """The number of the purchase order with this reference."""
        found = self._list("/order/po/", {"reference": reference})
        numbers = [_number(one) for one in found if one.get("reference") == reference]
        if not numbers:
            raise _NotReceived(f"there is no purchase order {reference}")
        return numbers[0]

    def _lines(self, order: int) -> Mapping[str, int]:
        """The numbers of the order's lines, by the SKU of the article, its IPN or a reference."""
        found: dict[str, int] = {}
        for one in self._list("/order/po-line/", {"order": str(order), "part_detail": "true"}):
            names = (
                _part(one, "supplier_part_detail").get("SKU"),
                _part(one, "part_detail").get("IPN"),
                one.get("reference"),
            )
            for name in names:
                if name:
                    found.setdefault(str(name), _number(one))
        return found

    def _list(self, path: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """All objects of a list, which may come in pages.

        Raises:
            ReceiverUnavailable: the answer is no such list.
        """
        found: list[dict[str, Any]] = []
        while True:
            self._settled.check_time()
            offset = {"offset": str(len(found))} if found else {}
            answer = self._client.ask("GET", f"{path}?{urlencode({**query, **offset})}")
            part: Any = answer.value
            more = False
            if isinstance(part, dict):  # a page, where a server always has them
                part, more = part.get("results"), bool(part.get("next"))
            if not answer.done or not _are_objects(part) or (more and not part):
                raise _odd(f"what is no list of objects to {path}: {answer.reason}")
            found += part
            if not more:
                return found


def _number(found: Mapping[str, Any]) -> int:
    """The primary key of an object of InvenTree.

    Raises:
        ReceiverUnavailable: it has none.
    """
    number = found.get("pk")
    if type(number) is not int:
        raise _odd(f"an object whose `pk` is no number: {number!r}")
    return number


def _are_objects(found: object) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(found, list) and all(isinstance(one, dict) for one in found)


def _part(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object within an object of that name; empty where there is none.

    Raises:
        ReceiverUnavailable: it is something else.
    """
    part = found.get(name)
    if part is None:
        return {}
    if not isinstance(part, dict):
        raise _odd(f"an object whose `{name}` is no object: {part!r}")
    return part


def _odd(what: str) -> ReceiverUnavailable:
    return ReceiverUnavailable(
        f"InvenTree answers with {what[:500]}. Look at `url`, at a proxy before it, and at its "
        "version; what was counted is sent again until it answers otherwise"
    )


class _NotReceived(Exception):  # noqa: N818
    """InvenTree will never take a delivery in its present form."""


class _Receipt:
    """The goods that came with a delivery, and the purchase order that it belongs to.

    Attributes:
        order: the name of the delivery that was announced first: a receipt that was reopened and a
            back-order have names of their own.
        counts: each line with what came of it in this receipt alone.
    """

    def __init__(self, path: Path, delivery: str) -> None:
        """Reads the file of deliveries.

        Raises:
            _NotReceived: the delivery is not there, or less came than was received before.
            ReceiverUnavailable: the file cannot be read now.
        """
        state, begun = self._read(path, delivery)
        carried = {one.line: one for one in begun.carried}
        self.counts: list[tuple[Line, Count]] = []
        for line in state.lines:
            count = state.count(line.number)
            if (before := carried.get(line.number)) is not None:
                count = Count(
                    counted=count.counted - before.counted, damaged=count.damaged - before.damaged
                )
            if count.counted < 0 or not 0 <= count.damaged <= count.counted:
                raise _NotReceived(
                    f"line {line.number} ({line.sku}) was corrected to less than what InvenTree "
                    "has received: take it back there"
                )
            self.counts.append((line, count))
        self.order = delivery
        while (earlier := state.reopens or state.back_order_of) is not None:
            self.order = earlier
            state, _ = self._read(path, earlier)

    @staticmethod
    def _read(path: Path, delivery: str) -> tuple[DeliveryState, DeliveryImported]:
        try:
            with Deliveries(path, read_only=True) as file:
                state, events = file.state(delivery), file.events(delivery)
        except DeliveryFileError as error:
            raise ReceiverUnavailable(str(error)) from error
        begun = [event for event in events if isinstance(event, DeliveryImported)]
        if state is None or not begun:
            raise _NotReceived(f"the delivery {delivery} is not in {path}")
        return state, begun[-1]


def _items(count: Count) -> Iterator[dict[str, Any]]:
    """The stock items that the pieces of a line become: by lot, and the damaged ones apart."""
    sound = count.counted - count.damaged
    lots = dict(count.lots) if sum(count.lots.values()) <= sound else {}
    if len(count.serials) == sound and not count.damaged and not lots:
        yield {"quantity": sound, "status": _OK, "serial_numbers": ",".join(sorted(count.serials))}
        return
    for (lot, expiry), pieces in sorted(lots.items(), key=str):
        item: dict[str, Any] = {"quantity": pieces, "status": _OK}
        if lot is not None:
            item["batch_code"] = lot
        if expiry is not None:
            item["expiry_date"] = expiry
        yield item
    if left := sound - sum(lots.values()):
        yield {"quantity": left, "status": _OK}
    if count.damaged:
        yield {"quantity": count.damaged, "status": _DAMAGED}


def _is_repeated(answer: HttpAnswer) -> bool:
    """Whether InvenTree refused the goods because their barcodes, which are ours, are in use."""
    found = answer.value
    items = found.get("items") if isinstance(found, dict) else None
    return isinstance(items, list) and any(
        isinstance(item, dict) and "barcode" in item for item in items
    )


def open_receiver(settings: InvenTreeSettings, surroundings: Surroundings) -> InvenTreeReceiver:
    """See `edge/publish/receivers.py`."""
    return InvenTreeReceiver(settings, surroundings.deliveries)
