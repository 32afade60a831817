"""Draws the pictures of deploy/wiring.md: python deploy/pictures/wiring.py [FOLDER]."""

import sys
from pathlib import Path

PLUS, GROUND, INK, PAPER = "#c62828", "#37474f", "#263238", "#ffffff"
SIGNALS = ("#ef6c00", "#1565c0", "#2e7d32")
Point = tuple[float, float]


class Drawing:
    """An SVG under way; what is drawn later lies above."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self.width, self.height, self.title = width, height, title
        self.parts: list[str] = []

    def add(self, *parts: str) -> None:
        self.parts += parts

    def box(self, left: float, top: float, width: float, height: float, **look: str) -> None:
        look = {"fill": PAPER, "stroke": INK, "stroke-width": "1.5", "rx": "6"} | look
        attributes = " ".join(f'{name.replace("_", "-")}="{value}"' for name, value in look.items())
        self.add(
            f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" {attributes}/>'
        )

    def text(self, x: float, y: float, *lines: str, anchor: str = "start", size: int = 14,
             colour: str = INK, bold: bool = False) -> None:  # fmt: skip
        weight = ' font-weight="600"' if bold else ""
        for number, line in enumerate(lines):
            self.add(
                f'<text x="{x:g}" y="{y + number * size * 1.3:g}" text-anchor="{anchor}" '
                f'font-size="{size}" fill="{colour}"{weight}>{line}</text>'
            )

    def wire(self, colour: str, *points: Point, width: float = 2.5) -> None:
        """A wire along `points`; where it crosses another, a gap shows that they do not touch."""
        line = " ".join(f"{x:g},{y:g}" for x, y in points)
        for stroke, wide in ((PAPER, width + 5), (colour, width)):
            self.add(
                f'<polyline points="{line}" fill="none" stroke="{stroke}" stroke-width="{wide:g}" '
                'stroke-linejoin="round"/>'
            )

    def node(self, colour: str, *points: Point) -> None:
        """Where wires touch."""
        for x, y in points:
            self.add(f'<circle cx="{x:g}" cy="{y:g}" r="4.5" fill="{colour}"/>')

    def resistor(self, left: float, y: float, label: str) -> None:
        self.box(left, y - 7, 44, 14, rx="1")
        self.text(left + 22, y - 13, label, anchor="middle", size=12)

    def svg(self) -> str:
        body = "\n".join(self.parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
            f'viewBox="0 0 {self.width} {self.height}" role="img" '
            'font-family="system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif">\n'
            f"<title>{self.title}</title>\n"
            f'<rect width="{self.width}" height="{self.height}" rx="10" fill="{PAPER}"/>\n'
            f"{body}\n</svg>\n"
        )


ODD, EVEN, FIRST, PITCH = 222, 244, 104, 21
"""Where the header's two columns and its first row are drawn, and how far apart the rows."""


def pin_at(number: int) -> Point:
    """The middle of one of the header's 40 pins."""
    return (EVEN if number % 2 == 0 else ODD), FIRST + (number - 1) // 2 * PITCH


def board(drawing: Drawing, used: dict[int, tuple[str, str]], *, camera: str) -> None:
    """A Raspberry Pi; `used` has the colour and the name of each pin with a wire."""
    drawing.box(36, 72, 234, 468, fill="#e8f5e9", stroke="#2e7d32", rx="14")
    drawing.text(56, 108, "Raspberry Pi", size=17, bold=True)
    drawing.text(56, 130, "pin 1 is the one", "nearest the card", size=12)
    drawing.box(ODD - 13, FIRST - 13, 48, 19 * PITCH + 26, fill="#263238", rx="3")
    for number in range(1, 41):
        x, y = pin_at(number)
        colour = used.get(number, ("#90a4ae", ""))[0]
        radius = 7 if number in used else 4
        drawing.add(f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{colour}" stroke="#fff"/>')
    drawing.box(56, 452, 96, 30, fill="#eceff1")
    drawing.text(104, 472, camera, anchor="middle", size=12)
    drawing.box(56, 494, 96, 30, fill="#eceff1")
    drawing.text(104, 514, "power", anchor="middle", size=12)
    drawing.wire(PLUS, (104, 524), (104, 566), width=4)
    drawing.box(36, 566, 150, 44)
    drawing.text(111, 585, "the Pi&#8217;s own", "supply, 5 V", anchor="middle", size=12)


def from_pin(drawing: Drawing, number: int, colour: str, name: str, *rest: Point) -> None:
    """The wire of a pin, named where it leaves the board."""
    x, y = pin_at(number)
    out = y + (PITCH / 2 if number % 2 else 0)  # an odd pin's wire passes between two even ones
    drawing.wire(colour, (x, y), (x, out), *rest)
    drawing.add(f'<circle cx="{x}" cy="{y}" r="7" fill="{colour}" stroke="#fff"/>')
    drawing.text(280, out - 5, f"{name}, pin {number}", size=12, colour=colour, bold=True)


def emergency_stop(drawing: Drawing, x: float, y: float, label: float) -> None:
    """A mushroom button in a wire that runs at `y`, with its name so far below (or above)."""
    drawing.box(x - 32, y - 20, 64, 40, fill="#fdd835", stroke="#f9a825")
    drawing.add(
        f'<circle cx="{x:g}" cy="{y:g}" r="15" fill="#d32f2f" stroke="#8e0000" stroke-width="2"/>'
    )
    drawing.text(x, y + label, "emergency stop,", "opens when pressed", anchor="middle", size=12)


def supply(drawing: Drawing, left: float, top: float, *lines: str) -> None:
    drawing.box(left, top, 150, 66, fill="#eceff1")
    drawing.text(left + 75, top + 28, *lines, anchor="middle", size=14, bold=True)


def two_flap_bin() -> Drawing:
    drawing = Drawing(1000, 680, "Wiring of the two-flap bin")
    drawing.text(36, 44, "Two-flap bin", size=22, bold=True)
    plus, ground = 600.0, 700.0
    out: list[tuple[int, str, str, float]] = [
        (12, SIGNALS[0], "GPIO 18", 178), (33, SIGNALS[1], "GPIO 13", 408)]  # fmt: skip
    used = {number: (colour, name) for number, colour, name, _ in out} | {14: ("#bdbdbd", "GND")}
    board(drawing, used, camera="camera")
    drawing.wire(PLUS, (440, 600), (plus, 600), (plus, 204))
    drawing.wire(GROUND, (440, 636), (ground, 636), (ground, 230))
    from_pin(drawing, 14, GROUND, "GND", (ground, pin_at(14)[1]))
    for (number, colour, name, top), lane in zip(out, ("paper", "cans"), strict=True):
        y = pin_at(number)[1] + (PITCH / 2 if number % 2 else 0)
        from_pin(drawing, number, colour, name, (540, y), (540, top), (800, top))
        drawing.wire(PLUS, (plus, top + 26), (800, top + 26))
        drawing.wire(GROUND, (ground, top + 52), (800, top + 52))
        drawing.node(PLUS, (plus, top + 26))
        drawing.node(GROUND, (ground, top + 52))
        drawing.box(800, top - 24, 130, 100, fill="#e3f2fd", stroke="#1565c0")
        for offset, mark in ((0, "signal"), (26, "+"), (52, "&#8722;")):
            drawing.text(810, top + offset + 5, mark, size=13)
        drawing.add(
            f'<g transform="translate(896 {top + 26:g}) rotate(35)"><rect x="-6" y="-38" width="12"'
            ' height="46" rx="6" fill="#fff" stroke="#1565c0" stroke-width="1.5"/>'
            '<circle r="3.5" fill="#1565c0"/></g>'
        )
        drawing.text(865, top + 96, f"servo of the flap for {lane}", anchor="middle", size=13)
    drawing.node(GROUND, (ground, pin_at(14)[1]))
    # The capacitor, from rail to rail.
    y = 330.0
    drawing.wire(PLUS, (plus, y), (643, y))
    drawing.wire(GROUND, (657, y), (ground, y))
    drawing.node(PLUS, (plus, y))
    drawing.node(GROUND, (ground, y))
    drawing.box(640, y - 20, 5, 40, fill=PLUS, stroke="none", rx="0")
    drawing.box(655, y - 20, 5, 40, fill=GROUND, stroke="none", rx="0")
    drawing.text(630, y - 10, "+", anchor="middle", size=14, colour=PLUS, bold=True)
    drawing.text(722, y - 1, "1000 &#181;F, 10 V or more,", "its stripe to ground,",
                 "close to the servos", size=12)  # fmt: skip
    supply(drawing, 290, 585, "servo supply", "5 V, 3 A")
    drawing.text(450, 594, "+", colour=PLUS, bold=True)
    drawing.text(450, 630, "&#8722;", colour=GROUND, bold=True)
    emergency_stop(drawing, 520, 600, -45)
    drawing.text(plus + 8, 560, "+5 V", size=12, colour=PLUS, bold=True)
    drawing.text(ground + 8, 560, "ground, common", "to both supplies", size=12, bold=True)
    return drawing


def three_lane_belt() -> Drawing:
    drawing = Drawing(1060, 780, "Wiring of the three-lane belt")
    drawing.text(36, 44, "Three-lane belt", size=22, bold=True)
    plus, ground = 960.0, 440.0
    pins = ((16, "GPIO 23", "paper"), (18, "GPIO 24", "plastic"), (22, "GPIO 25", "metal"))
    used = {number: (colour, name) for (number, name, _), colour in zip(pins, SIGNALS, strict=True)}
    board(drawing, used | {20: ("#bdbdbd", "GND")}, camera="USB camera")
    drawing.wire(PLUS, (640, 706), (plus, 706), (plus, 110))
    drawing.wire(GROUND, (520, 706), (ground, 706), (ground, 206))
    for index, ((number, name, lane), colour) in enumerate(zip(pins, SIGNALS, strict=True)):
        top = 110 + 190 * index  # of the coil
        gate, source = top + 56, top + 96
        y, turn = pin_at(number)[1], (400, 410, 390)[index]
        from_pin(drawing, number, colour, name, (turn, y), (turn, gate), (600, gate))
        drawing.resistor(480, gate, "220 &#937;")
        # The pull-down.
        drawing.wire(INK, (560, gate), (560, source))
        drawing.box(553, gate + 10, 14, 24, rx="1")
        drawing.text(546, gate + 27, "10 k&#937;", anchor="end", size=12)
        drawing.node(colour, (560, gate))
        # The transistor, the coil, and the diode across the coil.
        drawing.wire(INK, (640, source), (640, top), (plus, top))
        drawing.wire(GROUND, (ground, source), (640, source))
        drawing.node(GROUND, (ground, source), (560, source))
        drawing.node(PLUS, (plus, top))
        drawing.box(600, gate - 22, 76, 44, fill="#fff3e0", stroke="#ef6c00")
        drawing.text(638, gate - 4, "MOSFET", anchor="middle", size=12, bold=True)
        for x, y, mark in ((606, 12, "G"), (646, -26, "D"), (646, 35, "S")):
            drawing.text(x, gate + y, mark, size=11)
        drawing.wire(INK, (690, top), (690, top - 36), (890, top - 36), (890, top))
        drawing.add(
            f'<path d="M776 {top - 48} v24 l24 -12 z" fill="{INK}"/>'
            f'<rect x="799" y="{top - 48}" width="5" height="24" fill="{INK}"/>'
        )
        drawing.text(790, top - 54, "flyback diode, its ring to +", anchor="middle", size=12)
        drawing.node(INK, (690, top), (890, top))
        drawing.box(720, top - 15, 140, 30, fill="#e3f2fd", stroke="#1565c0")
        for x in range(738, 850, 14):
            drawing.wire("#90caf9", (x, top - 15), (x - 6, top + 15), width=1.5)
        drawing.text(790, top + 34, f"solenoid of the pusher: {lane}", anchor="middle", size=13)
    y = pin_at(20)[1]
    from_pin(drawing, 20, GROUND, "GND", (ground, y))
    drawing.node(GROUND, (ground, y))
    supply(drawing, 505, 660, "solenoid supply", "12 V, 3 A")
    drawing.text(660, 700, "+", colour=PLUS, bold=True)
    drawing.text(488, 700, "&#8722;", colour=GROUND, bold=True)
    drawing.box(690, 697, 56, 18, fill="#fff", rx="9")
    drawing.text(718, 690, "fuse, 3 A", anchor="middle", size=12)
    drawing.wire(PLUS, (690, 706), (746, 706), width=1.5)
    emergency_stop(drawing, 830, 706, 38)
    drawing.text(plus + 8, 640, "+12 V", size=12, colour=PLUS, bold=True)
    drawing.text(ground - 8, 640, "ground, common", "to both supplies", anchor="end", size=12,
                 bold=True)  # fmt: skip
    return drawing


def receiving_table() -> Drawing:
    drawing = Drawing(1000, 560, "Stand of the receiving table")
    drawing.text(36, 44, "Receiving table", size=22, bold=True)
    drawing.text(36, 68, "Log only: no pin is used, nothing moves.", size=14)
    # What the camera sees.
    drawing.add('<path d="M420 152 L250 452 H590 Z" fill="#e3f2fd" stroke="none"/>')
    drawing.wire("#90caf9", (420, 152), (250, 452), width=1.2)
    drawing.wire("#90caf9", (420, 152), (590, 452), width=1.2)
    # Table, mat, column with an arm.
    drawing.box(80, 460, 700, 16, fill="#d7ccc8", stroke="#8d6e63", rx="2")
    for x in (110, 730):
        drawing.box(x, 476, 20, 60, fill="#d7ccc8", stroke="#8d6e63", rx="0")
    drawing.box(230, 452, 380, 8, fill="#78909c", stroke="none", rx="1")
    drawing.box(682, 110, 16, 350, fill="#cfd8dc", rx="2")
    drawing.box(404, 110, 294, 14, fill="#cfd8dc", rx="2")
    drawing.box(396, 124, 48, 28, fill="#263238")
    drawing.add('<circle cx="420" cy="152" r="8" fill="#90caf9" stroke="#263238"/>')
    drawing.text(330, 142, "USB camera", anchor="middle", size=13, bold=True)
    # Things on it.
    drawing.box(300, 400, 74, 52, fill="#d7a86e", stroke="#8d6e63", rx="2")
    drawing.add(
        '<path d="M440 452 V412 q0 -8 6 -12 V384 h16 v16 q6 4 6 12 V452 Z" fill="#a5d6a7" '
        'stroke="#2e7d32" stroke-width="1.5"/>'
    )
    drawing.box(512, 416, 34, 36, fill="#b0bec5", stroke="#546e7a", rx="3")
    # Two lamps from the sides.
    for x, sign in ((130, 1), (600, -1)):
        drawing.add(
            f'<g transform="translate({x} 235) rotate({-35 * sign})">'
            '<rect x="-50" y="-10" width="100" height="20" rx="6" fill="#fff59d" '
            'stroke="#f9a825" stroke-width="1.5"/></g>'
        )
    drawing.text(130, 200, "lamp", anchor="middle", size=13)
    drawing.text(622, 200, "lamp", anchor="middle", size=13)
    # The measure.
    drawing.wire(INK, (200, 154), (200, 450), width=1.2)
    for y in (154, 450):
        drawing.wire(INK, (192, y), (208, y), width=1.2)
    drawing.text(190, 330, "60 cm", anchor="end", size=13)
    drawing.text(420, 500, "matt mat of one colour, 45 x 34 cm", anchor="middle", size=13)
    # The Pi.
    drawing.wire(INK, (444, 138), (875, 138), (875, 250))
    drawing.text(790, 130, "USB cable", anchor="middle", size=13)
    drawing.box(790, 250, 170, 110, fill="#e8f5e9", stroke="#2e7d32", rx="12")
    drawing.text(875, 292, "Raspberry Pi", anchor="middle", size=17, bold=True)
    drawing.text(875, 318, "nothing on its header", anchor="middle", size=12)
    drawing.wire(PLUS, (875, 360), (875, 410), width=4)
    drawing.box(800, 410, 150, 44)
    drawing.text(875, 429, "the Pi&#8217;s own", "supply, 5 V", anchor="middle", size=12)
    return drawing


DRAWINGS = {
    "wiring-two-flap-bin.svg": two_flap_bin,
    "wiring-three-lane-belt.svg": three_lane_belt,
    "wiring-receiving-table.svg": receiving_table,
}

if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name, draw in DRAWINGS.items():
        (folder / name).write_text(draw().svg(), encoding="utf-8")
