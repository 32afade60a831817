"""What the pages know of their station: some values of its station file, as one word of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from edge.core.json_text import read_typed
from edge.outbox.retention import Keep


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningForecast:
    """What more pictures of each label would bring, by the learning curve of a training."""

    more: int
    """Pictures of each label beside those that there were."""
    gain: float
    """Of the accuracy, 0 to 1."""
    low: float
    """The ends of the gain's 95 % interval."""
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What a bundle says of itself."""

    digest: str
    accuracy: float | None = None
    """Of the int8 model on its test pictures."""
    interval: tuple[float, float] | None = None
    """95 % interval of the accuracy."""
    images: int | None = None
    verdict: str = ""
    """How good it is, in a word."""
    input_size: tuple[int, int] | None = None
    """Width and height of the pictures that it computes with."""
    forecast: LearningForecast | None = None
    """None: the bundle tells none."""
    crop: str = "region"
    """Whether it looks at the whole `region`, or at each `item`'s own box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """Something that leaves this machine, or that answers who asks from elsewhere."""

    name: str
    """The section of the station file that asks for it."""
    place: str
    """To whom, or at which address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebPlan:
    """What the pages show of a station, and where they are served."""

    station: str
    ledger: Path
    deliveries: Path
    photographs: Path
    """The folder of photographs, which need not be there."""
    accounts: Path
    lanes: Mapping[str, tuple[str, ...]]
    """The labels of each lane."""
    moving: tuple[str, ...] = ()
    """The lanes that have an actuator."""
    kept: str = "none"
    """Of which items photographs are kept: `items` of the section `photographs`."""
    share: float = 0.0
    """The share of all items of which a photograph is kept by chance."""
    kept_days: float | None = None
    """How long photographs are kept; None: none is."""
    kept_megabytes: float | None = None
    """How much they may take."""
    outbox: str | None = None
    """What the outboxes keep, as `Keep.as_json`; None: there are none."""
    taught: Path = Path("taught")
    """The folder of the pictures that are taken on the page Teach."""
    live: bool = True
    """Whether the station shows what its camera sees."""
    bundle: Path | None = None
    """Where the station file says that the bundle is; None: nowhere."""
    model: ModelFacts | None = None
    """What the bundle said of itself when the pages were started; see `SortingModel`."""
    outgoing: tuple[Outgoing, ...] = ()
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What labels and lanes are called, by language and label."""
    host: str = "127.0.0.1"
    port: int = 8040
    certificate: Path | None = None
    key: Path | None = None

    @property
    def sessions(self) -> Path:
        """The file of those who are signed in, which the pages themselves write."""
        return self.ledger.with_name(f"{self.ledger.stem}-sessions.json")

    @property
    def keep(self) -> Keep | None:
        """What the outboxes keep; None: nothing is written to them."""
        return None if self.outbox is None else Keep.from_json(self.outbox)

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label of the lanes, in their order."""
        return tuple(dict.fromkeys(label for labels in self.lanes.values() for label in labels))

    @property
    def address(self) -> str:
        """What a browser is given to open."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.certificate else ''}://{host}:{self.port}/"

    def as_json(self) -> bytes:
        """All of it, for another process."""
        return json.dumps(asdict(self), default=str).encode()

    @classmethod
    def from_json(cls, raw: bytes) -> WebPlan:
        """What `as_json` was made of."""
        return read_typed(cls, raw)
