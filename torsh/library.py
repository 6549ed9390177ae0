"""Custom operators: Python functions that work as PyTorch's own operators do.

Source: https://docs.pytorch.org/docs/stable/library.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from torsh._custom_op import CUSTOM, CustomOp, OpOverload, _tensors, lookup
from torsh._schema import infer_schema, parse
from torsh.tensor import Tensor

__all__ = [
    "CustomOpDef", "Library", "custom_op", "define", "fallthrough_kernel", "get_ctx", "get_kernel", "impl", "impl_abstract",
    "infer_schema", "opcheck", "register_autocast", "register_autograd", "register_fake", "register_kernel",
    "register_torch_dispatch", "register_vmap", "triton_op", "wrap_triton",
]  # fmt: skip

Devices = str | Sequence[str] | None


class CustomOpDef:
    """A custom operator as its author holds it: call it, and register what belongs to it.  Made by ``custom_op``.

    Source: https://docs.pytorch.org/docs/stable/library.html#torch.library.CustomOpDef

    >>> import torsh
    >>> @torsh.library.custom_op("docs::double_a", mutates_args=())
    ... def double(x: torsh.Tensor) -> torsh.Tensor:
    ...     return 2 * x
    >>> type(double).__name__, double(torsh.tensor([1.]))
    ('CustomOpDef', tensor([2.]))
    """

    def __init__(self, op: CustomOp, init: Callable[..., Any]) -> None:
        self._op = op
        self._init_fn = init
        self._namespace, _, self._name = op.schema.name.partition("::")
        self._qualname = op.qualname
        self.__name__, self.__doc__ = self._name, init.__doc__

    @property
    def _opoverload(self) -> OpOverload:
        return self._op.overload

    def __repr__(self) -> str:
        return f"<CustomOpDef({self._qualname})>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._op.call(*args, **kwargs)

    def register_kernel(self, device_types: Devices, fn: Callable[..., Any] | None = None, /) -> Any:
        """The function for some device types (None: for all without their own).  Also a decorator."""
        return _kernel(self._op, device_types, fn)

    def register_fake(self, fn: Callable[..., Any], /) -> Any:
        """The function that gives results of the right shape and dtype for meta tensors."""
        self._op.fake = fn
        return fn

    def register_autograd(
        self, backward: Callable[..., Any], /, *, setup_context: Callable[..., Any] | None = None
    ) -> None:
        """The gradient: ``backward(ctx, *grads)`` gives one per argument; ``setup_context(ctx, inputs, output)`` keeps what it needs."""
        _autograd(self._op, repr(self), backward, setup_context)

    def register_vmap(self, func: Callable[..., Any] | None = None) -> Any:
        """The batched form: ``func(info, in_dims, *args)`` gives (result, out_dims).  Also a decorator."""
        return _vmap(self._op, func)

    def register_torch_dispatch(self, torch_dispatch_class: type, fn: Callable[..., Any] | None = None, /) -> Any:
        """What happens for arguments of a tensor subclass: ``fn(mode or class, func, types, args, kwargs)``.  Also a decorator."""
        return _subclass(self._op, torch_dispatch_class, fn)

    def register_autocast(self, device_type: str, cast_inputs: Any) -> None:
        """Under ``autocast`` on a device type, bring floating tensors to a dtype first."""
        _autocast(self._op, device_type, cast_inputs)

    def set_kernel_enabled(self, device_type: str, enabled: bool = True) -> _Enabled:
        """Switch the kernel of a device type on or off (a context manager puts it back): off, the general one runs."""
        return _Enabled(self._op, device_type, enabled)


class _Enabled:
    def __init__(self, op: CustomOp, device: str, enabled: bool) -> None:
        self.op, self.before = op, set(op.disabled)
        (op.disabled.discard if enabled else op.disabled.add)(device)

    def __enter__(self) -> _Enabled:
        return self

    def __exit__(self, *exc: object) -> None:
        self.op.disabled = self.before


def custom_op(
    name: str,
    fn: Callable[..., Any] | None = None,
    /,
    *,
    mutates_args: str | Iterable[str],
    device_types: Devices = None,
    schema: str | None = None,
    tags: Any = None,
) -> Any:
    """Make an operator of a function of tensors, under the name ``"namespace::name"``.  Also a decorator.

    mutates_args: names of the arguments the function writes to.  device_types: where it runs; None: everywhere.  schema: the
    operator's types, e.g. ``"(Tensor x, float by) -> Tensor"``; default: from the annotations.  The function is not
    differentiated through: register a formula for gradients.

    Source: https://docs.pytorch.org/docs/stable/library.html#torch.library.custom_op

    >>> import torsh
    >>> @torsh.library.custom_op("docs::twice", mutates_args=())
    ... def twice(x: torsh.Tensor) -> torsh.Tensor:
    ...     return torsh.from_numpy(x.numpy() * 2)
    >>> twice.register_autograd(lambda ctx, g: g * 2)
    >>> x = torsh.ones(2, requires_grad=True)
    >>> torsh.ops.docs.twice(x).sum().backward()
    >>> x.grad
    tensor([2., 2.])
    """

    def make(function: Callable[..., Any]) -> CustomOpDef:
        if "::" not in name:
            raise ValueError(f"Invalid qualified name {name!r}: it has to be 'namespace::name'")
        text = infer_schema(function, mutates_args=mutates_args) if schema is None else schema
        if name in CUSTOM and CUSTOM[name].strict:  # defined anew, as in a notebook
            from torsh.func._rules import forget

            del CUSTOM[name]
            forget(name)
        op = CustomOp(parse(name + text), strict=True)
        _kernel(op, device_types, function)
        return CustomOpDef(op, function)

    return make if fn is None else make(fn)


# ---- registering by name -----------------------------------------------------------------------------------------------


def _of(op: Any) -> CustomOp:
    if isinstance(op, CustomOpDef):
        return op._op
    if isinstance(op, CustomOp):
        return op
    if isinstance(op, OpOverload):
        return op._op
    if isinstance(op, OpOverloadPacket):
        return op.default._op
    if isinstance(op, str):
        return lookup(op)
    raise ValueError(
        f"expected a custom operator: its name, a CustomOpDef or torch.ops.<ns>.<name>, but got {type(op).__name__}"
    )


def _devices(device_types: Devices) -> list[str]:
    return [device_types] if isinstance(device_types, str) else list(device_types or ())


def _kernel(op: CustomOp, device_types: Devices, fn: Callable[..., Any] | None) -> Any:
    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        if device_types is None or device_types == "default":
            op.default = function
        for device in _devices(None if device_types == "default" else device_types):
            op.kernels_by_device[device] = function
        return function

    return register if fn is None else register(fn)


def _autograd(op: CustomOp, name: str, backward: Any, setup_context: Any) -> None:
    if op.schema.is_mutable:
        raise RuntimeError(
            f"Cannot register autograd formula for non-functional operator {name} with schema {op.schema}. Please create a functional "
            "operator and register an autograd formula for that."
        )
    op.backward, op.setup_context = backward, setup_context


def _vmap(op: CustomOp, func: Callable[..., Any] | None) -> Any:
    from torsh.func._custom import rule_of_function
    from torsh.func._rules import register

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        def run(info: Any, dims: Any, args: Any) -> Any:
            return op.schema.call(lambda *a, **k: function(info, dims, *a, **k), args)

        register(op.name, rule_of_function(run))
        return function

    return add if func is None else add(func)


def _subclass(op: CustomOp, kind: type, fn: Callable[..., Any] | None) -> Any:
    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        if issubclass(kind, Tensor):
            op.subclasses.append((kind, lambda self, types, a, k: function(kind, self, types, a, k)))
        else:
            op.modes.append((kind, function))
        return function

    return register if fn is None else register(fn)


def _autocast(op: CustomOp, device_type: str, cast_inputs: Any) -> None:
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    before = op.call

    def call(*args: Any, **kwargs: Any) -> Any:
        import torsh

        if not torsh.is_autocast_enabled(device_type):
            return before(*args, **kwargs)
        values = op.schema.bind(args, kwargs)
        with torsh.autocast(device_type, enabled=False):
            return op.schema.call(before, [_cast(v, device_type, cast_inputs) for v in values])

    op.call = call  # type: ignore[method-assign]


def _cast(value: Any, device_type: str, dtype: Any) -> Any:
    if isinstance(value, Tensor):
        return value.to(dtype) if value._kind.floating and value.device.type == device_type else value
    return type(value)(_cast(v, device_type, dtype) for v in value) if isinstance(value, (list, tuple)) else value


def register_kernel(
    op: Any, device_types: Devices, func: Callable[..., Any] | None = None, /, *, lib: Any = None
) -> Any:
    """The function that computes an operator on some device types.  Also a decorator.

    Source: https://docs.pytorch.org/docs/stable/library.html#torch.library.register_kernel

    >>> import torsh
    >>> @torsh.library.custom_op("docs::double_d", mutates_args=())
    ... def double(x: torsh.Tensor) -> torsh.Tensor:
    ...     return 2 * x
    >>> @torsh.library.register_kernel("docs::double_d", "cpu")
    ... def double_on_cpu(x):
    ...     return x + x
    >>> double(torsh.tensor([1.]))
    tensor([2.])
    """
    return _kernel(_of(op), device_types, func)


def register_fake(
    op: Any,
    func: Callable[..., Any] | None = None,
    /,
    *,
    lib: Any = None,
    _stacklevel: int = 1,
    allow_override: bool = True,
) -> Any:
    """The function that gives an operator's results for meta tensors.  Also a decorator.

    Source: https://docs.pytorch.org/docs/stable/library.html#torch.library.register_fake

    >>> import torsh
    >>> torsh.library.define("docs::rows", "(Tensor x) -> Tensor")
    >>> @torsh.library.register_fake("docs::rows")
    ... def _(x):
    ...     return x.new_empty(x.shape[0])
    >>> torsh.ops.docs.rows(torsh.ones(3, 2, device="meta")).shape
    torsh.Size([3])
    """
    found = _of(op)

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        found.fake = function
        return function

    return register if func is None else register(func)


def impl_abstract(
    qualname: Any, func: Callable[..., Any] | None = None, *, lib: Any = None, _stacklevel: int = 1
) -> Any:
    """The old name of ``register_fake``.

    Source: https://docs.pytorch.org/docs/stable/library.html#torch.library.impl_abstract
    """
    return register_fake(qualname, func, lib=lib)


def register_autograd(
    op: Any, backward: Callable[..., Any], /, *, setup_context: Callable[..., Any] | None = None, lib: Any = None
) -> None:
    """The gradient of an operator, as ``CustomOpDef.register_autograd``.

    Source: https://docs.pytorch.org/docs/stable/library.html#torch.library.register_autograd

    >>> import torsh
    >>> @torsh.library.custom_op("docs::double_e", mutates_args=())
    ... def double(x: torsh.Tensor) -> torsh.Tensor:
    ...     return 2 * x
    >>> torsh.library.register_autograd("docs::double_e", lambda ctx, g: 2 * g)
    >>> x = torsh.tensor([1.], requires_grad=True)
    >>> double(x).backward()
    >>> x.grad
    tensor([2.])
    """
    found = _of(op)
    _autograd(found, repr(op) if not isinstance(op, str) else repr(found), backward, setup_context)


def register_vmap(op: Any, func: Callable[..., Any] | None = None, /, *, lib: Any = None) -> Any:
    """The batched form of an operator, as ``CustomOpDef.register_vmap``.  Also a decorator.

    Source: https://docs.pytorch.org/docs/stable/library.html#torch.library.register_vmap

    >>> import torsh
    >>> @torsh.library.custom_op("docs::double_f", mutates_args=())
    ... def double(x: torsh.Tensor) -> torsh.Tensor:
    ...     return 2 * x
    >>> @torsh.library.register_vmap("docs::double_f")
    ... def double_batch(info, in_dims, x):
    ...     return 2 * x, in_dims[0]
    >>> torsh.vmap(double)(torsh.tensor([1., 2.]))
    tensor([2., 4.])
    """
    return _vmap(_of(op), func)


def register_torch_dispatch(
    op: Any, torch_dispatch_class: type, func: Callable[..., Any] | None = None, /, *, lib: Any = None
) -> Any:
    """What an operator does for a tensor subclass, as ``CustomOpDef.register_torch_dispatch``.  Also a decorator.

    Source: https://docs.pytorch.org/docs/stable/library.html#torch.library.register_torch_dispatch
    """
    return _subclass(_of(op), torch_dispatch_class, func)


def register_autocast(op: Any, device_type: str, cast_inputs: Any, /, *, lib: Any = None) -> None:
    """The dtype an operator computes in under ``autocast``, as ``CustomOpDef.register_autocast``.

    Source: https://docs.pytorch.org/docs/stable/library.html#torch.library.register_autocast

    >>> import torsh
    >>> @torsh.library.custom_op("docs::double_g", mutates_args=())
    ... def double(x: torsh.Tensor) -> torsh.Tensor:
    ...     return 2 * x
    >>> _ = torsh.library.register_autocast("docs::double_g", "cpu", torsh.bfloat16)
    >>> with torsh.autocast("cpu"):
    ...     y = double(torsh.tensor([1.]))
    >>> y.dtype
    torsh.bfloat16
    """
    _autocast(_of(op), device_type, cast_inputs)


def define(qualname: str, schema: str | Library, *rest: Any, lib: Any = None, tags: Any = ()) -> Any:
    """Declare an operator without a kernel: ``define("ns::name", "(Tensor x) -> Tensor")``.

    Source: https://docs.pytorch.org/docs/stable/library.html#torch.library.define

    >>> import torsh
    >>> torsh.library.define("docs::double_b", "(Tensor x) -> Tensor")
    >>> _ = torsh.library.impl("docs::double_b", "default", lambda x: 2 * x)
    >>> torsh.ops.docs.double_b(torsh.tensor([1.]))
    tensor([2.])
    """
    if isinstance(qualname, Library):  # define(lib, "name(Tensor x) -> Tensor"), a decorator
        owner, text = qualname, str(schema)

        def wrap(f: Callable[..., Any]) -> Callable[..., Any]:
            owner.impl(owner.define(text), f, *rest)
            return f

        return wrap
    if not isinstance(qualname, str):
        raise ValueError(f"define(qualname, schema): expected qualname to be instance of str, got {type(qualname)}")
    if "::" not in qualname:
        raise ValueError(
            f"define(qualname, schema, ...): expected qualname to be of the form 'namespace::name', but got {qualname!r}"
        )
    if not re.fullmatch(r"\(.*\) -> .*", str(schema), re.DOTALL):
        raise ValueError(
            f'define(qualname, schema, ...): expected schema to look like e.g. "(Tensor x) -> Tensor" but got "{schema}"'
        )
    CustomOp(parse(qualname + str(schema)), strict=False)
    return None


def impl(qualname: Any, types: Any, func: Callable[..., Any] | None = None, *, lib: Any = None) -> Any:
    """The function of an operator for device types (``"cpu"``, ``"default"`` for all).  Also a decorator.

    Also ``impl(library, name, dispatch_key)``, the decorator form of ``Library.impl``.
    Source: https://docs.pytorch.org/docs/stable/library.html#torch.library.impl

    >>> import torsh
    >>> torsh.library.define("docs::double_c", "(Tensor x) -> Tensor")
    >>> @torsh.library.impl("docs::double_c", "cpu")
    ... def double(x):
    ...     return 2 * x
    >>> torsh.ops.docs.double_c(torsh.tensor([1.]))
    tensor([2.])
    """
    if isinstance(qualname, Library):
        owner, name, key = qualname, types, func or ""

        def wrap(f: Callable[..., Any]) -> Callable[..., Any]:
            owner.impl(name, f, str(key))
            return f

        return wrap
    return _kernel(_of(qualname), types, func)


# ---- libraries ---------------------------------------------------------------------------------------------------------

_RESERVED = ("prim",)
_DEFINED: dict[str, Library] = {}
_DEVICE_KEYS = {"CPU": "cpu", "CUDA": "cuda", "MPS": "mps", "XPU": "xpu", "Meta": "meta"}


def fallthrough_kernel(*args: Any, **kwargs: Any) -> Any:
    """Given to ``Library.impl``, it means: go on to the next kernel.  Calling it raises NotImplementedError.

    Source: https://docs.pytorch.org/docs/stable/library.html#torch.library.fallthrough_kernel
    """
    raise NotImplementedError("fallthrough_kernel() should never be called.")


class Library:
    """Operators of one namespace: declares (``DEF``, ``FRAGMENT``) or implements (``IMPL``) them.

    Source: https://docs.pytorch.org/docs/stable/library.html#torch.library.Library

    >>> import torsh
    >>> lib = torsh.library.Library("docs_lib", "DEF")
    >>> lib.define("half(Tensor x) -> Tensor")
    'half'
    >>> lib.impl("half", lambda x: x / 2, "CPU")
    >>> torsh.ops.docs_lib.half(torsh.ones(1))
    tensor([0.5000])
    """

    def __init__(self, ns: str, kind: str, dispatch_key: str = "") -> None:
        if kind not in ("IMPL", "DEF", "FRAGMENT"):
            raise ValueError(f"Unsupported kind: {kind}")
        if ns in _RESERVED and kind in ("DEF", "FRAGMENT"):
            raise ValueError(f"{ns} is a reserved namespace. Please try creating a library with another name.")
        if kind == "DEF":
            if ns in _DEFINED:
                raise RuntimeError(
                    f"Only a single TORCH_LIBRARY can be used to register the namespace {ns}; please put all of your definitions in a "
                    "single TORCH_LIBRARY block.  If you were trying to specify implementations, consider using TORCH_LIBRARY_IMPL "
                    "(which can be duplicated).  If you really intended to define operators for a single namespace in a distributed "
                    "way, you can use TORCH_LIBRARY_FRAGMENT to explicitly indicate this."
                )
            _DEFINED[ns] = self
        self.ns, self.kind, self.dispatch_key = ns, kind, dispatch_key
        self._mine: list[str] = []

    def __repr__(self) -> str:
        return f"Library(kind={self.kind}, ns={self.ns}, dispatch_key={self.dispatch_key})>"

    def define(self, schema: str, alias_analysis: str = "", *, tags: Any = ()) -> str:
        """Declare an operator, e.g. ``"scale(Tensor x, float by) -> Tensor"``; returns its name."""
        if alias_analysis not in ("", "FROM_SCHEMA", "CONSERVATIVE"):
            raise RuntimeError(f"Invalid alias_analysis type {alias_analysis}")
        op = CustomOp(parse(schema, self.ns), strict=False)
        self._mine.append(op.qualname)
        return op.schema.name.partition("::")[2] + (f".{op.schema.overload}" if op.schema.overload else "")

    def impl(
        self, op_name: Any, fn: Any, dispatch_key: str = "", *, with_keyset: bool = False, allow_override: bool = False
    ) -> None:
        """Give an operator a function for a dispatch key: a device's, Meta, Autograd, CompositeImplicitAutograd, ...."""
        if not callable(fn):
            raise TypeError(f"Input function is required to be a callable but found type {type(fn)}")
        key = dispatch_key or self.dispatch_key or "CompositeImplicitAutograd"
        name = op_name if isinstance(op_name, str) else _of(op_name).qualname
        name = name if "::" in name else f"{self.ns}::{name}"
        if self.ns == "aten" or name.startswith("aten::"):
            raise NotImplementedError(
                f"Library.impl: {name} is one of torsh's own ops; torsh lets a library implement the operators it defined, not replace "
                "built-in ones. Add a kernel through a backend instead"
            )
        if name.removesuffix(".default") not in CUSTOM:
            raise RuntimeError(f"{name}: no operator of that name was defined; call define() first")
        if fn is fallthrough_kernel:
            return
        op = lookup(name)
        function = (lambda *a, **k: fn(None, *a, **k)) if with_keyset else fn
        if key == "CompositeImplicitAutograd":
            op.composite = function
        elif key in ("CompositeExplicitAutograd", "CompositeExplicitAutogradNonFunctional"):
            op.default = function
        elif key in ("Autograd", *(f"Autograd{d}" for d in _DEVICE_KEYS)):
            op.outermost = function
        elif key == "Meta":
            op.fake = function
        elif key in _DEVICE_KEYS:
            op.kernels_by_device[_DEVICE_KEYS[key]] = function
        else:
            raise NotImplementedError(f"Library.impl: torsh has no dispatch key {key!r}; it knows {', '.join(_DEVICE_KEYS)}, Autograd, "
                                      "CompositeImplicitAutograd and CompositeExplicitAutograd")  # fmt: skip

    def fallback(self, fn: Any, dispatch_key: str = "", *, with_keyset: bool = False) -> None:
        """Not in torsh: ops are not looked up by dispatch key."""
        raise NotImplementedError(
            "Library.fallback: torsh resolves kernels by backend, not by dispatch key; use a Mode to see every op, or "
            "TorchFunctionMode to see every function"
        )

    def _destroy(self) -> None:
        for name in self._mine:
            CUSTOM.pop(name, None)
        if _DEFINED.get(self.ns) is self:
            del _DEFINED[self.ns]


class _scoped_library:
    """A library for the length of a ``with`` block."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.made = Library(*args, **kwargs)

    def __enter__(self) -> Library:
        return self.made

    def __exit__(self, *exc: object) -> None:
        self.made._destroy()


# ---- torch.ops.<namespace> ---------------------------------------------------------------------------------------------


class OpOverloadPacket:
    """All overloads of an operator; calling it runs the one that the arguments fit."""

    def __init__(self, name: str) -> None:
        self._qualified_op_name = name
        self.__name__ = name.partition("::")[2]

    def overloads(self) -> list[str]:
        """Names of the overloads, ``default`` for the one without a name."""
        own = self._qualified_op_name
        return [n.partition(".")[2] or "default" for n in CUSTOM if n == own or n.startswith(own + ".")]

    def __getattr__(self, name: str) -> OpOverload:
        own = self._qualified_op_name
        found = CUSTOM.get(own if name == "default" else f"{own}.{name}")
        if found is None:
            raise AttributeError(f"The underlying op of '{self}' has no overload name '{name}'")
        return found.overload

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        names = self.overloads()
        for i, name in enumerate(names):
            op = getattr(self, name)
            try:
                op._schema.bind(args, kwargs)
            except RuntimeError:
                if i + 1 < len(names):
                    continue
            return op(*args, **kwargs)
        raise AttributeError(f"'_OpNamespace' object has no attribute '{self.__name__}'")

    def __str__(self) -> str:
        return self._qualified_op_name.replace("::", ".")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OpOverloadPacket) and self._qualified_op_name == other._qualified_op_name

    def __hash__(self) -> int:
        return hash(self._qualified_op_name)

    def __repr__(self) -> str:
        return f"<OpOverloadPacket(op='{self}')>"


class OpNamespace:
    """``torch.ops.<namespace>``: the operators defined there."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, name: str) -> OpOverloadPacket:
        full = f"{self.name}::{name}"
        if full not in CUSTOM and not any(n.startswith(full + ".") for n in CUSTOM):
            raise AttributeError(f"'_OpNamespace' '{self.name}' object has no attribute '{name}'")
        return OpOverloadPacket(full)

    def __dir__(self) -> list[str]:
        return sorted({n.partition("::")[2].partition(".")[0] for n in CUSTOM if n.startswith(self.name + "::")})


def namespace(name: str) -> OpNamespace | None:
    """The namespace of that name, None if nothing was ever defined in it."""
    return OpNamespace(name) if name in _DEFINED or any(n.startswith(name + "::") for n in CUSTOM) else None


# ---- checking ----------------------------------------------------------------------------------------------------------

_TESTS = ("test_schema", "test_autograd_registration", "test_faketensor", "test_aot_dispatch_dynamic")


class OpCheckError(Exception):
    """A custom operator failed a check; the message says which and why."""


def opcheck(
    op: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any] | None = None,
    *,
    test_utils: str | Sequence[str] = _TESTS,
    raise_exception: bool = True,
    atol: float | None = None,
    rtol: float | None = None,
) -> dict[str, Any]:
    """Check an operator on sample arguments: that it does what its schema says, that gradients are registered as PyTorch wants
    them, and that its results for meta tensors have the shape and dtype of the real ones.

    Returns what each test found, "SUCCESS" or an exception (which is raised unless ``raise_exception`` is false).
    ``test_aot_dispatch_dynamic`` is answered "SKIPPED": torsh has no ahead-of-time autograd to compare with.
    Source: https://docs.pytorch.org/docs/stable/library.html#torch.library.opcheck

    >>> import torsh
    >>> @torsh.library.custom_op("docs::double_h", mutates_args=())
    ... def double(x: torsh.Tensor) -> torsh.Tensor:
    ...     return 2 * x
    >>> _ = double.register_fake(lambda x: torsh.empty_like(x))
    >>> sorted(torsh.library.opcheck(double, (torsh.tensor([1.]),), test_utils="test_schema").values())
    ['SUCCESS']
    """
    found = _of(op)
    names = (test_utils,) if isinstance(test_utils, str) else tuple(test_utils)
    if names == ("ALL",):
        names = _TESTS
    unknown = set(names) - set(_TESTS)
    if unknown:
        raise ValueError(f"opcheck: invalid names in test_utils, expected a subset of {_TESTS}, got {sorted(unknown)}")
    values = found.schema.bind(tuple(args), kwargs or {})
    results: dict[str, Any] = {}
    for name in names:
        if name == "test_aot_dispatch_dynamic":
            results[name] = "SKIPPED"
            continue
        try:
            _CHECKS[name](found, values)
            results[name] = "SUCCESS"
        except Exception as e:
            if raise_exception:
                raise OpCheckError(f"opcheck(op, ...): {name} failed with {e} (scroll up for stack trace)") from e
            results[name] = e
    return results


def _check_schema(op: CustomOp, values: tuple[Any, ...]) -> None:
    import torsh

    copies = [_copied(v) for v in values]
    before = [_copied(v) for v in copies]
    with torsh.no_grad():
        found = op(*copies)
    for a, was, now in zip(op.schema.arguments, before, copies):
        for t, u in zip(_tensors((was,)), _tensors((now,))):
            if not a.is_write and not torsh.equal(t.nan_to_num(), u.nan_to_num()):
                raise RuntimeError(f"Argument {a.name} is not defined as mutable but was mutated")
    op._check_aliases(tuple(copies), found)


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().clone()
    return type(value)(_copied(v) for v in value) if isinstance(value, (list, tuple)) else value


def _check_gradients(op: CustomOp, values: tuple[Any, ...]) -> None:
    if not any(t.requires_grad for t in _tensors(values)) or op.schema.is_mutable:
        return
    if op.composite is None and op.backward is None and op.outermost is None and not op.strict:
        raise RuntimeError(
            f"{op.qualname}: some of the inputs require grad, but the operator has neither an autograd formula nor a composite "
            "implementation. Use torch.library.register_autograd"
        )


def _check_fake(op: CustomOp, values: tuple[Any, ...]) -> None:
    import torsh

    with torsh.no_grad():
        real = _tensors((op(*[_copied(v) for v in values]),))
        fake = _tensors((op(*[_on_meta(v) for v in values]),))
    if len(real) != len(fake):
        raise RuntimeError(f"the fake impl gives {len(fake)} tensors, the operator {len(real)}")
    for i, (r, f) in enumerate(zip(real, fake)):
        for what, a, b in (("shapes", tuple(r.shape), tuple(f.shape)), ("dtypes", r.dtype, f.dtype)):
            if a != b:
                raise RuntimeError(
                    f"{what.capitalize()} {b} and {a} are not equal: the fake impl's result {i} against the operator's"
                )


def _on_meta(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().to("meta")
    return type(value)(_on_meta(v) for v in value) if isinstance(value, (list, tuple)) else value


_CHECKS: dict[str, Callable[[CustomOp, tuple[Any, ...]], None]] = {
    "test_schema": _check_schema, "test_autograd_registration": _check_gradients, "test_faketensor": _check_fake,
}  # fmt: skip


# ---- what torsh does not have ------------------------------------------------------------------------------------------


def get_ctx() -> Any:
    """Not in torsh: shapes of meta tensors are numbers, so a fake function cannot leave one open.

    Source: https://docs.pytorch.org/docs/stable/library.html#torch.library.get_ctx
    """
    raise NotImplementedError(
        "torch.library.get_ctx: torsh has no symbolic sizes, so there is no context that makes them"
    )


def get_kernel(op: Any, dispatch_key: str) -> Callable[..., Any]:
    """The function registered for a dispatch key of an operator.

    Source: https://docs.pytorch.org/docs/stable/library.html#torch.library.get_kernel
    """
    found = _of(op)
    device = _DEVICE_KEYS.get(dispatch_key, str(dispatch_key))
    kernel = found.kernels_by_device.get(device) or found.default or found.composite
    if kernel is None:
        raise RuntimeError(f"no kernel of {found.qualname} for {dispatch_key}")
    return kernel


def triton_op(name: str, fn: Any = None, /, *, mutates_args: Any, schema: str | None = None) -> Any:
    """Not in torsh: there is no Triton.

    Source: https://docs.pytorch.org/docs/stable/library.html#torch.library.triton_op
    """
    raise NotImplementedError(
        "torch.library.triton_op: torsh has no Triton; write the operator with custom_op and a kernel per device"
    )


def wrap_triton(triton_kernel: Any, /) -> Any:
    """Not in torsh: there is no Triton.

    Source: https://docs.pytorch.org/docs/stable/library.html#torch.library.wrap_triton
    """
    raise NotImplementedError("torch.library.wrap_triton: torsh has no Triton; write the operator with custom_op")
