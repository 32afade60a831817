"""Every kind of incident: its scope, what it means, what to do, what ends it, and what it stops.

`deploy/incidents.md` shows this table; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.state.machine import State
from edge.state.stops import EndsBy


@dataclass(frozen=True, slots=True)
class IncidentKind:
    """A kind of incident."""

    name: str
    scope: str
    """What has it: `station`, `camera`, `lane`, `ledger` or `item`."""
    cause: str
    """What is the matter, as a sentence; `{scope}` stands for the part that has it."""
    what_to_do: str
    ends: str
    """What ends it, as a sentence."""
    stop: State | None = None
    """The state of the station while it lasts; None: the station sorts on, or see `stands`."""
    ends_by: EndsBy = EndsBy.ITSELF
    raised: str = "incident_raised"
    """The kind of event that tells that it began."""
    ended: str | None = "incident_ended"
    """The kind of event that tells that it is over; None: a person decides, and none is told."""
    stands: State | None = None
    """Its state while it lasts where that is for another reason; None: `stop`, or Execute."""
    after_moves: bool = False
    """Whether the station finishes the moves that are planned before it stands: those of items that
    had their verdict before."""


_KINDS = (
    IncidentKind(
        "emergency_stop", "station",
        "The emergency stop was pressed.",
        "Make the machine safe and release the button; then `pilah-edge clear`, `reset`, `resume`.",
        "The button is released. The station stays Aborted until `pilah-edge clear`.",
        stop=State.ABORTED,
    ),
    IncidentKind(
        "jam", "lane",
        "Items were sent into the lane {scope} and its exit has seen none of them.",
        "Clear the lane, then `pilah-edge reset`.",
        "Somebody resets it with `pilah-edge reset`.",
        stop=State.HELD, ends_by=EndsBy.RESET,
    ),
    IncidentKind(
        "bin_full", "lane",
        "The bin of the lane {scope} is full.",
        "Empty the bin.",
        "The sensor of the bin sees it empty again.",
        stop=State.SUSPENDED,
    ),
    IncidentKind(
        "starved", "station",
        "No item has come for the time that the station file gives.",
        "See what brings the items.",
        "Something comes into view.",
        stop=State.SUSPENDED,
    ),
    IncidentKind(
        "trigger_not_ready", "station",
        "The trigger has not learned what the camera shows without an item.",
        "See whether good pictures come, and what they show.",
        "It has learned that.",
        stop=State.HELD,
    ),
    IncidentKind(
        "belt_stands", "station",
        "The belt's encoder gives no pulse, and items wait for it.",
        "See whether the belt stands; if it runs, look at the encoder and its wire.",
        "The encoder gives a pulse again.",
    ),
    IncidentKind(
        "encoder_silent", "station",
        "Items pass, and the belt's encoder gives no pulse: no lane can move for them.",
        "Look at the encoder, its wheel on the belt and its wire.",
        "The encoder gives a pulse again.",
        stop=State.HELD,
    ),
    IncidentKind(
        "camera_lost", "camera",
        "The camera gives no more pictures, and is opened again until it does.",
        "Check its cable, supply and network.",
        "The camera gives pictures again.",
        stop=State.HELD, after_moves=True, raised="camera_lost", ended="camera_back",
    ),
    IncidentKind(
        "camera_frozen", "camera",
        "The camera gives exactly the same picture again and again.",
        "Switch the camera off and on, and check its cable and supply.",
        "The picture changes again.",
        stop=State.HELD, after_moves=True,
    ),
    IncidentKind(
        "camera_black", "camera",
        "The camera's picture shows nothing: it is of one colour.",
        "Check the lens cap, the light and the cable.",
        "The picture shows something again.",
        stop=State.HELD, after_moves=True,
    ),
    IncidentKind(
        "camera_torn", "camera",
        "Parts of the camera's pictures are missing.",
        "Check its cable, supply and network.",
        "The pictures are whole again.",
        stop=State.HELD, after_moves=True,
    ),
    IncidentKind(
        "camera_damaged", "camera",
        "Some of the camera's pictures cannot be decoded, and are left out.",
        "Check its cable, supply and network.",
        "No picture has been damaged for three seconds.",
    ),
    IncidentKind(
        "camera_resized", "camera",
        "The camera gives pictures of another size than at the start.",
        "Set the camera to the size before, or restart the station and check its region.",
        "The pictures have the size before.",
        stop=State.HELD, after_moves=True,
    ),
    IncidentKind(
        "camera_covered", "camera",
        "Something covers the camera, or the light is out: little is left of the scene.",
        "Uncover the lens, or switch the light on.",
        "The scene is seen again.",
        stop=State.HELD, after_moves=True,
    ),
    IncidentKind(
        "camera_blurred", "camera",
        "The camera's picture is much less sharp than it was.",
        "Clean the lens and set its focus.",
        "The picture is sharp again.",
    ),
    IncidentKind(
        "camera_moved", "camera",
        "The camera looks at another scene than at the start, or than at set-up.",
        "Put the camera back; or check the region, take the reference picture anew if there is "
        "one, and restart the station.",
        "The scene from before is seen again.",
        stop=State.HELD, after_moves=True,
    ),
    IncidentKind(
        "camera_late", "camera",
        "The camera's pictures are too old to be acted on when the station can look at them.",
        "Check its network and how busy this machine is; measure the lag of a stream.",
        "A picture is young enough again.",
        stop=State.HELD, after_moves=True,
    ),
    IncidentKind(
        "camera_exposure", "camera",
        "The camera takes pictures otherwise than the station file fixes it.",
        "Check that it supports these values, and that no other program changes them; restart the "
        "station.",
        "The camera tells the values of the station file again.",
    ),
    IncidentKind(
        "actuator_failed", "station",
        "A pin, or a board on an I2C bus, cannot be written.",
        "Check the supply of the board and its wires SDA and SCL, or the pin, and what else uses "
        "it. The station ends, and is started again until it can be written.",
        "The station is started again.",
        stop=State.HELD,
    ),
    IncidentKind(
        "home_not_found", "station",
        "A motor has not found its home switch where it should be: nobody knows where it stands.",
        "See that the motor has its supply and its way is free; check the switch, its wire, its "
        "`active_high` and `reverse` of the motor. The station ends, and is not started again by "
        "itself: a motor that looks for its home without an end wears down.",
        "Somebody starts the station again.",
        stop=State.HELD,
    ),
    IncidentKind(
        "start_failed", "station",
        "The station could not be started, as a part of it cannot be opened.",
        "Mend what the reason names, and start the station. The service tries that again by "
        "itself, unless only a person can mend it.",
        "The station is started.",
        stop=State.HELD, stands=State.STOPPED,
    ),
    IncidentKind(
        "ledger_failed", "ledger",
        "The ledger cannot be written, or does not answer; the rows wait.",
        "See whether its disk is full, or hangs.",
        "The ledger is written again.",
        raised="ledger_failed", ended="ledger_back",
    ),
    IncidentKind(
        "mode_unknown", "station",
        "The station does not know whether somebody works on it: its ledger could not be read when "
        "it was started. So it is Stopped in the mode Maintenance.",
        "See that nobody reaches into the machine; then `pilah-edge mode` production, `reset`, "
        "`resume`.",
        "Somebody changes the mode.",
        stands=State.STOPPED,
    ),
    IncidentKind(
        "model_refused", "station",
        "The station was given a model that it cannot sort with, and keeps the one before.",
        "See its log. Install a newer bundle that fits, or go back with `pilah-edge rollback`. "
        "Where the station file was changed, too, restart the station.",
        "The station is given a model that it can sort with, or refuses another one.",
    ),
    IncidentKind(
        "picture_contradicted", "item",
        "The code on an item is that of other goods than its picture shows.",
        "Look at the item and decide.",
        "Somebody decides, with `pilah-edge delivery`.",
        raised="picture_contradicted", ended=None,
    ),
)  # fmt: skip

INCIDENTS: Mapping[str, IncidentKind] = {kind.name: kind for kind in _KINDS}
"""The kinds by name. An event's name is that of its incident, but for IncidentRaised, which has it
in `name`."""
