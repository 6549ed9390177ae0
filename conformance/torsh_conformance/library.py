"""One way to call torsh on a backend, PyTorch, or anything torch-like: what a check compares are two of these."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from torsh_conformance.compare import Leaf, is_tensor, leaves
from torsh_conformance.sample import S, as_tensor, call_args, numpy_dtype
from torsh_conformance.subjects import Subject

_WIDER = {"float16": "float64", "bfloat16": "float64", "float32": "float64", "complex32": "complex128",
          "complex64": "complex128"}  # fmt: skip


@dataclass
class Run:
    """What came of a call: leaves of the result, or the exception; and the arguments afterwards."""

    leaves: list[Leaf] = field(default_factory=list)
    error: Exception | None = None
    result: Any = None
    arguments: list[Leaf] = field(default_factory=list)


def widened(sample: S, dtype: str) -> S:
    """The sample with arrays of the case's dtype in a higher precision, for the oracle."""
    target = _WIDER.get(dtype)
    if target is None:
        return sample
    source, wide = numpy_dtype(dtype), numpy_dtype(target)
    seen: dict[int, Any] = {}

    def widen(v: Any) -> Any:
        if isinstance(v, np.ndarray) and v.dtype == source:
            if id(v) not in seen:
                seen[id(v)] = v.astype(wide)
            return seen[id(v)]
        if type(v) in (list, tuple):
            return type(v)(widen(x) for x in v)
        return v

    found = S(*(widen(a) for a in sample.args), **{k: widen(v) for k, v in sample.kwargs.items()})
    found.label, found.skipped = sample.label, sample.skipped
    return found


def tensors_in(value: Any) -> list[Any]:
    """The tensors of arguments or of a result, in order."""
    if is_tensor(value):
        return [value]
    if isinstance(value, (list, tuple)):
        return [t for v in value for t in tensors_in(v)]
    if isinstance(value, dict):
        return [t for v in value.values() for t in tensors_in(v)]
    return []


def cotangent(shape: tuple[int, ...], dtype: str, number: int) -> np.ndarray[Any, Any]:
    """A fixed direction for gradients of one output."""
    n = int(np.prod(shape))
    base = np.cos(np.arange(n) * 1.7 + number + 0.3)
    if dtype.startswith("complex"):
        base = base + 1j * np.sin(np.arange(n) * 1.3 + number)
    return base.reshape(shape).astype(numpy_dtype(dtype))


class Library:
    """A torch-like module; for torsh also the backend and the device it shall use."""

    def __init__(self, module: Any, backend: str | None = None, device: str = "cpu") -> None:
        self.module = module
        self.backend = backend
        self.device = device

    def __repr__(self) -> str:
        return f"<{self.module.__name__}{f' on {self.backend}:{self.device}' if self.backend else ''}>"

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Everything inside runs on this library's backend and device."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.backend is None:
                yield
                return
            from torsh import registry

            with registry.use(self.backend, self.device.partition(":")[0]):
                if self.device == "cpu":
                    yield
                    return
                previous = self.module.get_default_device()
                self.module.set_default_device(self.device)
                try:
                    yield
                finally:
                    self.module.set_default_device(previous)

    def seed(self) -> None:
        seed = getattr(self.module, "manual_seed", None)
        if seed is not None:
            seed(1234)

    def function(self, subject: Subject) -> Any:
        """The function form; where torsh does not export the name yet, the op itself."""
        try:
            return subject.function(self.module)
        except AttributeError:
            if self.backend is None or subject.op is None:
                raise
            return subject.op.fn

    def call(self, subject: Subject, sample: S, form: str = "function") -> Run:
        """Call one form: ``function``, ``method`` or ``inplace``.  Exceptions end up in the Run."""
        try:
            args, kwargs = call_args(self.module, sample, self.device)
        except (TypeError, RuntimeError, AttributeError) as e:
            return Run(error=e)
        if subject.random:
            self.seed()
        try:
            if form == "function":
                result = self.function(subject)(*args, **kwargs)
            else:
                name = subject.method.rpartition(".")[2]  # type: ignore[union-attr]
                result = getattr(args[0], name + ("_" if form == "inplace" else ""))(*args[1:], **kwargs)
            return Run(leaves(result), None, result, leaves([*args, *kwargs.values()], "argument"))
        except Exception as e:
            return Run(error=e)

    def gradients(self, subject: Subject, sample: S, twice: bool = False) -> Run | None:
        """Gradients of the function form with respect to every floating argument; None where nothing is differentiable.

        twice: the gradient of the gradient in a fixed direction instead.
        """
        args, kwargs = call_args(self.module, sample, self.device)
        inputs = []
        for t in tensors_in([args, kwargs]):
            if (t.dtype.is_floating_point or t.dtype.is_complex) and not any(t is u for u in inputs):
                t.requires_grad_(True)
                inputs.append(t)
        if not inputs:
            return None
        if subject.random:
            self.seed()
        try:
            if subject.path.endswith("_"):  # writes into its argument, which must not be a leaf
                args = [a.clone() if any(a is i for i in inputs) else a for a in args]
            result = self.function(subject)(*args, **kwargs)
            grads = self._grad(self._determined(subject, result), inputs, twice)
            if twice and grads is not None:
                grads = self._grad([g for g in grads if g is not None], inputs, False)
            if grads is None:
                return None
            return Run([x for i, g in enumerate(grads) for x in leaves(g, f"gradient of input {i}")], result=grads)
        except Exception as e:
            return Run(error=e)

    def _determined(self, subject: Subject, result: Any) -> Any:
        """The result with what is free to choose taken out: eigenvectors are free up to a sign or a phase, and so would
        be the gradient in a fixed direction.
        """
        name = subject.name.rpartition(".")[2].removeprefix("linalg_").removeprefix("torch_")
        if name == "eigh" and len(result) == 2:
            w, v = result
            return [w, (v * (w * w).unsqueeze(-2)) @ v.mH]
        return result

    def _grad(self, result: Any, inputs: list[Any], create_graph: bool) -> Any:
        outs = [t for t in tensors_in(result) if t.requires_grad]
        if not outs:
            return None
        directions = [self.tensor(cotangent(tuple(o.shape), _name(o.dtype), i)) for i, o in enumerate(outs)]
        return self.module.autograd.grad(outs, inputs, directions, create_graph=create_graph, allow_unused=True)

    def tensor(self, array: np.ndarray[Any, Any]) -> Any:
        return as_tensor(self.module, array, self.device)


def _name(dtype: Any) -> str:
    return str(getattr(dtype, "name", None) or str(dtype).rpartition(".")[2])
