"""Sample inputs: what an op is called with, independent of any library.

A generator yields ``S(*args, **kwargs)``; arrays in it are NumPy arrays and become tensors of whichever library is
asked::

    @samples("torch.gather")
    def gather(make):
        yield S(make(3, 4), 1, make.ints(3, 2, high=4))

Generators live in ``torsh_conformance/samples/<family>.py``.  Ops without one get samples derived from their
declaration (``default_samples``).  All values depend only on (path, dtype, number of the sample).
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import warnings
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np

from torsh import dtypes
from torsh.dtypes import dtype as Dtype

Generator = Callable[["Make"], Iterator["S"]]

# Public path -> its generator.
GENERATORS: dict[str, Generator] = {}
# The same for ops whose family has none; see torsh_conformance.fallbacks.
FALLBACKS: dict[str, Generator] = {}

# Forms that a sample may not be meant for; ``S(...).without("grad")``.
ASPECTS = frozenset(
    {"value", "grad", "method", "inplace", "out", "repeat", "decomposition", "error", "meta", "noncontiguous"}
)


class S:
    """One call: positional and keyword arguments."""

    __slots__ = ("args", "kwargs", "label", "skipped")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args
        self.kwargs = kwargs
        self.label = ""
        self.skipped: frozenset[str] = frozenset()

    def named(self, label: str) -> S:
        """The same sample with a word that says what is special about it."""
        self.label = label
        return self

    def without(self, *aspects: str) -> S:
        """The same sample, left out of some checks; see ``ASPECTS``."""
        unknown = set(aspects) - ASPECTS
        if unknown:
            raise ValueError(f"unknown aspects {sorted(unknown)}; known are {sorted(ASPECTS)}")
        self.skipped = self.skipped | set(aspects)
        return self

    def __repr__(self) -> str:
        shown = [_show(a) for a in self.args] + [f"{k}={_show(v)}" for k, v in self.kwargs.items()]
        return f"S({', '.join(shown)})"


def _show(value: Any) -> str:
    if isinstance(value, np.ndarray):
        contiguous = "" if value.flags.c_contiguous else " strided"
        return f"{value.dtype.name}{list(value.shape)}{contiguous}"
    if isinstance(value, (list, tuple)):
        inner = ", ".join(_show(v) for v in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    return repr(value)


class Named:
    """A name to look up in whichever library is asked: ``the.float64`` is ``torch.float64`` there."""

    __slots__ = ("path",)

    def __init__(self, path: str = "") -> None:
        self.path = path

    def __getattr__(self, name: str) -> Named:
        if name.startswith("__"):
            raise AttributeError(name)
        return Named(f"{self.path}.{name}" if self.path else name)

    def __repr__(self) -> str:
        return self.path or "the"


the = Named()


def samples(*paths: str, table: dict[str, Generator] = GENERATORS) -> Callable[[Generator], Generator]:
    """Register a generator for one or more public paths (``"torch.gather"``, ``"Tensor.item"``)."""

    def register(generator: Generator) -> Generator:
        for path in paths:
            if path in table and table[path].__module__ != generator.__module__:
                raise ValueError(
                    f"samples for {path!r} are given twice: in {table[path].__module__} and in {generator.__module__}"
                )
            table[path] = generator
        return generator

    return register


_loaded = False


def load_generators() -> dict[str, Generator]:
    """``GENERATORS``, after importing every module of ``torsh_conformance.samples``."""
    global _loaded
    if not _loaded:
        package = importlib.import_module("torsh_conformance.samples")
        for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
            importlib.import_module(f"torsh_conformance.samples.{module}")
        importlib.import_module("torsh_conformance.fallbacks")
        _loaded = True
    return GENERATORS


# ---- arrays ----------------------------------------------------------------------------------------------------------


def numpy_dtype(dtype: Any) -> np.dtype[Any]:
    """The NumPy (or ml_dtypes) type of a torsh dtype, a dtype name or anything NumPy understands."""
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None)
    if name is not None and hasattr(ml_dtypes, name):
        return np.dtype(getattr(ml_dtypes, name))
    return np.dtype(name if isinstance(name, str) else dtype)


class Make:
    """Makes arrays of the case's dtype; the values depend only on (path, dtype, number of the sample)."""

    def __init__(self, path: str, dtype: Any) -> None:
        self.path = path
        self.dtype: Dtype = dtypes.BY_NAME[dtype] if isinstance(dtype, str) else dtype
        self.restart(0)

    def restart(self, number: int) -> None:
        """Start the values of sample ``number``."""
        self._rng = np.random.default_rng([zlib.crc32(f"{self.path}|{self.dtype.name}".encode()), number])

    def __call__(
        self, *shape: int, low: float | None = None, high: float | None = None, dtype: Any = None
    ) -> np.ndarray[Any, Any]:
        """An array of a shape (none: 0-d) with values in [low, high).

        Default range: [-2.5, 2.5) for floats, [-5, 6) for signed and [0, 10) for unsigned integers; bools are fair
        coins.
        """
        kind = self.dtype if dtype is None else dtypes.BY_NAME[dtype] if isinstance(dtype, str) else as_dtype(dtype)
        size = _shape(shape)
        if kind.category == dtypes.BOOL:
            return np.asarray(self._rng.random(size) < 0.5)
        if kind.category == dtypes.INT:
            start = (
                (-5 if kind.is_signed else 0)
                if low is None
                else max(int(np.ceil(low)), 0 if not kind.is_signed else -128)
            )
            stop = (6 if kind.is_signed else 10) if high is None else int(np.ceil(high))
            return np.asarray(self._rng.integers(start, max(stop, start + 1), size).astype(numpy_dtype(kind)))
        start = -2.5 if low is None else float(low)
        stop = (2.5 if start < 2.5 else start + 5) if high is None else float(high)
        if kind.category == dtypes.FLOAT:
            return np.asarray(self._rng.uniform(start, stop, size)).astype(numpy_dtype(kind))
        values = np.asarray(self._rng.uniform(start, stop, size) + 1j * self._rng.uniform(start, stop, size))
        return values.astype(numpy_dtype(kind))

    def ints(self, *shape: int, low: int = 0, high: int = 10, dtype: Any = "int64") -> np.ndarray[Any, Any]:
        """An int64 array (indices, lengths) with values in [low, high)."""
        return np.asarray(self._rng.integers(low, high, _shape(shape)).astype(numpy_dtype(dtype)))

    def bools(self, *shape: int) -> np.ndarray[Any, Any]:
        """A bool array (a mask)."""
        return np.asarray(self._rng.random(_shape(shape)) < 0.5)

    def distinct(self, *shape: int) -> np.ndarray[Any, Any]:
        """An array without equal elements (for sorting and extrema, whose choice among equals is free)."""
        size = _shape(shape)
        n = int(np.prod(size))
        values = self._rng.permutation(n).reshape(size)
        if self.dtype.category == dtypes.BOOL:
            return values % 2 == 0
        if self.dtype.category == dtypes.INT:
            return (values - (n // 2 if self.dtype.is_signed else 0)).astype(numpy_dtype(self.dtype))
        return ((values - n / 2 + 0.25) / 2).astype(numpy_dtype(self.dtype))

    def special(self) -> np.ndarray[Any, Any]:
        """A vector with what breaks implementations: nan, infinities, signed zeros, the largest, the smallest."""
        category = self.dtype.category
        if category == dtypes.BOOL:
            return np.array([True, False])
        target = numpy_dtype(self.dtype)
        if category == dtypes.INT:
            info = np.iinfo(target)
            return np.array([0, 1, 2, info.min, info.max, info.max - 1], target)
        real = target if category == dtypes.FLOAT else numpy_dtype(self.dtype.to_real())
        info = ml_dtypes.finfo(real)
        numbers = [
            np.nan,
            np.inf,
            -np.inf,
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            -2.5,
            1e-3,
            3.0,
            float(info.max),
            float(info.tiny),
        ]
        if self.dtype.name.startswith("float8"):
            numbers = [0.0, 1.0, 0.5, 2.0, 3.0]
        if category == dtypes.FLOAT:
            return np.array(numbers).astype(target)
        parts = [0.0, -0.0, 1.0, -2.5, np.inf, np.nan]
        return np.array([complex(a, b) for a in parts for b in parts if not (np.isnan(a) or np.isnan(b))]).astype(
            target
        )


def _shape(shape: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape


def as_dtype(value: Any) -> Dtype:
    """The torsh dtype of a torsh dtype, a name, a NumPy type or a PyTorch dtype."""
    if isinstance(value, Dtype):
        return value
    name = value if isinstance(value, str) else getattr(value, "name", None)
    if name is None:
        name = np.dtype(value).name if isinstance(value, (type, np.dtype)) else str(value).rpartition(".")[2]
    return dtypes.BY_NAME[{**{k: v.name for k, v in dtypes.ALIASES.items()}}.get(name, name)]


def generate(path: str, generator: Generator, dtype: Any) -> Iterator[S]:
    """The samples of a generator for one dtype."""
    make = Make(path, dtype)
    run = generator(make)
    number = 0
    while True:
        make.restart(number)
        try:
            with warnings.catch_warnings():  # of casts that mean nothing in this dtype
                warnings.simplefilter("ignore")
                sample = next(run)
        except StopIteration:
            return
        yield sample
        number += 1


# ---- samples derived from a declaration ------------------------------------------------------------------------------


def required(function: Any) -> list[inspect.Parameter]:
    """The parameters without a default that a call must give by position."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p for p in parameters if p.kind in positional and p.default is p.empty]


def default_generator(op: Any) -> Generator:
    """A generator for an op that has none, by its tags and signature."""
    if "pointwise" in op.tags:
        operands = len(required(op.fn)) or 1
        return unary_samples if operands == 1 else binary_samples if operands == 2 else nary_samples(operands)
    needed = required(op.fn)
    names = set(inspect.signature(op.fn).parameters) if op.fn is not None else set()
    if "reduction" in op.tags and len(needed) <= 1:
        return reduction_samples(names)
    if len(needed) == 2 and needed[1].name in ("other", "mat2", "tensor2", "vec2", "exponent", "target"):
        return binary_samples
    return guessed_samples([p.name for p in needed], _variadic(op.fn))


def _variadic(function: Any) -> str | None:
    """The name of a function's ``*args``."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return next((p.name for p in parameters if p.kind is inspect.Parameter.VAR_POSITIONAL), None)


# What a required parameter of a certain name gets, if it is no tensor.
GUESSES: dict[str, Any] = {
    "dim": 0,
    "dim0": 0,
    "dim1": 1,
    "axis": 0,
    "axis0": 0,
    "axis1": 1,
    "dims": (0, 1),
    "source": 0,
    "destination": 1,
    "n": 2,
    "k": 1,
    "N": 3,
    "size": (3, 4),
    "shape": (3, 4),
    "start": 0,
    "end": 5,
    "steps": 5,
    "length": 2,
    "chunks": 2,
    "split_size": 2,
    "sections": 2,
    "indices_or_sections": 2,
    "repeats": 2,
    "shifts": 1,
    "fill_value": 2,
    "kernel_size": 2,
    "p": 0.5,
    "q": 0.5,
    "dtype": the.float64,
    "window_length": 5,
    "normalized_shape": (4,),
    "num_groups": 1,
    "num_classes": 10,
    "maxnorm": 2.0,
    "offset": 0,
    "step": 1,
    "value": 2,
    "ord": 2,
    "rcond": 1e-3,
    "upscale_factor": 2,
    "downscale_factor": 1,
    "threshold": 0.5,
}


def unary_samples(make: Make) -> Iterator[S]:
    yield S(make(3, 4))
    yield S(make()).named("0-d")
    yield S(make(0, 3)).named("empty")
    yield S(make(4, 3).T).named("transposed")
    yield S(make(9)[::2]).named("strided")
    yield S(make.special()).named("special values").without("grad")


def binary_samples(make: Make) -> Iterator[S]:
    yield S(make(3, 4), make(3, 4))
    yield S(make(3, 1), make(4)).named("broadcast")
    yield S(make(3), make()).named("0-d")
    yield S(make(), make()).named("both 0-d")
    yield S(make(0, 3), make(3)).named("empty")
    yield S(make(4, 3).T, make(3, 8)[:, ::2]).named("strided")
    special = make.special()
    yield S(special[:, None], special).named("special values").without("grad")
    if make.dtype.category != dtypes.BOOL:
        yield S(make(2, 3), 2).named("number")


def nary_samples(operands: int) -> Generator:
    def generator(make: Make) -> Iterator[S]:
        yield S(*(make(3, 4) for _ in range(operands)))
        shapes = [(3, 1), (4,), (2, 1, 1), (1,)]
        yield S(*(make(*shapes[i % 4]) for i in range(operands))).named("broadcast")
        yield S(*(make() for _ in range(operands))).named("0-d")
        yield S(*(make(0, 3) for _ in range(operands))).named("empty")
        yield S(*(make(4, 3).T for _ in range(operands))).named("transposed")

    return generator


def reduction_samples(names: set[str]) -> Generator:
    has_dim, has_keepdim = "dim" in names, "keepdim" in names

    def generator(make: Make) -> Iterator[S]:
        yield S(make.distinct(3, 4))
        if has_dim:
            yield S(make.distinct(3, 4), dim=0)
            if has_keepdim:
                yield S(make.distinct(2, 3, 4), dim=1, keepdim=True)
            yield S(make.distinct(4, 3).T, dim=-1).named("transposed")
            yield S(make(0, 3), dim=1).named("empty")
            yield S(make(), dim=0).named("0-d")
            if make.dtype.category >= dtypes.FLOAT:
                yield S(np.stack([make.special(), make.special()[::-1]]), dim=1).named("special values").without("grad")
        else:
            yield S(make.distinct(4, 3).T).named("transposed")
            yield S(make()).named("0-d")
            yield S(make(0, 3)).named("empty")

    return generator


def guessed_samples(names: list[str], variadic: str | None) -> Generator:
    """Samples from the names of the required parameters.  That the reference refuses a guess says nothing."""

    def call(make: Make, *shape: int, transposed: bool = False) -> S:
        args: list[Any] = []
        for name in names:
            if name in GUESSES and (
                args or name in ("size", "shape", "n", "N", "start", "end", "steps", "window_length")
            ):
                args.append(GUESSES[name])
            elif name == "mask":
                args.append(make.bools(*shape))
            elif name in ("tensors", "arrays"):
                args.append([make(*shape), make(*shape)])
            else:
                args.append(make(*shape[::-1]).T if transposed else make(*shape))
        if variadic in ("tensors", "operands"):
            args += [make(*shape), make(*shape)]
        elif variadic is not None and variadic in GUESSES:
            given = GUESSES[variadic]
            args += list(given) if isinstance(given, tuple) else [given]
        return S(*args).without("error")

    def generator(make: Make) -> Iterator[S]:
        if not names and variadic is None:
            yield S().without("error")
            return
        yield call(make, 3, 4)
        yield call(make, 3)
        yield call(make, 3, 4, transposed=True).named("transposed")
        yield call(make, 0, 3).named("empty")
        yield call(make).named("0-d")
        yield call(make, 2, 2, 3, 4).named("4-d")

    return generator


# ---- conversion ------------------------------------------------------------------------------------------------------


def plain_copy(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A writable copy that keeps strides where every library can have them (no negative ones)."""
    if all(s >= 0 for s in array.strides) and not array.flags.c_contiguous and array.size:
        size = array.dtype.itemsize
        if all(s % size == 0 for s in array.strides):
            extent = sum((n - 1) * s for n, s in zip(array.shape, array.strides)) // size + 1
            flat = np.zeros(extent, array.dtype)
            view: np.ndarray[Any, Any] = np.ndarray(array.shape, array.dtype, flat, 0, array.strides)
            if 0 not in array.strides:
                view[...] = array
                return view
    return np.array(array, order="C")


def as_tensor(module: Any, array: np.ndarray[Any, Any], device: Any = None) -> Any:
    """A tensor of a torch-like module with a copy of an array, its strides kept."""
    copy = plain_copy(array)
    if module.__name__ == "torch" and (copy.dtype.kind == "V" or not hasattr(np, copy.dtype.name)):
        t = _torch_bits(module, copy)
    else:
        t = module.from_numpy(copy)
    return t if device is None or str(device) == "cpu" else t.to(device)


def _torch_bits(torch: Any, array: np.ndarray[Any, Any]) -> Any:
    """Types NumPy lacks go to PyTorch as bits."""
    bits = array.view({1: "uint8", 2: "int16", 4: "int32"}[array.dtype.itemsize])
    return torch.from_numpy(bits).view(getattr(torch, array.dtype.name))


def to_module(module: Any, value: Any, device: Any = None, seen: dict[int, Any] | None = None) -> Any:
    """Arguments of a sample for a torch-like module: arrays become tensors, names and dtypes are looked up there."""
    seen = {} if seen is None else seen
    if isinstance(value, np.ndarray):
        key = id(value)
        if key not in seen:
            seen[key] = as_tensor(module, value, device)
        return seen[key]
    if isinstance(value, Named):
        found = module
        for part in value.path.split("."):
            found = getattr(found, part)
        return found
    if isinstance(value, Dtype):
        return getattr(module, value.name)
    if type(value) in (list, tuple):
        return type(value)(to_module(module, v, device, seen) for v in value)
    if isinstance(value, dict):
        return {k: to_module(module, v, device, seen) for k, v in value.items()}
    if isinstance(value, slice):
        return slice(*(to_module(module, v, device, seen) for v in (value.start, value.stop, value.step)))
    return value


def call_args(module: Any, sample: S, device: Any = None) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a sample for a torch-like module."""
    seen: dict[int, Any] = {}
    args = [to_module(module, a, device, seen) for a in sample.args]
    return args, {k: to_module(module, v, device, seen) for k, v in sample.kwargs.items()}


def to_numpy(tensor: Any) -> np.ndarray[Any, Any]:
    """The values of a tensor of torsh, PyTorch or anything that has ``detach().cpu().numpy()``."""
    kind = getattr(tensor, "_kind", None)
    if kind is not None and hasattr(kind, "backend"):
        return np.asarray(kind.backend.to_host(tensor.detach()._data))
    t = tensor.detach().cpu()
    if type(t).__module__.split(".")[0] == "torch":
        return _torch_to_numpy(t)
    return np.asarray(t.numpy())


def _torch_to_numpy(t: Any) -> np.ndarray[Any, Any]:
    import torch

    if t.layout is not torch.strided:
        t = t.to_dense()
    t = t.resolve_conj().resolve_neg()
    if t.dtype in (torch.bfloat16, torch.complex32) or str(t.dtype).startswith("torch.float8"):
        bits = {1: torch.uint8, 2: torch.int16, 4: torch.int32}[t.itemsize]
        with warnings.catch_warnings():  # complex32 is "experimental"
            warnings.simplefilter("ignore")
            t = t.contiguous()
        return t.view(bits).numpy().view(numpy_dtype(str(t.dtype).rpartition(".")[2]))
    return t.numpy()


__all__ = [
    "GENERATORS",
    "Make",
    "Named",
    "S",
    "as_tensor",
    "call_args",
    "generate",
    "samples",
    "the",
    "to_module",
    "to_numpy",
]
