"""Parameters and buffers, also those whose shape is not known yet."""

from __future__ import annotations

from typing import Any

from torsh._attributes import TensorMeta, held
from torsh.tensor import Parameter, Tensor, new


class _BufferMeta(TensorMeta):
    # A buffer is an ordinary tensor with a mark, so that ops on it take the short path.
    def __instancecheck__(cls, instance: object) -> bool:
        if cls is not Buffer:
            return super().__instancecheck__(instance)
        return isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)


class Buffer(Tensor, metaclass=_BufferMeta):
    """A tensor that a module lists among its buffers when it is assigned as an attribute.

    data: the values.  persistent: whether the buffer is part of the module's ``state_dict``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.Buffer.html

    >>> import torsh
    >>> from torsh import nn
    >>> module = nn.Module()
    >>> module.total = nn.Buffer(torsh.zeros(2))
    >>> module.state_dict()
    OrderedDict([('total', tensor([0., 0.]))])
    """

    _plain = True

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        if data is None:
            from torsh.ops.creation import empty

            data = empty(0)
        t = data.detach().requires_grad_(data.requires_grad)
        t.persistent = persistent
        t._is_buffer = True
        return t


class UninitializedTensorMixin:
    """A parameter or buffer without values: its shape comes with ``materialize``."""

    cls_to_become: type | None = None
    _lazy = True

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become an ordinary parameter or buffer of a shape, values undefined, in place."""
        from torsh.ops.creation import empty

        made = empty(shape, dtype=dtype or self.dtype, device=device or self.device)  # type: ignore[attr-defined]
        held(self).update(_data=made._data, _kind=made._kind)
        self.__class__ = self.cls_to_become  # type: ignore[assignment]

    @property
    def shape(self) -> Any:
        """Raises: there is no shape yet."""
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `load_state_dict` "
            "when trying to load an uninitialized parameter into an initialized one. Call `forward` to initialize the "
            "parameters before accessing their attributes."
        )

    def share_memory_(self) -> Any:
        """PyTorch's name; raises, since there is no memory yet."""
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters before "
            "calling `module.share_memory()`."
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, proto: Any) -> Any:
        return (type(self), (self.requires_grad,))  # type: ignore[attr-defined]

    # What one may ask of a tensor without shape; anything else is an error that says so.
    _allowed = frozenset(
        {
            "requires_grad", "requires_grad_", "dtype", "device", "is_leaf", "grad", "data", "to", "cpu", "cuda", "half",
            "float", "double", "bfloat16", "_kind", "_data", "_rg", "_gf", "_grad", "_lazy", "_base", "_vc", "_plain",
            "materialize", "share_memory_", "shape", "cls_to_become", "is_sparse", "detach", "_alias", "register_hook",
            "_allowed", "persistent", "_is_buffer", "copy_", "type", "layout", "_hooks", "is_cuda", "_in",
            "size", "grad_fn", "retains_grad", "_retains", "is_complex", "is_floating_point", "char", "short", "int", "long",
            "get_device", "_version", "_is_param",
        }
    )  # fmt: skip

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("__") and name not in UninitializedTensorMixin._allowed:
            raise ValueError(
                f"Attempted to use an uninitialized parameter in {name}. This error happens when you are using a "
                "`LazyModule` or explicitly manipulating `torch.nn.parameter.UninitializedParameter` objects. When using "
                "LazyModules Call `forward` with a dummy batch to initialize the parameters before calling torch functions"
            )
        return object.__getattribute__(self, name)


def _shapeless(cls: type, requires_grad: bool, device: Any, dtype: Any) -> Any:
    from torsh.ops.creation import empty

    data = empty(0, device=device, dtype=dtype)
    t = new(cls)
    t._data, t._kind = data._data, data._kind
    if requires_grad:
        t._rg = True
    return t


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape is not known yet; lazy modules use it.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.UninitializedParameter.html

    >>> from torsh import nn
    >>> weight = nn.UninitializedParameter()
    >>> weight.materialize((2, 3))
    >>> weight.shape
    torsh.Size([2, 3])
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        return _shapeless(cls, requires_grad, device, dtype)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, self.device, self.dtype)
        return memo[id(self)]


class UninitializedBuffer(UninitializedTensorMixin, Tensor):
    """A buffer whose shape is not known yet; lazy modules use it.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.UninitializedBuffer.html

    >>> from torsh import nn
    >>> buffer = nn.UninitializedBuffer()
    >>> buffer.materialize((2, 3))
    >>> buffer.shape
    torsh.Size([2, 3])
    """

    cls_to_become = Tensor

    def __new__(
        cls, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> Any:
        t = _shapeless(cls, requires_grad, device, dtype)
        t.persistent, t._is_buffer = persistent, True
        return t

    def __reduce_ex__(self, proto: Any) -> Any:
        return (type(self), (self.requires_grad, self.device, self.dtype))


def is_lazy(param: Any) -> bool:
    """Whether a parameter or buffer has no shape yet."""
    return isinstance(param, UninitializedTensorMixin)


__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]
