"""Installs a newer bundle on a station, or goes back to an earlier one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from edge.config.reading import StationPlan, read_station
from edge.core.errors import (
    BundleFileChangedError,
    BundleNameError,
    BundleOlderError,
    RollbackError,
)
from edge.core.model.bundle import Bundle, Title
from edge.core.model.classifier import Classifier
from edge.core.model.golden import check_golden_exactly, check_golden_start
from edge.core.yaml_file import YamlFile
from edge.core.yaml_messages import FileProblem
from edge.rollout.installed import InstalledVersions, Verification, title_of


@dataclass(frozen=True, slots=True)
class VersionChange:
    """Which bundle a station loads from now on."""

    plan: StationPlan
    """The station with its new bundle."""
    before: Title | None
    """The bundle that it loaded until now; None if none had been installed."""
    runtime: str


def install(bundle: Path, station: Path) -> VersionChange:
    """Makes a station load `bundle` from its next start on; earlier versions are kept.

    The station has either the old bundle or the new one at any moment, even if the process is
    killed. A bundle of another name is refused: a station that shall do something else gets another
    `bundle` path in its file. The active version can be installed again to repair it, if its files
    are not those that were installed.

    Raises:
        BundleError: the bundle is broken, is not signed with a key that the station pins, does not
            reproduce its golden scores on this machine, or is not newer than the active one.
        ConfigError: the station file has mistakes, or does not fit the bundle.
        StorageError: the bundle cannot be written, for instance because the disk is full.
    """
    plan = read_station(station, bundle=bundle)
    versions, title = InstalledVersions(plan.config.bundle), title_of(plan.bundle)
    with versions.alone():
        before = versions.active
        if before is not None and before.name != title.name:
            raise BundleNameError(
                f"{bundle}: this is {title}, and the station has {before}: only a newer version "
                f"of {before.name} can take its place. If it is one, make it with --name "
                f"{before.name}; for another model, give `bundle` in {station} another path"
            )
        mended = before is not None and title.key == before.key and not versions.is_whole(before)
        if before is not None and title.key <= before.key and not mended:
            raise BundleOlderError(
                f"{bundle}: {title} is not newer than {before}, which is active: `pilah-edge "
                "rollback` goes back to a version that was installed before"
            )
        runtime = _prove(plan.bundle)
        versions.add(
            plan.bundle,
            Verification(
                digest=plan.bundle.digest,
                signer=plan.bundle.signer,
                runtime=runtime,
                time=datetime.now(UTC).isoformat(timespec="seconds"),
            ),
        )
        versions.activate(title)
        versions.prune(before)
    return VersionChange(plan, before, runtime)


def roll_back(station: Path, *, version: str | None = None) -> VersionChange:
    """Makes a station load, from its next start on, a version that was verified on it before.

    Args:
        version: the version to go back to; None: the newest one that is older than the active one.

    Raises:
        RollbackError: there is no such version.
        BundleError: the version has been changed since, is not signed with a key that is pinned
            now, or does not reproduce its golden scores on this machine.
        ConfigError: the station file has mistakes, or does not fit that version.
        StorageError: the link cannot be written.
    """
    versions = InstalledVersions(_link_of(station))
    with versions.alone():
        before = versions.active
        if before is None:
            raise RollbackError(
                f"{versions.link}: no bundle has been installed here yet. Use `pilah-edge install`"
            )
        title = _earlier(versions, before, version)
        verification = versions.verification(title)
        if verification is None:
            raise RollbackError(
                f"{versions.folder}: the record of {title} cannot be read, so it is not known "
                "whether that version was verified here: give another version"
            )
        plan = read_station(station, bundle=versions.path(title))
        if plan.bundle.digest != verification.digest:
            raise BundleFileChangedError(
                f"{plan.bundle.path}: this is not the {title} that was verified here (its digest "
                f"is {plan.bundle.digest[:12]}, and was {verification.digest[:12]}): give another "
                "version"
            )
        runtime = _prove(plan.bundle)
        versions.activate(title)
    return VersionChange(plan, before, runtime)


def _earlier(versions: InstalledVersions, active: Title, version: str | None) -> Title:
    verified = versions.verified(active.name)
    if version is None:
        fitting = [title for title in verified if title.key < active.key]
    else:
        fitting = [title for title in verified if title.version == version]
    if not fitting:
        wanted = f"version older than {active}" if version is None else f"{active.name} {version}"
        known = ", ".join(title.version for title in verified) or "none"
        raise RollbackError(
            f"{versions.folder}: no {wanted} was verified on this station. Verified: {known}"
        )
    return fitting[-1]


def _link_of(station: Path) -> Path:
    """The path that a station file gives for its bundle; the rest of the file is not checked.

    Raises:
        ConfigError: the file gives none.
    """
    file = YamlFile(station)
    name = file.value(("bundle",))
    if not isinstance(name, str) or not name:
        raise file.error([FileProblem(("bundle",), "missing: the path of the model bundle")])
    return station.absolute().parent / name


def _prove(bundle: Bundle) -> str:
    """Checks that this machine reproduces the bundle's golden scores; returns its runtime's name.

    Raises:
        BundleError: the scores differ.
    """
    check_golden_exactly(bundle)
    classifier = Classifier(bundle)
    check_golden_start(classifier)
    return classifier.interpreter.title
