"""Optimizer steps, in place on the parameter and its state."""

from __future__ import annotations

from torsh.backend import Kernel


def adam_step(p, g, m, v, step, lr, beta1, beta2, eps, decay, decoupled, maximize):
    if maximize:
        g = -g
    if decay:
        if decoupled:
            p.mul_(1 - lr * decay)
        else:
            g = g.add(p, alpha=decay)
    m.lerp_(g, 1 - beta1)
    v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    denom = v.sqrt().div_((1 - beta2**step) ** 0.5).add_(eps)
    p.addcdiv_(m, denom, value=-lr / (1 - beta1**step))


def sgd_step(p, g, buf, lr, momentum, dampening, decay, nesterov, maximize):
    if maximize:
        g = -g
    if decay:
        g = g.add(p, alpha=decay)
    if buf is not None:
        buf.mul_(momentum).add_(g, alpha=1 - dampening)
        g = g.add(buf, alpha=momentum) if nesterov else buf
    p.add_(g, alpha=-lr)


KERNELS: dict[str, Kernel] = {"adam_step": adam_step, "sgd_step": sgd_step}
