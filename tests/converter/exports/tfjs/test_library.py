"""TF.js is fetched once and checked against its published hash, or the error says what to do."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from converter.errors import LibraryMissingError
from converter.exports.tfjs import library as library
from converter.exports.tfjs.library import find_node, library_folder, tfjs_library

CONTENT = b"/* TF.js, for tests */"
ROOT = Path(__file__).parents[4]

NPM = """#!/bin/sh
echo "$@" >> {calls}
cp {archive} ./tensorflow-tfjs.tgz
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder; the published TF.js is replaced by a few bytes."""
    monkeypatch.setenv("PILAH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(library, "SHA256", hashlib.sha256(CONTENT).hexdigest())
    return tmp_path / "cache"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the only one on PATH besides the system's."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("sh", "cp", "sleep"):
        (folder / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def npm(programs: Path, content: bytes = CONTENT, *, member: str | None = None) -> Path:
    """Installs a fake npm that fetches a package with `content`; returns the file of its calls."""
    archive, calls = programs / "package.tgz", programs / "calls"
    with tarfile.open(archive, "w:gz") as packed:
        info = tarfile.TarInfo(member or library._MEMBER)
        info.size = len(content)
        packed.addfile(info, io.BytesIO(content))
    program(programs / "npm", NPM.format(calls=calls, archive=archive))
    return calls


def left(cache: Path) -> list[str]:
    return sorted(path.name for path in library_folder().iterdir() if path.name != "lock")


@pytest.mark.usefixtures("log_lines")
def test_it_is_fetched_once_and_says_so(
    cache: Path, programs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = npm(programs)
    script = tfjs_library()
    assert script.read_bytes() == CONTENT
    assert left(cache) == [script.name]
    said = capsys.readouterr().err
    assert "fetching TF.js 4.22.0, which happens once: 31 MB" in said
    assert str(script.parent) in said
    assert tfjs_library() == script
    assert len(calls.read_text().splitlines()) == 1
    assert "pack @tensorflow/tfjs@4.22.0" in calls.read_text()
    assert capsys.readouterr().err == ""


def test_what_was_damaged_is_fetched_again(cache: Path, programs: Path) -> None:
    npm(programs)
    tfjs_library().write_bytes(CONTENT[:-3])
    assert tfjs_library().read_bytes() == CONTENT


def test_what_is_in_the_cache_needs_no_npm(cache: Path, programs: Path) -> None:
    library_folder().mkdir(parents=True)
    (library_folder() / library.SCRIPT).write_bytes(CONTENT)
    assert tfjs_library().read_bytes() == CONTENT


def test_another_file_than_was_published_is_refused(cache: Path, programs: Path) -> None:
    npm(programs, b"something else")
    with pytest.raises(
        LibraryMissingError, match=r"a tf\S+ that differs from the published.*Received"
    ):
        tfjs_library()
    assert left(cache) == []


def test_a_package_without_the_file_is_refused(cache: Path, programs: Path) -> None:
    npm(programs, member="package/other.js")
    with pytest.raises(LibraryMissingError, match=r"no package with package/dist/tf\S+"):
        tfjs_library()
    assert left(cache) == []


def test_without_a_connection_the_error_says_why_and_what_to_do(
    cache: Path, programs: Path
) -> None:
    program(programs / "npm", "#!/bin/sh\necho 'npm error code ENOTFOUND' >&2\nexit 1\n")
    with pytest.raises(LibraryMissingError) as caught:
        tfjs_library()
    assert "exit code 1: npm error code ENOTFOUND" in str(caught.value)
    assert f"from another machine to {library_folder() / library.SCRIPT}" in str(caught.value)
    assert caught.value.exit_code == 69
    assert left(cache) == []


@pytest.fixture
def extra(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Installs a fake of the extra `tfjs`, a package with Node.js and npm; returns its node."""
    npm(programs)
    (programs / "npm").rename(programs / "npm-of-the-extra")
    package = tmp_path / "site" / "node_of_tests"
    (package / library._NODE).parent.mkdir(parents=True)
    (package / library._NPM).parent.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / library._NPM).touch()
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(library, "_NODE_PACKAGE", package.name)
    text = f'#!/bin/sh\n[ "$1" = {package / library._NPM} ] || exit 7\nshift\n'
    return program(package / library._NODE, f'{text}exec {programs / "npm-of-the-extra"} "$@"\n')


def test_the_extra_brings_npm_where_this_machine_has_none(
    cache: Path, programs: Path, extra: Path
) -> None:
    assert find_node() == extra
    assert tfjs_library().read_bytes() == CONTENT
    assert left(cache) == [library.SCRIPT]


def test_without_both_the_error_says_what_to_install(
    cache: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "_NODE_PACKAGE", "no_such_package")
    assert find_node() is None
    with pytest.raises(LibraryMissingError, match=r"needs npm.*pip install .*tfjs\.txt") as caught:
        tfjs_library()
    assert caught.value.exit_code == 69
    assert left(cache) == []


def test_this_machine_s_node_comes_first(cache: Path, programs: Path, extra: Path) -> None:
    program(programs / "node", "#!/bin/sh\n")
    assert find_node() == programs / "node"


def test_ctrl_c_ends_npm_and_what_it_started_and_leaves_nothing(
    cache: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = programs / "pid"
    program(
        programs / "npm", f"#!/bin/sh\nsleep 600 &\necho $! > {pid}.new\nmv {pid}.new {pid}\nwait\n"
    )
    (programs / "mv").symlink_to("/bin/mv")
    waited: list[subprocess.Popen[bytes]] = []

    def interrupted(self: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        if not waited:
            waited.append(self)
            while not pid.is_file():
                assert self.poll() is None
            raise KeyboardInterrupt
        return real(self, timeout)

    real = subprocess.Popen.wait
    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tfjs_library()
    assert waited[0].returncode not in (None, 0)
    assert ended(int(pid.read_text()))
    assert left(cache) == []


def ended(pid: int) -> bool:
    """Whether a process has ended, though its parent may not have waited for it yet."""
    until = time.monotonic() + 300
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
    return False


ASKS = """
import hashlib, sys
from converter.exports.tfjs import library
from edge.core.terminal.log_lines import LogLines
library.SHA256 = sys.argv[1]
with LogLines():
    print(library.tfjs_library())
"""


def test_two_that_ask_at_a_time_fetch_it_once(cache: Path, programs: Path) -> None:
    calls = npm(programs)
    go = programs / "go"
    os.mkfifo(go)  # npm waits until somebody writes to it
    program(programs / "npm", (programs / "npm").read_text() + f"read line < {go}\n")
    words = [sys.executable, "-c", ASKS, library.SHA256]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    def ask() -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen(words, env=environment, stdout=pipe, stderr=pipe, text=True)

    def hear(asking: subprocess.Popen[str]) -> str:
        assert asking.stderr is not None
        return asking.stderr.readline()

    first = ask()
    assert "which happens once" in hear(first)
    second = ask()
    assert "another process is fetching TF.js: waiting" in hear(second)
    go.write_text("go\n")
    answers = {asking.communicate()[0].strip() for asking in (first, second)}
    assert answers == {str(library_folder() / library.SCRIPT)}
    assert len(calls.read_text().splitlines()) == 1


@pytest.mark.slow
def test_the_real_one_is_as_published(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("PILAH_CACHE", str(cache))
    script = tfjs_library()
    assert b"Licensed under the Apache License, Version 2.0" in script.read_bytes()[:1000]
    assert not re.search(rb"\b(eval|Function)\(", script.read_bytes())
