"""The digits program under PyTorch and under torsh, on every backend: one start, one curve."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

EXAMPLES = Path(__file__).parents[2] / "examples"

# Prints, as one JSON line, a digest of everything random before training and the losses of the steps.
PROGRAM = """
import hashlib, io, json, sys
sys.path.insert(0, {examples!r})
{setup}
import torch
import digits
from torch.utils.data import DataLoader

def digest(*tensors):
    h = hashlib.sha256()
    for t in tensors:
        h.update(t.detach().contiguous().numpy().tobytes())
    return h.hexdigest()

torch.manual_seed(0)
train, _ = digits.load()
model = digits.Net()
weights = digest(*model.state_dict().values())
shuffles = [digest(*(y for _, y in DataLoader(train, batch_size=64, shuffle=True))) for _ in range(2)]
mask = digest(torch.nn.functional.dropout(torch.ones(64, 128), 0.25))
losses, reached = digits.main({arguments!r})
print("RESULT", json.dumps([weights, shuffles, mask, losses, reached]))
"""


def run(setup, *arguments):
    code = PROGRAM.format(examples=str(EXAMPLES), setup=setup, arguments=list(arguments))
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, env=env)
    assert done.returncode == 0, done.stderr[-3000:]
    line = next(x for x in done.stdout.splitlines() if x.startswith("RESULT "))
    return json.loads(line.removeprefix("RESULT "))


ALIAS = "import torsh.compat; torsh.compat.install(); import sys; assert sys.modules['torch'].__torsh__"


@pytest.fixture(scope="module")
def pytorch():
    return run("", "--epochs", "1")


def test_numpy_starts_bit_identical_and_follows_the_curve(pytorch):
    weights, shuffles, mask, losses, _ = run(ALIAS, "--epochs", "1")
    assert (weights, shuffles, mask) == tuple(pytorch[:3])
    assert len(losses) == len(pytorch[3])
    worst = max(abs(a - b) for a, b in zip(losses, pytorch[3]))
    assert worst < 1e-4, f"losses of the first epoch differ by up to {worst}"


def test_numpy_learns_the_digits():
    *_, losses, reached = run(ALIAS)
    assert reached >= 0.97
    assert losses[-1] < 0.3


def test_torch_backend_follows_the_curve(pytorch):
    setup = "import torsh; torsh.registry.bind('cpu', 'torch'); " + ALIAS
    weights, shuffles, mask, losses, _ = run(setup, "--epochs", "1")
    assert (weights, shuffles, mask) == tuple(pytorch[:3])
    assert max(abs(a - b) for a, b in zip(losses, pytorch[3])) < 1e-4


def test_dask_backend_follows_the_curve():
    few = ("--epochs", "1", "--steps", "3")
    setup = "import torsh; torsh.registry.bind('cpu', 'dask'); " + ALIAS
    ours, reference = run(setup, *few), run("", *few)
    assert ours[:3] == reference[:3]
    assert len(ours[3]) == 3
    assert max(abs(a - b) for a, b in zip(ours[3], reference[3])) < 1e-4
