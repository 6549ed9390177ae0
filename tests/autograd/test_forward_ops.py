"""Directional derivatives of every differentiable op, op by op, against the double reverse pass and PyTorch's, on the conformance
suite's samples."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from gradient_samples import SUBJECTS, calls

import torsh

torch = pytest.importorskip("torch")

# One or two of each kind of rule.
FEW = (
    "exp mul pow atan2 where softmax logsumexp prod var amax max std cumprod logcumsumexp gather index_add masked_fill as_strided_any "
    "unfold cat_any stack_any sort median kthvalue addmm baddbmm einsum matmul cdist layer_norm conv2d max_pool2d avg_pool2d interpolate pad linear "
    "linalg_qr linalg_slogdet linalg_solve linalg_inv linalg_vector_norm fft_rfft nll_loss cross_entropy native_layer_norm batch_norm renorm "
    "embedding gelu leaky_relu binary_cross_entropy index_put scatter take_along_dim"
).split()


_TRIANGLE = "reads one triangle; PyTorch's forward rule takes the direction for symmetric (or triangular) all the same"
_COMPLEX = "PyTorch's forward rule conjugates the derivative of its complex backward rule, which is not conjugated"
# With whom forward mode disagrees by intention, and why.
APART = {
    "PyTorch": {
        "linalg_cholesky": _TRIANGLE, "linalg_cholesky_ex": _TRIANGLE, "cholesky": _TRIANGLE, "cholesky_inverse": _TRIANGLE,
        "linalg_eigh": _TRIANGLE, "triangular_solve": _TRIANGLE, "silu": _COMPLEX, "soft_margin_loss": _COMPLEX,
        "foreach_maximum": "between equal elements PyTorch's lists choose otherwise than its maximum",
        "foreach_minimum": "as foreach_maximum",
        "ldexp": "PyTorch's 2 ** other is computed in integers where other is one: zero for negative ones",
        "scatter_reduce": "PyTorch gives zero for products",
    },
    "two passes": {"functional_embedding": "as PyTorch's, forward mode does not know of padding rows"},
}  # fmt: skip


def differentiable(subject, dtype, lib, limit):
    """(number, function that gives the differentiable tensors among the results, its tensors) of each sample."""
    for number, call, wanted in calls(subject, dtype, lib, limit):

        def dense(*tensors, call=call):
            return tuple(
                t for t in call(*tensors) if t.layout is lib.strided and (t.is_floating_point() or t.is_complex())
            )

        yield number, dense, wanted


def directions(lib, tensors):
    rng = np.random.default_rng(5)
    found = []
    for t in tensors:
        d = rng.standard_normal(tuple(t.shape))
        if t.is_complex():
            d = d + 1j * rng.standard_normal(tuple(t.shape))
        found.append(lib.tensor(np.asarray(d).tolist(), dtype=t.dtype).reshape(tuple(t.shape)))
    return tuple(found)


def host(t):
    t = t.detach()
    return np.asarray((t.resolve_conj() if t.is_complex() else t).tolist()).reshape(tuple(t.shape))


def twice_reversed(call, tensors, tangents):
    """The derivative of the vector-Jacobian product with respect to its cotangents."""
    leaves = [t.detach().requires_grad_() for t in tensors]
    outs = call(*leaves)
    probes = [torsh.ones_like(o.detach()).requires_grad_() for o in outs]
    pairs = [(o, p) for o, p in zip(outs, probes) if o.requires_grad]
    zero = [np.zeros(tuple(o.shape)) for o in outs]
    if not pairs:
        return zero
    first = torsh.autograd.grad(
        [o for o, _ in pairs], leaves, [p for _, p in pairs], create_graph=True, allow_unused=True
    )
    kept = [(g, t) for g, t in zip(first, tangents) if g is not None and g.requires_grad]
    if not kept:
        return zero
    second = torsh.autograd.grad([g for g, _ in kept], probes, [t for _, t in kept], allow_unused=True)
    return [z if s is None else host(s) for z, s in zip(zero, second)]


def check(subject, dtype, limit):
    """How many samples were checked; AssertionError naming those whose derivatives are wrong."""
    wrong, count = [], 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            reference = {n: (call, wanted) for n, call, wanted in differentiable(subject, dtype, torch, limit)}
        except (AttributeError, TypeError, RuntimeError):  # a name or a dtype that PyTorch does not have
            reference = {}
        for number, call, wanted in differentiable(subject, dtype, torsh, limit):
            tangents = directions(torsh, wanted)
            try:
                outs = call(*wanted)
            except Exception:
                continue
            if not outs:
                continue
            expected = []
            try:
                expected.append(("two passes", twice_reversed(call, wanted, tangents)))
            except (RuntimeError, NotImplementedError):  # there is no second derivative
                pass
            if number in reference:
                try:
                    call2, wanted2 = reference[number]
                    expected.append(
                        ("PyTorch", [host(t) for t in torch.func.jvp(call2, wanted2, directions(torch, wanted2))[1]])
                    )
                except Exception:  # PyTorch has no forward rule, or refuses the sample
                    pass
            if not expected:
                continue
            try:
                found = [host(t) for t in torsh.func.jvp(call, wanted, tangents)[1]]
            except Exception as e:
                wrong.append(f"sample {number}: {type(e).__name__}: {e}")
                continue
            count += 1
            for who, e in expected:
                if subject.name in APART[who]:
                    continue
                for i, (f, w) in enumerate(zip(found, e)):
                    if f.shape != w.shape or not np.allclose(f, w, rtol=1e-6, atol=1e-8, equal_nan=True):
                        wrong.append(f"sample {number}, output {i}: {f.reshape(-1)[:4]} but {who} {w.reshape(-1)[:4]}")
    assert not wrong, "\n".join(wrong)
    return count


@pytest.mark.parametrize("name", FEW)
def test_directional_derivatives_of_a_few_ops(name):
    subject = SUBJECTS[name]
    assert check(subject, "float64", 2) > 0
    check(subject, "complex128", 1)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("name", SUBJECTS)
def test_directional_derivatives(name, dtype):
    check(SUBJECTS[name], dtype, 6)
