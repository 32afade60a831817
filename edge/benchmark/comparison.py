"""Compares a benchmark with an earlier one that was written with `--json`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.core.errors import UsageError
from edge.core.files import read_regular
from edge.core.terminal.wording import number_of

_LARGEST = 64 * 2**20
_COMPARED = ("invoke", "total")
_OF_STATIONS = ("capture_to_verdict", "verdict_to_pin")


@dataclass(frozen=True, slots=True)
class Change:
    """A figure of one stage, then and now."""

    what: str
    """The bundle, the threads, the stage, and the figure where it is not the median."""
    before_ms: float
    now_ms: float
    limited: bool = True
    """Whether `--fail-over` counts for it. The 99th percentile of a few hundred times differs by
    more than a limit from one run to the next."""

    @property
    def percent(self) -> float:
        """How much longer it takes now, as a percentage of before; negative: it is faster."""
        return 100 * (self.now_ms / self.before_ms - 1)

    def __str__(self) -> str:
        return f"{self.what}: {self.before_ms:.3f} -> {self.now_ms:.3f} ms ({self.percent:+.1f} %)"


def read_series(file: Path) -> Mapping[str, Any]:
    """What `pilah-edge bench --json` printed into `file`.

    Raises:
        UsageError: the file cannot be read, or has something else.
    """
    try:
        found = json.loads(read_regular(file, largest=_LARGEST))
        measurements = found["measurements"]
        for each in measurements:
            for stage in _COMPARED:
                if not float(each["stages"][stage]["p50_ms"]) > 0:
                    raise ValueError(f"{stage} took no time")
            str(each["bundle"]), int(each["threads"])
        for each in found.get("stations", ()):
            for way in _OF_STATIONS:
                for figure in ("p50_ms", "p99_ms"):
                    if not float(each[way][figure]) > 0:
                        raise ValueError(f"{way} took no time")
            str(each["bundle"])
        str(found["frame"])
    except OSError as error:
        raise UsageError(f"--compare {file}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"--compare {file}: is no benchmark: give a file that `pilah-edge bench --json` wrote "
            f"({type(error).__name__}: {error})"
        ) from error
    if not all("trigger" in each["stages"] for each in measurements):
        raise UsageError(
            f"--compare {file}: was measured by an earlier pilah, when the time from frame to "
            "verdict did not include the trigger: measure it again"
        )
    return dict(found)


def check_comparable(
    before: Mapping[str, Any], *, pixels: str, keys: Collection[tuple[str, int]]
) -> None:
    """Passes a measurement that can be compared with an earlier one; asked before it is made.

    Args:
        before: the earlier one.
        pixels: the size of the frame, such as 640x480.
        keys: what is to be measured: the title of each bundle and the number of threads.

    Raises:
        UsageError: the frames have other sizes, or nothing of it was measured then.
    """
    if before["frame"] != pixels:
        raise UsageError(
            f"--compare: those frames had {before['frame']} pixels, these have {pixels}: measure "
            "with the same picture (--image)"
        )
    earlier = {_key(each) for each in before["measurements"]}
    if not earlier & {(_name(title), threads) for title, threads in keys}:
        had = ", ".join(
            f"{name} with {number_of(threads, 'threads')}" for name, threads in sorted(earlier)
        )
        raise UsageError(f"--compare: nothing of this was measured then; there is {had or 'none'}")


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What else differs, besides time: sentences that a comparison must come with."""
    found = []
    if (then := before.get("machine", {}).get("model")) != now["machine"]["model"]:
        found.append(f"that was another machine ({then}), not this one ({now['machine']['model']})")
    if (kind := before.get("trigger")) != now["trigger"]:
        found.append(f"the trigger was of the kind {kind}, and is {now['trigger']}")
    earlier = {_key(each): each for each in before["measurements"]}
    for each in now["measurements"]:
        old = earlier.get(_key(each))
        for what in ("runtime", "xnnpack"):
            if old is not None and old.get(what) != each[what]:
                found.append(f"{each['bundle']}: {what} was {old.get(what)}, and is {each[what]}")
    return list(dict.fromkeys(found))


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    """The change of each measurement that is in both: of the same bundle with as many threads, and
    of a whole station with it.

    A bundle is known by its name without its version, so that a newer one can be compared.
    """
    earlier = {_key(each): each for each in before["measurements"]}
    for each in (each for each in now["measurements"] if _key(each) in earlier):
        for stage in _COMPARED:
            yield Change(
                f"{each['bundle']}, {number_of(int(each['threads']), 'threads')}, {stage}",
                float(earlier[_key(each)]["stages"][stage]["p50_ms"]),
                float(each["stages"][stage]["p50_ms"]),
            )
    stations = {_name(str(each["bundle"])): each for each in before.get("stations", ())}
    for each in now.get("stations", ()):
        old = stations.get(_name(str(each["bundle"])))
        if old is None:
            continue
        for way in _OF_STATIONS:
            what = f"{each['bundle']}, a whole station, {way.replace('_', ' ')}"
            yield Change(what, float(old[way]["p50_ms"]), float(each[way]["p50_ms"]))
            before_ms, now_ms = float(old[way]["p99_ms"]), float(each[way]["p99_ms"])
            yield Change(f"{what}, p99", before_ms, now_ms, limited=False)


def not_compared(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What was measured then and not now, each as a sentence: no limit can hold for it."""
    measured = {_key(each) for each in now["measurements"]}
    found = [
        f"{name} with {number_of(threads, 'threads')} was measured then, and is not now"
        for name, threads in (_key(each) for each in before["measurements"])
        if (name, threads) not in measured
    ]
    stations = {_name(str(each["bundle"])) for each in now.get("stations", ())}
    return found + [
        f"{name} as a whole station was measured then, and is not now"
        for name in (_name(str(each["bundle"])) for each in before.get("stations", ()))
        if name not in stations
    ]


def _key(measurement: Mapping[str, Any]) -> tuple[str, int]:
    return _name(str(measurement["bundle"])), int(measurement["threads"])


def _name(title: str) -> str:
    """The name of a bundle, of its title `NAME VERSION`."""
    return title.partition(" ")[0]
