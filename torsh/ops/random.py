"""Random numbers: one stream, PyTorch's CPU generator's, on every backend.

Values are drawn on the host (``torsh.ops._sampling``) and moved to the device, so a seed gives the same numbers
everywhere.  New tensors are made by ops tagged ``random creation``, whose arguments are the size and the sampler's
parameters; the in-place forms draw in the order in which PyTorch would walk through the tensor's memory.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from torsh import dtypes
from torsh._callers import warn
from torsh.backend import TO_NUMPY
from torsh.device import as_device
from torsh.dispatch import Kind, place_of, state, through_modes
from torsh.dtypes import dtype as Dtype
from torsh.dtypes import scalar_name
from torsh.ops import _pieces, _sampling
from torsh.ops._args import check_pinnable, has_values, size_of
from torsh.ops._op import Op, composite
from torsh.ops.conversion import host_array
from torsh.ops.creation import check_dtype
from torsh.random import Generator, default_generator, generator_of
from torsh.tensor import Tensor, assign, check_overlap, check_writable, memory_of, new, wrote

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


def flat_samples(name: str, gen: Generator, n: int, dtype: Dtype, params: tuple[Any, ...]) -> Any:
    """n samples as a NumPy array of dtype; complex numbers are drawn part by part."""
    sampler = _SAMPLERS[name]
    if dtype.is_complex:
        return sampler(gen, 2 * n, dtype.to_real(), *params).view(TO_NUMPY[dtype])
    return sampler(gen, n, dtype, *params)


def _bernoulli(gen: Generator, n: int, dtype: Dtype, p: float) -> Any:
    return _sampling.bernoulli(gen, n, p).astype(TO_NUMPY[dtype])


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
    n = size[0] if len(size) == 1 else math.prod(size)
    gen = default_generator if generator is None else generator_of(generator)
    t._kind = kind
    if n > _pieces.LEAST and kind.backend.capabilities.lazy:
        found = _pieces.drawn(op.name, size, params, gen, kind)
        if found is not None:
            t._data = found
            return t
    values = flat_samples(op.name, gen, n, kind.dtype, params)
    t._data = kind.backend.from_host(values if len(size) == 1 else values.reshape(size), kind.dtype, kind.device)
    return t


def _new(
    op: Op, size: tuple[int, ...], params: tuple[Any, ...], generator: Any, dtype: Any, device: Any, requires_grad:
    bool, layout: Any = None,
) -> Tensor:  # fmt: skip
    if size and min(size) < 0:
        s = next(s for s in size if s < 0)
        raise RuntimeError(f"Trying to create tensor with negative dimension {s}: {list(size)}")
    check_dtype(dtype, op.name)
    kind = place_of(as_device(device))[dtype or dtypes.get_default_dtype()]
    t = _sample(op, size, params, generator, kind) if state.busy else _drawn(op, size, params, generator, kind)
    if requires_grad:
        t.requires_grad = True
    return t


def _memory_order(t: Tensor) -> tuple[int, ...] | None:
    """The dimensions of a tensor from the slowest to the fastest in memory; None where that is their own order."""
    if t.is_contiguous():
        return None
    shape, strides, _ = t._kind.backend.geometry(memory_of(t))
    return _order(shape, strides)


def _order(shape: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, ...] | None:
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
    if t._base is not None:
        check_overlap(t)
    if under_vmap():
        from torsh.func._batched import filled_on_batch

        return filled_on_batch(lambda whole: _fill(whole, op, params, generator, name), t)  # type: ignore[no-any-return]
    kind = t._kind
    order = _memory_order(t)
    shape = tuple(t.shape)
    if order is None:
        _write(t, _sample(op, shape, params, generator, kind), name)
        return t
    if kind.device.type != "meta":
        _write(t, _ordered(op, shape, params, generator, kind, order), name)
    return t


def _ordered(
    op: Op, shape: tuple[int, ...], params: tuple[Any, ...], generator: Any, kind: Kind, order: tuple[int, ...]
) -> Tensor:
    """A tensor of samples whose memory is walked through in the given order of dimensions."""
    if kind.backend.capabilities.lazy:
        return _drawn(op, tuple(shape[d] for d in order), params, generator, kind).permute(*np.argsort(order).tolist())
    return _from(
        _arranged(flat_samples(op.name, generator_of(generator), math.prod(shape), kind.dtype, params), shape, order),
        kind,
    )


def _from(values: Any, kind: Kind) -> Tensor:
    out = new(Tensor)
    out._data = kind.backend.from_host(values, kind.dtype, kind.device)
    out._kind = kind
    return out


def _write(t: Tensor, values: Tensor, name: str) -> None:
    if t._bits:
        assign(t, values, name)
        return
    t._kind.backend.write(t._data, values._data)
    wrote(t, None, name)


def _sample_like(
    op: Op, input: Tensor, params: tuple[Any, ...], generator: Any, kind: Kind, memory_format: Any = None,
    ordered: tuple[Any, ...] | None = None,
) -> Tensor:  # fmt: skip
    """A new tensor of samples, laid out as another tensor is (``preserve_format``) or as a memory format says.

    The order in which it is filled is that of PyTorch's memory, on backends without strides, too.
    ordered: the sampler's parameters where that is not the order of the dimensions, if they differ.
    """
    shape = tuple(input.shape)
    if under_vmap():
        from torsh.func._batched import drawn_like_batch

        return drawn_like_batch(lambda t: _sample_like(op, t, params, generator, kind, memory_format, ordered), input)  # type: ignore[no-any-return]
    order = None
    if memory_format is not None or not input.is_contiguous():
        from torsh.memory_format import contiguous_format, format_strides, preserve_format, preserved_strides

        strides = None
        if memory_format in (None, preserve_format):
            strides = preserved_strides(shape, input.stride())
        elif memory_format is not contiguous_format:
            strides = format_strides(shape, memory_format)
        order = None if strides is None else _order(shape, strides)
    if order is None or kind.device.type == "meta":
        return _sample(op, shape, params, generator, kind)
    return _ordered(op, shape, params if ordered is None else ordered, generator, kind, order)


def _floating(dtype: Dtype, kernel: str) -> None:
    check_dtype(dtype, kernel)
    if dtype.to_real() in _sampling.DIGITS:
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


@composite("torch.rand", out="filled", tags="random creation")
def rand(
    *args,
    size=None,
    generator=None,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
    pin_memory=False,
):
    """Uniform numbers in [0, 1).

    args: the size, as ints or one sequence. generator: default the default generator. The numbers are those of PyTorch's CPU generator.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.rand.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.rand(2, 3)
    tensor([[0.4963, 0.7682, 0.0885],
            [0.1320, 0.3074, 0.6341]])
    """
    if pin_memory:
        check_pinnable()
    dtype = dtype or dtypes.get_default_dtype()
    _floating(dtype, "check_uniform_bounds")
    return _new(uniform_op, _size(args, size, "rand"), (0.0, 1.0), generator, dtype, device, requires_grad)


@composite("torch.randn", out="filled", tags="random creation")
def randn(
    *args,
    size=None,
    generator=None,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
    pin_memory=False,
):
    """Numbers from the normal distribution with mean 0 and variance 1 (complex ones: variance 1/2 in each part).

    args: the size, as ints or one sequence. generator: default the default generator. The stream is that of PyTorch's CPU generator.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.randn.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.randn(2, 3)
    tensor([[ 1.5410, -0.2934, -2.1788],
            [ 0.5684, -1.0845, -1.3986]])
    """
    if pin_memory:
        check_pinnable()
    dtype = dtype or dtypes.get_default_dtype()
    params = _STANDARD
    if dtype is not dtypes.float32:
        _floating(dtype, "normal_kernel_cpu")
        params = _normal_params(dtype, 0.0, 1.0)
    return _new(normal_op, _size(args, size, "randn"), params, generator, dtype, device, requires_grad)


_STANDARD = (0.0, 1.0, True)


def _normal_params(dtype: Dtype, mean: float, std: float, filled: bool = True) -> tuple[float, float, bool]:
    return (mean, std / math.sqrt(2) if dtype.is_complex else std, filled)


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

    The shape, dtype, device and order of dimensions are the other tensor's unless given.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.rand_like.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.rand_like(torsh.zeros(2))
    tensor([0.4963, 0.7682])
    """
    if pin_memory:
        check_pinnable()
    dtype, device = dtype or input.dtype, device or input.device
    _floating(dtype, "check_uniform_bounds")
    kind = place_of(as_device(device))[dtype]
    out = _sample_like(uniform_op, input, (0.0, 1.0), generator, kind, memory_format)
    return out.requires_grad_() if requires_grad else out


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

    The shape, dtype, device and order of dimensions are the other tensor's unless given.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.randn_like.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.randn_like(torsh.zeros(2))
    tensor([ 1.5410, -0.2934])
    """
    if pin_memory:
        check_pinnable()
    dtype, device = dtype or input.dtype, device or input.device
    _floating(dtype, "normal_kernel_cpu")
    kind = place_of(as_device(device))[dtype]
    filled, single = (_normal_params(dtype, 0.0, 1.0, whole) for whole in (True, False))
    out = _sample_like(normal_op, input, filled, generator, kind, memory_format, single)
    return out.requires_grad_() if requires_grad else out


@composite("Tensor.uniform_", name="uniform_", tags="random inplace")
def uniform_(self, from_=0, to=1, *, generator=None, **kwargs):
    """Write uniform numbers in [from, to) into the tensor and return it.

    generator: default the default generator. Floating tensors only.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.uniform_.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.empty(3).uniform_(-1, 1)
    tensor([-0.0075,  0.5364, -0.8230])
    """
    low = _from_keyword("uniform_", from_, kwargs)
    _floating(self.dtype, "check_uniform_bounds")
    if (low, to) != (0, 1):
        _uniform_bounds(low, to, self.dtype.to_real())
    return _fill(self, uniform_op, (float(low), float(to)), generator, "uniform_")


def _uniform_bounds(low: float, high: float, dtype: Dtype) -> None:
    """Raise for bounds that the dtype cannot hold, and for those whose difference it cannot."""
    import ml_dtypes

    most = float(ml_dtypes.finfo(TO_NUMPY[dtype]).max)
    for value, what in ((low, "from"), (high, "to")):
        if not -most <= value <= most:
            raise RuntimeError(f"{what} is out of bounds for {_C_NAMES[dtype.name]}: it is {value}")
    if not low <= high:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}; swap the bounds"
        )
    if high - low > most:
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{scalar_name(dtype)}>::max(), but found to={high:g} and "
            f"from={low:g} which result in to-from to exceed the limit"
        )


def _from_keyword(name: str, value: Any, kwargs: dict[str, Any]) -> Any:
    """``from`` is a keyword of Python, so it can only come in ``**kwargs``."""
    value = kwargs.pop("from", value)
    if kwargs:
        raise TypeError(f"{name}() got an unexpected keyword argument {next(iter(kwargs))!r}")
    return value


@composite("Tensor.normal_", name="normal_", tags="random inplace")
def normal_(self, mean=0, std=1, *, generator=None):
    """Write normal numbers into the tensor and return it.

    std: not negative, else RuntimeError. generator: default the default generator.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.normal_.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.empty(3).normal_(mean=5.)
    tensor([6.5410, 4.7066, 2.8212])
    """
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
    _floating(self.dtype, "normal_kernel_cpu")
    if under_vmap():
        from torsh.func._batched import filled_on_batch

        return filled_on_batch(lambda whole: normal_(whole, mean, std, generator=generator), self)
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

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.normal(0., 1., (2, 3)).shape
    torsh.Size([2, 3])
    >>> torsh.normal(torsh.tensor([0., 100.]), torsh.tensor([0., 0.]))  # one mean and deviation per element
    tensor([  0., 100.])
    """
    if pin_memory:
        check_pinnable()
    if size is not None:
        mean, std = (v.item() if isinstance(v, Tensor) and not v.ndim and not v._rg else v for v in (mean, std))
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
    if under_vmap():
        from torsh.func._batched import drawn_on_batch

        given = [t for t in (mean, std) if isinstance(t, Tensor)]

        def of_batch(*whole: Tensor) -> Any:
            both = whole if len(whole) == 2 else (*whole, std) if isinstance(mean, Tensor) else (mean, *whole)
            return normal(*both, generator=generator)

        if given:
            return drawn_on_batch(of_batch, *given)
    if isinstance(std, Tensor):
        if std._kind.complex:
            raise RuntimeError("normal expects standard deviation to be non-complex")
        if std.numel() and has_values(std) and not bool((std >= 0).all()):
            raise RuntimeError("normal expects all elements of std >= 0.0")
    elif not isinstance(mean, Tensor):
        raise TypeError(
            f"normal() received an invalid combination of arguments - got ({type(mean).__name__}, "
            f"{type(std).__name__}); give a tensor for mean or std, or a size"
        )
    elif not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
    if isinstance(mean, Tensor) and isinstance(std, Tensor):
        from torsh.ops.shape import joint_shape

        shape, like = joint_shape([tuple(mean.shape), tuple(std.shape)]), mean
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
    "float16": "c10::Half", "bfloat16": "c10::BFloat16", "float32": "float", "float64": "double", "uint16": "short unsigned int",
    "uint32": "unsigned int", "uint64": "long unsigned int",
}  # fmt: skip


@functools.cache
def _limits(dtype: Dtype) -> tuple[int, int]:
    """The smallest and largest integer for a dtype's bounds check."""
    if dtype is dtypes.bool:
        return 0, 1
    if dtype.category == dtypes.INT:
        info = np.iinfo(TO_NUMPY[dtype])
        return int(info.min), int(info.max)
    if dtype.is_complex:
        raise RuntimeError("check_random_bounds handles only integral, floating-point and boolean types")
    import ml_dtypes

    top = int(float(ml_dtypes.finfo(TO_NUMPY[dtype]).max))
    return -top, top


def _range_checked(low: int, high: int, dtype: Dtype) -> tuple[int, int]:
    if dtype is dtypes.int64 and -1 << 63 <= low < high <= 1 << 63:  # most calls
        return low, high
    return _fitting(low, high, dtype)


def _fitting(low: int, high: int, dtype: Dtype) -> tuple[int, int]:
    """Bounds [low, high) for a dtype, adjusted as PyTorch does for floats that cannot hold them."""
    if not low < high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    least, most = _limits(dtype)
    for value, what in ((low, "from"), (high - 1, "to - 1")):
        if not least <= value <= most:
            raise RuntimeError(f"{what} is out of bounds for {_C_NAMES.get(dtype.name, dtype.name)}: it is {value}")
    if dtype in _sampling.DIGITS:
        digits = _sampling.DIGITS[dtype]
        for value, what in ((low, "from"), (high - 1, "to - 1")):
            if abs(value) > 1 << digits:
                warn(
                    f"{what} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision limitations {_C_NAMES[dtype.name]} can "
                    "support discrete uniform distribution only within this range. This warning will become an error in version 1.7 "
                    "release, please fix the code in advance"
                )
        kind = TO_NUMPY[dtype].type
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


def _bare(dtype: Dtype) -> bool:
    """Whether PyTorch has few kernels for it: uint16, uint32 and uint64."""
    return dtype.category == dtypes.INT and not dtype.is_signed and dtype.itemsize > 1


def _integer(value: Any, name: str, argument: str) -> int:
    if isinstance(value, Tensor):
        return int(value.item())
    try:
        found = operator.index(value)
        if not -1 << 63 <= found < 1 << 63:
            raise ValueError(f"Overflow when unpacking long long: {name}(): argument '{argument}' is {found}")
        return found
    except TypeError:
        raise TypeError(f"{name}(): argument '{argument}' must be int, not {type(value).__name__}") from None


@composite("torch.randint", out="filled", tags="random creation")
def randint(
    *args, low=None, high=None, size=None, generator=None, dtype=None, layout=None, device=None, requires_grad=False,
    pin_memory=False,
):  # fmt: skip
    """Integers in [low, high), each as likely; int64 unless ``dtype`` says otherwise.

    Forms: ``randint(high, size)``, ``randint(low, high, size)``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.randint.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.randint(10, (5,))
    tensor([4, 9, 3, 0, 3])
    >>> torsh.randint(3, 5, (2, 2)).shape
    torsh.Size([2, 2])
    """
    if pin_memory:
        check_pinnable()
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

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.randint_like(torsh.zeros(3), 10)
    tensor([4., 9., 3.])
    """
    if pin_memory:
        check_pinnable()
    if len(args) == 2:
        low, high = args
    elif len(args) == 1:
        low, high = (low, args[0]) if high is None else (args[0], high)
    low = 0 if low is None else _integer(low, "randint_like", "low")
    high = _integer(high, "randint_like", "high")
    dtype, device = dtype or input.dtype, device or input.device
    low, high = _range_checked(low, high, dtype)
    kind = place_of(as_device(device))[dtype]
    out = _sample_like(integers_op, input, (low, high - low), generator, kind, memory_format)
    return out.requires_grad_() if requires_grad else out


@composite("Tensor.random_", name="random_", tags="random inplace")
def random_(self, *args, generator=None, **kwargs):
    """Write random integers into the tensor and return it.

    They lie in [from, to), in [0, to), or without bounds from 0 to the largest the dtype can hold.
    Forms: ``random_()``, ``random_(to)``, ``random_(from, to)``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.random_.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.zeros(4, dtype=torsh.int64).random_(0, 10)
    tensor([4, 9, 3, 0])
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
        if _bare(dtype):
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


@composite("torch.randperm", out="filled", tags="random creation")
def randperm(n, *, generator=None, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False):
    """The integers 0 to n-1 in random order.

    n: how many. generator: default the default generator. dtype: default int64; it must be able to hold n - 1, else RuntimeError.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.randperm.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.randperm(5)
    tensor([4, 0, 1, 3, 2])
    """
    if pin_memory:
        check_pinnable()
    n = _integer(n, "randperm", "n")
    dtype = dtype or dtypes.int64
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    if dtype is dtypes.bool or dtype.is_complex or (_bare(dtype) and n - 1 <= _limits(dtype)[1]):
        raise NotImplementedError(f"\"randperm\" not implemented for '{scalar_name(dtype)}'; use an integer dtype")
    if dtype in _sampling.DIGITS:
        most = (1 << _sampling.DIGITS[dtype]) + 1
        if n > most and dtype is not dtypes.bfloat16:  # for which PyTorch does not ask
            raise RuntimeError(f"n cannot be greater than 2^{_sampling.DIGITS[dtype]}+1 for {scalar_name(dtype)} type.")
    elif n - 1 > _limits(dtype)[1]:
        raise RuntimeError(f"value cannot be converted to type {dtype.name}_t without overflow: randperm of {n}")
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

    generator: default the default generator.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.bernoulli_.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.empty(4).bernoulli_(0.5)
    tensor([0., 0., 1., 0.])
    """
    if self._kind.complex or _bare(self.dtype):
        raise NotImplementedError(f"\"bernoulli_scalar_cpu_\" not implemented for '{scalar_name(self.dtype)}'")
    if not isinstance(p, Tensor):
        return _fill(self, bernoulli_op, (_probability(p, "bernoulli_"),), generator, "bernoulli_")
    check_writable(self, "bernoulli_")
    check_overlap(self)
    if self.device.type == "meta":
        return self
    if not p._kind.floating:
        raise NotImplementedError(f"\"bernoulli_tensor_cpu_p_\" not implemented for '{scalar_name(p.dtype)}'")
    if under_vmap():
        from torsh.func._batched import filled_on_batch

        return filled_on_batch(lambda whole, probs: bernoulli_(whole, probs, generator=generator), self, p)
    shape = tuple(self.shape)
    order = _memory_order(self)
    if not has_values(p):
        _write(self, _chosen(p.detach().expand(shape), self._kind, generator, order), "bernoulli_")
        return self
    probs = np.broadcast_to(host_array(p.detach()), shape)
    flat = (probs if order is None else probs.transpose(order)).ravel()
    values = _sampling.bernoulli_each(generator_of(generator), flat, self.dtype)
    _write(self, _from(_arranged(values, shape, order), self._kind), "bernoulli_")
    return self


@composite("torch.bernoulli Tensor.bernoulli", out="any", tags="random")
def bernoulli(input, p=None, *, generator=None):
    """1 with the probabilities that a floating tensor holds, else 0.

    p: one probability for every element instead of the tensor's values.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.bernoulli.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.bernoulli(torsh.tensor([0., 0.5, 0.5, 1.]))
    tensor([0., 0., 1., 1.])
    """
    if under_vmap():
        from torsh.func._batched import drawn_on_batch

        return drawn_on_batch(lambda probs: bernoulli(probs, p, generator=generator), input)
    if p is None and not input._kind.floating:
        raise NotImplementedError(f"\"bernoulli_tensor_cpu_p_\" not implemented for '{scalar_name(input.dtype)}'")
    if p is None and not state.busy and not input._rg and input._kind.device.type != "meta":
        if not has_values(input):
            return _chosen(input, input._kind, generator, None)
        values = _sampling.bernoulli_each(generator_of(generator), host_array(input).ravel(), input._kind.dtype)
        return _from(values.reshape(input._data.shape), input._kind)
    out = _contiguous(input)
    if p is None:
        bernoulli_(out, input, generator=generator)
    else:
        bernoulli_(out, p, generator=generator)
    return _no_gradient(out, input)


def _chosen(probs: Tensor, kind: Kind, generator: Any, order: tuple[int, ...] | None) -> Tensor:
    """1 with the probabilities that a tensor holds whose values are not looked at now, else 0."""
    wide = kind.place[dtypes.float64 if probs.dtype is dtypes.float64 else dtypes.float32]
    shape = tuple(probs.shape)
    if order is None:
        u = _drawn(uniform_op, shape, (0.0, 1.0), generator, wide)
    else:
        u = _ordered(uniform_op, shape, (0.0, 1.0), generator, wide, order)
    return (u < probs.to(wide.dtype)).to(kind.dtype)


def under_vmap() -> bool:
    """Whether a draw is for the examples of a batch."""
    if not state.busy:
        return False
    from torsh.func._batched import mapped

    return mapped()


def _contiguous(like: Tensor) -> Tensor:
    from torsh.ops.creation import make_full

    if hasattr(like, "_physical"):
        return like.new_empty(tuple(like.shape))  # type: ignore[no-any-return]
    return make_full(tuple(like.shape), None, like.dtype, like.device, False)


def _no_gradient(out: Tensor, input: Tensor) -> Tensor:
    """PyTorch records samplers of a tensor of parameters; their gradient is zero."""
    return out + input * 0 if input._rg and out._kind.inexact else out


def mask_like(input: Tensor, p: float, dtype: Dtype | None = None, shape: tuple[int, ...] | None = None) -> Tensor:
    """Ones with probability p, else zeros, laid out as another tensor (or of another shape): what dropout keeps."""
    kind = input._kind if dtype is None else input._kind.place[dtype]
    if kind.complex or _bare(kind.dtype):
        raise NotImplementedError(f"\"bernoulli_scalar_cpu_\" not implemented for '{scalar_name(kind.dtype)}'")
    if shape is not None:
        return _sample(bernoulli_op, shape, (p,), None, kind)
    return _sample_like(bernoulli_op, input, (p,), None, kind)


def slopes_like(input: Tensor, lower: float, upper: float, generator: Any) -> Tensor:
    """What rrelu multiplies its input with: a uniform number where it is not positive, else 1; at least in float32.

    One draw, in float64, per element that is not positive, in their order.
    """
    kind = input._kind.place[dtypes.float64 if input.dtype is dtypes.float64 else dtypes.float32]
    if kind.device.type == "meta":
        return _contiguous(input).to(kind.dtype)
    if under_vmap():
        raise RuntimeError(
            "vmap: We do not yet support calling random operation rrelu. Please perform random operations outside of vmap as a workaround"
        )
    noise = np.ones(tuple(input.shape), TO_NUMPY[kind.dtype])
    low, high = (float(noise.dtype.type(bound)) for bound in (lower, upper))
    chosen = host_array(input.detach()) <= 0
    noise[chosen] = generator_of(generator).doubles(int(chosen.sum())) * (high - low) + low
    return _from(noise, kind)
