"""Adam and AdamW."""

from __future__ import annotations

from typing import Any

from torsh.autograd.grad_mode import thread
from torsh.dispatch import state as dispatch_state
from torsh.optim.optimizer import (
    Native,
    ParamsT,
    PerParameter,
    check,
    check_fused,
    number,
    step_counter,
    tick,
    zeros_like,
)
from torsh.tensor import Tensor, calling

_kernels = Native("adam_step")


class Adam(PerParameter):
    """Adam (Kingma and Ba, 2015), and AMSGrad (Reddi et al., 2018).

    params: tensors, (name, tensor) pairs, or dicts with options per group. betas: how much of the running means of the gradient and of its
    square is kept in a step. eps: added to the denominator. weight_decay: adds that multiple of a parameter to its gradient. amsgrad: divide
    by the largest second moment so far. maximize: climb. foreach, fused, capturable: accepted, they change nothing here.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html

    >>> import torsh
    >>> from torsh import nn
    >>> layer = nn.Linear(2, 1)
    >>> optimizer = torsh.optim.Adam(layer.parameters(), lr=0.01)
    >>> optimizer.zero_grad()
    >>> layer(torsh.ones(4, 2)).pow(2).mean().backward()
    >>> optimizer.step()
    """

    _group_defaults = {
        "amsgrad": False, "maximize": False, "foreach": None, "capturable": False, "differentiable": False,
        "decoupled_weight_decay": False, "fused": None,
    }  # fmt: skip
    _no_sparse = "Adam does not support sparse gradients, please consider SparseAdam instead"

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        if isinstance(lr, Tensor):
            if foreach and not capturable:
                raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
            if lr.numel() != 1:
                raise ValueError("Tensor lr must be 1-element")
        check("learning rate", lr, lr >= 0.0)
        check("epsilon value", eps, eps >= 0.0)
        for i in (0, 1):
            check(f"beta parameter at index {i}", betas[i], 0.0 <= betas[i] < 1.0)
        check("weight_decay value", weight_decay, weight_decay >= 0.0)
        if not (all(isinstance(b, float) for b in betas) or all(isinstance(b, Tensor) for b in betas)):
            raise ValueError("betas must be either both floats or both Tensors")
        for i, b in enumerate(betas):
            if isinstance(b, Tensor):
                if not capturable and foreach:
                    raise ValueError(f"betas[{i}] as a Tensor is not supported for capturable=False and foreach=True")
                if b.numel() != 1:
                    raise ValueError(f"Tensor betas[{i}] must be 1-element")
        betas = tuple(b.squeeze() if isinstance(b, Tensor) else b for b in betas)  # type: ignore[assignment]
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad, "maximize": maximize,
                "foreach": foreach, "capturable": capturable, "differentiable": differentiable, "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )  # fmt: skip
        check_fused(fused, foreach, differentiable)

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        state = {"step": step_counter(group, p), "exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = zeros_like(p)
        return state

    def _step_group(self, group: dict[str, Any]) -> None:
        beta1, beta2 = group["betas"]
        lr = group["lr"]
        if isinstance(lr, Tensor) and group["foreach"] and not group["capturable"]:
            raise RuntimeError("lr as a Tensor is not supported for capturable=False and foreach=True")
        if thread.enabled or dispatch_state.busy or group["amsgrad"]:
            super()._step_group(group)
            return
        if isinstance(lr, Tensor):
            lr = lr.item()
        if isinstance(beta1, Tensor):
            beta1, beta2 = beta1.item(), beta2.item()
        eps, decay, decoupled = group["eps"], group["weight_decay"], group["decoupled_weight_decay"]
        maximize = group["maximize"]
        states, caller = self.state, calling()
        for p in group["params"]:
            g = p._grad
            if g is None:
                continue
            k = p._kind
            kernel = _kernels[k] if g._kind is k else None
            if g.is_sparse:
                raise RuntimeError(self._no_sparse)
            state = states[p]
            if not state:
                state.update(self._start(p, group))
            if kernel is None:
                self._one(p, g, state, group)
                continue
            kernel(
                p._data, g._data, state["exp_avg"]._data, state["exp_avg_sq"]._data, tick(state), lr, beta1, beta2, eps,
                decay, decoupled, maximize,
            )  # fmt: skip
            p._bump("adam_step", caller)

    def _update(self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        lr, (beta1, beta2) = number(group["lr"]), group["betas"]
        beta1, beta2 = number(beta1), number(beta2)
        differentiable, decay = group["differentiable"], group["weight_decay"]
        m, v = state["exp_avg"], state["exp_avg_sq"]
        step = tick(state)
        if decay != 0:
            if group["decoupled_weight_decay"]:
                p.mul_(1 - lr * decay)
            else:
                g = g.add(p, alpha=decay)
        m.lerp_(g, 1 - beta1)
        v.mul_(beta2)
        if isinstance(beta2, Tensor):
            v.add_(g * g * (1 - beta2))
        else:
            v.addcmul_(g, g, value=1 - beta2)
        size = lr / (1 - beta1**step)
        root = (1 - beta2**step) ** 0.5
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"]
            import torsh

            # While recording, the old maximum must not be overwritten in place by one that depends on it.
            largest.copy_(torsh.maximum(largest.clone() if differentiable else largest, v))
            v = largest
        denom = v.sqrt() / root + group["eps"]
        if differentiable:  # the graph keeps the mean of now: the next step writes to it
            m = m.clone()
        if isinstance(size, Tensor):
            p.add_(-(m / denom) * size)
        else:
            p.addcdiv_(m, denom, value=-size)


class AdamW(Adam):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter, 2019).

    The parameters are those of :class:`Adam`; weight_decay shrinks the parameters by lr * weight_decay in each step.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html

    >>> import torsh
    >>> from torsh import nn
    >>> x = nn.Parameter(torsh.tensor([1., 2.]))
    >>> optimizer = torsh.optim.AdamW([x], lr=0.1, weight_decay=0.01)
    >>> (x ** 2).sum().backward()
    >>> optimizer.step()
    >>> x.data
    tensor([0.8990, 1.8980])
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
            differentiable=differentiable, fused=fused, decoupled_weight_decay=True,
        )  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True


__all__ = ["Adam", "AdamW"]
