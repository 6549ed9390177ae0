"""Checkpointing: the same gradients, less kept."""

from __future__ import annotations

import pytest

import torsh
import torsh.ops.aten
from torsh.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential


def block(x, w):
    return torsh.tanh(x @ w).exp() * x


@pytest.mark.parametrize("reentrant", [True, False])
def test_same_gradients(reentrant):
    grads = []
    for use in (False, True):
        x = torsh.linspace(-1.0, 1.0, 9).reshape(3, 3).requires_grad_()
        w = torsh.eye(3).requires_grad_()
        y = checkpoint(block, x, w, use_reentrant=reentrant) if use else block(x, w)
        (y * y).sum().backward()
        grads.append((x.grad.tolist(), w.grad.tolist()))
    assert grads[0] == grads[1]


@pytest.mark.parametrize("reentrant", [True, False])
def test_random_numbers_are_drawn_again(reentrant):
    def noisy(x):
        return x * torsh.rand(4)

    x = torsh.ones(4, requires_grad=True)
    torsh.manual_seed(3)
    y = checkpoint(noisy, x, use_reentrant=reentrant)
    after = torsh.rand(1).item()
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()
    torsh.manual_seed(3)
    torsh.rand(4)
    assert torsh.rand(1).item() == after


def test_runs_again_only_once_and_keeps_nothing():
    calls = []

    def fn(x):
        calls.append(1)
        return x.exp().exp()

    x = torsh.ones(3, requires_grad=True)
    y = checkpoint(fn, x, use_reentrant=False)
    assert len(calls) == 1
    y.sum().backward()
    assert len(calls) == 2


def test_sequential():
    x = torsh.ones(3, requires_grad=True)
    y = checkpoint_sequential([torsh.exp, torsh.tanh, torsh.sin, torsh.cos], 2, x, use_reentrant=False)
    y.sum().backward()
    z = torsh.ones(3, requires_grad=True)
    torsh.cos(torsh.sin(torsh.tanh(torsh.exp(z)))).sum().backward()
    assert x.grad.tolist() == z.grad.tolist()


def test_a_function_that_changes_its_mind():
    sizes = [3, 2]

    def fn(x):
        n = sizes.pop(0)
        return (x[:n] * x[:n]).exp()

    x = torsh.ones(3, requires_grad=True)
    y = checkpoint(fn, x, use_reentrant=False)
    with pytest.raises(CheckpointError, match="Recomputed values"):
        y.sum().backward()


@pytest.mark.parametrize("kept", [[], ["mm"], ["mm", "sigmoid"]])
def test_selective_checkpointing(kept):
    import functools

    from torsh.dispatch import Mode
    from torsh.utils.checkpoint import CheckpointPolicy, create_selective_checkpoint_contexts

    runs: list[str] = []

    class Count(Mode):
        def intercept(self, op, args, proceed):
            runs.append(op.name)
            return proceed(*args)

    ops = [getattr(torsh.ops.aten, n).default for n in kept]

    def policy(ctx, op, *args):
        assert isinstance(ctx.op_output, torsh.Tensor)
        return CheckpointPolicy.MUST_SAVE if op in ops else CheckpointPolicy.PREFER_RECOMPUTE

    def fn(x, y):
        return torsh.sigmoid((x @ y).exp()) * y

    found = []
    for given in (None, policy, ops):
        x = torsh.linspace(-1.0, 1.0, 9).reshape(3, 3).requires_grad_()
        y = torsh.eye(3).requires_grad_()
        if given is None:
            out = fn(x, y)
        else:
            out = checkpoint(
                fn, x, y, use_reentrant=False, context_fn=functools.partial(create_selective_checkpoint_contexts, given)
            )
        runs.clear()
        with Count():
            out.sum().backward()
        if given is not None:
            assert ("sigmoid" in runs) == ("sigmoid" not in kept)
            assert "exp" in runs
        found.append((x.grad.tolist(), y.grad.tolist()))
    assert found[0] == found[1] == found[2]


def test_selective_checkpointing_names_overloads():
    from torsh.utils.checkpoint import create_selective_checkpoint_contexts

    with pytest.raises(ValueError, match="OpOverload"):
        create_selective_checkpoint_contexts([torsh.ops.aten.mm])
    with pytest.raises(TypeError, match="must be either a function or a list"):
        create_selective_checkpoint_contexts(3)
