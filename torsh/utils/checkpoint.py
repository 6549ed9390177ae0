"""Activation checkpointing: keep less for the backward pass and compute it again.

Source: https://docs.pytorch.org/docs/stable/checkpoint.html
"""

from __future__ import annotations

import contextlib
import enum
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torsh._custom_op import OpOverload
from torsh.autograd import backward, engine
from torsh.autograd.function import Function
from torsh.autograd.grad_mode import enable_grad, thread
from torsh.autograd.graph import saved_tensors_hooks
from torsh.dispatch import Mode
from torsh.ops._op import Op, needs_grad
from torsh.ops._saved import save, unpack
from torsh.tensor import Tensor, calling
from torsh.utils._pytree import tree_map

__all__ = [
    "CheckpointError",
    "CheckpointPolicy",
    "SelectiveCheckpointContext",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "create_selective_checkpoint_contexts",
    "detach_variable",
    "get_device_states",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
    "set_device_states",
    "tree_map",
]  # fmt: skip


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The inputs with tensors cut off from their history; each requires grad if it did.

    Source: https://docs.pytorch.org/docs/stable/checkpoint.html

    >>> import torsh
    >>> (x,) = torsh.utils.checkpoint.detach_variable((torsh.ones(1, requires_grad=True) * 2,))
    >>> x.is_leaf, x.requires_grad
    (True, True)
    """
    if not isinstance(inputs, tuple):
        raise RuntimeError("Only tuple of tensors is supported. Got Unsupported input type: ", type(inputs).__name__)
    return tuple(i.detach().requires_grad_(i.requires_grad) if isinstance(i, Tensor) else i for i in inputs)


def check_backward_validity(inputs: Any) -> None:
    """Warn if no tensor among the inputs requires grad: then nothing flows back through the checkpoint.

    Source: https://docs.pytorch.org/docs/stable/checkpoint.html

    >>> import torsh
    >>> torsh.utils.checkpoint.check_backward_validity([torsh.ones(1, requires_grad=True)])
    """
    if not any(i.requires_grad for i in inputs if isinstance(i, Tensor)):
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)


def get_device_states(*args: Any) -> tuple[list[int], list[Any]]:
    """Indices and random states of the accelerators that tensors among the arguments are on.

    Source: https://docs.pytorch.org/docs/stable/checkpoint.html

    >>> import torsh
    >>> torsh.utils.checkpoint.get_device_states(torsh.ones(1))
    ([], [])
    """
    found: dict[int, Any] = {}

    def look(value: Any) -> Any:
        if isinstance(value, Tensor) and value.device.type not in ("cpu", "meta"):
            import torsh

            found.setdefault(value.device.index or 0, torsh.get_rng_state())
        return value

    tree_map(look, args)
    return list(found), list(found.values())


def set_device_states(devices: Any, states: Any, *, device_type: str | None = None) -> None:
    """Put back what :func:`get_device_states` gave.  All devices share one generator.

    Source: https://docs.pytorch.org/docs/stable/checkpoint.html

    >>> import torsh
    >>> torsh.utils.checkpoint.set_device_states(*torsh.utils.checkpoint.get_device_states(torsh.ones(1)))
    """
    import torsh

    for state in states:
        torsh.set_rng_state(state)


class CheckpointError(RuntimeError):
    """Computing again gave other tensors than the first time.

    Source: https://docs.pytorch.org/docs/stable/checkpoint.html
    """


class _EarlyStop:
    enabled: bool | None = None  # what ``set_checkpoint_early_stop`` says; None: what the call says


class set_checkpoint_early_stop:
    """Whether computing again stops as soon as everything needed is there (the default).

    Source: https://docs.pytorch.org/docs/stable/checkpoint.html#torch.utils.checkpoint.set_checkpoint_early_stop

    >>> import torsh
    >>> from torsh.utils.checkpoint import checkpoint, set_checkpoint_early_stop
    >>> x = torsh.tensor([1.], requires_grad=True)
    >>> with set_checkpoint_early_stop(False):  # recompute to the end
    ...     checkpoint(torsh.exp, x, use_reentrant=False).backward()
    >>> x.grad
    tensor([2.7183])
    """

    def __init__(self, enable: bool) -> None:
        self.enable = enable

    def __enter__(self) -> None:
        self.previous, _EarlyStop.enabled = _EarlyStop.enabled, self.enable

    def __exit__(self, *exc: object) -> None:
        _EarlyStop.enabled = self.previous


def noop_context_fn() -> tuple[Any, Any]:
    """Two contexts that do nothing: the default of ``context_fn``.

    Source: https://docs.pytorch.org/docs/stable/checkpoint.html#torch.utils.checkpoint.noop_context_fn

    >>> from torsh.utils.checkpoint import noop_context_fn
    >>> forward_context, recompute_context = noop_context_fn()
    """
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
        if engine.is_partial():
            raise RuntimeError(
                "When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or passing an `inputs` parameter to "
                ".backward(). To resolve this error, you can either set use_reentrant=False, or call .backward() without passing "
                "the `inputs` argument."
            )
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

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], state: Any, context: Any,
        early_stop: bool, compare: bool, log: _Log | None,
    ) -> None:  # fmt: skip
        self.function, self.kwargs, self.state, self.context = function, kwargs, state, context
        self.args = [save(a) if isinstance(a, Tensor) else a for a in args]
        self.early_stop, self.compare, self.log = early_stop, compare, log
        self.metas: list[tuple[Any, Any]] = []
        self.values: dict[int, Tensor] = {}
        self.complete = False  # whether the first run has ended
        self._metadata: dict[str, Any] | None = None

    def name(self) -> str:
        return "CheckpointBackward"

    def pack(self, t: Tensor) -> int:
        self.metas.append((tuple(t.shape), t.dtype))
        return len(self.metas) - 1

    def unpack(self, index: int) -> Tensor:
        if index not in self.values:
            self.recompute()
        if index not in self.values:
            raise self._error(
                "torch.utils.checkpoint: A different number of tensors was saved during the original forward and recomputation.\n"
                f"Number of tensors saved during forward: {len(self.metas)}\n"
                f"Number of tensors saved during recomputation: {len(self.values)}\nThe function must do the same both times"
            )
        found = self.values.pop(index)
        if self.compare and (tuple(found.shape), found.dtype) != self.metas[index]:
            raise self._error(
                "torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than during the "
                f"forward pass: {self.metas[index]} then, {(tuple(found.shape), found.dtype)} now"
            )
        return found

    def recompute(self) -> None:
        count = 0

        def keep(t: Tensor) -> Any:
            nonlocal count
            if count == len(self.metas):
                if self.early_stop:
                    raise _Stop
                if not self.complete:  # a backward pass inside the first run: the rest was not kept yet
                    return t.detach()
                raise self._error(
                    "torch.utils.checkpoint: trying to save more tensors during recomputation than during the original forward pass.\n"
                    f"Number of tensors saved during forward: {len(self.metas)}\nThe function must do the same both times"
                )
            self.values[count] = t.detach() if not thread.enabled else t
            count += 1
            if self.early_stop and count == len(self.metas):
                raise _Stop
            return t

        kept = saved_tensors_hooks(keep, lambda t: t)
        with enable_grad():  # what a hook gives back requires grad as what was kept
            args = [unpack(self, a) for a in self.args]
        log = contextlib.nullcontext() if self.log is None else self.log.again()
        with contextlib.suppress(_Stop), _random_state(self.state), enable_grad(), self.context, log, kept:
            self.function(*args, **self.kwargs)

    def _error(self, message: str) -> CheckpointError:
        if self.log is None:
            return CheckpointError(message)
        return CheckpointError(
            " An error happened while unpacking tensors; dumping logs of latest computation because you passed `debug=True` to "
            f"`torch.utils.checkpoint.checkpoint()`.\n{self.log.text()}\n{message}"
        )


class _Contexts:
    """The context for computing again: the caller's own, and the autocast that was on."""

    def __init__(self, *contexts: Any) -> None:
        self.contexts = contexts

    def __enter__(self) -> None:
        self.stack = contextlib.ExitStack()
        for c in self.contexts:
            self.stack.enter_context(c)

    def __exit__(self, *exc: Any) -> Any:
        return self.stack.__exit__(*exc)


def _autocasts() -> Any:
    """Autocast as it is now, to be switched on again (it may be off, or another, in the backward pass)."""
    from torsh.amp._casting import thread
    from torsh.amp.autocast_mode import autocast

    return _Contexts(*[autocast(d, t, d in thread.enabled, thread.cache_enabled) for d, t in thread.dtypes.items()])


class _Log(Mode):
    """With ``debug``: which operations ran in the first run, and which when computing again."""

    def __init__(self) -> None:
        self.first: list[str] = []
        self.second: list[str] = []
        self.into = self.first

    def again(self) -> _Log:
        self.second.clear()
        self.into = self.second
        return self

    def intercept(self, op: Any, args: tuple[Any, ...], proceed: Callable[..., Any]) -> Any:
        place = traceback.extract_stack(calling(), limit=1)[0]
        self.into.append(f"{op.name} at {place.filename}:{place.lineno}")
        return proceed(*args)

    def text(self) -> str:
        steps = [["Operations executed during the original forward:", *self.first],
                 ["Operations executed during recomputation:", *self.second]]  # fmt: skip
        return "\n\n".join("\n  ".join(lines) for lines in steps)


_debugging: list[bool | None] = [None]


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Iterator[None]:
    """Whether checkpoints log what they run, whatever their ``debug`` argument says; None: as it says.

    Source: https://docs.pytorch.org/docs/stable/checkpoint.html#torch.utils.checkpoint.set_checkpoint_debug_enabled

    >>> import torsh
    >>> from torsh.utils.checkpoint import checkpoint, set_checkpoint_debug_enabled
    >>> with set_checkpoint_debug_enabled(True):
    ...     y = checkpoint(torsh.sin, torsh.ones(1, requires_grad=True), use_reentrant=False)
    >>> y.backward()
    """
    previous, _debugging[0] = _debugging[0], enabled
    try:
        yield
    finally:
        _debugging[0] = previous


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
    Source: https://docs.pytorch.org/docs/stable/checkpoint.html#torch.utils.checkpoint.checkpoint

    >>> import torsh
    >>> from torsh.utils.checkpoint import checkpoint
    >>> x = torsh.tensor([1., 2.], requires_grad=True)
    >>> checkpoint(lambda v: (v ** 2).sin(), x, use_reentrant=False).sum().backward()
    >>> x.grad
    tensor([ 1.0806, -2.6146])
    """
    import torsh

    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. use_reentrant=False is recommended",
            stacklevel=2,
        )
        use_reentrant = True
    if determinism_check not in ("default", "none"):
        raise ValueError(f"determinism_check should be one of ['default', 'none'], but got {determinism_check}")
    if use_reentrant:
        if context_fn is not noop_context_fn or debug is not False:
            raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
        if kwargs:
            raise ValueError(f"Unexpected keyword arguments: {','.join(kwargs)}")
        if thread.enabled and not any(isinstance(a, Tensor) and a.requires_grad for a in args):
            warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)
        return _Reentrant.apply(function, preserve_rng_state, *args)
    if _debugging[0] is not None:
        debug = _debugging[0]
    log = _Log() if debug else None
    first, second = context_fn()
    state = torsh.get_rng_state() if preserve_rng_state else None
    if not thread.enabled:
        with first:
            return function(*args, **kwargs)
    early = early_stop if _EarlyStop.enabled is None else _EarlyStop.enabled
    frame = _Frame(
        function, args, kwargs, state, _Contexts(second, _autocasts()), early, determinism_check == "default", log
    )
    with first, log or contextlib.nullcontext(), saved_tensors_hooks(frame.pack, frame.unpack):
        found = function(*args, **kwargs)
    frame.complete = True
    return found


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Checkpoint a sequence of modules in ``segments`` pieces; the last one is kept as usual.

    Source: https://docs.pytorch.org/docs/stable/checkpoint.html#torch.utils.checkpoint.checkpoint_sequential

    >>> import torsh
    >>> from torsh import nn
    >>> from torsh.utils.checkpoint import checkpoint_sequential
    >>> model = nn.Sequential(*[nn.Linear(4, 4) for _ in range(4)])
    >>> checkpoint_sequential(model, 2, torsh.ones(2, 4), use_reentrant=False).shape
    torsh.Size([2, 4])
    """
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
    Source: https://docs.pytorch.org/docs/stable/checkpoint.html#torch.utils.checkpoint.CheckpointPolicy

    >>> from torsh.utils.checkpoint import CheckpointPolicy
    >>> CheckpointPolicy.MUST_SAVE.name
    'MUST_SAVE'
    """

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


_RECOMPUTED = (CheckpointPolicy.MUST_RECOMPUTE, CheckpointPolicy.PREFER_RECOMPUTE)


class SelectiveCheckpointContext:
    """What a policy function gets first: ``op_output`` is the op's result.

    Source: https://docs.pytorch.org/docs/stable/checkpoint.html#torch.utils.checkpoint.SelectiveCheckpointContext
    """

    def __init__(self, *, is_recompute: bool, op_output: Any = None) -> None:
        self.is_recompute, self.op_output = is_recompute, op_output


def _writes(t: Tensor) -> int:
    return 0 if t._vc is None else t._vc.version


_MISMATCH = "the function must call the same ops in the same order both times"


class _Keeping(Mode):
    """The first run: asks the policy about every result, and keeps what it says."""

    def __init__(self, policy: Callable[..., Any], store: dict[Any, list[Any]]) -> None:
        self.policy, self.store = policy, store

    def intercept(self, op: Any, args: tuple[Any, ...], proceed: Callable[..., Any]) -> Any:
        found = proceed(*args)
        if op.view or op.tags & {"creation", "inplace"}:
            return found
        from torsh.ops._aten_calls import named

        policy = self.policy(SelectiveCheckpointContext(is_recompute=False, op_output=found), named(op, args), *args)
        if isinstance(policy, bool):
            policy = CheckpointPolicy.MUST_SAVE if policy else CheckpointPolicy.PREFER_RECOMPUTE
        # What is differentiated through other ops has no node of its own to record the second time.
        through_others = not op.grads and op.decompose is not None
        parts = found if isinstance(found, (tuple, list)) else (found,)
        keep = policy not in _RECOMPUTED and not through_others
        kept = [(p.detach(), _writes(p)) if isinstance(p, Tensor) else (p, 0) for p in parts] if keep else None
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
            raise RuntimeError(
                f"{op} invocation index {i} encountered during backward but not found in storage: {_MISMATCH}"
            )
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
                if _writes(value) != version and not self.mutable:
                    raise RuntimeError(
                        "Tensor cached during selective activation checkpoint has been mutated; copy it before writing, or pass "
                        "allow_cache_entry_mutation=True"
                    )
                value = value.detach()
            outs.append(value)
        if op.grads and needs_grad(*args, *[x for a in args if isinstance(a, (tuple, list)) for x in a]):
            op.record(args, outs)
        return outs[0] if len(outs) == 1 and op.returns is None else op._pack(outs)


def create_selective_checkpoint_contexts(
    policy_fn_or_list: Any, allow_cache_entry_mutation: bool = False
) -> tuple[Any, Any]:
    """Contexts for ``checkpoint(..., use_reentrant=False, context_fn=functools.partial(this, policy))`` that keep some results.

    policy_fn_or_list: ``policy(ctx, op, *args)`` -> CheckpointPolicy (or whether to keep the result), asked for every op that
    runs, or a list of ops (``torch.ops.aten.mm.default``) whose results are kept.
    Source: https://docs.pytorch.org/docs/stable/checkpoint.html#torch.utils.checkpoint.create_selective_checkpoint_contexts

    >>> import torsh
    >>> import functools
    >>> from torsh.utils.checkpoint import CheckpointPolicy, checkpoint, create_selective_checkpoint_contexts
    >>> policy = lambda ctx, op, *args, **kwargs: CheckpointPolicy.PREFER_RECOMPUTE
    >>> contexts = functools.partial(create_selective_checkpoint_contexts, policy)
    >>> x = torsh.tensor([1., 2.], requires_grad=True)
    >>> checkpoint(torsh.sin, x, use_reentrant=False, context_fn=contexts).sum().backward()
    >>> torsh.equal(x.grad, x.cos())
    True
    """
    if isinstance(policy_fn_or_list, list):
        kept = set()
        for op in policy_fn_or_list:
            if not isinstance(op, (Op, OpOverload)):
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
