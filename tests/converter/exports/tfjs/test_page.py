"""The page of the TF.js export works in a real Chromium, served by a plain web server.

The tests need Chromium, and npm to fetch Playwright, which controls it.
"""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from converter.exports.tfjs.export_folder import Contract, write_tfjs
from converter.exports.tfjs.graph_model import write_graph_model
from converter.exports.tfjs.library import tfjs_library
from edge.core.images.image_file import Image, read_image
from edge.core.images.preprocess import InputSpec, preprocess
from tests.converter.exports.graphs import levels, save_model
from tests.converter.runs import KERAS_READS_VARIABLES, LABELS, drawn

DRIVER = "playwright-core@1.65.1"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
SPEC = InputSpec(height=32, width=32, geometry="center_crop")
ACCEPT = dict.fromkeys(LABELS, 0.8)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="not run: there is no Chromium on this machine"),
    pytest.mark.filterwarnings(KERAS_READS_VARIABLES),
    pytest.mark.filterwarnings("ignore"),  # TensorFlow warns of itself
]

Browse = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def export(novelty: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The TF.js export of that network."""
    folder = tmp_path_factory.mktemp("tfjs")
    saved = save_model(novelty, folder / "saved")
    write_graph_model(saved, levels(2, SPEC.shape), folder / "graph", lambda doing: None)
    out = folder / "page"
    out.mkdir()
    write_tfjs(
        out,
        graph_model=folder / "graph",
        library=tfjs_library(),
        contract=Contract("photos 1.2", LABELS, SPEC, ACCEPT, unknown=0.6),
    )
    return out


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Playwright, which controls Chromium."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("not run: there is no npm on this machine")
    folder = tmp_path_factory.mktemp("driver")
    subprocess.run(
        [npm, "install", "--silent", "--ignore-scripts", "--no-audit", "--prefix", folder, DRIVER],
        check=True,
    )
    return folder


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def site(export: Path, tmp_path: Path) -> Path:
    """A copy of the export, which a test may change."""
    return Path(shutil.copytree(export, tmp_path / "site"))


@pytest.fixture
def browse(site: Path, driver: Path) -> Iterator[Browse]:
    """Opens the page, carries out the plan, and returns what the page shows."""
    handler = functools.partial(Quiet, directory=str(site))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}/"

    def browse(**plan: Any) -> dict[str, Any]:
        words = [str(driver), CHROMIUM, json.dumps({"url": address} | plan, default=str)]
        done = subprocess.run(
            ["node", Path(__file__).with_name("browse.js"), *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        seen: dict[str, Any] = json.loads(done.stdout)
        if "url" not in plan:
            assert [each for each in seen["requests"] if not each.startswith(address)] == []
        return seen

    yield browse
    server.shutdown()
    thread.join()
    server.server_close()


def photo(path: Path, image: Image) -> Path:
    encoded, content = cv2.imencode(path.suffix, image)
    assert encoded
    path.write_bytes(content.tobytes())
    return path


def tensor_seen(seen: dict[str, Any]) -> np.ndarray[Any, Any]:
    return np.array(seen["pixels"], np.uint8).reshape(32, 32, 4)[:, :, :3]


WITH_WEBGL: dict[str, Any] = {}
WITHOUT_WEBGL = {"withoutWebgl": True}


@pytest.mark.parametrize(
    ("channel", "plan", "backend"),
    [
        (0, WITH_WEBGL, "webgl"),
        (1, WITH_WEBGL, "webgl"),
        (2, WITH_WEBGL, "webgl"),
        (1, WITHOUT_WEBGL, "cpu"),
    ],
)
def test_a_chosen_picture_has_the_tensor_of_the_device_and_the_scores_of_keras(
    browse: Browse,
    novelty: Any,
    tmp_path: Path,
    channel: int,
    plan: dict[str, Any],
    backend: str,
) -> None:
    file = photo(tmp_path / "item.png", drawn(channel, seed=4))
    seen = browse(file=file, **plan)
    assert seen["complaints"] == [] or plan == WITHOUT_WEBGL  # TF.js warns of that
    assert seen["title"] == "photos 1.2: classify pictures"
    assert (seen["label"], seen["reject"]) == (LABELS[channel], "")
    assert seen["reason"].startswith("Accepted: ")
    assert seen["scores"][0].startswith(LABELS[channel])
    assert f"TF.js 4.22.0, {backend}" in seen["facts"]
    tensor = preprocess(read_image(file), SPEC)
    np.testing.assert_array_equal(tensor_seen(seen), tensor)
    expected = np.asarray(novelty(tensor[None].astype(np.float32))[0])[0]
    for label, score in zip(LABELS, expected, strict=True):
        (row,) = (row for row in seen["scores"] if row.startswith(label))
        # Shown are tenths of a percent, rounded down.
        assert float(row.removeprefix(label).rstrip("%")) / 100 == pytest.approx(score, abs=1.1e-3)


def test_a_phone_s_photograph_is_turned_and_decoded_as_the_device_does(
    browse: Browse, tmp_path: Path
) -> None:
    plain = photo(tmp_path / "plain.jpg", drawn(1, seed=4)).read_bytes()
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    turned = tmp_path / "turned.jpg"
    header = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big")
    turned.write_bytes(plain[:2] + header + exif + plain[2:])
    assert read_image(turned).shape == (64, 48, 3)
    seen = browse(file=turned)
    assert seen["label"] == LABELS[1]
    expected = preprocess(read_image(turned), SPEC).astype(int)
    assert np.abs(tensor_seen(seen) - expected).max() <= 2


def test_a_cut_out_stands_on_white(browse: Browse, tmp_path: Path) -> None:
    picture = np.zeros((64, 64, 4), np.uint8)
    picture[16:48, 16:48] = (30, 200, 40, 255)
    seen = browse(file=photo(tmp_path / "cut.png", picture))
    assert tensor_seen(seen)[0, 0].tolist() == [255, 255, 255]
    assert tensor_seen(seen)[16, 16].tolist() == [40, 200, 30]


@pytest.mark.parametrize(
    ("level", "head", "reason", "reject"),
    [
        ((128, 128, 128), "Unknown", "it looks like none of the labels", "unknown"),
        ((0, 200, 170), "Not sure", "80.0% is needed", "low_confidence"),
    ],
)
def test_a_reject_says_so_and_why(
    browse: Browse,
    tmp_path: Path,
    level: tuple[int, int, int],
    head: str,
    reason: str,
    reject: str,
) -> None:
    file = photo(tmp_path / "item.png", np.full((50, 50, 3), level, np.uint8))
    seen = browse(file=file)
    assert (seen["label"], seen["reject"]) == (head, reject)
    assert reason in seen["reason"]


def test_the_camera_s_picture_is_classified(browse: Browse, tmp_path: Path) -> None:
    film = tmp_path / "camera.mjpeg"
    picture = cv2.resize(drawn(2, seed=4), (640, 480))
    film.write_bytes(photo(tmp_path / "one.jpg", picture).read_bytes() * 20)
    seen = browse(camera=film, width=390, height=844, screenshot=tmp_path / "phone.png")
    assert (seen["label"], seen["reject"], seen["message"]) == (LABELS[2], "", "")
    assert seen["complaints"] == []
    assert seen["overflow"] == 0
    assert (tmp_path / "phone.png").stat().st_size > 10_000


@pytest.mark.parametrize("width", [320, 390, 1000])
def test_nothing_sticks_out_at_the_side(browse: Browse, tmp_path: Path, width: int) -> None:
    file = photo(tmp_path / f"{'a' * 80}.png", drawn(0, seed=4))
    seen = browse(file=file, width=width)
    assert seen["label"]
    assert seen["overflow"] == 0


def test_a_refused_camera_is_said_in_words(browse: Browse) -> None:
    seen = browse(camera="refused")
    assert seen["message"].startswith("The camera was refused.")
    assert "choose a picture" in seen["message"]


def test_a_page_from_elsewhere_without_https_says_why_there_is_no_camera(browse: Browse) -> None:
    assert "only to pages from https://" in browse(insecure=True)["message"]


def test_a_file_that_is_no_picture_is_named(browse: Browse, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    seen = browse(file=tmp_path / "notes.txt")
    assert seen["message"].startswith("notes.txt is not a picture")


@pytest.mark.parametrize("name", ["contract.json", "model.json", "group1-shard1of1.bin"])
def test_a_file_that_was_not_copied_is_named(browse: Browse, site: Path, name: str) -> None:
    (site / name).unlink()
    seen = browse()
    assert f"{name} could not be loaded (the server answers 404)" in seen["message"]


def test_opened_from_a_folder_the_page_says_what_to_do(browse: Browse, site: Path) -> None:
    seen = browse(url=(site / "index.html").as_uri())
    assert "python3 -m http.server" in seen["filePage"]
    assert browse()["filePage"] == ""
