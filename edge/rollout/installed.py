"""The bundles that were installed on a station, each with the record of its check.

What the station file calls `bundle` is a symbolic link, and the folder `NAME.versions` beside it
holds every version that was installed:

    bundle -> bundle.versions/waste-1.3
    bundle.versions/waste-1.2/    waste-1.2.json
    bundle.versions/waste-1.3/    waste-1.3.json

A link, because then the station file stays as it is, every command that takes a bundle takes the
link too, and to point it elsewhere is one rename: at any moment it names a whole bundle.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from edge.core.errors import (
    BundleError,
    BundleFileChangedError,
    BundleLinkError,
    BundleTakenError,
    FileLockedError,
    InstallLockedError,
    StorageError,
)
from edge.core.files import new_folder, point_link, storage_errors, write_file
from edge.core.model.bundle import Bundle, Title, read_bundle
from edge.core.processes.file_lock import locked

_TITLE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)-(?P<version>[0-9]+(\.[0-9]+)*)")


KEPT = 5
"""So many of the newest versions stay on a station, whichever is active."""


RECORD_LOST = "its record cannot be read: nobody can tell whether it has changed since"
"""Said of an installed bundle that has nothing to be compared with."""


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

    def is_whole(self, title: Title) -> bool:
        """Whether a version still is what was verified here."""
        verification = self.verification(title)
        try:
            return verification is not None and (
                read_bundle(self.path(title)).digest == verification.digest
            )
        except (BundleError, StorageError):
            return False

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

    def prune(self, *keep: Title | None) -> None:
        """Removes old versions, so that a card does not fill up; to be called while `alone`.

        What stays: the version that is active, the newest before it, the KEPT newest, and `keep`.
        Other bundles of this station, of another name, are left alone.

        Raises:
            StorageError: one cannot be removed.
        """
        active = self.active
        if active is None:
            return
        known = self.verified(active.name)
        older = [title for title in known if title.key < active.key]
        staying = {active, *older[-1:], *known[-KEPT:], *keep}
        with storage_errors("remove an old version from", self.folder):
            for title in known:
                if title not in staying:
                    # The record first: what has none is not gone back to.
                    self._record(title).unlink(missing_ok=True)
                    shutil.rmtree(self.path(title))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keeps other processes from changing the same station's bundles.

        Raises:
            InstallLockedError: one is changing them.
        """
        with ExitStack() as held:
            try:
                held.enter_context(locked(self.link.parent))
            except FileLockedError as error:
                raise InstallLockedError(
                    f"{self.link.parent}: another process is installing here: wait until it is done"
                ) from error
            yield

    def _record(self, title: Title) -> Path:
        return self.folder / f"{title.folder}.json"


def title_of(bundle: Bundle) -> Title:
    """Name and version of a bundle."""
    return Title(bundle.manifest.name, bundle.manifest.version)


def check_as_installed(bundle: Bundle, link: Path) -> None:
    """Compares the bundle that a station loads with the record of its installation.

    The manifest has a digest of every file, and nothing in the bundle has one of the manifest: of
    a bundle that no pinned key signed, only this record can tell that its manifest has changed.

    Args:
        link: what the station file calls `bundle`; one that `install` did not make has no record.

    Raises:
        BundleFileChangedError: it is another one than was installed.
    """
    verification = installed_verification(link)
    if verification is not None and verification.digest != bundle.digest:
        raise BundleFileChangedError(
            f"{bundle.path}: not the {title_of(bundle)} that was verified here on "
            f"{verification.time} (digest {bundle.digest[:12]}, then {verification.digest[:12]}): "
            "somebody changed it, or the disk is failing. Give it to `pilah-edge install` again, "
            "or go back with `pilah-edge rollback`"
        )


def record_is_lost(bundle: Bundle, link: Path) -> bool:
    """Whether `install` made the link, and nothing tells that the bundle is what was installed.

    Of a bundle that a pinned key signed, its signature does.
    """
    try:
        installed = Versions(link).active is not None
    except BundleLinkError:
        return False
    return installed and bundle.signer is None and installed_verification(link) is None


def installed_verification(link: Path) -> Verification | None:
    """How the version that `link` points to was found right; None where nobody can tell."""
    versions = Versions(link)
    try:
        title = versions.active
    except BundleLinkError:
        return None
    return None if title is None else versions.verification(title)
