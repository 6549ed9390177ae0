"""Quantized tensors: small integers that stand for ``(q - zero_point) * scale``.

The memory of a quantized tensor holds the integers (so views, strides and writes are those of any tensor); its kind has the
quantized dtype, and its quantizer says what the integers mean.  Types that share bytes (``quint4x2``, ``quint2x4``) keep one
integer per byte here and are packed only where their memory is asked for.
Source: https://docs.pytorch.org/docs/stable/quantization.html
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from torsh import dtypes
from torsh._over_dense import sharing
from torsh.dispatch import Kind, Place
from torsh.dtypes import dtype as Dtype
from torsh.tensor import Tensor, new, version_of, wrote


class _SchemeMeta(type):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("cannot create 'torch.qscheme' instances")


class qscheme(metaclass=_SchemeMeta):
    """How a tensor is quantized: ``torch.per_tensor_affine`` and its like.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.per_tensor_affine
    torsh.per_tensor_affine
    """

    __module__ = "torsh"
    __slots__ = ("name",)
    name: str

    def __repr__(self) -> str:
        return f"{dtypes.namespace}.{self.name}"

    def __reduce__(self) -> Any:
        return (_scheme, (self.name,))


def _scheme(name: str) -> qscheme:
    return SCHEMES[name]


def _make_scheme(name: str) -> qscheme:
    scheme: qscheme = object.__new__(qscheme)
    scheme.name = name
    return scheme


SCHEMES = {
    name: _make_scheme(name)
    for name in (
        "per_tensor_affine", "per_channel_affine", "per_tensor_symmetric", "per_channel_symmetric",
        "per_channel_affine_float_qparams",
    )
}  # fmt: skip
per_tensor_affine = SCHEMES["per_tensor_affine"]
per_channel_affine = SCHEMES["per_channel_affine"]
per_tensor_symmetric = SCHEMES["per_tensor_symmetric"]
per_channel_symmetric = SCHEMES["per_channel_symmetric"]
per_channel_affine_float_qparams = SCHEMES["per_channel_affine_float_qparams"]

# dtype -> (the integers in memory, smallest and largest level, elements per byte)
LEVELS: dict[Dtype, tuple[Dtype, int, int, int]] = {
    dtypes.qint8: (dtypes.int8, -128, 127, 1),
    dtypes.quint8: (dtypes.uint8, 0, 255, 1),
    dtypes.qint32: (dtypes.int32, -(2**31), 2**31 - 1, 1),
    dtypes.quint4x2: (dtypes.uint8, 0, 15, 2),
    dtypes.quint2x4: (dtypes.uint8, 0, 3, 4),
}


def not_quantized(name: str, backend: str = "CPU") -> NotImplementedError:
    """The error for asking a tensor that is not quantized for what only quantized ones have, or the reverse."""
    advice = (
        "quantize it first, e.g. with torch.quantize_per_tensor" if backend == "CPU" else "call .dequantize() first"
    )
    return NotImplementedError(f"Could not run 'aten::{name}' with arguments from the '{backend}' backend. {advice}")


def expected(scheme: str) -> RuntimeError:
    """The error for a quantizer of the wrong sort."""
    return RuntimeError(
        f"Expected quantizer->qscheme() == {scheme} to be true, but got false. The operation is for tensors quantized that way"
    )


@dataclass(frozen=True, eq=False)
class PerTensor:
    """One scale and zero point for all elements."""

    scale: float
    zero_point: int
    scheme = per_tensor_affine

    def check(self, dtype: Dtype) -> None:
        """Raise RuntimeError for a zero point that is no level of the type."""
        name = "quantize_tensor_per_tensor_affine"
        _, low, high, _ = LEVELS[dtype]
        if self.zero_point > high:
            raise RuntimeError(
                f"{name} zero_point {self.zero_point} is above upper bound. The largest for {dtype} is {high}"
            )
        if self.zero_point < low:
            raise RuntimeError(
                f"{name} zero_point {self.zero_point} is below lower bound. The smallest for {dtype} is {low}"
            )

    def levels(self, x: Tensor, dtype: Dtype) -> Tensor:
        """The integers for float32 values."""
        import torsh

        stored, low, high, per_byte = LEVELS[dtype]
        # In float32, as PyTorch: times the inverse, plus the zero point, then rounded half to even; types that share bytes: rounded first.
        inverse = torsh.tensor(1.0, dtype=torsh.float32, device=x.device) / torsh.tensor(
            self.scale, dtype=torsh.float32, device=x.device
        )
        if per_byte > 1:
            return ((x * inverse).round() + self.zero_point).clamp(low, high).to(stored)
        return (x * inverse + self.zero_point).round().double().clamp(low, high).to(stored)

    def values(self, q: Tensor) -> Tensor:
        """The float32 values of the integers."""
        import torsh

        # Levels of 32 bits round to float32 after the shift, as in PyTorch.
        shifted = (q.long() - self.zero_point).to(torsh.float32)
        return shifted * torsh.tensor(self.scale, dtype=torsh.float32, device=q.device)


@dataclass(frozen=True, eq=False)
class PerChannel:
    """A scale and a zero point for every index along an axis; floating zero points are rounded with the value."""

    scales: Tensor
    zero_points: Tensor
    axis: int

    @property
    def floating(self) -> bool:
        """Whether the zero points are floating point numbers."""
        return self.zero_points.is_floating_point()

    @property
    def scheme(self) -> qscheme:
        """``per_channel_affine``, with floating zero points ``per_channel_affine_float_qparams``."""
        return per_channel_affine_float_qparams if self.floating else per_channel_affine

    def _spread(self, parameter: Tensor, ndim: int) -> Tensor:
        return parameter.reshape([-1 if i == self.axis else 1 for i in range(ndim)])

    def levels(self, x: Tensor, dtype: Dtype) -> Tensor:
        """The integers for float32 values."""
        import torsh

        stored, low, high, _ = LEVELS[dtype]
        scale = self._spread(self.scales.to(torsh.float32), x.ndim)
        zero = self._spread(self.zero_points, x.ndim)
        if self.floating or stored is dtypes.int32:
            return (x * (1.0 / scale) + zero).round().double().clamp(low, high).to(stored)
        return ((x * (1.0 / scale)).round() + zero).clamp(low, high).to(stored)

    def values(self, q: Tensor) -> Tensor:
        """The float32 values of the integers."""
        import torsh

        scale = self._spread(self.scales.to(torsh.float32), q.ndim)
        zero = self._spread(self.zero_points, q.ndim)
        if self.floating:
            return (q.to(torsh.float32) - zero) * scale
        return (q.long() - zero).to(torsh.float32) * scale


Quantizer = PerTensor | PerChannel


@functools.cache
def _kind(place: Place, dtype: Dtype) -> Kind:
    """The kind of a quantized dtype: backends hold its integers, so they offer no such type themselves."""
    return Kind(place, dtype)


class QuantizedTensor(Tensor):
    """A tensor of integers with a quantizer."""

    _plain = True
    _quantizer: Quantizer

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        from torsh.quantized._rules import call

        return call(func, args, kwargs or {})

    @property
    def is_quantized(self) -> bool:  # type: ignore[override]
        """True."""
        return True

    @property
    def requires_grad(self) -> bool:  # type: ignore[override]
        """False: quantized tensors have no gradients."""
        return False

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value:
            raise RuntimeError(f"only Tensors of floating point dtype can require gradients; this one is {self.dtype}")

    @property
    def data(self) -> Tensor:
        """The same memory."""
        return self._alias()

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, QuantizedTensor):
            raise RuntimeError(
                "Attempted to call `variable.set_data(tensor)`, but `tensor` is not quantized as `variable` is"
            )
        self._data, self._kind, self._quantizer = value._data, value._kind, value._quantizer

    def _alias(self) -> Tensor:
        return raw(ints(self), self.dtype, self._quantizer)

    def _assign(self, result: Any, name: str) -> Tensor:
        """Write in place: the values of the result, in the levels this tensor has."""
        if isinstance(result, QuantizedTensor):
            result = dequantized(result)
        found = self._quantizer.levels(result, self.dtype)
        self._kind.backend.write(self._data, found._data)
        wrote(self, None, name)
        return self

    def type(self, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        """The legacy name, such as ``torch.quantized.QUInt8Tensor``."""
        if dtype is None:
            return f"torch.quantized.{dtypes.scalar_name(self.dtype)}Tensor"
        raise not_quantized("_to_copy", "QuantizedCPU")

    def _printed_suffixes(self) -> list[str]:
        q = self._quantizer
        found = [f"dtype={self.dtype}", f"quantization_scheme={q.scheme}"]
        if isinstance(q, PerTensor):
            return [*found, f"scale={q.scale}", f"zero_point={q.zero_point}"]
        return [*found, f"scale={q.scales}", f"zero_point={q.zero_points}", f"axis={q.axis}"]

    def numpy(self, *, force: bool = False) -> Any:
        """Refused: NumPy has no quantized arrays."""
        raise TypeError(
            f"Got unsupported ScalarType {dtypes.scalar_name(self.dtype)}; call .dequantize() or .int_repr() first"
        )

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self.numpy()

    def item(self) -> Any:
        """The only element's value."""
        return dequantized(self).item()

    def tolist(self) -> Any:
        """Refused, as in PyTorch."""
        raise RuntimeError(f"load_scalar: invalid type {self.dtype}; call .dequantize() or .int_repr() first")

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _rebuild, (self.dtype, ints(self).contiguous(), self._quantizer)

    def __deepcopy__(self, memo: Any) -> Any:
        if id(self) not in memo:
            memo[id(self)] = raw(ints(self).clone(), self.dtype, self._quantizer)
        return memo[id(self)]


def _rebuild(dtype: Dtype, levels: Tensor, quantizer: Quantizer) -> QuantizedTensor:
    if dtype not in LEVELS or not isinstance(quantizer, (PerTensor, PerChannel)):
        raise TypeError(f"not the parts of a quantized tensor: {dtype}, {type(quantizer).__name__}")
    return raw(levels, dtype, quantizer)


def raw(levels: Tensor, dtype: Dtype, quantizer: Quantizer) -> QuantizedTensor:
    """A quantized tensor over the memory of its integers."""
    t: QuantizedTensor = sharing(QuantizedTensor, levels, _kind(levels._kind.place, dtype))
    t._quantizer = quantizer
    return t


def ints(t: Any) -> Tensor:
    """The integers as a plain tensor over the same memory."""
    found: Tensor = new(Tensor)
    found._data = t._data
    found._kind = t._kind.place[LEVELS[t._kind.dtype][0]]
    found._vc = version_of(t)
    return found


def dequantized(t: Any) -> Tensor:
    """The float32 values."""
    return t._quantizer.values(ints(t))  # type: ignore[no-any-return]


def quantized(values: Tensor, dtype: Dtype, quantizer: Quantizer) -> QuantizedTensor:
    """Float32 values in the nearest levels."""
    return raw(quantizer.levels(values, dtype), dtype, quantizer)


def like(values: Tensor, t: Any) -> QuantizedTensor:
    """Float32 values in the levels of another quantized tensor."""
    return quantized(values, t.dtype, t._quantizer)


def pack(levels: Tensor, dtype: Dtype) -> Tensor:
    """The bytes of the integers: several to a byte, the first lowest, for types that share them."""
    import torsh

    per = LEVELS[dtype][3]
    if per == 1:
        return levels
    flat = levels.reshape(-1)
    flat = torsh.cat([flat, flat.new_zeros((-flat.numel()) % per)]).reshape(-1, per).int()
    bits = 8 // per
    shifts = torsh.arange(per, dtype=torsh.int32, device=levels.device) * bits
    return (flat << shifts).sum(1).to(torsh.uint8)


__all__ = ["PerChannel", "PerTensor", "QuantizedTensor", "dequantized", "ints", "like", "quantized", "raw"]
