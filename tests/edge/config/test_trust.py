"""The keys that a station file pins; whatever is wrong with them, they do not become "none"."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Any

import pytest

from edge.config.reading import read_actuation_config, read_station, read_vision_config
from edge.config.trust import pinned_keys
from edge.core.errors import EXIT_CONFIG, EXIT_IO, BundleError, ConfigError, SignatureMissingError
from edge.core.yaml_file import YamlFile
from tests.bundles import make_bundle
from tests.edge.stations import STATION, make_station
from tests.signatures import OURS, THEIRS


def pinning(folder: Path, bundle: Path, trust: str) -> Path:
    """A station with this `trust` in its file, on line 3, and with both keys' files beside it."""
    text = STATION.replace("bundle: bundle\n", f"bundle: bundle\n{trust}\n")
    file = make_station(folder, text=text, bundle=bundle)
    (folder / "ours.pub").write_bytes(OURS.public_pem)
    (folder / "theirs.pub").write_bytes(THEIRS.public_pem)
    return file


def problems_of(file: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_station(file)
    assert caught.value.exit_code == EXIT_CONFIG
    return caught.value.problems


@pytest.mark.parametrize("keys", ["[ours.pub]", "[theirs.pub, ours.pub]"])
def test_a_bundle_signed_with_a_pinned_key_is_loaded(tmp_path: Path, keys: str) -> None:
    bundle = OURS.sign(make_bundle(tmp_path / "made"))
    plan = read_station(pinning(tmp_path, bundle, f"trust: {{public_keys: {keys}}}"))
    assert plan.bundle.signer == OURS.id
    assert OURS.public in plan.keys


def test_without_a_pinned_key_both_kinds_are_loaded(tmp_path: Path, tiny_bundle: Path) -> None:
    plan = read_station(make_station(tmp_path / "unsigned", bundle=tiny_bundle))
    assert (plan.keys, plan.bundle.signer) == ((), None)
    signed = THEIRS.sign(make_bundle(tmp_path / "made"))
    assert read_station(make_station(tmp_path / "signed", bundle=signed)).bundle.signer is None


def test_an_unsigned_bundle_is_a_mistake_where_a_key_is_pinned(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    (problem,) = problems_of(pinning(tmp_path, tiny_bundle, "trust: {public_keys: [ours.pub]}"))
    assert problem.startswith(
        f"2: bundle: {tmp_path}/bundle: not signed, and only bundles signed by key"
    )


def test_a_bundle_of_another_key_is_a_mistake(tmp_path: Path) -> None:
    bundle = THEIRS.sign(make_bundle(tmp_path / "made"))
    (problem,) = problems_of(pinning(tmp_path, bundle, "trust: {public_keys: [ours.pub]}"))
    assert f"signed with key {THEIRS.id}, and only key {OURS.id} is trusted" in problem


@pytest.mark.parametrize(
    ("trust", "says"),
    [
        ("trust:", "3: trust: is empty: give it public_keys, or remove the line"),
        ("trust: {}", "3: trust.public_keys: missing: public key files"),
        ("trust: {public_keys: []}", "3: trust.public_keys: must have at least 1 item"),
        ("trust: {public_keys: ours.pub}", "3: trust.public_keys: must be a list"),
        ("trust: {public_keys: [7]}", "3: trust.public_keys.0: "),
        ("trust: {public_keys: ['']}", "3: trust.public_keys.0: the path is empty: give a path"),
        ("trust: {public_key: [ours.pub]}", "unknown key. Did you mean public_keys?"),
        ("trust: ours.pub", "3: trust: must be `key: value` lines"),
        ("trusts: {public_keys: [ours.pub]}", "unknown key. Did you mean trust?"),
        ("trust: {public_keys: [gone.pub]}", "3: trust.public_keys.0: cannot read"),
        ("trust: {public_keys: [ours.pub, station.yaml]}", "3: trust.public_keys.1: .*PEM form"),
    ],
)
def test_whatever_is_wrong_with_the_keys_no_bundle_is_loaded(
    tmp_path: Path, tiny_bundle: Path, trust: str, says: str
) -> None:
    problems = problems_of(pinning(tmp_path, tiny_bundle, trust))
    assert any(re.search(says.replace("?", r"\?"), problem) for problem in problems), problems


def test_a_key_that_cannot_be_read_is_not_left_out(tmp_path: Path, tiny_bundle: Path) -> None:
    file = pinning(tmp_path, tiny_bundle, "trust: {public_keys: [ours.pub, gone.pub]}")
    keys, problems = pinned_keys(YamlFile(file))
    assert keys is None
    assert [problem.location for problem in problems] == [("trust", "public_keys", 1)]


@pytest.mark.parametrize("what", ["key", "bundle"])
@pytest.mark.parametrize(
    ("how", "code"),
    [("EIO", EXIT_IO), ("EACCES", EXIT_IO), ("not mounted", EXIT_IO), ("misspelt", EXIT_CONFIG),
     ("a device", EXIT_CONFIG)],
)  # fmt: skip
def test_a_service_comes_back_where_only_reading_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, how: str, code: int
) -> None:
    """74 is tried again; 78 stays down until somebody corrects the file."""
    signed = OURS.sign(make_bundle(tmp_path / "disk" / "made"))
    file = pinning(tmp_path, signed, "trust: {public_keys: [disk/ours.pub]}")
    (tmp_path / "disk" / "ours.pub").write_bytes(OURS.public_pem)
    (tmp_path / "usb").mkdir()
    path = tmp_path / "disk" / ("ours.pub" if what == "key" else "made")
    named = {"a device": "/dev/zero", "misspelt": "disk/oups", "not mounted": "usb/it"}
    before = "[disk/ours.pub]" if what == "key" else "bundle: bundle"
    after = named.get(how, str(path))
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(before, f"[{after}]" if what == "key" else f"bundle: {after}"))
    if number := getattr(errno, how, 0):
        whole = os.open

        def failing(name: str | Path, *words: Any, **options: Any) -> int:
            if Path(name) == path or path in Path(name).parents:
                raise OSError(number, os.strerror(number), str(name))
            return whole(name, *words, **options)

        monkeypatch.setattr(os, "open", failing)
    with pytest.raises(ConfigError) as caught:
        read_station(file)
    assert caught.value.exit_code == code, caught.value


def test_a_mistake_beside_what_cannot_be_read_stays_a_mistake(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    file = pinning(tmp_path, tiny_bundle, "trust: {public_keys: [usb/ours.pub]}\nsurprise: 1")
    with pytest.raises(ConfigError, match=r"surprise: .*unknown") as caught:
        read_station(file)
    assert caught.value.exit_code == EXIT_CONFIG


def test_another_bundle_is_held_to_the_same_keys(tmp_path: Path) -> None:
    signed = OURS.sign(make_bundle(tmp_path / "made"))
    file = pinning(tmp_path, signed, "trust: {public_keys: [ours.pub]}")
    assert read_station(file, bundle=signed).bundle.signer == OURS.id
    with pytest.raises(SignatureMissingError):
        read_station(file, bundle=make_bundle(tmp_path / "unsigned"))
    with pytest.raises(BundleError):
        read_station(file, bundle=tmp_path / "gone")


def test_what_needs_no_bundle_does_not_ask_for_keys(tmp_path: Path, tiny_bundle: Path) -> None:
    file = pinning(tmp_path, tiny_bundle, "trust: {public_keys: [gone.pub]}")
    assert read_vision_config(file).station == "bin-1"
    assert set(read_actuation_config(file)[1].lanes) == {"warm", "cold", "rest"}
