"""The design effect of groups, against known answers."""

import numpy as np
import pytest

from trainer.statistics.design_effect import cluster_design_effect


@pytest.mark.parametrize(
    ("wrong", "groups", "effect"),
    [
        ([1, 0, 1, 0], "abcd", 1.0),  # single pictures are independent
        ([1, 1, 0, 0], "aabb", 2.0),  # wrong or right as a whole: the groups' size
        ([1, 0, 1, 0], "aabb", 1.0),  # half of each group: less than chance, taken as chance
        ([0, 0, 0, 0], "aabb", 1.0),  # none is wrong: nothing varies
        ([1, 0, 1, 0], "aaaa", 1.0),  # one group: nothing to compare
        ([], "", 1.0),
    ],
)
def test_the_design_effect_is_what_kish_gives(wrong: list[int], groups: str, effect: float) -> None:
    found = cluster_design_effect(np.array(wrong, bool), list(groups))
    assert found == pytest.approx(effect)
