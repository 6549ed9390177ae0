"""Empty inputs, last offsets, hooks for all modules, lazy parameters and what is refused: as PyTorch has it."""

from __future__ import annotations

import warnings
from collections import OrderedDict

import pytest

import torsh
from torsh import nn
from torsh.nn import functional as F

torch = pytest.importorskip("torch")


def message(fn, *args, **kwargs):
    """The type of an exception and how its message begins."""
    with pytest.raises(Exception) as caught:
        fn(*args, **kwargs)
    return type(caught.value).__name__, str(caught.value)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("padding_idx", [None, 6])
@pytest.mark.parametrize("offsets", [[0, 3, 3], [0, 1, 2, 4], [0, 3, 4]])
def test_last_offset(mode, padding_idx, offsets):
    def run(lib):
        weight = lib.arange(20.0).reshape(10, 2)
        index = lib.tensor([0, 1, 2, 3])
        found = lib.nn.functional.embedding_bag(
            index, weight, lib.tensor(offsets), mode=mode, include_last_offset=True, padding_idx=padding_idx
        )
        return found.tolist()

    assert run(torsh) == run(torch)


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_renorm_takes_both_index_types(dtype):
    def run(lib):
        weight = lib.tensor([[3.0, 4.0], [0.3, 0.4]])
        F_ = lib.nn.functional
        out = F_.embedding_bag(lib.tensor([0, 1], dtype=getattr(lib, dtype)), weight, lib.tensor([0]), max_norm=1.0)
        return out, weight

    for ours, theirs in zip(run(torsh), run(torch)):
        assert torch.allclose(torch.tensor(ours.tolist()), theirs)


def test_empty_bags_have_a_history():
    weight = torsh.ones(3, 2, requires_grad=True)
    out = F.embedding_bag(torsh.tensor([], dtype=torsh.int64), weight, torsh.tensor([0, 0]), mode="max")
    out.sum().backward()
    assert out.tolist() == [[0, 0], [0, 0]]
    assert weight.grad.abs().sum() == 0


def test_sparse_gradient_keeps_its_indices():
    table = nn.Embedding(5, 2, sparse=True)
    index = torsh.tensor([1, 3])
    table(index).sum().backward()
    index[0] = 4
    assert table.weight.grad._indices().tolist() == [[1, 3]]


def test_writes_to_pooled_indices_are_noticed():
    x = torsh.randn(1, 2, 4, requires_grad=True)
    out, where = F.max_pool1d(x, 2, return_indices=True)
    where.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()


CALLS = [
    lambda lib, f: f.fractional_max_pool2d(lib.ones(1, 1, 6, 6), (2,), output_size=2),
    lambda lib, f: f.fractional_max_pool2d(lib.ones(1, 1, 6, 6), 7, output_size=2),
    lambda lib, f: f.fractional_max_pool2d(lib.ones(1, 0, 6, 6), 2, output_size=2),
    lambda lib, f: f.adaptive_avg_pool2d(lib.ones(1, 1, 4, 4, requires_grad=True), 0).sum().backward(),
    lambda lib, f: f.adaptive_max_pool3d(lib.ones(1, 1, 4, 4, 4, requires_grad=True), 0).sum().backward(),
    lambda lib, f: f.adaptive_avg_pool3d(lib.ones(2, 0, 4, 4, 4), 2),
    lambda lib, f: f.grid_sample(lib.ones(1, 2, 2), lib.zeros(1, 1, 1, 2), align_corners=False),
    lambda lib, f: f.fold(lib.ones(1, 12, 12), (4, 5), (2, 2), dilation=8),
    lambda lib, f: f.ctc_loss(lib.zeros(5, 1, 3), lib.ones(1, 2).long(), lib.tensor([5.0]), lib.tensor([2])),
    lambda lib, f: lib.nn.GRU(5, 6)(lib.ones(0, 10, 5)),
    lambda lib, f: lib.nn.LSTM(5, 6, batch_first=True)(lib.ones(10, 0, 5)),
    lambda lib, f: lib.nn.EmbeddingBag(3, 3, padding_idx=7),
    lambda lib, f: f.embedding_bag(lib.tensor([[11]]), lib.ones(10, 2), mode="max"),
    lambda lib, f: f.embedding_bag(
        lib.tensor([[1]]), lib.ones(4, 2), mode="sum", per_sample_weights=lib.ones(1, 1).double()
    ),
    lambda lib, f: lib.nn.utils.rnn.pack_padded_sequence(lib.ones(0, 0), []),
    lambda lib, f: lib.nn.utils.spectral_norm(lib.nn.LazyLinear(3)),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.filterwarnings("ignore")
def test_refused(call):
    ours = message(call, torsh, F)
    theirs = message(call, torch, torch.nn.functional)
    assert ours[0] == theirs[0]
    assert ours[1][:30] == theirs[1][:30]


@pytest.mark.parametrize(
    "call",
    [
        lambda lib, f: f.adaptive_avg_pool2d(lib.ones(2, 0, 4, 4), 2),
        lambda lib, f: f.adaptive_max_pool2d(lib.ones(0, 3, 4, 4), 2),
        lambda lib, f: f.fractional_max_pool2d(lib.ones(2, 3, 6, 6), 2, output_size=(0, 1)),
        lambda lib, f: f.grid_sample(lib.ones(2, 0, 2, 2), lib.zeros(2, 1, 1, 2), align_corners=False),
        lambda lib, f: f.grid_sample(lib.ones(0, 1, 2, 2), lib.zeros(0, 1, 1, 2), align_corners=False),
        lambda lib, f: f.max_unpool1d(lib.ones(0, 2, 3), lib.ones(0, 2, 3).long(), 2),
    ],
)
def test_empty(call):
    assert tuple(call(torsh, F).shape) == tuple(call(torch, torch.nn.functional).shape)


def test_warnings():
    with pytest.warns(UserWarning, match="Received a 3D input to dropout2d"):
        F.dropout2d(torsh.ones(2, 3, 4))
    with pytest.warns(UserWarning, match="affine_grid behavior has changed"):
        F.affine_grid(torsh.ones(1, 2, 3), (1, 1, 2, 1), align_corners=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        F.affine_grid(torsh.ones(1, 2, 3), (1, 1, 2, 1), align_corners=False)


def test_hooks_of_all_modules_can_be_replaced():
    # Programs reset the hooks by binding new tables to PyTorch's names.
    seen = []
    table = nn.modules.module
    handle = table.register_module_forward_hook(lambda m, i, o: seen.append(o))
    nn.Sigmoid()(torsh.ones(1))
    assert len(handle.hooks_dict_ref()) == 1
    before, table._global_forward_hooks = table._global_forward_hooks, OrderedDict()
    nn.Sigmoid()(torsh.ones(1))
    table._global_forward_hooks = before
    nn.Sigmoid()(torsh.ones(1))
    handle.remove()
    nn.Sigmoid()(torsh.ones(1))
    assert len(seen) == 2


@pytest.mark.filterwarnings("ignore")
def test_lazy_parameters():
    weight = nn.UninitializedParameter()
    assert weight.is_leaf and weight.grad_fn is None
    with pytest.raises(ValueError, match="uninitialized parameter"):
        torsh.add(weight, 1)
    weight.materialize(3)
    assert weight.shape == (3,)
    first, second = nn.LazyLinear(2), nn.LazyLinear(2)
    first.load_state_dict(second.state_dict())
    assert first.has_uninitialized_params()
    torsh.optim.SGD(first.parameters(), lr=0.1)


def test_variances_of_gaussian_nll_broadcast_over_any_one_dimension() -> None:
    for shape in ((4, 3), (1, 3), (4, 1), (4,)):
        values = [
            lib.nn.functional.gaussian_nll_loss(
                lib.arange(12.0).reshape(4, 3), lib.ones(4, 3), lib.full(shape, 2.0)
            ).item()
            for lib in (torsh, torch)
        ]
        assert values[0] == pytest.approx(values[1], rel=1e-6)
    with pytest.raises(ValueError, match="var is of incorrect size"):
        torsh.nn.functional.gaussian_nll_loss(torsh.ones(4, 3), torsh.ones(4, 3), torsh.ones(1, 1))


def test_fractional_pooling_takes_more_samples_than_the_batch_needs() -> None:
    found = []
    for lib in (torsh, torch):
        samples = lib.linspace(0, 0.9, 24, dtype=lib.float64).reshape(2, 4, 3)
        x = lib.arange(4 * 5**3, dtype=lib.float64).reshape(4, 5, 5, 5)
        found.append(lib.nn.functional.fractional_max_pool3d(x, 2, output_size=2, _random_samples=samples).tolist())
    assert found[0] == found[1]


def test_bags_take_the_older_order_of_arguments():
    def run(lib):
        table, rows = lib.arange(10.0).reshape(5, 2), lib.tensor([[0, 1], [4, 4]])
        with pytest.warns(UserWarning, match="Argument order of nn.functional.embedding_bag was changed"):
            return lib.nn.functional.embedding_bag(table, rows, per_sample_weights=lib.ones(2, 2), mode="sum").tolist()

    assert run(torsh) == run(torch) == [[2, 4], [16, 18]]
