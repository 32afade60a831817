"""What a simulated run comes to: as JSON, and as lines for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from edge.core.model.metrics import Share
from edge.ledger.reports.oee import AuditedPurity, Effectiveness
from edge.ledger.reports.reading import StateReport
from edge.simulation.account.account import NO_VERDICT, REJECTED, Account
from edge.simulation.account.lane_figures import LaneFigures, lane_figures, share_json
from edge.simulation.account.spread import Spread
from edge.sorting.tally import counts_text

_MOST_COLUMNS = 8
"""Labels up to which the confusion matrix is printed."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What was simulated."""

    station: str
    bundle: str
    world: str
    items: str
    """Where the items are from: `drawn`, or the path of the photographs."""
    seed: int
    rate: float | None
    """The items a second that were asked for; None: as the station file has it."""
    labels: tuple[str, ...]
    """The bundle's labels."""
    metres_per_second: float | None
    faults: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    """Sections of the station file that were left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What a run comes to. All but `machine` is the same in every run with the same setting."""

    setting: Setting
    account: Account
    virtual_seconds: float
    frames: Mapping[str, int]
    """How many were looked at, were dropped, or showed an object that no other did."""
    frame_age_ms: Spread
    missed: Mapping[str, int]
    """Actuations that were left out, by reason."""
    machine: Mapping[str, Any]
    stopped: bool = False
    """Whether it was stopped before its last item."""
    states: StateReport | None = None
    """The states of the station; None: they are not known."""
    incidents: Sequence[Mapping[str, Any]] = ()
    """Those that have no events of their own, each with its `name`, `scope`, `begin` (seconds since
    the run began) and `seconds` (None: it was open at the end)."""

    @property
    def lanes(self) -> dict[str, LaneFigures]:
        """The figures of each lane, and of the end of the belt if anything fell there."""
        labels: dict[str, Sequence[str]] = {
            name: place.labels for name, place in self.account.places.items()
        }
        for _, lane in self.account.fallen:
            labels.setdefault(lane, ())
        return lane_figures(self.account.fallen, labels)

    @property
    def purity(self) -> Share:
        """Of what is in the lanes with labels, what belongs there; with the rejects, if the default
        lane has labels."""
        shares = [lane.purity for lane in self.lanes.values()]
        return Share(sum(s.count for s in shares), sum(s.total for s in shares))

    @property
    def purity_of_accepted(self) -> Share:
        """Of the accepted items that were moved into their lane, those that belong there."""
        return Share(self.account.right, self.account.sorted)

    @property
    def recovery(self) -> Share:
        """Of what belongs into a lane, what is in it."""
        shares = [lane.recovery for lane in self.lanes.values()]
        return Share(sum(s.count for s in shares), sum(s.total for s in shares))

    @property
    def items_per_second(self) -> float | None:
        """How fast items came, by their own clock; None of fewer than two."""
        account = self.account
        seconds = account.last_entered - account.first_entered
        return (account.items - 1) / seconds if seconds > 0 else None

    @property
    def landing_mm(self) -> Spread | None:
        """The landing error in millimetres; None if the speed of the items is not known."""
        speed = self.setting.metres_per_second
        return None if speed is None else self.account.landing_ms.scaled(speed)

    @property
    def late(self) -> int:
        """Items whose verdict came too late, or whose actuator was not moved in time."""
        return self.account.rejects["late"] + self.missed.get("overdue", 0)

    @property
    def verdicts(self) -> dict[str, int]:
        """Items by how many verdicts they got, and verdicts that are no item's, or not written."""
        account = self.account
        return {
            "one": account.verdicts[1],
            "none": account.verdicts[0],
            "several": sum(n for count, n in account.verdicts.items() if count > 1),
            "without_item": account.strays,
            "unwritten": account.unwritten,
        }

    @property
    def effectiveness(self) -> Effectiveness | None:
        """How well the station ran, as if all that it sorted was audited; None: it is not known."""
        if self.states is None or not self.states.spans:
            return None
        audited = AuditedPurity(self.account.sorted, self.account.right)
        return replace(self.states.effectiveness, quality=audited)

    def _states_json(self) -> dict[str, Any] | None:
        found, states = self.effectiveness, self.states
        if found is None or states is None:
            return None
        return {
            "oee": found.oee,
            "oee_interval": found.oee_interval,
            "availability": found.availability,
            "performance": found.performance,
            "ideal_items_per_minute": 60 * (found.ideal_rate or 0),
            "seconds": {state: seconds for (state, _), seconds in states.seconds.items()},
            "stops": [
                {
                    "begin": (stop.begin - states.begin) / 1e6,
                    "seconds": stop.length / 1e6,
                    "reason": stop.reason,
                    "scope": stop.scope,
                    "states": list(stop.states),
                }
                for stop in states.stops
            ],
            "pareto": [
                {"reason": line.reason, "stops": line.stops, "seconds": line.length / 1e6}
                for line in states.pareto
            ],
        }

    def state_lines(self) -> list[str]:
        """The OEE and the stops, as lines; none if they are not known."""
        found, states = self.effectiveness, self.states
        if found is None or states is None:
            return []
        words = "not known" if found.oee is None else f"{found.oee:.1%}"
        if found.oee_interval is not None:
            words += f" ({found.oee_interval[0]:.1%} to {found.oee_interval[1]:.1%})"
        factors = {
            "availability": found.availability,
            "performance": found.performance,
            "quality": found.quality.share,
        }
        shares = ", ".join(
            f"{name} {'not known' if share is None else f'{share:.1%}'}"
            for name, share in factors.items()
        )
        if found.ideal_rate:
            best = 60 * found.ideal_rate
            said = f"{best:,.0f}" if best >= 1000 else f"{best:.4g}"
            shares += f"; at the best {said} items a minute"
        stops = [
            f"stops      {line.stops} of {line.reason}, {line.length / 1e6:,.1f} s"
            for line in states.pareto
        ]
        names = Counter(one["name"] for one in self.incidents)
        known = [f"incidents  {counts_text(names)}"] if names else []
        return [f"OEE        {words}: {shares}", *stops, *known]

    def times(self) -> list[tuple[str, Spread, str, str]]:
        """(name, values, unit, meaning) of everything whose time is measured."""
        account, metres = self.account, self.landing_mm
        landing = "from the right moment for the item to the actuator's move"
        return [
            ("landing error", account.landing_ms.magnitudes(), "ms", landing),
            (
                "landing error",
                Spread() if metres is None else metres.magnitudes(),
                "mm",
                "the same along the belt",
            ),
            ("pin after plan", account.after_plan_ms, "ms", "from the planned moment to the pin"),
            ("frame age", self.frame_age_ms, "ms", "from capture to the station's look at it"),
            ("verdict", account.verdict_ms, "ms", "from the capture of the last frame"),
            ("view to verdict", account.view_to_verdict_ms, "ms", "from an item's first pixel"),
            ("view to move", account.view_to_move_ms, "ms", "to a lane that moves at once"),
        ]

    def to_json(self) -> dict[str, Any]:
        """The whole report."""
        account, setting = self.account, self.setting
        landing_mm = self.landing_mm
        return {
            "station": setting.station,
            "bundle": setting.bundle,
            "world": setting.world,
            "items_from": setting.items,
            "seed": setting.seed,
            "faults": list(setting.faults),
            "left_out": list(setting.left_out),
            "stopped": self.stopped,
            "items": account.items,
            "seconds": round(self.virtual_seconds, 3),
            "rate_asked": setting.rate,
            "items_per_second": _rounded(self.items_per_second),
            "metres_per_second": setting.metres_per_second,
            **share_json("purity", self.purity),
            **share_json("purity_of_accepted", self.purity_of_accepted),
            **share_json("recovery", self.recovery),
            "lanes": {name: lane.to_json() for name, lane in self.lanes.items()},
            "confusion": self.confusion(),
            "verdicts": self.verdicts,
            "rejects": dict(sorted(account.rejects.items())),
            "late": self.late,
            "missed": dict(sorted(self.missed.items())),
            "frames": dict(self.frames),
            "landing_ms": account.landing_ms.magnitudes().to_json(),
            "landing_bias_ms": account.landing_ms.percentile(50),
            "landing_mm": None if landing_mm is None else landing_mm.magnitudes().to_json(),
            "frame_age_ms": self.frame_age_ms.to_json(),
            "capture_to_verdict_ms": account.verdict_ms.to_json(),
            "view_to_verdict_ms": account.view_to_verdict_ms.to_json(),
            "view_to_move_ms": account.view_to_move_ms.to_json(),
            "pin_after_plan_ms": account.after_plan_ms.to_json(),
            "state": self._states_json(),
            "incidents": [dict(one) for one in self.incidents],
            "machine": dict(self.machine),
        }

    def confusion(self) -> dict[str, dict[str, int]]:
        """By true label: the number of items by what the station accepted them as."""
        said = sorted({into for _, into in self.account.confusion} - {REJECTED, NO_VERDICT})
        columns = [*dict.fromkeys([*self.setting.labels, *said]), REJECTED, NO_VERDICT]
        true = sorted({label for label, _ in self.account.confusion})
        return {
            label: {column: self.account.confusion[label, column] for column in columns}
            for label in true
        }

    def lines(self) -> list[str]:
        """The report as lines for a terminal."""
        account, setting = self.account, self.setting
        rate = self.items_per_second
        verdicts = self.verdicts
        lines = [
            f"{setting.station} with {setting.bundle}: a simulated {setting.world}, "
            f"{setting.items} items, seed {setting.seed}",
            f"items      {account.items} in {self.virtual_seconds:,.1f} s by their own clock"
            + (f", {rate:.2f} a second" if rate is not None else ""),
            *([f"faults     {', '.join(setting.faults)}"] if setting.faults else []),
            f"purity     {self.purity}, of what is in the lanes",
            f"accepted   {self.purity_of_accepted}, of what was accepted and moved",
            f"recovery   {self.recovery}, of what belongs there",
            "verdicts   "
            + f"{verdicts['one']} items got one, {verdicts['none']} none, "
            + f"{verdicts['several']} several; {verdicts['without_item']} verdicts for no item",
            f"rejects    {counts_text(account.rejects)}",
            f"late       {self.late}",
            *([f"missed     {counts_text(self.missed)}"] if self.missed else []),
            *self.state_lines(),
            f"frames     {', '.join(f'{n} {what}' for what, n in self.frames.items())}",
            "",
            *self._lane_lines(),
            "",
            *self._confusion_lines(),
            "",
            *self._time_lines(),
        ]
        if self.stopped:
            lines.append("STOPPED    before the last item had passed")
        return lines

    def _lane_lines(self) -> list[str]:
        wide = max(len("lane"), *map(len, self.lanes))
        lines = [f"{'lane':<{wide}} {'items':>7} {'purity':>11} {'recovery':>11}  what is in it"]
        for name, lane in self.lanes.items():
            items = sum(lane.found.values())
            lines.append(
                f"{name:<{wide}} {items:>7} {lane.purity.short:>11} {lane.recovery.short:>11}  "
                f"{counts_text(lane.found)}"
            )
        return lines

    def _confusion_lines(self) -> list[str]:
        matrix = self.confusion()
        if not matrix or len(self.setting.labels) > _MOST_COLUMNS:
            return []
        columns = list(next(iter(matrix.values())))
        corner = "is, accepted as"
        wide = max(len(corner), *map(len, matrix))
        head = " ".join(f"{column:>{max(6, len(column))}}" for column in columns)
        lines = [f"{corner:<{wide}} {head}"]
        for label, row in matrix.items():
            cells = " ".join(f"{row[c]:>{max(6, len(c))}}" for c in columns)
            lines.append(f"{label:<{wide}} {cells}")
        return lines

    def _time_lines(self) -> list[str]:
        lines = [f"{'':<16} {'p50':>9} {'p95':>9} {'p99':>9} {'max':>9}"]
        for name, spread, unit, meaning in self.times():
            if len(spread):
                cells = " ".join(f"{spread.percentile(p):>9.2f}" for p in (50, 95, 99, 100))
                lines.append(f"{name:<16} {cells} {unit}  {meaning}")
        lines.append("By the clock of the simulation, on which computing takes no time.")
        lines.append(f"On this machine: {self.machine['seconds']:.1f} s; {self.machine_words}")
        return lines

    @property
    def machine_words(self) -> str:
        """How long the trigger and the model took on this machine, at the median."""
        trigger, model = (self.machine[name]["p50"] for name in ("trigger_ms", "model_ms"))
        a_frame = f"trigger p50 {trigger} ms a frame" if trigger is not None else "no trigger ran"
        a_model = f"model p50 {model} ms an inference" if model is not None else "no model ran"
        return f"{a_frame}, {a_model}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
