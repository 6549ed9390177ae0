"""Adagrad, Adadelta, RMSprop, Rprop and averaged SGD."""

from __future__ import annotations

from typing import Any

from torsh.ops.creation import full, full_like, ones, tensor, zeros
from torsh.optim.optimizer import (
    ParamsT,
    PerParameter,
    check,
    check_fused,
    check_lr,
    number,
    scalar_dtype,
    step_counter,
    tick,
    zeros_like,
)
from torsh.tensor import Tensor


class Adagrad(PerParameter):
    """Adagrad (Duchi et al., 2011).

    lr_decay: how fast the rate falls with the steps. initial_accumulator_value: what the sums of squares start with. eps: added to the
    denominator. weight_decay: adds that multiple of a parameter to its gradient.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.Adagrad.html

    >>> import torsh
    >>> from torsh import nn
    >>> x = nn.Parameter(torsh.tensor([1., 2.]))
    >>> optimizer = torsh.optim.Adagrad([x], lr=0.1)
    >>> (x ** 2).sum().backward()
    >>> optimizer.step()
    >>> x.data
    tensor([0.9000, 1.9000])
    """

    _sparse = True
    _group_defaults = {"foreach": None, "maximize": False, "differentiable": False, "fused": None}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check("lr_decay value", lr_decay, lr_decay >= 0.0)
        check("weight_decay value", weight_decay, weight_decay >= 0.0)
        check("initial_accumulator_value value", initial_accumulator_value, initial_accumulator_value >= 0.0)
        check("epsilon value", eps, eps >= 0.0)
        super().__init__(
            params,
            {
                "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
                "differentiable": differentiable, "fused": fused,
            },
        )  # fmt: skip
        check_fused(fused, foreach, differentiable)
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p] = self._start(p, group)

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        first = group["initial_accumulator_value"]
        if p._kind.complex:
            first = complex(first, first)
        return {"step": step_counter(group, p), "sum": full_like(p, first, requires_grad=False)}

    def share_memory(self) -> None:
        """Put the accumulators into memory that processes share."""
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["sum"].share_memory_()

    def _update(self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        step, decay, total = tick(state), group["weight_decay"], state["sum"]
        if decay != 0:
            if g.is_sparse:
                raise RuntimeError("weight_decay option is not compatible with sparse gradients")
            g = g.add(p, alpha=decay)
        size = number(group["lr"]) / (1 + (step - 1) * group["lr_decay"])
        if g.is_sparse:
            import torsh

            # The update is not linear in the gradient, so every index must come once.
            g = g.coalesce()
            where, values = g.indices(), g.values()

            def spread(x: Tensor) -> Tensor:
                return torsh.sparse_coo_tensor(where, x, g.shape)

            total.add_(spread(values.pow(2)))
            root = total[tuple(where)].sqrt().add_(group["eps"])
            p.add_(spread(values / root), alpha=-size)
            return
        if group["differentiable"]:
            total.add_(g * g)
        else:
            total.addcmul_(g, g, value=1)
        p.addcdiv_(g, total.sqrt() + group["eps"], value=-size)


class Adadelta(PerParameter):
    """Adadelta (Zeiler, 2012).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.Adadelta.html

    >>> import torsh
    >>> from torsh import nn
    >>> x = nn.Parameter(torsh.tensor([1., 2.]))
    >>> optimizer = torsh.optim.Adadelta([x], lr=1.0)
    >>> (x ** 2).sum().backward()
    >>> optimizer.step()
    >>> x.data
    tensor([0.9968, 1.9968])
    """

    _group_defaults = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check("rho value", rho, 0.0 <= rho <= 1.0)
        check("epsilon value", eps, eps >= 0.0)
        check("weight_decay value", weight_decay, weight_decay >= 0.0)
        super().__init__(
            params,
            {
                "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
                "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
            },
        )  # fmt: skip

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"step": step_counter(group, p), "square_avg": zeros_like(p), "acc_delta": zeros_like(p)}

    def _update(self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        rho, eps, decay = group["rho"], group["eps"], group["weight_decay"]
        squares, deltas = state["square_avg"], state["acc_delta"]
        tick(state)
        if decay != 0:
            g = g.add(p, alpha=decay)
        squares.mul_(rho).addcmul_(g, g, value=1 - rho)
        delta = (deltas + eps).sqrt() / (squares + eps).sqrt() * g
        deltas.mul_(rho).addcmul_(delta, delta, value=1 - rho)
        p.add_(delta, alpha=-number(group["lr"]))


class RMSprop(PerParameter):
    """RMSprop (Hinton's lecture), centred (Graves, 2013) and with momentum if wanted.

    alpha: how much of the running mean of squares is kept. eps: added to the denominator. momentum, weight_decay: as in :class:`SGD`.
    centered: divide by the standard deviation.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.RMSprop.html

    >>> import torsh
    >>> from torsh import nn
    >>> x = nn.Parameter(torsh.tensor([1., 2.]))
    >>> optimizer = torsh.optim.RMSprop([x], lr=0.1)
    >>> (x ** 2).sum().backward()
    >>> optimizer.step()
    >>> x.data
    tensor([5.9605e-08, 1.0000e+00])
    """

    _group_defaults = {
        "momentum": 0, "centered": False, "foreach": None, "maximize": False, "differentiable": False, "capturable": False,
    }  # fmt: skip

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check("epsilon value", eps, eps >= 0.0)
        check("momentum value", momentum, momentum >= 0.0)
        check("weight_decay value", weight_decay, weight_decay >= 0.0)
        check("alpha value", alpha, alpha >= 0.0)
        super().__init__(
            params,
            {
                "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
                "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach, "maximize": maximize,
                "differentiable": differentiable,
            },
        )  # fmt: skip

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        state = {"step": step_counter(group, p), "square_avg": zeros_like(p)}
        if group["momentum"] > 0:
            state["momentum_buffer"] = zeros_like(p)
        if group["centered"]:
            state["grad_avg"] = zeros_like(p)
        return state

    def _update(self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        lr, alpha, momentum, decay = number(group["lr"]), group["alpha"], group["momentum"], group["weight_decay"]
        squares = state["square_avg"]
        tick(state)
        if decay != 0:
            g = g.add(p, alpha=decay)
        squares.mul_(alpha).addcmul_(g, g, value=1 - alpha)
        if group["centered"]:
            mean = state["grad_avg"]
            mean.lerp_(g, 1 - alpha)
            root = squares.addcmul(mean, mean, value=-1).sqrt()
        else:
            root = squares.sqrt()
        root = root + group["eps"]
        if momentum > 0:
            buf = state["momentum_buffer"]
            buf.mul_(momentum).addcdiv_(g, root)
            p.add_(buf, alpha=-lr)
        else:
            p.addcdiv_(g, root, value=-lr)


class Rprop(PerParameter):
    """Resilient backpropagation (Riedmiller and Braun, 1993).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.Rprop.html

    >>> import torsh
    >>> from torsh import nn
    >>> x = nn.Parameter(torsh.tensor([1., 2.]))
    >>> optimizer = torsh.optim.Rprop([x], lr=0.1)
    >>> (x ** 2).sum().backward()
    >>> optimizer.step()
    >>> x.data
    tensor([0.9000, 1.9000])
    """

    _group_defaults = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        super().__init__(
            params,
            {
                "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
                "differentiable": differentiable, "capturable": capturable,
            },
        )  # fmt: skip

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        lr = group["lr"].item() if isinstance(group["lr"], Tensor) else group["lr"]
        first = complex(lr, lr) if p._kind.complex else lr
        return {
            "step": step_counter(group, p),
            "prev": zeros_like(p),
            "step_size": full(tuple(p.shape), first, dtype=p.dtype, device=p.device),
        }

    def _update(self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        import torsh

        (less, more), (low, high) = group["etas"], group["step_sizes"]
        before, size = state["prev"], state["step_size"]
        tick(state)
        agree = g.mul(before.clone() if group["differentiable"] else before).sign()
        factor = torsh.where(agree > 0, more, torsh.where(agree < 0, less, 1.0)).to(p.dtype)
        size.mul_(factor).clamp_(low, high)
        # Where the sign turned round, this step is left out.
        g = torsh.where(agree < 0, 0.0, g)
        p.addcmul_(g.sign(), size, value=-1)
        before.copy_(g)


class ASGD(PerParameter):
    """Averaged stochastic gradient descent (Polyak and Juditsky, 1992).

    lambd: the decay term; alpha: the power of the rate's decay; t0: the step at which averaging begins.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.ASGD.html

    >>> import torsh
    >>> from torsh import nn
    >>> x = nn.Parameter(torsh.tensor([1., 2.]))
    >>> optimizer = torsh.optim.ASGD([x], lr=0.1)
    >>> (x ** 2).sum().backward()
    >>> optimizer.step()
    >>> x.data
    tensor([0.8000, 1.6000])
    """

    _group_defaults = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_lr(lr)
        check("weight_decay value", weight_decay, weight_decay >= 0.0)
        super().__init__(
            params,
            {
                "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
                "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
            },
        )  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for p in group["params"]:
                own = self.state.get(p) or {}
                for name in ("eta", "mu"):
                    if name in own and not isinstance(own[name], Tensor):
                        own[name] = tensor(own[name], dtype=scalar_dtype(), device=p.device)

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        kind = {"dtype": scalar_dtype(), "device": p.device}
        return {
            "step": zeros((), **kind),
            "eta": tensor(number(group["lr"]), **kind).detach(),
            "mu": ones((), **kind),
            "ax": zeros_like(p),
        }

    def _update(self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        lr, lambd, decay = number(group["lr"]), group["lambd"], group["weight_decay"]
        mean, eta, mu = state["ax"], state["eta"].item(), state["mu"].item()
        step = tick(state)
        if decay != 0:
            g = g.add(p, alpha=decay)
        p.mul_(1 - lambd * eta)
        p.add_(g, alpha=-eta)
        if mu != 1:
            mean.add_(p.sub(mean).mul_(mu))
        else:
            mean.copy_(p)
        state["eta"].fill_(lr / ((1 + lambd * lr * step) ** group["alpha"]))
        state["mu"].fill_(1 / max(1, step - group["t0"]))


__all__ = ["ASGD", "Adadelta", "Adagrad", "RMSprop", "Rprop"]
