"""The trial of an untrusted model: it is loaded and run in a child process with limits.

A runtime trusts a file, and a damaged file can end the process, run without end or take all memory.
So a bundle that was not signed by a pinned key is first checked by `check_model_file`; then a child
process with limits loads it, runs it and decodes its golden pictures. The digest of a model that
passes is noted, so that the trial runs once for a model, a runtime and a machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import signal
import stat
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge import __version__
from edge.core import errors
from edge.core.errors import BundleError, BundleFormatError, TrialError, UnreadableImageError
from edge.core.files import write_file
from edge.core.model.bundle import MODEL, Bundle

_VERSION = 1
"""The version of the trial; it must be raised whenever the trial becomes stricter."""
CPU_SECONDS = 60
"""The CPU time that the child may use: a Raspberry Pi takes ten seconds for a large model."""
_WALL_SECONDS = 110.0
"""The time limit of a trial, which is less than systemd's limit for the start of the service."""
_SPARE_MEMORY = 192 << 20
"""The bytes of memory that the child may use in addition to the loaded libraries."""
_MEMORY_PER_BYTE = 4
"""The further bytes of memory for each byte of the model, because a runtime repacks the weights."""
_MOST_NOTES = 200
_VERDICT = "verdict: "

_known: set[str] = set()
"""The keys of models that this process has tried, or has found a note of."""


def check_bundle_harmless(bundle: Bundle) -> None:
    """Checks that a bundle's model does no harm, by a trial or an earlier note.

    A bundle that a pinned key signed is not tried.

    Raises:
        BundleFormatError: the model ends the process that loads it, takes too much time or
            memory, or did not pass the static check.
        BundleError: the runtime refuses the model, or it does not follow the contract.
        TrialError: the model could not be tried.
    """
    if bundle.signer is None:
        _check(bundle.model, bundle.golden, _digests(bundle), name=str(bundle.path))


def check_model_harmless(model: bytes, *, name: str) -> None:
    """Checks that a `.tflite` file with any input does no harm, by a trial or an earlier note.

    Args:
        name: the name of the file in messages.

    Raises:
        BundleFormatError, TrialError, UnreadableImageError: see `check_bundle_harmless`.
    """
    _check(model, None, [hashlib.sha256(model).hexdigest()], name=name)


def note_harmless(bundle: Bundle) -> None:
    """Notes that a bundle's model, which this process has made and run itself, does no harm."""
    _write_note(_key(_digests(bundle)))


def _digests(bundle: Bundle) -> list[str]:
    return [bundle.manifest.files[name] for name in (MODEL, *sorted(bundle.golden))]


def _check(
    model: bytes, golden: Mapping[str, bytes] | None, digests: Sequence[str], *, name: str
) -> None:
    key = _key(digests)
    if key in _known:
        return
    if _is_noted(key):
        _known.add(key)
        return
    from edge.core.model.model_file import check_model_file  # not at the start of a known bundle

    check_model_file(model, name=name if golden is None else f"{name}: {MODEL}")
    _try_apart(model, golden, name)
    _write_note(key)


def _key(digests: Sequence[str]) -> str:
    """The key of a note: a digest of everything that the result of a trial depends on."""
    from edge.core.model.interpreter import load_runtime

    parts = [str(_VERSION), __version__, load_runtime()[1], platform.machine(), *sorted(digests)]
    parts += [f"numpy {np.__version__}", f"opencv {cv2.__version__}"]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


# The notes


def _note_of(key: str) -> Path | None:
    """The path of a note: in PILAH_STATE, else in the service's own folder, else in the user's.

    None if there is no such folder.
    """
    if chosen := os.environ.get("PILAH_STATE") or os.environ.get("STATE_DIRECTORY"):
        base = Path(chosen.partition(":")[0])
    elif chosen := os.environ.get("XDG_DATA_HOME"):
        base = Path(chosen) / "pilah"
    else:
        try:
            base = Path.home() / ".local" / "share" / "pilah"
        except RuntimeError:  # the user has no home folder
            return None
    return base / "tried" / key


def _note(key: str) -> bytes:
    return f"pilah has tried this model, and it did no harm\n{key}\n".encode()


def _is_noted(key: str) -> bool:
    """Whether there is a valid note, owned by this user or root; a damaged note does not count."""
    wanted, note = _note(key), _note_of(key)
    if note is None:
        return False
    try:
        with open(note, "rb", opener=_without_links) as file:
            found = os.fstat(file.fileno())
            ours = found.st_uid in (os.geteuid(), 0) and not found.st_mode & 0o022
            return ours and stat.S_ISREG(found.st_mode) and file.read(len(wanted) + 1) == wanted
    except OSError:
        return False


def _without_links(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _write_note(key: str) -> None:
    """Notes that a model did no harm; without a note, the trial is repeated the next time."""
    _known.add(key)
    if (note := _note_of(key)) is None:
        return
    with suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_file(note, _note(key), mode=0o600)
        notes = sorted(note.parent.iterdir(), key=lambda path: path.lstat().st_mtime)
        for old in notes[:-_MOST_NOTES]:
            old.unlink(missing_ok=True)


# The caller's side


def _try_apart(model: bytes, golden: Mapping[str, bytes] | None, name: str) -> None:
    import subprocess

    pictures = golden or {}
    request = json.dumps(
        {
            "bundle": golden is not None,
            "model": len(model),
            "pictures": {key: len(png) for key, png in pictures.items()},
        }
    )
    content = b"".join((request.encode(), b"\n", model, *pictures.values()))
    path = os.pathsep.join(part or str(Path.cwd()) for part in sys.path)
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-W", "ignore", "-m", "edge.core.model.trial"],
            input=content,
            capture_output=True,
            timeout=_WALL_SECONDS,
            env=os.environ
            | {"PYTHONPATH": path, "PYTHONFAULTHANDLER": "", "MALLOC_PERTURB_": "165"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TrialError(
            f"{name}: its model could not be tried within {_WALL_SECONDS:.0f} s, perhaps because "
            "this machine is busy: try again"
        ) from error
    except OSError as error:
        raise TrialError(
            f"{name}: no process could be started to try its model in ({error.strerror}): try again"
        ) from error
    _judge(done.returncode, done.stdout.decode(errors="replace"), name)


def _judge(code: int, said: str, name: str) -> None:
    """Raises the error for a child that did not end well, or that refused the model."""
    advice = "It is damaged or malicious: get it again from its maker"
    verdict = [line for line in said.splitlines() if line.startswith(_VERDICT)]
    if code == 0 and verdict:
        found = json.loads(verdict[-1].removeprefix(_VERDICT))
        if found is None:
            return
        kind = getattr(errors, found["kind"], None)
        if not (isinstance(kind, type) and issubclass(kind, BundleError)):
            kind = BundleFormatError
        raise kind(f"{name}: {found['said']}")
    if code in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT):
        raise TrialError(
            f"{name}: another process or the system ended the trial of its model, perhaps because "
            "memory ran out: try again"
        )
    if code == -signal.SIGXCPU:
        raise BundleFormatError(
            f"{name}: its model takes more than {CPU_SECONDS} s for one picture. {advice}"
        )
    if code < 0:
        raise BundleFormatError(
            f"{name}: its model ends the process that runs it ({signal.Signals(-code).name}), so "
            f"it is not loaded. {advice}"
        )
    raise TrialError(
        f"{name}: its model could not be tried: the child process ended with exit code {code}. Try "
        "again, and report the error if it happens again"
    )


# The child's side


def _serve() -> None:
    """Tries the model on standard input, and writes the result on standard output."""
    answers = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 1)  # the output of libraries is discarded
    os.dup2(nothing, 2)
    from edge.core.processes.children import end_with_parent

    end_with_parent()
    from edge.core.model.interpreter import load_runtime

    cv2.setNumThreads(1)
    load_runtime()
    request = json.loads(sys.stdin.buffer.readline())
    _limit(request["model"])
    model = sys.stdin.buffer.read(request["model"])
    pictures = {key: sys.stdin.buffer.read(size) for key, size in request["pictures"].items()}
    refusal: dict[str, str] | None = None
    try:
        (_use_bundle if request["bundle"] else _use_any)(model)
        _decode(pictures)
    except BundleError as error:
        refusal = {"kind": type(error).__name__, "said": str(error)}
    except MemoryError:
        refusal = {
            "kind": "BundleFormatError",
            "said": f"its model needs more than {_memory(len(model)) >> 20} MB of memory, which a "
            "station does not have",
        }
    os.write(answers, f"\n{_VERDICT}{json.dumps(refusal)}\n".encode())
    os._exit(0)  # a crash in a library's exit handler would not be the model's fault


def _use_bundle(model: bytes) -> None:
    """Runs a bundle's model under all kernels."""
    from edge.core.model.interpreter import KERNELS, Interpreter

    for kernels in KERNELS:
        interpreter = Interpreter(model, kernels=kernels)
        interpreter.predict(_filled(interpreter.input_shape, np.uint8))
        del interpreter  # if memory was overwritten, freeing it ends the process


def _use_any(model: bytes) -> None:
    """Runs a model with any inputs under all kernels."""
    from edge.core.model.interpreter import load_runtime

    module, runtime = load_runtime()
    for resolver in ("AUTO", "BUILTIN_WITHOUT_DEFAULT_DELEGATES", "BUILTIN_REF"):
        try:
            interpreter = module.Interpreter(
                model_content=model,
                experimental_op_resolver_type=getattr(module.OpResolverType, resolver),
            )
            interpreter.allocate_tensors()
            for port in interpreter.get_input_details():
                interpreter.set_tensor(port["index"], _filled(port["shape"], port["dtype"]))
            interpreter.invoke()
            for port in interpreter.get_output_details():
                interpreter.get_tensor(port["index"])
            del interpreter
        except (ValueError, RuntimeError) as error:
            raise BundleFormatError(f"it cannot be run by {runtime}: {error}") from error


def _filled(shape: Sequence[int], dtype: Any) -> Any:
    """A tensor filled with all levels from 0 to 255."""
    count = int(np.prod(shape))
    return (np.arange(count) * 37 % 256).astype(dtype).reshape(shape)


def _decode(pictures: Mapping[str, bytes]) -> None:
    from edge.core.images.image_file import decode_image

    for name, content in pictures.items():
        try:
            decode_image(content, name=name)
        except UnreadableImageError as error:
            raise BundleFormatError(str(error)) from error


def _memory(model_size: int) -> int:
    return _SPARE_MEMORY + _MEMORY_PER_BYTE * model_size


def _limit(model_size: int) -> None:
    """Limits the memory and CPU time of this process, which has loaded all libraries already."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    spent = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
    resource.setrlimit(resource.RLIMIT_CPU, (spent + CPU_SECONDS, spent + CPU_SECONDS + 5))
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:  # not Linux: only the time is limited
        return
    wanted = pages * resource.getpagesize() + _memory(model_size)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, wanted))


if __name__ == "__main__":
    _serve()
