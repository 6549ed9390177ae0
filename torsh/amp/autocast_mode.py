"""``autocast``: matrix products in a narrower type, sensitive operations in float32.

A mode on the dispatch stack.  Which operations are cast is PyTorch's list
(https://docs.pytorch.org/docs/stable/amp.html#autocast-op-reference).
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from torsh import dtypes
from torsh.dispatch import Mode
from torsh.dtypes import dtype as Dtype
from torsh.tensor import Tensor

NARROW = frozenset(
    "matmul mm bmm mv addmm addmv addbmm baddbmm linear convolution chain_matmul einsum prelu "
    "scaled_dot_product_attention".split()
)
FLOAT32 = frozenset(
    "exp expm1 log log2 log10 log1p pow reciprocal rsqrt sinh cosh tan acos asin erfinv softplus softmax log_softmax "
    "cumprod cumsum dist norm prod sum renorm layer_norm group_norm nll_loss mse_loss l1_loss smooth_l1_loss kl_div "
    "cosine_similarity batch_norm_stats".split()
)

_DEFAULTS = {"cpu": dtypes.bfloat16, "cuda": dtypes.float16}


class _Thread(threading.local):
    def __init__(self) -> None:
        self.enabled: dict[str, bool] = {}
        self.dtypes: dict[str, Dtype] = dict(_DEFAULTS)


_thread = _Thread()


def is_autocast_available(device_type: str) -> bool:
    """Whether autocast can be used for a device type."""
    return device_type in ("cpu", "cuda", "mps", "xpu")


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether autocast is on for a device type in this thread."""
    return _thread.enabled.get(device_type, False)


def is_autocast_cpu_enabled() -> bool:
    """Whether autocast is on for the CPU."""
    return is_autocast_enabled("cpu")


def set_autocast_enabled(device_type: Any, enabled: bool | None = None) -> None:
    """Record whether autocast counts as on for a device type."""
    if enabled is None:
        device_type, enabled = "cuda", device_type
    _thread.enabled[device_type] = bool(enabled)


def get_autocast_dtype(device_type: str) -> Dtype:
    """The narrower type autocast uses on a device type."""
    return _thread.dtypes.get(device_type, dtypes.float16)


def set_autocast_dtype(device_type: str, dtype: Dtype) -> None:
    """Set the narrower type autocast uses on a device type."""
    _thread.dtypes[device_type] = dtype


def get_autocast_cpu_dtype() -> Dtype:
    """The narrower type on the CPU."""
    return get_autocast_dtype("cpu")


def get_autocast_gpu_dtype() -> Dtype:
    """The narrower type on CUDA devices."""
    return get_autocast_dtype("cuda")


def set_autocast_cpu_dtype(dtype: Dtype) -> None:
    """``set_autocast_dtype("cpu", dtype)``."""
    set_autocast_dtype("cpu", dtype)


def set_autocast_gpu_dtype(dtype: Dtype) -> None:
    """``set_autocast_dtype("cuda", dtype)``."""
    set_autocast_dtype("cuda", dtype)


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """``set_autocast_enabled("cpu", enabled)``."""
    set_autocast_enabled("cpu", enabled)


_cache = {"enabled": True, "nesting": 0}


def is_autocast_cache_enabled() -> bool:
    """Whether casts of weights may be kept; torsh keeps none, and remembers only what was set."""
    return _cache["enabled"] is True


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Allow or forbid keeping casts of weights."""
    _cache["enabled"] = bool(enabled)


def clear_autocast_cache() -> None:
    """Forget kept casts: there are none."""


def autocast_increment_nesting() -> int:
    """One more level of autocast contexts; gives the new depth."""
    _cache["nesting"] += 1
    return _cache["nesting"]


def autocast_decrement_nesting() -> int:
    """One level fewer."""
    _cache["nesting"] -= 1
    return _cache["nesting"]


class autocast(Mode):
    """Inside (or in a decorated function), run matrix products in ``dtype`` and sensitive operations in float32.

    device_type: "cpu", "cuda", ...  dtype: bfloat16 or float16 (default: bfloat16 on the CPU, float16 elsewhere).
    enabled: False switches a surrounding autocast off.
    """

    def __init__(
        self, device_type: str, dtype: Dtype | None = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        if not is_autocast_available(device_type):
            raise RuntimeError(f"User specified an unsupported autocast device_type '{device_type}'")
        self.device, self.fast_dtype, self.enabled = device_type, dtype or get_autocast_dtype(device_type), enabled
        if enabled and self.fast_dtype not in (dtypes.bfloat16, dtypes.float16):
            raise RuntimeError(f"autocast supports bfloat16 and float16 only, got {self.fast_dtype}")

    def intercept(self, op: Any, args: tuple[Any, ...], proceed: Callable[..., Any]) -> Any:
        if not self.enabled or _thread.enabled.get(self.device) is False:
            return proceed(*args)
        target = self.fast_dtype if op.name in NARROW else dtypes.float32 if op.name in FLOAT32 else None
        return proceed(*args) if target is None else proceed(*[self._cast(a, target) for a in args])

    def _cast(self, a: Any, target: Dtype) -> Any:
        if isinstance(a, Tensor):
            if a.device.type == self.device and a._kind.floating and a.dtype is not dtypes.float64:
                return a.to(target)
            return a
        if type(a) in (list, tuple):
            return type(a)(self._cast(x, target) for x in a)
        return a

    def __enter__(self) -> autocast:
        self._before = (_thread.enabled.get(self.device, False), get_autocast_dtype(self.device))
        _thread.enabled[self.device], _thread.dtypes[self.device] = self.enabled, self.fast_dtype
        super().__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        super().__exit__(*exc)
        _thread.enabled[self.device], _thread.dtypes[self.device] = self._before

    def __call__(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(fn)
        def call(*args: Any, **kwargs: Any) -> Any:
            with autocast(self.device, self.fast_dtype, self.enabled):
                return fn(*args, **kwargs)

        return call


def custom_fwd(fwd: Any = None, *, device_type: str = "cuda", cast_inputs: Dtype | None = None) -> Any:
    """For ``Function.forward``: cast its floating tensors to ``cast_inputs`` and run it with autocast off."""
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def call(*args: Any, **kwargs: Any) -> Any:
        if args:
            args[0]._fwd_used_autocast = is_autocast_enabled(device_type)
        if cast_inputs is None or not is_autocast_enabled(device_type):
            return fwd(*args, **kwargs)
        cast = [a.to(cast_inputs) if isinstance(a, Tensor) and a._kind.floating else a for a in args]
        with autocast(device_type, enabled=False):
            return fwd(*cast, **kwargs)

    return call


def custom_bwd(bwd: Any = None, *, device_type: str = "cuda") -> Any:
    """For ``Function.backward``: run it with the autocast state its forward had."""
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def call(*args: Any, **kwargs: Any) -> Any:
        with autocast(device_type, enabled=getattr(args[0], "_fwd_used_autocast", False)):
            return bwd(*args, **kwargs)

    return call
