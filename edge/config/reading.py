"""Reads a station file: the whole of it, or the parts that a command needs.

`read_station` reads all of it and the bundle that it names, `read_config` the file alone, and
`read_part` some of its sections. `deploy/examples/` has files to start from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from edge.config.checks import (
    bin_problems,
    box_problems,
    distance_problems,
    label_problems,
    pins_used_twice,
    receiving_problems,
    reference_problems,
    region_problems,
    stop_problems,
)
from edge.config.station import (
    ActuationConfig,
    ReceivingConfig,
    ScannerConfig,
    StationConfig,
    StationPart,
    VisionConfig,
)
from edge.config.trust import pinned_keys
from edge.config.version import migrate
from edge.config.warnings import station_warnings
from edge.core.errors import BundleError, BundleMissingError, StorageError
from edge.core.files import may_come_back
from edge.core.model.bundle import Bundle, read_bundle
from edge.core.model.signature import PublicKey
from edge.core.yaml_file import YamlFile
from edge.core.yaml_messages import FileProblem
from edge.rollout.installed import RECORD_LOST, check_as_installed, record_is_lost

Sections = TypeVar("Sections", bound=StationPart)


@dataclass(frozen=True, slots=True, eq=False)
class StationPlan:
    """A station file in which no mistake was found, and the bundle that it names."""

    file: YamlFile
    config: StationConfig
    bundle: Bundle
    keys: tuple[PublicKey, ...]
    """The public keys that the file pins. If there are any, one of them signed the bundle."""
    warnings: tuple[str, ...] = ()
    """One warning for each setting that is allowed but probably not meant, as `LINE: KEY: message`.
    """


def read_config(path: Path) -> StationConfig:
    """Reads the station file `path` alone; its bundle is not read and need not exist.

    Raises:
        ConfigError: the file has mistakes; every one is named, with its line.
        ConfigUnreadError: nothing is wrong but that a key that it pins cannot be read now.
    """
    file = _opened(path)
    config, problems = file.check(StationConfig)
    _, refusal = pinned_keys(file)
    problems += [*refusal, *_between_sections(file, None, problems)]
    if config is not None:
        problems += bin_problems(config)
    if config is None or problems:
        raise file.error(problems)
    return config


def read_station(path: Path, *, bundle: Path | None = None) -> StationPlan:
    """The station that the file `path` describes.

    Args:
        bundle: a bundle to check in place of the one that the file names; None: the file's.

    Raises:
        ConfigError: it has mistakes; every one is named, with its line. That its bundle is broken,
            or not signed with a key that it pins, is one of them.
        ConfigUnreadError: nothing is wrong but that its bundle or a key cannot be read now.
        BundleError: `bundle` is given, and is broken or not signed with a pinned key.
    """
    file = _opened(path)
    config, problems = file.check(StationConfig)
    shapes = list(problems)
    keys, refusal = pinned_keys(file)
    problems += refusal
    found: Bundle | None = None
    if keys is not None and bundle is not None:
        found = read_bundle(bundle, keys=keys)
    elif keys is not None:
        found, refusal = _bundle(file, keys)
        problems += refusal
    problems += _between_sections(file, found, shapes)
    if config is not None:
        problems += [*bin_problems(config), *reference_problems(config)]
    if config is not None and found is not None:
        problems += box_problems(config, found)
    if config is None or found is None or keys is None or problems:
        raise file.error(problems)
    warnings = [
        *station_warnings(config),
        *(_about_its_record(found, config.bundle) if not bundle else ()),
    ]
    return StationPlan(file, config, found, keys, tuple(file.messages(warnings)))


def with_present_bundle(plan: StationPlan) -> StationPlan:
    """The station of a plan, with the bundle that is at the path of its own now.

    The station file is not read again: what was changed in it counts from the next start on.

    Raises:
        BundleError: the bundle is broken, is not signed with a key that the station pins, or is not
            the one that was installed.
        ConfigError: it does not fit the station.
        StorageError: it cannot be read.
    """
    found = read_bundle(plan.config.bundle, keys=plan.keys)
    check_as_installed(found, plan.config.bundle)
    problems = [*label_problems(plan.file, found, []), *box_problems(plan.config, found)]
    if problems:
        raise plan.file.error(problems)
    return replace(plan, bundle=found)


def read_part(path: Path, part: type[Sections]) -> tuple[YamlFile, Sections]:
    """Reads the station file `path` and checks only the sections that the model `part` has.

    Other sections are not checked: they may be missing or wrong, or belong to another version of
    pilah that has more sections.

    Raises:
        ConfigError: the sections of `part` have mistakes.
    """
    file = _opened(path)
    found, problems = file.check(part, whole=StationConfig)
    problems += pins_used_twice({key: file.content.get(key) for key in part.model_fields})
    if isinstance(found, ActuationConfig):
        problems += bin_problems(found)
    if found is None or problems:
        raise file.error(problems)
    return file, found


def read_vision_config(path: Path) -> VisionConfig:
    """Reads the camera, the region and the trigger of the station file `path`; see `read_part`."""
    return read_part(path, VisionConfig)[1]


def read_scanner_config(path: Path) -> ScannerConfig:
    """The hand scanner of the station of the file `path`; see `read_part`."""
    return read_part(path, ScannerConfig)[1]


def read_actuation_config(path: Path) -> tuple[YamlFile, ActuationConfig]:
    """Reads the station file `path` with its lanes and its keep-alive pin; see `read_part`."""
    return read_part(path, ActuationConfig)


def read_receiving_config(path: Path) -> ReceivingConfig:
    """What receiving goods at the station of the file `path` needs to know; see `read_part`."""
    return read_part(path, ReceivingConfig)[1]


def _opened(path: Path) -> YamlFile:
    file = YamlFile(path)
    migrate(file)
    return file


def _between_sections(
    file: YamlFile, bundle: Bundle | None, shapes: Iterable[FileProblem]
) -> Iterator[FileProblem]:
    """A problem for each mismatch between sections, or between a section and the bundle.

    Args:
        bundle: None if it is not known; nothing is compared with it then.
        shapes: problems in the form of single sections. Checks that depend on the values named
            there are left out.
    """
    yield from pins_used_twice(file.content)
    yield from label_problems(file, bundle, [problem.location for problem in shapes])
    yield from distance_problems(file.content)
    yield from receiving_problems(file.content)
    yield from stop_problems(file.content)
    yield from region_problems(file)


def _bundle(file: YamlFile, keys: tuple[PublicKey, ...]) -> tuple[Bundle | None, list[FileProblem]]:
    path = file.path_at(("bundle",))
    if path is None:
        return None, []  # the check of the file's form has reported it
    try:
        found = read_bundle(path, keys=keys)
        check_as_installed(found, path)
        return found, []
    except (BundleError, StorageError) as error:
        away = isinstance(error, BundleMissingError | StorageError)
        passing = away and may_come_back(path, error.__cause__)
        return None, [FileProblem(("bundle",), str(error), passing=passing)]


def _about_its_record(bundle: Bundle, link: Path) -> Iterator[FileProblem]:
    if record_is_lost(bundle, link):
        yield FileProblem(
            ("bundle",),
            f"{bundle.title} was installed, and {RECORD_LOST}. Give it to `pilah-edge install` "
            "again, or go back with `pilah-edge rollback`",
        )
