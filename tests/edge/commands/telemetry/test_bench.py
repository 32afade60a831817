from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from edge.cli import main
from edge.core.errors import EXIT_DATA, EXIT_IO, EXIT_NO, EXIT_OK, EXIT_USAGE
from tests.bundles import BGR, write_picture

QUICK = ["--num_runs=5", "--warmup_runs=1", "--min_secs=0", "--num_verdicts=0"]


def bench(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["bench", *words, "--json"]) == EXIT_OK
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_json_is_one_object_with_percentiles_of_every_stage(
    tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = bench(capsys, str(tiny_bundle), *QUICK)
    assert found["runtime"].split()[0] in ("ai-edge-litert", "tflite-runtime")
    assert found["threads"] == 1
    assert found["runs"] == 5
    assert list(found["stages"]) == ["trigger", "preprocess", "invoke", "decide", "total"]
    for percentiles in found["stages"].values():
        assert 0 < percentiles["p50_ms"] <= percentiles["p95_ms"] <= percentiles["p99_ms"]
    assert found["total_over_invoke"] > 1
    assert found["rss_mb"] > 10


@pytest.mark.parametrize(
    "words",
    [
        ["--num_threads=2", "--use_xnnpack=false", "--num_runs=3", "--max_secs=60"],
        ["--num-threads", "2", "--use-xnnpack", "false", "--num-runs", "3", "--max-secs", "60"],
    ],
)
def test_flags_are_those_of_benchmark_model_with_either_spelling(
    words: list[str], tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = bench(
        capsys, str(tiny_bundle), *words, "--warmup_runs=1", "--min-secs=0", "--num-verdicts=0"
    )
    assert (found["threads"], found["runs"]) == (2, 3)
    assert not found["xnnpack"]


def test_a_table_for_people_says_what_was_measured_with(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", str(tiny_bundle), *QUICK]) == EXIT_OK
    printed = capsys.readouterr()
    assert "drawn belt of 640x480 pixels" in printed.err
    assert "XNNPACK" in printed.out
    picture = write_picture(tmp_path / "1.png", BGR["red"], height=50, width=70)
    assert main(["bench", str(tiny_bundle), *QUICK, "--image", str(picture)]) == EXIT_OK
    printed = capsys.readouterr()
    assert "drawn belt" not in printed.err
    assert "on 70x50 pixels" in printed.out


def test_a_picture_that_cannot_be_read_is_told(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "1.jpg").write_bytes(b"")
    code = main(["bench", str(tiny_bundle), *QUICK, "--image", str(tmp_path / "1.jpg")])
    assert code == EXIT_DATA
    assert "1.jpg" in capsys.readouterr().err


@pytest.mark.parametrize(
    "word",
    [
        "--num_threads=0",
        "--num_runs=none",
        "--num_verdicts=-1",
        "--frame=640",
        "--min_secs=-1",
        "--use_xnnpack=maybe",
    ],
)
def test_a_flag_that_makes_no_sense_is_refused(
    word: str, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["bench", str(tiny_bundle), word])
    assert caught.value.code == 2
    assert word.partition("=")[0] in capsys.readouterr().err


@pytest.mark.parametrize("more", [0, 1])
def test_more_threads_than_cores_are_told(
    more: int, tiny_bundle: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cores = len(os.sched_getaffinity(0))
    asked = f"--num-threads={cores + more}"
    assert main(["bench", str(tiny_bundle), *QUICK, "--num-verdicts=0", asked]) == EXIT_OK
    told = [line for line in caplog.messages if "more threads than cores" in line]
    assert len(told) == more
    assert all(f"give {cores} at most, or --sweep" in line for line in told)


def test_a_page_that_cannot_be_written_is_told_before_anything_is_measured(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["bench", str(tiny_bundle), *QUICK, "--html", str(tmp_path / "no" / "b.html")]
    assert main(words) == EXIT_IO
    told = capsys.readouterr()
    assert "a folder of that path does not exist" in told.err
    assert not told.out


def test_bundles_and_threads_are_measured_one_after_the_other(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "b.html"
    found = bench(
        capsys, str(tiny_bundle), str(tiny_bundle), *QUICK, "--sweep", "--html", str(page)
    )
    threads = [each["threads"] for each in found["measurements"]]
    assert threads == [*range(1, found["machine"]["cores"] + 1)] * 2
    assert page.read_text("utf-8").count("<figure>") >= 2


@pytest.mark.parametrize(("factor", "code"), [(1000.0, EXIT_OK), (0.001, EXIT_NO)])
def test_a_machine_that_became_slower_is_told_by_the_exit_code(
    factor: float,
    code: int,
    tiny_bundle: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = bench(capsys, str(tiny_bundle), *QUICK)
    for percentiles in found["measurements"][0]["stages"].values():
        percentiles["p50_ms"] *= factor
    old = tmp_path / "old.json"
    old.write_text(json.dumps(found), "utf-8")
    words = ["bench", str(tiny_bundle), *QUICK, "--compare", str(old), "--fail-over", "50"]
    assert main(words) == code
    said = capsys.readouterr().err
    assert "compared   tiny" in said
    assert ("slower     tiny" in said) == (code == EXIT_NO)


def test_a_limit_does_not_pass_what_was_not_measured_again(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = bench(capsys, str(tiny_bundle), *QUICK)
    for percentiles in found["measurements"][0]["stages"].values():
        percentiles["p50_ms"] *= 1000
    found["measurements"].append({**found["measurements"][0], "threads": 3})
    old = tmp_path / "old.json"
    old.write_text(json.dumps(found), "utf-8")
    words = ["bench", str(tiny_bundle), *QUICK, "--compare", str(old)]
    assert main(words) == EXIT_OK
    assert "warning    tiny with 3 threads was measured then" in capsys.readouterr().err
    assert main([*words, "--fail-over", "50"]) == EXIT_NO
    assert "missing    tiny with 3 threads was measured then" in capsys.readouterr().err


def test_a_limit_needs_something_to_compare_with(
    tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", str(tiny_bundle), "--fail-over", "5"]) == EXIT_USAGE
    assert "longer than what?" in capsys.readouterr().err


def test_a_whole_station_says_how_late_its_pin_is(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "b.html"
    words = ["bench", str(tiny_bundle), *QUICK[:-1], "--num-verdicts", "4", "--html", str(page)]
    assert main([*words, "--frame", "200x150"]) == EXIT_OK
    printed = capsys.readouterr().out
    assert "threads 1, mock pins" in printed
    assert "verdicts   4, at 30 frames a second" in printed
    for way in ("frame age", "capture to verdict", "verdict to pin"):
        assert way in printed
        assert way in page.read_text("utf-8")
    assert "is no multiple of the model's input and is resized twice" in printed


def test_the_region_of_a_station_is_what_is_measured(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = tmp_path / "station.yaml"
    station.write_text(
        "station: a\ncamera: {kind: usb}\ntrigger: {kind: motion}\n"
        "region: {width: 100, height: 90}\n",
        "utf-8",
    )
    found = bench(capsys, str(tiny_bundle), *QUICK, "--station", str(station))
    assert found["frame"] == found["region"]["pixels"] == "100x90"
    words = ["bench", str(tiny_bundle), *QUICK, "--station", str(station), "--frame", "64x64"]
    assert main(words) == EXIT_USAGE
    assert "the size is that of the region" in capsys.readouterr().err


def test_a_pin_needs_verdicts(tiny_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", str(tiny_bundle), *QUICK, "--pin", "17"]) == EXIT_USAGE
    assert "--num-verdicts 0 has none" in capsys.readouterr().err
