"""An RTSP camera for tests: H.264 pictures with the time written across their top.

    /usr/bin/python3 rtsp_server.py PORT      says "ready" when it listens

It is run by the system's Python, which has the bindings of Debian's GStreamer (python3-gi,
gir1.2-gst-rtsp-server-1.0), and knows nothing of pilah. Exit code 3: those are not there.
"""

from __future__ import annotations

import sys
import time
from typing import Any

WIDTH, HEIGHT, RATE = 320, 240, 30
BITS, SIDE = 40, 8
PIPELINE = (
    "appsrc name=source is-live=true do-timestamp=true format=time "
    f"caps=video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate={RATE}/1 "
    "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 "
    "! rtph264pay name=pay0 pt=96"
)


def picture() -> bytes:
    """An I420 picture, blue below the time."""
    milliseconds = time.monotonic_ns() // 1_000_000
    bits = [milliseconds >> (BITS - 1 - index) & 1 for index in range(BITS)]
    row = b"".join(bytes([235 if bit else 16]) * SIDE for bit in bits)
    luma = row * 32 + bytes([40]) * (WIDTH * (HEIGHT - 32))
    quarter = WIDTH * HEIGHT // 4
    return luma + bytes([230]) * quarter + bytes([110]) * quarter


def main() -> int:
    """Serves rtsp://127.0.0.1:PORT/camera until it is killed."""
    try:
        import gi

        gi.require_version("Gst", "1.0")
        gi.require_version("GstRtspServer", "1.0")
        from gi.repository import GLib, Gst, GstRtspServer
    except (ImportError, ValueError) as error:
        print(error, file=sys.stderr)
        return 3
    Gst.init(None)
    if Gst.ElementFactory.find("x264enc") is None:
        print("GStreamer has no x264enc (gstreamer1.0-plugins-ugly)", file=sys.stderr)
        return 3

    class Factory(GstRtspServer.RTSPMediaFactory):  # type: ignore[misc]
        def do_create_element(self, url: Any) -> Any:
            return Gst.parse_launch(PIPELINE)

        def do_configure(self, media: Any) -> None:
            source = media.get_element().get_by_name("source")

            def push() -> bool:
                buffer = Gst.Buffer.new_wrapped(picture())
                return bool(source.emit("push-buffer", buffer) == Gst.FlowReturn.OK)

            GLib.timeout_add(1000 // RATE, push)

    server, factory = GstRtspServer.RTSPServer(), Factory()
    server.set_address("127.0.0.1")
    server.set_service(sys.argv[1])
    factory.set_shared(True)
    server.get_mount_points().add_factory("/camera", factory)
    if not server.attach(None):
        print(f"port {sys.argv[1]} is taken", file=sys.stderr)
        return 1
    print("ready", flush=True)
    GLib.MainLoop().run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
