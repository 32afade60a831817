"""The curves of a training, as TensorBoard reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.fit.phases import Epoch
from trainer.session.logs import TensorBoard

EPOCH = Epoch(
    phase="head",
    epoch=1,
    loss=1.0,
    accuracy=0.5,
    validation_loss=1.0,
    validation_accuracy=0.5,
    learning_rate=0.001,
    seconds=1.0,
)


def test_each_part_has_its_curves(tmp_path: Path) -> None:
    with TensorBoard(tmp_path) as logs:
        logs.add(EPOCH)
        logs.add(EPOCH)
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["train", "validation"]


@pytest.mark.usefixtures("log_lines")
def test_a_training_goes_on_where_its_curves_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "curves"
    # Whatever stands in the way, a full disk or this, TensorFlow has one kind of error for it.
    folder.write_text("a file where a folder is to be")
    with TensorBoard(folder) as logs:
        logs.add(EPOCH)
        logs.add(EPOCH)
    said = capsys.readouterr().err
    assert said.count("cannot be written any more") == 1
    assert "it goes on without them" in said
