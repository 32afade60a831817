"""A station gets a newer bundle or keeps the old one, whatever is given to it or happens to it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.config.reading import read_station
from edge.core import files
from edge.core.errors import (
    EXIT_DATA,
    EXIT_NO,
    BundleError,
    BundleFileChangedError,
    BundleFileExtraError,
    BundleFileMissingError,
    BundleFormatError,
    BundleLinkError,
    BundleMissingError,
    BundleNameError,
    BundleOlderError,
    BundleTakenError,
    ConfigError,
    GoldenError,
    InstallLockedError,
    PilahError,
    RollbackError,
    SignatureKeyError,
    SignatureMissingError,
    SignatureWrongError,
    StorageError,
)
from edge.core.model.bundle import read_bundle
from edge.rollout.install import install, roll_back
from edge.rollout.installed import InstalledVersions
from tests.bundles import make_bundle, zip_of
from tests.disks import Disk
from tests.edge.rollout.rollouts import OPEN, PINNED, make_pinned, make_signed
from tests.signatures import OURS, THEIRS


@pytest.fixture
def station(tmp_path: Path) -> Path:
    """A station that pins our key; nothing is installed yet."""
    return make_pinned(tmp_path / "station")


@pytest.fixture
def started(station: Path, tmp_path: Path) -> Path:
    """The same with version 1.9 installed."""
    install(make_signed(tmp_path, "1.9"), station)
    return station


def loaded(station: Path) -> str:
    """The bundle that the daemon would load now, held to the keys as the daemon does."""
    return read_station(station).bundle.title


def kept(station: Path) -> list[str]:
    """What lies in the folder of versions, hidden files too."""
    folder = station.parent / "model.versions"
    return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []


# Install


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_the_first_bundle_is_installed_and_recorded(
    station: Path, tmp_path: Path, form: str
) -> None:
    bundle = make_signed(tmp_path, "1.9")
    given = bundle if form == "folder" else zip_of(bundle, tmp_path / "x.zip", around="x/")
    change = install(given, station)
    assert change.before is None
    assert loaded(station) == "tiny 1.9"
    assert kept(station) == ["tiny-1.9", "tiny-1.9.json"]
    record = json.loads((station.parent / "model.versions" / "tiny-1.9.json").read_text())
    assert record["digest"] == read_bundle(bundle).digest
    assert record["signer"] == OURS.id
    assert record["runtime"] == change.runtime
    assert read_bundle(station.parent / "model").files == read_bundle(bundle).files


def test_a_newer_version_takes_its_place_and_the_earlier_stays(
    started: Path, tmp_path: Path
) -> None:
    change = install(make_signed(tmp_path, "1.10"), started)
    assert str(change.before) == "tiny 1.9"
    assert loaded(started) == "tiny 1.10"
    assert kept(started) == ["tiny-1.10", "tiny-1.10.json", "tiny-1.9", "tiny-1.9.json"]


@pytest.mark.parametrize("version", ["1.9", "1.8.99", "1", "0.1", "1.09"])
def test_a_version_that_is_not_newer_is_refused(
    started: Path, tmp_path: Path, version: str
) -> None:
    given = make_signed(tmp_path / "again", version)
    with pytest.raises(BundleOlderError, match=rf"tiny {version} is not newer than tiny 1\.9"):
        install(given, started)
    assert loaded(started) == "tiny 1.9"
    assert kept(started) == ["tiny-1.9", "tiny-1.9.json"]


def test_another_model_is_refused(started: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleNameError, match=r"this is tiles 2, and the station has tiny 1\.9"):
        install(make_signed(tmp_path, "2", name="tiles"), started)
    assert loaded(started) == "tiny 1.9"


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def swap(bundle: Path) -> None:
    first, second = bundle / "golden" / "0.png", bundle / "golden" / "1.png"
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)


def scores_changed(bundle: Path) -> None:
    manifest = json.loads((bundle / "bundle.json").read_text())
    manifest["golden"]["pictures"][1]["scores"][0] += 0.001
    (bundle / "bundle.json").write_text(json.dumps(manifest))
    OURS.sign(bundle)


def signature_of_another(bundle: Path) -> None:
    shutil.copy(make_signed(bundle.parent, "3") / "signature", bundle / "signature")


TAMPERINGS: dict[str, tuple[Callable[[Path], object], type[BundleError]]] = {
    "file changed": (lambda b: flip(b / "model.tflite"), BundleFileChangedError),
    "file added": (lambda b: (b / "x").write_bytes(b""), BundleFileExtraError),
    "file removed": (lambda b: (b / "card.md").unlink(), BundleFileMissingError),
    "files swapped": (swap, BundleFileChangedError),
    "link in place of a file": (
        lambda b: ((b / "card.md").unlink(), (b / "card.md").symlink_to("/etc/hostname")),
        BundleFormatError,
    ),
    "unsigned": (lambda b: (b / "signature").unlink(), SignatureMissingError),
    "signature of another bundle": (signature_of_another, SignatureWrongError),
    "other key": (THEIRS.sign, SignatureKeyError),
    "signed, but it answers otherwise here": (scores_changed, GoldenError),
    "not there": (shutil.rmtree, BundleMissingError),
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_tampered_bundle_is_not_installed(started: Path, tmp_path: Path, tampering: str) -> None:
    tamper, error = TAMPERINGS[tampering]
    bundle = make_signed(tmp_path, "2")
    tamper(bundle)
    with pytest.raises(BundleError) as caught:
        install(bundle, started)
    assert type(caught.value) is error
    assert caught.value.exit_code == EXIT_DATA
    assert loaded(started) == "tiny 1.9"
    assert kept(started) == ["tiny-1.9", "tiny-1.9.json"]


def test_without_a_pinned_key_an_unsigned_bundle_is_installed(tmp_path: Path) -> None:
    station = make_pinned(tmp_path / "station", text=OPEN)
    change = install(make_signed(tmp_path, "1", key=None), station)
    assert (change.plan.keys, change.plan.bundle.signer) == ((), None)
    assert loaded(station) == "tiny 1"


def test_a_bundle_that_the_lanes_do_not_know_is_not_installed(
    started: Path, tmp_path: Path
) -> None:
    other = OURS.sign(make_bundle(tmp_path / "2", version="2", labels=("red", "green", "violet")))
    with pytest.raises(ConfigError, match="tiny 2 has no label 'blue'"):
        install(other, started)
    assert loaded(started) == "tiny 1.9"


@pytest.mark.parametrize("what", ["folder", "link elsewhere", "file"])
def test_a_bundle_that_lies_there_by_itself_is_left_alone(
    station: Path, tmp_path: Path, what: str
) -> None:
    place, own = station.parent / "model", make_signed(tmp_path, "1")
    if what == "folder":
        shutil.copytree(own, place)
    elif what == "file":
        zip_of(own, place)
    else:
        place.symlink_to(own)
    with pytest.raises(BundleLinkError, match=f"move it away .mv {place} {place}.before"):
        install(make_signed(tmp_path, "2"), station)
    assert loaded(station) == "tiny 1"
    assert kept(station) == []


def test_the_same_version_with_other_content_is_refused(started: Path, tmp_path: Path) -> None:
    install(make_signed(tmp_path, "2"), started)
    roll_back(started)
    other = OURS.sign(make_bundle(tmp_path / "other", version="2", accept={"red": 0.1, "green": 1,
                                                                           "blue": 1}))  # fmt: skip
    with pytest.raises(BundleTakenError, match="this is not the tiny 2 that was installed"):
        install(other, started)
    assert loaded(started) == "tiny 1.9"


def test_a_version_that_was_left_can_be_installed_again_and_is_mended(
    started: Path, tmp_path: Path
) -> None:
    bundle = make_signed(tmp_path, "2")
    install(bundle, started)
    roll_back(started)
    flip(started.parent / "model.versions" / "tiny-2" / "model.tflite")
    install(bundle, started)
    assert loaded(started) == "tiny 2"


def test_two_that_install_at_once_do_not_mix(started: Path, tmp_path: Path) -> None:
    versions = InstalledVersions(started.parent / "model")
    with versions.alone(), pytest.raises(InstallLockedError, match="another process"):
        install(make_signed(tmp_path, "2"), started)
    install(make_signed(tmp_path, "3"), started)
    assert loaded(started) == "tiny 3"


# Roll back


@pytest.fixture
def grown(started: Path, tmp_path: Path) -> Path:
    """A station with 1.9, 1.10 and 2 installed one after the other."""
    for version in ("1.10", "2"):
        install(make_signed(tmp_path, version), started)
    return started


def test_a_rollback_goes_one_version_back_each_time(grown: Path) -> None:
    change = roll_back(grown)
    assert (str(change.before), loaded(grown)) == ("tiny 2", "tiny 1.10")
    roll_back(grown)
    assert loaded(grown) == "tiny 1.9"
    with pytest.raises(RollbackError, match=r"no version older than tiny 1\.9.*1\.9, 1\.10, 2$"):
        roll_back(grown)
    assert loaded(grown) == "tiny 1.9"


@pytest.mark.parametrize("version", ["1.9", "1.10", "2"])
def test_a_rollback_goes_to_any_version_that_was_verified(grown: Path, version: str) -> None:
    roll_back(grown, version="1.9")
    roll_back(grown, version=version)
    assert loaded(grown) == f"tiny {version}"


def test_a_version_that_was_never_here_cannot_be_gone_back_to(grown: Path, tmp_path: Path) -> None:
    shutil.copytree(make_signed(tmp_path, "1"), grown.parent / "model.versions" / "tiny-1")
    with pytest.raises(RollbackError, match=r"no tiny 1 was verified on this station") as caught:
        roll_back(grown, version="1")
    assert caught.value.exit_code == EXIT_NO
    assert loaded(grown) == "tiny 2"


def test_where_nothing_was_installed_there_is_no_way_back(station: Path) -> None:
    with pytest.raises(RollbackError, match="no bundle has been installed here yet"):
        roll_back(station)
    assert kept(station) == []


def record_gone(folder: Path) -> None:
    (folder / "tiny-1.10.json").write_text("{")


def exchanged(folder: Path) -> None:
    """By another bundle that was signed with the same key and says the same of itself."""
    shutil.rmtree(folder / "tiny-1.10")
    OURS.sign(make_bundle(folder / "tiny-1.10", version="1.10", accept={"red": 0, "green": 0,
                                                                        "blue": 0}))  # fmt: skip


@pytest.mark.parametrize(
    ("tamper", "error"),
    [
        (lambda f: flip(f / "tiny-1.10" / "model.tflite"), BundleFileChangedError),
        (lambda f: (f / "tiny-1.10" / "x").write_bytes(b""), BundleFileExtraError),
        (lambda f: (f / "tiny-1.10" / "card.md").unlink(), BundleFileMissingError),
        (lambda f: (f / "tiny-1.10" / "signature").unlink(), SignatureMissingError),
        (lambda f: THEIRS.sign(f / "tiny-1.10"), SignatureKeyError),
        (lambda f: shutil.copy(f / "tiny-1.9" / "signature", f / "tiny-1.10"), SignatureWrongError),
        (lambda f: scores_changed(f / "tiny-1.10"), BundleFileChangedError),
        (lambda f: shutil.rmtree(f / "tiny-1.10"), BundleMissingError),
        (exchanged, BundleFileChangedError),
        (record_gone, RollbackError),
    ],
    ids=["file changed", "file added", "file removed", "unsigned", "other key",
         "signature of another bundle", "signed anew with other scores", "not there",
         "exchanged", "record unreadable"],
)  # fmt: skip
def test_what_was_tampered_with_since_is_not_gone_back_to(
    grown: Path, tamper: Callable[[Path], object], error: type[PilahError]
) -> None:
    tamper(grown.parent / "model.versions")
    with pytest.raises(PilahError) as caught:
        roll_back(grown, version="1.10")
    assert type(caught.value) is error
    assert loaded(grown) == "tiny 2"
    roll_back(grown, version="1.9")
    assert loaded(grown) == "tiny 1.9"


def test_a_broken_bundle_can_be_left(grown: Path) -> None:
    flip(grown.parent / "model" / "model.tflite")
    with pytest.raises(ConfigError, match="has been changed"):
        read_station(grown)
    roll_back(grown)
    assert loaded(grown) == "tiny 1.10"


def test_a_key_that_is_pinned_later_counts_for_earlier_versions(tmp_path: Path) -> None:
    station = make_pinned(tmp_path / "station", text=OPEN)
    install(make_signed(tmp_path, "1", key=None), station)
    station.write_text(PINNED)
    install(make_signed(tmp_path, "2"), station)
    with pytest.raises(SignatureMissingError):
        roll_back(station)
    assert loaded(station) == "tiny 2"


# Interrupted


def killed_at_each_step(station: Path, made: Path | str, verb: str) -> list[str]:
    """What the station loads after a kill at the first step, the second ..., and at the end."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.edge.rollout.interrupting",
            "steps",
            str(station),
            str(made),
            verb,
        ],
        cwd=Path(__file__).parents[3],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split(" ", 1) for line in done.stdout.splitlines()]
    assert [code for code, _ in lines] == ["-9"] * (len(lines) - 1) + ["0"]
    return [title for _, title in lines]


def test_an_install_that_is_killed_leaves_the_old_bundle_or_the_new(
    started: Path, tmp_path: Path
) -> None:
    found = killed_at_each_step(started, make_signed(tmp_path, "2"), "install")
    assert len(found) > 12, "files, folders, the record and the link are steps"
    assert found == ["tiny 1.9"] * (len(found) - 1) + ["tiny 2"]
    assert kept(started) == ["tiny-1.9", "tiny-1.9.json", "tiny-2", "tiny-2.json"]
    roll_back(started)
    assert loaded(started) == "tiny 1.9"


def test_a_rollback_that_is_killed_leaves_the_one_bundle_or_the_other(
    started: Path, tmp_path: Path
) -> None:
    install(make_signed(tmp_path, "2"), started)
    found = killed_at_each_step(started, "", "rollback")
    assert len(found) > 2
    assert found == ["tiny 2"] * (len(found) - 1) + ["tiny 1.9"]


@pytest.mark.slow
def test_a_power_cut_at_any_step_leaves_the_one_bundle_or_the_other(disk: Disk) -> None:
    # On a disk of its own; `disk` tells whether there may be one.
    subprocess.run(
        [sys.executable, "-m", "tests.edge.rollout.interrupting", "rounds", "1", "--power"],
        cwd=Path(__file__).parents[3],
        check=True,
    )


def test_a_disk_that_fails_at_any_fsync_leaves_the_old_bundle_or_the_new(
    started: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, whole, count = make_signed(tmp_path, "2"), os.fsync, 0

    def failing(descriptor: int) -> None:
        nonlocal count
        count -= 1
        if count == 0:
            raise OSError(28, "No space left on device")
        whole(descriptor)

    monkeypatch.setattr(files.os, "fsync", failing)
    found = []
    for step in range(1, 50):
        count = step
        try:
            install(bundle, started)
        except StorageError:
            found.append(loaded(started))
            if found[-1] == "tiny 2":
                break
        else:
            pytest.fail("the last fsync, of the folder with the link, comes after the rename")
    assert len(found) > 10
    assert found == ["tiny 1.9"] * (len(found) - 1) + ["tiny 2"]
    assert not [name for name in kept(started) if name.startswith(".")]


# Old versions


def test_old_versions_are_removed_but_not_those_one_would_go_back_to(
    station: Path, tmp_path: Path
) -> None:
    for number in range(1, 8):
        install(make_signed(tmp_path, f"{number}"), station)
    folders = {f"tiny-{number}" for number in range(3, 8)}
    assert {name for name in kept(station) if not name.endswith(".json")} == folders
    assert {name for name in kept(station) if name.endswith(".json")} == {
        f"{name}.json" for name in folders
    }
    assert roll_back(station).plan.bundle.title == "tiny 6"


def test_the_version_that_was_active_before_stays_however_old_it_is(
    station: Path, tmp_path: Path
) -> None:
    for number in range(1, 6):
        install(make_signed(tmp_path, f"{number}"), station)
    roll_back(station, version="1")
    install(make_signed(tmp_path, "6"), station)
    assert "tiny-1" in kept(station)
    install(make_signed(tmp_path, "7"), station)
    assert "tiny-1" not in kept(station)
    assert "tiny-6" in kept(station)
