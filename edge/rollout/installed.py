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
"""How many of the newest versions stay on a station, whichever is active."""


RECORD_LOST = "its record cannot be read: it is not known whether the bundle has changed since"
"""What a message says about an installed bundle that cannot be compared with its record."""


class Verification(BaseModel):
    """The record that a bundle was verified on this station: the JSON file beside its folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str
    signer: str | None
    """Id of the pinned key that signed the bundle; None if no key was pinned."""
    runtime: str
    """The runtime that computed the scores of its golden pictures."""
    time: str
    """When the bundle was verified, ISO 8601, UTC."""


class InstalledVersions:
    """The installed bundles of one station.

    Attributes:
        link: what the station file calls `bundle`.
        folder: the folder that holds every installed version.
    """

    def __init__(self, link: Path) -> None:
        """Reads nothing yet."""
        self.link = link
        self.folder = link.with_name(f"{link.name}.versions")

    @property
    def active(self) -> Title | None:
        """The version that the link points to, complete or not; None if none was installed yet.

        Raises:
            BundleLinkError: the path holds something other than the link that `install` makes.
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
        """The record of a version's verification; None if there is none or it cannot be read."""
        try:
            content = self._record(title).read_bytes()
            return Verification.model_validate_json(content)
        except (OSError, ValidationError):
            return None

    def is_whole(self, title: Title) -> bool:
        """Whether a version is complete and unchanged since it was verified here."""
        verification = self.verification(title)
        try:
            return verification is not None and (
                read_bundle(self.path(title)).digest == verification.digest
            )
        except (BundleError, StorageError):
            return False

    def add(self, bundle: Bundle, verification: Verification) -> None:
        """Stores a verified bundle with its record. To be called within `alone`.

        Raises:
            BundleTakenError: a different bundle of this name and version was installed before.
            StorageError: the bundle or its record cannot be written.
        """
        title = title_of(bundle)
        before = self.verification(title)
        if before is not None and before.digest != bundle.digest:
            raise BundleTakenError(
                f"{bundle.path}: this is not the {title} that was installed before (its digest is "
                f"{bundle.digest[:12]}, and was {before.digest[:12]}): give the new bundle a newer "
                "version"
            )
        for left in self.folder.glob(".*"):  # files of processes that were killed; see `alone`
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
        # Always written again: a killed process or a bad card may have left wrong files there.
        with new_folder(self.path(title), replace=True) as folder:
            for name, content in bundle.files.items():
                file = folder / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            if read_bundle(folder).files != bundle.files:
                raise BundleFileChangedError(
                    f"{self.folder}: the files read back differ from those written: the disk or "
                    "card is failing. Replace it and install again"
                )
        write_file(self._record(title), verification.model_dump_json(indent=2) + "\n")

    def activate(self, title: Title) -> None:
        """Makes the link point to an installed version.

        Raises:
            StorageError: the link cannot be written; it is unchanged.
        """
        point_link(self.link, f"{self.folder.name}/{title.folder}")

    def prune(self, *keep: Title | None) -> None:
        """Removes old versions, so that a card does not fill up; to be called within `alone`.

        It keeps the active version, the newest one before it, the KEPT newest ones, and `keep`.
        Bundles of another name are not removed.

        Raises:
            StorageError: a version cannot be removed.
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
                    # The record first: `rollback` ignores a version without one.
                    self._record(title).unlink(missing_ok=True)
                    shutil.rmtree(self.path(title))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Locks the station's bundles, so that no other process changes them meanwhile.

        Raises:
            InstallLockedError: another process is changing them.
        """
        with ExitStack() as held:
            try:
                held.enter_context(locked(self.link.parent))
            except FileLockedError as error:
                raise InstallLockedError(
                    f"{self.link.parent}: another process is installing a bundle here: wait until "
                    "it has ended"
                ) from error
            yield

    def _record(self, title: Title) -> Path:
        return self.folder / f"{title.folder}.json"


def title_of(bundle: Bundle) -> Title:
    """The name and the version of a bundle."""
    return Title(bundle.manifest.name, bundle.manifest.version)


def check_as_installed(bundle: Bundle, link: Path) -> None:
    """Compares the bundle that a station loads with the record of its installation.

    The manifest has the digest of every other file, but nothing in the bundle has the digest of
    the manifest. If no pinned key signed the bundle, only this record shows that its manifest has
    changed.

    Args:
        link: what the station file calls `bundle`; a path that `install` did not make has no
            record.

    Raises:
        BundleFileChangedError: the bundle is not the one that was installed.
    """
    verification = installed_verification(link)
    if verification is not None and verification.digest != bundle.digest:
        raise BundleFileChangedError(
            f"{bundle.path}: this is not the {title_of(bundle)} that was verified here on "
            f"{verification.time} (its digest is {bundle.digest[:12]}, and was "
            f"{verification.digest[:12]}): somebody changed it, or the disk is failing. Install it "
            "again with `pilah-edge install`, or go back with `pilah-edge rollback`"
        )


def record_is_lost(bundle: Bundle, link: Path) -> bool:
    """Whether the bundle was installed, and nothing proves that it has not changed since.

    The signature proves it for a bundle that a pinned key signed.
    """
    try:
        installed = InstalledVersions(link).active is not None
    except BundleLinkError:
        return False
    return installed and bundle.signer is None and installed_verification(link) is None


def installed_verification(link: Path) -> Verification | None:
    """The record of the version that `link` points to; None if there is none."""
    versions = InstalledVersions(link)
    try:
        title = versions.active
    except BundleLinkError:
        return None
    return None if title is None else versions.verification(title)
