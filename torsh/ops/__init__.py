"""All ops, by family.  Importing this package declares them and attaches the methods of Tensor.

``NAMES`` holds what each public namespace gets: ``NAMES["torch"]["add"]`` is ``torsh.add``.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Callable
from typing import Any

from torsh.ops._op import OPS, Op
from torsh.tensor import Tensor

FAMILIES = (
    "conversion", "creation", "comparison", "arithmetic", "pointwise", "special", "complex", "reduction", "shape", "slicing", "joining",
    "rearranging", "storage", "copies", "indexing", "scatter",
    "sorting", "histogram", "cumulative", "statistics", "norms", "matmul", "einsum", "decomposition", "lu", "lowrank", "linalg", "fft", "stft", "windows", "random", "sampling", "dirichlet_gradient", "activation", "convolution", "pooling", "normalization", "loss", "attention",
    "embedding", "vision", "linear", "dropout", "pooling_adaptive", "padding", "loss_classes", "distance", "foreach", "masked",
    "recurrent", "recurrent_steps", "quantization", "sparse", "segments", "grouped", "internal",
)  # fmt: skip

# In-place forms that are functions of the torch namespace too.
INPLACE_FUNCTIONS = (
    "abs acos acosh addmv arccos arccosh arcsin arcsinh arctan arctanh as_strided asin asinh atan atanh ceil celu clamp "
    "clamp_max clamp_min clip conj_physical cos cosh deg2rad erf erfc exp exp2 expm1 fix floor frac gcd i0 index_put lcm ldexp "
    "log log10 log1p log2 logit nan_to_num neg negative rad2deg reciprocal relu round rsqrt sigmoid sin sinc sinh sqrt square "
    "tan tanh trunc xlogy"
).split()

NAMES: dict[str, dict[str, Callable[..., Any]]] = {}

# Ops of one tensor that Tensor has as attributes, not as methods.
PROPERTIES = frozenset({"T", "H", "mT", "mH", "real", "imag"})

# Operator -> in-place operator.
_AUGMENTED = {
    f"__{n}__": f"__i{n}__"
    for n in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor", "lshift", "rshift")
}

# Reflected operators whose operands must change places (the others' operations commute).
_SWAPPED = {f"__r{n}__" for n in ("sub", "truediv", "div", "floordiv", "mod", "pow", "lshift", "rshift", "matmul")}


def _swapped(function: Callable[..., Any]) -> Callable[..., Any]:
    def reflected(self: Any, other: Any) -> Any:
        return function(other, self)

    reflected.__wrapped__ = function  # type: ignore[attr-defined]
    return reflected


def _writer(part: Callable[..., Any]) -> Callable[..., Any]:
    def write(self: Tensor, value: Any) -> None:
        part(self).copy_(value)

    return write


def attach(op: Op) -> None:
    """Put an op where its declaration says it is found, with its in-place forms."""
    for path in op.paths:
        namespace, _, name = path.rpartition(".")
        function = op.short if op.short is not None and name.startswith("__") else op.fn
        if op.inplace is not None and name == op.name + "_":  # e.g. torch.relu_, a function that writes in place
            function = op.inplace
        if namespace != "Tensor":
            NAMES.setdefault(namespace, {})[name] = function
            continue
        if name in PROPERTIES:
            setattr(Tensor, name, property(function, _writer(function) if name in ("real", "imag") else None))
            continue
        setattr(Tensor, name, _swapped(function) if name in _SWAPPED else function)
        if op.inplace is not None:
            if name.startswith("__"):
                if name in _AUGMENTED:
                    setattr(Tensor, _AUGMENTED[name], op.augmented or op.inplace)
            else:
                setattr(Tensor, name + "_", op.inplace)


def _load_library(path: Any) -> None:
    """OSError, as for a file that cannot be loaded: compiled operators are made for PyTorch's own runtime."""
    raise OSError(
        f"Could not load this library: {path} (operators compiled for PyTorch need PyTorch's C++ runtime, which torsh has not)"
    )


def __getattr__(name: str) -> Any:
    if name == "aten":  # PyTorch's names of ops: for the few programs that go by them
        return importlib.import_module("torsh.ops.aten")
    if name == "load_library":
        return _load_library
    library = sys.modules.get("torsh.library")  # custom operators: nothing can be defined before it is loaded
    if library is not None and not name.startswith("_") and (found := library.namespace(name)) is not None:
        return found
    raise AttributeError(f"module 'torch.ops' has no attribute '{name}'")


# What is made here stays: the garbage collector would look through it again and again, a sixth of the time to import torsh.
_collecting = gc.isenabled()
gc.disable()
try:
    for _family in FAMILIES:
        importlib.import_module(f"torsh.ops.{_family}")
    for _op in OPS.values():
        attach(_op)
finally:
    if _collecting:
        gc.enable()
for _name in INPLACE_FUNCTIONS:
    if hasattr(Tensor, f"{_name}_"):
        NAMES["torch"].setdefault(f"{_name}_", getattr(Tensor, f"{_name}_"))
importlib.import_module("torsh.tensor_methods")
