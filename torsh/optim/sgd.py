"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from torsh.autograd.grad_mode import thread
from torsh.dispatch import state as dispatch_state
from torsh.optim.optimizer import Native, ParamsT, PerParameter, check, check_fused, check_lr, number
from torsh.tensor import Tensor, calling

_kernels = Native("sgd_step")


class SGD(PerParameter):
    """Gradient descent, with momentum (Sutskever et al., 2013) if wanted.

    params: tensors, (name, tensor) pairs, or dicts with options per group. momentum: how much of the last step is kept; dampening: what the
    gradient is multiplied with less. weight_decay: adds that multiple of a parameter to its gradient. nesterov: look ahead, needs momentum.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html

    >>> import torsh
    >>> from torsh import nn
    >>> x = nn.Parameter(torsh.tensor([1., 2.]))
    >>> optimizer = torsh.optim.SGD([x], lr=0.1, momentum=0.9)
    >>> (x ** 2).sum().backward()
    >>> optimizer.step()
    >>> x.data
    tensor([0.8000, 1.6000])
    """

    _as_pairs = False
    _sparse = True
    _group_defaults = {"nesterov": False, "maximize": False, "foreach": None, "differentiable": False, "fused": False}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check("momentum value", momentum, momentum >= 0.0)
        check("weight_decay value", weight_decay, weight_decay >= 0.0)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(
            params,
            {
                "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov,
                "maximize": maximize, "foreach": foreach, "differentiable": differentiable, "fused": fused,
            },
        )  # fmt: skip
        check_fused(fused, foreach, differentiable)

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _step_group(self, group: dict[str, Any]) -> None:
        lr, momentum, decay = group["lr"], group["momentum"], group["weight_decay"]
        plain = not thread.enabled and not dispatch_state.busy and not isinstance(decay, Tensor)
        if plain and isinstance(lr, Tensor):
            lr = lr.item()
        dampening, nesterov, maximize = group["dampening"], group["nesterov"], group["maximize"]
        states, caller = self.state, calling()
        for p in group["params"]:
            g = p._grad
            if g is None:
                continue
            kernel = _kernels[p._kind] if plain and p._kind is g._kind and not g.is_sparse else None
            if kernel is None:
                self._one(p, g, states[p] if momentum != 0 else {}, group)
                continue
            buf = None
            if momentum != 0:
                state = states[p]
                buf = state.get("momentum_buffer")
                if buf is None:
                    # The first buffer is the gradient itself, decayed.
                    first = g.clone() if not maximize else -g
                    buf = state["momentum_buffer"] = first.add_(p.detach(), alpha=decay) if decay != 0 else first
                    kernel(p._data, buf._data, None, lr * (1 + momentum) if nesterov else lr, 0, 0, 0, False, False)
                    p._bump("sgd_step", caller)
                    continue
                buf = buf._data
            kernel(p._data, g._data, buf, lr, momentum, dampening, decay, nesterov, maximize)
            p._bump("sgd_step", caller)

    def _update(self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        lr, momentum, decay = number(group["lr"]), group["momentum"], group["weight_decay"]
        if isinstance(decay, Tensor):
            g = g + p * decay
        elif decay != 0:
            g = g.add(p, alpha=decay)
        if momentum != 0:
            buf = state.get("momentum_buffer")
            if buf is None:
                buf = state["momentum_buffer"] = g.detach().clone()
            else:
                buf.mul_(momentum).add_(g, alpha=1 - group["dampening"])
            g = g.add(buf, alpha=momentum) if group["nesterov"] else buf
        if isinstance(lr, Tensor):
            p.addcmul_(g, lr, value=-1)
        else:
            p.add_(g, alpha=-lr)


__all__ = ["SGD"]
