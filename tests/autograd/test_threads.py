"""Eight threads that run forward and backward at the same time give what one thread gives."""

from __future__ import annotations

import sys
import threading

import pytest

import torsh
import torsh.nn
from torsh.autograd.graph import saved_tensors_hooks
from torsh.utils.checkpoint import checkpoint

THREADS, ROUNDS = 8, 25


def together(work):
    """The results of ``work(i)`` run by eight threads at once."""
    results, errors = [None] * THREADS, []
    gate = threading.Barrier(THREADS)
    interval = sys.getswitchinterval()

    def run(i):
        gate.wait()
        try:
            results[i] = work(i)
        except Exception as e:
            errors.append(e)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(THREADS)]
    sys.setswitchinterval(1e-6)  # let them get in each other's way as often as possible
    try:
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    finally:
        sys.setswitchinterval(interval)
    if errors:
        raise errors[0]
    return results


def a_net(seed):
    torsh.manual_seed(seed)
    return torsh.nn.Sequential(torsh.nn.Linear(4, 8), torsh.nn.Tanh(), torsh.nn.Linear(8, 2)).double()


NETS = [a_net(i) for i in range(THREADS)]


def step(i):
    """Gradients of an own network, on the way through every grad mode, hooks on tensors and saved tensors, a checkpoint."""
    net, seen = NETS[i], []
    for p in net.parameters():
        p.grad = None
    x = torsh.linspace(-1, 1, 12, dtype=torsh.float64).reshape(3, 4) * (i + 1)
    for _ in range(ROUNDS):
        with torsh.no_grad():
            assert not net(x).requires_grad
        with torsh.inference_mode():
            assert (x * 2).is_inference()
        assert torsh.is_grad_enabled()
        assert not (x * 2).is_inference()
        hidden = checkpoint(net[:2], x, use_reentrant=False) if i % 2 else net[:2](x)
        hidden.register_hook(lambda g: seen.append(g.sum().item()))
        with saved_tensors_hooks(lambda t: t.clone() if i % 3 else t, lambda t: t):
            loss = (net[2](hidden) ** 2).sum()
        loss.backward()
    return [seen[0], len(seen), *[v for p in net.parameters() for v in p.grad.flatten().tolist()]]


def test_independent_graphs():
    alone = [step(i) for i in range(THREADS)]
    assert together(step) == alone


def test_shared_leaves_get_every_gradient():
    leaf = torsh.zeros(50, dtype=torsh.float64, requires_grad=True)
    calls = []
    leaf.register_hook(lambda g: calls.append(1))

    def work(i):
        for _ in range(ROUNDS):
            (leaf * (i + 1)).sum().backward()

    together(work)
    assert len(calls) == THREADS * ROUNDS
    assert leaf.grad.tolist() == [float(ROUNDS * sum(range(1, THREADS + 1)))] * 50


def test_one_graph_kept_and_run_by_all():
    x = torsh.arange(6.0, dtype=torsh.float64).requires_grad_()
    loss = (x.sin() * x.exp()).sum()
    (expected,) = torsh.autograd.grad(loss, x, retain_graph=True)
    found = together(lambda i: [torsh.autograd.grad(loss, x, retain_graph=True)[0].tolist() for _ in range(ROUNDS)])
    assert all(g == expected.tolist() for grads in found for g in grads)


def test_modes_belong_to_their_thread():
    modes = [torsh.no_grad, torsh.enable_grad, torsh.inference_mode]

    def work(i):
        states = []
        for n in range(ROUNDS):
            with modes[(i + n) % 3]():
                t = torsh.ones(2)
                states.append((torsh.is_grad_enabled(), torsh.is_inference_mode_enabled(), t.is_inference()))
            states.append((torsh.is_grad_enabled(), torsh.ones(2).is_inference()))
        return states

    assert together(work) == [work(i) for i in range(THREADS)]


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpoints_in_all_threads(reentrant):
    def work(i):
        x = torsh.full((3,), i + 1.0, dtype=torsh.float64, requires_grad=True)
        for _ in range(ROUNDS):
            checkpoint(lambda t: t.sin().exp() * t, x, use_reentrant=reentrant).sum().backward()
        return x.grad.tolist()

    alone = [work(i) for i in range(THREADS)]
    assert together(work) == alone
