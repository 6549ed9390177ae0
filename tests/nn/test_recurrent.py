"""Recurrent layers against PyTorch: outputs, first and second derivatives, by kernel and by composition."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torsh  # noqa: E402
from torsh import registry  # noqa: E402
from torsh.ops.recurrent_steps import steps  # noqa: E402


def derivatives(module, kind, options, twice):
    module.manual_seed(0)
    net = getattr(module.nn, kind)(3, 4, dtype=module.float64, **options)
    x = module.randn(5, 2, 3, dtype=module.float64, requires_grad=True)
    directions = (2 if options.get("bidirectional") else 1) * options.get("num_layers", 1)
    h = module.randn(directions, 2, 4, dtype=module.float64, requires_grad=True)
    c = module.randn(directions, 2, 4, dtype=module.float64, requires_grad=True)
    inputs = [x, h, c] if kind == "LSTM" else [x, h]
    out, state = net(x, (h, c) if kind == "LSTM" else h)
    end = sum((s * s).sum() for s in state) if kind == "LSTM" else (state * state).sum()
    loss = (out * out.cos()).sum() + end
    inputs += list(net.parameters())
    first = module.autograd.grad(loss, inputs, create_graph=twice)
    found = [out, *(state if kind == "LSTM" else [state]), *first]
    if twice:
        found += module.autograd.grad(sum((g * g).sum() for g in first), inputs)
    return [t.detach().numpy() for t in found]


KINDS = [
    ("RNN", {}), ("RNN", {"nonlinearity": "relu", "bidirectional": True}), ("LSTM", {}), ("LSTM", {"bias": False}),
    ("LSTM", {"num_layers": 2, "bidirectional": True}), ("GRU", {}), ("GRU", {"bias": False}),
    ("GRU", {"num_layers": 2, "bidirectional": True}),
]  # fmt: skip


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_derivatives(kind, options, backend, twice):
    theirs = derivatives(torch, kind, options, twice)
    with registry.use(backend):
        ours = derivatives(torsh, kind, options, twice)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs):
        torch.testing.assert_close(torch.from_numpy(a), torch.from_numpy(b), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("mode", ["RNN_TANH", "RNN_RELU", "LSTM", "GRU"])
def test_every_output_is_differentiable(mode, backwards):
    """The kept gates are outputs too, whose gradients second derivatives bring."""
    torsh.manual_seed(1)
    gates = {"LSTM": 4, "GRU": 3}.get(mode, 1)
    make = lambda *shape: torsh.randn(*shape, dtype=torsh.float64, requires_grad=True)
    inputs = [make(4, 2, gates * 3), make(gates * 3, 3), make(gates * 3), make(2, 3)]
    inputs.append(make(2, 3) if mode == "LSTM" else None)
    run = lambda *tensors: [t for t in steps.op(*tensors, *([None] * (5 - len(tensors))), mode, backwards) if t.numel()]
    assert torsh.autograd.gradcheck(run, [t for t in inputs if t is not None])


@pytest.mark.parametrize("layer", ["RNN", "GRU"])
def test_layers_of_16_bit_numbers_round_after_every_operation(layer) -> None:
    """As PyTorch's do: a step computed at once is nearer to the truth, and apart from PyTorch by several roundings."""
    rng = np.random.default_rng(0)
    theirs = getattr(torch.nn, layer)(4, 3, 2).to(torch.bfloat16)
    ours = getattr(torsh.nn, layer)(4, 3, 2).to(torsh.bfloat16)
    for p, q in zip(theirs.parameters(), ours.parameters()):
        values = rng.uniform(-2, 2, tuple(p.shape)).astype(np.float32)
        p.data.copy_(torch.from_numpy(values))
        q.data.copy_(torsh.from_numpy(values))
    x = rng.uniform(-2, 2, (3, 2, 4)).astype(np.float32)
    found = [m(lib.from_numpy(x).to(lib.bfloat16))[0].float().tolist() for lib, m in ((torch, theirs), (torsh, ours))]
    assert found[0] == found[1]
