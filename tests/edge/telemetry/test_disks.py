"""Which disk a folder is on, by what the kernel and the table of file systems say."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.telemetry.disks import Disk, disk_of, missing_disk

MOUNTS = """\
21 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw
30 21 0:24 / /run rw,nosuid shared:5 - tmpfs tmpfs rw
31 21 0:25 / /tmp rw shared:6 master:2 - tmpfs tmpfs rw
44 21 8:1 / /media/pi/MY\\040STICK rw shared:9 - vfat /dev/sda1 rw
50 21 8:17 / /srv/photos rw - ext4 /dev/sdb1 rw
"""
TABLE = """\
# what is mounted where
proc            /proc           proc    defaults          0       0
PARTUUID=1-02   /               ext4    defaults,noatime  0       1
LABEL=old       /srv/old\\040ones ext4 nofail 0 2   # not plugged in
LABEL=photos    /srv/photos     ext4    nofail  0 2
LABEL=swap      none            swap    sw
"""


@pytest.fixture
def told(tmp_path: Path) -> dict[str, Path]:
    found = {"mounts": tmp_path / "mountinfo", "table": tmp_path / "fstab"}
    found["mounts"].write_text(MOUNTS)
    found["table"].write_text(TABLE)
    return found


@pytest.mark.parametrize(
    ("path", "disk"),
    [
        ("/var/lib/pilah/photos", Disk(Path("/"), "ext4")),
        ("/srv/photos", Disk(Path("/srv/photos"), "ext4")),
        ("/srv/photos/a/b", Disk(Path("/srv/photos"), "ext4")),
        ("/srv/photos2", Disk(Path("/"), "ext4")),
        ("/media/pi/MY STICK/photos", Disk(Path("/media/pi/MY STICK"), "vfat")),
        ("/run/pilah", Disk(Path("/run"), "tmpfs")),
    ],
    ids=str,
)
def test_a_path_is_on_the_disk_that_is_mounted_nearest_above_it(
    told: dict[str, Path], path: str, disk: Disk
) -> None:
    assert disk_of(Path(path), mounts=told["mounts"]) == disk
    assert disk.in_memory == (disk.kind == "tmpfs")


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ("/var/lib/pilah/photos", None),
        ("/srv/photos/2026", None),
        ("/srv/old ones/photos", "/srv/old ones"),
        ("/srv/old ones", "/srv/old ones"),
        ("/media/pi/MY STICK/photos", None),
        ("/media/pi/OTHER/photos", "/media"),
        ("/mnt/photos", "/mnt"),
    ],
)
def test_a_disk_that_is_meant_and_not_mounted_is_found(
    told: dict[str, Path], path: str, missing: str | None
) -> None:
    found = missing_disk(Path(path), **told)
    assert (None if found is None else str(found)) == missing


def test_a_system_that_tells_nothing_has_one_disk(tmp_path: Path) -> None:
    nothing = tmp_path / "none"
    assert disk_of(Path("/srv/x"), mounts=nothing) == Disk(Path("/"), "")
    assert missing_disk(Path("/srv/x"), mounts=nothing, table=nothing) is None
