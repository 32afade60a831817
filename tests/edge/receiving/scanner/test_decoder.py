from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.receiving.code import check_digit
from edge.receiving.scanner.decoder import InputEvent, ScanDecoder, split
from tests.benchmarks.code_scenes import ean13
from tests.edge.receiving.scanner.typing_scanner import LINE_ENDS, TypingScanner

GTIN = "4006381333931"
OTHER = "5901234123457"


def decoded(decoder: ScanDecoder, events: Sequence[InputEvent]) -> list[str]:
    """The codes of some events, and of the silence after them."""
    return [
        scan.text
        for scans in (*(decoder.feed(event) for event in events), decoder.end())
        for scan in scans
    ]


@pytest.mark.parametrize("end", [*LINE_ENDS, ""], ids=[*LINE_ENDS.values(), "none"])
@pytest.mark.parametrize("text", [GTIN, "aB-9/ x~|\\\"'{", "]C101", "01\x1d10L7"])
def test_whatever_ends_a_code_it_is_read_once(text: str, end: str) -> None:
    scanner = TypingScanner()
    scanner.type(text + end)
    assert decoded(ScanDecoder(), scanner.events) == [text]


def test_a_code_without_an_end_ends_with_the_silence_after_it() -> None:
    scanner = TypingScanner()
    scanner.type(GTIN)
    scanner.wait(0.061)
    scanner.type(OTHER)
    assert decoded(ScanDecoder(), scanner.events) == [GTIN, OTHER]


@pytest.mark.parametrize(
    ("pause", "repeat", "expected"),
    [(0.1, 0.4, [GTIN]), (0.5, 0.4, [GTIN, GTIN]), (0.1, 0.0, [GTIN, GTIN])],
)
def test_the_same_code_soon_after_is_the_same_scan(
    pause: float, repeat: float, expected: list[str]
) -> None:
    scanner = TypingScanner()
    scanner.type(GTIN + "\r")
    scanner.wait(pause)
    scanner.type(GTIN + "\r")
    decoder = ScanDecoder(repeat_seconds=repeat)
    assert decoded(decoder, scanner.events) == expected
    assert decoder.counts.repeats == 2 - len(expected)


def test_another_code_between_makes_the_same_one_count_again() -> None:
    scanner = TypingScanner()
    for text in (GTIN, OTHER, GTIN):
        scanner.type(text + "\r")
    assert decoded(ScanDecoder(), scanner.events) == [GTIN, OTHER, GTIN]


def test_a_character_typed_by_its_number_is_that_character() -> None:
    scanner = TypingScanner()
    scanner.type("01")
    scanner.type_by_number("\x1d")
    scanner.type("10L7\r")
    assert decoded(ScanDecoder(), scanner.events) == ["01\x1d10L7"]


@pytest.mark.parametrize("end", ["\r", "\n", "\t"], ids=repr)
def test_a_line_end_typed_by_its_number_ends_a_code(end: str) -> None:
    scanner = TypingScanner()
    for text in (GTIN, OTHER):
        scanner.type(text)
        scanner.type_by_number(end)
    assert decoded(ScanDecoder(), scanner.events) == [GTIN, OTHER]


def test_a_held_key_that_repeats_itself_types_once() -> None:
    scanner = TypingScanner()
    scanner.type("7")
    repeated = [event._replace(value=2) for event in scanner.events if event.value == 1]
    assert decoded(ScanDecoder(), [scanner.events[0], *repeated, *scanner.events[1:]]) == ["7"]


def test_capitals_are_those_of_caps_lock_and_shift() -> None:
    scanner = TypingScanner()
    scanner.press(58)
    scanner.type("aB1!")
    scanner.press(58)
    scanner.type("a\r")
    assert decoded(ScanDecoder(), scanner.events) == ["Ab1!a"]


def test_a_code_of_which_keys_were_lost_does_not_count_and_the_next_one_does() -> None:
    scanner = TypingScanner()
    scanner.type(GTIN[:6])
    scanner.events.append(InputEvent(scanner.seconds, 0, 3, 0))
    scanner.type(GTIN[8:] + "\r")
    scanner.type(OTHER + "\r")
    decoder = ScanDecoder()
    assert decoded(decoder, scanner.events) == [OTHER]
    assert decoder.counts.broken == 1


@pytest.mark.parametrize(("length", "count"), [(128, 1), (129, 0)])
def test_a_code_that_is_too_long_does_not_count(length: int, count: int) -> None:
    scanner = TypingScanner()
    scanner.type("x" * length + "\r")
    decoder = ScanDecoder()
    assert len(decoded(decoder, scanner.events)) == count
    assert decoder.counts.too_long == 1 - count


# Codes that run together


@pytest.mark.parametrize(
    ("text", "lengths", "parts"),
    [
        (GTIN + OTHER, [13], [GTIN, OTHER]),
        (GTIN * 3, [13], [GTIN] * 3),
        (GTIN + OTHER, [], [GTIN + OTHER]),
        (GTIN + "96385074", [13, 8], [GTIN, "96385074"]),
        (GTIN, [13], [GTIN]),
        # left whole: a check digit is wrong, there is a rest, it is no number
        (GTIN + "5901234123458", [13], [GTIN + "5901234123458"]),
        (GTIN + "5", [13], [GTIN + "5"]),
        (GTIN + "LOT7", [13], [GTIN + "LOT7"]),
        # left whole: there is more than one way to divide it
        ("0" * 40, [8, 12, 20], ["0" * 40]),
    ],
)
def test_codes_that_ran_together_are_divided_where_there_is_one_way(
    text: str, lengths: list[int], parts: list[str]
) -> None:
    assert split(text, lengths) == parts


@given(st.lists(st.integers(0, 10**12 - 1), min_size=1, max_size=8))
def test_codes_of_one_length_that_ran_together_are_always_divided(numbers: list[int]) -> None:
    codes = [digits + check_digit(digits) for digits in (f"{number:012}" for number in numbers)]
    assert split("".join(codes), [13]) == codes


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40),
            st.sampled_from([*LINE_ENDS, ""]),
            st.floats(0.0005, 0.02),
        ),
        max_size=12,
    )
)
def test_any_codes_with_a_pause_between_are_read_as_they_are(
    codes: list[tuple[str, str, float]],
) -> None:
    scanner = TypingScanner()
    for text, end, seconds in codes:
        scanner.type(text + end, seconds_per_key=seconds)
        scanner.wait(0.5)
    assert decoded(ScanDecoder(), scanner.events) == [text for text, _, _ in codes]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 800), st.integers(-1, 3))))
def test_no_events_at_all_break_it(events: list[tuple[int, int, int]]) -> None:
    decoder = ScanDecoder(lengths=[13])
    decoded(decoder, [InputEvent(i * 0.01, *event) for i, event in enumerate(events)])
    assert not decoder.waiting


def faulty_scans(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Codes, and what the scanner does to each: doubles it, drops its line end, runs on."""
    generator = np.random.default_rng(seed)
    last = ""
    for _ in range(count):
        while (text := ean13(generator)) == last:
            pass
        last = text
        yield text, str(generator.choice(["good", "doubled", "no end", "runs on", "all of it"]))


def test_10000_scans_of_a_faulty_scanner_are_counted_once_each() -> None:
    scanner, truth = TypingScanner(), []
    for text, fault in faulty_scans(10_000, 20261129):
        truth.append(text)
        if fault == "all of it":  # twice, without a pause or an end, and on into the next
            scanner.type(text + text)
        elif fault == "runs on":
            scanner.type(text)
        else:
            scanner.type(text + ("" if fault == "no end" else "\r\n"))
            if fault == "doubled":
                scanner.wait(0.15)
                scanner.type(text + "\r\n")
            scanner.wait(0.07)
        if len(truth) % 4 == 0:  # a code has at most 128 characters, and so have many in a row
            scanner.wait(0.07)
    decoder = ScanDecoder(lengths=[13])
    assert decoded(decoder, scanner.events) == truth
    assert decoder.counts.scans == len(truth)
    assert decoder.counts.repeats > 3000
