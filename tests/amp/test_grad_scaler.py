"""``GradScaler`` on the CPU, step by step against PyTorch's."""

from __future__ import annotations

import pickle

import pytest

import torsh

torch = pytest.importorskip("torch")


def _tried(call):
    try:
        return call()
    except (RuntimeError, AssertionError, ValueError) as e:
        return type(e).__name__, str(e)


def _history(library):
    scaler = library.amp.GradScaler("cpu", init_scale=4.0, growth_interval=2)
    p = library.nn.Parameter(library.ones(2))
    optimizer = library.optim.SGD([p], lr=0.125)
    log = [_tried(scaler.update), _tried(lambda: scaler.step(optimizer)), scaler.state_dict()]
    log.append([t.tolist() for t in scaler.scale([library.tensor(1.0), library.tensor([2.0])])])
    log += [_tried(lambda: scaler.scale(3)), _tried(lambda: scaler.step(optimizer)), _tried(scaler.update)]
    scaler = pickle.loads(pickle.dumps(library.amp.GradScaler("cpu", init_scale=4.0, growth_interval=2)))
    for gradient in (1.0, 2.0, float("inf"), 3.0, float("nan")):
        optimizer.zero_grad()
        scaler.scale((p * library.tensor([gradient, 1.0])).sum()).backward()
        if gradient == 2.0:
            log += [scaler.unscale_(optimizer), p.grad.tolist(), _tried(lambda: scaler.unscale_(optimizer))]
        log += [
            scaler.step(optimizer),
            _tried(lambda: scaler.step(optimizer)),
            _tried(lambda: scaler.unscale_(optimizer)),
        ]
        scaler.update()
        log += [p.tolist(), scaler.state_dict(), scaler.get_scale()]
    scaler.update(2.0)
    log.append(scaler.get_scale())
    scaler.set_growth_factor(3.0)
    scaler.set_backoff_factor(0.25)
    scaler.set_growth_interval(7)
    log += [scaler.get_growth_factor(), scaler.get_backoff_factor(), scaler.get_growth_interval()]
    scaler.load_state_dict({**scaler.state_dict(), "scale": 16.0})
    log += [scaler.get_scale(), _tried(lambda: scaler.load_state_dict({}))]
    half = library.nn.Parameter(library.ones(2, dtype=library.float16))
    half.grad = library.ones(2, dtype=library.float16)
    log.append(_tried(lambda: scaler.unscale_(library.optim.SGD([half], lr=0.1))))
    log.append(_tried(lambda: library.amp.GradScaler("cpu", growth_factor=1.0) and None))
    log.append(_tried(lambda: library.amp.GradScaler("cpu", backoff_factor=1.0) and None))
    off = library.amp.GradScaler("cpu", enabled=False)
    return [*log, off.scale(3), off.state_dict(), off.get_scale(), off.is_enabled()]


def test_a_history():
    assert _history(torsh) == _history(torch)
