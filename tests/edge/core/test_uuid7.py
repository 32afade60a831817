from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import pytest

from edge.core.uuid7 import LATEST, UUID7Source, derived_uuid7, uuid7_seconds, uuid7_text


def at(*moments: float) -> Callable[[], float]:
    """A time of day that is each of `moments` once, and then stays."""
    left = list(moments)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def milliseconds(text: str) -> int:
    return uuid.UUID(text).int >> 80


def test_the_layout_is_that_of_the_example_in_rfc_9562() -> None:
    """Appendix A.6: 22 February 2022, 19:22:22.000 UTC."""
    text = uuid7_text(0x017F22E279B0, 0xCC3, 0x18C4DC0C0C07398F)
    assert text == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@pytest.mark.parametrize("moment", [0, 1, 1_795_302_276_123, LATEST])
@pytest.mark.parametrize(("rand_a", "rand_b"), [(0, 0), (2**12 - 1, 2**62 - 1)])
def test_every_identifier_has_version_and_variant(moment: int, rand_a: int, rand_b: int) -> None:
    found = uuid.UUID(uuid7_text(moment, rand_a, rand_b))
    assert (found.version, found.variant) == (7, uuid.RFC_4122)
    assert found.int >> 80 == moment


@pytest.mark.parametrize(("moment", "told"), [(-5, 0), (LATEST + 5, LATEST)])
def test_a_time_that_has_no_place_is_the_nearest_that_has(moment: int, told: int) -> None:
    assert milliseconds(uuid7_text(moment, 0, 0)) == told


def test_they_tell_the_time_of_day_and_count_within_a_millisecond() -> None:
    new_id = UUID7Source(at(5.0, 5.0004, 5.0009, 5.0011))
    found = [new_id() for _ in range(4)]
    assert [milliseconds(text) for text in found] == [5000, 5000, 5000, 5001]
    assert [text[15:18] for text in found] == ["000", "001", "002", "000"]


@pytest.mark.parametrize(
    "moments",
    [[7.0], [7.0, 6.0, 5.0], [7.0, 3.0, 8.0], [-1.0, -2.0]],
    ids=["stands still", "goes back", "goes back and on", "is before 1970"],
)
def test_each_is_later_than_the_one_before_whatever_the_time_of_day_does(
    moments: list[float],
) -> None:
    new_id = UUID7Source(at(*moments))
    found = [new_id() for _ in range(5000)]  # more than a millisecond has room for
    assert found == sorted(set(found))
    assert all(uuid.UUID(text).version == 7 for text in found[::500])


@pytest.mark.parametrize("number", [1, 4096, 4097])  # of the last one in its millisecond
def test_those_of_a_later_run_follow_though_the_clock_was_set_back(number: int) -> None:
    first = UUID7Source(lambda: 2000.0)
    last = [first() for _ in range(number)][-1]
    later = UUID7Source(lambda: 1000.0, after=last)
    assert last < later() < later()
    assert uuid7_seconds(UUID7Source(lambda: 3000.0, after=last)()) == 3000


@pytest.mark.parametrize("text", ["", "none", "ffffffff-ffff-4fff-bfff-ffffffffffff"])
def test_what_is_no_identifier_of_version_7_is_not_followed(text: str) -> None:
    assert uuid7_seconds(UUID7Source(lambda: 1000.0, after=text)()) == 1000


def test_two_stations_that_start_at_once_give_different_ones() -> None:
    first, second = UUID7Source(lambda: 7.0), UUID7Source(lambda: 7.0)
    assert {first() for _ in range(100)}.isdisjoint({second() for _ in range(100)})


def test_threads_get_each_one_once() -> None:
    new_id, found = UUID7Source(lambda: 7.0), list[list[str]]()

    def work() -> None:
        found.append([new_id() for _ in range(2000)])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({text for mine in found for text in mine}) == 8000
    assert all(mine == sorted(mine) for mine in found)


def test_what_follows_from_something_has_always_the_same_identifier_of_its_own() -> None:
    source = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
    found = {name: derived_uuid7(source, name) for name in ("incident", "correction")}
    assert len({source, *found.values()}) == 3
    assert (
        found["incident"]
        == derived_uuid7(source, "incident")
        != derived_uuid7(source.replace("98c4", "98c5"), "incident")
    )
    for text in found.values():
        assert text[:18] == source[:18]  # of the same millisecond, and the same place in it
        assert (uuid.UUID(text).version, uuid.UUID(text).variant) == (7, uuid.RFC_4122)
        assert uuid7_seconds(text) == uuid7_seconds(source) == 1_645_557_742.0
