"""Event files say what PyTorch's writer says, and TensorBoard's own reader reads them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torsh

torch = pytest.importorskip("torch")


def _write(lib: Any, folder: Path) -> list[bytes]:
    """The summaries a writer leaves, one after the other."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    writer_module = importlib.import_module(f"{lib.__name__}.utils.tensorboard")
    values = lib.arange(24.0).reshape(2, 3, 4)
    with writer_module.SummaryWriter(str(folder)) as writer:
        writer.add_scalar("loss", lib.tensor(0.5), 3, walltime=1.0)
        writer.add_scalar("accuracy", 0.25, 4, walltime=2.0, new_style=True)
        writer.add_histogram("weights", values, 1, walltime=3.0)
        writer.add_histogram("few", values, 1, bins="auto", walltime=3.0)
        writer.add_text("note", "two **words**", 1, walltime=4.0)
        writer.add_image("picture", values[:1] / 24, 1, walltime=5.0)
        writer.add_pr_curve("curve", lib.tensor([0, 1, 1, 0]), lib.tensor([0.1, 0.9, 0.4, 0.6]), 1, walltime=6.0)
    (file,) = folder.glob("events*")
    events = list(EventFileLoader(str(file)).Load())
    return [
        (e.step, e.wall_time, e.summary.SerializeToString(deterministic=True)) for e in events if e.HasField("summary")
    ]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_same_events_as_pytorchs_writer(tmp_path: Path) -> None:
    own, theirs = _write(torsh, tmp_path / "own"), _write(torch, tmp_path / "theirs")
    assert len(own) == 7
    assert own == theirs


def test_scalars_are_read_back(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from torsh.utils.tensorboard import SummaryWriter

    losses = np.linspace(1, 0, 5, dtype=np.float32)
    with SummaryWriter(str(tmp_path)) as writer:
        for step, loss in enumerate(losses):
            writer.add_scalar("loss", torsh.tensor(loss), step)
    reader = EventAccumulator(str(tmp_path)).Reload()
    assert [s.value for s in reader.Scalars("loss")] == pytest.approx(losses)


def test_what_is_not_there_says_so(tmp_path: Path) -> None:
    from torsh.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path)) as writer, pytest.raises(NotImplementedError, match="add_graph"):
        writer.add_graph(None)
