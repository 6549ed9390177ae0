"""Activation checkpointing: keep less for the backward pass and compute it again.

Source: https://docs.pytorch.org/docs/stable/checkpoint.html
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torsh.autograd import backward
from torsh.autograd.function import Function
from torsh.autograd.grad_mode import enable_grad, thread
from torsh.autograd.graph import saved_tensors_hooks
from torsh.tensor import Tensor

__all__ = ["CheckpointError", "checkpoint", "checkpoint_sequential", "noop_context_fn", "set_checkpoint_early_stop"]


class CheckpointError(RuntimeError):
    """Computing again gave other tensors than the first time."""


class _EarlyStop:
    enabled = True


class set_checkpoint_early_stop:
    """Whether computing again stops as soon as everything needed is there (the default)."""

    def __init__(self, enable: bool) -> None:
        self.enable = enable

    def __enter__(self) -> None:
        self.previous, _EarlyStop.enabled = _EarlyStop.enabled, self.enable

    def __exit__(self, *exc: object) -> None:
        _EarlyStop.enabled = self.previous


def noop_context_fn() -> tuple[Any, Any]:
    """Two contexts that do nothing: the default of ``context_fn``."""
    return contextlib.nullcontext(), contextlib.nullcontext()


class _Stop(Exception):
    """Ends a recomputation early."""


@contextlib.contextmanager
def _random_state(state: Any) -> Iterator[None]:
    """Run with a random state and put the present one back afterwards."""
    import torsh

    if state is None:
        yield
        return
    present = torsh.get_rng_state()
    torsh.set_rng_state(state)
    try:
        yield
    finally:
        torsh.set_rng_state(present)


class _Reentrant(Function):
    """Checkpointing by a backward pass inside the backward pass."""

    @staticmethod
    def forward(ctx: Any, run: Callable[..., Any], preserve: bool, *args: Any) -> Any:
        import torsh

        ctx.run = run
        ctx.state = torsh.get_rng_state() if preserve else None
        ctx.inputs = [None if isinstance(a, Tensor) else a for a in args]
        ctx.positions = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
        ctx.save_for_backward(*[a for a in args if isinstance(a, Tensor)])
        return run(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        inputs = list(ctx.inputs)
        for i, t in zip(ctx.positions, ctx.saved_tensors):
            inputs[i] = t.detach().requires_grad_(t.requires_grad)
        with _random_state(ctx.state), enable_grad():
            outputs = ctx.run(*inputs)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        pairs = [(o, g) for o, g in zip(outputs, grads) if isinstance(o, Tensor) and o.requires_grad]
        if not pairs:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        backward([o for o, _ in pairs], [g for _, g in pairs])
        return (None, None, *(i.grad if isinstance(i, Tensor) else None for i in inputs))


class _Frame:
    """One non-reentrant checkpoint: which saved tensors are asked for, and their recomputed values."""

    def __init__(self, run: Callable[[], Any], state: Any, context: Any) -> None:
        self.run, self.state, self.context = run, state, context
        self.metas: list[tuple[Any, Any]] = []
        self.values: dict[int, Tensor] = {}

    def pack(self, t: Tensor) -> int:
        self.metas.append((tuple(t.shape), t.dtype))
        return len(self.metas) - 1

    def unpack(self, index: int) -> Tensor:
        if index not in self.values:
            self.recompute()
        if index not in self.values:
            raise CheckpointError(
                f"torch.utils.checkpoint: A different number of tensors was saved during the original forward and recomputation: "
                f"{len(self.metas)} then, {len(self.values)} now. The function must do the same both times"
            )
        found = self.values.pop(index)
        if (tuple(found.shape), found.dtype) != self.metas[index]:
            raise CheckpointError(
                "torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than during the "
                f"forward pass: {self.metas[index]} then, {(tuple(found.shape), found.dtype)} now"
            )
        return found

    def recompute(self) -> None:
        count = 0

        def keep(t: Tensor) -> Any:
            nonlocal count
            self.values[count] = t.detach() if not thread.enabled else t
            count += 1
            if _EarlyStop.enabled and count == len(self.metas):
                raise _Stop
            return t

        kept = saved_tensors_hooks(keep, lambda t: t)
        with _random_state(self.state), enable_grad(), self.context, kept, contextlib.suppress(_Stop):
            self.run()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Run ``function(*args, **kwargs)`` without keeping its intermediate results; backward computes them again.

    use_reentrant: True runs a backward pass inside the backward pass and supports ``backward()`` only; False (recommended)
    works with everything.  preserve_rng_state: give the second run the random state of the first.
    """
    import torsh

    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. use_reentrant=False is recommended",
            stacklevel=2,
        )
        use_reentrant = True
    if use_reentrant:
        if kwargs:
            raise ValueError(f"Unexpected keyword arguments: {','.join(kwargs)}")
        if thread.enabled and not any(isinstance(a, Tensor) and a.requires_grad for a in args):
            warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)
        return _Reentrant.apply(function, preserve_rng_state, *args)
    first, second = context_fn()
    state = torsh.get_rng_state() if preserve_rng_state else None
    frame = _Frame(lambda: function(*args, **kwargs), state, second)
    if not thread.enabled:
        with first:
            return function(*args, **kwargs)
    with first, saved_tensors_hooks(frame.pack, frame.unpack):
        return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Checkpoint a sequence of modules in ``segments`` pieces; the last one is kept as usual."""
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError(f"Unexpected keyword arguments: {','.join(kwargs)}")
    steps: Sequence[Any] = list(functions.children()) if hasattr(functions, "children") else list(functions)

    def piece(start: int, end: int) -> Callable[[Any], Any]:
        def forward(x: Any) -> Any:
            for step in steps[start:end]:
                x = step(x)
            return x

        return forward

    size = len(steps) // segments
    end = 0
    for start in range(0, size * (segments - 1), size):
        end = start + size
        input = checkpoint(piece(start, end), input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return piece(end, len(steps))(input)
