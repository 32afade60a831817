"""Writes what is made from the program's own models and tables (`make reference`).

    python -m deploy.reference            # writes the files
    python -m deploy.reference --check    # exits 1 and names those that are not current

The pages of station files and recipes have a table for each section, with what the models say of
each key; the JSON Schema is what `pilah-edge schema` prints. The page of incidents has their table.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from edge.config.schema import schema_of, schema_text, station_schema
from edge.state.incidents.kinds import INCIDENTS, IncidentKind
from edge.state.machine import State
from trainer.recipes.plan import Recipe

DEPLOY = Path(__file__).resolve().parent
Schema = Mapping[str, Any]

_STATION = """\
# The station file

Every key that a station file may have. Where to begin: [the examples](examples/), or `pilah-edge
init`. `pilah-edge check` finds what is wrong in a file, each mistake with its line. Paths are
relative to the file. Numbers are decimal. This page is made from the program by `make reference`.
"""
_RECIPES = """\
# Recipes

Every key that a recipe, a training plan in YAML, may have. Where to begin: `pilah-trainer recipes
copy mobilenet_v2 mine.yaml`. `pilah-trainer recipes check mine.yaml` finds what is wrong in it, and
`--set phases.head.epochs=5` of `train` changes one value for one run. This page is made from the
program by `make reference`.
"""
_INCIDENTS = """\
# States, stops and incidents

## The state of a station

`pilah-edge status` shows the state that a station is in, and the ledger has a row for each change
(`state_changed` in [ledger.md](ledger.md)). The names are PackML's (ISA-TR88.00.02).

| state | what the station does | how it goes on |
|---|---|---|
| Starting | parts open, motors look for home, the trigger learns its background | by itself |
| Execute | it sorts | |
| Held | it stands for a reason of its own: a pause or an incident | `resume`, `reset`, by itself |
| Suspended | it stands for a reason outside: nothing comes, or a bin is full | by itself |
| Aborted | its emergency stop was pressed | `clear`, then it is Stopped |
| Stopped | it was ended, stopped or cleared | `reset`, then it is Idle |
| Idle | it is ready | `resume` |
| Complete | all that there was is sorted | |

In every state but Execute nothing moves for an item: what was planned is left out, and items in
view and those that come are rejected as `not_sorting`. When Execute is left, actuators go to rest:
the signal of a solenoid, a valve or a servo at once, while a stepper motor turns back, for up to 3
seconds. Only in Aborted does a motor take no step, not even as the program ends, and the keep-alive
pin stays low ([wiring.md](wiring.md)). Pause a station and let it sort on with

```sh
pilah-edge pause STATION.yaml
pilah-edge resume STATION.yaml
```

and after an emergency stop, once the button is released, with `pilah-edge clear`, `pilah-edge
reset` and `pilah-edge resume`, in this order, so that no machine starts because somebody pulled
out a button. The program only *sees* an emergency stop: the button itself must cut the actuators'
supply, whatever the program does. A station that was Aborted and is started again, by systemd or by
a person, is Aborted still, whatever its clock says by then; and it is Aborted where its ledger
cannot be read, because nobody knows then. In the same way a station that somebody paused or
stopped, or that waits for `reset` after a jam, does so after the next start, whoever started it:
after a power cut or a restart by systemd nothing moves that somebody has stopped. The log says so,
and which commands let it sort.

A station whose trigger has learned nothing 5 seconds after the time that it needs, `learn_seconds`,
is Held as `trigger_not_ready` until it has: no good pictures come. What is wrong with a camera is
known only once it has lasted; its incident and the stop began with the last good picture, since
which nothing was counted. A move that a stop ends before the middle of its `hold_seconds`, when the
item comes by, is missed as `cut_short`: the item went who knows where, and counts as not sorted.

A stop may have several causes, of which one follows from another. The first one is the reason of
the stop in `pilah-edge ledger states`, which sums up the time in each state, the stops by reason,
and how well the station ran.

## Modes: working on a machine that runs

In the mode Production a station sorts. Before somebody reaches into it, it is stopped and put into
the mode Maintenance, or Manual to set it up:

```sh
pilah-edge stop STATION.yaml
pilah-edge mode STATION.yaml maintenance
pilah-edge lane move STATION.yaml LANE
pilah-edge mode STATION.yaml production
pilah-edge reset STATION.yaml
pilah-edge resume STATION.yaml
```

In these two modes no command starts it, and its lanes are at rest but for `lane move`, which moves
one lane once, for its `hold_seconds` or `--seconds`, and never for longer than its
`max_on_seconds`. The mode may change where a station is Stopped, Idle or Aborted, and outlives the
program: a station that was in Maintenance when it ended is Stopped in Maintenance when it is
started. Motors look for no home switch then; a servo turns from its safe angle to its rest, as at
every start. A change of the mode is answered once its row is on the disk; where that takes longer
than 2 seconds, the answer says so. Where the ledger cannot be read at the next start, nobody knows
whose hands are in the machine: a station that moves anything is Stopped in Maintenance then, as the
incident `mode_unknown` says, until somebody has looked. **It is no lock**: whoever may
command the station may end the mode. Cut the supply of what could hurt somebody. Changes of the
mode and moves by hand are rows, with who asked for them. How well a station ran is counted from
its time in Production alone.

## When the camera sees nothing of use

Where a picture cannot be used, nothing is sorted by it, and where that lasts, the station is Held
until it is over, by itself. Items in view are rejected as `bad_picture` and go to the default lane.
So do those that a beam, a button or another program announced and of which there was no picture,
also while the camera was lost: each has its row.

How soon the station names it, with a network camera of 30 pictures a second (`make bench-camera`,
x86-64); nothing is taken for an item meanwhile:

| the camera | incident | named after |
|---|---|---|
| is killed | `camera_lost` | at once |
| gives damaged pictures | `camera_damaged` | 0.13 s |
| shows black | `camera_black` | 0.6 s |
| hangs: it is there and gives no pictures | `camera_lost` | 1.5 s |
| gives the same picture again and again | `camera_frozen` | 1.5 s |
| is covered, or its light is out | `camera_covered` | 1.6 s |
| looks at another scene | `camera_moved` | 1.7 s |

- `camera_covered` is what hides nearly the whole picture, or a light that is out. A hand or an item
  in a part of the picture is neither; over a belt without a pattern, only darkness is noticed. With
  the motion trigger such pictures are left out from the first second on. With the other triggers an
  item may fill the picture as if it covered the lens: for 3 seconds, and the `view_seconds` of the
  trigger, the station sorts on. Mount the camera so that the largest item leaves an edge of the
  scene free.
- `camera_moved` holds the station only where it has a `reference_picture`. Without one, the scene
  of the first seconds may have been another one, and items are sorted on. Where a camera is bumped,
  the motion trigger takes nothing of the scene that it sees then for an item, and learns that scene
  as its background. It needs something that can be recognised, in a sixth of the view or more, such
  as the frame of a machine at its edges: on a plain belt, and where `max_area` is 1, another scene
  looks like items. So it does where the camera turns slowly, for a second or longer.
- `camera_blurred` holds nothing: the scores of the items tell how much it matters.
- `camera_late` begins where pictures are older than `oldest_seconds` of the camera for half a
  second. Single ones are left out and counted. A stream does not tell when its pictures were taken:
  what it needs on its way, its `lag_seconds`, has to be measured.

`belt_stands` holds nothing either: what lies on a belt that stands is sorted when it runs again.
`encoder_silent` holds the station where two items in a row came into view and passed its middle
without a pulse: the belt runs, and what would be sent to a lane would go past it. A trigger that
tells no boxes of items, as `continuous`, tells nothing of this.
With `starved_minutes` the station is Suspended where nothing comes for long. An item for which the
coil could not be on for a whole `hold_seconds` more is missed as `cooling`, and no exit is expected
to see it. A jam is two items in a row that an exit did not see.

## When another bundle is installed

`pilah-edge install` and `rollback` tell the running station, which reads the bundle, checks its
files, its signature, its labels and a golden picture, and sorts by it from the next item on; items
in view keep the model that saw them first. `pilah-edge reload-bundle STATION.yaml` does the same
for a station that could not be told. Whoever may command the station at the machine may do it, and
nobody over MQTT. What else was changed in the station file counts from the next start on: a bundle
with a new label needs a lane for it there, and a restart.

A bundle that is refused changes nothing, and is the incident `model_refused`, whose row has the
reason. The next start would refuse it, too, and the station would not sort: `pilah-edge rollback`
brings back the one before, which ends the incident.

## Incidents

Each has a row when it begins and one when it is over, also where it ends by itself. One that is
open when the program ends is over at the next start, with nobody's name: what is still the matter
by then begins anew.

A station that cannot be started, as a pin or its camera cannot be opened, its bundle is gone, or
another station needs what it needs, has the incident `start_failed` with the reason as its `cause`,
and is Stopped for it until it is started; `pilah-edge status` and the page Health say so, too. The
service tries to start it every few seconds: as long as that fails for the same reason, no row is
added. That the ledger itself cannot be opened, or that the station file is wrong in itself, is in
the log alone.

The first column is the `name` that the rows have; those with a kind of event of their own are
named by that. This page is made from the program by `make reference`.

"""


def pages() -> dict[Path, str]:
    """The text of each file that is made from the models."""
    return {
        DEPLOY / "examples" / "station.schema.json": schema_text(),
        DEPLOY / "station-file.md": page(_STATION, station_schema()),
        DEPLOY / "recipes.md": page(_RECIPES, schema_of(Recipe, "Recipe of pilah")),
        DEPLOY / "incidents.md": _INCIDENTS + incident_table(INCIDENTS.values()),
    }


def incident_table(kinds: Iterable[IncidentKind]) -> str:
    """A Markdown table of the kinds of incidents."""
    rows = [
        "| incident | of | what is the matter | what to do | what ends it | the station is |",
        "|---|---|---|---|---|---|",
    ]
    for kind in kinds:
        stop = kind.stands or kind.stop or State.EXECUTE
        cause = kind.cause.replace("{scope}", "NAME")
        rows.append(
            f"| `{kind.name}` | {kind.scope} | {cause} | {kind.what_to_do} | {kind.ends} | {stop} |"
        )
    return "\n".join(rows) + "\n"


def page(head: str, schema: Schema) -> str:
    """A Markdown page with a table for the whole file, and one for each section in it."""
    names = dict[str, str]()
    for reference, name in _sections(schema, schema, ""):
        names.setdefault(reference, name)  # a section that stands in two places is shown once
    parts = [f"{head}\n## The whole file\n\n{_table(schema, schema, names)}"]
    for reference, name in names.items():
        section = _inner(schema, reference)
        parts.append(f"## {name}\n\n{_first(section)}\n\n{_table(schema, section, names)}")
    return "\n".join(parts)


def _sections(schema: Schema, section: Schema, name: str) -> Iterator[tuple[str, str]]:
    """The reference and the name of each section in `section`, in their order."""
    for key, value in section["properties"].items():
        for place, reference in _references(value, f"{name}.{key}".lstrip(".")):
            inner = _inner(schema, reference)
            kind = inner["properties"].get("kind", {}).get("const")
            yield reference, (title := place if kind is None else f"{place}: {kind}")
            yield from _sections(schema, inner, title)


def _inner(schema: Schema, reference: str) -> Schema:
    found: Schema = schema["definitions"][reference.rpartition("/")[2]]
    return found


def _first(section: Schema) -> str:
    """The first paragraph of a model's docstring, which says what the section is."""
    text: str = section["description"]
    return text.partition("\n\n")[0].replace("\n", " ")


def _references(value: Schema, place: str) -> Iterator[tuple[str, str]]:
    """The place and the reference of each section that a value may be or hold."""
    if "$ref" in value:
        yield place, value["$ref"]
    for one in value.get("oneOf", ()):
        yield from _references(one, place)
    if isinstance(value.get("additionalProperties"), Mapping):
        yield from _references(value["additionalProperties"], f"{place}.NAME")
    if "items" in value:
        yield from _references(value["items"], f"{place}[]")


def _table(schema: Schema, section: Schema, names: Mapping[str, str]) -> str:
    rows = ["| key | value | without it | what it means |", "|---|---|---|---|"]
    for key, value in section["properties"].items():
        if key in section.get("required", ()):
            without = "**required**"
        elif value.get("default", "") != "":
            without = f"`{_yaml(value['default'])}`"
        else:
            without = ""
        about = value.get("description") or _first(_inner(schema, value["$ref"]))
        cells = (f"`{key}`", _kind(value, names), without, about)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def _kind(value: Schema, names: Mapping[str, str]) -> str:
    """What a value may be, in words."""
    if "$ref" in value:
        name = names[value["$ref"]]
        return f"[{name}](#{_anchor(name)})"
    if choices := value.get("oneOf", value.get("anyOf")):
        return " or ".join(_kind(choice, names) for choice in choices)
    if "const" in value:
        return f"`{_yaml(value['const'])}`"
    if "enum" in value:
        return ", ".join(f"`{_yaml(choice)}`" for choice in value["enum"])
    match value.get("type"):
        case "array":
            return f"a list: {_kind(value['items'], names)}"
        case "object":
            held = value["additionalProperties"]
            return f"`NAME:` {_kind(held, names)}" if isinstance(held, Mapping) else "`KEY: value`"
        case "integer" | "number" as kind:
            return f"{'whole number' if kind == 'integer' else 'number'}{_bounds(value)}"
        case "boolean":
            return "`true` or `false`"
        case "string":
            return "path" if value.get("format") == "path" else _text(value)
    return "any value"


def _text(value: Schema) -> str:
    return f"text that matches `{value['pattern']}`" if "pattern" in value else "text"


def _bounds(value: Schema) -> str:
    words = {
        "minimum": " from {}",
        "exclusiveMinimum": " above {}",
        "maximum": " to {}",
        "exclusiveMaximum": " below {}",
        "multipleOf": ", a multiple of {}",
    }
    return "".join(text.format(_yaml(value[key])) for key, text in words.items() if key in value)


def _yaml(value: object) -> str:
    """A single value as it stands in YAML."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _anchor(heading: str) -> str:
    """The anchor that GitHub gives to a heading."""
    kept = "".join(c for c in heading.lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the reference pages and the JSON Schema.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if not current")
    check = parser.parse_args().check
    old = {
        path: text
        for path, text in pages().items()
        if not path.exists() or path.read_text("utf-8") != text
    }
    for path, text in old.items():
        if not check:
            path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(DEPLOY.parent)}: {'not current' if check else 'written'}")
    return 1 if check and old else 0


if __name__ == "__main__":
    sys.exit(main())
