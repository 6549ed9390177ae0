"""torsh: the PyTorch API over existing array libraries.

``import torsh`` looks and behaves like ``import torch``.  Importing it loads NumPy and nothing else: backends come when a
device asks for them, subpackages (``torsh.nn``, ``torsh.optim``, ...) when they are first used.
"""

import importlib as _importlib

from torsh import dtypes as _dtypes
from torsh import legacy as _legacy
from torsh import memory_format as _memory_format
from torsh import ops as _ops
from torsh import version as version
from torsh._functions import *  # noqa: F403
from torsh.autograd import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from torsh.device import device, get_default_device, set_default_device
from torsh.dtypes import dtype, get_default_dtype, promote_types, set_default_dtype
from torsh.memory_format import layout, memory_format
from torsh.random import Generator, default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state
from torsh.tensor import Size, Tensor
from torsh.version import __version__ as __version__

__torsh__ = True  # tells torsh from PyTorch where both may be called "torch"

globals().update({d.name: d for d in _dtypes.ALL})
globals().update(_dtypes.ALIASES)
globals().update(_ops.NAMES["torch"])
globals().update(_legacy.TYPES)
globals().update({f.name: f for f in (*_memory_format.FORMATS, *_memory_format.LAYOUTS)})
legacy_contiguous_format = _memory_format.contiguous_format

# Names whose module is loaded when they are first asked for.
_LATER = {
    "compile": "compiler", "autocast": "amp", "is_autocast_enabled": "amp", "is_autocast_cpu_enabled": "amp",
    "get_autocast_dtype": "amp", "set_autocast_enabled": "amp", "is_autocast_available": "amp", "GradScaler": "amp",
    "set_autocast_dtype": "amp", "get_autocast_gpu_dtype": "amp", "get_autocast_cpu_dtype": "amp",
    "Event": "_streams", "Stream": "_streams", "get_device_module": "_streams",
    **dict.fromkeys(("set_autocast_cpu_dtype", "set_autocast_gpu_dtype", "set_autocast_cpu_enabled", "is_autocast_cache_enabled",
                     "set_autocast_cache_enabled", "clear_autocast_cache", "autocast_increment_nesting",
                     "autocast_decrement_nesting"), "amp.autocast_mode"),
    "is_anomaly_enabled": "autograd.anomaly_mode", "is_anomaly_check_nan_enabled": "autograd.anomaly_mode",
    "set_anomaly_enabled": "autograd.anomaly_mode", "DisableTorchFunction": "overrides",
    "DisableTorchFunctionSubclass": "overrides",
    "save": "serialization", "load": "serialization", "vmap": "func", "from_dlpack": "utils.dlpack", "to_dlpack": "utils.dlpack",
    **dict.fromkeys(("UntypedStorage", "TypedStorage", *(f"{_dtypes.scalar_name(d)}Storage" for d in _dtypes.ALL)), "storage"),
}  # fmt: skip


def __getattr__(name):
    if name in _LATER:
        value = getattr(_importlib.import_module(f"torsh.{_LATER[name]}"), name)
        globals()[name] = value
        return value
    if not name.startswith("__"):
        # Under the alias by that name, which also answers for packages torsh does not have.
        full = f"{_dtypes.namespace}.{name}"
        try:
            return _importlib.import_module(full)
        except ModuleNotFoundError as e:
            if e.name != full:
                raise
    raise AttributeError(
        f"module '{_dtypes.namespace}' has no attribute '{name}': either PyTorch {version.API} has no such name or torsh "
        f"{version.torsh} does not have it yet"
    )

from torsh import special  # noqa: E402
