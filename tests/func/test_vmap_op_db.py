"""``vmap`` of the ops in PyTorch's own test database, on its samples, against PyTorch looping over the batch."""

from __future__ import annotations

import functools
import warnings
from itertools import islice

import numpy as np
import pytest

import torsh

torch = pytest.importorskip("torch")

LIMIT = 3  # samples per op
FLOOR = 420  # ops whose samples were mapped and compared, of those that the database can sample in float32

# Why an op's results cannot be compared with those of a loop.
FREE = {
    "svd": "free up to a sign", "linalg.svd": "free up to a sign", "svd_lowrank": "random", "pca_lowrank": "random",
    "linalg.eig": "free up to a phase", "linalg.eigh": "free up to a sign", "geqrf": "free up to a sign",
    "empty": "not initialised", "empty_like": "not initialised", "new_empty": "not initialised", "empty_strided": "not initialised",
    "new_empty_strided": "not initialised", "empty_permuted": "not initialised", "resize_": "not initialised",
    "resize_as_": "refused: an example is a part of the batch's memory",
    "as_strided": "strides are those of the batch's memory", "as_strided_copy": "strides are those of the batch's memory",
    "as_strided_scatter": "strides are those of the batch's memory",
}  # fmt: skip


def named(module, name):
    """The function of a library that an entry of the database is about, None where it has no such name."""
    for part in name.split("."):
        module = getattr(module, part, None)
        if module is None:
            return None
    return module


def leaves(x):
    return [t for v in x for t in leaves(v)] if isinstance(x, (tuple, list)) else [x]


def swapped(x, values):
    """A structure with its tensors replaced, in order."""
    if isinstance(x, torch.Tensor):
        return next(values)
    if isinstance(x, (tuple, list)):
        return type(x)(swapped(v, values) for v in x) if not hasattr(x, "_fields") else x
    if isinstance(x, dict):
        return {k: swapped(v, values) for k, v in x.items()}
    return getattr(torsh, str(x).removeprefix("torch.")) if isinstance(x, torch.dtype) and swapped.lib is torsh else x


def call(lib, name, sample, tensors):
    function, swapped.lib = named(lib, name), lib
    values = iter(tensors)
    args, kwargs = swapped((sample.input, *sample.args), values), swapped(sample.kwargs, values)
    return function(*args, **kwargs)


def tensors_of(sample):
    found = [t for t in leaves([sample.input, *sample.args]) if isinstance(t, torch.Tensor)]
    return found + [t for t in leaves(list(sample.kwargs.values())) if isinstance(t, torch.Tensor)]


def check(op):
    """How many samples of an op were compared; raises where torsh and the loop differ."""
    count = 0
    for sample in islice(op.sample_inputs("cpu", torch.float32), LIMIT):
        tensors = [t.detach() for t in tensors_of(sample)]
        mapped = [i for i, t in enumerate(tensors) if t.dtype is torch.float32]
        if any(callable(v) and getattr(v, "__module__", "").startswith("torch") for v in sample.kwargs.values()):
            continue  # a function of PyTorch
        if not mapped or any(t.layout is not torch.strided or t.is_nested for t in tensors):
            continue
        examples = [tensors, [t * 1.25 if i in mapped else t for i, t in enumerate(tensors)]]
        dims = tuple(0 if i in mapped else None for i in range(len(tensors)))
        batches = [torch.stack([e[i] for e in examples]) if i in mapped else t for i, t in enumerate(tensors)]
        try:
            want = [leaves(call(torch, op.name, sample, [t.clone() for t in e])) for e in examples]
        except Exception:
            continue  # the changed example is not in the op's domain
        if not all(isinstance(w, torch.Tensor) for row in want for w in row):
            continue
        if any(a.shape != b.shape or a.layout is not torch.strided for a, b in zip(*want)):
            continue
        try:
            got = torsh.vmap(lambda *ts: call(torsh, op.name, sample, ts), in_dims=dims)(
                *[torsh.from_numpy(np.array(b.numpy())) for b in batches]
            )
        except Exception as e:
            try:
                torch.func.vmap(lambda *ts: call(torch, op.name, sample, ts), in_dims=dims)(*batches)
            except Exception:
                continue  # PyTorch does not map it either
            raise AssertionError(f"{op.name}: PyTorch maps this sample, torsh raised {type(e).__name__}: {e}") from e
        for g, *w in zip(leaves(got), *want, strict=True):
            expected = torch.stack(w).resolve_conj().resolve_neg().numpy()
            finite = np.abs(expected[np.isfinite(expected)]) if expected.dtype.kind in "fc" else np.zeros(0)
            np.testing.assert_allclose(  # sums of large terms that cancel are as exact as the terms
                np.asarray(g.resolve_conj().resolve_neg().numpy()), expected,
                rtol=2e-4, atol=2e-5 * max(1.0, finite.max(initial=0.0)), err_msg=op.name,
            )  # fmt: skip
        count += 1
    return count


@functools.cache
def database():
    from torch.testing._internal.common_methods_invocations import op_db

    ops = {}
    for op in op_db:
        if not op.variant_test_name and op.name not in FREE and torch.float32 in op.supported_dtypes("cpu"):
            ops.setdefault(op.name, op)
    return ops


@pytest.mark.slow
def test_the_database():
    """Every op that has samples and whose function both libraries have by that name."""
    checked, wrong = 0, {}
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, op in database().items():
            if named(torch, name) is None or named(torsh, name) is None:
                continue
            try:
                checked += check(op) > 0
            except AssertionError as e:
                wrong[name] = str(e).strip().splitlines()[0]
    assert not wrong, f"{len(wrong)} ops differ: {wrong}"
    assert checked >= FLOOR, f"only {checked} ops were checked"
