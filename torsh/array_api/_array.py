"""The array object of the standard: a Tensor whose operators follow the standard where PyTorch's differ."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import torsh
from torsh._attributes import held
from torsh.overrides import _disabled_torch_function_impl
from torsh.tensor import Tensor


class Array(Tensor):
    """A Tensor as the Array API standard sees it.

    ``size`` is the number of elements, ``device`` and ``dtype`` are as always; operators follow the standard's special cases.
    Every Tensor can be passed to the namespace's functions; what they return is of this class.
    """

    _plain = True
    __module__ = "torsh.array_api"
    __torch_function__ = _disabled_torch_function_impl  # type: ignore[assignment]

    @property
    def size(self) -> int:  # type: ignore[override]
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """The length of each dimension."""
        return tuple(self._data.shape)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """The namespace this array belongs to."""
        return namespace(api_version)

    def to_device(self, device: Any, /, *, stream: Any = None) -> Array:
        """The array on another device."""
        return as_array(Tensor.to(self, device))

    def __getitem__(self, key: Any) -> Array:
        key = tuple(_plain_index(k) for k in key) if isinstance(key, tuple) else _plain_index(key)
        if _steps_back(key):
            return as_array(_backwards(plain(self), key if isinstance(key, tuple) else (key,)))
        if _is_empty_mask(key, self.shape):
            return as_array(plain(self).new_empty((0, *self.shape[key.ndim :])))
        return as_array(plain(self)[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        key = tuple(_plain_index(k) for k in key) if isinstance(key, tuple) else _plain_index(key)
        value = plain(value) if isinstance(value, Tensor) else value
        if isinstance(value, Tensor) and value.dtype is not self.dtype:
            value = value.to(self.dtype)
        if _steps_back(key):
            # The elements' positions, taken backwards, say where to write.
            count = math.prod(self.shape)
            where = _backwards(
                torsh.arange(count, device=self.device).reshape(self.shape), key if isinstance(key, tuple) else (key,)
            )
            flat = plain(self).reshape(-1)
            flat[where.reshape(-1)] = (
                value.expand(where.shape).reshape(-1)
                if isinstance(value, Tensor)
                else torsh.full((where.numel(),), value, dtype=self.dtype)
            )
            if flat.data_ptr() != self.data_ptr():
                plain(self).copy_(flat.reshape(self.shape))
            return
        if not _is_empty_mask(key, self.shape):
            plain(self)[key] = value

    def __repr__(self) -> str:  # type: ignore[override]
        return repr(plain(self)).replace("tensor(", "Array(", 1)

    __hash__ = Tensor.__hash__

    def __iter__(self) -> Any:
        if not self.shape:
            raise TypeError("iteration over a 0-d array")
        return iter([self[i] for i in range(self.shape[0])])


def namespace(api_version: str | None = None) -> Any:
    """``torsh.array_api``, for a version of the standard it implements."""
    if api_version not in (None, "2021.12", "2022.12", "2023.12", "2024.12", "2025.12"):
        raise ValueError(
            f"unsupported version of the Array API standard: {api_version!r}; 2021.12 to 2025.12 are implemented"
        )
    import torsh.array_api

    return torsh.array_api


def _is_empty_mask(key: Any, shape: tuple[int, ...]) -> bool:
    """Whether a mask selects nothing since it is empty where the array is not, which PyTorch refuses."""
    return (
        isinstance(key, Tensor)
        and key.dtype is torsh.bool
        and 0 < key.ndim <= len(shape)
        and key.shape != shape[: key.ndim]
        and all(k in (n, 0) for k, n in zip(key.shape, shape))
    )


def _plain_index(k: Any) -> Any:
    return plain(k) if isinstance(k, Tensor) else k


def _steps_back(key: Any) -> bool:
    return any(
        isinstance(k, slice) and k.step is not None and k.step < 0 for k in (key if isinstance(key, tuple) else (key,))
    )


def _backwards(x: Tensor, key: tuple[Any, ...]) -> Tensor:
    """Basic indexing with negative steps, which PyTorch does not have: flipped dimensions, indexed forwards."""
    used = sum(k is not None and k is not Ellipsis for k in key)
    if Ellipsis in [k for k in key if not isinstance(k, Tensor)]:
        at = next(i for i, k in enumerate(key) if k is Ellipsis)
        key = (*key[:at], *(slice(None),) * (x.ndim - used), *key[at + 1 :])
    forwards, dim = [], 0
    for k in key:
        if k is None:
            forwards.append(k)
            continue
        n = x.shape[dim]
        if isinstance(k, slice) and k.step is not None and k.step < 0:
            picked = range(n)[k]
            x = x.flip(dim)
            k = slice(n - 1 - picked[0], n - picked[-1], -k.step) if len(picked) else slice(0, 0)
        forwards.append(k)
        dim += 1
    return x[tuple(forwards)]


def plain(x: Any) -> Any:
    """The same memory as an ordinary Tensor."""
    if type(x) is not Array:
        return x
    t = object.__new__(Tensor)
    held(t).update(held(x))
    return t


def as_array(x: Any) -> Any:
    """The same memory as an Array; sequences item by item."""
    if isinstance(x, Array):
        return x
    if isinstance(x, Tensor):
        if x._bits:
            x = x.clone()
        t = object.__new__(Array)
        held(t).update(held(x))
        return t
    if isinstance(x, tuple):
        parts = [as_array(y) for y in x]
        return type(x)(*parts) if hasattr(x, "_fields") else tuple(parts)
    return [as_array(y) for y in x] if isinstance(x, list) else x


def standard(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function plain tensors and make its result Arrays."""

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        return as_array(fn(*[_down(a) for a in args], **{k: _down(v) for k, v in kwargs.items()}))

    return call


def _down(x: Any) -> Any:
    if type(x) is Array:
        return plain(x)
    if type(x) in (list, tuple):
        return type(x)(_down(y) for y in x)
    return x


def attach_operators(elementwise: Any) -> None:
    """Operators from the functions of the same meaning."""
    binary = {
        "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide", "mod": "remainder",
        "pow": "pow", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor", "lshift": "bitwise_left_shift",
        "rshift": "bitwise_right_shift", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
        "eq": "equal", "ne": "not_equal",
    }  # fmt: skip
    for operator, name in binary.items():
        function = getattr(elementwise, name)
        setattr(Array, f"__{operator}__", _operator(function))
        if operator in ("lt", "le", "gt", "ge", "eq", "ne"):
            continue
        setattr(Array, f"__r{operator}__", _operator(function, reflected=True))
        setattr(Array, f"__i{operator}__", _augmented(function))
    for operator, name in {"abs": "abs", "neg": "negative", "pos": "positive", "invert": "bitwise_invert"}.items():
        function = getattr(elementwise, name)
        setattr(Array, f"__{operator}__", lambda self, function=function: function(self))
    matmul = standard(torsh.matmul)
    Array.__matmul__ = _operator(matmul)  # type: ignore[attr-defined]
    Array.__rmatmul__ = _operator(matmul, reflected=True)  # type: ignore[attr-defined]
    Array.__imatmul__ = _augmented(matmul)  # type: ignore[attr-defined]


def _operator(function: Callable[..., Any], reflected: bool = False) -> Callable[..., Any]:
    def method(self: Any, other: Any) -> Any:
        if not isinstance(other, (Tensor, bool, int, float, complex)):
            return NotImplemented
        return function(other, self) if reflected else function(self, other)

    return method


def _augmented(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: Any, other: Any) -> Any:
        if not isinstance(other, (Tensor, bool, int, float, complex)):
            return NotImplemented
        result = function(self, other)
        if result.dtype is not self.dtype or result.shape != self.shape:
            raise TypeError(
                f"in-place operation on {self.dtype} of shape {self.shape} would give {result.dtype} of shape {result.shape}"
            )
        plain(self).copy_(plain(result))
        return self

    return method
