"""The folder of the TF.js export: its files, and the scripts of its page, run in Node.js."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.exports.tfjs import export_folder as module
from converter.exports.tfjs.export_folder import Contract, write_tfjs
from converter.exports.tfjs.library import SCRIPT
from edge.core.files import new_folder
from edge.core.images.preprocess import InputSpec, preprocess
from edge.core.verdict import decide
from tests.converter.runs import LABELS

PAGE = Path(module.__file__).parent / "page"
ROOT = Path(__file__).parents[4]
ACCEPT = dict(zip(LABELS, (0.5, 0.75, 0.9), strict=True))

needs_node = pytest.mark.skipif(
    shutil.which("node") is None, reason="not run: there is no Node.js on this machine"
)


def made(folder: Path, *, outputs: Sequence[str] = ("scores",), **choices: Any) -> Path:
    """The export of a dummy graph model."""
    graph, library = folder / "graph", folder / "library.js"
    graph.mkdir()
    signature = {"inputs": {"picture": {}}, "outputs": {name: {} for name in outputs}}
    (graph / "model.json").write_text(json.dumps({"signature": signature}))
    (graph / "group1-shard1of1.bin").write_bytes(b"1234")
    library.write_text("// TF.js")
    spec = choices.pop("spec", InputSpec(height=48, width=32, channels=1, geometry="center_crop"))
    with new_folder(folder / "out") as out:
        write_tfjs(
            out,
            graph_model=graph,
            library=library,
            contract=Contract("photos 1.2", LABELS, spec, ACCEPT, **choices),
        )
    return folder / "out"


def test_the_folder_has_all_that_the_page_asks_for(tmp_path: Path) -> None:
    out = made(tmp_path)
    assert {file.name for file in out.iterdir()} == {
        "contract.json", "decide.js", "group1-shard1of1.bin", "index.html", "labels.txt",
        "model.json", "page.js", "preprocess.js", "show.js", "style.css",
        SCRIPT, f"{SCRIPT}.LICENSE.txt",
    }  # fmt: skip
    assert (out / SCRIPT).read_text() == "// TF.js"
    assert (out / "labels.txt").read_text(encoding="utf-8").split("\n") == [*LABELS, ""]
    for name in re.findall(r'(?:src|href)="([^"]+)"', (out / "index.html").read_text()):
        assert name == "data:," or (out / name).is_file(), name


def test_the_contract_says_what_goes_in_and_comes_out(tmp_path: Path) -> None:
    out = made(tmp_path, outputs=("scores", "unknown"), unknown=0.6)
    contract = json.loads((out / "contract.json").read_text(encoding="utf-8"))
    assert contract["input"]["name"] == "picture"
    assert contract["input"]["shape"] == [None, 48, 32, 1]
    assert contract["input"]["dtype"] == "float32"
    assert set(contract["outputs"]) == {"scores", "unknown"}
    assert contract["accept"] == ACCEPT
    assert contract["unknown"] == {"threshold": 0.6}
    said = dict(contract["preprocessing"])
    del said["resize"]
    assert InputSpec.model_validate(said).geometry == "center_crop"


@pytest.mark.parametrize(
    ("outputs", "unknown"),
    [(("scores",), None), (("scores", "unknown"), {"threshold": None})],
)
def test_the_contract_tells_no_such_score_from_no_threshold(
    tmp_path: Path, outputs: Sequence[str], unknown: Any
) -> None:
    out = made(tmp_path, outputs=outputs)
    contract = json.loads((out / "contract.json").read_text(encoding="utf-8"))
    assert contract["unknown"] == unknown


def test_the_page_can_load_nothing_from_elsewhere() -> None:
    text = (PAGE / "index.html").read_text(encoding="utf-8")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["connect-src"] == rules["style-src"] == "'self'"
    for file in PAGE.iterdir():
        found = re.findall(r"https?://[\w.]+", file.read_text(encoding="utf-8"))
        assert set(found) <= {"http://localhost", "http://www.apache.org"}, file.name


def test_the_page_s_script_names_only_what_the_page_has() -> None:
    class Ids(HTMLParser):
        found: set[str] = {"took", "novelty"}  # made by the script itself # noqa: RUF012

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found.update(value for name, value in attrs if name == "id" and value)

    ids = Ids()
    ids.feed((PAGE / "index.html").read_text(encoding="utf-8"))
    scripts = (PAGE / "page.js").read_text() + (PAGE / "show.js").read_text()
    named = set(re.findall(r'element\("([\w-]+)"\)', scripts))
    assert len(named) > 10
    assert named <= ids.found


def test_the_licence_beside_tf_js_is_the_apache_one() -> None:
    ours = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert (PAGE / f"{SCRIPT}.LICENSE.txt").read_text(encoding="utf-8") == ours


# The page's own scripts

SIZES = [
    (480, 640), (1080, 1920), (448, 448), (449, 447), (100, 37), (224, 224), (225, 224),
    (33, 500), (1, 1), (2, 3), (700, 701), (672, 896), (57, 85), (31, 900), (900, 31),
]  # fmt: skip
SPECS = [
    InputSpec(height=224, width=224, geometry="letterbox"),
    InputSpec(height=96, width=224, geometry="letterbox", fill=7),
    InputSpec(height=224, width=224, geometry="center_crop"),
    InputSpec(height=224, width=96, geometry="center_crop"),
    InputSpec(height=224, width=224, geometry="squash"),
    InputSpec(height=28, width=28, channels=1, geometry="squash"),
    InputSpec(height=28, width=28, channels=1, geometry="letterbox"),
]

PREPROCESSES = """
const fs = require("fs");
const { preprocess } = require(process.argv[1]);
JSON.parse(fs.readFileSync("cases.json")).forEach(({ height, width, spec }, at) => {
  fs.writeFileSync(`out${at}`, preprocess(fs.readFileSync(`in${at}`), width, height, spec));
});
"""

DECIDES = """
const { decide } = require(process.argv[1]);
const [labels, contract, answers] = JSON.parse(process.argv[2]);
const number = (value) => (value === "none" ? NaN : value);
const made = answers.map(([scores, unknown]) =>
  decide({ scores: Float32Array.from(scores), unknown: number(unknown) }, labels, contract));
process.stdout.write(JSON.stringify(made));
"""


def node(text: str, *words: str, folder: Path) -> str:
    done = subprocess.run(
        ["node", "-e", text, *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_node
def test_the_page_preprocesses_to_the_bytes_of_the_device(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cases, expected = [], []
    for height, width in SIZES:
        image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        opaque = np.full((height, width, 1), 255, np.uint8)
        rgba = np.concatenate([image[:, :, ::-1], opaque], axis=2)
        for spec in SPECS:
            (tmp_path / f"in{len(cases)}").write_bytes(rgba.tobytes())
            cases.append({"height": height, "width": width, "spec": spec.model_dump()})
            expected.append(preprocess(image, spec))
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    node(PREPROCESSES, str(PAGE / "preprocess.js"), folder=tmp_path)
    for at, tensor in enumerate(expected):
        found = np.fromfile(tmp_path / f"out{at}", np.uint8).reshape(tensor.shape)
        np.testing.assert_array_equal(found, tensor, err_msg=str(cases[at]))


@needs_node
@pytest.mark.parametrize("threshold", [None, 0.5])
def test_the_page_decides_as_the_device_does(tmp_path: Path, threshold: float | None) -> None:
    answers: list[tuple[list[float], float | None]] = [
        ([0.9, 0.05, 0.05], 0.1),  # clear
        ([0.5, 0.25, 0.25], 0.1),  # at its threshold
        ([0.3, 0.6, 0.1], 0.1),  # below it
        ([0.3, 0.6, 0.1], 0.9),  # unknown as well, which comes first
        ([0.9, 0.05, 0.05], 0.5),  # at the threshold of the novelty score
        ([0.9, 0.05, 0.05], 0.51),
        ([0.9, 0.05, 0.05], float("nan")),
        ([0.4, 0.4, 0.2], 0.1),  # the first of equals
    ]
    contract = {"accept": ACCEPT, "unknown": {"threshold": threshold}}
    sent = [[scores, "none" if unknown != unknown else unknown] for scores, unknown in answers]
    given = json.dumps([LABELS, contract, sent])
    found = json.loads(node(DECIDES, str(PAGE / "decide.js"), given, folder=tmp_path))
    for (scores, unknown), verdict in zip(answers, found, strict=True):
        expected = decide(
            np.array(scores, np.float32),
            LABELS,
            ACCEPT,
            title="tiny 1",
            digest="d1",
            novelty=unknown,
            unknown=threshold,
        )
        assert (verdict["label"], verdict["reject"]) == (expected.label, expected.reject)
        assert verdict["score"] == pytest.approx(expected.confidence)
