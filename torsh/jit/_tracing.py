"""``jit.trace`` and what goes with it.  Nothing is compiled: what comes back runs the program's own Python code.

Source: https://docs.pytorch.org/docs/stable/jit.html
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from torsh.nn.modules.module import Module
from torsh.tensor import Tensor

_asked = {"onednn": False}


class TracerWarning(Warning):
    """The category of warnings of ``jit.trace``, for programs that filter them; torsh gives none.

    Source: https://docs.pytorch.org/docs/stable/jit.html

    >>> import torsh
    >>> issubclass(torsh.jit.TracerWarning, Warning)
    True
    """

    @staticmethod
    def ignore_lib_warnings() -> None:
        """Nothing to ignore."""


def _check_output(value: Any) -> None:
    if isinstance(value, Tensor):
        return
    if isinstance(value, Mapping):
        parts: Any = value.values()
    elif isinstance(value, (tuple, list)):
        parts = value
    else:
        raise RuntimeError(
            f"Type '{type(value).__name__}' cannot be traced. Only Tensors and (possibly nested) Lists, Dicts, and Tuples of Tensors can be traced"
        )
    for part in parts:
        _check_output(part)


def _call(fn: Callable[..., Any], inputs: Any, named: Any) -> None:
    _check_output(fn(*(inputs if isinstance(inputs, (tuple, list)) else (inputs,)), **(named or {})))


def trace(
    func: Any,
    example_inputs: Any = None,
    optimize: Any = None,
    check_trace: bool = True,
    check_inputs: Any = None,
    check_tolerance: float = 1e-5,
    strict: bool = True,
    _force_outplace: bool = False,
    _module_class: Any = None,
    _compilation_unit: Any = None,
    example_kwarg_inputs: Any = None,
    _store_inputs: bool = True,
) -> Any:
    """Run a function or module on example inputs, check that its results can be traced, and give it back as it is.

    PyTorch records the ops of that run and replays them; torsh calls the Python code each time, so branches and loops still
    depend on the inputs.  There is no graph (``.graph``, ``.code``) and ``jit.save`` is not possible.
    Raises RuntimeError for results that are not tensors, or tuples, lists or dicts of tensors.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.jit.trace.html

    >>> import torsh
    >>> f = torsh.jit.trace(lambda x: x * 2, torsh.ones(1))
    >>> f(torsh.tensor([1., 3.]))
    tensor([2., 6.])
    """
    if example_inputs is None and example_kwarg_inputs is None:
        raise RuntimeError("example_kwarg_inputs should be a dict")
    _call(func, () if example_inputs is None else example_inputs, example_kwarg_inputs)
    return func


def trace_module(
    mod: Module, inputs: dict[str, Any], optimize: Any = None, check_trace: bool = True, check_inputs: Any = None,
    check_tolerance: float = 1e-5, strict: bool = True, **options: Any,
) -> Module:  # fmt: skip
    """:func:`trace` of several methods: ``inputs`` has the example inputs by name of the method.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.jit.trace_module.html

    >>> import torsh
    >>> layer = torsh.nn.Linear(2, 1)
    >>> torsh.jit.trace_module(layer, {"forward": torsh.ones(1, 2)}) is layer
    True
    """
    if not isinstance(mod, Module):
        raise AttributeError("expected torch.nn.Module as the first argument")
    if not isinstance(inputs, dict):
        raise AttributeError("expected a dictionary of (method_name, input) pairs")
    for name, given in inputs.items():
        _call(mod if name == "forward" else getattr(mod, name), given, None)
    return mod


def freeze(mod: Module, preserved_attrs: Sequence[str] | None = None, optimize_numerics: bool = True) -> Module:
    """The module itself, which must be in evaluation mode (RuntimeError): there is no compiled form whose weights could be fixed.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.jit.freeze.html

    >>> import torsh
    >>> layer = torsh.nn.Linear(2, 1).eval()
    >>> torsh.jit.freeze(layer) is layer
    True
    """
    if not isinstance(mod, Module):
        raise RuntimeError(
            "Freezing expects a ScriptModule as input. Please use torch.jit.script or torch.jit.trace to script your 'nn.Module'."
        )
    if mod.training:
        raise RuntimeError(
            "Freezing is currently only implemented for modules in eval mode. Please call .eval() on your module before freezing."
        )
    return mod


def optimize_for_inference(mod: Module, other_methods: Sequence[str] | None = None) -> Module:
    """The module itself: there is nothing compiled to optimize.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.jit.optimize_for_inference.html

    >>> import torsh
    >>> layer = torsh.nn.Linear(2, 1).eval()
    >>> torsh.jit.optimize_for_inference(layer) is layer
    True
    """
    return freeze(mod) if mod.training else mod


@contextlib.contextmanager
def optimized_execution(should_optimize: bool) -> Iterator[None]:
    """Changes nothing: nothing is compiled.

    Source: https://docs.pytorch.org/docs/stable/jit.html

    >>> import torsh
    >>> with torsh.jit.optimized_execution(True):
    ...     pass
    """
    yield


@contextlib.contextmanager
def fuser(name: str) -> Iterator[None]:
    """Changes nothing: nothing is fused.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.jit.fuser.html

    >>> import torsh
    >>> with torsh.jit.fuser("fuser1"):
    ...     pass
    """
    yield


def enable_onednn_fusion(enabled: bool) -> None:
    """Kept for :func:`onednn_fusion_enabled`, and else without effect: nothing is fused.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.jit.enable_onednn_fusion.html

    >>> import torsh
    >>> torsh.jit.enable_onednn_fusion(False)
    """
    _asked["onednn"] = bool(enabled)


def onednn_fusion_enabled() -> bool:
    """What :func:`enable_onednn_fusion` was told, False at first.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.jit.onednn_fusion_enabled.html

    >>> import torsh
    >>> torsh.jit.onednn_fusion_enabled()
    False
    """
    return _asked["onednn"]


def _refuse(name: str, why: str) -> Callable[..., Any]:
    def refused(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"torch.jit.{name} is not in torsh: {why}")

    refused.__name__ = refused.__qualname__ = name
    refused.__doc__ = (
        f"Not possible: {why}.  Raises NotImplementedError.\n\n"
        f"    Source: https://docs.pytorch.org/docs/stable/generated/torch.jit.{name}.html\n\n"
        f"    >>> import torsh\n    >>> torsh.jit.{name}(None, 'file')\n    Traceback (most recent call last):\n"
        f"    NotImplementedError: torch.jit.{name} is not in torsh: {why}\n"
    )
    return refused


save = _refuse("save", "modules are not compiled to TorchScript; save state_dict() with torch.save")
load = _refuse(
    "load", "it cannot run TorchScript; load a state_dict() with torch.load into a module made by Python code"
)

__all__ = [
    "TracerWarning", "enable_onednn_fusion", "freeze", "fuser", "load", "onednn_fusion_enabled", "optimize_for_inference",
    "optimized_execution", "save", "trace", "trace_module",
]  # fmt: skip
