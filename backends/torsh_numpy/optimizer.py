"""Optimizer steps, in place on the parameter and its state.

A few ufuncs with ``out=`` cost a fraction of the ops they stand for; large arrays are done in blocks that stay in the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from torsh.backend import Kernel

# Elements per block: five float32 operands of this length stay in the second-level cache of common processors.
BLOCK = 16384


def _blocks(arrays: tuple[Any, ...], update: Callable[..., None], *args: Any) -> None:
    """Run an update over matching blocks of arrays (None stays None), or at once if they are small or not contiguous."""
    first = arrays[0]
    if first.size <= BLOCK or not all(a is None or a.flags.c_contiguous for a in arrays):
        update(*arrays, *args)
        return
    flat = [None if a is None else a.reshape(-1) for a in arrays]
    for i in range(0, first.size, BLOCK):
        update(*[None if a is None else a[i : i + BLOCK] for a in flat], *args)


def _adam(p: Any, g: Any, m: Any, v: Any, decay: float, shrink: float, w1: float, beta2: float, root: float, eps: float,
          size: float, maximize: bool) -> None:  # fmt: skip
    if shrink != 1.0:
        np.multiply(p, shrink, out=p)
    if maximize:
        g = np.negative(g)
    if decay:
        g = g + decay * p
    t = np.subtract(g, m)
    np.multiply(t, w1, out=t)
    np.add(m, t, out=m)
    np.multiply(g, g, out=t)
    np.multiply(t, 1 - beta2, out=t)
    np.multiply(v, beta2, out=v)
    np.add(v, t, out=v)
    np.sqrt(v, out=t)
    np.divide(t, root, out=t)
    np.add(t, eps, out=t)
    np.divide(m, t, out=t)
    np.multiply(t, size, out=t)
    np.subtract(p, t, out=p)


def adam_step(p, g, m, v, step, lr, beta1, beta2, eps, decay, decoupled, maximize):
    size = lr / (1 - beta1**step)
    root = (1 - beta2**step) ** 0.5
    shrink = 1 - lr * decay if decoupled and decay else 1.0
    added = 0.0 if decoupled else decay
    if p.size <= BLOCK:
        if p.ndim:
            _adam(p, g, m, v, added, shrink, 1 - beta1, beta2, root, eps, size, maximize)
            return
        p, g, m, v = p.reshape(1), g.reshape(1), m.reshape(1), v.reshape(1)
    _blocks((p, g, m, v), _adam, added, shrink, 1 - beta1, beta2, root, eps, size, maximize)


def _sgd(p: Any, g: Any, buf: Any, lr: float, momentum: float, dampening: float, decay: float, nesterov: bool,
         maximize: bool) -> None:  # fmt: skip
    if maximize:
        g = np.negative(g)
    if decay:
        g = g + decay * p
    if buf is not None:
        np.multiply(buf, momentum, out=buf)
        np.add(buf, g if not dampening else g * (1 - dampening), out=buf)
        g = g + momentum * buf if nesterov else buf
    np.subtract(p, g * lr, out=p)


def sgd_step(p, g, buf, lr, momentum, dampening, decay, nesterov, maximize):
    if p.ndim == 0:
        p, g, buf = p.reshape(1), g.reshape(1), None if buf is None else buf.reshape(1)
    _blocks((p, g, buf), _sgd, lr, momentum, dampening, decay, nesterov, maximize)


KERNELS: dict[str, Kernel] = {"adam_step": adam_step, "sgd_step": sgd_step}
