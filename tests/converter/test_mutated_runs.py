"""A run that was damaged or is malicious is either converted or refused, without a traceback."""

from __future__ import annotations

import copy
import json
import random
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from converter.calibration import Tensors
from converter.cli import main
from converter.errors import ConversionError
from converter.exports.tflite import Kind, convert_model
from edge.core.errors import EXIT_DATA, EXIT_IO, EXIT_OK
from tests.benchmarks.mutated_bundles import mutated_json
from trainer.run import FACTS, MODEL, SPLIT, Run

Change = Callable[[bytearray], object]


def copied(run: Run, folder: Path) -> Path:
    return Path(shutil.copytree(run.path, folder / "run"))


@pytest.mark.parametrize("number", range(40))
def test_changed_facts_are_taken_or_refused(
    number: int,
    run: Run,
    tmp_path: Path,
    converted_before: Callable[[Kind, bytes], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    place, chance = copied(run, tmp_path), random.Random(number)
    file = place / (SPLIT if number % 8 == 7 else FACTS)
    if file.name == FACTS:
        file.write_bytes(mutated_json(chance, json.loads(file.read_bytes())))
    else:
        content = bytearray(file.read_bytes())
        at = chance.randrange(len(content))
        content[at : at + chance.choice((1, 1, 40, 10_000))] = chance.choice((b"", b"\0", b"\xff,"))
        file.write_bytes(content)
    code = main(["convert", str(place), "--out", str(tmp_path / "bundle"), "--no-fallbacks"])
    said = capsys.readouterr().err
    assert code in (EXIT_OK, EXIT_DATA, EXIT_IO), said
    assert (tmp_path / "bundle").exists() == (code == EXIT_OK)


def flip(content: bytearray) -> None:
    content[len(content) // 2] ^= 1


def member_changed(place: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Changes one file in a model's archive; the checksums of the archive are made right again."""
    with zipfile.ZipFile(place / MODEL) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    parts[name] = change(parts[name])
    with zipfile.ZipFile(place / MODEL, "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)


def without(config: bytes, key: str) -> bytes:
    def dropped(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: dropped(value) for name, value in part.items() if name != key}
        return [dropped(value) for value in part] if isinstance(part, list) else part

    return json.dumps(dropped(copy.deepcopy(json.loads(config)))).encode()


WEIGHTS, CONFIG = "model.weights.h5", "config.json"
DAMAGES: dict[str, Callable[[Path], object]] = {
    "no file": lambda at: (at / MODEL).unlink(),
    "empty": lambda at: (at / MODEL).write_bytes(b""),
    "cut": lambda at: (at / MODEL).write_bytes((at / MODEL).read_bytes()[:-100]),
    "no archive": lambda at: (at / MODEL).write_bytes(b"x" * 9000),
    "weights cut": lambda at: member_changed(at, WEIGHTS, lambda content: content[:2000]),
    "weights empty": lambda at: member_changed(at, WEIGHTS, lambda content: b""),
    "weights of zeros": lambda at: member_changed(at, WEIGHTS, lambda content: bytes(9000)),
    "structure of weights": lambda at: member_changed(
        at, WEIGHTS, lambda content: content.replace(b"TREE", b"\xff\xff\xff\xff")
    ),
    "sizes of weights": lambda at: member_changed(
        at, WEIGHTS, lambda content: content[:96] + b"\xff" * 800 + content[896:]
    ),
    "no layers": lambda at: member_changed(at, CONFIG, lambda config: b"{}"),
    "no JSON": lambda at: member_changed(at, CONFIG, lambda config: config[:50]),
    "no names": lambda at: member_changed(at, CONFIG, lambda config: without(config, "name")),
    "no classes": lambda at: member_changed(
        at, CONFIG, lambda config: without(config, "class_name")
    ),
    "another shape": lambda at: member_changed(
        at, CONFIG, lambda config: config.replace(b"3]", b"4]")
    ),
    "another kernel": lambda at: member_changed(
        at, CONFIG, lambda config: re.sub(rb'"kernel_size": \[\d', b'"kernel_size": [77', config)
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_model_is_refused_in_a_sentence(
    damage: Callable[[Path], object], run: Run, tmp_path: Path, tensors: Tensors
) -> None:
    place = copied(run, tmp_path)
    damage(place)
    with pytest.raises(ConversionError) as caught:
        convert_model(Run(place, run.facts), "float32", tensors)
    assert "Traceback" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "rain again" in str(caught.value)


def test_every_flipped_bit_of_the_weights_is_seen(
    run: Run, tmp_path: Path, tensors: Tensors
) -> None:
    place = copied(run, tmp_path)
    content = (place / MODEL).read_bytes()
    with zipfile.ZipFile(place / MODEL) as archive:
        part = archive.getinfo(WEIGHTS)
    for share in (0.3, 0.6, 0.9):
        at = part.header_offset + int(part.file_size * share)
        flipped = bytearray(content)
        flipped[at] ^= 1
        (place / MODEL).write_bytes(flipped)
        with pytest.raises(ConversionError, match=f"its part {WEIGHTS} is damaged. Train again"):
            convert_model(Run(place, run.facts), "float32", tensors)
