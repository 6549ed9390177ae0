"""The Tensor: a raw array of some backend, its kind, and its place in the autograd graph.

Attributes that most tensors never set (``_gf``, ``_base``, ``_vc``, ...) are class attributes with a default, so that making
a tensor costs two assignments.  Methods that are ops are attached by ``torsh.ops`` from their declarations; this file has
what is not an op: construction from raw arrays, views' bookkeeping, writing in place, properties.
"""

from __future__ import annotations

import sys
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from math import prod
from typing import TYPE_CHECKING, Any

from torsh import dispatch, dtypes
from torsh.autograd import engine
from torsh.autograd.engine import Node, RemovableHandle
from torsh.autograd.grad_mode import thread
from torsh.device import as_device
from torsh.device import device as Device
from torsh.dispatch import Kind, Place, place_of, state

new = object.__new__


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple with ``numel()``; slices and sums of sizes are sizes."""

    __module__ = "torsh"

    def numel(self) -> int:
        """The number of elements a tensor of this size has."""
        n = 1
        for s in self:
            n *= s
        return n

    def __repr__(self) -> str:
        return f"{dtypes.namespace}.Size([{', '.join(map(str, self))}])"

    def __getitem__(self, i: Any) -> Any:
        found = tuple.__getitem__(self, i)
        return Size(found) if isinstance(i, slice) else found

    def __add__(self, other: Any) -> Any:
        return Size(tuple.__add__(self, tuple(other)))

    def __radd__(self, other: Any) -> Any:
        return Size(tuple(other) + tuple(self))

    def __mul__(self, n: Any) -> Any:
        return Size(tuple.__mul__(self, n))

    __rmul__ = __mul__

    def __reduce__(self) -> Any:
        return (Size, (tuple(self),))


class Version:
    """What tensors that share memory share: how often it was written, and by what."""

    __slots__ = ("source", "version", "writer")

    def __init__(self, source: Any = None) -> None:
        self.version = 0
        self.writer: str | None = None
        # (node, output number) that made the tensor which owns this: if that node saved its output, a write spoils it
        self.source = source


class Tensor:
    """A multi-dimensional array of one dtype on one device.

    Make one with ``torsh.tensor``, ``torsh.zeros``, ``torsh.from_numpy`` and the like.
    Source: https://docs.pytorch.org/docs/stable/tensors.html
    """

    __module__ = "torsh"

    _data: Any
    _kind: Kind
    _gf: Node | None = None  # the node that made this tensor; read through ``grad_fn`` where there may be views
    _nr: int = 0  # which output of that node
    _rg: bool = False
    _base: Tensor | None = None  # the tensor this is a view of (never itself a view)
    _vc: Version | None = None  # shared with views; None: never written and no view yet
    _gf_version: int = 0  # version of the memory when a view's _gf was made
    _replay: Callable[..., Any] | None = None  # for views that geometry cannot describe: base -> view
    _grad: Tensor | None = None
    _hooks: OrderedDict[int, Any] | None = None
    _post_accumulate_hooks: OrderedDict[int, Any] | None = None
    _accumulator: Any = None
    _retains: bool = False
    _name: str | None = None

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Methods that are ops are attached from their declarations."""

        def __add__(self, other: Any) -> Any: ...
        def __mul__(self, other: Any) -> Any: ...

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        from torsh.legacy import tensor_new

        return tensor_new(cls, *args, **kwargs)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__torch_function__" in cls.__dict__ and not cls.__dict__.get("_plain", False):
            state.overrides = True

    # ---- what it is

    @property
    def shape(self) -> Size:
        """The length of each dimension."""
        return Size(self._data.shape)

    @property
    def dtype(self) -> dtypes.dtype:
        """The element type."""
        return self._kind.dtype

    @property
    def device(self) -> Device:
        """Where the tensor lives."""
        return self._kind.device

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self._data.shape)

    def dim(self) -> int:
        """The number of dimensions."""
        return len(self._data.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the length of one dimension.  Raises IndexError for a dimension that does not exist."""
        if dim is None:
            return Size(self._data.shape)
        shape = self._data.shape
        if not -len(shape) <= dim < max(len(shape), 1) or not shape:
            n = max(len(shape), 1)
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})"
                if shape
                else f"Dimension specified as {dim} but tensor has no dimensions"
            )
        return int(shape[dim])

    def numel(self) -> int:
        """The number of elements."""
        return prod(self._data.shape)

    def __len__(self) -> int:
        shape = self._data.shape
        if not shape:
            raise TypeError("len() of a 0-d tensor")
        return int(shape[0])

    def __hash__(self) -> int:
        return id(self)

    def __iter__(self) -> Iterator[Any]:
        if not self._data.shape:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __repr__(self, *, tensor_contents: str | None = None) -> str:
        from torsh._printing import tensor_repr

        return tensor_repr(self, tensor_contents)

    def _repr_html_(self) -> str:
        from torsh._printing import tensor_html

        return tensor_html(self)

    @property
    def is_sparse(self) -> bool:
        """Whether the layout is sparse COO; False for every dense tensor."""
        return False

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether the elements lie in memory in row-major order, or in the order of a memory format."""
        if memory_format is None:
            return self._kind.backend.contiguous(self._data)
        from torsh.memory_format import is_contiguous

        return is_contiguous(self, memory_format)

    # ---- autograd

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor.  Only a leaf of floating or complex type may be set."""
        return self._rg

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if self._gf is not None and not value:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a "
                "subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        if value and not self._kind.inexact:
            raise RuntimeError(
                f"only Tensors of floating point and complex dtype can require gradients; this one is {self.dtype}"
            )
        self._rg = bool(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set ``requires_grad`` and return the tensor."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor was made by the user rather than by a recorded operation."""
        return self.grad_fn is None

    @property
    def grad_fn(self) -> Any:
        """The node that made this tensor, None for a leaf."""
        base = self._base
        if base is not None and self._gf_version != self._vc.version and base._rg and self._rg:  # type: ignore[union-attr]
            from torsh.autograd.views import regenerate

            regenerate(self)
        return self._gf

    @property
    def output_nr(self) -> int:
        """Which output of ``grad_fn`` this is."""
        return self._nr

    @property
    def grad(self) -> Tensor | None:
        """The gradient accumulated by ``backward``, None before the first."""
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}")
            if value is self:
                raise RuntimeError("can't assign Variable as its own grad")
            if value._kind is not self._kind:
                raise RuntimeError(
                    f"assigned grad has data of a different type: got {value.dtype} on {value.device}, expected "
                    f"{self.dtype} on {self.device}"
                )
            if value.shape != self.shape:
                raise RuntimeError(
                    f"assigned grad has data of a different size: got {list(value.shape)}, expected {list(self.shape)}"
                )
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
    ) -> None:
        """Accumulate the gradient of this tensor into the ``.grad`` of the leaves it was computed from.

        gradient: the gradient of the final result with respect to this tensor, of its shape; may be left out for a tensor
        with one element.  Raises RuntimeError where it is needed, and for a tensor that does not require grad.
        """
        from torsh.autograd import backward

        backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(grad)`` whenever a gradient for this tensor is computed; a result replaces the gradient."""
        if not self._rg:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        node = self.grad_fn
        if node is None:
            if self._hooks is None:
                self._hooks = OrderedDict()
            return RemovableHandle(self._hooks, hook)
        if node.tensor_hooks is None:
            node.tensor_hooks = {}
        return RemovableHandle(node.tensor_hooks.setdefault(self._nr, OrderedDict()), hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(tensor)`` after this leaf's ``.grad`` was updated."""
        if not self._rg:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self.grad_fn is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if self._post_accumulate_hooks is None:
            self._post_accumulate_hooks = OrderedDict()
        return RemovableHandle(self._post_accumulate_hooks, hook)

    def retain_grad(self) -> None:
        """Keep the gradient of this non-leaf in ``.grad`` too."""
        if not self._rg:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self._retains or self.grad_fn is None:
            return
        self._retains = True
        me = weakref.ref(self)

        def keep(g: Tensor) -> None:
            t = me()
            if t is not None:
                t._grad = g if t._grad is None else t._grad + g

        self.register_hook(keep)

    @property
    def retains_grad(self) -> bool:
        """Whether this is a non-leaf whose gradient is kept."""
        return self._retains

    def detach(self) -> Tensor:
        """The same memory outside the graph; writing to either is seen by both."""
        t = self._alias()
        if self._base is not None:
            t._base = None
        return t

    def detach_(self) -> Tensor:
        """Take this tensor out of the graph; it becomes a leaf that does not require grad."""
        if self._base is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self._gf, self._nr, self._rg = None, 0, False
        return self

    @property
    def data(self) -> Tensor:
        """The same memory outside the graph, whose writes autograd does not see."""
        t = new(Tensor)
        t._data, t._kind = self._data, self._kind
        return t

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        self._data, self._kind = value._data, value._kind

    @property
    def _version(self) -> int:
        return 0 if self._vc is None else self._vc.version

    def _is_view(self) -> bool:
        return self._base is not None

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """The Array API namespace that takes this tensor: ``torsh.array_api``."""
        from torsh.array_api._array import namespace

        return namespace(api_version)

    # ---- plumbing for ops

    def _alias(self) -> Tensor:
        """A plain tensor with the same memory and version, without history."""
        t = new(Tensor)
        t._data, t._kind = self._data, self._kind
        t._vc = version_of(self)
        return t

    def _bump(self, writer: str) -> None:
        """Note a write to this tensor's memory."""
        vc = self._vc
        if vc is None:
            vc = self._vc = Version((self._gf, self._nr) if self._gf is not None else None)
        vc.version += 1
        vc.writer = writer
        if vc.source is not None:
            node, number = vc.source
            node.dirty = {**(node.dirty or {}), number: writer}
        gf = self._gf
        if gf is not None and (vc.source is None or vc.source[0] is not gf):
            gf.dirty = {**(gf.dirty or {}), self._nr: writer}

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        from torsh import overrides

        return overrides.default(cls, func, types, args, kwargs)


class Parameter(Tensor):
    """A tensor that a module lists among its parameters.

    data: the values (default: an empty tensor).  requires_grad: whether gradients are computed for it.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html
    """

    _plain = True
    __module__ = "torsh.nn.parameter"

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:
        if data is None:
            from torsh.ops.creation import empty

            data = empty(0)
        if not isinstance(data, Tensor):
            raise TypeError(f"Parameter(): argument 'data' must be Tensor, not {type(data).__name__}")
        t: Any = new(cls)
        if type(data) not in PLAIN and not isinstance(data, Parameter):
            t = new(type(data))
            t.__dict__.update(data.detach().__dict__)
            t._is_param = True
        t._data, t._kind = data._data, data._kind
        if requires_grad:
            t.requires_grad = True
        return t

    def __repr__(self, **options: Any) -> str:  # type: ignore[override]
        return "Parameter containing:\n" + Tensor.__repr__(self, **options)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) in memo:
            return memo[id(self)]
        result = type(self)(self.detach().clone(), self._rg)
        if self._grad is not None:
            result._grad = self._grad.detach().clone()
        memo[id(self)] = result
        return result


PLAIN = frozenset({Tensor, Parameter})


def wrap(raw: Any, place: Place) -> Tensor:
    """A tensor from a raw array (or what a kernel gave for one) of a place's backend."""
    backend = place.backend
    if type(raw) is not backend.raw_type:
        raw = backend.as_raw(raw)
    t = new(Tensor)
    t._data = raw
    t._kind = place[backend.dtype_of(raw)]
    return t


def version_of(t: Tensor) -> Version:
    """The version object of a tensor, made now if it has none yet."""
    vc = t._vc
    if vc is None:
        vc = t._vc = Version((t._gf, t._nr) if t._gf is not None else None)
    return vc


def shared(view: Tensor, base: Tensor) -> Tensor:
    """Mark a tensor as a view of another: one version, one history."""
    if view is base:
        return view
    root = base if base._base is None else base._base
    vc = root._vc
    if vc is None:
        vc = version_of(root)
    view._base = root
    view._vc = vc
    view._gf_version = vc.version
    if base._replay is not None:
        from torsh.autograd.views import chained

        view._replay = chained(view, base)
    return view


def from_host(array: Any, dtype: dtypes.dtype, where: Any = None) -> Tensor:
    """A tensor on a device from a host array whose element type is already that of ``dtype``."""
    place = place_of(as_device(where))
    kind = place[dtype]
    t = new(Tensor)
    t._data = place.backend.from_host(array, dtype, place.device)
    t._kind = kind
    return t


def check_writable(t: Tensor, name: str) -> None:
    """Raise where PyTorch refuses to write in place: a leaf that requires grad, or a view of one."""
    if not t._rg or not thread.enabled:
        return
    if t._base is not None and t._base._rg and t._base._gf is None:
        raise RuntimeError(
            f"a view of a leaf Variable that requires grad is being used in an in-place operation ({name}). Write inside "
            "torch.no_grad(), or clone the leaf first"
        )
    if t._base is None and t._gf is None:
        raise RuntimeError(
            f"a leaf Variable that requires grad is being used in an in-place operation ({name}). Write inside "
            "torch.no_grad(), or clone it first"
        )


def check_overlap(t: Tensor) -> None:
    """Raise for a view whose elements share memory (an expanded one): writing to it has no meaning."""
    backend = t._kind.backend
    if backend.contiguous(t._data):
        return
    shape, strides, _ = backend.geometry(t._data)
    if any(s == 0 and n > 1 for n, s in zip(shape, strides)):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )


def uncastable(found: dtypes.dtype, wanted: dtypes.dtype, name: str) -> RuntimeError:
    """The error for a result that its tensor cannot store."""
    return RuntimeError(
        f"result type {dtypes.scalar_name(found)} can't be cast to the desired output type {dtypes.scalar_name(wanted)}; "
        f"use the form of {name} that is not in place"
    )


def overwrite(t: Tensor, result: Tensor, name: str) -> Tensor:
    """Give ``t`` the values and the history of ``result``, which an op computed from it: the in-place form of any op."""
    check_writable(t, name)
    if t._base is not None:
        check_overlap(t)
    if tuple(result.shape) != tuple(t.shape):
        raise RuntimeError(
            f"output with shape {list(t.shape)} doesn't match the broadcast shape {list(result.shape)}; "
            f"{name} writes into a tensor of unchanged shape"
        )
    if result._kind is not t._kind:
        if not dtypes.can_cast(result.dtype, t.dtype):
            raise uncastable(result.dtype, t.dtype, name)
        result = result.to(t.dtype)
    return assign(t, result, name)


def assign(t: Tensor, result: Tensor, name: str) -> Tensor:
    """``overwrite`` without its checks: same shape, same kind."""
    if type(t) not in PLAIN and (other := getattr(t, "_assign", None)) is not None:
        return other(result, name)  # type: ignore[no-any-return]
    t._kind.backend.write(t._data, result._data)
    wrote(t, result, name)
    return t


def wrote(t: Tensor, result: Tensor | None, name: str) -> None:
    """Note that ``t``'s memory was written with the values of ``result`` (None: values without history)."""
    t._bump(name)
    if thread.enabled and (t._rg or (result is not None and result._rg)):
        from torsh.autograd.views import rebase

        rebase(t, result)


__all__ = [
    "PLAIN", "Device", "Parameter", "Size", "Tensor", "Version", "assign", "check_writable", "dispatch", "engine",
    "from_host", "overwrite", "shared", "sys", "version_of", "wrap", "wrote",
]  # fmt: skip
