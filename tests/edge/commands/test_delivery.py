"""`pilah-edge delivery` as a person at the door calls it, with what it says and its exit codes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from edge.cli import main
from edge.core.errors import EXIT_CONFIG, EXIT_DATA, EXIT_IO, EXIT_NO, EXIT_OK, EXIT_USAGE
from edge.events import PictureContradicted
from edge.ledger.ledger import Ledger
from edge.ledger.lock import LedgerLock
from tests.edge.receiving.goods_lists import BOX, OTHER_BOX, PACK_OF_SHOES, SHOE, SOCK, UNKNOWN

STATION = """\
station: door
lanes:
  counted: {labels: [adidas, nike]}
  rest: {labels: []}
ledger: {path: ledger.sqlite}
"""
"""What receiving needs of a station file; a bundle and a camera it does not."""
GOODS = f"""\
delivery,sku,gtin,label,expected,pack size
D1,SH,{SHOE},adidas,8,6
D1,SO,{SOCK},,1,
"""


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a station file and a list of goods, in which the test works."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGNAME", "clerk")
    Path("station.yaml").write_text(STATION, encoding="utf-8")
    Path("goods.csv").write_text(GOODS, encoding="utf-8")
    return tmp_path


def call(step: str, *words: str) -> int:
    """The exit code of a step of `delivery` at the station of `door`."""
    return main(["delivery", step, "station.yaml", *words])


def answer(capsys: pytest.CaptureFixture[str], step: str, *words: str) -> dict[str, object]:
    """What a step says for programs."""
    capsys.readouterr()
    call(step, *words, "--json")
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_a_delivery_from_the_list_to_the_report(
    door: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("import", "goods.csv") == EXIT_OK
    assert call("import", "goods.csv") == EXIT_OK
    assert capsys.readouterr().out == "new        D1: 2 lines\nunchanged  D1: 2 lines\n"
    assert call("open", "D1") == EXIT_OK
    assert "One scan, one piece." in capsys.readouterr().out
    assert call("scan", SHOE, PACK_OF_SHOES, "SO") == EXIT_OK
    assert capsys.readouterr().out == (
        "counted: SH, 1 of 8\ncounted as a pack of 6: SH, 7 of 8\ncounted: SO, 1 of 1\n"
    )
    assert call("close") == EXIT_NO
    assert "not closed: it differs" in capsys.readouterr().out
    assert call("close", "--as-counted") == EXIT_OK
    assert "expected   D1-B1: what is missing of D1" in capsys.readouterr().out
    assert call("report", "--delivery", "D1") == EXIT_OK
    assert call("report", "--delivery", "D1", "--out", "d1.csv") == EXIT_OK
    assert Path("D1.html").is_file()
    assert Path("d1.csv").is_file()
    assert call("reopen", "D1", "--why", "another box") == EXIT_OK
    assert "D1-R1  counting" in capsys.readouterr().out


def test_scans_come_from_stdin_line_by_line(
    door: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    call("import", "goods.csv")
    call("open", "D1")
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SHOE}\r\n\n{UNKNOWN}\n{SHOE}"))
    assert call("scan") == EXIT_NO  # not all were counted
    assert capsys.readouterr().out.splitlines() == [
        "counted: SH, 1 of 8",
        f"not on this delivery, put it aside: no line has the GTIN 0{UNKNOWN}",
        "counted: SH, 2 of 8",
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_at_a_terminal_the_rule_is_shown_before_the_first_scan(
    door: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    call("import", "goods.csv")
    call("open", "D1")
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", Terminal(f"{SHOE}\n"))
    assert call("scan") == EXIT_OK
    rule, counted = capsys.readouterr().out.splitlines()
    assert rule.startswith("One scan, one piece.")
    assert rule.endswith("Ctrl-D ends.")
    assert counted == "counted: SH, 1 of 8"


def test_each_step_answers_programs_too(door: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("goods.csv").write_text(
        "delivery,sku,gtin,expected,supplier\n"
        f"D1,SH,{SHOE},8,ACME\nD1,S2,{SHOE},2,ACME\nD2,SO,{SOCK},1,ACME\n"
    )
    assert answer(capsys, "import", "goods.csv") == {
        "deliveries": [{"delivery": "D1", "import": "new"}, {"delivery": "D2", "import": "new"}]
    }
    opened = answer(capsys, "open", "D1")
    assert (opened["delivery"], opened["state"]) == ("D1", "counting")
    scanned = answer(capsys, "scan", SHOE)
    assert (scanned["answer"], scanned["choose_from"]) == ("several lines", [1, 2])
    chosen = answer(capsys, "scan", SHOE, "--line", "2")
    assert (chosen["answer"], chosen["line"], chosen["counted"]) == ("counted", 2, 1)
    call("status")
    shown = capsys.readouterr().out.splitlines()
    assert (shown[0], shown[-1]) == ("delivery   D1  counting", "delivery   D2  expected")
    state = answer(capsys, "status")
    assert isinstance(state["counting"], dict)
    assert state["counting"]["delivery"] == "D1"
    assert state["others"] == [{"delivery": "D2", "state": "expected"}]


def test_columns_that_are_not_read_are_named(
    door: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("goods.csv").write_text("delivery,sku,expected,Supplier\nD1,SH,8,ACME\n")
    assert call("import", "goods.csv") == EXIT_OK
    assert "not read: Supplier" in capsys.readouterr().err


def test_somebody_without_a_login_name_says_who_it_is(
    door: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert call("import", "goods.csv") == EXIT_USAGE
    assert "this user has no login name: say who does it with --by NAME" in capsys.readouterr().err
    assert call("import", "goods.csv", "--by", "Ana") == EXIT_OK


def test_the_status_shows_all_that_differs(door: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("goods.csv").write_text(
        "delivery,sku,gtin,label,expected,lot,serials,container\n"
        f"D1,SH,{SHOE},adidas,3,,,\nD1,SO,{SOCK},,2,L7,,\n"
        f"D1,PH,,,2,,S1 S2,\nD1,BX,,,1,,,{BOX}\n"
    )
    call("import", "goods.csv")
    call("open", "D1")
    call("scan", SHOE, f"(01){SOCK.zfill(14)}(10)L9", "S1", UNKNOWN, UNKNOWN, OTHER_BOX)
    call("scan", SHOE, "--seen", "nike")
    call("scan", SHOE, "--damaged", "--why", "torn")
    capsys.readouterr()
    call("status", "--delivery", "D1")
    assert capsys.readouterr().out.splitlines() == [
        "delivery   D1  counting",
        "line  article     expected  counted  difference  damaged",
        "   1  SH                 3        2          -1        1",
        "   2  SO, lot L7         2        1          -1",
        "   3  PH                 2        1          -1",
        "   4  BX                 1        0          -1",
        "lot        line 2: 1 of lot L9, not as announced",
        "serials    line 3: missing S2",
        f"containers 0 came, missing {BOX}",
        f"put aside  3: no line has the GTIN 0{UNKNOWN} (2 times); the container {OTHER_BOX} was "
        "not announced",
        f"stopped    line 1, {SHOE}: the picture shows nike",
    ]
    call("close", "--as-counted")
    call("open", "D1-B1")
    capsys.readouterr()
    call("status", "--delivery", "D1-B1")
    assert capsys.readouterr().out.splitlines()[1] == "           back-order of D1"


def test_a_new_receipt_says_which_delivery_it_receives(
    door: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call("import", "goods.csv")
    call("open", "D1")
    call("close", "--as-counted", "--no-back-order")
    call("reopen", "D1", "--why", "another box")
    capsys.readouterr()
    call("status", "--delivery", "D1-R1")
    assert capsys.readouterr().out.splitlines()[1] == "           reopens D1"


def test_a_raw_code_of_a_scanner_is_counted(door: Path) -> None:
    call("import", "goods.csv")
    call("open", "D1")
    assert call("scan", f"]C101{SHOE.zfill(14)}10L7\x1d17270331") == EXIT_OK
    assert call("scan", f"https://id.gs1.org/01/{SOCK.zfill(14)}") == EXIT_OK


def test_without_the_extra_a_raw_code_is_put_aside_and_it_is_said_why_once(
    door: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("edge.receiving.code.can_read_elements", lambda: False)
    call("import", "goods.csv")
    call("open", "D1")
    assert call("scan", *[f"01{SHOE.zfill(14)}10L7"] * 2) == EXIT_NO
    assert capsys.readouterr().err.count("deploy/locks/codes.txt") == 1


def test_what_was_counted_wrongly_is_corrected_and_undone(
    door: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call("import", "goods.csv")
    call("open", "D1")
    call("scan", "--line", "1", "--pieces", "5")
    call("correct", "SH", "--counted", "4", "--why", "a miscount")

    def counted() -> object:
        lines = answer(capsys, "status", "--delivery", "D1")["lines"]
        assert isinstance(lines, list)
        return lines[0]["counted"]

    assert counted() == 4
    call("undo")
    assert counted() == 5
    capsys.readouterr()
    call("status", "--events")
    events = [line for line in capsys.readouterr().out.splitlines() if "(undone)" in line]
    assert len(events) == 1
    assert "was 5  now 4  why a miscount" in events[0]
    undo = answer(capsys, "status", "--events", "--delivery", "D1")["events"]
    assert isinstance(undo, list)
    call("undo", "--event", undo[-1]["id"])
    assert counted() == 4


def test_a_blind_delivery_says_no_expected_figure_before_it_is_closed(
    door: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # In identifiers and in microseconds, which are told, too, fewer digits come by chance.
    assert call("import", "--delivery", "B", "--line", "SH:adidas=7777777", "--blind") == EXIT_OK
    call("open", "B")
    call("scan", "SH")
    call("status")
    call("status", "--events")
    call("status", "--json")
    call("close")
    assert "777777" not in capsys.readouterr().out.replace(",", "")
    call("close", "--as-counted")
    assert "7777777" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("import",), EXIT_USAGE, "give either GOODS.csv or --line"),
        (("import", "--line", "A=1"), EXIT_USAGE, "--line needs --delivery NAME"),
        (("import", "bad.csv"), EXIT_DATA, "bad.csv: line 2: expected must be a whole number"),
        (("import", "none.csv"), EXIT_IO, "cannot read none.csv"),
        (("open", "D2"), EXIT_USAGE, "there is no delivery 'D2'"),
        (("scan", SHOE), EXIT_NO, "no delivery is being counted"),
        (("scan",), EXIT_NO, "no delivery is being counted"),
        (("scan", SHOE, "--why", "x"), EXIT_USAGE, "--why belongs to --damaged"),
        (("scan", SHOE, "--photograph", "none.jpg"), EXIT_IO, "cannot read none.jpg"),
        (("scan", SHOE, "--pieces", "0"), EXIT_USAGE, "must be 1 or more. Received: 0"),
        (("scan", "\x1b[2J"), EXIT_USAGE, "a code has 1 to 128 printable characters"),
        (("correct", "SH", "--counted", "-1", "--why", "x"), EXIT_USAGE, "must be 0 or more"),
        (("correct", "SH", "--counted", "1", "--why", " "), EXIT_USAGE, "--why must say why"),
        (("report", "--out", "d.pdf", "--delivery", "D1"), EXIT_USAGE, "end in .html or .csv"),
        (("import", "goods.csv", "--by", ""), EXIT_USAGE, "--by must be a name"),
    ],
)
def test_a_mistake_is_answered(
    door: Path,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    Path("bad.csv").write_text("delivery,sku,expected\nD,A,x\n", encoding="utf-8")
    if "D1" in words:
        call("import", "goods.csv")
    try:
        found = call(*words)
    except SystemExit as ended:  # argparse's own way
        found = int(str(ended.code))
    assert found == code
    assert said in capsys.readouterr().err


def test_a_broken_station_file_is_named(door: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("station.yaml").write_text(STATION + "receiving: {count_by: eye}\n", encoding="utf-8")
    assert call("status") == EXIT_CONFIG
    assert "count_by" in capsys.readouterr().err


def test_the_file_of_deliveries_lies_where_the_station_file_says(door: Path) -> None:
    call("status")
    assert Path("ledger-deliveries.sqlite").is_file()
    assert not Path("ledger.sqlite").exists()  # whose one writer is the station
    Path("station.yaml").write_text(STATION + "receiving: {path: goods.sqlite}\n", "utf-8")
    call("status")
    assert Path("goods.sqlite").is_file()


def incidents(folder: Path) -> list[tuple[str, str]]:
    """What the codes and the pictures of the incidents in the ledger say."""
    with Ledger(folder / "ledger.sqlite") as ledger:
        found = [row for row in ledger.happenings() if isinstance(row, PictureContradicted)]
    return [(row.expected, row.seen) for row in found]


def test_a_picture_that_a_person_sees_to_say_otherwise_is_an_incident_of_the_ledger(
    door: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call("import", "goods.csv")
    call("open", "D1")
    with Ledger(door / "ledger.sqlite"):
        pass
    assert call("scan", SHOE, "--seen", "adidas") == EXIT_OK
    assert incidents(door) == []
    assert call("scan", SHOE, "--seen", "nike") == EXIT_NO
    assert incidents(door) == [("adidas", "nike")]
    assert call("scan", SHOE, "--seen", "reebok") == EXIT_NO
    assert incidents(door) == [("adidas", "nike"), ("adidas", "reebok")]


def test_a_running_station_writes_the_incident_itself(door: Path) -> None:
    call("import", "goods.csv")
    call("open", "D1")
    with Ledger(door / "ledger.sqlite"):
        pass
    lock = LedgerLock(door / "ledger.sqlite")
    lock.hold()
    assert call("scan", SHOE, "--seen", "nike") == EXIT_NO
    lock.release()
    assert incidents(door) == []


def test_a_ledger_is_not_made_by_whoever_scans(door: Path) -> None:
    call("import", "goods.csv")
    call("open", "D1")
    assert call("scan", SHOE, "--seen", "nike") == EXIT_NO
    assert not list(door.glob("*ledger.sqlite*"))


def test_an_incident_that_cannot_be_written_now_is_said_and_the_answer_stands(
    door: Path, caplog: pytest.LogCaptureFixture
) -> None:
    call("import", "goods.csv")
    call("open", "D1")
    (door / "ledger.sqlite").write_bytes(b"damaged" * 1000)
    assert call("scan", SHOE, "--seen", "nike") == EXIT_NO
    assert "the incident is not in the ledger yet" in caplog.text
