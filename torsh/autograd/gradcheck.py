"""``gradcheck``: gradients against finite differences.

Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradcheck.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from torsh.autograd import grad
from torsh.tensor import Tensor


class GradcheckError(RuntimeError):
    """A gradient disagrees with finite differences; the message says where."""


def _tuple(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def _outputs(fn: Callable[..., Any], inputs: Sequence[Any]) -> list[Tensor]:
    return [o for o in _tuple(fn(*inputs)) if isinstance(o, Tensor) and o._kind.inexact]


def _host(t: Tensor) -> np.ndarray[Any, Any]:
    return np.array(t.detach().cpu().resolve_conj().numpy())


def _numerical(fn: Callable[..., Any], inputs: Sequence[Any], i: int, eps: float) -> list[tuple[Any, Any]]:
    """d output / d inputs[i] by central differences: per output the differences along the real and the imaginary axis
    (None for a real input), each an (input size, output size) matrix.

    For a complex input: the conjugate Wirtinger derivative, which is what backward gives for the cotangent 1.
    """
    import torsh

    t = inputs[i]
    base = _host(t)
    steps = (eps, 1j * eps) if np.iscomplexobj(base) else (eps,)

    def at(values: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
        moved = torsh.from_numpy(values.astype(base.dtype)).to(t.device)
        with torsh.no_grad():
            return [_host(o).reshape(-1) for o in _outputs(fn, [*inputs[:i], moved, *inputs[i + 1 :]])]

    rows: list[list[list[np.ndarray[Any, Any]]]] = []
    for position in np.ndindex(base.shape):
        by_step = []
        for step in steps:
            up, down = base.copy(), base.copy()
            up[position] += step
            down[position] -= step
            by_step.append([(a - b) / (2 * eps) for a, b in zip(at(up), at(down))])
        rows.append(by_step)
    count = len(_outputs(fn, inputs))
    found = []
    for k in range(count):
        dx = np.array([r[0][k] for r in rows]) if rows else np.zeros((0, 0))
        dy = np.array([r[1][k] for r in rows]) if rows and len(steps) == 2 else None
        found.append((dx, dy))
    return found


def _expected(parts: Any, cotangent: complex, complex_output: bool) -> np.ndarray[Any, Any]:
    """The gradient backward should give for a constant cotangent, from real and imaginary differences."""
    dx, dy = parts
    v = np.conj(cotangent)
    if dy is None:
        return np.real(v * dx) if complex_output else np.real(v) * dx
    if complex_output:
        return np.real(v * dx) + 1j * np.real(v * dy)
    return np.real(v) * (dx + 1j * dy)


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Compare the gradients of ``func`` with finite differences, for every input that requires grad.

    inputs: tensors (float64 or complex128 for the default tolerances).  fast_mode: one random projection per output and input
    instead of the whole Jacobian.  Returns True; where they differ raises GradcheckError, or returns False if
    ``raise_exception`` is false.
    """
    inputs = _tuple(inputs)
    try:
        _check(func, inputs, eps, atol, rtol, fast_mode)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _check(func: Callable[..., Any], inputs: tuple[Any, ...], eps: float, atol: float, rtol: float, fast: bool) -> None:
    tracked = [i for i, t in enumerate(inputs) if isinstance(t, Tensor) and t.requires_grad]
    if not tracked:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have requires_grad=True."
        )
    outputs = _outputs(func, inputs)
    for i in tracked:
        numerical = _numerical(func, inputs, i, eps)
        for k, out in enumerate(outputs):
            if not out.requires_grad:
                if numerical[k][0].size and np.abs(numerical[k][0]).max() > atol:
                    raise GradcheckError(f"output {k} does not require grad, but changes with input {i}")
                continue
            _compare_jacobian(func, inputs, i, k, out, numerical[k], atol, rtol, fast)


def _compare_jacobian(
    func: Any, inputs: Any, i: int, k: int, out: Tensor, numerical: Any, atol: float, rtol: float, fast: bool
) -> None:
    import torsh

    shape, size = tuple(out.shape), out.numel()
    complex_output = out._kind.complex
    kind = np.complex128 if complex_output else np.float64
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal(size).astype(kind)] if fast else [np.eye(size, dtype=kind)[j] for j in range(size)]
    for j, w in enumerate(weights):
        for unit in (1.0, 1j) if complex_output else (1.0,):
            cotangent = torsh.from_numpy((w * unit).reshape(shape)).to(out.device).to(out.dtype)
            (got,) = grad(out, inputs[i], cotangent, retain_graph=True, allow_unused=True)
            analytic = np.zeros(tuple(inputs[i].shape)) if got is None else _host(got)
            dx, dy = numerical
            want = np.zeros(analytic.size, analytic.dtype)
            for column in np.flatnonzero(w):
                one = (dx[:, column], None if dy is None else dy[:, column])
                want = want + _expected(one, w[column] * unit, complex_output)
            want = want.reshape(analytic.shape)
            if not np.allclose(analytic, want, rtol=rtol, atol=atol, equal_nan=True):
                raise GradcheckError(
                    f"Jacobian mismatch for output {k} with respect to input {i}"
                    + ("" if fast else f", output element {j}")
                    + f"\nnumerical: {want}\nanalytical: {analytic}"
                )


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """``gradcheck`` of the gradients themselves: second derivatives against finite differences.

    grad_outputs: the cotangents to use; default: random ones.
    """
    import torsh

    inputs = _tuple(inputs)
    outputs = _outputs(func, inputs)
    if grad_outputs is None:
        rng = np.random.default_rng(1)
        grad_outputs = []
        for o in outputs:
            values = rng.standard_normal(tuple(o.shape))
            if o._kind.complex:
                values = values + 1j * rng.standard_normal(tuple(o.shape))
            grad_outputs.append(torsh.from_numpy(np.asarray(values)).to(o.dtype).requires_grad_())
    grad_outputs = _tuple(grad_outputs)
    tracked = [i for i, t in enumerate(inputs) if isinstance(t, Tensor) and t.requires_grad]

    def first(*args: Any) -> Any:
        given, cotangents = args[: len(inputs)], args[len(inputs) :]
        # Finite differences hand in fresh tensors, which have to be leaves of the inner gradient again.
        given = tuple(
            t if i not in tracked or t.requires_grad else t.requires_grad_() for i, t in enumerate(given)
        )
        with torsh.enable_grad():
            found = grad(
                _outputs(func, given), [given[i] for i in tracked], cotangents, create_graph=True, allow_unused=True
            )
        return tuple(g for g in found if g is not None)

    return gradcheck(
        first, (*inputs, *grad_outputs), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception,
        fast_mode=fast_mode,
    )  # fmt: skip
