"""Names that programs import from PyTorch's compiled module.  What is not here can be imported and says so when it is used."""

from __future__ import annotations

import sys
from typing import Any

from torsh import _errors
from torsh._functorch import _bindings as _functorch
from torsh.device import device as device
from torsh.dtypes import dtype as dtype
from torsh.memory_format import layout as layout
from torsh.memory_format import memory_format as memory_format
from torsh.overrides import DisableTorchFunction as DisableTorchFunction
from torsh.overrides import DisableTorchFunctionSubclass as DisableTorchFunctionSubclass
from torsh.overrides import _disabled_torch_function_impl as _disabled_torch_function_impl
from torsh.overrides import _EnableTorchFunction as _EnableTorchFunction
from torsh.random import Generator as Generator
from torsh.tensor import Size as Size
from torsh.tensor import Tensor as Tensor

TensorBase = _TensorBase = Tensor
_TensorMeta = type(Tensor)
__path__: list[str] = []  # as a package, so that what is below it is looked for
sys.modules["torsh._C._functorch"] = _functorch

# The programs' switches of PyTorch's fusing compiler, which torsh does not have: they take a setting and change nothing.
_SWITCHES = frozenset(
    "_jit_set_profiling_executor _jit_set_profiling_mode _jit_set_nvfuser_enabled _jit_set_texpr_fuser_enabled "
    "_jit_override_can_fuse_on_cpu _jit_override_can_fuse_on_gpu _jit_set_nvfuser_guard_mode _jit_set_bailout_depth "
    "_jit_set_autocast_mode _set_graph_executor_optimize _jit_set_te_must_use_llvm_cpu _debug_set_fusion_group_inlining "
    "_jit_set_nvfuser_horizontal_mode".split()
)


def _switch(*setting: Any) -> bool:
    """Nothing was fused before."""
    return False


def _jit_can_fuse_on_cpu() -> bool:
    """False: nothing is fused."""
    return False


_jit_can_fuse_on_gpu = _jit_texpr_fuser_enabled = _jit_nvfuser_enabled = _jit_can_fuse_on_cpu


def _log_api_usage_once(event: str) -> None:
    """PyTorch counts who uses what, if told to; torsh does not."""


def _get_tracing_state() -> Any:
    """What ``jit.trace`` records into: None, as nothing is recorded."""
    return None


def _are_functorch_transforms_active() -> bool:
    """Whether a function transform (``vmap``, ``grad``) runs just now."""
    from torsh import dispatch

    return any(".func." in f"{type(m).__module__}." for m in dispatch.modes())


def _is_torch_function_enabled() -> bool:
    """Whether overrides by subclasses are asked."""
    from torsh import overrides

    return not overrides._thread.disabled


def _is_multithreading_enabled() -> bool:
    """What ``autograd.set_multithreading_enabled`` was told last in this thread."""
    from torsh.autograd import _multithreading

    return _multithreading.asked


def _get_privateuse1_backend_name() -> str:
    """The name of the device type that is free for others."""
    return "privateuseone"


def _get_default_device() -> str:
    """The device type new tensors get."""
    from torsh.device import get_default_device

    return get_default_device().type


# Questions about the running backward pass.
_TASK = {
    "_current_graph_task_id": "current_graph_task_id", "_current_autograd_node": "current_autograd_node",
    "_will_engine_execute_node": "will_engine_execute_node",
    "_current_graph_task_execution_order": "current_graph_task_execution_order",
}  # fmt: skip


def _len_torch_dispatch_stack() -> int:
    """How many ``TorchDispatchMode`` are on in this thread."""
    from torsh.utils import _python_dispatch

    return _python_dispatch._len_torch_dispatch_stack()


def _get_dispatch_stack_at(i: int) -> Any:
    """One of the modes of this thread, the outermost first."""
    from torsh.utils import _python_dispatch

    return _python_dispatch._get_current_dispatch_mode_stack()[i]


def _disabled_torch_dispatch_impl(func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """What ``__torch_dispatch__`` of a class is that does not want to be asked."""
    return Tensor.__torch_dispatch__(func, types, args, kwargs)


def _has_mkldnn() -> bool:
    """False: torsh does not use that library."""
    return False


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module 'torch._C' has no attribute {name!r}")
    if name in _SWITCHES:
        return _switch
    if name == "_LinAlgError":
        import torsh

        return torsh.linalg.LinAlgError
    if name in _TASK:
        from torsh.autograd import _task

        return getattr(_task, _TASK[name])
    if name == "_DisableTorchDispatch":
        from torsh._torch_dispatch import no_dispatch

        return no_dispatch
    if name == "_functions":
        from types import SimpleNamespace

        from torsh.autograd.engine import AccumulateGrad

        return SimpleNamespace(AccumulateGrad=AccumulateGrad)
    if name in ("is_grad_enabled", "_is_grad_enabled"):
        from torsh.autograd import is_grad_enabled

        return is_grad_enabled
    if name in ("_autograd", "_nn"):
        import importlib

        return importlib.import_module(f"torsh.{name[1:]}._bindings")
    if hasattr(_errors, name):
        return getattr(_errors, name)
    if name in ("DispatchKey", "DispatchKeySet", "FunctionSchema", "Argument", "Future", "parse_schema"):
        import torsh

        return getattr(torsh, name)
    from torsh.compat import placeholders

    return placeholders.missing(f"torch._C.{name}")
