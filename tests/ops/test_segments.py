"""Segment reductions, statistics of several processes, removed and foreign functions, eigenpairs: against PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torsh

torch = pytest.importorskip("torch")
BOTH = (torsh, torch)


def random(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("reduce", ["sum", "mean", "max", "min", "prod"])
@pytest.mark.parametrize("initial", [None, 2.0])
@pytest.mark.parametrize("how", ["lengths", "offsets"])
def test_segment_reduce(reduce: str, initial: Any, how: str) -> None:
    for shape, counts in (((6, 2), [2, 0, 4]), ((2, 6), [[2, 0, 4], [1, 5, 0]]), ((6,), [6])):
        found = []
        for lib in BOTH:
            x = lib.from_numpy(random(*shape)).requires_grad_()
            lengths = np.array(counts)
            given = lengths if how == "lengths" else np.concatenate([lengths[..., :1] * 0, lengths.cumsum(-1)], -1)
            y = lib.segment_reduce(x, reduce, **{how: lib.from_numpy(given)}, axis=lengths.ndim - 1, initial=initial)
            lib.where(lib.isfinite(y), y, lib.zeros_like(y)).sum().backward()
            found.append((y.detach().numpy(), x.grad.numpy()))
        np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-12)
        if not (reduce == "prod" and initial is not None):
            np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("case", ["kind", "nothing", "sum", "negative"])
def test_segment_reduce_refused(case: str) -> None:
    for lib in BOTH:
        x = lib.arange(6.0)
        with pytest.raises(RuntimeError):
            if case == "kind":
                lib.segment_reduce(x, "median", lengths=lib.tensor([6]))
            elif case == "nothing":
                lib.segment_reduce(x, "sum")
            elif case == "sum":
                lib.segment_reduce(x, "sum", lengths=lib.tensor([2, 3]))
            else:
                lib.segment_reduce(x, "sum", lengths=lib.tensor([7, -1]))


def test_slice_inverse() -> None:
    for lib in BOTH:
        x = lib.arange(6.0).reshape(2, 3)
        assert x.slice_inverse(lib.zeros(2, 3)).tolist() == x.tolist()


def test_batch_norm_update_stats() -> None:
    found = []
    for lib in BOTH:
        mean, var = lib.zeros(3, dtype=lib.float64), lib.ones(3, dtype=lib.float64)
        found.append(
            [
                t.numpy()
                for t in (*lib.batch_norm_update_stats(lib.from_numpy(random(2, 3, 4)), mean, var, 0.1), mean, var)
            ]
        )
    for a, b in zip(*found):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_statistics_of_two_processes_are_those_of_the_whole() -> None:
    """Forward and backward of batch normalisation from the parts, against PyTorch's on the whole."""
    x, g = random(5, 3, 4), random(5, 3, 4, seed=1)
    w, b = random(3, seed=2), random(3, seed=3)
    whole = torch.from_numpy(x).requires_grad_()
    weight, bias = torch.from_numpy(w).requires_grad_(), torch.from_numpy(b).requires_grad_()
    running_mean, running_var = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    expected = torch.nn.functional.batch_norm(whole, running_mean, running_var, weight, bias, True, 0.1, 1e-5)
    expected.backward(torch.from_numpy(g))

    parts = [torsh.from_numpy(p) for p in (x[:2], x[2:])]
    grads = [torsh.from_numpy(p) for p in (g[:2], g[2:])]
    tw, tb = torsh.from_numpy(w), torsh.from_numpy(b)
    stats = [torsh.batch_norm_stats(p, 1e-5) for p in parts]
    counts = torsh.tensor([float(p.numel() // 3) for p in parts])
    mean, var = torsh.zeros(3, dtype=torsh.float64), torsh.ones(3, dtype=torsh.float64)
    m, inv = torsh.batch_norm_gather_stats_with_counts(
        parts[0], torsh.stack([s[0] for s in stats]), torsh.stack([s[1] for s in stats]), mean, var, 0.1, 1e-5, counts
    )
    out = torsh.cat([torsh.batch_norm_elemt(p, tw, tb, m, inv, 1e-5) for p in parts])
    np.testing.assert_allclose(out.numpy(), expected.detach().numpy(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(mean.numpy(), running_mean.numpy(), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(var.numpy(), running_var.numpy(), rtol=1e-9)
    sums = [torsh.batch_norm_backward_reduce(q, p, m, inv, tw, True, True, True) for p, q in zip(parts, grads)]
    dy, dy_x, dw, db = (a + b for a, b in zip(*sums))
    dx = torsh.cat(
        [torsh.batch_norm_backward_elemt(q, p, m, inv, tw, dy, dy_x, counts.int()) for p, q in zip(parts, grads)]
    )
    np.testing.assert_allclose(dx.numpy(), whole.grad.numpy(), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(dw.numpy(), weight.grad.numpy(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(db.numpy(), bias.grad.numpy(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("generalised", [False, True])
@pytest.mark.parametrize("batched", [False, True])
def test_lobpcg(largest: bool, generalised: bool, batched: bool) -> None:
    shape = (2, 30, 30) if batched else (30, 30)
    a = random(*shape)
    a = a + a.swapaxes(-1, -2)
    b = random(*shape, seed=4)
    b = b @ b.swapaxes(-1, -2) + 30 * np.eye(30) if generalised else None
    torsh.manual_seed(0)
    e, v = torsh.lobpcg(torsh.from_numpy(a), 3, None if b is None else torsh.from_numpy(b), largest=largest, tol=1e-9)
    import scipy.linalg

    for i in range(2 if batched else 1):
        matrix, metric = (a[i], None if b is None else b[i]) if batched else (a, b)
        exact = scipy.linalg.eigh(matrix, metric, eigvals_only=True)
        exact = exact[::-1][:3] if largest else exact[:3]
        value, vector = (e[i].numpy(), v[i].numpy()) if batched else (e.numpy(), v.numpy())
        np.testing.assert_allclose(value, exact, rtol=1e-6)
        np.testing.assert_allclose(matrix @ vector, (vector if metric is None else metric @ vector) * value, atol=1e-4)


def test_lobpcg_of_a_sparse_matrix_and_with_gradients() -> None:
    d = torsh.arange(1.0, 31.0, dtype=torsh.float64)
    torsh.manual_seed(1)
    e, _ = torsh.lobpcg(torsh.diag(d).to_sparse(), 2)
    np.testing.assert_allclose(e.numpy(), [30.0, 29.0], rtol=1e-5)
    grads = []
    for lib in BOTH:
        a = lib.from_numpy(random(12, 12))
        a = (a + a.mT).requires_grad_()
        lib.manual_seed(0)
        e, v = lib.lobpcg(a, 2, tol=1e-12) if lib is torch else lib.lobpcg(a, 2)
        (e.sum() + (v[0] ** 2).sum()).backward()
        g = a.grad.numpy()
        grads.append(g + g.T)
    np.testing.assert_allclose(*grads, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="not applicable"):
        torsh.lobpcg(torsh.eye(5), 2)


@pytest.mark.parametrize("name", ["eig", "symeig", "lstsq", "solve", "matrix_rank"])
def test_removed(name: str) -> None:
    for lib in BOTH:
        args = (lib.eye(2), lib.eye(2)) if name in ("lstsq", "solve") else (lib.eye(2),)
        with pytest.raises(RuntimeError, match="is now removed"):
            getattr(lib, name)(*args)
        if name != "matrix_rank":
            with pytest.raises(RuntimeError, match="is now removed"):
                getattr(args[0], name)(*args[1:])


FOREIGN = {
    "cudnn_affine_grid_generator": lambda x: (x, 1, 1, 2, 2), "cudnn_batch_norm": lambda x: (x, x, None, None, None, True, 0.1, 1e-5),
    "cudnn_convolution": lambda x: (x, x, [0], [1], [1], 1, False, False, False), "cudnn_convolution_relu": lambda x: (x, x, None, [1], [0], [1], 1),
    "cudnn_grid_sampler": lambda x: (x, x), "miopen_convolution": lambda x: (x, x, None, [0], [1], [1], 1, False, False),
    "miopen_batch_norm": lambda x: (x, x, None, None, None, True, 0.1, 1e-5), "miopen_depthwise_convolution": lambda x: (x, x, None, [0], [1], [1], 1, False, False),
    "mkldnn_adaptive_avg_pool2d": lambda x: (x, [1, 1]), "mkldnn_max_pool2d": lambda x: (x, [1, 1]), "mkldnn_max_pool3d": lambda x: (x, [1, 1, 1]),
    "mkldnn_linear_backward_weights": lambda x: (x, x, x, False),
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_libraries_of_other_vendors(name: str) -> None:
    for lib in BOTH:
        with pytest.raises(NotImplementedError, match="Could not run 'aten::"):
            getattr(lib, name)(*FOREIGN[name](lib.ones(1, 2, 3)))
        with pytest.raises(TypeError):
            getattr(lib, name)()
        assert not lib.cudnn_is_acceptable(lib.ones(1))


def test_mkldnn_convolution() -> None:
    x, w, b = (
        random(2, 3, 5, 5).astype(np.float32),
        random(4, 3, 2, 2, seed=1).astype(np.float32),
        random(4, seed=2).astype(np.float32),
    )
    found = [lib.mkldnn_convolution(*map(lib.from_numpy, (x, w, b)), [1, 1], [1, 2], [1, 1], 1).numpy() for lib in BOTH]
    np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("reverse", [False, True])
def test_mkldnn_rnn_layer(reverse: bool) -> None:
    arrays = [
        random(*s, seed=i).astype(np.float32)
        for i, s in enumerate([(4, 2, 3), (20, 3), (20, 5), (20,), (20,), (1, 2, 5), (1, 2, 5)])
    ]
    found = [
        lib.mkldnn_rnn_layer(*map(lib.from_numpy, arrays), reverse, [], 2, 5, 1, True, False, False, False)[:3]
        for lib in BOTH
    ]
    for a, b in zip(*found):
        np.testing.assert_allclose(a.numpy().reshape(-1), b.numpy().reshape(-1), rtol=1e-4, atol=1e-5)


def test_copies_of_sparse_members() -> None:
    x = torsh.tensor([[0.0, 2.0], [3.0, 0.0]])
    coo, csr, csc = x.to_sparse(), x.to_sparse_csr(), x.to_sparse_csc()
    assert torsh.indices_copy(coo).tolist() == [[0, 1], [1, 0]]
    assert torsh.values_copy(coo).tolist() == [2.0, 3.0]
    assert torsh.crow_indices_copy(csr).tolist() == [0, 1, 2]
    assert torsh.col_indices_copy(csr).tolist() == [1, 0]
    assert torsh.ccol_indices_copy(csc).tolist() == [0, 1, 2]
    assert torsh.row_indices_copy(csc).tolist() == [1, 0]
    torsh.values_copy(coo).zero_()
    assert coo.to_dense().tolist() == x.tolist()


def test_sparse_aliases() -> None:
    x = torsh.tensor([[0.0, 2.0], [3.0, 0.0]])
    for name in ("spmm", "dsmm"):
        assert getattr(torsh, name)(x.to_sparse(), x).tolist() == (x @ x).tolist()
    assert torsh.hsmm(x.to_sparse(), x).to_dense().tolist() == (x @ x).tolist()
    assert torsh.native_norm(x.to_sparse()).item() == pytest.approx(13**0.5)
    for lib in BOTH:
        with pytest.raises(NotImplementedError):
            lib.native_norm(lib.ones(2))


def test_constrained_sizes() -> None:
    for lib in BOTH:
        lib.sym_constrain_range(5, min=0, max=30)
        for low, high in ((0, 3), (3, 1)):
            with pytest.raises(RuntimeError):
                lib.sym_constrain_range(5, min=low, max=high)
