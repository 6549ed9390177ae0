"""In-place writes and views: random programs and the rules one by one, against PyTorch."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import torsh

torch = pytest.importorskip("torch")

# ---- random programs ---------------------------------------------------------------------------------------------------
# Every step makes a view, writes in place, or reads; what it works on is chosen among the tensors made so far.

VIEWS = {
    "slice": lambda lib, t: t[1:],
    "select": lambda lib, t: t[0],
    "last": lambda lib, t: t[..., -1],
    "t": lambda lib, t: t.transpose(0, -1),
    "flat": lambda lib, t: t.view(-1),
    "unsqueeze": lambda lib, t: t.unsqueeze(0),
    "narrow": lambda lib, t: t.narrow(0, 0, 1),
    "diagonal": lambda lib, t: t.diagonal(),
    "expand": lambda lib, t: t.unsqueeze(0).expand(2, *t.shape),
    "split": lambda lib, t: t.split(1)[0],
    "unbind": lambda lib, t: t.unbind(0)[-1],
    "chunk": lambda lib, t: t.chunk(2)[0],
    "detach": lambda lib, t: t.detach(),
    "view_as": lambda lib, t: t.view_as(t),
    "as_strided": lambda lib, t: t.as_strided((2,), (1,)),
    # Of a tensor that does not require grad PyTorch refuses to write to such a view later; torsh records the write.
    "no_grad view": lambda lib, t: _quietly(lib, lambda: t[:1]) if t.requires_grad else t[:1],
}
WRITES = {
    "mul_": lambda lib, t, w: t.mul_(2.0),
    "add_": lambda lib, t, w: t.add_(1.0),
    "sin_": lambda lib, t, w: t.sin_(),
    "exp_": lambda lib, t, w: t.mul_(0.1).exp_(),
    "mul_ by leaf": lambda lib, t, w: t.mul_(w),
    "zero_": lambda lib, t, w: t.zero_() if 0 not in t.stride() else None,
    "fill_": lambda lib, t, w: t.fill_(0.5) if 0 not in t.stride() else None,
    "copy_": lambda lib, t, w: t.copy_(w.expand(t.shape)),
    "setitem": lambda lib, t, w: t.__setitem__(0, w),
    "relu_": lambda lib, t, w: t.relu_(),
    "pow": lambda lib, t, w: t.pow_(2),
    "by itself": lambda lib, t, w: t.mul_(t),
    "quietly": lambda lib, t, w: _quietly(lib, lambda: t.add_(1.0)),
    "data": lambda lib, t, w: t.data.mul_(1.5) if t.is_contiguous() else None,
}
READS = {
    "mul": lambda lib, t, w: t * w,
    "square": lambda lib, t, w: t * t,
    "exp": lambda lib, t, w: (t * 0.1).exp(),
    "plus": lambda lib, t, w: t + w,
}


def _quietly(lib, fn):
    with lib.no_grad():
        return fn()


STEPS = st.lists(
    st.tuples(
        st.sampled_from([("view", n) for n in VIEWS] + [("write", n) for n in WRITES] * 2 + [("read", n) for n in READS]),
        st.integers(0, 20),
    ),
    min_size=1, max_size=9,
)  # fmt: skip


def run(lib, start, steps):
    """Gradients of the leaves and the values of all tensors, or the error the program ends with."""
    x = lib.arange(1.0, 10.0, dtype=lib.float64).reshape(3, 3).clone().requires_grad_()
    w = lib.tensor(1.5, dtype=lib.float64, requires_grad=True)
    made = [{"result": x * 1, "plain": lib.ones(3, 3, dtype=lib.float64), "leaf": x}[start]]
    total = 0.0
    try:
        for (what, name), which in steps:
            t = made[which % len(made)]
            if what == "view":
                made.append(VIEWS[name](lib, t))
            elif what == "write":
                WRITES[name](lib, t, w)
            else:
                total = total + READS[name](lib, t, w).sum()
        for t in made:
            total = total + (t * t * 0.1).sum()
        total.backward()
    except (RuntimeError, IndexError) as e:
        return type(e).__name__, _key(str(e))
    grads = [None if t.grad is None else t.grad.numpy() for t in (x, w)]
    return [*grads, *[t.detach().numpy() for t in made], *[t._version for t in made], *[t.requires_grad for t in made]]


# Errors PyTorch words for its own insides: what is compared of them.
KEYS = (
    "is being used in an in-place operation", "is a view and is being modified inplace", "and is being modified inplace with grad",
    "modified inplace with grad mode", "its base or another view of its base has been modified", "modified by an inplace operation",
    "more than one element of the written-to tensor", "element 0 of tensors does not require grad",
    "some elements of the input tensor and the written-to", "broadcast",
)  # fmt: skip


def _key(message):
    return next((k for k in KEYS if k in message), "other")


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.sampled_from(["result", "result", "plain", "leaf"]), STEPS)
def test_random_programs_agree_with_pytorch(start, steps):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = run(torsh, start, steps), run(torch, start, steps)
    plain = start == "plain" or any(name == "detach" for (_, name), _ in steps)
    if plain and theirs == ("RuntimeError", KEYS[0]):
        return  # PyTorch takes an old view of a tensor that has come to require grad for a leaf, until it is asked for its grad_fn
    if isinstance(theirs, tuple) or isinstance(ours, tuple):
        assert ours == theirs
        return
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(b, np.ndarray):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
        else:
            assert a == b


@pytest.mark.parametrize(
    "write",
    [
        lambda buffer, h: buffer.__setitem__(0, h), lambda buffer, h: buffer.__setitem__((..., 1), h.sum()),
        lambda buffer, h: buffer.select(0, 1).copy_(h), lambda buffer, h: buffer[:, 0].add_(h.sum()),
        lambda buffer, h: buffer.add_(h), lambda buffer, h: buffer.__setitem__([0, 1], h),
    ],
)  # fmt: skip
def test_filling_a_buffer_asks_the_collector_for_nothing(write, monkeypatch):
    """Recurrent programs fill buffers row by row with what has a history: going through all objects for each would take their time."""

    class Asked:
        @staticmethod
        def get_referrers(*objects):
            raise AssertionError("the collector was asked for views although the only one is being written to")

    monkeypatch.setattr("torsh.autograd.views.gc", Asked)
    h = torsh.ones(3, requires_grad=True)
    buffer = torsh.zeros(2, 3)
    write(buffer, h)
    buffer.sum().backward()
    assert float(h.grad.sum()) > 0
