"""``vmap`` of every op against a loop over the batch, on the conformance suite's samples."""

from __future__ import annotations

import warnings
from itertools import islice

import numpy as np
import pytest

import torsh
from torsh.func._rules import coverage
from torsh_conformance.sample import call_args, generate
from torsh_conformance.subjects import all_subjects

SUBJECTS = {s.name: s for s in all_subjects() if s.path and not s.random and not s.path.endswith("_")}
FEW = (
    "add softmax logsumexp argmax median sort cumsum expand repeat gather scatter index_put index_select masked_fill take "
    "take_along_dim searchsorted isin embedding conv1d conv_transpose1d max_pool2d interpolate layer_norm group_norm nll_loss "
    "einsum cdist diagonal_scatter block_diag linalg_solve linalg_cholesky linalg_qr linalg_lstsq fft_rfft stft"
).split()
# Strides under vmap are those of the batch's memory (as in PyTorch), not those of a contiguous copy of one example; and memory that
# is not initialised holds anything.
DIFFERENT = {
    "slice_inverse",
    "as_strided_any",
    "as_strided",
    "as_strided_copy",
    "as_strided_scatter",
    "view_as_complex_checked",
    "view_as_complex_copy",
}
# Refused: the layout of the result has no batches.
REFUSED = {"to_sparse_csc", "to_sparse_csr"}


def varied(t):
    """Another example of the same kind."""
    if t.dtype is torsh.bool:
        return t.logical_not() if not t.ndim else t.flip(tuple(range(t.ndim)))
    if t.is_floating_point() or t.is_complex():
        return t * 1.1
    return t.flip(tuple(range(t.ndim))) if t.ndim else t


def same(got, want):
    assert got.dtype is want.dtype
    wide = {torsh.bfloat16: torsh.float32, torsh.complex32: torsh.complex64}.get(got.dtype, got.dtype)
    got, want = (np.asarray(x.detach().to(wide).resolve_conj().resolve_neg().numpy()) for x in (got, want))
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-8)


def flat(found):
    return [t for f in found for t in flat(f)] if isinstance(found, (tuple, list)) else [found]


def check(subject, limit):
    """How many ways of mapping the op's samples agree with a loop."""
    function, count = subject.function(torsh), 0
    for sample in islice(generate(subject.path, subject.generator, "float64"), limit):
        args, kwargs = call_args(torsh, sample)
        tensors = [t for t in flat([*args, *kwargs.values()]) if isinstance(t, torsh.Tensor)]
        if not tensors or any(t.layout is not torsh.strided for t in tensors):
            continue

        def call(*new, args=args, kwargs=kwargs, tensors=tensors):
            def swap(x):
                if isinstance(x, torsh.Tensor):
                    return next(n for n, t in zip(new, tensors) if t is x)
                return type(x)(swap(y) for y in x) if type(x) in (list, tuple) else x

            found = function(*[swap(a) for a in args], **{k: swap(v) for k, v in kwargs.items()})
            return tuple(found) if isinstance(found, (list, tuple)) else found

        n = len(tensors)
        ways = [(0,) * n, (-1,) * n] + (
            [tuple(0 if i == k else None for i in range(n)) for k in range(min(n, 3))] if n > 1 else []
        )
        for dims in ways:
            pairs = [(t, t if d is None else varied(t)) for t, d in zip(tensors, dims)]
            try:
                want = [call(*[p[i].clone() for p in pairs]) for i in range(2)]
            except Exception:  # the op refuses the sample
                break
            each = [flat(w) for w in want]
            if any(not isinstance(t, torsh.Tensor) or t.is_sparse for w in each for t in w):
                break
            if [tuple(t.shape) for t in each[0]] != [tuple(t.shape) for t in each[1]]:
                continue
            stacked = [
                p[0].clone() if d is None else torsh.stack(p, 0 if d == 0 else p[0].ndim) for p, d in zip(pairs, dims)
            ]
            try:
                got = flat(torsh.vmap(call, in_dims=dims)(*stacked))
            except RuntimeError as e:
                if str(e).startswith(
                    ("vmap: ", "When vmap-ing")
                ):  # refused: values are needed, or a tensor outside would be written to
                    continue
                raise
            for i in range(2):
                for g, w in zip(got, each[i]):
                    same(g[i], w)
            count += 1
    return count


@pytest.mark.parametrize("name", FEW)
def test_a_few_ops(name):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore")
        warnings.filterwarnings("error", message="There is a performance drop")
        assert check(SUBJECTS[name], 3) > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SUBJECTS.keys() - DIFFERENT))
def test_ops(name):
    if not SUBJECTS[name].values_defined:
        pytest.skip("what uninitialised memory holds is not defined")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore")
        if name in REFUSED:
            with pytest.raises(NotImplementedError):
                check(SUBJECTS[name], 8)
        else:
            check(SUBJECTS[name], 8)


def test_what_runs_one_by_one():
    """Only ops whose results depend on values in shape, and histograms, have no batching rule."""
    found = coverage()
    assert set(found["loop"]) == {"bincount", "histc_counts", "histogramdd_counts", "nonzero", "unique_values"}
    assert len(found["composite"]) > len(found["own"])
