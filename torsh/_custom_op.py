"""Operators that users define: ops with a schema whose kernels are functions of tensors.

A custom operator is an ``Op``, so modes (tracing, ``vmap``, profiling) see it as any other; it stays out of the table ``OPS``,
which holds torsh's own declarations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsh._schema import Schema
from torsh.autograd.function import Function
from torsh.autograd.grad_mode import no_grad, thread
from torsh.dispatch import state
from torsh.ops._op import OPS, Op
from torsh.ops._overriding import override_of
from torsh.tensor import Tensor, check_writable

# "ns::name" (with ".overload" where there is one) -> operator.
CUSTOM: dict[str, CustomOp] = {}


def lookup(qualname: str) -> CustomOp:
    """The operator of a qualified name.  Raises RuntimeError where there is none."""
    found = CUSTOM.get(qualname.removesuffix(".default"))
    if found is None:
        raise RuntimeError(f"operator {qualname} does not exist")
    return found


class OpOverload:
    """An operator under PyTorch's name for it: ``torch.ops.<namespace>.<name>.<overload>``."""

    def __init__(self, op: CustomOp) -> None:
        self._op, self._schema = op, op.schema
        self.namespace, _, self._base = op.schema.name.partition("::")
        self._overloadname = op.schema.overload or "default"
        self.__name__ = f"{self._base}.{self._overloadname}"

    def name(self) -> str:
        """``namespace::name``, with the overload's name where it has one."""
        return self._op.qualname

    @property
    def overloadpacket(self) -> Any:
        """The operator with all its overloads."""
        from torsh.library import OpOverloadPacket

        return OpOverloadPacket(self._op.schema.name)

    _overloadpacket = overloadpacket

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._op.call(*args, **kwargs)

    def __repr__(self) -> str:
        return repr(self._op)

    def __str__(self) -> str:
        return f"{self.namespace}.{self.__name__}"


class CustomOp(Op):
    """A custom operator.

    kernels_by_device: device type -> function.  default: the function for devices without their own.  composite: a function that
    computes with differentiable ops, used where there is no kernel.  strict: results must not alias inputs and gradients go
    through the registered formula only (``custom_op``); otherwise a kernel without formula is differentiated through.
    """

    def __init__(self, schema: Schema, *, strict: bool) -> None:
        qualname = schema.name + (f".{schema.overload}" if schema.overload else "")
        if qualname in CUSTOM:
            raise RuntimeError(
                f"Tried to register an operator ({schema}) with the same name and overload name multiple times. Each overload's schema "
                "should only be registered with a single call to def()."
            )
        plain = qualname.replace("::", "_").replace(".", "_")
        super().__init__(
            qualname, self.call, [a.name for a in schema.arguments], node_name=f"GeneratedBackwardFor_{plain}_defaultBackward",
            tags=("nondifferentiable",),
        )  # fmt: skip
        del OPS[qualname]
        CUSTOM[qualname] = self
        self.qualname, self.schema, self.strict = qualname, schema, strict
        self.kernels_by_device: dict[str, Callable[..., Any]] = {}
        self.default: Callable[..., Any] | None = None
        self.composite: Callable[..., Any] | None = None
        self.outermost: Callable[..., Any] | None = (
            None  # registered for the key Autograd: sees tensors that require grad
        )
        self.fake: Callable[..., Any] | None = None
        self.backward: Callable[..., Any] | None = None
        self.setup_context: Callable[..., Any] | None = None
        self.subclasses: list[tuple[type, Callable[..., Any]]] = []
        self.modes: list[tuple[type, Callable[..., Any]]] = []  # the same for kinds of TorchDispatchMode
        self.disabled: set[str] = set()
        self._function: type[Function] | None = None
        self.overload = OpOverload(self)

    def __repr__(self) -> str:
        name = self.schema.name.replace("::", ".")
        return f"<OpOverload(op='{name}', overload='{self.schema.overload or 'default'}')>"

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Run the operator as users call it."""
        if state.overrides and (handler := override_of(args, kwargs)) is not None:
            return handler(self.call, args, kwargs)
        values = self.schema.bind(args, kwargs)
        for kind, rule in self.subclasses:
            if any(isinstance(t, kind) for t in _tensors(values)):
                types = tuple({type(t) for t in _tensors(values) if isinstance(t, kind)})
                return self.schema.call(lambda *a, **k: rule(self, types, a, k), values)
        return Op.__call__(self, *values)

    # ---- running

    def _run(self, *args: Any) -> Any:
        tracked = thread.enabled and any(t._rg for t in _tensors(args))
        if tracked:
            if self.outermost is not None:
                return self.schema.call(self.outermost, args)
            for a, value in zip(self.schema.arguments, args):
                if a.is_write:
                    for t in _tensors((value,)):
                        check_writable(t, self.name)
            formula = self.backward is not None or self.strict
            if formula and not self.schema.is_mutable and self._chosen(args) is not self.composite:
                return self._recorded(args)
        return self._computed(args)

    def _device(self, args: tuple[Any, ...]) -> str:
        found = next((t.device.type for t in _tensors(args)), None)
        return found or next((d.type for d in args if hasattr(d, "type") and hasattr(d, "index")), "cpu")

    def _chosen(self, args: tuple[Any, ...]) -> Callable[..., Any]:
        """The function that computes on the arguments' device."""
        device = self._device(args)
        if device == "meta":
            found = self.fake or self.kernels_by_device.get("meta") or self.composite
            if found is None:
                name = self.schema.name.partition("::")[2]
                raise RuntimeError(
                    f"There was no fake impl registered for <CustomOpDef({self.qualname})>. This is necessary for "
                    f"torch.compile/export/fx tracing to work. Please use `{name}.register_fake` to add an fake impl."
                )
            return found
        own = None if device in self.disabled else self.kernels_by_device.get(device)
        found = own or self.default or self.composite
        if found is None:
            has = sorted(self.kernels_by_device)
            raise NotImplementedError(
                f"Could not run '{self.qualname}' with arguments from the '{_KEYS.get(device, device.upper())}' backend. This could be "
                f"because the operator doesn't exist for this backend: '{self.qualname}' is only available for these backends: "
                f"[{', '.join(_KEYS.get(d, d.upper()) for d in has)}]. Register a kernel for it, or move the tensors"
            )
        return found

    def _computed(self, args: tuple[Any, ...]) -> Any:
        if state.watched:
            from torsh import _torch_dispatch

            found = _torch_dispatch.custom(self, args)
            if found is not NotImplemented:
                return self._settled(found)
        fn = self._chosen(args)
        if not self.strict or fn is self.composite:
            return self._settled(self.schema.call(fn, args))
        with no_grad():
            found = self._settled(self.schema.call(fn, args))
        self._check_aliases(args, found)
        return found

    def _settled(self, found: Any) -> Any:
        if not self.schema.returns:
            return None
        return tuple(found) if not self.schema.single and isinstance(found, list) else found

    def _check_aliases(self, args: tuple[Any, ...], found: Any) -> None:
        seen = list(_tensors(args))
        for out in _tensors((found,)):
            if any(_same_memory(out, t) for t in seen):
                raise RuntimeError(
                    f"{self.qualname}: The output of this custom operator (1) must not also be an input to this custom operator and (2) "
                    "may not alias any inputs to this custom operator or other returns. The most common way to trigger this error is if "
                    "we have y = custom_op(x) and y and x are the same Tensor. Please instead return a clone of the offending output "
                    "tensor(s) (e.g. return x.clone()) or refactor the custom operator to not return y."
                )
            seen.append(out)

    # ---- gradients

    def _recorded(self, args: tuple[Any, ...]) -> Any:
        if self._function is None:
            self._function = _function_of(self)
        flat, lists = _flattened(args)
        box: list[Any] = []
        outs = self._function.apply(self, lists, box, *flat)
        found = _unflattened(list(outs) if isinstance(outs, tuple) else [outs], box[0])
        return found[0] if self.schema.single else tuple(found)


_KEYS = {"cpu": "CPU", "cuda": "CUDA", "meta": "Meta", "mps": "MPS", "xpu": "XPU"}


def _function_of(op: CustomOp) -> type[Function]:
    def forward(ctx: Any, op: CustomOp, lists: Any, box: list[Any], *flat: Any) -> Any:
        args = tuple(_unflattened(list(flat), lists))
        found = op._computed(args)
        results = (found,) if op.schema.single else tuple(found or ())
        outs, shape = _flattened(results)
        box.append(shape)
        needs = _unflattened(list(ctx._needs[3:]), lists)
        ctx._flat_needs = ctx._needs
        ctx._needs = tuple(needs)
        ctx._lists, ctx._results, ctx._mine = lists, shape, op
        if op.setup_context is not None:
            pairs = list(zip(op.schema.arguments, args))
            inputs = tuple(v for a, v in pairs if not a.kwarg_only)
            keyword = {a.name: v for a, v in pairs if a.kwarg_only}
            extra = {"keyword_only_inputs": keyword} if keyword else {}
            op.setup_context(ctx=ctx, inputs=inputs, output=found, **extra)
        return tuple(outs)

    def backward(ctx: Any, *grads: Any) -> Any:
        op, arguments = ctx._mine, ctx._mine.schema.arguments
        if op.backward is None:
            name = op.schema.name.replace("::", ".")
            raise RuntimeError(
                f"Trying to backward through {name}.default but no autograd formula was registered. Please use register_autograd to add "
                "one."
            )
        given = _unflattened(list(grads), ctx._results)
        found = op.backward(ctx, *given)
        found = found if isinstance(found, tuple) else (found,)
        expected = sum(not a.kwarg_only for a in arguments)
        if len(found) != expected:
            if not (len(found) < expected and not any(_wanted(n) for n in ctx._needs[len(found) : expected])):
                raise RuntimeError(
                    f"Expected {expected} gradients from the backward of {op.qualname}, one for each of its arguments that are not "
                    f"keyword-only (None for those without), but got {len(found)}"
                )
        found = (*found, *(None,) * (len(arguments) - len(found)))
        flat: list[Any] = []
        for g, n in zip(found, ctx._lists):
            if n is None:
                flat.append(g)
            else:
                flat.extend([None] * n if g is None else g)
        return (None, None, None, *flat)

    return type(op.node_name.removesuffix("Backward"), (Function,),
                {"forward": staticmethod(forward), "backward": staticmethod(backward), "_of_operator": True})  # fmt: skip


def _wanted(needs: Any) -> bool:
    return any(needs) if isinstance(needs, (list, tuple)) else bool(needs)


def _flattened(values: tuple[Any, ...]) -> tuple[list[Any], tuple[int | None, ...]]:
    """Values with lists of tensors taken apart, and for each its length (None where it is no such list)."""
    flat: list[Any] = []
    lists: list[int | None] = []
    for v in values:
        if isinstance(v, (list, tuple)) and any(isinstance(x, Tensor) for x in v):
            flat.extend(v)
            lists.append(len(v))
        else:
            flat.append(v)
            lists.append(None)
    return flat, tuple(lists)


def _unflattened(flat: list[Any], lists: tuple[int | None, ...]) -> list[Any]:
    found: list[Any] = []
    at = 0
    for n in lists:
        found.append(flat[at] if n is None else list(flat[at : at + n]))
        at += 1 if n is None else n
    return found


def _tensors(values: Any) -> list[Tensor]:
    found: list[Tensor] = []
    for v in values if isinstance(values, (list, tuple)) else (values,):
        if isinstance(v, Tensor):
            found.append(v)
        elif isinstance(v, (list, tuple)):
            found.extend(_tensors(v))
    return found


def _same_memory(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors are one, or views of one another."""
    return a is b or (a._vc is not None and a._vc is b._vc) or (a._base is not None and a._base is b) or b._base is a
