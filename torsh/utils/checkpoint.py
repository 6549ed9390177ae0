"""Activation checkpointing: keep less for the backward pass and compute it again.

Source: https://docs.pytorch.org/docs/stable/checkpoint.html
"""

from __future__ import annotations

import contextlib
import enum
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torsh.autograd import backward
from torsh.autograd.function import Function
from torsh.autograd.grad_mode import enable_grad, thread
from torsh.autograd.graph import saved_tensors_hooks
from torsh.dispatch import Mode
from torsh.ops._op import Op, needs_grad
from torsh.tensor import Tensor
from torsh.utils._pytree import tree_map

__all__ = [
    "CheckpointError", "CheckpointPolicy", "SelectiveCheckpointContext", "checkpoint", "checkpoint_sequential",
    "create_selective_checkpoint_contexts", "noop_context_fn", "set_checkpoint_early_stop", "tree_map",
]  # fmt: skip


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


class CheckpointPolicy(enum.Enum):
    """What happens to an op's result under selective checkpointing: kept, or computed again (MUST: even if a compiler
    would rather not; the CPU_OFFLOAD ones keep it too).
    """

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


_RECOMPUTED = (CheckpointPolicy.MUST_RECOMPUTE, CheckpointPolicy.PREFER_RECOMPUTE)


class SelectiveCheckpointContext:
    """What a policy function gets first: ``op_output`` is the op's result."""

    def __init__(self, *, is_recompute: bool, op_output: Any = None) -> None:
        self.is_recompute, self.op_output = is_recompute, op_output


_MISMATCH = "the function must call the same ops in the same order both times"


class _Keeping(Mode):
    """The first run: asks the policy about every result, and keeps what it says."""

    def __init__(self, policy: Callable[..., Any], store: dict[Any, list[Any]]) -> None:
        self.policy, self.store = policy, store

    def intercept(self, op: Any, args: tuple[Any, ...], proceed: Callable[..., Any]) -> Any:
        found = proceed(*args)
        if op.view or op.tags & {"creation", "inplace"}:
            return found
        policy = self.policy(SelectiveCheckpointContext(is_recompute=False, op_output=found), op, *args)
        if isinstance(policy, bool):
            policy = CheckpointPolicy.MUST_SAVE if policy else CheckpointPolicy.PREFER_RECOMPUTE
        # What is differentiated through other ops has no node of its own to record the second time.
        through_others = not op.grads and op.decompose is not None
        parts = found if isinstance(found, (tuple, list)) else (found,)
        keep = policy not in _RECOMPUTED and not through_others
        kept = [(p.detach(), p._version) if isinstance(p, Tensor) else (p, 0) for p in parts] if keep else None
        self.store.setdefault(op, []).append(kept)
        return found


class _Kept(Mode):
    """The second run: results that were kept are not computed again."""

    def __init__(self, store: dict[Any, list[Any]], mutable: bool) -> None:
        self.store, self.mutable = store, mutable
        self.counts: dict[Any, int] = {}

    def __enter__(self) -> Any:
        self.counts.clear()
        return super().__enter__()

    def intercept(self, op: Any, args: tuple[Any, ...], proceed: Callable[..., Any]) -> Any:
        if op.view or op.tags & {"creation", "inplace"}:
            return proceed(*args)
        i = self.counts.get(op, 0)
        self.counts[op] = i + 1
        entries = self.store.get(op, [])
        if i >= len(entries):
            raise RuntimeError(f"{op} invocation index {i} encountered during backward but not found in storage: {_MISMATCH}")
        kept = entries[i]
        if kept is None:
            return proceed(*args)
        if kept == "used":
            raise RuntimeError(
                "Trying to backward an extra time. You are only allowed to backward once on any region computed under "
                "selective activation checkpoint."
            )
        entries[i] = "used"
        outs = []
        for value, version in kept:
            if isinstance(value, Tensor):
                if value._version != version and not self.mutable:
                    raise RuntimeError(
                        "Tensor cached during selective activation checkpoint has been mutated; copy it before writing, or pass "
                        "allow_cache_entry_mutation=True"
                    )
                value = value.detach()
            outs.append(value)
        if op.grads and needs_grad(*args, *[x for a in args if isinstance(a, (tuple, list)) for x in a]):
            op.record(args, outs)
        return outs[0] if len(outs) == 1 and op.returns is None else op._pack(outs)


def create_selective_checkpoint_contexts(policy_fn_or_list: Any, allow_cache_entry_mutation: bool = False) -> tuple[Any, Any]:
    """Contexts for ``checkpoint(..., use_reentrant=False, context_fn=functools.partial(this, policy))`` that keep some results.

    policy_fn_or_list: ``policy(ctx, op, *args)`` -> CheckpointPolicy (or whether to keep the result), asked for every op that
    runs, or a list of ops (``torch.ops.aten.mm.default``) whose results are kept.
    Source: https://docs.pytorch.org/docs/stable/checkpoint.html#torch.utils.checkpoint.create_selective_checkpoint_contexts
    """
    if isinstance(policy_fn_or_list, list):
        kept = set()
        for op in policy_fn_or_list:
            if not isinstance(op, Op):
                raise ValueError(
                    f"Expected op in `op_list` to be an OpOverload but got: {op} of type {type(op)}. Name an overload, e.g. "
                    "`torch.ops.aten.mm.default`"
                )
            kept.add(op)

        def policy(ctx: Any, op: Any, *args: Any) -> Any:
            return op in kept
    elif callable(policy_fn_or_list):
        policy = policy_fn_or_list
    else:
        raise TypeError("policy_fn_or_list must be either a function or a list of ops.")
    store: dict[Any, list[Any]] = {}
    return _Keeping(policy, store), _Kept(store, allow_cache_entry_mutation)
