"""CUDA devices, as far as a backend serves them.  Without one, ``is_available()`` is False.

Source: https://docs.pytorch.org/docs/stable/cuda.html
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from torsh import registry
from torsh._errors import AcceleratorError, OutOfMemoryError
from torsh.backend import Backend
from torsh.cuda.memory import (
    max_memory_allocated,
    max_memory_reserved,
    memory_allocated,
    memory_reserved,
    memory_stats,
    reset_max_memory_allocated,
    reset_peak_memory_stats,
)
from torsh.cuda.streams import (
    Event,
    Stream,
    StreamContext,
    current_stream,
    default_stream,
    device_of,
    set_stream,
    stream,
)
from torsh.cuda.streams import needed as _needed_device
from torsh.device import device as Device


def _backend() -> Backend | None:
    """The backend that serves CUDA here, None if there is none."""
    return registry.available("cuda")


def _needed() -> Backend:
    try:
        return registry.serving(Device("cuda"))
    except registry.BackendUnavailable as e:
        raise RuntimeError(f"Found no NVIDIA driver or backend for CUDA devices: {e}") from e


def is_available() -> bool:
    """Whether tensors can be made on ``"cuda"``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.is_available.html

    >>> import torsh
    >>> torsh.cuda.is_available() in (True, False)
    True
    """
    return _backend() is not None


def is_initialized() -> bool:
    """Whether CUDA is in use; there is no separate initialisation.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.is_initialized.html

    >>> import torsh
    >>> torsh.cuda.is_initialized() in (True, False)
    True
    """
    return is_available()


def init() -> None:
    """Make sure CUDA is usable, else RuntimeError.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.init.html
    """
    _needed()


def device_count() -> int:
    """The number of CUDA devices.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.device_count.html

    >>> import torsh
    >>> torsh.cuda.device_count() >= 0
    True
    """
    backend = _backend()
    return 0 if backend is None else sum(d.type == "cuda" for d in backend.devices())


def current_device() -> int:
    """The index of the CUDA device in use.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.current_device.html
    """
    _needed()
    return 0


def _index(device: Any) -> int:
    if device is None:
        return current_device()
    return device if isinstance(device, int) else Device(device).index or 0


def synchronize(device: Any = None) -> None:
    """Wait until the device has done all its work.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.synchronize.html
    """
    _needed().synchronize(Device("cuda", _index(device)))


def get_device_name(device: Any = None) -> str:
    """The backend's name for the device.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.get_device_name.html
    """
    return f"{_needed().name}:cuda:{_index(device)}"


def empty_cache() -> None:
    """Give unused cached memory back; backends manage theirs themselves, so nothing is left to do.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.empty_cache.html

    >>> import torsh
    >>> torsh.cuda.empty_cache()
    """


def manual_seed(seed: int) -> None:
    """Seed the generator; torsh draws the same stream on every device.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.manual_seed.html

    >>> import torsh
    >>> torsh.cuda.manual_seed(0)
    """
    import torsh

    torsh.manual_seed(seed)


manual_seed_all = manual_seed


def seed() -> None:
    """Seed the generator from the system.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.seed.html

    >>> import torsh
    >>> torsh.cuda.seed()
    """
    import torsh

    torsh.seed()


seed_all = seed


def get_rng_state(device: Any = "cuda") -> Any:
    """The state of the generator, which all devices share.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.get_rng_state.html
    """
    import torsh

    return torsh.get_rng_state()


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """Set the state of the generator, which all devices share.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.set_rng_state.html
    """
    import torsh

    torsh.set_rng_state(new_state)


def get_rng_state_all() -> list[Any]:
    """The generator's state once per device.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.get_rng_state_all.html

    >>> import torsh
    >>> len(torsh.cuda.get_rng_state_all()) == torsh.cuda.device_count()
    True
    """
    return [get_rng_state() for _ in range(device_count())]


def set_rng_state_all(new_states: Any) -> None:
    """Set the state of the generator.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.set_rng_state_all.html

    >>> import torsh
    >>> torsh.cuda.set_rng_state_all(torsh.cuda.get_rng_state_all())
    """
    for state in new_states:
        set_rng_state(state)


def get_arch_list() -> list[str]:
    """The compute capabilities that kernels were compiled for; backends compile when a kernel is first used.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.get_arch_list.html

    >>> import torsh
    >>> torsh.cuda.get_arch_list()
    []
    """
    return []


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether bfloat16 tensors can be made on CUDA devices.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.is_bf16_supported.html

    >>> import torsh
    >>> torsh.cuda.is_bf16_supported() in (True, False)
    True
    """
    from torsh import dtypes

    backend = _backend()
    return backend is not None and dtypes.bfloat16 in backend.capabilities.dtypes


def is_tf32_supported() -> bool:
    """Whether the current CUDA device multiplies matrices in TensorFloat-32: those of compute capability 8 and later do.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.is_tf32_supported.html

    >>> import torsh
    >>> torsh.cuda.is_tf32_supported() in (True, False)
    True
    """
    return is_available() and get_device_capability()[0] >= 8


@contextlib.contextmanager
def device(device: Any) -> Iterator[None]:
    """Make a device the current one inside; -1 or None changes nothing.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.device.html

    >>> import torsh
    >>> with torsh.cuda.device(-1):  # nothing changes
    ...     pass
    """
    if device is None or device == -1:
        yield
        return
    with Device("cuda", _index(device)):
        yield


def set_device(device: Any) -> None:
    """Make a device the current one.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.set_device.html
    """
    if _index(device) >= 0:
        _needed()


def _unknown(name: str) -> Any:
    """AssertionError where there is no CUDA device, MissingAPI where there is one: no backend tells yet."""
    from torsh.compat.placeholders import MissingAPI

    _needed_device()
    raise MissingAPI(f"torch.cuda.{name} is not in torsh yet: its backends do not say")


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """A device's compute capability.  AssertionError where there is none.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.get_device_capability.html
    """
    found: tuple[int, int] = _unknown("get_device_capability")
    return found


def get_device_properties(device: Any = None) -> Any:
    """What a device is like.  AssertionError where there is none.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.get_device_properties.html
    """
    return _unknown("get_device_properties")


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """A device's (free, total) bytes.  AssertionError where there is none.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.mem_get_info.html
    """
    found: tuple[int, int] = _unknown("mem_get_info")
    return found


def can_device_access_peer(device: Any, peer_device: Any) -> bool:
    """Whether a device reaches another's memory.  AssertionError where there is none.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.can_device_access_peer.html
    """
    return bool(_unknown("can_device_access_peer"))


def ipc_collect() -> None:
    """Give back memory shared with processes that are gone: backends share none.  AssertionError where there is no device.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.ipc_collect.html
    """
    _needed_device()


def set_per_process_memory_fraction(fraction: float, device: Any = None) -> None:
    """Limit the memory that is used.  AssertionError where there is no device.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.set_per_process_memory_fraction.html
    """
    _unknown("set_per_process_memory_fraction")


def set_sync_debug_mode(debug_mode: int | str) -> None:
    """Warn of operations that wait for the device.  AssertionError where there is no device.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.set_sync_debug_mode.html
    """
    _unknown("set_sync_debug_mode")


def is_current_stream_capturing() -> bool:
    """Whether a CUDA graph is being captured: False, as backends capture none.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cuda.is_current_stream_capturing.html
    """
    return False


# What PyTorch has here and torsh does not: it can be named, and says so when it is used.
_MISSING = frozenset(
    "CUDAGraph CUDAPluggableAllocator CudaError DeferredCudaCallError ExternalStream GreenContext MemPool caching_allocator_alloc "
    "caching_allocator_delete caching_allocator_enable change_current_allocator check_error clock_rate comm cudaStatus cudart "
    "current_blas_handle current_solver_handle device_memory_used gds get_allocator_backend get_gencode_flags "
    "get_per_process_memory_fraction get_stream_from_external get_sync_debug_mode graph graph_pool_handle graphs green_contexts "
    "host_memory_stats host_memory_stats_as_nested_dict initial_seed jiterator list_gpu_processes "
    "make_graphed_callables max_memory_cached memory_cached memory_snapshot memory_stats_as_nested_dict memory_summary memory_usage "
    "nccl nvtx power_draw profiler reset_accumulated_host_memory_stats reset_accumulated_memory_stats reset_max_memory_cached "
    "reset_peak_host_memory_stats temperature tunable use_mem_pool utilization".split()
)


def __getattr__(name: str) -> Any:
    if name == "amp":
        import importlib

        return importlib.import_module("torsh.cuda.amp")
    if name.endswith("Tensor"):
        from torsh.legacy import make_types

        globals().update(make_types("cuda"))
        if name in globals():
            return globals()[name]
    if name.endswith("Storage"):
        from torsh.storage import make_classes

        globals().update(make_classes("cuda"))
        if name in globals():
            return globals()[name]
    from torsh.compat import placeholders

    return placeholders.listed("torch.cuda", _MISSING, name)
