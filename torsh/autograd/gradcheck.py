"""``gradcheck``: derivatives against finite differences.

A Jacobian here is a pair of real or complex matrices (inputs by outputs), one for the real and one for the imaginary part
of the output: entry (i, j) is what backward must give for input element i when output element j has the cotangent 1 (or
1j).  For a complex input that is the derivative along the real axis plus 1j times the one along the imaginary axis.

Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradcheck.html
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from torsh import dtypes
from torsh.autograd import forward_ad, grad
from torsh.autograd.function import fresh_leaf
from torsh.autograd.grad_mode import enable_grad, no_grad
from torsh.memory_format import strided
from torsh.tensor import Tensor

Array = np.ndarray[Any, Any]


class GradcheckError(RuntimeError):
    """A gradient disagrees with finite differences; the message says where."""


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
    """Compare the derivatives of ``func`` with finite differences, for every input that requires grad.

    inputs: tensors, float64 or complex128 for the default tolerances.  fast_mode: one random direction and one random cotangent
    per input and output instead of the whole Jacobian.  check_backward_ad, check_forward_ad: which modes.  nondet_tol: by how much
    two backward passes may differ.  check_undefined_grad: outputs without a cotangent count as zero.  check_batched_grad,
    check_batched_forward_grad: also under ``vmap``.  check_grad_dtypes: gradients have their inputs' dtype.  masked: of a sparse
    input, step at the stored places only; otherwise the places that are not stored count as zeros to differentiate for, too.

    Returns True; where something differs raises GradcheckError, or returns False if ``raise_exception`` is false.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradcheck.html

    >>> import torsh
    >>> x = torsh.tensor([0.5, 2.0], dtype=torsh.float64, requires_grad=True)
    >>> torsh.autograd.gradcheck(lambda t: t.sin() * t, (x,))
    True
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    if check_batched_grad and not check_backward_ad:
        raise AssertionError("Setting check_batched_grad=True requires check_backward_ad to be True")
    if check_batched_forward_grad and not check_forward_ad:
        raise AssertionError("Setting check_batched_forward_grad=True requires check_forward_ad to be True")
    given = _tuple(inputs)
    check = _Check(func, given, eps, atol, rtol, nondet_tol, check_grad_dtypes, fast_mode, bool(masked))
    try:
        outputs = check.outputs()
        if not outputs:
            check.constant()
            return True
        if check_backward_ad:
            check.backward(outputs)
        if check_forward_ad:
            check.forward()
        if check_batched_forward_grad:
            check.batched_forward()
        if check_backward_ad:
            if check_batched_grad:
                check.batched(outputs)
            check.zero_cotangents(outputs)
            if check_undefined_grad:
                check.undefined()
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _tuple(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def _host(t: Tensor) -> Array:
    return np.array(t.detach().cpu().resolve_conj().resolve_neg().numpy())


def _like(values: Array, t: Tensor) -> Tensor:
    import torsh

    made: Tensor = torsh.from_numpy(np.asarray(values).reshape(tuple(t.shape))).to(device=t.device, dtype=t.dtype)
    return made


def _random(rng: np.random.Generator, t: Tensor) -> Array:
    """A random direction of a tensor's size: positive numbers, so that sums of derivatives do not cancel."""
    n = t.numel()
    part = rng.random(n)
    if t._kind.complex:
        part = part + 1j * rng.random(n)
    norm = float(np.linalg.norm(part))
    return part / norm if norm else part


def _differentiable(found: Any) -> list[Tensor]:
    return [o for o in _tuple(found) if isinstance(o, Tensor) and o.requires_grad]


def _parts(t: Tensor) -> tuple[complex, ...]:
    """The cotangents that ask for the real and (of a complex output) the imaginary part."""
    return (1.0, 1j) if t._kind.complex else (1.0,)


class _Check:
    """One call of ``gradcheck``."""

    def __init__(
        self, func: Callable[..., Any], inputs: tuple[Any, ...], eps: float, atol: float, rtol: float, nondet_tol: float,
        dtypes_too: bool, fast: bool, masked: bool,
    ) -> None:  # fmt: skip
        self.func, self.inputs, self.eps, self.atol, self.rtol = func, inputs, eps, atol, rtol
        self.nondet_tol, self.dtypes_too, self.fast = nondet_tol, dtypes_too, fast
        # The tensors to differentiate with respect to, also those in lists; what messages number.
        self.leaves = [t for t in _each(inputs) if t.requires_grad]
        for number, t in enumerate(_each(inputs)):
            if t.requires_grad:
                _suitable(number, t)
        if not self.leaves:
            raise ValueError(
                "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
            )
        # What finite differences are taken of: the very tensors, but sparse ones with all places stored unless masked.
        self.stepped = inputs if masked else _replace(inputs, _fully_stored)
        self.movable = [t for t in _each(self.stepped) if t.requires_grad]
        self.rng = np.random.default_rng(0)

    def outputs(self) -> list[Tensor]:
        with enable_grad():
            found = _tuple(self.func(*self.inputs))
        if any(isinstance(o, Tensor) and o.requires_grad and o.layout is not strided for o in found):
            raise ValueError(
                "Sparse output is not supported at gradcheck yet. Please call to_dense(masked_grad=...) on the output of fn for "
                "gradcheck."
            )
        # Positions that finite differences look at.
        self.positions = [i for i, o in enumerate(found) if isinstance(o, Tensor) and o.requires_grad]
        self.inexact = [i for i, o in enumerate(found) if isinstance(o, Tensor) and o._kind.inexact]
        return [found[i] for i in self.positions]

    # ---- finite differences

    def _moved(self, t: Tensor, step: Array, positions: Sequence[int]) -> list[Array]:
        """(f(x + step) - f(x - step)) / 2, per output; the tensor itself is written to, as closures may hold it."""
        memory = _memory(t)
        before = memory.clone()
        ends: list[list[Array]] = []
        kinds: list[tuple[Any, Any]] = []
        with no_grad():
            try:
                for values in (before + _like(step, memory), before - _like(step, memory)):
                    memory.copy_(values)
                    with enable_grad():  # the function may put hooks on what it computes
                        found = _tuple(self.func(*self.stepped))
                    if not ends:
                        kinds = [(found[p].shape, found[p].dtype) for p in positions]
                    for (shape, dtype), p in zip(kinds, positions):
                        _same_form(shape, dtype, found[p], self.eps)
                    ends.append([_dense(found[p]).reshape(-1) for p in positions])
            finally:
                memory.copy_(before)
        return [(a - b) / 2 for a, b in zip(*ends)]

    def _along(self, t: Tensor, positions: Sequence[int]) -> tuple[list[Array], list[Array] | None]:
        """The differences of all outputs for steps at each element: (along the real axis, along the imaginary one)."""
        n = _memory(t).numel()
        axes: list[list[Array]] = []
        for unit in _parts(t):
            rows = []
            for i in range(n):
                step = np.zeros(n, complex if t._kind.complex else float)
                step[i] = self.eps * unit
                rows.append([d / self.eps for d in self._moved(t, step, positions)])
            axes.append([_at_places(t, np.array([r[k] for r in rows])) for k in range(len(positions))])
        return axes[0], axes[1] if len(axes) == 2 else None

    # ---- reverse mode

    def backward(self, outputs: list[Tensor]) -> None:
        if self.fast:
            self._backward_fast(outputs)
            return
        differences = [self._along(t, self.positions) for t in self.movable]
        # First the imaginary parts of complex outputs (and the real outputs), then the real parts.
        order = [(k, out, _parts(out)[-1]) for k, out in enumerate(outputs)]
        order += [(k, out, 1.0) for k, out in enumerate(outputs) if out._kind.complex]
        for k, out, unit in order:
            for i, (t, (real, imaginary)) in enumerate(zip(self.leaves, differences)):
                want = _component(real[k], unit)
                if imaginary is not None:
                    want = want + 1j * _component(imaginary[k], unit)
                got = self._jacobian(out, t, unit)
                want = want.reshape(got.shape)
                if not np.allclose(got, want, rtol=self.rtol, atol=self.atol, equal_nan=True):
                    raise GradcheckError(_mismatch(k, i, want, got, out._kind.complex, unit, ""))

    def _jacobian(self, out: Tensor, t: Tensor, unit: complex) -> Array:
        size = out.numel()
        found = np.zeros((t.numel(), size), complex if t._kind.complex else float)
        for j in range(size):
            cotangent = np.zeros(size, complex if out._kind.complex else float)
            cotangent[j] = unit
            found[:, j] = self._gradient(out, t, cotangent)
        return found

    def _gradient(self, out: Tensor, t: Tensor, cotangent: Array) -> Array:
        """The gradient of one input, computed twice to see that it is the same."""
        got = []
        for _ in range(2):
            (g,) = grad(out, t, _like(cotangent, out), retain_graph=True, allow_unused=True)
            if g is None:
                return np.zeros(t.numel())
            if self.dtypes_too and g.dtype is not t.dtype:
                raise GradcheckError("Gradient has dtype mismatch")
            if tuple(g.shape) != tuple(t.shape):
                raise GradcheckError("Analytical gradient has incorrect size")
            got.append(_dense(g).reshape(-1))
        if got[0].size and not np.allclose(got[0], got[1], rtol=0, atol=self.nondet_tol, equal_nan=True):
            raise GradcheckError(
                "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times gives different "
                "values, although analytical gradient matches numerical gradient."
                f"The tolerance for nondeterminism was {self.nondet_tol}."
            )
        return got[0]

    def _backward_fast(self, outputs: list[Tensor]) -> None:
        cotangents = [_random(self.rng, o) for o in outputs]
        for i, t in enumerate(self.leaves):
            moved = self.movable[i]
            u = _random(self.rng, _memory(t))
            places = _places(t)  # the direction is zero where nothing is stored, masked or not
            step = u
            if places is not None and moved is not t:
                direction = np.zeros(t.numel(), u.dtype)
                np.add.at(direction, places, u)
                step = direction[_places(moved)]
            differences = [d / self.eps for d in self._moved(moved, self.eps * step, self.positions)]
            for k, (out, v, d) in enumerate(zip(outputs, cotangents, differences)):
                want = np.sum(np.conj(v) * d).real
                gradient = self._gradient(out, t, v)
                got = np.sum(np.conj(gradient if places is None else gradient[places]) * u).real
                self._close(want, got, u, v, k, i, out._kind.complex, "")

    def _close(self, want: Any, got: Any, u: Array, v: Array, k: int, i: int, complex_output: bool, how: str) -> None:
        # The tolerance of one element, for the sum of all of them.
        atol = self.atol * float(np.abs(u).sum() * np.abs(v).sum())
        if not np.allclose(got, want, rtol=self.rtol, atol=max(atol, self.atol), equal_nan=True):
            raise GradcheckError(
                _mismatch(k, i, want, got, complex_output, 1.0, how)
                + "\nThe above quantities relating the numerical and analytical jacobians are computed in fast mode: products with a "
                "random direction and a random cotangent. Use fast_mode=False to see the whole Jacobians."
            )

    # ---- forward mode

    def _tangents(self, t: Tensor, direction: Array) -> list[Array]:
        """The directional derivatives of all outputs along a direction of one input."""
        with forward_ad.dual_level():
            swapped = {
                id(x): forward_ad.make_dual(x.detach(), x.detach().new_zeros(tuple(x.shape)))
                for x in self.leaves
                if x is not t
            }
            swapped[id(t)] = forward_ad.make_dual(t.detach(), _like(direction, t))
            found = _tuple(self.func(*_swap(self.inputs, swapped)))
            tangents = []
            for p in self.inexact:
                value, tangent = forward_ad.unpack_dual(found[p])
                if tangent is not None and self.dtypes_too and tangent.dtype is not value.dtype:
                    raise GradcheckError("Forward AD gradient has dtype mismatch.")
                tangents.append(np.zeros(value.numel()) if tangent is None else _host(tangent).reshape(-1))
        return tangents

    def forward(self) -> None:
        sparse = next((t for t in self.leaves if t.layout is not strided), None)
        if sparse is not None:
            raise NotImplementedError(
                f"gradcheck: check_forward_ad takes dense inputs only, got one of layout {sparse.layout}. Let func take the dense values "
                "and build the sparse tensor from them"
            )
        for i, t in enumerate(self.leaves):
            directions = [_random(self.rng, t)] if self.fast else _units(t)
            for u in directions:
                got = self._tangents(t, u)
                want = [d / self.eps for d in self._moved(t, self.eps * u, self.inexact)]
                for k, (g, w) in enumerate(zip(got, want)):
                    if not np.allclose(g, w, rtol=self.rtol, atol=self.atol, equal_nan=True):
                        raise GradcheckError(_mismatch(k, i, w, g, False, 1.0, "computed with forward mode "))

    def batched_forward(self) -> None:
        from torsh.func._directions import Directions

        for i, t in enumerate(self.leaves):
            directions = np.stack([_random(self.rng, t) for _ in range(2)])
            stacked = _stack([_like(u, t) for u in directions])
            want = [np.stack(rows) for rows in zip(*[self._tangents(t, u) for u in directions])]
            try:
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", message="There is a performance drop")
                    with Directions(len(directions), "error") as both, forward_ad.dual_level():
                        dual = forward_ad.make_dual(t.detach(), both.example(stacked))
                        found = _tuple(self.func(*_swap(self.inputs, {id(t): dual})))
                        got = [both.batch_of(*forward_ad.unpack_dual(found[p])) for p in self.inexact]
            except RuntimeError as e:
                raise GradcheckError(_batched_failed(e)) from e
            for k, (g, w) in enumerate(zip(got, want)):
                _batches_agree(k, i, g, w)

    # ---- further checks of reverse mode

    def batched(self, outputs: list[Tensor]) -> None:
        for k, out in enumerate(outputs):
            cotangents = [_like(_random(self.rng, out), out) for _ in range(2)]
            single = [grad(out, self.leaves, c, retain_graph=True, allow_unused=True) for c in cotangents]
            try:
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", message="There is a performance drop")
                    got = grad(
                        out,
                        self.leaves,
                        _stack(cotangents),
                        retain_graph=True,
                        allow_unused=True,
                        is_grads_batched=True,
                    )
            except RuntimeError as e:
                raise GradcheckError(_batched_failed(e)) from e
            for i, (g, rows) in enumerate(zip(got, zip(*single))):
                if rows[0] is not None and g is not None:
                    _batches_agree(k, i, g, np.stack([_dense(r).reshape(-1) for r in rows]))

    def zero_cotangents(self, outputs: list[Tensor]) -> None:
        zeros = [o.detach().new_zeros(tuple(o.shape)) for o in outputs]
        for g, t in zip(grad(outputs, self.leaves, zeros, retain_graph=True, allow_unused=True), self.leaves):
            if g is None:
                continue
            if g.layout is not strided:
                _same_structure(g, t)
            if np.any(_dense(g) != 0):
                raise GradcheckError("backward not multiplied by grad_output")

    def undefined(self) -> None:
        """Outputs of one node that get no cotangent count as zero."""
        outputs = self.outputs()
        if len(outputs) < 2:
            return
        for k, out in enumerate(outputs):
            try:
                grad(out, self.leaves, out.detach().new_zeros(tuple(out.shape)), retain_graph=True, allow_unused=True)
            except RuntimeError as e:
                raise GradcheckError(
                    f"Expected backward function to handle undefined output grads. With a cotangent for output {k} only it raised "
                    f"{type(e).__name__}: {e}"
                ) from e

    def constant(self) -> None:
        """No output requires grad: then none may change."""
        for t in self.movable:
            memory = _memory(t)
            steps = [_random(self.rng, memory)] if self.fast else _units(memory)
            for u in steps:
                if any(np.any(d != 0) for d in self._moved(t, self.eps * u, self.inexact)):
                    raise GradcheckError("Numerical gradient for function expected to be zero")


def _each(inputs: Any) -> Iterator[Tensor]:
    for x in inputs:
        if isinstance(x, Tensor):
            yield x
        elif isinstance(x, (tuple, list)):
            yield from _each(x)


def _replace(inputs: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """The inputs with every tensor, also in lists, changed."""
    if isinstance(inputs, Tensor):
        return change(inputs)
    if isinstance(inputs, (tuple, list)):
        return type(inputs)(_replace(x, change) for x in inputs)
    return inputs


def _swap(inputs: Any, new: dict[int, Tensor]) -> Any:
    """The inputs without their history, with some replaced."""
    return _replace(inputs, lambda t: new[id(t)] if id(t) in new else t.detach())


# ---- sparse inputs: a step changes one stored value


def _memory(t: Tensor) -> Tensor:
    """The values that steps are taken in, in the tensor's own memory."""
    values: Tensor = t.data if t.layout is strided else t._stored.data  # type: ignore[attr-defined]
    return values


def _places(t: Tensor) -> Array | None:
    """Where each value of ``_memory`` is in the dense tensor, in row-major order; None: in order."""
    if t.layout is strided:
        return None
    import torsh

    numbers = torsh.arange(t.numel(), device=t.device).reshape(tuple(t.shape))
    return _host(t._pattern.pick(numbers)).reshape(-1)  # type: ignore[attr-defined]


def _at_places(t: Tensor, rows: Array) -> Array:
    """A row for each element of the dense tensor from one for each stored value: zero where none is stored."""
    places = _places(t)
    if places is None or not len(rows):
        return rows if places is None else np.zeros((t.numel(), *rows.shape[1:]))
    full = np.zeros((t.numel(), *rows.shape[1:]), rows.dtype)
    full[places] = rows
    return full


def _fully_stored(t: Tensor) -> Tensor:
    """A sparse tensor of the same layout and values that stores the zeros too."""
    if t.layout is strided:
        return t
    from torsh.sparse._convert import to_layout
    from torsh.sparse._tensor import with_values

    values, pattern = t.detach().to_dense(), t._pattern  # type: ignore[attr-defined]
    full = to_layout(
        values.new_ones(tuple(t.shape)), t.layout, pattern.block, len(pattern.dense_shape), pattern.sparse_dims
    )._pattern
    made: Tensor = with_values(full, full.pick(values).contiguous())
    return made.requires_grad_(t.requires_grad)


def _same_structure(g: Tensor, t: Tensor) -> None:
    """A sparse gradient has its input's layout and numbers of dimensions."""
    if g.layout is not t.layout:
        raise GradcheckError(f"grad is incorrect layout ({g.layout} is not {t.layout})")
    kind = str(g.layout).partition(".")[2].replace("_coo", "")
    for name in ("sparse_dim", "dense_dim"):
        found, wanted = getattr(g, name)(), getattr(t, name)()
        if found != wanted:
            raise GradcheckError(f"grad is {kind} tensor, but has incorrect {name} {found}, expected {wanted}")


def _suitable(number: int, t: Tensor) -> None:
    if t.dtype not in (dtypes.float64, dtypes.complex128):
        warnings.warn(
            f"Input #{number} requires gradient and is not a double precision floating point or complex. This check will likely fail "
            "if all the inputs are not of double precision floating point or complex. ",
            UserWarning,
            stacklevel=4,
        )
    memory = _memory(t)
    if memory.numel() and any(stride == 0 and n > 1 for stride, n in zip(memory.stride(), memory.shape)):
        raise RuntimeError(
            f"The {number}th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlapping to be able "
            "to compute the numerical gradients correctly. You should call .contiguous on the input before passing it to gradcheck."
        )


def _dense(t: Tensor) -> Array:
    return _host(t if t.layout is strided else t.detach().to_dense())


def _stack(tensors: Sequence[Tensor]) -> Tensor:
    import torsh

    stacked: Tensor = torsh.stack(list(tensors))
    return stacked


def _component(d: Array, unit: complex) -> Array:
    """What a cotangent of 1 or 1j sees of a difference."""
    return np.imag(d) if unit == 1j else np.real(d)


def _units(t: Tensor) -> Iterator[Array]:
    for i in range(t.numel()):
        for unit in _parts(t):
            step = np.zeros(t.numel(), complex if t._kind.complex else float)
            step[i] = unit
            yield step


def _mismatch(k: int, i: int, want: Any, got: Any, complex_output: bool, unit: complex, how: str) -> str:
    part = (
        f"While considering the {'imaginary' if unit == 1j else 'real'} part of complex outputs only, "
        if complex_output
        else ""
    )
    return (
        f"{part}Jacobian {how}mismatch for output {k} with respect to input {i},\nnumerical:{want}\nanalytical:{got}\n"
    )


def _same_form(shape: Any, dtype: Any, found: Tensor, eps: float) -> None:
    """Raise where a small step changed an output's shape or dtype: then there is no derivative to speak of."""
    for what, before, now in (("shape", shape, found.shape), ("dtype", dtype, found.dtype)):
        if before != now:
            raise AssertionError(
                f"Expected `func` to return outputs with the same {what} when inputs are perturbed by {eps}, but got: {what}s {before} "
                f"and {now}."
            )


def _batched_failed(e: RuntimeError) -> str:
    return (
        f"While computing batched gradients, got: {e}\n\ngradcheck or gradgradcheck failed while testing batched gradient "
        "computation. Pass check_batched_grad=False (for forward mode check_batched_forward_grad=False) if this function is not meant "
        "to work under vmap."
    )


def _batches_agree(k: int, i: int, got: Tensor, want: Array) -> None:
    found = _dense(got).reshape(want.shape)
    if not np.allclose(found, want, rtol=1e-5, atol=1e-8, equal_nan=True):
        raise GradcheckError(
            f"For output {k} and input {i}:\n\ngradcheck or gradgradcheck failed while testing batched gradient computation.\n\n"
            f"Got:\n{found}\n\nExpected:\n{want}"
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
    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.gradgradcheck.html

    >>> import torsh
    >>> x = torsh.tensor([1., 2.], dtype=torsh.float64, requires_grad=True)
    >>> torsh.autograd.gradgradcheck(torsh.sin, (x,))
    True
    """
    if not (check_fwd_over_rev or check_rev_over_rev):
        raise AssertionError("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    if check_undefined_grad and not check_rev_over_rev:
        raise AssertionError("Setting check_undefined_grad=True requires check_rev_over_rev to be True")
    if check_batched_grad and not check_rev_over_rev:
        raise AssertionError("Setting check_batched_grad=True requires check_rev_over_rev to be True")
    given = _tuple(inputs)
    cotangents = _cotangents(func, given, gen_non_contig_grad_outputs) if grad_outputs is None else _tuple(grad_outputs)
    count = len(cotangents)
    tracked = [t.requires_grad for t in (*_each(given), *_each(cotangents))]

    def first(*args: Any) -> Any:
        with enable_grad():
            # Finite differences and forward mode hand in tensors that have to be tracked by the inner gradient again.
            flat = list(_each(args))
            for t, want in zip(flat, tracked):
                if want and not t._rg:  # its own detached copy: no views of it to tell
                    t._rg = True
            wanted = [t for t, want in zip(_each(args[: len(args) - count]), tracked) if want]
            outputs = _differentiable(func(*args[: len(args) - count]))
            found = grad(outputs, wanted, flat[len(flat) - count :], create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        first, (*given, *cotangents), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception, nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes, check_batched_grad=check_batched_grad,
        fast_mode=fast_mode, check_forward_ad=check_fwd_over_rev, check_backward_ad=check_rev_over_rev, masked=masked,
    )  # fmt: skip


def _cotangents(func: Callable[..., Any], inputs: tuple[Any, ...], scattered: bool) -> tuple[Tensor, ...]:
    """Random cotangents of the outputs; ``scattered``: not contiguous in memory."""
    rng = np.random.default_rng(1)
    found = []
    for o in _differentiable(func(*inputs)):
        values = rng.uniform(-1, 1, tuple(o.shape))
        if o._kind.complex:
            values = values + 1j * rng.uniform(-1, 1, tuple(o.shape))
        c = _like(values, o)
        if scattered and c.numel() > 1:
            c = _stack([c, c]).movedim(0, -1)[..., 0]
        found.append(fresh_leaf(c))
    return tuple(found)


class _Module(ModuleType):
    """``torch.autograd.gradcheck`` is this module and the function: importing the module must not hide the function."""

    def __call__(self, *args: Any, **kwargs: Any) -> bool:
        return gradcheck(*args, **kwargs)


sys.modules[__name__].__class__ = _Module
