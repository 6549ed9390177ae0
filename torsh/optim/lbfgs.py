"""The limited-memory BFGS method.

Line search after Nocedal and Wright, Numerical Optimization (2006), algorithms 3.5 and 3.6, as minFunc does it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsh.autograd.grad_mode import enable_grad, no_grad
from torsh.optim.optimizer import Optimizer, ParamsT, check_lr
from torsh.tensor import Tensor


def _cubic_minimum(x1: Any, f1: Any, g1: Any, x2: Any, f2: Any, g2: Any, bounds: Any = None) -> Any:
    """Where the cubic through two points with given slopes is least, kept within the bounds."""
    low, high = bounds if bounds is not None else ((x1, x2) if x1 <= x2 else (x2, x1))
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1 * d1 - g1 * g2
    if not square >= 0:
        return (low + high) / 2.0
    d2 = square**0.5
    if x1 <= x2:
        at = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
    else:
        at = x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2))
    return min(max(at, low), high)


class _Point:
    """A place on the search line: step, loss, gradient, slope."""

    __slots__ = ("f", "g", "slope", "t")

    def __init__(self, t: Any, f: Any, g: Any, slope: Any) -> None:
        self.t, self.f, self.g, self.slope = t, f, g, slope


def _strong_wolfe(
    evaluate: Callable[[Any], tuple[float, Tensor]],
    t: Any,
    d: Tensor,
    f: float,
    g: Tensor,
    slope: Any,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance_change: float = 1e-9,
    max_ls: int = 25,
) -> tuple[float, Tensor, Any, int]:
    """A step that satisfies the strong Wolfe conditions: (loss, gradient, step, evaluations)."""
    reach = d.abs().max()
    evaluations = 0

    def point(t: Any) -> _Point:
        nonlocal evaluations
        evaluations += 1
        value, grad = evaluate(t)
        return _Point(t, value, grad.clone(), grad.dot(d))

    before, now = _Point(0, f, g.clone(), slope), point(t)
    done = False
    rounds = 0
    bracket: list[_Point] | None = None
    while rounds < max_ls:
        if now.f > f + c1 * now.t * slope or (rounds > 1 and now.f >= before.f):
            bracket = [before, now]
            break
        if abs(now.slope) <= -c2 * slope:
            bracket, done = [now], True
            break
        if now.slope >= 0:
            bracket = [before, now]
            break
        low, high = now.t + 0.01 * (now.t - before.t), now.t * 10
        t = _cubic_minimum(before.t, before.f, before.slope, now.t, now.f, now.slope, bounds=(low, high))
        before, now = now, point(t)
        rounds += 1
    if bracket is None:
        bracket = [_Point(0, f, g, slope), now]

    # Narrow the bracket down; ``best`` is its end with the smaller loss.
    stuck = False
    best, other = (0, len(bracket) - 1) if bracket[0].f <= bracket[-1].f else (1, 0)
    while not done and rounds < max_ls:
        a, b = bracket
        if abs(b.t - a.t) * reach < tolerance_change:
            break
        t = _cubic_minimum(a.t, a.f, a.slope, b.t, b.f, b.slope)
        least, most = min(a.t, b.t), max(a.t, b.t)
        margin = 0.1 * (most - least)
        if min(most - t, t - least) < margin:
            # Too near an end: tolerated once, unless it is outside.
            if stuck or t >= most or t <= least:
                t = most - margin if abs(t - most) < abs(t - least) else least + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        now = point(t)
        rounds += 1
        if now.f > f + c1 * now.t * slope or now.f >= bracket[best].f:
            bracket[other] = now
            best, other = (0, 1) if bracket[0].f <= bracket[1].f else (1, 0)
        else:
            if abs(now.slope) <= -c2 * slope:
                done = True
            elif now.slope * (bracket[other].t - bracket[best].t) >= 0:
                bracket[other] = bracket[best]
            bracket[best] = now
    found = bracket[best]
    return found.f, found.g, found.t, evaluations


class LBFGS(Optimizer):
    """L-BFGS with an optional strong Wolfe line search; one parameter group; ``step`` needs a closure.

    Call ``step(closure)``: the closure clears the gradients, computes the loss, calls ``backward`` and returns the loss; it is called several
    times. max_iter, max_eval: per step. tolerance_grad, tolerance_change: when to stop. history_size: how many steps are remembered.
    line_search_fn: None or "strong_wolfe". One parameter group only.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.LBFGS.html

    >>> import torsh
    >>> from torsh import nn
    >>> x = nn.Parameter(torsh.tensor([3., -2.]))
    >>> optimizer = torsh.optim.LBFGS([x], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (x ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> _ = optimizer.step(closure)
    >>> torsh.allclose(x, torsh.zeros(2), atol=1e-4)
    True
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_lr(lr)
        if max_eval is None:
            max_eval = max_iter * 5 // 4
        super().__init__(
            params,
            {
                "lr": lr, "max_iter": max_iter, "max_eval": max_eval, "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change, "history_size": history_size, "line_search_fn": line_search_fn,
            },
        )  # fmt: skip
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params = self.param_groups[0]["params"]
        self._numel_cache: int | None = None

    def _numel(self) -> int:
        return sum(2 * p.numel() if p._kind.complex else p.numel() for p in self._params)

    def _gather_flat_grad(self) -> Tensor:
        import torsh

        parts = []
        for p in self._params:
            g = p._grad
            if g is None:
                g = torsh.zeros(tuple(p.shape), dtype=p.dtype, device=p.device)
            elif g.is_sparse:
                g = g.to_dense()
            if g._kind.complex:
                g = torsh.view_as_real(g)
            parts.append(g.reshape(-1))
        return torsh.cat(parts, 0)

    def _add_grad(self, step_size: Any, update: Tensor) -> None:
        import torsh

        offset = 0
        size = step_size.item() if isinstance(step_size, Tensor) else step_size
        for p in self._params:
            if p._kind.complex:
                p = torsh.view_as_real(p)
            n = p.numel()
            p.add_(update[offset : offset + n].view(p.shape), alpha=size)
            offset += n

    def _set_param(self, values: list[Tensor]) -> None:
        for p, value in zip(self._params, values):
            p.copy_(value)

    @no_grad()
    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Run up to ``max_iter`` iterations; ``closure`` clears gradients, computes the loss and its gradients."""
        closure = enable_grad()(closure)
        group = self.param_groups[0]
        lr = group["lr"].item() if isinstance(group["lr"], Tensor) else group["lr"]
        max_iter, max_eval = group["max_iter"], group["max_eval"]
        tolerance_grad, tolerance_change = group["tolerance_grad"], group["tolerance_change"]
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        original = closure()
        loss = float(original)
        evaluations = 1
        state["func_evals"] += 1
        g = self._gather_flat_grad()
        flat = g.abs().max() <= tolerance_grad
        if flat:
            return original
        d, t, scale = state.get("d"), state.get("t"), state.get("H_diag")
        dirs, steps, ro = state.get("old_dirs"), state.get("old_stps"), state.get("ro")
        last_g, last_loss = state.get("prev_flat_grad"), state.get("prev_loss")

        n = 0
        while n < max_iter:
            n += 1
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                d, dirs, steps, ro, scale = g.neg(), [], [], [], 1
            else:
                y, s = g.sub(last_g), d.mul(t)
                ys = y.dot(s)
                if ys > 1e-10:
                    if len(dirs) == group["history_size"]:
                        for old in (dirs, steps, ro):
                            old.pop(0)
                    dirs.append(y)
                    steps.append(s)
                    ro.append(1.0 / ys)
                    scale = ys / y.dot(y)
                d = self._direction(g, dirs, steps, ro, scale, state, group["history_size"])
            if last_g is None:
                last_g = g.clone()
            else:
                last_g.copy_(g)
            last_loss = loss
            t = min(1.0, 1.0 / g.abs().sum()) * lr if state["n_iter"] == 1 else lr
            slope = g.dot(d)
            if slope > -tolerance_change:
                break
            used = 0
            if group["line_search_fn"] is not None:
                if group["line_search_fn"] != "strong_wolfe":
                    raise RuntimeError("only 'strong_wolfe' is supported")
                start = [p.detach().clone() for p in self._params]

                def evaluate(t: Any, start: Any = start, d: Any = d) -> tuple[float, Tensor]:
                    self._add_grad(t, d)
                    value = float(closure())
                    grad = self._gather_flat_grad()
                    self._set_param(start)
                    return value, grad

                loss, g, t, used = _strong_wolfe(evaluate, t, d, loss, g, slope, max_ls=max_eval - evaluations)
                self._add_grad(t, d)
                flat = g.abs().max() <= tolerance_grad
            else:
                self._add_grad(t, d)
                if n != max_iter:
                    loss = float(closure())
                    g = self._gather_flat_grad()
                    flat = g.abs().max() <= tolerance_grad
                    used = 1
            evaluations += used
            state["func_evals"] += used
            if (
                n == max_iter
                or evaluations >= max_eval
                or flat
                or d.mul(t).abs().max() <= tolerance_change
                or abs(loss - last_loss) < tolerance_change
            ):
                break
        state.update(
            d=d, t=t, old_dirs=dirs, old_stps=steps, ro=ro, H_diag=scale, prev_flat_grad=last_g, prev_loss=last_loss
        )
        return original

    def _direction(self, g: Tensor, dirs: Any, steps: Any, ro: Any, scale: Any, state: Any, history: int) -> Tensor:
        """The two-loop recursion: minus the inverse Hessian's approximation times the gradient."""
        al = state.setdefault("al", [None] * history)
        q = g.neg()
        for i in range(len(dirs) - 1, -1, -1):
            al[i] = steps[i].dot(q) * ro[i]
            q = q - dirs[i] * al[i]
        r = q * scale
        for i in range(len(dirs)):
            r = r + steps[i] * (al[i] - dirs[i].dot(r) * ro[i])
        return r


__all__ = ["LBFGS"]
