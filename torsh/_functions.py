"""Functions of the ``torch`` namespace that are not operations: questions about tensors and types, global settings.

Settings that have no meaning for torsh's backends (deterministic algorithms, flushing of denormals, matmul precision) are
kept and reported, so that programs which set them run.
"""

from __future__ import annotations

import functools
import math
import operator
import os
import sys
import warnings
from typing import Any

import numpy as np

from torsh import dtypes
from torsh._asking import overridable
from torsh._callers import warn
from torsh._printing import get_printoptions, printoptions, set_printoptions
from torsh.backend import TO_NUMPY
from torsh.device import as_device, set_default_device
from torsh.dtypes import dtype as Dtype
from torsh.ops._args import check_tensor
from torsh.ops.shape import broadcast_shapes
from torsh.tensor import Tensor

e, inf, nan, pi, newaxis = math.e, math.inf, math.nan, math.pi, None

# ---- questions ---------------------------------------------------------------------------------------------------------


def is_tensor(obj: Any, /) -> bool:
    """Whether an object is a tensor.  Source: https://docs.pytorch.org/docs/stable/generated/torch.is_tensor.html

    >>> import torsh
    >>> torsh.is_tensor(torsh.tensor([1])), torsh.is_tensor([1])
    (True, False)
    """
    return isinstance(obj, Tensor)


def is_storage(obj: Any, /) -> bool:
    """Whether an object is a storage.  Source: https://docs.pytorch.org/docs/stable/generated/torch.is_storage.html

    >>> import torsh
    >>> torsh.is_storage(torsh.zeros(1).untyped_storage())
    True
    """
    from torsh.storage import TypedStorage, UntypedStorage

    return isinstance(obj, (TypedStorage, UntypedStorage))


@overridable
def is_floating_point(input: Any) -> bool:
    """Whether the element type is a floating point type.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.is_floating_point.html

    >>> import torsh
    >>> torsh.is_floating_point(torsh.tensor([1.])), torsh.is_floating_point(torsh.tensor([1]))
    (True, False)
    """
    return check_tensor(input, "is_floating_point")._kind.floating


@overridable
def is_complex(input: Any) -> bool:
    """Whether the element type is a complex type.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.is_complex.html

    >>> import torsh
    >>> torsh.is_complex(torsh.tensor([1.j]))
    True
    """
    return check_tensor(input, "is_complex")._kind.complex


@overridable
def is_signed(input: Any) -> bool:
    """Whether the element type has negative values.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.is_signed(torsh.tensor([1], dtype=torsh.uint8))
    False
    """
    return check_tensor(input, "is_signed").dtype.is_signed


@overridable
def is_nonzero(input: Any) -> bool:
    """Whether the only element is not zero.  Raises RuntimeError for any other number of elements.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.is_nonzero.html

    >>> import torsh
    >>> torsh.is_nonzero(torsh.tensor([0.]))
    False
    """
    n = check_tensor(input, "is_nonzero").numel()
    if n != 1:
        raise RuntimeError(
            "Boolean value of Tensor with no values is ambiguous" if n == 0
            else "Boolean value of Tensor with more than one value is ambiguous"
        )  # fmt: skip
    return bool(input)


@overridable
def is_same_size(input: Any, other: Any) -> bool:
    """Whether two tensors have the same shape.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.is_same_size(torsh.zeros(2), torsh.ones(2))
    True
    """
    return input.is_same_size(other)  # type: ignore[no-any-return]


def _debug_has_internal_overlap(input: Any) -> int:
    """Whether elements of a tensor share memory: 0 no, 1 yes (a stride is 0), 2 hard to say (there are gaps)."""
    from torsh.tensor import _dense

    shape, strides = tuple(input.shape), input.stride()
    if _dense(shape, strides):
        return 0
    return 1 if any(s == 0 and n > 1 for n, s in zip(shape, strides)) else 2


@overridable
def is_inference(input: Any) -> bool:
    """Whether a tensor was made in inference mode.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.is_inference.html

    >>> import torsh
    >>> torsh.is_inference(torsh.zeros(1))
    False
    """
    return bool(input.is_inference())


@overridable
def is_distributed(input: Any) -> bool:
    """Always False: the notion is PyTorch's past.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.is_distributed(torsh.zeros(1))
    False
    """
    return False


@overridable
def numel(input: Any) -> int:
    """The number of elements.  Source: https://docs.pytorch.org/docs/stable/generated/torch.numel.html

    >>> import torsh
    >>> torsh.numel(torsh.zeros(2, 3))
    6
    """
    return check_tensor(input, "numel").numel()


@overridable
def get_device(input: Any) -> int:
    """The index of the device a tensor is on, -1 for the CPU.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.get_device(torsh.zeros(1))
    -1
    """
    return check_tensor(input, "get_device").get_device()


def typename(obj: Any, /) -> str:
    """The name of an object's type with its module; of a tensor, its legacy type's (``torch.FloatTensor``).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.typename.html

    >>> import torsh
    >>> torsh.typename(torsh.tensor([1.])), torsh.typename(3)
    ('torch.FloatTensor', 'int')
    """
    if isinstance(obj, Tensor):
        return obj.type()
    module = getattr(obj, "__module__", "") or ""
    if module in ("builtins", "__builtin__"):
        module = ""
    name = getattr(obj, "__qualname__", "") or getattr(obj, "__name__", "")
    if not name:
        module, name = type(obj).__module__, type(obj).__qualname__
        module = "" if module == "builtins" else module
    return f"{module}.{name}" if module else name


def can_cast(from_: Dtype, to: Dtype) -> bool:
    """Whether PyTorch's rules allow to store one type in another without an explicit conversion.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.can_cast.html

    >>> import torsh
    >>> torsh.can_cast(torsh.float64, torsh.float32), torsh.can_cast(torsh.float32, torsh.int32)
    (True, False)
    """
    for name, value in (("from_", from_), ("to", to)):
        if not isinstance(value, Dtype):
            raise TypeError(f"can_cast(): argument '{name}' must be torch.dtype, not {type(value).__name__}")
    return dtypes.can_cast(from_, to)


def result_type(tensor1: Any, tensor2: Any) -> Dtype:
    """The dtype an operation on two operands (tensors or numbers) computes in.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.result_type.html

    >>> import torsh
    >>> torsh.result_type(torsh.tensor([1, 2]), 1.5)
    torsh.float32
    >>> torsh.result_type(torsh.tensor([1.]), torsh.tensor([1.], dtype=torsh.float64))
    torsh.float64
    """
    dims, zero, numbers = [], [], []
    for a in (tensor1, tensor2):
        if isinstance(a, Tensor):
            (dims if a.ndim else zero).append(a.dtype)
        else:
            numbers.append(dtypes.of_number(a))
    return dtypes.combine(dims, zero, numbers)


# ---- limits of types ---------------------------------------------------------------------------------------------------


class finfo:
    """Limits of a floating point type (of a complex type's parts): ``bits eps max min tiny smallest_normal resolution dtype``.

    Source: https://docs.pytorch.org/docs/stable/type_info.html

    >>> import torsh
    >>> torsh.finfo(torsh.float32).eps
    1.1920928955078125e-07
    >>> torsh.finfo(torsh.bfloat16).max
    3.3895313892515355e+38
    """

    def __init__(self, type: Dtype | None = None) -> None:
        d = dtypes.get_default_dtype() if type is None else type
        if not isinstance(d, Dtype):
            raise TypeError(f"finfo(): argument 'type' must be torch.dtype, not {d.__class__.__name__}")
        if not (d.is_floating_point or d.is_complex):
            raise TypeError(
                f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.{d.name}'"
            )
        if d in dtypes.SHELLS:
            raise TypeError(f"torch.finfo() does not know {d}, which packs two numbers in a byte")
        real = d.to_real()
        if real in (dtypes.float16, dtypes.float32, dtypes.float64):
            info: Any = np.finfo(TO_NUMPY[real])
        else:
            import ml_dtypes

            info = ml_dtypes.finfo(TO_NUMPY[real])
        self.bits = 8 * real.itemsize
        self.eps, self.max, self.min = float(info.eps), float(info.max), float(info.min)
        self.tiny = self.smallest_normal = float(info.smallest_normal)
        digits = math.floor(-math.log10(self.eps)) if real not in (dtypes.float32, dtypes.float64) else info.precision
        self.resolution = float(f"1e-{max(digits, 0)}")
        self.dtype = real.name

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(("finfo", self.dtype))


class iinfo:
    """Limits of an integer type: ``bits max min dtype``.  Source: https://docs.pytorch.org/docs/stable/type_info.html

    >>> import torsh
    >>> torsh.iinfo(torsh.int8).min, torsh.iinfo(torsh.int8).max
    (-128, 127)
    """

    def __init__(self, type: Dtype) -> None:
        if not isinstance(type, Dtype):
            raise TypeError(f"iinfo(): argument 'type' must be torch.dtype, not {type.__class__.__name__}")
        if type.is_floating_point or type.is_complex:
            raise TypeError(
                f"torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.{type.name}'"
            )
        if type is dtypes.bool:
            raise TypeError("torch.bool is not supported by torch.iinfo")
        if type in dtypes.SHELLS:
            raise TypeError(
                f"torch.iinfo() requires an integer input type, got {type}, of which torsh knows only the size"
            )
        # A quantized type has the limits of the integers it stores.
        type = {"qint8": dtypes.int8, "quint8": dtypes.uint8, "qint32": dtypes.int32}.get(type.name, type)
        if type in dtypes.QUANTIZED:
            raise TypeError(f"torch.iinfo() does not know {type}: its elements share bytes")
        self.bits = 8 * type.itemsize
        self.max = (1 << (self.bits - type.is_signed)) - 1
        self.min = -(1 << (self.bits - 1)) if type.is_signed else 0
        self.dtype = type.name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and self.dtype == other.dtype

    def __hash__(self) -> int:
        return hash(("iinfo", self.dtype))


# ---- settings ----------------------------------------------------------------------------------------------------------


class _Settings:
    deterministic: bool = False
    warn_only: bool = False
    fill_uninitialized: bool = True
    threads: int = 0
    interop_threads: int = 0
    matmul_precision: str = "highest"
    warn_always: bool = False


settings = _Settings()


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for the same results in every run.  torsh's CPU kernels always give them; operations that PyTorch has no
    deterministic form of raise RuntimeError all the same (``warn_only``: warn).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html

    >>> import torsh
    >>> torsh.use_deterministic_algorithms(True)
    >>> torsh.are_deterministic_algorithms_enabled()
    True
    >>> torsh.use_deterministic_algorithms(False)
    """
    for name, given in (("argument 'mode' (position 1)", mode), ("argument 'warn_only'", warn_only)):
        if type(given) is not bool:
            raise TypeError(f"_set_deterministic_algorithms(): {name} must be bool, not {type(given).__name__}")
    settings.deterministic, settings.warn_only = mode, warn_only


def alert_not_deterministic(name: str) -> None:
    """Raise, or warn, under ``use_deterministic_algorithms``: PyTorch has no deterministic form of an operation."""
    if not settings.deterministic:
        return
    what = f"{name} does not have a deterministic implementation, but you set 'torch.use_deterministic_algorithms(True"
    where = "file an issue at https://github.com/pytorch/pytorch/issues to help us prioritize adding deterministic support for this operation."
    if settings.warn_only:
        warn(f"{what}, warn_only=True)'. You can {where}")
        return
    raise RuntimeError(
        f"{what})'. You can turn off determinism just for this operation, or you can use the 'warn_only=True' option, if that's "
        f"acceptable for your application. You can also {where}"
    )


def are_deterministic_algorithms_enabled() -> bool:
    """Whether ``use_deterministic_algorithms`` is on.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.are_deterministic_algorithms_enabled.html

    >>> import torsh
    >>> torsh.are_deterministic_algorithms_enabled()
    False
    """
    return settings.deterministic


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether a nondeterministic operation would only warn.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.is_deterministic_algorithms_warn_only_enabled.html

    >>> import torsh
    >>> torsh.is_deterministic_algorithms_warn_only_enabled()
    False
    """
    return settings.warn_only


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """0 or "default", 1 or "warn", 2 or "error".

    Source: https://docs.pytorch.org/docs/stable/generated/torch.set_deterministic_debug_mode.html

    >>> import torsh
    >>> torsh.set_deterministic_debug_mode("warn")
    >>> torsh.get_deterministic_debug_mode()
    1
    >>> torsh.set_deterministic_debug_mode("default")
    """
    levels = {"default": 0, "warn": 1, "error": 2}
    if isinstance(debug_mode, str):
        if debug_mode not in levels:
            raise RuntimeError(
                f"invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got {debug_mode}"
            )
        debug_mode = levels[debug_mode]
    elif not isinstance(debug_mode, int):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    if debug_mode not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    use_deterministic_algorithms(debug_mode > 0, warn_only=debug_mode == 1)


def get_deterministic_debug_mode() -> int:
    """0 (default), 1 (warn) or 2 (error).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.get_deterministic_debug_mode.html

    >>> import torsh
    >>> torsh.get_deterministic_debug_mode()
    0
    """
    return 0 if not settings.deterministic else 1 if settings.warn_only else 2


def get_num_threads() -> int:
    """How many threads compute one operation.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.get_num_threads.html

    >>> import torsh
    >>> torsh.get_num_threads() >= 1
    True
    """
    return settings.threads or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def set_num_threads(n: int, /) -> None:
    """Set how many threads compute one operation, where the backend's library lets itself be told.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.set_num_threads.html

    >>> import torsh
    >>> n = torsh.get_num_threads()
    >>> torsh.set_num_threads(1)
    >>> torsh.get_num_threads()
    1
    >>> torsh.set_num_threads(n)
    """
    if not isinstance(n, int):
        raise RuntimeError(f"set_num_threads expects an int, but got {type(n).__name__}")
    if n <= 0:
        raise RuntimeError(f"set_num_threads expects a positive integer, but got {n}")
    settings.threads = n
    numba = sys.modules.get("numba")
    if numba is not None and hasattr(numba, "set_num_threads"):
        numba.set_num_threads(min(n, numba.config.NUMBA_NUM_THREADS))


def get_num_interop_threads() -> int:
    """How many threads run operations side by side.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.get_num_interop_threads.html

    >>> import torsh
    >>> torsh.get_num_interop_threads() >= 1
    True
    """
    return settings.interop_threads or get_num_threads()


def set_num_interop_threads(n: int, /) -> None:
    """Remember a number of threads for operations side by side; torsh runs one at a time.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.set_num_interop_threads.html
    """
    if not isinstance(n, int):
        raise TypeError(f"set_num_interop_threads expects an int, but got {type(n).__name__}")
    if n <= 0:
        raise RuntimeError(f"set_num_interop_threads expects a positive integer, but got {n}")
    settings.interop_threads = n


def init_num_threads() -> None:
    """Nothing to do: threads start when they are needed.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.init_num_threads.html

    >>> import torsh
    >>> torsh.init_num_threads()
    """


def set_float32_matmul_precision(precision: str) -> None:
    """ "highest", "high" or "medium"; torsh always computes at the highest.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.set_float32_matmul_precision.html

    >>> import torsh
    >>> torsh.set_float32_matmul_precision("high")
    >>> torsh.get_float32_matmul_precision()
    'high'
    >>> torsh.set_float32_matmul_precision("highest")
    """
    if precision not in ("highest", "high", "medium"):
        warnings.warn(
            f"{precision} is not one of 'highest', 'high', or 'medium'; the current setFloat32MatmulPrecision call has no effect.",
            stacklevel=2,
        )
        return
    settings.matmul_precision = precision


def get_float32_matmul_precision() -> str:
    """What ``set_float32_matmul_precision`` was last given.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.get_float32_matmul_precision.html

    >>> import torsh
    >>> torsh.get_float32_matmul_precision()
    'highest'
    """
    return settings.matmul_precision


def set_flush_denormal(mode: bool) -> bool:
    """Denormal numbers are never flushed; returns False to say so.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.set_flush_denormal.html
    """
    return False


def set_warn_always(b: bool, /) -> None:
    """Whether warnings that PyTorch gives once are given every time.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.set_warn_always.html

    >>> import torsh
    >>> torsh.set_warn_always(True)
    >>> torsh.is_warn_always_enabled()
    True
    >>> torsh.set_warn_always(False)
    """
    settings.warn_always = bool(b)


def is_warn_always_enabled() -> bool:
    """What ``set_warn_always`` was last given.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.is_warn_always_enabled.html

    >>> import torsh
    >>> torsh.is_warn_always_enabled()
    False
    """
    return settings.warn_always


def set_default_tensor_type(t: Any, /) -> None:
    """Set the default dtype and device by a legacy tensor type such as ``torch.DoubleTensor`` (or its name).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.set_default_tensor_type.html

    >>> import torsh
    >>> torsh.set_default_tensor_type(torsh.DoubleTensor)
    >>> torsh.tensor([1.]).dtype
    torsh.float64
    >>> torsh.set_default_tensor_type(torsh.FloatTensor)
    """
    from torsh.legacy import dtype_and_device

    if isinstance(t, Dtype):
        raise TypeError(f"invalid type object: {t}; expected a tensor type such as torch.FloatTensor")
    dtype, device = dtype_and_device(t)
    if not dtype.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, got {dtype}")
    dtypes.set_default_dtype(dtype)
    if device is not None:
        set_default_device(as_device(device) if device != "cpu" else None)


def compiled_with_cxx11_abi() -> bool:
    """True: a question about PyTorch's binaries that programs ask.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.compiled_with_cxx11_abi.html
    """
    return True


def is_vulkan_available() -> bool:
    """Whether a Vulkan device can be used: no.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.is_vulkan_available()
    False
    """
    return False


has_lapack = True
has_mkl = False
has_openmp = True
has_spectral = True

# ---- numbers that could be symbolic ------------------------------------------------------------------------------------


class SymInt:
    """An integer known only when a program runs; torsh's shapes are always plain integers, so there are none.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.SymInt.html
    """


class SymFloat:
    """A float known only when a program runs; torsh has none.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.SymFloat.html
    """


class SymBool:
    """A bool known only when a program runs; torsh has none.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.SymBool.html
    """


@overridable
def sym_int(a: Any) -> int:
    """A number rounded towards zero, as an int.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.sym_int.html

    >>> import torsh
    >>> torsh.sym_int(3.7)
    3
    """
    return math.trunc(a)


@overridable
def sym_float(a: Any) -> float:
    """A number as a float.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.sym_float.html

    >>> import torsh
    >>> torsh.sym_float(3)
    3.0
    """
    return float(a)


@overridable
def sym_not(a: Any) -> bool:
    """The opposite of a bool.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.sym_not.html

    >>> import torsh
    >>> torsh.sym_not(True)
    False
    """
    return not a


@overridable
def sym_max(a: Any, b: Any) -> Any:
    """The larger of two numbers, a float if one of them is.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.sym_max.html

    >>> import torsh
    >>> torsh.sym_max(1, 2)
    2
    """
    return type(a + b)(max(a, b)) if not isinstance(a, bool) else max(a, b)


@overridable
def sym_min(a: Any, b: Any) -> Any:
    """The smaller of two numbers, a float if one of them is.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.sym_min.html

    >>> import torsh
    >>> torsh.sym_min(1, 2)
    1
    """
    return type(a + b)(min(a, b)) if not isinstance(a, bool) else min(a, b)


@overridable
def sym_ite(b: Any, t: Any, f: Any) -> Any:
    """``t`` if ``b`` else ``f``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.sym_ite.html

    >>> import torsh
    >>> torsh.sym_ite(True, 1, 2)
    1
    """
    return t if b else f


@overridable
def sym_sum(args: Any) -> Any:
    """The sum of numbers.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.sym_sum.html

    >>> import torsh
    >>> torsh.sym_sum([1, 2, 3])
    6
    """
    return functools.reduce(operator.add, args, 0)


def sym_fresh_size(expr: Any) -> Any:
    """The number itself: torsh has no symbols that stand for sizes.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    return expr


@overridable
def sym_sqrt(a: Any) -> float:
    """The square root of a number.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.sym_sqrt(9)
    3.0
    """
    return math.sqrt(a)


__all__ = [
    "SymBool", "SymFloat", "SymInt", "are_deterministic_algorithms_enabled", "broadcast_shapes", "can_cast",
    "compiled_with_cxx11_abi", "e", "finfo", "get_deterministic_debug_mode", "get_device", "get_float32_matmul_precision",
    "get_num_interop_threads", "get_num_threads", "get_printoptions", "has_lapack", "has_mkl", "has_openmp", "has_spectral",
    "iinfo", "inf", "init_num_threads", "is_complex", "is_deterministic_algorithms_warn_only_enabled", "is_distributed",
    "is_floating_point", "is_inference", "is_nonzero", "is_same_size", "is_signed", "is_storage", "is_tensor",
    "is_vulkan_available", "is_warn_always_enabled", "nan", "newaxis", "numel", "pi", "printoptions", "result_type",
    "set_default_tensor_type", "set_deterministic_debug_mode", "set_float32_matmul_precision", "set_flush_denormal",
    "set_num_interop_threads", "set_num_threads", "set_printoptions", "set_warn_always", "sym_float", "sym_int", "sym_ite",
    "sym_max", "sym_min", "sym_not", "sym_sqrt", "sym_sum", "typename", "use_deterministic_algorithms",
]  # fmt: skip
