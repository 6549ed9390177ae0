"""``autocast``: matrix products in a narrower type, sensitive operations in float32.

What is done with which operation is in ``_lists``, how in ``_casting``; here is what users call.
Source: https://docs.pytorch.org/docs/stable/amp.html
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from torsh import dtypes
from torsh.amp._casting import cast, enable, thread
from torsh.dtypes import dtype as Dtype

_SUPPORTED = (dtypes.bfloat16, dtypes.float16)
_DEVICE_TYPES = "cpu cuda ipu xpu mkldnn opengl opencl ideep hip ve fpga maia xla lazy vulkan mps meta hpu mtia privateuseone".split()
_AVAILABLE = "cpu cuda mps xpu hpu mtia xla ipu maia privateuseone".split()


def _known(device_type: str) -> str:
    if device_type not in _DEVICE_TYPES:
        raise RuntimeError(
            f"Expected one of {', '.join(_DEVICE_TYPES)} device type at start of device string: {device_type}"
        )
    return device_type


def _deprecated(name: str, instead: str) -> None:
    warnings.warn(f"torch.{name} is deprecated. Please use torch.{instead} instead.", DeprecationWarning, stacklevel=3)


def is_autocast_available(device_type: str) -> bool:
    """Whether autocast can be used for a device type.

    Source: https://docs.pytorch.org/docs/stable/amp.html#torch.amp.is_autocast_available

    >>> import torsh
    >>> torsh.amp.autocast_mode.is_autocast_available("cpu")
    True
    """
    return _known(device_type) in _AVAILABLE


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether autocast is on for a device type in this thread.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> with torsh.autocast("cpu"):
    ...     print(torsh.is_autocast_enabled("cpu"))
    True
    """
    return _known(device_type) in thread.enabled


def is_autocast_cpu_enabled() -> bool:
    """Whether autocast is on for the CPU.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated by is_autocast_enabled("cpu")
    >>> torsh.is_autocast_cpu_enabled()
    False
    """
    _deprecated("is_autocast_cpu_enabled()", "is_autocast_enabled('cpu')")
    return is_autocast_enabled("cpu")


def set_autocast_enabled(device_type: Any, enabled: bool | None = None) -> None:
    """Record whether autocast counts as on for a device type.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.set_autocast_enabled("cpu", True)
    >>> torsh.is_autocast_enabled("cpu")
    True
    >>> torsh.set_autocast_enabled("cpu", False)
    """
    if enabled is None:
        device_type, enabled = "cuda", device_type
    enable(_known(device_type), bool(enabled))


def get_autocast_dtype(device_type: str) -> Dtype:
    """The narrower type autocast uses on a device type.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.get_autocast_dtype("cpu")
    torsh.bfloat16
    """
    if _known(device_type) not in _AVAILABLE:
        raise RuntimeError(
            f"unsupported scalarType: autocast has no dtype for {device_type!r}, only for {', '.join(_AVAILABLE)}"
        )
    return thread.dtypes.get(device_type, dtypes.float16)


def set_autocast_dtype(device_type: str, dtype: Dtype) -> None:
    """Set the narrower type autocast uses on a device type.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.set_autocast_dtype("cpu", torsh.float16)
    >>> torsh.get_autocast_dtype("cpu")
    torsh.float16
    >>> torsh.set_autocast_dtype("cpu", torsh.bfloat16)
    """
    thread.dtypes[_known(device_type)] = dtype


def get_autocast_cpu_dtype() -> Dtype:
    """The narrower type on the CPU.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated by get_autocast_dtype("cpu")
    >>> torsh.get_autocast_cpu_dtype()
    torsh.bfloat16
    """
    _deprecated("get_autocast_cpu_dtype()", "get_autocast_dtype('cpu')")
    return get_autocast_dtype("cpu")


def get_autocast_gpu_dtype() -> Dtype:
    """The narrower type on CUDA devices.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated by get_autocast_dtype("cuda")
    >>> torsh.get_autocast_gpu_dtype()
    torsh.float16
    """
    _deprecated("get_autocast_gpu_dtype()", "get_autocast_dtype('cuda')")
    return get_autocast_dtype("cuda")


def set_autocast_cpu_dtype(dtype: Dtype) -> None:
    """``set_autocast_dtype("cpu", dtype)``.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated by set_autocast_dtype("cpu", ...)
    >>> torsh.set_autocast_cpu_dtype(torsh.bfloat16)
    """
    _deprecated("set_autocast_cpu_dtype(dtype)", "set_autocast_dtype('cpu', dtype)")
    set_autocast_dtype("cpu", dtype)


def set_autocast_gpu_dtype(dtype: Dtype) -> None:
    """``set_autocast_dtype("cuda", dtype)``.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated by set_autocast_dtype("cuda", ...)
    >>> torsh.set_autocast_gpu_dtype(torsh.float16)
    """
    _deprecated("set_autocast_gpu_dtype(dtype)", "set_autocast_dtype('cuda', dtype)")
    set_autocast_dtype("cuda", dtype)


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """``set_autocast_enabled("cpu", enabled)``.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated by set_autocast_enabled("cpu", ...)
    >>> torsh.set_autocast_cpu_enabled(False)
    """
    _deprecated("set_autocast_cpu_enabled(enabled)", "set_autocast_enabled('cpu', enabled)")
    set_autocast_enabled("cpu", enabled)


def is_autocast_cache_enabled() -> bool:
    """Whether casts of weights are kept until the outermost autocast ends.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.is_autocast_cache_enabled()
    True
    """
    return thread.cache_enabled


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Allow or forbid keeping casts of weights.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.set_autocast_cache_enabled(True)
    """
    thread.cache_enabled = bool(enabled)


def clear_autocast_cache() -> None:
    """Forget the kept casts of weights.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.clear_autocast_cache()
    """
    thread.cache.clear()


def autocast_increment_nesting() -> int:
    """One more level of autocast contexts; gives the new depth.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.autocast_increment_nesting()
    1
    >>> torsh.autocast_decrement_nesting()
    0
    """
    thread.nesting += 1
    return thread.nesting


def autocast_decrement_nesting() -> int:
    """One level fewer.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> _ = torsh.autocast_increment_nesting()
    >>> torsh.autocast_decrement_nesting()
    0
    """
    thread.nesting -= 1
    return thread.nesting


class autocast:
    """Inside (or in a decorated function), run matrix products in ``dtype`` and sensitive operations in float32.

    device_type: "cpu", "cuda", ...  dtype: bfloat16 or float16 (default: bfloat16 on the CPU, float16 elsewhere).
    enabled: False switches a surrounding autocast off.
    Source: https://docs.pytorch.org/docs/stable/amp.html#torch.autocast

    >>> import torsh
    >>> from torsh import nn
    >>> layer, x = nn.Linear(4, 2), torsh.rand(3, 4)
    >>> with torsh.autocast("cpu", dtype=torsh.bfloat16):
    ...     y = layer(x)
    >>> y.dtype, layer.weight.dtype
    (torsh.bfloat16, torsh.float32)
    """

    def __init__(
        self, device_type: str, dtype: Dtype | None = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        _check_type(device_type)
        self.device = device_type
        self.fast_dtype = get_autocast_dtype(device_type) if dtype is None else dtype
        if not is_autocast_available(device_type):
            raise RuntimeError(f"User specified an unsupported autocast device_type '{device_type}'")
        self._cache_enabled = thread.cache_enabled if cache_enabled is None else cache_enabled
        if enabled and device_type == "cuda" and not _has_cuda():
            warnings.warn("CUDA is not available or torch_xla is imported. Disabling autocast.", stacklevel=2)
            enabled = False
        elif enabled and self.fast_dtype not in _SUPPORTED:
            name = device_type.upper()
            warnings.warn(
                f"In {name} autocast, but the target dtype is not supported. Disabling autocast.\n{name} Autocast only supports "
                f"dtypes of {', '.join(map(str, _SUPPORTED))} currently.",
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled

    def __enter__(self) -> autocast:
        self._before = (self.device in thread.enabled, get_autocast_dtype(self.device), thread.cache_enabled)
        self._off, thread.off = thread.off, 0  # what was off is what surrounds this
        enable(self.device, bool(self._enabled))
        thread.dtypes[self.device], thread.cache_enabled = self.fast_dtype, self._cache_enabled
        autocast_increment_nesting()
        return self

    def __exit__(self, *exc: object) -> None:
        if autocast_decrement_nesting() == 0:
            clear_autocast_cache()
        thread.off = self._off
        on, thread.dtypes[self.device], thread.cache_enabled = self._before
        enable(self.device, on)

    def __call__(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        if not callable(fn):
            raise TypeError(
                f"autocast()(func) requires a callable, but got {type(fn).__name__}. Did you mean to use autocast as a context "
                "manager? For example:\n    with torch.autocast(device_type=...):\n        output = model(input)"
            )

        @functools.wraps(fn)
        def call(*args: Any, **kwargs: Any) -> Any:
            # A context of its own for every call: they may be nested, or run in several threads.
            with autocast(self.device, self.fast_dtype, self._enabled, self._cache_enabled):
                return fn(*args, **kwargs)

        return call


def _has_cuda() -> bool:
    from torsh import cuda

    return cuda.is_available()


def custom_fwd(fwd: Any = None, *, device_type: str, cast_inputs: Dtype | None = None) -> Any:
    """For ``Function.forward``: cast its floating tensors to ``cast_inputs`` and run it with autocast off.

    Source: https://docs.pytorch.org/docs/stable/amp.html#torch.amp.custom_fwd

    >>> import torsh
    >>> class Double(torsh.autograd.Function):
    ...     @staticmethod
    ...     @torsh.amp.custom_fwd(device_type="cpu", cast_inputs=torsh.float32)
    ...     def forward(ctx, x):
    ...         return 2 * x
    ...     @staticmethod
    ...     @torsh.amp.custom_bwd(device_type="cpu")
    ...     def backward(ctx, g):
    ...         return 2 * g
    >>> with torsh.autocast("cpu"):
    ...     y = Double.apply(torsh.tensor([1.], dtype=torsh.bfloat16))
    >>> y.dtype
    torsh.float32
    """
    _check_type(device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def call(*args: Any, **kwargs: Any) -> Any:
        on = is_autocast_enabled(device_type)
        args[0]._dtype, args[0]._fwd_used_autocast = get_autocast_dtype(device_type), on and cast_inputs is None
        if cast_inputs is None or not on:
            return fwd(*args, **kwargs)
        with autocast(device_type, enabled=False):
            return fwd(*_cast(args, device_type, cast_inputs), **_cast(kwargs, device_type, cast_inputs))

    return call


def _check_type(device_type: Any) -> None:
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")


def _cast(value: Any, device: str, dtype: Dtype) -> Any:
    """The floating tensors on a device type, but those of float64, in another dtype, however deep they are in the value."""
    if isinstance(value, Mapping):
        return {k: _cast(v, device, dtype) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)([_cast(v, device, dtype) for v in value])
    return cast(value, dtype, device)


def custom_bwd(bwd: Any = None, *, device_type: str) -> Any:
    """For ``Function.backward``: run it with the autocast state its forward had.

    Source: https://docs.pytorch.org/docs/stable/amp.html#torch.amp.custom_bwd

    >>> import torsh
    >>> class Double(torsh.autograd.Function):
    ...     @staticmethod
    ...     @torsh.amp.custom_fwd(device_type="cpu")
    ...     def forward(ctx, x):
    ...         return 2 * x
    ...     @staticmethod
    ...     @torsh.amp.custom_bwd(device_type="cpu")
    ...     def backward(ctx, g):
    ...         return 2 * g
    >>> x = torsh.tensor([1.], requires_grad=True)
    >>> Double.apply(x).backward()
    >>> x.grad
    tensor([2.])
    """
    _check_type(device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def call(*args: Any, **kwargs: Any) -> Any:
        with autocast(device_type, args[0]._dtype, args[0]._fwd_used_autocast):
            return bwd(*args, **kwargs)

    return call
