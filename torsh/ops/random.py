"""Random numbers: one stream, PyTorch's CPU generator's, on every backend.

Values are drawn on the host (``torsh.ops._sampling``) and moved to the device, so a seed gives the same numbers
everywhere.  New tensors are made by ops tagged ``random creation``, whose arguments are the size and the sampler's
parameters; the in-place forms draw in the order in which PyTorch would walk through the tensor's memory.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from torsh import dtypes
from torsh.device import as_device
from torsh.dispatch import Kind, place_of, state, through_modes
from torsh.dtypes import dtype as Dtype
from torsh.dtypes import scalar_name
from torsh.ops import _sampling
from torsh.ops._args import size_of
from torsh.ops._op import Op, composite
from torsh.ops.conversion import _numpy_dtype, host_array
from torsh.random import Generator, generator_of
from torsh.tensor import Tensor, check_writable, new, wrote

# ---- making tensors of samples ---------------------------------------------------------------------------------------


def _creation(name: str, parameters: str) -> Op:
    return Op(
        name, None, ("size", *parameters.split(), "generator", "dtype", "device"),
        tags=("creation", "random", "nondifferentiable"), meta=lambda size, *rest: (size, rest[-2]),
    )  # fmt: skip


uniform_op = _creation("uniform", "low high")
normal_op = _creation("normal_sample", "mean std filled")
integers_op = _creation("integers", "low count")
whole_range_op = _creation("whole_range", "")
bernoulli_op = _creation("bernoulli_sample", "p")
exponential_op = _creation("exponential", "rate")
geometric_op = _creation("geometric", "p")
cauchy_op = _creation("cauchy", "median sigma")
log_normal_op = _creation("log_normal", "mean std")
permutation_op = _creation("permutation", "")


def _flat(op: Op, gen: Generator, n: int, dtype: Dtype, params: tuple[Any, ...]) -> Any:
    """n samples as a NumPy array of dtype; complex numbers are drawn part by part."""
    sampler = _SAMPLERS[op.name]
    if dtype.is_complex:
        return sampler(gen, 2 * n, dtype.to_real(), *params).view(_numpy_dtype(dtype))
    found = sampler(gen, n, dtype, *params)
    return found


def _bernoulli(gen: Generator, n: int, dtype: Dtype, p: float) -> Any:
    return _sampling.bernoulli(gen, n, p).astype(_numpy_dtype(dtype))


_SAMPLERS: dict[str, Callable[..., Any]] = {
    "uniform": _sampling.uniform,
    "normal_sample": _sampling.normal,
    "integers": _sampling.integers,
    "whole_range": _sampling.whole_range,
    "bernoulli_sample": _bernoulli,
    "exponential": _sampling.exponential,
    "geometric": _sampling.geometric,
    "cauchy": _sampling.cauchy,
    "log_normal": _sampling.log_normal,
    "permutation": _sampling.permutation,
}


def _sample(op: Op, size: tuple[int, ...], params: tuple[Any, ...], generator: Any, kind: Kind) -> Tensor:
    """A new tensor of samples."""
    if state.busy:
        args = (size, *params, generator, kind.dtype, kind.device)
        return through_modes(op, args, lambda *args: _drawn(op, args[0], args[1:-3], args[-3], kind))
    return _drawn(op, size, params, generator, kind)


def _drawn(op: Op, size: tuple[int, ...], params: tuple[Any, ...], generator: Any, kind: Kind) -> Tensor:
    if kind.device.type == "meta":
        from torsh.ops.creation import make_full

        return make_full(size, None, kind.dtype, kind.device, False)
    t = new(Tensor)
    values = _flat(op, generator_of(generator), math.prod(size), kind.dtype, params)
    t._data = kind.backend.from_host(values.reshape(size), kind.dtype, kind.device)
    t._kind = kind
    return t


def _new(
    op: Op, size: tuple[int, ...], params: tuple[Any, ...], generator: Any, dtype: Any, device: Any, requires_grad:
    bool, layout: Any = None,
) -> Tensor:  # fmt: skip
    for s in size:
        if s < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {s}: {list(size)}")
    t = _sample(op, size, params, generator, place_of(as_device(device))[dtype or dtypes.get_default_dtype()])
    if requires_grad:
        t.requires_grad = True
    return t


def _memory_order(t: Tensor) -> tuple[int, ...] | None:
    """The dimensions of a tensor from the slowest to the fastest in memory; None where that is their own order."""
    if t.is_contiguous():
        return None
    shape, strides, _ = t._kind.backend.geometry(t._data)
    order = sorted(range(len(shape)), key=lambda d: -strides[d] if shape[d] != 1 else 0)
    moving = [d for d in order if shape[d] != 1]
    if moving == sorted(moving):
        return None
    return tuple(order)


def _arranged(values: Any, shape: tuple[int, ...], order: tuple[int, ...] | None) -> Any:
    """Flat samples in the shape of a tensor whose memory is walked through in the given order of dimensions."""
    if order is None:
        return values.reshape(shape)
    found = values.reshape([shape[d] for d in order])
    return found.transpose(np.argsort(order))


def _fill(t: Tensor, op: Op, params: tuple[Any, ...], generator: Any, name: str) -> Tensor:
    """Write samples into a tensor: what all in-place samplers do."""
    check_writable(t, name)
    kind = t._kind
    order = _memory_order(t)
    shape = tuple(t.shape)
    if order is None:
        _write(t, _sample(op, shape, params, generator, kind), name)
        return t
    if kind.device.type != "meta":
        values = _arranged(_flat(op, generator_of(generator), math.prod(shape), kind.dtype, params), shape, order)
        _write(t, _from(values, kind), name)
    return t


def _from(values: Any, kind: Kind) -> Tensor:
    out = new(Tensor)
    out._data = kind.backend.from_host(values, kind.dtype, kind.device)
    out._kind = kind
    return out


def _write(t: Tensor, values: Tensor, name: str) -> None:
    t._kind.backend.write(t._data, values._data)
    wrote(t, None, name)


def _like(input: Tensor, dtype: Any, device: Any, memory_format: Any = None) -> Tensor | None:
    """An empty tensor with input's strides, or None where it would be contiguous."""
    if input.is_contiguous() and memory_format is None:
        return None
    from torsh.ops.creation import empty_like

    made = empty_like(input, dtype=dtype, device=device, memory_format=memory_format)
    return made if _memory_order(made) is not None else None


def _floating(dtype: Dtype, kernel: str) -> None:
    if dtype.is_floating_point or dtype.is_complex:
        return
    raise NotImplementedError(
        f"\"{kernel}\" not implemented for '{scalar_name(dtype)}': it gives floating numbers; pass dtype=torch.float32"
    )


# ---- uniform and normal ----------------------------------------------------------------------------------------------


def _size(size: tuple[Any, ...], sizes: Any, name: str) -> tuple[int, ...]:
    if sizes is not None:
        size = (sizes,)
    elif not size:
        raise TypeError(f"{name}() received an invalid combination of arguments: it needs a size, such as {name}(2, 3)")
    return size_of(size)


@composite("torch.rand", out=True, tags="random creation")
def rand(
    *args,
    size=None,
    generator=None,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
    pin_memory=False,
    names=None,
):
    """Uniform numbers in [0, 1).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.rand.html
    """
    dtype = dtype or dtypes.get_default_dtype()
    _floating(dtype, "check_uniform_bounds")
    return _new(uniform_op, _size(args, size, "rand"), (0.0, 1.0), generator, dtype, device, requires_grad)


@composite("torch.randn", out=True, tags="random creation")
def randn(
    *args,
    size=None,
    generator=None,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
    pin_memory=False,
    names=None,
):
    """Numbers from the normal distribution with mean 0 and variance 1 (complex ones: variance 1/2 in each part).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.randn.html
    """
    dtype = dtype or dtypes.get_default_dtype()
    _floating(dtype, "normal_kernel_cpu")
    params = _normal_params(dtype, 0.0, 1.0)
    return _new(normal_op, _size(args, size, "randn"), params, generator, dtype, device, requires_grad)


def _normal_params(dtype: Dtype, mean: float, std: float, filled: bool = True) -> tuple[float, float, bool]:
    return (mean, std * math.sqrt(0.5) if dtype.is_complex else std, filled)


@composite("torch.rand_like", tags="random")
def rand_like(
    input,
    *,
    generator=None,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
    pin_memory=False,
    memory_format=None,
):
    """Uniform numbers in [0, 1), as many and laid out as in another tensor.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.rand_like.html
    """
    dtype, device = dtype or input.dtype, device or input.device
    _floating(dtype, "check_uniform_bounds")
    out = _like(input, dtype, device, memory_format)
    if out is None:
        return _new(uniform_op, tuple(input.shape), (0.0, 1.0), generator, dtype, device, requires_grad)
    return _fill(out, uniform_op, (0.0, 1.0), generator, "rand_like").requires_grad_(requires_grad)


@composite("torch.randn_like", tags="random")
def randn_like(
    input,
    *,
    generator=None,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
    pin_memory=False,
    memory_format=None,
):
    """Normal numbers (mean 0, variance 1), as many and laid out as in another tensor.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.randn_like.html
    """
    dtype, device = dtype or input.dtype, device or input.device
    _floating(dtype, "normal_kernel_cpu")
    out = _like(input, dtype, device, memory_format)
    if out is None:
        params = _normal_params(dtype, 0.0, 1.0)
        return _new(normal_op, tuple(input.shape), params, generator, dtype, device, requires_grad)
    params = _normal_params(dtype, 0.0, 1.0, False)
    return _fill(out, normal_op, params, generator, "randn_like").requires_grad_(requires_grad)


@composite("Tensor.uniform_", name="uniform_", tags="random inplace")
def uniform_(self, from_=0, to=1, *, generator=None, **kwargs):
    """Write uniform numbers in [from, to) into the tensor and return it.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.uniform_.html
    """
    low = _from_keyword("uniform_", from_, kwargs)
    if not self._kind.inexact:
        _floating(self.dtype, "check_uniform_bounds")
    if not low <= to:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={low} > to={to}; swap the bounds"
        )
    return _fill(self, uniform_op, (float(low), float(to)), generator, "uniform_")


def _from_keyword(name: str, value: Any, kwargs: dict[str, Any]) -> Any:
    """``from`` is a keyword of Python, so it can only come in ``**kwargs``."""
    value = kwargs.pop("from", value)
    if kwargs:
        raise TypeError(f"{name}() got an unexpected keyword argument {next(iter(kwargs))!r}")
    return value


@composite("Tensor.normal_", name="normal_", tags="random inplace")
def normal_(self, mean=0, std=1, *, generator=None):
    """Write normal numbers into the tensor and return it.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.normal_.html
    """
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
    _floating(self.dtype, "normal_kernel_cpu")
    filled = self.is_contiguous()
    return _fill(self, normal_op, _normal_params(self.dtype, float(mean), float(std), filled), generator, "normal_")


@composite("torch.normal", out=True, tags="random")
def normal(
    mean,
    std=1.0,
    size=None,
    *,
    generator=None,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
    pin_memory=False,
):
    """Normal numbers, each with its own mean and standard deviation (tensors), or a tensor of a size with one of each.

    Forms: ``normal(mean, std)`` with at least one tensor, ``normal(mean, std, size)`` with two numbers.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.normal.html
    """
    if size is not None:
        if isinstance(mean, Tensor) or isinstance(std, Tensor):
            raise TypeError(
                "normal() received an invalid combination of arguments: with size, mean and std must be numbers"
            )
        if not std >= 0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
        dtype = dtype or dtypes.get_default_dtype()
        _floating(dtype, "normal_kernel_cpu")
        params = _normal_params(dtype, float(mean), float(std))
        return _new(normal_op, size_of((size,)), params, generator, dtype, device, requires_grad)
    if isinstance(std, Tensor):
        if std._kind.complex:
            raise RuntimeError("normal expects standard deviation to be non-complex")
        if std.numel() and std.device.type != "meta" and not bool((std >= 0).all()):
            raise RuntimeError("normal expects all elements of std >= 0.0")
    elif not isinstance(mean, Tensor):
        raise TypeError(
            f"normal() received an invalid combination of arguments - got ({type(mean).__name__}, "
            f"{type(std).__name__}); give a tensor for mean or std, or a size"
        )
    elif not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
    if isinstance(mean, Tensor) and isinstance(std, Tensor):
        from torsh.ops.shape import broadcast_shapes

        shape, like = tuple(broadcast_shapes(mean.shape, std.shape)), mean
    else:
        like = mean if isinstance(mean, Tensor) else std
        shape = tuple(like.shape)
    out = like.detach().new_empty(shape).normal_(0, 1, generator=generator)
    # The result has mean's dtype and, as in PyTorch, a gradient of zero with respect to both.
    scaled = out.mul_(std.detach() if isinstance(std, Tensor) else std).add_(
        mean.detach() if isinstance(mean, Tensor) else mean
    )
    tracked = [t for t in (mean, std) if isinstance(t, Tensor) and t._rg]
    for t in tracked:
        scaled = scaled + t * 0
    return scaled


# ---- integers --------------------------------------------------------------------------------------------------------

_C_NAMES = {
    "uint8": "unsigned char", "int8": "signed char", "int16": "short", "int32": "int", "int64": "long", "bool": "bool",
    "float16": "c10::Half", "bfloat16": "c10::BFloat16", "float32": "float", "float64": "double", "uint16": "unsigned "
    "short",
    "uint32": "unsigned int", "uint64": "unsigned long",
}  # fmt: skip


def _limits(dtype: Dtype) -> tuple[int, int]:
    """The smallest and largest integer for a dtype's bounds check."""
    if dtype is dtypes.bool:
        return 0, 1
    if dtype.category == dtypes.INT:
        info = np.iinfo(_numpy_dtype(dtype))
        return int(info.min), int(info.max)
    if dtype.is_complex:
        raise RuntimeError("check_random_bounds handles only integral, floating-point and boolean types")
    import ml_dtypes

    top = int(float(ml_dtypes.finfo(_numpy_dtype(dtype)).max))
    return -top, top


def _range_checked(low: int, high: int, dtype: Dtype) -> tuple[int, int]:
    """Bounds [low, high) for a dtype, adjusted as PyTorch does for floats that cannot hold them."""
    if not low < high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    least, most = _limits(dtype)
    for value, what in ((low, "from"), (high - 1, "to - 1")):
        if not least <= value <= most:
            raise RuntimeError(f"{what} is out of bounds for {_C_NAMES.get(dtype.name, dtype.name)}: it is {value}")
    if dtype in _sampling.DIGITS:
        digits = _sampling.DIGITS[dtype]
        kind = _numpy_dtype(dtype).type
        up, down = int(float(kind(low + 1))), int(float(kind(high - 1)))
        if up < low:
            low = up + (1 << (abs(low + 1).bit_length() - digits))
        if down >= high:
            high = down - (1 << (abs(high - 1).bit_length() - digits))
        if not low < high:
            raise RuntimeError(
                f"random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but got from={low} >= "
                f"to={high}"
            )
    return low, high


def _integer(value: Any, name: str, argument: str) -> int:
    if isinstance(value, Tensor):
        return int(value.item())
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name}(): argument '{argument}' must be int, not {type(value).__name__}") from None


@composite("torch.randint", out=True, tags="random creation")
def randint(
    *args, low=None, high=None, size=None, generator=None, dtype=None, layout=None, device=None, requires_grad=False,
    pin_memory=False,
):  # fmt: skip
    """Integers in [low, high), each as likely; int64 unless ``dtype`` says otherwise.

    Forms: ``randint(high, size)``, ``randint(low, high, size)``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.randint.html
    """
    given = list(args)
    if size is None:
        if not given or not isinstance(given[-1], (tuple, list)):
            raise TypeError(
                "randint() received an invalid combination of arguments: it takes (high, size) or (low, high, size) "
                "with a tuple of ints for size"
            )
        size = given.pop()
    if len(given) == 2:
        low, high = given
    elif len(given) == 1:
        if high is None:
            high = given[0]
        else:
            low = given[0]
    low = 0 if low is None else _integer(low, "randint", "low")
    high = _integer(high, "randint", "high")
    dtype = dtype or dtypes.int64
    low, high = _range_checked(low, high, dtype)
    return _new(integers_op, size_of((size,)), (low, high - low), generator, dtype, device, requires_grad)


@composite("torch.randint_like", tags="random")
def randint_like(
    input, *args, low=None, high=None, generator=None, dtype=None, layout=None, device=None, requires_grad=False,
    pin_memory=False, memory_format=None,
):  # fmt: skip
    """Integers in [low, high), as many and of the dtype of another tensor.

    Forms: ``randint_like(input, high)``, ``randint_like(input, low, high)``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.randint_like.html
    """
    if len(args) == 2:
        low, high = args
    elif len(args) == 1:
        low, high = (low, args[0]) if high is None else (args[0], high)
    low = 0 if low is None else _integer(low, "randint_like", "low")
    high = _integer(high, "randint_like", "high")
    dtype, device = dtype or input.dtype, device or input.device
    low, high = _range_checked(low, high, dtype)
    out = _like(input, dtype, device, memory_format)
    if out is None:
        return _new(integers_op, tuple(input.shape), (low, high - low), generator, dtype, device, requires_grad)
    return _fill(out, integers_op, (low, high - low), generator, "randint_like").requires_grad_(requires_grad)


@composite("Tensor.random_", name="random_", tags="random inplace")
def random_(self, *args, generator=None, **kwargs):
    """Write random integers into the tensor and return it.

    They lie in [from, to), in [0, to), or without bounds from 0 to the largest the dtype can hold.
    Forms: ``random_()``, ``random_(to)``, ``random_(from, to)``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.random_.html
    """
    low, to = kwargs.pop("from", None), kwargs.pop("to", None)
    if kwargs or len(args) > 2:
        raise TypeError(f"random_() received an invalid combination of arguments: {args}, {kwargs}")
    if len(args) == 2:
        low, to = args
    elif len(args) == 1:
        low, to = (low, args[0]) if to is None and low is None else (low if low is not None else args[0], to or args[0])
    dtype = self.dtype
    if self._kind.complex:
        raise NotImplementedError(f"\"random_\" not implemented for '{scalar_name(dtype)}'")
    if low is None and to is None:
        if dtype.name in ("uint16", "uint32", "uint64"):
            raise NotImplementedError(f"\"random_kernel_cpu\" not implemented for '{scalar_name(dtype)}'")
        return _fill(self, whole_range_op, (), generator, "random_")
    low = 0 if low is None else _integer(low, "random_", "from")
    if to is None:
        least, most = _limits(dtype)
        if dtype in _sampling.DIGITS:
            most = 1 << _sampling.DIGITS[dtype]
            low, high = _range_checked(low, most, dtype)[0], most + 1
        else:
            if low < least:
                raise RuntimeError(f"from is out of bounds for {_C_NAMES[dtype.name]}: it is {low}")
            high = most + 1
    else:
        low, high = _range_checked(low, _integer(to, "random_", "to"), dtype)
    return _fill(self, integers_op, (low, high - low), generator, "random_")


@composite("torch.randperm", out=True, tags="random creation")
def randperm(n, *, generator=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """The integers 0 to n-1 in random order.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.randperm.html
    """
    n = _integer(n, "randperm", "n")
    dtype = dtype or dtypes.int64
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    if dtype is dtypes.bool or dtype.is_complex:
        raise NotImplementedError(f"\"randperm\" not implemented for '{scalar_name(dtype)}'; use an integer dtype")
    if dtype in _sampling.DIGITS:
        most = (1 << _sampling.DIGITS[dtype]) + 1
        if n > most:
            raise RuntimeError(f"n cannot be greater than {most} for {scalar_name(dtype)} type.")
    elif n > _limits(dtype)[1]:
        raise RuntimeError(f"value cannot be converted to type {dtype.name}_t without overflow")
    return _new(permutation_op, (n,), (), generator, dtype, device, requires_grad)


# ---- masks -----------------------------------------------------------------------------------------------------------


def _probability(p: Any, name: str) -> float:
    p = float(p)
    if not 0 <= p <= 1:
        raise RuntimeError(f"{name} expects p to be in [0, 1], but got p={p:g}")
    return p


@composite("Tensor.bernoulli_", name="bernoulli_", tags="random inplace")
def bernoulli_(self, p=0.5, *, generator=None):
    """Write 1 with probability p, else 0, into each element; p is a number or a tensor of probabilities.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.bernoulli_.html
    """
    if self._kind.complex:
        raise NotImplementedError(f"\"bernoulli_scalar_cpu_\" not implemented for '{scalar_name(self.dtype)}'")
    if not isinstance(p, Tensor):
        return _fill(self, bernoulli_op, (_probability(p, "bernoulli_"),), generator, "bernoulli_")
    check_writable(self, "bernoulli_")
    if self.device.type == "meta":
        return self
    if not p._kind.floating:
        raise NotImplementedError(f"\"bernoulli_tensor_cpu_p_\" not implemented for '{scalar_name(p.dtype)}'")
    shape = tuple(self.shape)
    probs = np.broadcast_to(host_array(p.detach()), shape)
    if probs.size and not ((probs >= 0) & (probs <= 1)).all():
        raise RuntimeError(
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false. Probabilities lie between 0 and 1"
        )
    order = _memory_order(self)
    flat = (probs if order is None else probs.transpose(order)).ravel()
    values = _sampling.bernoulli_each(generator_of(generator), flat).astype(_numpy_dtype(self.dtype))
    _write(self, _from(_arranged(values, shape, order), self._kind), "bernoulli_")
    return self


@composite("torch.bernoulli Tensor.bernoulli", out=True, tags="random")
def bernoulli(input, p=None, *, generator=None):
    """1 with the probabilities that a floating tensor holds, else 0.

    p: one probability for every element instead of the tensor's values.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.bernoulli.html
    """
    out = _contiguous(input)
    if p is None:
        if not input._kind.floating:
            raise NotImplementedError(f"\"bernoulli_tensor_cpu_p_\" not implemented for '{scalar_name(input.dtype)}'")
        bernoulli_(out, input, generator=generator)
    else:
        bernoulli_(out, p, generator=generator)
    return _no_gradient(out, input)


def _contiguous(like: Tensor) -> Tensor:
    from torsh.ops.creation import make_full

    return make_full(tuple(like.shape), None, like.dtype, like.device, False)


def _no_gradient(out: Tensor, input: Tensor) -> Tensor:
    """PyTorch records samplers of a tensor of parameters; their gradient is zero."""
    return out + input * 0 if input._rg and out._kind.inexact else out


def dropout_noise(input: Tensor, keep: float, shape: tuple[int, ...] | None = None) -> Tensor:
    """What dropout multiplies its input with: 1/keep with probability ``keep``, else 0, in input's dtype and layout.

    shape: of the noise, if not input's (feature dropout).  It takes from the stream what PyTorch's dropout takes.
    """
    kind = input._kind
    order = _memory_order(input) if shape is None else None
    shape = tuple(input.shape) if shape is None else shape
    if kind.device.type == "meta" or state.busy:
        noise = _sample(bernoulli_op, shape, (keep,), None, kind)
        return noise / keep if keep else noise
    mask = _sampling.bernoulli(generator_of(None), math.prod(shape), keep)
    one = _numpy_dtype(kind.dtype).type(1)
    values = mask * (one / _numpy_dtype(kind.dtype).type(keep)) if keep else mask * one
    return _from(_arranged(values.astype(_numpy_dtype(kind.dtype), copy=False), shape, order), kind)
