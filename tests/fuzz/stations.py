"""Station files, as `pilah-edge check` reads them, with passwords where they do not belong."""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path

from edge.config.reading import read_actuation_config, read_station, read_vision_config
from edge.core.errors import ConfigError
from tests.edge.stations import STATION, make_station
from tests.fuzz.target import Target

SECRET = "S3cretPw"
_ADDRESS = f"rtsp://admin:{SECRET}@192.0.2.1/h264"
_CAMERA = "camera: {kind: folder, path: photos, frames_per_second: 1000}"
_SERVO = "{kind: servo, pin: 18, rest_angle: 0, active_angle: 60, hold_seconds: 0.1}"


def _feed(content: bytes) -> None:
    file = _folder() / "station.yaml"
    file.write_bytes(content)
    # The others read the same sections: a few of the inputs are enough for them.
    readers = (
        (read_station, read_vision_config, read_actuation_config)
        if len(content) % 8 == 0
        else (read_station,)
    )
    for read in readers:
        try:
            read(file)
        except ConfigError as error:
            check_said(content, str(error))


def check_said(content: bytes, said: str) -> None:
    """Fails where what is said about a file repeats a password that stands in it as one."""
    # Where a change has cut its address into pieces, nobody could know that it is one.
    if f"://admin:{SECRET}@192".encode() in content:
        assert SECRET not in said
    assert not any(ord(letter) < 32 and letter != "\n" for letter in said)


@functools.cache
def _folder() -> Path:
    """A station's folder with all that its file names."""
    folder = Path(tempfile.mkdtemp(prefix="pilah-fuzz."))
    make_station(folder)
    _at_exit(folder)
    return folder


def _at_exit(folder: Path) -> None:
    import atexit

    atexit.register(shutil.rmtree, folder, ignore_errors=True)


def seeds() -> list[bytes]:
    """Station files: good ones, and what people write wrongly."""
    cameras = (
        "camera: {kind: usb, device: 0, width: 640, height: 480, fourcc: MJPG}",
        "camera: {kind: picamera, flip_vertical: true, white_balance_gains: [1.5, 2.0]}",
        f"camera: {{kind: stream, url: '{_ADDRESS}', transport: udp}}",
        "camera: {kind: belt, items: 3, labels: [can], seed: 1, background: '#c8c8c8'}",
        f"camera: {_ADDRESS}",
        f'camera: {{kind: usb, device: "{_ADDRESS}"}}',
        f'camera: {{kind: video, path: "{_ADDRESS}"}}',
        f'camera: {{kind: "{_ADDRESS}"}}',
        f'camera: {{kind: stream, url: "rtsp://192.0.2.1/a", "{_ADDRESS}": x}}',
        f"camera:\n  kind: stream\n  url: >\n    {_ADDRESS}\n",
        "camera: &a {kind: folder, path: photos}\nx: [*a, *a]\ny: {<<: *a}",
        "camera: {kind: folder, path: !!str photos, frames_per_second: 017, loop: yes}",
    )
    actuators = (
        "{kind: solenoid, pin: 017, hold_seconds: 1:30, active_low: true, cool_seconds: .inf}",
        "{kind: relay, pin: BOARD12, hold_seconds: 1e400}",
        "{kind: servo, pin: GPIO18, rest_angle: 0,5, active_angle: 0x10, hold_seconds: 1_0}",
    )
    files = [STATION, *(STATION.replace(_CAMERA, camera) for camera in cameras)]
    files += [STATION.replace(_SERVO, actuator) for actuator in actuators]
    files.append(
        STATION.replace("trigger: {kind: continuous}", "trigger: {kind: motion, min_area: 0.01}")
        + "region: {left: 010, top: 0, width: 0200, height: 0120}\n"
        + "decision: {deadline_seconds: 2, accept: {red: 0.9}, unknown: 0.5}\n"
        + "belt: {metres_per_second: 0.2}\ntrust: {public_keys: [office.key.pub]}\n"
    )
    return [file.encode() for file in files]


TARGET = Target(
    _feed,
    seeds,
    words=(
        b"&a ", b"*a", b"<<: *a", b"!!int ", b"!!float ''", b"!!timestamp foo", b"!!binary ",
        b"? [a]\n: b\n", b"[[[[[[[[", b"{{{{", b"- - - ", b": ", b"\n  ", b"\t", b"\\0", b"\\e",
        b"\\ud800", b"\"", b"'", b"|\n", b">\n", b"#", b"---\n", b"...\n", b"%YAML 1.1\n", b"~",
        b"017", b"0b1", b"1:30", b".nan", b"-.inf", b"1e999", b"9" * 5000, b"a" * 300, b"../",
        b"/dev/zero", b"/proc/self/mem", _ADDRESS.encode(), b"\xff", b"\xc2\x85", b"\xe2\x80\xa8",
        b"\xef\xbb\xbf", b"pin: ", b"kind: ", b"path: ", b"lanes: ", b"null", b"=",
    ),
)  # fmt: skip
