"""Templates of elementwise ops: promotion, the short call path, recording, in-place and ``out=`` forms.

The short path is what a small model's time goes into, so it is written out: one check that nothing unusual is going on,
one kernel lookup, two assignments.  Everything else (promotion, Python scalars, modes, subclasses) is in
``unusual`` and ``Pointwise._run``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from torsh import dtypes
from torsh._versions import InferenceVersion
from torsh.autograd import engine
from torsh.autograd.grad_mode import thread
from torsh.device import device as Device
from torsh.dispatch import Kind, mismatch, mixed_devices, state, through_modes, unallocatable
from torsh.dtypes import dtype as Dtype
from torsh.ops._calls import MISTAKES, deprecated_overload, rearranged
from torsh.ops._docs import dressed, dressed_as, inplace_doc
from torsh.ops._inplace import with_history
from torsh.ops._nary import compiled, written_out
from torsh.ops._op import Op, Ready, needs_grad
from torsh.ops._overriding import asked, override_of, overriding
from torsh.ops._record import PlanCache
from torsh.ops._saved import SavedOutput, save, saved_tensor_hooks
from torsh.ops._signature import parameters_of, signature_with
from torsh.tensor import (
    Parameter,
    Tensor,
    Version,
    check_apart,
    check_overlap,
    check_writable,
    memory_of,
    new,
    overwrite,
    uncastable,
)

# What an op does to dtypes.
SAME = "same"  # the promoted type
FLOAT = "float"  # integers become the default floating type
BOOL = "bool"  # compared or tested in the promoted type, result bool
REAL = "real"  # the promoted type; complex gives its real part's type

NUMBERS = (int, float, complex)
_CPU = Device("cpu")


def compute_kind(args: tuple[Any, ...], promote: str) -> Kind:
    """The kind operands of a pointwise op are brought to: PyTorch's promotion, and one device for all.

    A 0-d tensor on the CPU may meet tensors of another device.
    """
    dims: list[Dtype] = []
    zero: list[Dtype] = []
    numbers: list[Dtype] = []
    place = None
    scalar_place = None
    for a in args:
        if isinstance(a, Tensor):
            k = a._kind
            if a._data.shape:
                dims.append(k.dtype)
            else:
                zero.append(k.dtype)
                if k.device == _CPU and place is not k.place:
                    scalar_place = k
                    continue
            if place is None:
                place = k.place
            elif place is not k.place:
                raise mixed_devices(place[k.dtype], k)
        elif isinstance(a, NUMBERS):
            numbers.append(dtypes.of_number(a))
    if place is None:
        if scalar_place is None:
            raise TypeError(f"expected at least one Tensor among the operands, got {[type(a).__name__ for a in args]}")
        place = scalar_place.place
    dtype = dtypes.combine(dims, zero, numbers)
    if promote is FLOAT and dtype.category < dtypes.FLOAT:
        dtype = dtypes.get_default_dtype()
    return place[dtype]


def to_kind(a: Any, kind: Kind) -> Any:
    """An operand as a raw array (or Python number) of a kind."""
    if isinstance(a, Tensor):
        backend = a._kind.backend
        if a._kind.place is not kind.place:
            from torsh.ops.conversion import to_place

            a = to_place(a, kind.place)
            backend = kind.backend
        return a._data if a._kind is kind else backend.cast(a._data, kind.dtype)
    if a is None:
        return None
    return as_number(a, kind.dtype)


def as_number(a: Any, dtype: Dtype) -> Any:
    """A Python number as a value of a dtype: integers wrap around as in C, bools become numbers."""
    if isinstance(a, (str, bytes)):
        raise TypeError(f"expected a Number, not {type(a).__name__}: {a!r}")
    if dtype.category == dtypes.INT:
        n = int(a)
        if not -1 << 63 <= n < 1 << 64:
            raise OverflowError(f"int too big to convert: {n if n.bit_length() < 200 else 'it'} has more than 64 bits")
        bits = 8 * dtype.itemsize
        n &= (1 << bits) - 1
        return n - (1 << bits) if dtype.is_signed and n >> (bits - 1) else n
    if dtype.category == dtypes.FLOAT:
        return float(a) if not isinstance(a, complex) else a
    return complex(a) if dtype.category == dtypes.COMPLEX else bool(a)


class Pointwise(Op):
    """An op whose result at a position depends on its operands at that position.

    promote: one of SAME, FLOAT, BOOL, REAL.  refuse: dtypes and categories (bool, int, float, complex) there is no
    kernel for.
    because: category -> the exception to raise instead of the usual one.  keep: names of arguments that are
    parameters, not
    operands: they take no part in promotion and reach the kernel as they are (a tensor: its raw array).
    validate: ``check(kind, args)`` called before the kernel where operands need promotion or are numbers.
    """

    def __init__(
        self,
        name: str,
        promote: str,
        refuse: str,
        because: dict[str, Exception] | None = None,
        keep: str = "",
        validate: Callable[[Kind, tuple[Any, ...]], None] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name, None, **options)
        self.promote = promote
        self.because = because or {}
        self.refused = frozenset((*refuse.split(), *self.because))
        self.kept = frozenset(keep.split())
        self.validate = validate

    def check(self, kind: Kind) -> None:
        """Raise for dtypes PyTorch has no kernel for."""
        refused = self.refused
        if not refused:
            return
        d = kind.dtype
        category = ("bool", "int", "float", "complex")[d.category]
        if category in refused or d.name in refused:
            if category in self.because:
                error = self.because[category]
                raise type(error)(*error.args)
            raise NotImplementedError(
                f"\"{self.name}\" not implemented for '{dtypes.scalar_name(d)}'; convert the input to another dtype "
                "first"
            )

    def learn(self, kind: Kind) -> Callable[..., Any] | None:
        """The kernel for tensors of a kind, if they go to it as they are; None where they need to be promoted or refused."""
        promote, refused = self.promote, self.refused
        category = ("bool", "int", "float", "complex")[kind.dtype.category]
        direct = promote is SAME or promote is BOOL or (kind.floating and (promote is FLOAT or promote is REAL))
        direct = direct and category not in refused and kind.dtype.name not in refused
        direct = direct and (self.validate is None or kind.floating)
        found = self.kernels.known[kind] = self.kernels[kind] if direct else None
        return found

    @functools.cached_property
    def _keep(self) -> tuple[bool, ...]:
        """Which arguments are parameters."""
        return tuple([name in self.kept for name in self.args])

    def _operands(self, args: tuple[Any, ...]) -> tuple[Kind, list[Any], bool]:
        """The kind to compute in, the arguments as kernels get them, and whether any of them requires grad."""
        kind = None
        raws = []
        tracked = False
        for a, keep in zip(args, self._keep):  # first as if all operands were floating tensors of one kind, or numbers
            t = type(a)
            if t is Tensor or t is Parameter:
                raws.append(a._data)
                if keep:
                    continue
                if a._rg:
                    tracked = True
                if kind is None:
                    kind = a._kind
                elif a._kind is not kind:
                    break
            elif keep or t is float or t is int or a is None:
                raws.append(a)
            else:
                break
        else:
            if kind is not None and kind.floating:
                return kind, raws, tracked
        # A pending conjugation is computed once, here.
        args = tuple([a._computed() if isinstance(a, Tensor) and a._bits else a for a in args])
        kind = compute_kind(tuple([a for a, keep in zip(args, self._keep) if not keep]), self.promote)
        raws = [
            (a._data if isinstance(a, Tensor) else a) if keep or a is None else to_kind(a, kind)
            for a, keep in zip(args, self._keep)
        ]
        return kind, raws, any(isinstance(a, Tensor) and a._rg for a in args)

    def _run(self, *args: Any) -> Any:
        kind, raws, tracked = self._operands(args)
        if self.refused:
            self.check(kind)
        if self.validate is not None:
            self.validate(kind, args)
        try:
            found = self.kernels[kind](*raws)
        except (ValueError, MemoryError) as e:
            raise mismatch(e, raws) from None
        if type(found) is not kind.raw_type:
            found = kind.as_raw(found)
        out = new(Tensor)
        out._data = found
        out._kind = self.out_kind(kind)
        out._rg = False
        if tracked and thread.enabled and self.grads and out._kind.inexact:
            self.record(args, (out,))
        return out

    def out_kind(self, kind: Kind) -> Kind:
        """The kind of the result of a computation in ``kind``."""
        if self.promote is BOOL:
            return kind.place[dtypes.bool]
        if self.promote is REAL and kind.complex:
            return kind.place[kind.dtype.to_real()]
        return kind


def _declare(
    fn: Callable[..., Any], promote: str, refuse: str, options: dict[str, Any], arity: int
) -> tuple[Pointwise, list[str]]:
    names = [p for p in parameters_of(fn) if p != "out"]
    op = options.pop("template", Pointwise)(
        options.pop("name", None) or fn.__name__, promote, refuse, args=names, broadcasts=True, doc=fn.__doc__,
        tags=(
            "pointwise", *(["nondifferentiable"] if not options.get("grads") else []), *options.pop("tags", "").split(),
        ),
        paths=options.pop("paths").split(), **options,
    )  # fmt: skip
    if len(names) < arity:
        raise TypeError(f"op {op.name!r} takes {len(names)} operands, its template {arity}")
    return op, names


def unary(
    paths: str,
    promote: str = SAME,
    *,
    grad: Callable[..., Any] | None = None,
    refuse: str = "",
    out: bool | str = True,
    inplace: bool = True,
    keywords: dict[str, Any] | None = None,
    otherwise: Callable[..., Any] | None = None,
    **options: Any,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare an elementwise op of one tensor; the function has its name and docstring, its body is not run.

    refuse: dtypes or categories (bool, int, float, complex) PyTorch has no kernel for.
    """

    def declare(fn: Callable[..., Any]) -> Callable[..., Any]:
        op, names = _declare(
            fn, promote, refuse, dict(options, paths=paths, grads={_first(fn): grad} if grad else None), 1
        )
        known, learn, run = op.kernels.known, op.learn, op._run
        needs = grad.__code__.co_varnames[1 : grad.__code__.co_argcount] if grad else ()
        saves = "" if not needs else "out" if needs == ("out",) else "input" if needs == (names[0],) else "more"
        differentiable = grad is not None
        plans = PlanCache(op, 1)
        numbers = engine._numbers
        keeps = promote is not BOOL

        def call(input: Any) -> Any:
            kind = type(input)
            if (kind is Tensor or kind is Parameter) and not state.busy:
                k = input._kind
                try:
                    kernel = known[k]
                except KeyError:
                    kernel = learn(k)
                if kernel is not None:
                    try:
                        r = kernel(input._data)
                    except MemoryError as e:
                        raise unallocatable(e) from None
                    if type(r) is not k.raw_type:
                        r = k.as_raw(r)
                    o = new(Tensor)
                    o._data = r
                    o._kind = k if keeps else k.truth
                    o._rg = False
                    if input._rg and differentiable and thread.enabled and o._kind.inexact:
                        plan = plans[(True,)]
                        node: Any = new(plan.node_type)
                        node.seq = next(numbers)
                        gf = input._gf if input._base is None else input.grad_fn
                        node.edges = (input if gf is None else gf,)
                        if input._nr:
                            node.numbers = (input._nr,)
                        if saves == "out" and not saved_tensor_hooks.active:
                            kept = new(SavedOutput)
                            kept.kind, kept.number, kept.raw = o._kind, 0, r
                            node.saved = (kept,)
                        elif saves == "input" and input._vc is None and not saved_tensor_hooks.active:
                            node.saved = (input,)
                            input._kept = True
                        elif saves:
                            node.saved = _saved(plan, o, (input,))
                        o._gf = node
                        o._rg = True
                    return o
            return unusual(input)

        # A function of its own, so that the usual call has fewer variables from outside to be given.
        def unusual(input: Any) -> Any:
            kind = type(input)
            if (kind is Tensor or kind is Parameter) and not state.busy:
                op.check(input._kind)
            if state.overrides and (handler := override_of((input,), {})) is not None:
                return handler(public, (input,), {})
            if not isinstance(input, Tensor):
                if not state.overrides and overriding((input,), {}):
                    return public(input)
                raise TypeError(
                    f"{op.name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}; "
                    f"make one with torch.tensor(...)"
                )
            return through_modes(op, (input,), run) if state.busy else run(input)

        public = _finish(op, fn, call, names, out, inplace, keywords, otherwise)
        return public

    return declare


def _first(fn: Callable[..., Any]) -> str:
    return parameters_of(fn)[0]


def binary(
    paths: str,
    promote: str = SAME,
    *,
    grad: dict[str, Callable[..., Any]] | None = None,
    refuse: str = "",
    out: bool = True,
    inplace: bool = True,
    keywords: dict[str, Any] | None = None,
    otherwise: Callable[..., Any] | None = None,
    rewrite: Callable[..., Any] | None = None,
    numbers: str = "any",
    rounds: str = "both",
    **options: Any,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare an elementwise op of two operands.

    numbers: where a Python number may stand: "any" (but not on both sides), "all" (on both as well), "second", "none".
    rounds: which numbers are rounded to a narrow type (float16, bfloat16) before the computation: "both", "first", "none".

    keywords: keyword-only parameters of the public function with their defaults (``{"alpha": 1}``); where one differs
    from its default, ``otherwise(input, other, **keywords)`` computes the result, or ``rewrite`` (same arguments) gives the
    operands
    on which the op itself does.
    """

    def declare(fn: Callable[..., Any]) -> Callable[..., Any]:
        op, names = _declare(fn, promote, refuse, dict(options, paths=paths, grads=grad), 2)
        op.rounded = {"both": (0, 1), "first": (0,), "none": ()}[rounds]
        known, learn, run = op.kernels.known, op.learn, op._run
        plans = PlanCache(op, 1)
        sequence = engine._numbers
        simple = promote in (SAME, FLOAT, BOOL)
        keeps = promote is not BOOL
        differentiable = grad is not None and keeps
        number_first = numbers in ("any", "all") and simple
        number_second = numbers != "none" and simple
        no_numbers = {"any": (), "second": (0,), "none": (0, 1), "all": ()}[numbers]
        bare = numbers == "all"

        def call(input: Any, other: Any) -> Any:
            kind = type(input)
            if (kind is Tensor or kind is Parameter) and not state.busy:
                kind = type(other)
                k = input._kind
                if kind is Tensor or kind is Parameter:
                    try:
                        kernel = known[k]
                    except KeyError:
                        kernel = learn(k)
                    if k is other._kind and kernel is not None:
                        x, y = input._data, other._data
                        try:
                            r = kernel(x, y)
                        except (ValueError, MemoryError) as e:
                            raise mismatch(e, (x, y)) from None
                        if type(r) is not k.raw_type:
                            r = k.as_raw(r)
                        o = new(Tensor)
                        o._data = r
                        o._kind = k if keeps else k.truth
                        o._rg = False
                        if (input._rg or other._rg) and differentiable and thread.enabled and k.inexact:
                            a, b = input._rg, other._rg
                            plan = plans[a, b]
                            node: Any = new(plan.node_type)
                            node.seq = next(sequence)
                            if a:
                                fa = input._gf if input._base is None else input.grad_fn
                                if fa is None:
                                    fa = input
                                if b:
                                    fb = other._gf if other._base is None else other.grad_fn
                                    node.edges = (fa, other if fb is None else fb)
                                    if input._nr or other._nr:
                                        node.numbers = (input._nr, other._nr)
                                    if x.shape != y.shape:
                                        node.fits = ((tuple(x.shape), k), (tuple(y.shape), k))
                                else:
                                    node.edges = (fa,)
                                    if input._nr:
                                        node.numbers = (input._nr,)
                                    if x.shape != y.shape:
                                        node.fits = ((tuple(x.shape), k),)
                            else:
                                fb = other._gf if other._base is None else other.grad_fn
                                node.edges = (other if fb is None else fb,)
                                if other._nr:
                                    node.numbers = (other._nr,)
                                if x.shape != y.shape:
                                    node.fits = ((tuple(y.shape), k),)
                            only = plan.only
                            if only < 2:
                                kept = other if only else input
                                if kept._vc is None and not saved_tensor_hooks.active:  # ``save``, written out
                                    node.saved = (kept,)
                                    kept._kept = True
                                else:
                                    node.saved = (save(kept),)
                            elif plan.crossed:
                                if other._vc is None is input._vc and not saved_tensor_hooks.active:
                                    node.saved = (other, input)
                                    other._kept = input._kept = True
                                else:
                                    node.saved = (save(other), save(input))
                            elif only == 3:
                                node.saved = _saved(plan, o, (input, other))
                            o._gf = node
                            o._rg = True
                        return o
                elif number_second and ((kind is int and k.low <= other <= k.high) or (kind is float and k.floating)):
                    try:
                        kernel = known[k]
                    except KeyError:
                        kernel = learn(k)
                    if kernel is None:
                        return unusual(input, other)
                    try:
                        r = kernel(input._data, other)
                    except MemoryError as e:
                        raise unallocatable(e) from None
                    if type(r) is not k.raw_type:
                        r = k.as_raw(r)
                    o = new(Tensor)
                    o._data = r
                    o._kind = k if keeps else k.truth
                    o._rg = False
                    if input._rg and differentiable and thread.enabled:
                        link(o, input, (input, other), plans[True, False])
                    return o
            elif (kind is float or kind is int) and type(other) is Tensor and not state.busy:
                k = other._kind
                if number_first and ((kind is int and k.low <= input <= k.high) or (kind is float and k.floating)):
                    try:
                        kernel = known[k]
                    except KeyError:
                        kernel = learn(k)
                    if kernel is None:
                        return unusual(input, other)
                    try:
                        r = kernel(input, other._data)
                    except MemoryError as e:
                        raise unallocatable(e) from None
                    if type(r) is not k.raw_type:
                        r = k.as_raw(r)
                    o = new(Tensor)
                    o._data = r
                    o._kind = k if keeps else k.truth
                    o._rg = False
                    if other._rg and differentiable and thread.enabled:
                        link(o, other, (input, other), plans[False, True])
                    return o
            return unusual(input, other)

        # A function of its own, so that the usual call has fewer variables from outside to be given.
        def unusual(input: Any, other: Any) -> Any:
            if state.overrides and (handler := override_of((input, other), {})) is not None:
                return handler(public, (input, other), {})
            if isinstance(input, Tensor) and isinstance(other, Tensor):
                return through_modes(op, (input, other), run) if state.busy else run(input, other)
            for position, a in ((1, input), (2, other)):
                if not isinstance(a, (Tensor, *NUMBERS)):
                    if not state.overrides and overriding((input, other), {}):
                        return public(input, other)
                    a = _scalar(a)
                    if a is None:
                        return NotImplemented
                    input, other = (a, other) if position == 1 else (input, a)
            if bare and not isinstance(input, Tensor) and not isinstance(other, Tensor):
                input, other = _tensor_of(input), _tensor_of(other)
            for i in no_numbers:
                if not isinstance((input, other)[i], Tensor):
                    raise TypeError(
                        f"{call.__name__}(): argument '{names[i]}' (position {i + 1}) must be Tensor, not "
                        f"{type((input, other)[i]).__name__}; make one with torch.tensor(...)"
                    )
            return through_modes(op, (input, other), run) if state.busy else run(input, other)

        public = _finish(op, fn, call, names, out, inplace, keywords, otherwise, rewrite)
        return public

    return declare


def _tensor_of(number: Any) -> Tensor:
    from torsh.ops.data import tensor

    made: Tensor = tensor(number)
    return made


def link(o: Tensor, input: Tensor, args: tuple[Any, ...], plan: Any) -> None:
    """Record a call with one tensor operand, of the result's kind and shape."""
    node: Any = new(plan.node_type)
    node.seq = next(engine._numbers)
    gf = input._gf if input._base is None else input.grad_fn
    node.edges = (input if gf is None else gf,)
    if input._nr:
        node.numbers = (input._nr,)
    if plan.takes:
        node.saved = _saved(plan, o, args)
    o._gf = node
    o._rg = True


def _saved(plan: Any, o: Tensor, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """What the node of a call keeps.  (A comprehension in the call itself would make cells of its variables, every time.)"""
    return tuple([SavedOutput(o, 0) if is_out else save(args[j]) for is_out, j in plan.takes])


def _scalar(a: Any) -> Any:
    """A NumPy scalar as a Python number, None for anything that is not a number."""
    item = getattr(a, "item", None)
    return item() if item is not None and getattr(a, "shape", None) == () else None


def nary(
    paths: str,
    promote: str = SAME,
    *,
    grad: dict[str, Callable[..., Any]] | None = None,
    refuse: str = "",
    out: bool = True,
    inplace: bool = True,
    usual: str = "",
    **options: Any,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare an elementwise op of any number of operands; the body validates and returns the operands in order.

    usual: what the arguments are in the calls for which the body has nothing to do, and is not run, one word for each: "tensor" of a
    floating kind, the same for all; "value": such a tensor or a float; "mask": a tensor of bools; "number": a float or an int.
    """

    def declare(fn: Callable[..., Any]) -> Callable[..., Any]:
        args = options.pop("args", None)
        op, _ = _declare(fn, promote, refuse, dict(options, paths=paths, grads=grad), 1)
        if args is not None:
            op.args = tuple(args.split())

        @dressed_as(fn)
        def call(*a: Any, **k: Any) -> Any:
            if state.overrides and (handler := override_of(a, k)) is not None:
                return handler(public, a, k)
            try:
                normal = fn(*a, **k) if k else fn(*a)  # merging no keywords takes time, too
            except MISTAKES:
                if not state.overrides and overriding(a, k):
                    return public(*a, **k)
                if (other := rearranged(fn, a, k, op)) is None:
                    raise
                normal = fn(*other[0], **other[1])
            if type(normal) is tuple:
                try:
                    return op(*normal)
                except MISTAKES:
                    if (other := rearranged(fn, a, k, op)) is None:
                        raise
                return public(*other[0], **other[1])
            return tuple(normal) if type(normal) is Ready else normal

        filling = written_out(op, fn, call, usual, type(op) is Pointwise and promote in (SAME, FLOAT)) if out else call
        public = _finish(op, fn, filling, None, out, inplace, normalise=fn)
        return public

    return declare


def _finish(
    op: Pointwise,
    fn: Callable[..., Any],
    call: Callable[..., Any],
    names: list[str] | None,
    out: bool | str,
    inplace: bool,
    keywords: dict[str, Any] | None = None,
    otherwise: Callable[..., Any] | None = None,
    rewrite: Callable[..., Any] | None = None,
    normalise: Callable[..., Any] | None = None,
) -> Callable[..., Any]:
    """The public function of a template: its name, ``out=``, keyword arguments, and the in-place form.

    names None: ``call`` takes the public signature already.
    """
    public: Callable[..., Any]
    call.__name__ = call.__qualname__ = fn.__name__
    if rewrite is not None:
        otherwise = lambda *operands, **given: call(*rewrite(*operands, **given))
    if names is None:
        public = call
    else:
        public = _written(op, call, names, out, keywords or {}, otherwise and _asking_first(op, fn, names, otherwise))
    dressed(public, fn)
    more = {**(keywords or {}), **({"out": None} if out else {})}
    public.__signature__ = signature_with(fn, more)  # type: ignore[attr-defined]
    public.op = op  # type: ignore[attr-defined]
    op.fn = public
    op.short = call
    op.inplace = make_inplace(op, call if names is None else public, rewrite, normalise) if inplace else None
    if inplace and names is not None and any(path.startswith("Tensor.__") for path in op.paths):
        op.augmented = make_inplace(op, call)
    return public


def _asking_first(
    op: Pointwise, fn: Callable[..., Any], names: list[str], otherwise: Callable[..., Any]
) -> Callable[..., Any]:
    """What a call with keywords does, after asking who wants it: they are to see the keywords, not what is made of them."""

    def call(*operands: Any, **given: Any) -> Any:
        if state.overrides and (handler := override_of(operands, given)) is not None:
            return handler(op.fn, operands, given)
        try:
            found = otherwise(*operands, **given)
        except MISTAKES:
            if not state.overrides and overriding(operands, given):
                return op.fn(*operands, **given)  # type: ignore[misc]
            if (other := rearranged(fn, operands, given, op)) is None:
                raise
            found = otherwise(*other[0], **other[1])
        return found if found is not NotImplemented else _refuse(fn, names, *operands)

    return call


def _written(
    op: Pointwise,
    call: Callable[..., Any],
    names: list[str],
    out: bool | str,
    keywords: dict[str, Any],
    otherwise: Callable[..., Any] | None,
) -> Callable[..., Any]:
    """The public function around a short path, as source: plain parameters cost a third of what ``*args`` would."""
    from torsh.ops._out import write_out

    write_out = functools.partial(write_out, rule=True if type(out) is bool else out, op=op)
    operands = ", ".join(names)
    extra = [f"{k}=_{k}" for k in keywords] + (["out=None"] if out else [])
    # add(input, alpha, other), deprecated by PyTorch but accepted still.
    third = ", _third=None" if "alpha" in keywords else ""
    lines = [f"def public({operands}{third}{', *, ' if extra else ''}{', '.join(extra)}):"]
    run = "_call"
    if third:
        lines += [
            "    if _third is not None:",
            "        _deprecated(_call.__name__, tuple(_names), ('alpha',))",
            f"        alpha, {names[1]} = {names[1]}, _third",
        ]
    if keywords:
        assert otherwise is not None
        changed = " or ".join(f"{k} is not _{k}" for k in keywords)
        given = ", ".join(f"{k}={k}" for k in keywords)
        lines += [
            f"    if {changed}:",
            f"        return _otherwise({operands}, {given})" if not out else
            f"        return _otherwise({operands}, {given}) if out is None else "
            f"_write_out(_otherwise, ({operands},), dict({given}), out)",
        ]  # fmt: skip
        otherwise.__name__ = call.__name__
    filled = f" if out is None else _write_out({run}, ({operands},), {{}}, out)" if out else ""
    lines.append(f"    result = {run}({operands}){filled}")
    if len(names) == 1:
        lines.append("    return result")
    else:
        lines.append(f"    return result if result is not NotImplemented else _refuse(_call, _names, {operands})")
    scope = {"_call": call, "_otherwise": otherwise, "_write_out": write_out, "_refuse": _refuse, "_names": names,
             "_deprecated": deprecated_overload}  # fmt: skip
    scope.update({f"_{k}": v for k, v in keywords.items()})
    exec(compiled("\n".join(lines)), scope)
    return scope["public"]  # type: ignore[return-value]


def _refuse(call: Callable[..., Any], names: list[str], *operands: Any) -> Any:
    position, wrong = next(
        (i, a) for i, a in enumerate(operands, 1) if not isinstance(a, (Tensor, *NUMBERS)) and _scalar(a) is None
    )
    raise TypeError(
        f"{call.__name__}(): argument '{names[position - 1]}' (position {position}) must be Tensor, not "
        f"{type(wrong).__name__}; make one with torch.tensor(...)"
    )


def make_inplace(
    op: Pointwise,
    call: Callable[..., Any],
    rewrite: Callable[..., Any] | None = None,
    normalise: Callable[..., Any] | None = None,
) -> Callable[..., Any]:
    """The in-place form: straight into the tensor's memory where the kernel can, else through the op's result.

    rewrite: gives the operands for keyword arguments.  normalise: the body of an op that has one.
    """
    name = op.name + "_"
    kernels = op.kernels
    same = (op.promote is SAME or op.promote is FLOAT) and "float" not in op.refused
    intos: dict[Kind, Any] = {}  # the kernels' forms that write into memory, None where there is none

    def inplace(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        k = self._kind
        if same and k.floating and not state.busy and type(self) is Tensor and not (self._rg and thread.enabled):
            try:
                into = intos[k]
            except KeyError:
                into = intos[k] = k.backend.into(kernels[k])
            if into is not None:
                # No variable holds the version: `tell_views` counts who does.
                if self._vc is not None and (self._base is not None or type(self._vc) is not Version):
                    check_shared(self, self._vc, args, name)
                if normalise is None and not kwargs and len(args) == 1:  # the commonest case, written out
                    a = args[0]
                    t = type(a)
                    if t is Tensor and a._kind is k and not (a._rg and thread.enabled):
                        if a._base is self:
                            check_apart(self, a)
                        a = a._data
                        fitting = a.shape == self._data.shape
                    else:
                        fitting = t is float
                    if fitting:
                        into(self._data, a, out=self._data)
                        self._bump(name)
                        return self
                if rewrite is not None and (kwargs or len(args) == 2):
                    if len(args) == 2:  # add_(alpha, other), deprecated by PyTorch but accepted still
                        deprecated_overload(name, ("input", "other"), ("alpha",))
                        args, kwargs = args[1:], {"alpha": args[0]}
                    if kwargs.keys() == {"alpha"} and len(args) == 1:
                        args, kwargs = rewrite(self, *args, **kwargs)[1:], {}
                operands = args if normalise is None else normalise(self, *args, **kwargs)[1:]
                has_body = normalise is not None
                if (has_body or not kwargs) and _direct(operands, k, self._data.shape, has_body):
                    into(self._data, *[a._data if isinstance(a, Tensor) else a for a in operands], out=self._data)
                    self._bump(name)
                    return self
        if state.overrides and (handler := asked((self, *args), kwargs)) is not None:
            return handler(inplace, (self, *args), kwargs)  # type: ignore[no-any-return]
        recorded = needs_grad(self, *args, *kwargs.values())
        check_writable(self, name, recorded)
        if self._vc is not None:
            check_shared(self, self._vc, args, name)
        source = with_history(self) if recorded and _saves_first(op) else self
        try:
            result = call(source, *args, **kwargs)
        except NotImplementedError:
            # PyTorch asks whether the result could be stored before it looks for a kernel.
            found = compute_kind((self, *args), op.promote).dtype if not op.kept else self.dtype
            if not dtypes.can_cast(found, self.dtype):
                raise uncastable(found, self.dtype, name) from None
            raise
        if result is NotImplemented:  # an operator's operand of an unknown type
            return NotImplemented  # type: ignore[no-any-return]
        return overwrite(self, result, name)

    inplace.__name__ = inplace.__qualname__ = name
    inplace.__doc__ = inplace_doc(op)
    return inplace


def check_shared(t: Tensor, vc: Version, args: tuple[Any, ...], name: str) -> None:
    """Raise where a tensor that shares its memory, or has been written to, must not be written to now."""
    if t._base is not None:
        check_overlap(t)
    if type(vc) is InferenceVersion:
        check_writable(t, name)
    for a in args:
        if a is t or not isinstance(a, Tensor) or a._vc is None or a._vc.root is not vc.root:
            continue
        if _fits(memory_of(a).shape, memory_of(t).shape):
            check_apart(t, a)


def _direct(operands: Any, kind: Kind, shape: Any, optional: bool) -> bool:
    """Whether operands can go to a kernel as they are, with a result of that kind and shape, and without recording."""
    for a in operands:
        t = type(a)
        if t is Tensor or t is Parameter:
            if a._kind is not kind or (a._rg and thread.enabled):
                return False
            own = a._data.shape
            if own != shape and not _fits(own, shape):
                return False
        elif t is not float and t is not int and not (optional and a is None):
            return False
    return True


def _saves_first(op: Op) -> bool:
    first = op.args[0]
    return any(first in rule.__code__.co_varnames[1 : rule.__code__.co_argcount] for rule in op.grads.values())


def _fits(shape: Any, into: Any) -> bool:
    """Whether a shape broadcasts to another without enlarging it."""
    if len(shape) > len(into):
        return False
    return all(a == b or a == 1 for a, b in zip(reversed(shape), reversed(into)))


__all__ = ["BOOL", "FLOAT", "REAL", "SAME", "Pointwise", "binary", "nary", "unary"]
