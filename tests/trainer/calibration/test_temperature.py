"""The temperature, against known answers."""

import numpy as np
import pytest

from trainer.calibration.temperature import fit_temperature
from trainer.statistics.likelihood import softmax


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_of_overconfident_logits_is_found(temperature: float) -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, (6_000, 4))
    truth = np.array([rng.choice(4, p=p) for p in softmax(honest)])
    assert fit_temperature(honest * temperature, truth) == pytest.approx(temperature, rel=0.05)


def test_a_few_pictures_all_right_do_not_make_a_model_certain() -> None:
    logits = np.tile([4.0, 0.0, 0.0], (150, 1))
    temperature = fit_temperature(logits, np.zeros(150, np.int64))
    assert 0.4 < temperature < 2
    assert softmax(logits / temperature)[0, 0] == pytest.approx(151 / 152, abs=2e-3)
