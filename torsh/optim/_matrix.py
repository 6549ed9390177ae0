"""Optimizers that know matrices: Adafactor and Muon."""

from __future__ import annotations

import math
from typing import Any

from torsh import dtypes
from torsh.ops.creation import tensor, zeros
from torsh.optim.optimizer import ParamsT, PerParameter, number, scalar_dtype, tick, zeros_like
from torsh.tensor import Tensor


def _require(good: Any, message: str) -> None:
    if not good:
        raise ValueError(message)


class Adafactor(PerParameter):
    """Adafactor (Shazeer and Stern, 2018): the second moments of a matrix as a row times a column.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.Adafactor.html

    >>> import torsh
    >>> from torsh import nn
    >>> x = nn.Parameter(torsh.ones(2, 2))
    >>> optimizer = torsh.optim.Adafactor([x], lr=0.1)
    >>> (x ** 2).sum().backward()
    >>> optimizer.step()
    >>> x.data
    tensor([[0.9000, 0.9000],
            [0.9000, 0.9000]])
    """

    _group_defaults = {"foreach": None}

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        _require(lr >= 0.0, f"Learning rate should be >= 0 but is: {lr}")
        _require(beta2_decay <= 0.0, f"beta2_decay should be <= 0 but is: {beta2_decay}")
        _require(eps[0] is None or eps[0] >= 0.0, f"epsilon1 should be >= 0 but is: {eps[0]}")
        _require(eps[1] >= 0.0, f"epsilon2 should be >= 0 but is: {eps[1]}")
        _require(d >= 1.0, f"Clipping threshold d should be >= 1 but is: {d}")
        _require(weight_decay >= 0.0, f"weight_decay should be >= 0 but is: {weight_decay}")
        super().__init__(
            params,
            {
                "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay, "foreach": foreach,
                "maximize": maximize,
            },
        )  # fmt: skip

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        state: dict[str, Any] = {"step": tensor(0.0, dtype=scalar_dtype(), device="cpu")}
        if p.dim() > 1:
            shape = list(p.shape)
            state["row_var"] = zeros([*shape[:-1], 1], dtype=p.dtype, device=p.device)
            state["col_var"] = zeros([*shape[:-2], 1, shape[-1]], dtype=p.dtype, device=p.device)
        else:
            state["variance"] = zeros_like(p)
        return state

    def _one(self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        if p._kind.complex:
            raise RuntimeError("Adafactor does not support complex parameters")
        super()._one(p, g, state, group)

    def _update(self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        import torsh

        lr, (eps1, eps2), decay = number(group["lr"]), group["eps"], group["weight_decay"]
        if eps1 is None:
            eps1 = torsh.finfo(p.dtype).eps
        step = tick(state)
        weight = step ** group["beta2_decay"]
        size = max(eps2, p.norm(2).item() / p.numel() ** 0.5) * min(lr, 1 / step**0.5)
        if decay != 0:
            p.mul_(1 - lr * decay)
        if g.dim() > 1:
            rows, cols = state["row_var"], state["col_var"]
            rows.lerp_(g.norm(dim=-1, keepdim=True).square().div_(g.size(-1)), weight)
            cols.lerp_(g.norm(dim=-2, keepdim=True).square().div_(g.size(-2)), weight)
            v = (rows @ cols).div_(rows.mean(dim=-2, keepdim=True).clamp_(min=eps1))
        else:
            v = state["variance"]
            v.lerp_(g * g, weight)
        # eps1 squared: the root is taken afterwards.
        update = v.clamp(min=eps1 * eps1).rsqrt().mul_(g)
        scale = max(1.0, update.norm(2).item() / (update.numel() ** 0.5 * group["d"]))
        p.add_(update, alpha=-size / scale)


def orthogonalised(g: Tensor, coefficients: Any, steps: int, eps: float) -> Tensor:
    """A matrix with the singular vectors of ``g`` and singular values near 1, by a quintic Newton-Schulz iteration.

    Computed in bfloat16 (Jordan et al., 2024).
    """
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if g.dim() != 2:
        raise ValueError("Input tensor gradient must be a 2D matrix")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    import torsh

    a, b, c = coefficients
    tall = g.size(0) > g.size(1)
    x = g.to(dtypes.bfloat16)
    if tall:
        x = x.t()
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.t()
        x = torsh.addmm(x, torsh.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.t() if tall else x


class Muon(PerParameter):
    """Momentum with orthogonalised updates, for matrices only (Jordan et al., 2024).

    adjust_lr_fn: ``"original"`` or ``"match_rms_adamw"``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.Muon.html

    >>> import torsh
    >>> from torsh import nn
    >>> x = nn.Parameter(torsh.eye(2))
    >>> optimizer = torsh.optim.Muon([x], lr=0.1)
    >>> (x ** 2).sum().backward()
    >>> optimizer.step()
    >>> x.shape
    torsh.Size([2, 2])
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        _require(lr >= 0.0, f"Learning rate should be >= 0 but is: {lr}")
        _require(momentum >= 0.0, f"momentum should be >= 0 but is: {momentum}")
        _require(weight_decay >= 0.0, f"weight decay should be >= 0 but is: {weight_decay}")
        known = (None, "original", "match_rms_adamw")
        _require(adjust_lr_fn in known, f"Adjust learning rate function {adjust_lr_fn} is not supported")
        super().__init__(
            params,
            {
                "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
                "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn,
            },
        )  # fmt: skip
        for group in self.param_groups:
            for p in group["params"]:
                if p.dim() != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {p.size()}"
                    )

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"momentum_buffer": zeros_like(p)}

    def _one(self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        if p._kind.complex:
            raise RuntimeError("Muon does not support complex parameters")
        self._update(p, g, state, group)

    def _update(self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        lr, momentum, buf = number(group["lr"]), group["momentum"], state["momentum_buffer"]
        buf.lerp_(g, 1 - momentum)
        update = g.lerp(buf, momentum) if group["nesterov"] else buf
        update = orthogonalised(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rows, cols = p.shape
        if group["adjust_lr_fn"] == "match_rms_adamw":
            ratio = 0.2 * math.sqrt(max(rows, cols))
        else:
            ratio = math.sqrt(max(1, rows / cols))
        p.mul_(1 - lr * group["weight_decay"])
        p.add_(update, alpha=-lr * ratio)


__all__ = ["Adafactor", "Muon"]
