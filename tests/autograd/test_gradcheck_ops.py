"""Derivatives of every differentiable op against finite differences, on the conformance suite's samples.

A sample counts where PyTorch's own gradcheck accepts it: others sit on a kink, where finite differences say nothing.
"""

from __future__ import annotations

import warnings
from itertools import islice

import pytest

import torsh
from torsh_conformance.sample import call_args, generate
from torsh_conformance.subjects import all_subjects

torch = pytest.importorskip("torch")

SUBJECTS = {s.name: s for s in all_subjects() if s.path and not s.random}
# One or two of each kind of rule: elementwise, reductions, views, scattered writes, windows, factorizations, losses.
FEW = (
    "exp mul pow atan2 softmax logsumexp prod var cumprod logcumsumexp gather index_add masked_fill as_strided_any unfold einsum matmul "
    "cdist layer_norm conv2d max_pool2d interpolate linalg_qr linalg_slogdet linalg_solve linalg_pinv fft_rfft nll_loss "
    "smooth_l1_loss native_layer_norm group_norm renorm functional_grid_sample"
).split()


def calls(subject, dtype, lib, limit):
    """(number, function of the tensors that require grad, these tensors) of each sample."""
    function = subject.function(lib)
    for number, sample in enumerate(islice(generate(subject.path, subject.generator, dtype), limit)):
        if "grad" in sample.skipped:
            continue
        args, kwargs = call_args(lib, sample)
        wanted = []

        def track(x, wanted=wanted):
            if isinstance(x, lib.Tensor):
                if str(x.dtype).rpartition(".")[2] == dtype and x.layout is lib.strided and all(x is not t for t in wanted):
                    x.requires_grad_()
                    wanted.append(x)
            elif isinstance(x, (list, tuple)):
                for y in x:
                    track(y)

        track([*args, *kwargs.values()])

        def call(*tensors, args=args, kwargs=kwargs, wanted=wanted):
            def swap(x):
                if isinstance(x, lib.Tensor):
                    return next((t for t, w in zip(tensors, wanted) if w is x), x)
                return type(x)(swap(y) for y in x) if type(x) in (list, tuple) else x

            if subject.path.endswith("_"):
                tensors = tuple(t.clone() for t in tensors)
            found = function(*[swap(a) for a in args], **{k: swap(v) for k, v in kwargs.items()})
            return tuple(t for t in (found if isinstance(found, (tuple, list)) else (found,)) if isinstance(t, lib.Tensor))

        if wanted:
            yield number, call, wanted


def check(subject, dtype, twice, limit):
    """How many samples were checked; AssertionError naming those whose derivatives are wrong."""
    wrong, count = [], 0
    name = "gradgradcheck" if twice else "gradcheck"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            reference = {n: (call, wanted) for n, call, wanted in calls(subject, dtype, torch, limit)}
        except (AttributeError, TypeError, RuntimeError):  # a name or a dtype that PyTorch does not have
            return 0
        for number, call, wanted in calls(subject, dtype, torsh, limit):
            theirs = reference.get(number)
            if theirs is None:
                continue
            try:
                outs = theirs[0](*theirs[1])
                fine = any(o.requires_grad for o in outs) and getattr(torch.autograd, name)(*theirs, fast_mode=True)
            except Exception:  # PyTorch refuses the sample, or finite differences do not fit there
                continue
            if fine:
                count += 1
                try:
                    getattr(torsh.autograd, name)(call, wanted, fast_mode=True)
                except Exception as e:
                    wrong.append(f"sample {number}: {type(e).__name__}: {e}")
    assert not wrong, "\n".join(wrong)
    return count


@pytest.mark.parametrize("name", FEW)
def test_derivatives_of_a_few_ops(name):
    subject = SUBJECTS[name]
    assert check(subject, "float64", False, 2) + check(subject, "float64", True, 1) > 0
    check(subject, "complex128", False, 1)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("name", SUBJECTS)
def test_derivatives(name, dtype):
    check(SUBJECTS[name], dtype, False, 4)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("name", SUBJECTS)
def test_second_derivatives(name, dtype):
    check(SUBJECTS[name], dtype, True, 2)
