"""The receiver `inventree` against a server of our own, which answers as InvenTree documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from edge.config.publish.web import InvenTreeSettings
from edge.core.errors import ReceiverSetupError
from edge.publish.inventree import InvenTreeReceiver
from edge.publish.receiver import Entry, ReceiverUnavailable
from edge.receiving.code import read_code
from edge.receiving.desk import Desk
from edge.receiving.events import DeliveryClosed, details_of, kind_of
from edge.receiving.scan import Scan
from tests.edge.publish.http_server import Asked, Reply, System
from tests.edge.publish.outboxes import NUMBERS
from tests.edge.receiving.goods_lists import LINES, SHOE, counting, desk_at, goods

SHOES, SOCKS = replace(LINES[0], expected=3), replace(LINES[1], expected=2)
SOCK_L7 = "(01)00000096385074(10)L7"


class InvenTree:
    """Purchase orders and the stock that was received, as far as the receiver looks at them."""

    def __init__(self) -> None:
        self.orders = {"D1": 11}
        self.lines: list[dict[str, Any]] = [
            {"pk": 101, "order": 11, "supplier_part_detail": {"SKU": "SH"}, "reference": ""},
            {"pk": 102, "order": 11, "part_detail": {"IPN": "SO-7"}, "reference": None},
        ]
        self.stock: list[dict[str, Any]] = []
        self.page: int | None = None
        """How many objects a page has; None: there are no pages."""
        self.answers: list[Reply] = []

    def __call__(self, asked: Asked) -> Reply:
        if self.answers:
            return self.answers.pop(0)
        if asked.headers.get("authorization") != "Token t0ken":
            return Reply(401, {"detail": "Invalid token."})
        parts = urlsplit(asked.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/inventree/api/order/po/":
            return self._list([
                {"pk": number, "reference": reference}
                for reference, number in self.orders.items()
                if reference == query["reference"]
            ], query)  # fmt: skip
        if parts.path == "/inventree/api/order/po-line/":
            lines = [line for line in self.lines if str(line["order"]) == query["order"]]
            return self._list(lines, query)
        assert (asked.method, parts.path) == ("POST", "/inventree/api/order/po/11/receive/")
        used = {item["barcode"] for item in self.stock}
        wrong = [
            {"barcode": ["Barcode is already in use"]} if item["barcode"] in used else {}
            for item in asked.body["items"]
        ]
        if any(wrong):
            return Reply(400, {"items": wrong})
        if any(item["quantity"] <= 0 for item in asked.body["items"]):
            return Reply(400, {"items": [{"quantity": ["must be greater than zero"]}]})
        self.stock += [{"location": asked.body.get("location"), **i} for i in asked.body["items"]]
        return Reply(201, [])

    def _list(self, found: list[dict[str, Any]], query: dict[str, str]) -> Reply:
        if self.page is None:
            return Reply(200, found)
        begin = int(query.get("offset", 0))
        end = begin + self.page
        more = f"http://inventree/?offset={end}" if end < len(found) else None
        return Reply(200, {"count": len(found), "next": more, "results": found[begin:end]})

    @property
    def received(self) -> list[tuple[int, int, int, str | None]]:
        """Line, quantity, status and batch of each stock item."""
        return [
            (one["line_item"], one["quantity"], one["status"], one.get("batch_code"))
            for one in self.stock
        ]


@pytest.fixture
def inventree() -> InvenTree:
    return InvenTree()


@pytest.fixture
def system(inventree: InvenTree) -> Iterator[System]:
    with System(inventree) as system:
        yield system


@pytest.fixture
def receiver(system: System, tmp_path: Path) -> InvenTreeReceiver:
    token = tmp_path / "token"
    token.write_text("t0ken\n")
    settings = InvenTreeSettings(url=f"{system.url}/inventree", token_file=token, location=5)
    return InvenTreeReceiver(settings, tmp_path / "deliveries.sqlite")


def scan(desk: Desk, *texts: str, damaged: bool = False) -> None:
    for text in texts:
        desk.scan(None, Scan(code=read_code(text)), damaged=damaged, why="wet" if damaged else "")


def closed(desk: Desk, name: str) -> Entry:
    """The entry of the outbox that says that a delivery was closed."""
    (event,) = (e for e in desk.deliveries.events(name) if isinstance(e, DeliveryClosed))
    payload = {"delivery": event.delivery, "by": event.by, **details_of(event)}
    return Entry(next(NUMBERS), event.id, kind_of(event), event.time, event.station, payload)


def one_shoe(folder: Path) -> Entry:
    """The entry of a delivery that was closed when one of three shoes had come."""
    with counting(folder, SHOES) as desk:
        scan(desk, SHOE)
        desk.close("D1", as_counted=True, back_order=False)
        return closed(desk, "D1")


def test_what_was_counted_is_received_when_the_delivery_is_closed(
    receiver: InvenTreeReceiver, inventree: InvenTree, system: System, tmp_path: Path
) -> None:
    with counting(tmp_path, SHOES, SOCKS) as desk:
        scan(desk, SHOE, SOCK_L7, SOCK_L7)
        scan(desk, SHOE, damaged=True)
        desk.close("D1", as_counted=True, back_order=False)
        (counted, *_) = desk.deliveries.events("D1")
        other = Entry(1, counted.id, "piece_counted", counted.time, "door", {})
        entry = closed(desk, "D1")
    assert receiver.send([other]) == []
    assert system.asked == []
    assert receiver.send([entry]) == []
    assert inventree.received == [(101, 1, 10, None), (101, 1, 55, None), (102, 2, 10, "L7")]
    assert {one["location"] for one in inventree.stock} == {5}


def test_a_delivery_that_is_sent_twice_is_received_once(
    receiver: InvenTreeReceiver, inventree: InvenTree, tmp_path: Path
) -> None:
    entry = one_shoe(tmp_path)
    assert receiver.send([entry]) == []
    assert receiver.send([entry]) == []
    assert inventree.received == [(101, 1, 10, None)]


@pytest.mark.parametrize("receipt", ["D1-R1", "D1-B1"], ids=["reopened", "back-order"])
def test_what_a_later_receipt_counts_is_added_to_the_same_order(
    receiver: InvenTreeReceiver, inventree: InvenTree, tmp_path: Path, receipt: str
) -> None:
    with counting(tmp_path, SHOES) as desk:
        scan(desk, SHOE)
        desk.close("D1", as_counted=True, back_order=receipt == "D1-B1")
        if receipt == "D1-R1":
            desk.reopen("D1", "one more was found")
        desk.open(receipt)
        scan(desk, SHOE, SHOE)
        desk.close(receipt, as_counted=True, back_order=False)
        entries = [closed(desk, "D1"), closed(desk, receipt)]
    assert receiver.send(entries) == []
    assert inventree.received == [(101, 1, 10, None), (101, 2, 10, None)]


def test_less_than_was_received_before_is_for_a_person(
    receiver: InvenTreeReceiver, inventree: InvenTree, tmp_path: Path
) -> None:
    with counting(tmp_path, SHOES) as desk:
        scan(desk, SHOE, SHOE)
        desk.close("D1", as_counted=True, back_order=False)
        desk.reopen("D1", "one too many was counted")
        desk.open("D1-R1")
        desk.correct(None, 1, "counted", 1, "miscounted")
        desk.close("D1-R1", as_counted=True, back_order=False)
        entries = [closed(desk, "D1"), closed(desk, "D1-R1")]
    (refused,) = receiver.send(entries)
    assert refused.entry == entries[1]
    assert "line 1 (SH) was corrected to less than" in refused.reason
    assert inventree.received == [(101, 2, 10, None)]


def test_a_delivery_of_which_nothing_came_is_no_question_to_inventree(
    receiver: InvenTreeReceiver, system: System, tmp_path: Path
) -> None:
    with counting(tmp_path, SHOES) as desk:
        desk.close("D1", as_counted=True, back_order=False)
        entry = closed(desk, "D1")
    assert receiver.send([entry]) == []
    assert system.asked == []


def test_the_expiry_on_a_code_is_received_with_its_pieces(
    receiver: InvenTreeReceiver, inventree: InvenTree, tmp_path: Path
) -> None:
    with counting(tmp_path, SOCKS) as desk:
        scan(desk, "(01)00000096385074(17)270331")
        desk.close("D1", as_counted=True, back_order=False)
        entry = closed(desk, "D1")
    inventree.lines = [{"pk": 102, "order": 11, "part_detail": {"IPN": "SO-7"}}]
    assert receiver.send([entry]) == []
    assert [one["expiry_date"] for one in inventree.stock] == ["2027-03-31"]


def test_serial_numbers_are_received_with_their_pieces(
    receiver: InvenTreeReceiver, inventree: InvenTree, tmp_path: Path
) -> None:
    inventree.lines[0]["supplier_part_detail"]["SKU"] = "PHONE"
    line = replace(LINES[3], gtin="04006381333931")
    with counting(tmp_path, line) as desk:
        scan(desk, "(01)04006381333931(21)S2", "(01)04006381333931(21)S1")
        desk.close("D1", as_counted=True, back_order=False)
        entry = closed(desk, "D1")
    assert receiver.send([entry]) == []
    (stock,) = inventree.stock
    assert (stock["quantity"], stock["serial_numbers"]) == (2, "S1,S2")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"orders": {}}, "there is no purchase order D1"),
        ({"orders": {"D10": 11}}, "there is no purchase order D1"),
        ({"lines": []}, "the purchase order D1 has no line SH"),
    ],
)
def test_what_inventree_does_not_know_is_refused_and_said(
    receiver: InvenTreeReceiver,
    inventree: InvenTree,
    tmp_path: Path,
    changes: dict[str, Any],
    says: str,
) -> None:
    for name, value in changes.items():
        setattr(inventree, name, value)
    (refused,) = receiver.send([one_shoe(tmp_path)])
    assert refused.reason == says


@pytest.mark.parametrize("page", [1, 2, 100])
def test_lists_in_pages_are_read_to_their_end(
    receiver: InvenTreeReceiver, inventree: InvenTree, tmp_path: Path, page: int
) -> None:
    inventree.page = page
    with counting(tmp_path, SHOES, SOCKS) as desk:
        scan(desk, SHOE, SOCK_L7)
        desk.close("D1", as_counted=True, back_order=False)
        assert receiver.send([closed(desk, "D1")]) == []
    assert inventree.received == [(101, 1, 10, None), (102, 1, 10, "L7")]


@pytest.mark.parametrize(
    "answer", [Reply(503), Reply(429), Reply(200, {"no": "list"}), Reply(401), Reply(400)], ids=str
)
def test_an_inventree_that_cannot_now_gets_it_later(
    receiver: InvenTreeReceiver, inventree: InvenTree, tmp_path: Path, answer: Reply
) -> None:
    entry = one_shoe(tmp_path)
    inventree.answers = [answer]
    with pytest.raises(ReceiverUnavailable):
        receiver.send([entry])
    assert receiver.send([entry]) == []
    assert inventree.received == [(101, 1, 10, None)]


ORDERS = Reply(200, [{"pk": 11, "reference": "D1"}])
ODD: list[tuple[list[Reply], str]] = [
    ([Reply(200, "orders")], "no list of objects to /order/po/"),
    ([Reply(200, {"results": 5})], "no list of objects to /order/po/"),
    ([Reply(200, {"results": [], "next": "http://inventree"})], "no list of objects"),
    ([Reply(200, [5])], "no list of objects to /order/po/"),
    ([Reply(200, [{"reference": "D1"}])], "`pk` is no number: None"),
    ([Reply(200, [{"reference": "D1", "pk": "11"}])], "`pk` is no number: '11'"),
    ([Reply(200, [{"reference": "D1", "pk": float("inf")}])], "`pk` is no number: inf"),
    ([Reply(200, [{"reference": "D1", "pk": True}])], "`pk` is no number: True"),
    ([ORDERS, Reply(200, [None])], "no list of objects to /order/po-line/"),
    ([ORDERS, Reply(200, [{"pk": 1, "part_detail": 5}])], "`part_detail` is no object: 5"),
    ([ORDERS, Reply(200, [{"pk": {}, "reference": "SH"}])], "`pk` is no number: {}"),
]


@pytest.mark.parametrize(("answers", "says"), ODD, ids=[f"{s}, {len(a)}" for a, s in ODD])
def test_an_answer_that_is_none_of_inventrees_is_said_and_nothing_is_lost(
    receiver: InvenTreeReceiver,
    inventree: InvenTree,
    tmp_path: Path,
    answers: list[Reply],
    says: str,
) -> None:
    with counting(tmp_path, SHOES) as desk:
        scan(desk, SHOE)
        desk.close("D1", as_counted=True, back_order=False)
        entry = closed(desk, "D1")
    inventree.answers = list(answers)
    with pytest.raises(ReceiverUnavailable, match=re.escape(says)):
        receiver.send([entry])
    assert receiver.send([entry]) == []
    assert inventree.received == [(101, 1, 10, None)]


def test_goods_that_inventree_refuses_are_refused_with_its_reason(
    receiver: InvenTreeReceiver, inventree: InvenTree, tmp_path: Path
) -> None:
    entry = one_shoe(tmp_path)
    inventree.answers = [
        Reply(200, [{"pk": 11, "reference": "D1"}]),
        Reply(200, inventree.lines),
        Reply(400, {"non_field_errors": ["Order is not open"]}),
    ]
    (refused,) = receiver.send([entry])
    assert "Order is not open" in refused.reason


def test_deliveries_that_are_not_there_are_refused_or_waited_for(
    receiver: InvenTreeReceiver, tmp_path: Path
) -> None:
    gone = Entry(1, "id", "delivery_closed", "2026", "door", {"delivery": "D9"})
    with pytest.raises(ReceiverUnavailable, match="file of deliveries"):
        receiver.send([gone])
    with desk_at(tmp_path) as desk:
        desk.import_goods([goods()], "goods.csv")
        (refused,) = receiver.send([gone])
    assert "the delivery D9 is not in" in refused.reason


def test_a_token_that_cannot_be_read_is_said_at_the_start(tmp_path: Path) -> None:
    settings = InvenTreeSettings(url="http://h", token_file=tmp_path / "none")
    with pytest.raises(ReceiverSetupError, match=r"publish\.inventree\.token_file"):
        InvenTreeReceiver(settings, tmp_path)
