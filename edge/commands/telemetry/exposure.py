"""What `doctor` says of how the camera takes pictures: what is fixed, what it chooses, and how."""

from __future__ import annotations

from edge.flow import Exposure
from edge.state.incidents.camera import differences
from edge.telemetry.finding import Finding, ok, warning
from edge.vision.camera import CameraSettings, DeviceSettings

_KEYS = {
    "exposure_microseconds": "exposure",
    "analogue_gain": "gain",
    "white_balance_gains": "white balance",
    "white_balance_kelvin": "white balance",
}
"""The keys without which the camera chooses something, with what that is."""
_WHY = "or items look otherwise when the light changes, or something bright passes"


def about_the_exposure(camera: CameraSettings, told: Exposure | None) -> Finding | None:
    """Whether exposure and white balance are fixed, at which values; None: nothing takes pictures.

    Args:
        told: what the camera told of its newest picture; None: nothing.
    """
    if not isinstance(camera, DeviceSettings):
        return None
    keys = [key for key in _KEYS if key in type(camera).model_fields]
    if not keys:
        return ok(
            "exposure",
            f"a {camera.kind} does not tell it: fix exposure and white balance on the camera's own "
            "page",
        )
    locked, told = camera.locked or Exposure(), told or Exposure()
    free = [key for key in keys if getattr(camera, key) is None]
    said = "; ".join(
        f"{how} {what}"
        for how, what in (
            ("fixed:", locked.words),
            ("automatic:", ", ".join(dict.fromkeys(_KEYS[key] for key in free))),
            ("the camera tells", told.words),
        )
        if what
    )
    if other := "; ".join(differences(locked, told)):
        advice = "check that it supports these values, and that no other program changes them"
        return warning("exposure", f"{said}: it has {other}", advice)
    if silent := _silent(locked, told):
        advice = "see with `v4l2-ctl --list-ctrls` whether it has them"
        return warning("exposure", f"{said}: it does not tell its {silent}", advice)
    if free:
        values = ", ".join(f"`{key}: {_value(key, told)}`" for key in free)
        return warning("exposure", said, f"put {values} under `camera`, {_WHY}")
    return ok("exposure", said)


def _silent(locked: Exposure, told: Exposure) -> str:
    """What is fixed and of what the camera tells nothing, as it does where it cannot be fixed."""
    found = (
        ("exposure", locked.microseconds, told.microseconds),
        ("gain", locked.gain, told.gain),
        ("white balance", locked.white_balance, told.white_balance),
    )
    return ", ".join(name for name, fixed, known in found if fixed is not None and known is None)


def _value(key: str, told: Exposure) -> str:
    """The value that the camera chose by itself, as a station file has it."""
    known = {
        "exposure_microseconds": told.microseconds and f"{told.microseconds:.0f}",
        "analogue_gain": told.gain and f"{told.gain:.2f}",
        "white_balance_gains": told.white_balance_gains
        and "[{:.2f}, {:.2f}]".format(*told.white_balance_gains),
    }
    return known.get(key) or "..."
