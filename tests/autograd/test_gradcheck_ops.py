"""Derivatives of every differentiable op against finite differences, on the conformance suite's samples.

A sample counts where PyTorch's own gradcheck accepts it: others sit on a kink, where finite differences say nothing.
"""

from __future__ import annotations

import warnings

import pytest
from gradient_samples import SUBJECTS, calls

import torsh

torch = pytest.importorskip("torch")

DOUBLE = ("float64", "complex128")
# One or two of each kind of rule: elementwise, reductions, views, scattered writes, windows, factorizations, losses.
FEW = (
    "exp mul pow atan2 softmax logsumexp prod var cumprod logcumsumexp gather index_add masked_fill as_strided_any unfold einsum matmul "
    "cdist layer_norm conv2d max_pool2d interpolate linalg_qr linalg_slogdet linalg_solve linalg_pinv fft_rfft nll_loss "
    "smooth_l1_loss native_layer_norm group_norm renorm functional_grid_sample"
).split()


def hermitian(t):
    return (t + t.mH) / 2


def lower(t):
    """LAPACK takes the diagonal of a Cholesky factor to be real."""
    return t.tril(-1) + t.diagonal(0, -2, -1).real.diag_embed()


def positive(t):
    return t * t + 0.5


def within_one(t):
    return t.tanh() * 0.9


# What the tensors of an op's samples go through first (all of them, or the one at a position), where finite differences need it.
# An op that reads one triangle of a matrix does not see a step in the other, while its gradient is shared out over both; whether PyTorch
# accepts such a sample would depend on the direction drawn.  Other ops are nan outside of an interval.
FORMS = {
    "cholesky": (0, hermitian), "linalg_cholesky": (0, hermitian), "linalg_cholesky_ex": (0, hermitian),
    "linalg_eigh": (0, hermitian), "linalg_eigvalsh": (0, hermitian),
    "cholesky_inverse": (0, lower), "cholesky_solve": (1, lower),
    "ndtri": (None, lambda t: t.sigmoid()), "acosh": (None, lambda t: positive(t) + 1),
    **dict.fromkeys("acos asin atanh erfinv foreach_acos foreach_acos_ foreach_asin foreach_asin_".split(), (None, within_one)),
    **dict.fromkeys(
        "rsqrt kl_div xlogy xlog1py foreach_log foreach_log_ foreach_log10 foreach_log10_ foreach_log2 foreach_log2_ foreach_rsqrt foreach_rsqrt_ "
        "foreach_sqrt foreach_sqrt_".split(),
        (None, positive),
    ),
}  # fmt: skip
# Eigenvectors are free up to a phase: what is checked are the eigenvalues and the absolute values.
PHASE_FREE = {"linalg_eig", "linalg_eigh"}
# Finite differences need results in double precision.
TO_NARROW = {"to_bfloat16", "to_cfloat", "to_chalf", "to_float", "to_half"}
# (op, dtype, order of the derivative): why PyTorch's own check accepts none of the samples that have a gradient.
STRAIGHT = "the gradient passes straight through by design, it is no derivative"
UNCHECKED = {
    **{(f"fake_quantize_per_{n}_affine", "float64", 1): STRAIGHT for n in ("channel", "tensor")},
    **{
        (n, "float64", 1): "no derivative in PyTorch either, which refuses the expanded sample before it says so"
        for n in ("_standard_gamma_grad", "_dirichlet_grad")
    },
    **{
        ("vander", d, k): "PyTorch's vander writes in place what its own backward needs" for d in DOUBLE for k in (1, 2)
    },
    **{
        ("copy_", d, 2): "PyTorch's own check fails at the gradient of the overwritten tensor, which is zero"
        for d in DOUBLE
    },
    **{
        ("masked_median", "complex128", k): "PyTorch's gradient differs from its own finite differences" for k in (1, 2)
    },
}


def tracked(subject, dtype, lib, limit):
    """(number, function of the tensors that require grad, these tensors) of each sample."""
    for number, call, wanted in calls(subject, dtype, lib, limit):
        yield number, call, [t.requires_grad_() for t in wanted]


def through(subject, lib, call, wanted):
    """The call as finite differences can follow it: tensors in the form the op needs, dense outputs that have a gradient."""
    position, form = FORMS.get(subject.name, (None, None))

    def formed(*tensors):
        if form is not None:
            tensors = tuple(form(t) if position in (None, i) else t for i, t in enumerate(tensors))
        outs = call(*tensors)
        if subject.name in PHASE_FREE:
            outs = (outs[0], *[o.abs() for o in outs[1:]])
        return tuple(o if o.layout is lib.strided else o.to_dense() for o in outs)

    kept = [i for i, o in enumerate(formed(*wanted)) if o.requires_grad]
    return lambda *tensors: tuple(o for i, o in enumerate(formed(*tensors)) if i in kept)


class Found:
    """What came of an op's samples: how many were checked, and why PyTorch refused the others that have a gradient."""

    def __init__(self):
        self.checked, self.refused = 0, []


def check(subject, dtype, twice, limit):
    """Compare the samples' derivatives with finite differences; AssertionError naming those that are wrong."""
    wrong, result = [], Found()
    name = "gradgradcheck" if twice else "gradcheck"
    torch.manual_seed(0)  # gradgradcheck draws its cotangents from the global generator
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            reference = {n: (call, wanted) for n, call, wanted in tracked(subject, dtype, torch, limit)}
        except (AttributeError, TypeError, RuntimeError):  # a name or a dtype that PyTorch does not have
            return result
        for number, call, wanted in tracked(subject, dtype, torsh, limit):
            theirs = reference.get(number)
            if theirs is None:
                continue
            try:
                theirs = through(subject, torch, *theirs), theirs[1]
            except Exception:  # a sample of an error, or of a dtype that PyTorch does not have here
                continue
            if not theirs[0](*theirs[1]):
                continue
            try:
                getattr(torch.autograd, name)(*theirs, fast_mode=True)
            except Exception as e:
                if "is not implemented" in str(e) or "not differentiable" in str(e):  # PyTorch has no derivative
                    continue
                # Finite differences do not fit there
                result.refused.append(f"sample {number}: {type(e).__name__}: {str(e)[:300]}")
                continue
            result.checked += 1
            try:
                getattr(torsh.autograd, name)(through(subject, torsh, call, wanted), wanted, fast_mode=True)
            except Exception as e:
                wrong.append(f"sample {number}: {type(e).__name__}: {e}")
    assert not wrong, "\n".join(wrong)
    return result


def check_some(subject, dtype, twice, limit):
    """``check``, and a failure where samples have gradients and none of them was checked."""
    found = check(subject, dtype, twice, limit)
    reason = UNCHECKED.get((subject.name, dtype, 2 if twice else 1))
    if reason is None:
        assert found.checked or not found.refused, f"nothing was checked, PyTorch refuses every sample: {found.refused}"
    else:
        assert not found.checked, f"PyTorch accepts {found.checked} samples: the line in UNCHECKED no longer applies"


@pytest.mark.parametrize("name", FEW)
def test_derivatives_of_a_few_ops(name):
    subject = SUBJECTS[name]
    assert check(subject, "float64", False, 2).checked + check(subject, "float64", True, 1).checked > 0
    check(subject, "complex128", False, 1)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DOUBLE)
@pytest.mark.parametrize("name", [n for n in SUBJECTS if n not in TO_NARROW])
def test_derivatives(name, dtype):
    check_some(SUBJECTS[name], dtype, False, 4)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DOUBLE)
@pytest.mark.parametrize("name", [n for n in SUBJECTS if n not in TO_NARROW])
def test_second_derivatives(name, dtype):
    check_some(SUBJECTS[name], dtype, True, 2)
