"""Relatives of Adam: Adamax, NAdam, RAdam, SparseAdam."""

from __future__ import annotations

import math
from typing import Any

from torsh.ops.creation import ones
from torsh.optim.optimizer import (
    ParamsT,
    PerParameter,
    check,
    check_lr,
    number,
    scalar_dtype,
    step_counter,
    tick,
    zeros_like,
)
from torsh.tensor import Tensor


def _check(lr: Any, betas: Any, eps: float, weight_decay: float) -> None:
    check_lr(lr)
    check("epsilon value", eps, eps >= 0.0)
    for i in (0, 1):
        check(f"beta parameter at index {i}", betas[i], 0.0 <= betas[i] < 1.0)
    check("weight_decay value", weight_decay, weight_decay >= 0.0)


class Adamax(PerParameter):
    """Adam with the infinity norm (Kingma and Ba, 2015).

    betas, eps, weight_decay, maximize: as in :class:`Adam`.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.Adamax.html

    >>> import torsh
    >>> from torsh import nn
    >>> x = nn.Parameter(torsh.tensor([1., 2.]))
    >>> optimizer = torsh.optim.Adamax([x], lr=0.1)
    >>> (x ** 2).sum().backward()
    >>> optimizer.step()
    >>> x.data
    tensor([0.9000, 1.9000])
    """

    _group_defaults = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        _check(lr, betas, eps, weight_decay)
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach,
                "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
            },
        )  # fmt: skip

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"step": step_counter(group, p), "exp_avg": zeros_like(p), "exp_inf": zeros_like(p)}

    def _update(self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        import torsh

        beta1, beta2 = group["betas"]
        m, largest, decay = state["exp_avg"], state["exp_inf"], group["weight_decay"]
        step = tick(state)
        if decay != 0:
            g = g.add(p, alpha=decay)
        m.lerp_(g, 1 - beta1)
        largest.copy_(torsh.maximum(largest * beta2, g.abs() + group["eps"]))
        p.addcdiv_(m, largest, value=-number(group["lr"]) / (1 - beta1**step))


class NAdam(PerParameter):
    """Adam with Nesterov momentum (Dozat, 2016).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.NAdam.html

    >>> import torsh
    >>> from torsh import nn
    >>> x = nn.Parameter(torsh.tensor([1., 2.]))
    >>> optimizer = torsh.optim.NAdam([x], lr=0.1)
    >>> (x ** 2).sum().backward()
    >>> optimizer.step()
    >>> x.data
    tensor([0.8944, 1.8944])
    """

    _group_defaults = {
        "maximize": False, "foreach": None, "capturable": False, "differentiable": False, "decoupled_weight_decay": False,
    }  # fmt: skip

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check(lr, betas, eps, weight_decay)
        check("momentum_decay value", momentum_decay, momentum_decay >= 0.0)
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach,
                "capturable": capturable, "differentiable": differentiable,
            },
        )  # fmt: skip

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {
            "step": step_counter(group, p),
            "mu_product": ones((), dtype=scalar_dtype(), device=p.device if group["capturable"] else "cpu"),
            "exp_avg": zeros_like(p),
            "exp_avg_sq": zeros_like(p),
        }

    def _update(self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        lr, (beta1, beta2), decay = number(group["lr"]), group["betas"], group["weight_decay"]
        m, v = state["exp_avg"], state["exp_avg_sq"]
        step = tick(state)
        if decay != 0:
            if group["decoupled_weight_decay"]:
                p.mul_(1 - lr * decay)
            else:
                g = g.add(p, alpha=decay)
        # The momentum grows along a schedule; ``product`` is that of all its values so far.
        psi = group["momentum_decay"]
        mu = beta1 * (1.0 - 0.5 * (0.96 ** (step * psi)))
        mu_next = beta1 * (1.0 - 0.5 * (0.96 ** ((step + 1) * psi)))
        product = state["mu_product"].mul_(mu)
        m.lerp_(g, 1 - beta1)
        v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        denom = (v / (1 - beta2**step)).sqrt() + group["eps"]
        if group["differentiable"]:
            p.addcdiv_(g * (-lr * (1.0 - mu) / (1.0 - product)), denom)
            p.addcdiv_(m * (-lr * mu_next / (1.0 - product * mu_next)), denom)
            return
        product = product.item()
        p.addcdiv_(g, denom, value=-lr * (1.0 - mu) / (1.0 - product))
        p.addcdiv_(m, denom, value=-lr * mu_next / (1.0 - product * mu_next))


class RAdam(PerParameter):
    """Adam with its early steps rectified (Liu et al., 2020).

    betas, eps, weight_decay, maximize: as in :class:`Adam`. decoupled_weight_decay: shrink the parameters themselves, as AdamW does.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.RAdam.html

    >>> import torsh
    >>> from torsh import nn
    >>> x = nn.Parameter(torsh.tensor([1., 2.]))
    >>> optimizer = torsh.optim.RAdam([x], lr=0.1)
    >>> (x ** 2).sum().backward()
    >>> optimizer.step()
    >>> x.data
    tensor([0.8000, 1.6000])
    """

    _group_defaults = {
        "foreach": None, "maximize": False, "differentiable": False, "decoupled_weight_decay": False, "capturable": False,
    }  # fmt: skip

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        _check(lr, betas, eps, weight_decay)
        super().__init__(
            params,
            {
                "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
                "foreach": foreach, "capturable": capturable, "decoupled_weight_decay": decoupled_weight_decay,
                "differentiable": differentiable,
            },
        )  # fmt: skip

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"step": step_counter(group, p), "exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}

    def _update(self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        lr, (beta1, beta2), decay = number(group["lr"]), group["betas"], group["weight_decay"]
        m, v = state["exp_avg"], state["exp_avg_sq"]
        step = tick(state)
        if decay != 0:
            if group["decoupled_weight_decay"]:
                p.mul_(1 - lr * decay)
            else:
                g = g.add(p, alpha=decay)
        m.lerp_(g, 1 - beta1)
        v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        correction = 1 - beta2**step
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * step * beta2**step / correction
        move = m / (1 - beta1**step) * lr
        if length > 5.0:  # the variance of the adaptive step is finite
            rect = ((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)) ** 0.5
            move = move * (correction**0.5 / (v.sqrt() + group["eps"])) * rect
        p.add_(move, alpha=-1.0)


class SparseAdam(PerParameter):
    """Adam that updates only the entries a sparse gradient has.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.SparseAdam.html

    >>> import torsh
    >>> from torsh import nn
    >>> table = nn.Embedding(4, 2, sparse=True)
    >>> optimizer = torsh.optim.SparseAdam(table.parameters(), lr=0.1)
    >>> before = table.weight.detach().clone()
    >>> table(torsh.tensor([1])).sum().backward()
    >>> optimizer.step()
    >>> (table.weight != before).any(dim=1)  # only the row that was used
    tensor([False,  True, False, False])
    """

    _sparse = True
    _tensor_state = ()

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        check("learning rate", lr, lr > 0.0)
        check("epsilon value", eps, eps > 0.0)
        for i in (0, 1):
            check(f"beta parameter at index {i}", betas[i], 0.0 <= betas[i] < 1.0)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        every = [([i, j], p) for i, group in enumerate(self.param_groups) for j, p in enumerate(group["params"])]
        sparse = [where for where, p in every if p.is_sparse]
        if sparse:
            raise ValueError(f"Sparse params at indices {sparse}: SparseAdam requires dense parameter tensors")
        complexes = [where for where, p in every if p._kind.complex]
        if complexes:
            raise ValueError(f"Complex params at indices {complexes}: SparseAdam does not support complex parameters")

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"step": 0, "exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}

    def _update(self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not g.is_sparse:
            raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
        step, (beta1, beta2) = tick(state), group["betas"]
        g = g.coalesce()
        where, values = tuple(g.indices()), g.values()
        if values.numel() == 0:
            return
        m, v = state["exp_avg"], state["exp_avg_sq"]
        m_new = m[where].lerp(values, 1 - beta1)
        v_new = v[where].lerp(values * values, 1 - beta2)
        m[where] = m_new
        v[where] = v_new
        size = number(group["lr"]) * math.sqrt(1 - beta2**step) / (1 - beta1**step)
        p[where] = p.detach()[where] - size * (m_new / (v_new.sqrt() + group["eps"]))


__all__ = ["Adamax", "NAdam", "RAdam", "SparseAdam"]
