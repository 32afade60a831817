from __future__ import annotations

from pathlib import Path

from edge.receiving.code import read_code
from edge.receiving.scan import Scan
from edge.web.watch.mismatches import open_mismatches
from tests.edge.receiving.goods_lists import SHOE, goods
from tests.edge.web.browsing import Pages
from tests.edge.web.pages.test_delivery import desk


def test_a_mismatch_waits_until_somebody_decides(pages: Pages) -> None:
    file = pages.plan.deliveries
    assert open_mismatches(file) == ()
    with desk(pages) as work:
        assert open_mismatches(file) == ()
        work.import_goods([goods()], "goods.csv")
        work.open("D1")
        work.scan("D1", Scan(code=read_code(SHOE), seen="nike"))
        (found,) = open_mismatches(file)
        assert pages.site.live.beat().mismatches == (found,)
        assert found in pages.browser().get("/history").text
        work.undo("D1", found)
        assert open_mismatches(file) == ()


def test_a_file_that_cannot_be_read_has_none(tmp_path: Path) -> None:
    file = tmp_path / "deliveries.sqlite"
    file.write_bytes(b"no database" * 100)
    assert open_mismatches(file) == ()
