"""What changed bundles do to the commands: `python -m tests.benchmarks.mutated_bundles`.

A small bundle is changed in one or two places at a time, its digests are made right again, as
whoever means harm would do, and a command is given it: `inspect`, `classify` or `check`. It has to
take it or to refuse it with a documented exit code. What must not be: a signal, a traceback, over
30 seconds, or a process that holds more than 400 MB. Exit code 1: something was.

The four kinds: fields of the model's structure, bytes of the model, the other files and the
manifest, and the bytes of a zip file. What fails is left in `build/mutated/`.

`--fork` makes the process that tries a model a fork of this one, with all libraries loaded, where
the commands themselves start a new Python: four times as many cases in the same time.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import io
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from edge.cli import main as pilah_edge
from edge.core.errors import EXIT_CONFIG, EXIT_DATA, EXIT_NO, EXIT_OK
from edge.core.model import trial
from tests.bundles import make_bundle, write_picture

SECONDS, MEGABYTES = 30, 400
"""What a command may take; the seconds are of processor time."""
_CODES = {EXIT_OK, EXIT_DATA, EXIT_CONFIG}
"""What a command may end with; 74 and 69 mean "try again", and nothing here mends by itself."""
_NUMBERS = (-1, 0, 1, 2, 3, 7, 127, 128, 255, 256, 65535, 2**31 - 1, -(2**31), 2**20)
_PIECES = (b"\0", b"\xff", b"\x80", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\0\0\0", b"\0\0\0\x80")
Mutation = Callable[[random.Random, Path], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended."""

    code: int
    """Negative: the signal that ended it."""
    said: str
    """On standard error."""
    seconds: float
    megabytes: int
    """The most that it, or a child of it, held."""

    @property
    def fault(self) -> str:
        """What must not be; empty where all is well."""
        if self.code < 0:
            return f"ended by {signal.Signals(-self.code).name}"
        if "Traceback" in self.said or self.code not in _CODES:
            return f"exit code {self.code}: {self.said.strip()[-200:]}"
        if self.seconds > SECONDS:
            return f"{self.seconds:.0f} s"
        return f"{self.megabytes} MB" if self.megabytes > MEGABYTES else ""


def with_digests(bundle: Path) -> None:
    """Makes the digests of `bundle.json` those of the files, where it is such a manifest."""
    try:
        manifest = json.loads((bundle / "bundle.json").read_bytes())
        files = manifest["files"]
        for name in files:
            if (file := bundle / name).is_file():
                files[name] = hashlib.sha256(file.read_bytes()).hexdigest()
        (bundle / "bundle.json").write_text(json.dumps(manifest), "utf-8")
    except (ValueError, TypeError, KeyError, OSError):
        return


# The kinds


def structure(chance: random.Random, bundle: Path) -> None:
    """Changes fields of the model: an index, a size, an option, a list."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    file = bundle / "model.tflite"
    original = file.read_bytes()
    while True:
        model = schema.ModelT.InitFromPackedBuf(original, 0)
        for _ in range(chance.choice((1, 1, 1, 2))):
            _change_field(chance, model)
        builder = flatbuffers.Builder(1024)
        try:
            builder.Finish(model.Pack(builder), b"TFL3")
        except Exception:  # the library cannot write such a thing: take another
            continue
        file.write_bytes(bytes(builder.Output()))
        return


def _change_field(chance: random.Random, model: Any) -> None:
    owner, name = chance.choice(list(_fields(model)))
    value = getattr(owner, name) if isinstance(name, str) else owner[name]
    new: Any
    if isinstance(value, bool):
        new = not value
    elif isinstance(value, int):
        new = chance.choice((*_NUMBERS, value + 1, value - 1, chance.randrange(-300, 300)))
    elif isinstance(value, float):
        new = chance.choice((0.0, -1.0, 1e30, -1e30, float("nan"), float("inf"), 1e-30))
    elif isinstance(value, list) and value:
        new = list(value)
        place = chance.randrange(len(new))
        how = chance.choice(("drop", "double", "swap", "empty"))
        if how == "drop":
            del new[place]
        elif how == "double":
            new.insert(place, copy.copy(new[place]))
        elif how == "swap":
            other = chance.randrange(len(new))
            new[place], new[other] = new[other], new[place]
        else:
            new = []
    else:
        new = None
    if isinstance(name, str):
        setattr(owner, name, new)
    else:
        owner[name] = new


def _fields(part: Any) -> Iterator[tuple[Any, Any]]:
    """Every field of a model, and every number of its lists."""
    for name, value in vars(part).items():
        yield part, name
        if hasattr(value, "tolist"):
            setattr(part, name, value := value.tolist())
        if isinstance(value, list):
            if not value or not hasattr(value[0], "__dict__"):
                yield from ((value, index) for index in range(min(len(value), 16)))
            else:
                for child in value:
                    yield from _fields(child)
        elif hasattr(value, "__dict__"):
            yield from _fields(value)


def _changed_bytes(chance: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 3))):
        at = chance.randrange(len(changed))
        how = chance.choice(("flip", "piece", "cut", "repeat"))
        if how == "flip":
            changed[at] ^= 1 << chance.randrange(8)
        elif how == "piece":
            piece = chance.choice(_PIECES)
            changed[at : at + len(piece)] = piece
        elif how == "cut":
            del changed[at : at + chance.choice((1, 4, 64, len(changed)))]
            changed += b"\0" * (not changed)
        else:
            changed[at:at] = changed[at : at + chance.choice((1, 4, 64))]
    return bytes(changed)


def model_bytes(chance: random.Random, bundle: Path) -> None:
    """Changes bytes of the model, or of a golden picture."""
    names = ("model.tflite", "model.tflite", "model.tflite", "golden/0.png", "golden/1.png")
    file = bundle / chance.choice(names)
    file.write_bytes(_changed_bytes(chance, file.read_bytes()))


_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**63, 10**29, 1e300, -0.5, "", "x", "x" * 5000, [], {},
    [[]], {"a": {}}, ["x"], "\u2028", "\x1b[31m", "\r", "\0", "../x", "/etc/passwd", "\U0001f34e",
    "9" * 5000, "1." * 3000 + "1",
)  # fmt: skip
_TEXTS: tuple[bytes, ...] = (
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5000, b"-" + b"9" * 400, b'"\\ud800"',
    b"[" * 500 + b"]" * 500, b"[" * 100_000, b'{"a":' * 300 + b"1" + b"}" * 300, b'{"a":1,"a":2}',
    b'"\xff"', b"\0", b"'x'", b"1_000", b"0x10", b'"\\u0000"', b"", b"{}", b"[]",
)  # fmt: skip
_LABELS = (
    b"red\ngreen\n\x1b[2Jblue\n", b"red\ngreen\nbl\rue\n", "red\ngreen\nbl\u2028ue\n".encode(),
    b"red\ngreen\n" + b"b" * 5000 + b"\n", b"red\nred\nblue\n", b"", b"\xff\xfe", b"\0" * 50,
    b"red\ngreen\nblue\n" * 3000, b"red\n../x\nblue\n", "red\ngreen\n\u202eblue\n".encode(),
)  # fmt: skip


def mutated_json(chance: random.Random, fields: dict[str, Any]) -> bytes:
    """The text of `fields` with a value, a key, a piece of text or bytes changed."""
    kind = chance.choice(("value", "value", "value", "key", "text", "text", "bytes"))
    owner, key = chance.choice(list(_places(fields)))
    if kind == "value":
        owner[key] = chance.choice(_VALUES)
    elif kind == "key" and isinstance(owner, dict):
        owner[str(chance.choice(_VALUES))] = owner.pop(key)
    elif kind == "key":
        del owner[key]
    elif kind == "text":
        owner[key] = "HERE"
        return json.dumps(fields).encode().replace(b'"HERE"', chance.choice(_TEXTS))
    text = json.dumps(fields).encode()
    return _changed_bytes(chance, text) if kind == "bytes" else text


def manifest(chance: random.Random, bundle: Path) -> None:
    """Changes a value, or the text, of `bundle.json`, or another small file."""
    file = bundle / "bundle.json"
    kind = chance.choice(("json",) * 7 + ("labels", "card", "signature", "files"))
    fields = json.loads(file.read_bytes())
    fields["figures"] = _figures()
    if kind == "json":
        file.write_bytes(mutated_json(chance, fields))
    elif kind == "labels":
        content = chance.choice((*_LABELS, _changed_bytes(chance, b"red\ngreen\nblue\n")))
        (bundle / "labels.txt").write_bytes(content)
        names = [line.decode(errors="replace") for line in content.split(b"\n") if line]
        fields["accept"] = dict.fromkeys(names, 0.5)
        file.write_text(json.dumps(fields), "utf-8")
    elif kind == "card":
        (bundle / "card.md").write_bytes(os.urandom(64))
    elif kind == "signature":
        signed = {"algorithm": "ed25519", "key": "0" * 16, "signature": "0" * 128}
        text = json.dumps(signed | {chance.choice(list(signed)): chance.choice(_VALUES)})
        (bundle / "signature").write_bytes(
            chance.choice((text.encode(), chance.choice(_TEXTS), os.urandom(300)))
        )
    else:
        chance.choice((
            lambda: (bundle / "extra").write_bytes(b"x"),
            lambda: (bundle / os.fsdecode(b"\xff\xfe")).write_bytes(b"x"),
            lambda: (bundle / "labels.txt").unlink(),
            lambda: (bundle / "golden" / "0.png").write_bytes(b""),
            lambda: (bundle / "d/d/d/d/d/d").mkdir(parents=True),
            lambda: os.mkfifo(bundle / "pipe"),
            lambda: (bundle / "card.md").write_bytes(bytes(20_000_000)),
        ))()  # fmt: skip


def _figures() -> dict[str, Any]:
    right = {"accuracy": 0.9, "accuracy_interval": [0.8, 0.95], "images": 80}
    return {
        "verdict": {"word": "good", "why": "80 to 95% are told right", "needed": None},
        "int8_loss": {"word": "good", "why": "none is lost", "needed": None},
        "float32": dict(right),
        "int8": dict(right),
        "kept": "first",
    }


def _places(part: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(part) if isinstance(part, dict) else list(range(len(part)))
    for key in keys:
        yield part, key
        if isinstance(part[key], dict | list):
            yield from _places(part[key])


def zip_bytes(chance: random.Random, bundle: Path) -> None:
    """Makes the bundle a zip file with names, sizes or bytes that are not as they should be."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(bundle.rglob("*")):
            if file.is_file():
                archive.writestr(file.relative_to(bundle).as_posix(), file.read_bytes())
        if chance.random() < 0.1:
            archive.writestr("bomb", bytes(200_000_000))
    content = bytearray(whole.getvalue())
    for _ in range(chance.choice((1, 1, 2))):
        how = chance.choice(("bytes", "entry", "name", "end"))
        entries = [at for at in range(len(content) - 46) if content[at : at + 4] == b"PK\1\2"]
        if how == "bytes" or not entries:
            content = bytearray(_changed_bytes(chance, bytes(content)))
        elif how == "entry":
            at = chance.choice(entries) + chance.randrange(4, 46)
            content[at : at + 4] = chance.choice(_PIECES)
        elif how == "name":
            at = chance.choice(entries)
            content[at + 8 : at + 10] = chance.choice(
                (b"\0\x08", b"\0\0")
            )  # named in UTF-8, or not
            content[at + 46 : at + 49] = chance.choice((b"\xff\xfe\xff", b"../", b"\0\0\0", b"/ab"))
        else:
            at = bytes(content).rfind(b"PK\5\6") + chance.randrange(4, 22)
            content[at : at + 2] = chance.choice((b"\xff\xff", b"\0\0", b"\x01\0", b"\0\x80"))
    shutil.rmtree(bundle)
    bundle.write_bytes(bytes(content))


KINDS: dict[str, Mutation] = {
    "structure": structure,
    "bytes": model_bytes,
    "manifest": manifest,
    "zip": zip_bytes,
}


# What is done with them


def outcome(words: list[str], scratch: Path) -> Outcome:
    """How `pilah-edge` ends with these words, in a fork of this process."""
    said = scratch / "stderr"
    child = os.fork()
    if child == 0:
        code = 70
        try:
            nothing = os.open(os.devnull, os.O_RDWR)
            talk = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            for source, target in ((nothing, 0), (nothing, 1), (talk, 2)):
                os.dup2(source, target)
            signal.alarm(4 * SECONDS)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            code = pilah_edge(words)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stderr.flush()
            used = max(
                resource.getrusage(who).ru_maxrss
                for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
            )
            (scratch / "used").write_text(str(used))
            os._exit(code)
    _, status, usage = os.wait4(child, 0)
    used = int((scratch / "used").read_text()) if (scratch / "used").exists() else usage.ru_maxrss
    return Outcome(
        os.waitstatus_to_exitcode(status),
        said.read_text("utf-8", errors="replace"),
        usage.ru_utime + usage.ru_stime,
        used // 1024,
    )


def fork_trials(commands: Iterable[list[str]]) -> None:
    """Makes `edge.core.model.trial` fork this process where it would start a Python.

    Starts this program anew where its memory is not filled as that of such a child is.

    Args:
        commands: run here once, so that all that they import is there for every fork.
    """
    if "MALLOC_PERTURB_" not in os.environ:
        os.execve(sys.executable, sys.orig_argv, os.environ | {"MALLOC_PERTURB_": "165"})
    cv2.setNumThreads(1)
    for command in commands:
        with redirect_stdout(io.StringIO()):
            pilah_edge(command)
    subprocess.run = _forked_trial  # type: ignore[assignment]


def _forked_trial(words: list[str], **given: Any) -> subprocess.CompletedProcess[bytes]:
    with tempfile.TemporaryFile() as request, tempfile.TemporaryFile() as answers:
        request.write(given["input"])
        request.seek(0)
        child = os.fork()
        if child == 0:
            try:
                os.dup2(request.fileno(), 0)
                os.dup2(answers.fileno(), 1)
                sys.stdin = os.fdopen(0, closefd=False)
                trial._serve()
            finally:
                os._exit(EXIT_NO)
        _, status, _ = os.wait4(child, 0)
        answers.seek(0)
        return subprocess.CompletedProcess(
            words, os.waitstatus_to_exitcode(status), answers.read(), b""
        )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.mutated_bundles")
    for name in KINDS:
        parser.add_argument(f"--{name}", type=int, default=0, help="how many of this kind")
    parser.add_argument("--each", type=int, default=0, help="how many of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--unknown", action="store_true", help="a model that tells unknown things")
    parser.add_argument("--fork", action="store_true", help="fork where a Python would be started")
    words = parser.parse_args()
    failed = Path("build/mutated")
    faults = 0
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        os.environ["PILAH_STATE"] = str(place / "state")
        good = make_bundle(place / "good", unknown=0.5 if words.unknown else None)
        picture = place / "picture.png"
        write_picture(picture, (40, 60, 200))
        station = place / "station.yaml"
        station.write_text(_STATION, "utf-8")
        (place / "photographs").mkdir()
        shutil.copy(picture, place / "photographs")
        bundle = place / "bundle"
        shutil.copytree(good, bundle)
        commands = (
            ["inspect", str(bundle)],
            ["inspect", "--json", str(bundle)],
            ["classify", str(bundle), str(picture)],
            ["check", str(station)],
        )
        if words.fork:
            fork_trials(commands)
        for command in commands:
            before = outcome(command, place)
            if before.code != EXIT_OK:
                print(f"the unchanged bundle: {command[0]}: {before.code}: {before.said}")
                return EXIT_NO
        for kind, change in KINDS.items():
            count = words.each or getattr(words, kind)
            codes: Counter[int] = Counter()
            most, longest = 0, 0.0
            for number in range(count):
                chance = random.Random(f"{words.seed} {kind} {number}")
                _remove(bundle)
                shutil.copytree(good, bundle)
                change(chance, bundle)
                if kind in ("structure", "bytes"):
                    with_digests(bundle)
                command = commands[number % len(commands)]
                found = outcome(command, place)
                codes[found.code] += 1
                most, longest = max(most, found.megabytes), max(longest, found.seconds)
                if found.fault:
                    faults += 1
                    kept = failed / f"{kind}-{words.seed}-{number}"
                    _remove(kept)
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    (shutil.copytree if bundle.is_dir() else shutil.copy)(bundle, kept)
                    print(f"{kind} {number}: {command[0]}: {found.fault}  ({kept})", flush=True)
            if count:
                shown = ", ".join(f"{n} x {code}" for code, n in sorted(codes.items()))
                print(f"{kind:<10} {count}: {shown}; most {most} MB, {longest:.1f} s", flush=True)
    print(f"faults     {faults}")
    return EXIT_NO if faults else EXIT_OK


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


_STATION = """\
station: first
camera: {kind: folder, path: photographs, frames_per_second: 5}
trigger: {kind: continuous}
bundle: bundle
lanes:
  a: {labels: [red, green]}
  b: {labels: [blue]}
  c: {labels: []}
default_lane: c
ledger: {path: ledger.sqlite}
"""

if __name__ == "__main__":
    sys.exit(main())
