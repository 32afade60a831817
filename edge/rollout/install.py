"""The bundles of a station through time: install a newer one, go back to an earlier one."""

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
from edge.rollout.installed import Verification, Versions, title_of


@dataclass(frozen=True, slots=True)
class VersionChange:
    """Which bundle a station loads from now on."""

    plan: StationPlan
    """The station with its new bundle."""
    before: Title | None
    """What it loaded until now; None: nothing had been installed."""
    runtime: str


def install(bundle: Path, station: Path) -> VersionChange:
    """Makes a station load `bundle` from its next start on; earlier versions are kept.

    At any moment, also one at which the process is killed, the station has the old bundle or the
    new one. One of another name is refused: a station that is to do something else gets another
    path for it in its file. The version that is active may be given again where what lies there is
    not what was installed: that mends it.

    Raises:
        BundleError: the bundle is broken, not signed with a key that the station pins, answers
            otherwise on this machine, or is not a newer version of the one that is active.
        ConfigError: the station file has mistakes, or does not fit the bundle.
        StorageError: there is no place for it.
    """
    plan = read_station(station, bundle=bundle)
    versions, title = Versions(plan.config.bundle), title_of(plan.bundle)
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
    """Makes a station load a version from its next start on that was verified on it before.

    Args:
        version: any such one; None: the newest that is older than the one that is active.

    Raises:
        RollbackError: there is no such version.
        BundleError: it has been changed since, is not signed with a key that is pinned now, or
            answers otherwise on this machine.
        ConfigError: the station file has mistakes, or does not fit that version.
        StorageError: the link cannot be written.
    """
    versions = Versions(_link_of(station))
    with versions.alone():
        before = versions.active
        if before is None:
            raise RollbackError(
                f"{versions.link}: nothing has been installed here yet: `pilah-edge install`"
            )
        title = _earlier(versions, before, version)
        verification = versions.verification(title)
        if verification is None:
            raise RollbackError(
                f"{versions.folder}: the record of {title} cannot be read, so nobody knows "
                "whether it was verified here: give another version"
            )
        plan = read_station(station, bundle=versions.path(title))
        if plan.bundle.digest != verification.digest:
            raise BundleFileChangedError(
                f"{plan.bundle.path}: not the {title} that was verified here (digest "
                f"{plan.bundle.digest[:12]}, then {verification.digest[:12]}): give another version"
            )
        runtime = _prove(plan.bundle)
        versions.activate(title)
    return VersionChange(plan, before, runtime)


def _earlier(versions: Versions, active: Title, version: str | None) -> Title:
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
    """Where a station file says that its bundle is; the rest of the file is not judged.

    Raises:
        ConfigError: it says nothing of that.
    """
    file = YamlFile(station)
    name = file.value(("bundle",))
    if not isinstance(name, str) or not name:
        raise file.error([FileProblem(("bundle",), "missing: the path of the model bundle")])
    return station.absolute().parent / name


def _prove(bundle: Bundle) -> str:
    """The runtime that this machine has, once it has reproduced the bundle's golden pictures.

    Raises:
        BundleError: it does not.
    """
    check_golden_exactly(bundle)
    classifier = Classifier(bundle)
    check_golden_start(classifier)
    return classifier.interpreter.title
