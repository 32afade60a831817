"""Reads a station file: the whole of it, or the parts that a command needs.

`read_station` is the one way to read all of it; `deploy/examples/` has files to start from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.config.checks import (
    box_problems,
    distance_problems,
    label_problems,
    pins_used_twice,
    region_problems,
)
from edge.config.station import Eye, EyeOfStation, Hands, StationConfig
from edge.config.trust import pinned_keys
from edge.config.warnings import cautions
from edge.core.errors import BundleError, BundleMissingError, StorageError
from edge.core.files import may_come_back
from edge.core.model.bundle import Bundle, read_bundle
from edge.core.model.signature import PublicKey
from edge.core.yaml_file import YamlFile
from edge.core.yaml_messages import Problem
from edge.rollout.installed import RECORD_LOST, check_as_installed, record_is_lost


@dataclass(frozen=True, slots=True, eq=False)
class StationPlan:
    """A station file in which no mistake was found, and the bundle it names."""

    file: YamlFile
    config: StationConfig
    bundle: Bundle
    keys: tuple[PublicKey, ...]
    """Those pinned; where there are any, one of them signed the bundle."""
    warnings: tuple[str, ...] = ()
    """What is allowed and probably not meant, each as `LINE: KEY: message`."""


def read_station(path: Path, *, bundle: Path | None = None) -> StationPlan:
    """The station that the file `path` describes.

    Args:
        bundle: one that the station might have in place of the one that its file names.

    Raises:
        ConfigError: it has mistakes; every one is named, with its line. That its bundle is broken,
            or not signed with a key that it pins, is one of them.
        ConfigUnreadError: nothing is wrong but that its bundle or a key cannot be read now.
        BundleError: that is so of `bundle`.
    """
    file = YamlFile(path)
    config, problems = file.check(StationConfig)
    shapes = [problem.location for problem in problems]
    keys, refusal = pinned_keys(file)
    problems += refusal
    found: Bundle | None = None
    if keys is not None and bundle is not None:
        found = read_bundle(bundle, keys=keys)
    elif keys is not None:
        found, refusal = _bundle(file, keys)
        problems += refusal
    problems += pins_used_twice(file.content)
    problems += label_problems(file, found, shapes)
    problems += distance_problems(file.content)
    problems += region_problems(file)
    if config is not None and found is not None:
        problems += box_problems(config, found)
    if config is None or found is None or keys is None or problems:
        raise file.error(problems)
    warnings = [*cautions(config), *(_about_its_record(found, config.bundle) if not bundle else ())]
    return StationPlan(file, config, found, keys, tuple(file.told(warnings)))


def read_eye(path: Path) -> Eye:
    """How the station of the file `path` sees; what else stands in the file is not judged.

    Raises:
        ConfigError: those sections have mistakes, or the file has a key that no station has.
    """
    file = YamlFile(path)
    eye, problems = file.check(EyeOfStation)
    if eye is None:
        raise file.error(problems)
    return eye


def read_hands(path: Path) -> tuple[YamlFile, Hands]:
    """The station file `path` and what it moves; what else stands in it is not judged.

    Raises:
        ConfigError: the lanes have mistakes, or the file has a key that no station has.
    """
    file = YamlFile(path)
    config, problems = file.check(Hands)
    problems += pins_used_twice(file.content)
    if config is None or problems:
        raise file.error(problems)
    return file, config


def _bundle(file: YamlFile, keys: tuple[PublicKey, ...]) -> tuple[Bundle | None, list[Problem]]:
    path = file.path_at(("bundle",))
    if path is None:
        return None, []  # told already
    try:
        found = read_bundle(path, keys=keys)
        check_as_installed(found, path)
        return found, []
    except (BundleError, StorageError) as error:
        away = isinstance(error, BundleMissingError | StorageError)
        passing = away and may_come_back(path, error.__cause__)
        return None, [Problem(("bundle",), str(error), passing=passing)]


def _about_its_record(bundle: Bundle, link: Path) -> Iterator[Problem]:
    if record_is_lost(bundle, link):
        yield Problem(
            ("bundle",),
            f"{bundle.title} was installed, and {RECORD_LOST}. Give it to `pilah-edge install` "
            "again, or go back with `pilah-edge rollback`",
        )
