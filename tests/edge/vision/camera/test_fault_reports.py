from __future__ import annotations

from edge.flow import PictureFault, PictureFaultKind
from edge.vision.camera.fault_reports import FaultReports

BLANK = PictureFault(PictureFaultKind.BLANK, words="shows nothing")
DARK = BLANK._replace(lasting=True)
DAMAGED = PictureFault(PictureFaultKind.DAMAGED, words="gives damaged frames")
REPEATED = PictureFault(PictureFaultKind.REPEATED)


def said(*faults: PictureFault | None, spells: FaultReports | None = None) -> list[str]:
    spells = spells or FaultReports("the camera")
    return [line for at, fault in enumerate(faults) for line in spells.see(fault, at)]


def test_that_a_fault_begins_and_that_it_is_over_is_said_once_each() -> None:
    begun, over = said(None, BLANK, DARK, DARK, DARK, None, None, None, None, None)
    assert begun.startswith("the camera shows nothing. ")
    assert over == "the camera: no blank picture for 3 s; 4 were left out before"


def test_a_single_blank_picture_is_not_worth_a_word_but_a_damaged_one_is() -> None:
    assert said(None, BLANK, None, None, None, None) == []
    assert len(said(None, DAMAGED, None, None, None, None)) == 2


def test_a_fault_that_comes_and_goes_is_one_spell() -> None:
    assert len(said(*[DAMAGED, None, None] * 9)) == 1


def test_pictures_that_cameras_in_order_give_too_are_not_spoken_of() -> None:
    assert said(*[REPEATED] * 9) == []


def test_two_faults_at_once_are_told_apart() -> None:
    lines = said(DARK, DAMAGED, DARK, DAMAGED, None, None, None, None)
    assert [line.partition(". ")[0] for line in lines[:2]] == [
        "the camera shows nothing",
        "the camera gives damaged frames",
    ]
    assert len(lines) == 4


def test_what_went_before_a_loss_is_forgotten() -> None:
    spells = FaultReports("the camera")
    said(DARK, spells=spells)
    spells.forget()
    assert said(None, None, None, None, None, spells=spells) == []
