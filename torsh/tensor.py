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
from torsh._attributes import HasDictionary, TensorMeta, held
from torsh._callers import _frame, caller, calling, is_ours, warn
from torsh._size import Size, sized
from torsh._versions import InferenceVersion, LinkedVersion, Version, inference_write
from torsh.autograd import engine
from torsh.autograd.engine import Node, RemovableHandle
from torsh.autograd.grad_mode import thread
from torsh.device import as_device
from torsh.device import device as Device
from torsh.dispatch import Kind, Place, place_of, state

new = object.__new__


class Tensor(HasDictionary, metaclass=TensorMeta):
    """A multi-dimensional array of one dtype on one device.

    Make one with ``torsh.tensor``, ``torsh.zeros``, ``torsh.from_numpy`` and the like.
    Source: https://docs.pytorch.org/docs/stable/tensors.html

    >>> import torsh
    >>> torsh.Tensor([1, 2])  # always of the default dtype; torch.tensor keeps integers
    tensor([1., 2.])
    >>> torsh.tensor([[1, 2], [3, 4]]).sum(dim=0)
    tensor([4, 6])
    """

    __module__ = "torsh"

    _data: Any
    _kind: Kind
    _gf: Node | None = None  # the node that made this tensor; read through ``grad_fn`` where there may be views
    _nr: int = 0  # which output of that node
    _rg: bool = False
    _base: Tensor | None = None  # the tensor this is a view of (never itself a view)
    _vc: Version | None = None  # shared with views; None: never written and no view yet
    _kept: bool = False  # for as long as there is no _vc: whether a node has kept the tensor for its backward pass
    _gf_version: int = 0  # version of the memory when a view's _gf was made
    _replay: Callable[..., Any] | None = None  # for views that geometry cannot describe: base -> view
    _made: str | None = None  # why nobody may write to this view while recording: a key of ``views.REASONS``
    _detached: bool = False  # a view only in that it has a base: that of its own memory, outside the graph
    _bits: int = 0  # what a view leaves to be computed when it is read: ``lazy_conj.CONJ``, ``lazy_conj.NEG``
    _grad: Tensor | None = None
    _hooks: OrderedDict[int, Any] | None = None
    _post_accumulate_hooks: OrderedDict[int, Any] | None = None
    _accumulator: Any = None
    _retains: Any = None  # the hook of ``retain_grad``: (the node's hooks, the hook itself)
    _name: str | None = None
    _fw: dict[Any, Any] | None = None  # tangents by level of forward mode: see ``autograd._forward``
    _fw_own: bool = False  # a tangent that belongs to the memory of one tensor, and is written to with it
    _borrowed: bool = False  # whether the memory is another object's (an array's, a buffer's), which cannot grow

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
        if not cls.__dict__.get("_plain", False):
            from torsh._asking import noticed

            noticed(cls)

    # ---- what it is

    @property
    def shape(self) -> Size:
        """The length of each dimension.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.shape.html

        >>> import torsh
        >>> x = torsh.zeros(2, 3)
        >>> x.shape
        torsh.Size([2, 3])
        >>> rows, columns = x.shape
        """
        return sized(Size, self._data.shape)

    @property
    def dtype(self) -> dtypes.dtype:
        """The element type.

        Source: https://docs.pytorch.org/docs/stable/tensors.html

        >>> import torsh
        >>> torsh.tensor([1, 2]).dtype
        torsh.int64
        """
        return self._kind.dtype

    @property
    def device(self) -> Device:
        """Where the tensor lives.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.device.html

        >>> import torsh
        >>> torsh.zeros(1).device
        device(type='cpu')
        """
        return self._kind.device

    @property
    def ndim(self) -> int:
        """The number of dimensions.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.ndim.html

        >>> import torsh
        >>> torsh.zeros(2, 3).ndim
        2
        """
        return len(self._data.shape)

    def dim(self) -> int:
        """The number of dimensions.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.dim.html

        >>> import torsh
        >>> torsh.zeros(2, 3).dim()
        2
        """
        return len(self._data.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the length of one dimension.  Raises IndexError for a dimension that does not exist.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.size.html

        >>> import torsh
        >>> x = torsh.zeros(2, 3)
        >>> x.size(), x.size(1)
        (torsh.Size([2, 3]), 3)
        """
        if dim is None:
            return sized(Size, self._data.shape)
        shape = self._data.shape
        try:
            if -len(shape) <= dim < len(shape):
                return int(shape[dim])
        except TypeError:
            raise TypeError(f"size(): argument 'dim' (position 1) must be int, not {type(dim).__name__}") from None
        n = max(len(shape), 1)
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})"
            if shape
            else f"Dimension specified as {dim} but tensor has no dimensions"
        )

    def numel(self) -> int:
        """The number of elements.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.numel.html

        >>> import torsh
        >>> torsh.zeros(2, 3).numel()
        6
        """
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
        """Whether the layout is sparse COO; False for every dense tensor.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.is_sparse.html

        >>> import torsh
        >>> torsh.eye(2).is_sparse, torsh.eye(2).to_sparse().is_sparse
        (False, True)
        """
        return False

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether the elements lie in memory in row-major order, or in the order of a memory format.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.is_contiguous.html

        >>> import torsh
        >>> x = torsh.zeros(2, 3)
        >>> x.is_contiguous(), x.t().is_contiguous()
        (True, False)
        """
        if memory_format is None:
            return self._kind.backend.contiguous(self._data)
        from torsh.memory_format import is_contiguous

        return is_contiguous(self, memory_format)

    # ---- autograd

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor.  Only a leaf of floating or complex type may be set.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.requires_grad.html

        >>> import torsh
        >>> x = torsh.tensor([1.])
        >>> x.requires_grad = True
        >>> (x * 2).requires_grad
        True
        """
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
        if value and not thread.inference and self.is_inference():
            raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
        if value and not self._rg and self._vc is not None and self._base is None:
            from torsh.autograd.views import tell_views

            self._rg = True
            tell_views(self, False)
        self._rg = bool(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set ``requires_grad`` and return the tensor.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.requires_grad_.html

        >>> import torsh
        >>> torsh.tensor([1., 2.]).requires_grad_()
        tensor([1., 2.], requires_grad=True)
        """
        _no_transform("requires_grad_() (or perhaps using torch.autograd.functional.* APIs)", "requires_grad_()")
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor was made by the user rather than by a recorded operation.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.is_leaf.html

        >>> import torsh
        >>> x = torsh.tensor([1.], requires_grad=True)
        >>> x.is_leaf, (x + 1).is_leaf
        (True, False)
        """
        return self.grad_fn is None

    @property
    def grad_fn(self) -> Any:
        """The node that made this tensor, None for a leaf.

        Source: https://docs.pytorch.org/docs/stable/tensors.html

        >>> import torsh
        >>> x = torsh.tensor([1.], requires_grad=True)
        >>> x.grad_fn is None, (x + 1).grad_fn.name()
        (True, 'AddBackward0')
        """
        base = self._base
        if base is not None and self._gf_version != self._vc.version and base._rg and self._rg:  # type: ignore[union-attr]
            from torsh.autograd.views import regenerate

            regenerate(self)
        return self._gf

    @property
    def output_nr(self) -> int:
        """Which output of ``grad_fn`` this is.

        Source: https://docs.pytorch.org/docs/stable/tensors.html

        >>> import torsh
        >>> x = torsh.tensor([1., 2.], requires_grad=True)
        >>> x.unbind()[1].output_nr
        1
        """
        return self._nr

    @property
    def grad(self) -> Tensor | None:
        """The gradient accumulated by ``backward``, None before the first.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.grad.html

        >>> import torsh
        >>> x = torsh.tensor([1.], requires_grad=True)
        >>> x.grad is None
        True
        >>> (x * 3).backward()
        >>> x.grad
        tensor([3.])
        """
        found = self._grad
        if found is None and self._gf is not None and self._retains is None:
            warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be populated "
                "during autograd.backward(). If you want it to be, use .retain_grad() on the tensor; if you access it by mistake, "
                "make sure you access the leaf Tensor instead."
            )
        return found

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
                )
            if value is self:
                raise RuntimeError("can't assign Variable as its own grad")
            if value._kind is not self._kind:
                raise RuntimeError(
                    f"attempting to assign a gradient with dtype '{value.dtype}' on {value.device} to a tensor with grad_dtype "
                    f"'{self.dtype}' on {self.device}. The gradient must match; convert it with .to(tensor)"
                )
            if value.shape != self.shape:
                raise RuntimeError(
                    f"attempting to assign a gradient of size '{list(value.shape)}' to a tensor of size '{list(self.shape)}'. Please "
                    "ensure that the gradient and the tensor are the same size"
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
        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html

        >>> import torsh
        >>> x = torsh.tensor([1., 2.], requires_grad=True)
        >>> (x ** 2).sum().backward()
        >>> x.grad
        tensor([2., 4.])
        """
        from torsh.autograd import backward

        backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(grad)`` whenever a gradient for this tensor is computed; a result replaces the gradient.

        The result is a handle with ``remove()``. The tensor must require grad, else RuntimeError.
        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.register_hook.html

        >>> import torsh
        >>> x = torsh.tensor([1.], requires_grad=True)
        >>> handle = x.register_hook(lambda g: g * 10)
        >>> x.sum().backward()
        >>> x.grad
        tensor([10.])
        """
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
        """Call ``hook(tensor)`` after this leaf's ``.grad`` was updated.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.register_post_accumulate_grad_hook.html

        >>> import torsh
        >>> x = torsh.tensor([1.], requires_grad=True)
        >>> handle = x.register_post_accumulate_grad_hook(lambda p: print(p.grad))
        >>> (2 * x).backward()
        tensor([2.])
        """
        if not self._rg:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self.grad_fn is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if self._post_accumulate_hooks is None:
            self._post_accumulate_hooks = OrderedDict()
        return RemovableHandle(self._post_accumulate_hooks, hook)

    def retain_grad(self) -> None:
        """Keep the gradient of this non-leaf in ``.grad`` too.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.retain_grad.html

        >>> import torsh
        >>> x = torsh.tensor([1.], requires_grad=True)
        >>> y = x * 2
        >>> y.retain_grad()
        >>> (y ** 2).backward()
        >>> y.grad
        tensor([4.])
        """
        _no_transform("retain_grad()", "retain_grad()")
        if not self._rg:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self._retains or self.grad_fn is None:
            return
        me = weakref.ref(self)

        def keep(g: Tensor) -> None:
            t = me()
            if t is not None:
                t._grad = g if t._grad is None else t._grad + g

        self._retain_with(keep)

    def _retain_with(self, keep: Callable[..., Any]) -> None:
        """Hang the hook of ``retain_grad`` on the node that makes the tensor now."""
        if self._retains is not None and self._retains[0].get(engine.LAST) is self._retains[1]:
            del self._retains[0][engine.LAST]
        node = self._gf
        assert node is not None
        if node.tensor_hooks is None:
            node.tensor_hooks = {}
        hooks = node.tensor_hooks.setdefault(self._nr, OrderedDict())
        hooks[engine.LAST] = keep
        self._retains = (hooks, keep)

    @property
    def retains_grad(self) -> bool:
        """Whether this is a non-leaf whose gradient is kept.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.retains_grad.html

        >>> import torsh
        >>> x = torsh.tensor([1.], requires_grad=True) * 2
        >>> x.retains_grad
        False
        """
        return self._retains is not None

    def detach(self) -> Tensor:
        """The same memory outside the graph; writing to either is seen by both.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.detach.html

        >>> import torsh
        >>> x = torsh.tensor([1., 2.], requires_grad=True)
        >>> (x * 2).detach()
        tensor([2., 4.])
        """
        if state.watched:
            from torsh import _torch_dispatch

            if (found := _torch_dispatch.detached(self)) is not None:
                return found
        t = self._alias()
        if (vc := t._vc) is not None and type(vc) is not InferenceVersion:
            t._vc = LinkedVersion(vc.root)
        if self._base is not None:
            # Only of a view it is asked whether its elements share memory: one that may stays a view, of itself.
            backend = t._kind.backend
            alone = backend.contiguous(t._data) or 0 not in backend.strides(t._data)
            t._base = None
            if not alone:
                t._base, t._detached = self._alias(), True
        return t

    def detach_(self) -> Tensor:
        """Take this tensor out of the graph; it becomes a leaf that does not require grad.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.detach_.html

        >>> import torsh
        >>> x = torsh.tensor([1.], requires_grad=True) * 2
        >>> x.detach_().requires_grad
        False
        """
        if self._base is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self._gf, self._nr, self._rg, self._fw = None, 0, False, None
        return self

    @property
    def data(self) -> Tensor:
        """The same memory outside the graph, whose writes autograd does not see.

        Source: https://docs.pytorch.org/docs/stable/tensors.html

        >>> import torsh
        >>> x = torsh.tensor([1.], requires_grad=True)
        >>> x.data.requires_grad
        False
        """
        t = new(Tensor)
        t._data, t._kind = self._data, self._kind
        t._rg = False
        if self.is_inference():
            t._vc = self._vc
        return t

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if self._rg and not value._kind.inexact:
            raise RuntimeError(
                f"data set to a tensor that requires gradients must be floating point or complex dtype; this is {value.dtype}"
            )
        if (
            value.is_sparse is not self.is_sparse
            or value._kind.place is not self._kind.place
            and value.device.type == "meta"
        ):
            raise RuntimeError(
                "Attempted to call `variable.set_data(tensor)`, but `variable` and `tensor` have incompatible tensor type."
            )
        self._data, self._kind = value._data, value._kind

    @data.deleter
    def data(self) -> None:
        raise RuntimeError("Deleting tensor data is not allowed. Delete tensor instead!")

    @property
    def _version(self) -> int:
        if self.is_inference():
            raise RuntimeError("Inference tensors do not track version counter.")
        return 0 if self._vc is None else self._vc.version

    def is_inference(self) -> bool:
        """Whether the tensor was made in inference mode.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.is_inference.html

        >>> import torsh
        >>> with torsh.inference_mode():
        ...     print(torsh.zeros(1).is_inference())
        True
        """
        return type(self._vc) is InferenceVersion

    def _is_view(self) -> bool:
        return self._base is not None and not self._detached and not self.is_inference()

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """The Array API namespace that takes this tensor: ``torsh.array_api``."""
        from torsh.array_api._array import namespace

        return namespace(api_version)

    # ---- plumbing for ops

    def _alias(self) -> Tensor:
        """A plain tensor with the same memory and version, without history."""
        if state.watched and type(self) not in PLAIN:
            from torsh import _torch_dispatch

            if _torch_dispatch.asks(type(self)):  # its values may be elsewhere
                return _torch_dispatch.copied(self)
        t = new(Tensor)
        t._data, t._kind = self._data, self._kind
        t._rg = False
        t._vc = version_of(self)
        return t

    def _bump(self, writer: str, caller: Any = None) -> None:
        """Note a write to this tensor's memory.

        caller: the frame that asked for it (or ``calling``: the innermost that is not torsh's); default: the one that called this
        function's caller.  Kept are its code and place in it, never the frame, which would keep the program's variables; and
        only for memory that some node may have kept: looking for a frame takes 0.1 to 0.4 us.
        """
        vc = self._vc
        if vc is None:
            vc = self._vc = Version((self._gf, self._nr) if self._gf is not None else None, self._kept)
        vc.version += 1
        owner = self if self._base is None else self._base
        gf, source = owner._gf, vc.source
        if gf is None and source is None and not vc.kept:
            return
        if caller is None:
            caller = _frame(2)
        elif caller is calling:
            caller = calling()
        write = vc.write = (writer, caller.f_code, caller.f_lasti)
        if source is not None:
            node, number = source
            node.dirty = {**(node.dirty or {}), number: write}
        if gf is not None and (source is None or source[0] is not gf):
            gf.dirty = {**(gf.dirty or {}), owner._nr: write}

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        from torsh import overrides

        return overrides.default(cls, func, types, args, kwargs)

    @staticmethod
    def __torch_dispatch__(func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operator as if there were no subclasses; subclasses put their own in its place (see ``_torch_dispatch``)."""
        from torsh import _torch_dispatch

        with _torch_dispatch.no_dispatch():
            return func(*args, **(kwargs or {}))


class _ParameterMeta(TensorMeta):
    """Tensors of other classes are parameters too, once ``Parameter`` has made them so."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return type.__instancecheck__(cls, instance) or (
            cls is Parameter and isinstance(instance, Tensor) and getattr(instance, "_is_param", False)
        )


class Parameter(Tensor, metaclass=_ParameterMeta):
    """A tensor that a module lists among its parameters.

    data: the values (default: an empty tensor).  requires_grad: whether gradients are computed for it.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html

    >>> import torsh
    >>> from torsh import nn
    >>> module = nn.Module()
    >>> module.scale = nn.Parameter(torsh.ones(2))
    >>> list(module.parameters())
    [Parameter containing:
    tensor([1., 1.], requires_grad=True)]
    """

    _plain = True
    __module__ = "torsh.nn.parameter"

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:
        if data is None:
            from torsh.ops.creation import empty

            data = empty(0)
        if not isinstance(data, Tensor):
            raise TypeError(f"Parameter(): argument 'data' must be Tensor, not {type(data).__name__}")
        if data._bits:
            data = data.detach().clone()
        t: Any = new(cls)
        if type(data) not in PLAIN and not isinstance(data, Parameter):
            t = data.detach()
            if t is data or type(t) is not type(data):
                if type(data).__torch_dispatch__ is not Tensor.__torch_dispatch__:
                    raise RuntimeError(
                        f"Creating a Parameter from an instance of type {type(data).__name__} requires that detach() returns an instance "
                        f"of the same type, but return type {type(t).__name__} was found instead. To use the type as a Parameter, please "
                        "correct the detach() semantics defined by its __torch_dispatch__() implementation."
                    )
                t, plain = new(type(data)), t
                held(t).update(held(plain))
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
    if type(raw) is not place.raw_type:
        raw = place.backend.as_raw(raw)
    t = new(Tensor)
    t._data = raw
    told = place.told
    t._kind = (told.get(raw.dtype) if told else None) or place.kind_of(raw)
    t._rg = False
    return t


def memory_of(t: Tensor) -> Any:
    """The raw array over a tensor's memory: ``_data``, except where a conjugation or negation is still to be computed."""
    return t._memory if t._bits else t._data


def version_of(t: Tensor) -> Version:
    """The version object of a tensor, made now if it has none yet."""
    vc = t._vc
    if vc is None:
        vc = t._vc = Version((t._gf, t._nr) if t._gf is not None else None, t._kept)
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
    if base._made is not None:
        view._made = base._made
    if base._rg and not thread.enabled and view._kind.inexact:
        view._rg, view._made = root._rg, view._made or "no_grad"
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
    t._rg = False
    return t


def _no_transform(call: str, again: str) -> None:
    """Raise where a program's function that is being transformed (``torsh.func``) steers reverse mode by hand."""
    functions = sys.modules.get("torsh.autograd.function")
    if functions is not None and functions.inside_transform() and not is_ours(caller(1).f_code):
        raise RuntimeError(
            f"You are attempting to call Tensor.{call} inside of a function being transformed by a functorch transform. This is "
            "unsupported, please attempt to use the functorch transforms (e.g. grad, vjp, jacrev, jacfwd, hessian) or call "
            f"{again} outside of a function being transformed instead."
        )


def check_writable(t: Tensor, name: str, incoming: bool = False) -> None:
    """Raise where PyTorch refuses to write in place: a leaf that requires grad, or a view of one; a view that cannot tell
    its base about the write; an inference tensor in normal mode.

    incoming: whether what is written requires grad.
    """
    if not thread.inference and type(t._vc) is InferenceVersion:
        raise inference_write()
    if not thread.enabled or not (t._rg or incoming):
        return
    if hasattr(t, "_physical"):  # an example under vmap: the batch behind it has the history
        check_writable(t._physical, name, incoming)
        return
    base = t._base
    if base is not None:
        if t._made is not None:
            from torsh.autograd.views import forbidden

            raise forbidden(t)
        if t._rg and base._gf is None:
            raise RuntimeError(
                f"a view of a leaf Variable that requires grad is being used in an in-place operation ({name}). Write inside "
                "torch.no_grad(), or clone the leaf first"
            )
    elif t._rg and t._gf is None:
        raise RuntimeError(
            f"a leaf Variable that requires grad is being used in an in-place operation ({name}). Write inside "
            "torch.no_grad(), or clone it first"
        )


def overlaps(t: Tensor) -> bool:
    """Whether a view's elements share memory, as those of an expanded one do."""
    backend = t._kind.backend
    raw = t._memory if t._bits else t._data
    if backend.contiguous(raw):
        return False
    if hasattr(t, "_physical"):  # an example under vmap
        return overlaps(t._physical)
    shape, strides, _ = backend.geometry(raw)
    return any(s == 0 and n > 1 for n, s in zip(shape, strides))


def check_overlap(t: Tensor) -> None:
    """Raise for a view whose elements share memory: writing to it has no meaning."""
    if overlaps(t):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )


def check_apart(t: Tensor, operand: Tensor, same: bool = True) -> None:
    """Raise where an operand's memory overlaps that of the written tensor in part (not at all and altogether are fine).

    same: False where the same memory altogether will not do either.
    As in PyTorch only tensors that fill their memory without gaps are compared.
    """
    if operand is t:
        if same:
            return
    elif operand._vc is not t._vc or t._vc is None or operand._kind.place is not t._kind.place:
        return
    if not t.numel() or not operand.numel():
        return
    mine, other = t._kind.backend.geometry(memory_of(t)), operand._kind.backend.geometry(memory_of(operand))
    if not (_dense(*mine[:2]) and _dense(*other[:2])):
        return
    start, end = mine[2], mine[2] + t.numel() * t._kind.dtype.itemsize
    start2, end2 = other[2], other[2] + operand.numel() * operand._kind.dtype.itemsize
    if start < end2 and start2 < end and not (same and (start, end, mine[1]) == (start2, end2, other[1])):
        raise RuntimeError(
            "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )


def check_memory(t: Tensor, name: str, operands: Any, rules: Any) -> None:
    """Raise, or warn, where what an op writes shares memory: see ``derive_inplace`` for the rules."""
    if t._base is not None:
        if "alike" not in rules:
            check_overlap(t)
        elif overlaps(t):
            warn(
                f"Use of {name} on expanded tensors is deprecated. Please clone() the tensor before performing this operation. This "
                "also applies to advanced indexing e.g. tensor[indices] = tensor"
            )
    if "apart" in rules or "apart-or-same" in rules:
        for a in operands[:-1] if "valued" in rules else operands:
            for one in a if type(a) in (tuple, list) else (a,):
                if isinstance(one, Tensor):
                    check_apart(t, one, "apart-or-same" in rules)


def _dense(shape: Any, strides: Any) -> bool:
    """Whether elements fill their memory without gaps and without sharing it, in whatever order of dimensions."""
    expected = 1
    for stride, n in sorted((s, n) for n, s in zip(shape, strides) if n != 1):
        if stride != expected:
            return False
        expected *= n
    return True


def uncastable(found: dtypes.dtype, wanted: dtypes.dtype, name: str) -> RuntimeError:
    """The error for a result that its tensor cannot store."""
    return RuntimeError(
        f"result type {dtypes.scalar_name(found)} can't be cast to the desired output type {dtypes.scalar_name(wanted)}; "
        f"use the form of {name} that is not in place"
    )


def overwrite(t: Tensor, result: Tensor, name: str, alike: bool = False) -> Tensor:
    """Give ``t`` the values and the history of ``result``, which an op computed from it: the in-place form of any op.

    alike: whether elements that share memory may be written, since they get the same value.
    """
    check_writable(t, name, result._rg)
    if t._base is not None and not alike:
        check_overlap(t)
    if tuple(result._data.shape) != tuple(t._data.shape):
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
    if state.watched and type(t) not in PLAIN:
        from torsh import _torch_dispatch

        if _torch_dispatch.assigned(t, result):
            wrote(t, result, name)
            return t
    if type(result) not in PLAIN and (refuse := getattr(result, "_refuse_into", None)) is not None:
        refuse(t, name)
    t._kind.backend.write(t._data, result._data)
    wrote(t, result, name)
    return t


def wrote(t: Tensor, result: Tensor | None, name: str) -> None:
    """Note that ``t``'s memory was written with the values of ``result`` (None: values without history)."""
    t._bump(name, calling)
    if thread.enabled and (t._rg or (result is not None and result._rg)):
        from torsh.autograd.views import rebase

        rebase(t, result)
    if state.levels:
        from torsh.autograd._forward import wrote as follow

        follow(t, result)


__all__ = [
    "PLAIN", "Device", "Parameter", "Size", "Tensor", "Version", "assign", "check_writable", "dispatch", "engine",
    "from_host", "overwrite", "shared", "sys", "version_of", "wrap", "wrote",
]  # fmt: skip
