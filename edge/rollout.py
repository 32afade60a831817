"""The bundles of a station through time: install a newer one, go back to an earlier one.

What the station file calls `bundle` is a symbolic link, and the folder `NAME.versions` beside it
holds every version that was installed, each with a record of its check:

    bundle -> bundle.versions/waste-1.3
    bundle.versions/waste-1.2/    waste-1.2.json
    bundle.versions/waste-1.3/    waste-1.3.json

A link, because then the station file stays as it is, every command that takes a bundle takes the
link too, and to point it elsewhere is one rename: at any moment it names a whole bundle.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from edge.config import StationPlan, read_station
from edge.errors import (
    BundleFileChangedError,
    BundleLinkError,
    BundleNameError,
    BundleOlderError,
    BundleTakenError,
    InstallLockedError,
    RollbackError,
)
from edge.files import new_folder, point_link, storage_errors, write_file
from edge.model.bundle import Bundle, Title, read_bundle
from edge.model.classifier import Classifier
from edge.model.golden import check_golden_exactly, check_golden_start
from edge.yaml_file import Problem, YamlFile

_TITLE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)-(?P<version>[0-9]+(\.[0-9]+)*)")


class Verification(BaseModel):
    """That a bundle was found right on this station: the file beside its folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str
    signer: str | None
    """Id of the pinned key that signed it; None: no key was pinned."""
    runtime: str
    """What computed its golden pictures."""
    time: str
    """ISO 8601, UTC."""


@dataclass(frozen=True, slots=True)
class Change:
    """Which bundle a station loads from now on."""

    plan: StationPlan
    """The station with its new bundle."""
    before: Title | None
    """What it loaded until now; None: nothing had been installed."""
    runtime: str


class Versions:
    """The installed bundles of one station.

    Attributes:
        link: what the station file calls `bundle`.
        folder: where every version lies.
    """

    def __init__(self, link: Path) -> None:
        """Looks at nothing yet."""
        self.link = link
        self.folder = link.with_name(f"{link.name}.versions")

    @property
    def active(self) -> Title | None:
        """What the link points to, be it whole or not; None: nothing was installed yet.

        Raises:
            BundleLinkError: something else is in the link's place.
        """
        with storage_errors("read", self.link):
            if not os.path.lexists(self.link):
                return None
            target = self.link.readlink() if self.link.is_symlink() else Path()
        found = _TITLE.fullmatch(target.name)
        if found is None or target.parent != Path(self.folder.name):
            raise BundleLinkError(
                f"{self.link} was not made by `pilah-edge install`, which keeps a link there and "
                f"every version in {self.folder.name}: move it away (mv {self.link} "
                f"{self.link}.before), install it, and then the newer one"
            )
        return Title(found["name"], found["version"])

    def verified(self, name: str) -> list[Title]:
        """Every version of the bundle `name` that was verified here, the oldest first."""
        with storage_errors("read", self.folder):
            records = list(self.folder.glob("*.json"))
        found = [m for record in records if (m := _TITLE.fullmatch(record.stem))]
        titles = [Title(m["name"], m["version"]) for m in found if m["name"] == name]
        return sorted(titles, key=lambda title: title.key)

    def path(self, title: Title) -> Path:
        """The folder of a version."""
        return self.folder / title.folder

    def verification(self, title: Title) -> Verification | None:
        """How a version was found right; None where it was not, or nobody can tell."""
        try:
            content = self._record(title).read_bytes()
            return Verification.model_validate_json(content)
        except (OSError, ValidationError):
            return None

    def add(self, bundle: Bundle, verification: Verification) -> None:
        """Keeps a bundle that was found right. To be called while `alone`.

        Raises:
            BundleTakenError: another one of this name and version was kept before.
            StorageError: it cannot be written.
        """
        title = title_of(bundle)
        before = self.verification(title)
        if before is not None and before.digest != bundle.digest:
            raise BundleTakenError(
                f"{bundle.path}: {title} is not the {title} that was installed before (digest "
                f"{bundle.digest[:12]}, then {before.digest[:12]}): give what is new a newer "
                "version"
            )
        for left in self.folder.glob(".*"):  # by processes that were killed; see `alone`
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
        # Always anew: what lies there may be what a killed process or a bad card left.
        with new_folder(self.path(title), replace=True) as folder:
            for name, content in bundle.files.items():
                file = folder / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            if read_bundle(folder).files != bundle.files:
                raise BundleFileChangedError(f"{self.folder}: what was written reads otherwise")
        write_file(self._record(title), verification.model_dump_json(indent=2) + "\n")

    def activate(self, title: Title) -> None:
        """Makes the link point to a version that is kept.

        Raises:
            StorageError: it cannot be written; the link is as it was.
        """
        point_link(self.link, f"{self.folder.name}/{title.folder}")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keeps other processes from changing the same station's bundles.

        Raises:
            InstallLockedError: one is changing them.
        """
        with storage_errors("lock", self.link.parent):
            descriptor = os.open(self.link.parent, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InstallLockedError(
                    f"{self.link.parent}: another process is installing here: wait until it is done"
                ) from error
            yield
        finally:
            os.close(descriptor)

    def _record(self, title: Title) -> Path:
        return self.folder / f"{title.folder}.json"


def title_of(bundle: Bundle) -> Title:
    """Name and version of a bundle."""
    return Title(bundle.manifest.name, bundle.manifest.version)


def install(bundle: Path, station: Path) -> Change:
    """Makes a station load `bundle` from its next start on; every earlier version is kept.

    At any moment, also one at which the process is killed, the station has the old bundle or the
    new one. One of another name is refused: a station that is to do something else gets another
    path for it in its file.

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
        if before is not None and title.key <= before.key:
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
    return Change(plan, before, runtime)


def roll_back(station: Path, *, version: str | None = None) -> Change:
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
    return Change(plan, before, runtime)


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
        raise file.error([Problem(("bundle",), "missing: the path of the model bundle")])
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
