"""What the modules of device types that torsh may have no backend for have in common (``torch.xpu``, ``mps``, ``mtia``)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from torsh import registry
from torsh.device import device as Device


def fill(module: dict[str, Any], device_type: str, refuse: Callable[[str], Exception]) -> None:
    """Put the functions of a device type's module into its globals; ``refuse(name)`` is the error where there is no device."""
    from torsh.compat import placeholders

    def serving() -> Any:
        return registry.available(device_type)

    def needed(name: str) -> Any:
        found = serving()
        if found is None:
            raise refuse(name)
        return found

    def index_of(device: Any) -> int:
        return device if isinstance(device, int) else 0 if device is None else Device(device).index or 0

    def is_available() -> bool:
        """Whether tensors can be made on such a device."""
        return serving() is not None

    def device_count() -> int:
        """The number of such devices."""
        found = serving()
        return 0 if found is None else sum(d.type == device_type for d in found.devices())

    def is_initialized() -> bool:
        """Whether the device is in use; there is no separate initialisation."""
        return is_available()

    def init() -> None:
        """Make sure there is such a device."""
        needed("init")

    def current_device() -> int:
        """The index of the device in use."""
        needed("getCurrentDevice")
        return 0

    def set_device(device: Any) -> None:
        """Use another device."""
        if index_of(device) >= 0:
            needed("setDevice")

    def synchronize(device: Any = None) -> None:
        """Wait until the device has done all its work."""
        needed("deviceSynchronize").synchronize(Device(device_type, index_of(device)))

    def empty_cache() -> None:
        """Give unused cached memory back; backends manage theirs themselves."""
        if device_type != "xpu":
            needed("emptyCache")

    def get_device_name(device: Any = None) -> str:
        """The backend's name for the device."""
        return f"{needed('getDeviceName').name}:{device_type}:{index_of(device)}"

    def manual_seed(seed: int) -> None:
        """Seed the generator; torsh draws the same stream on every device."""
        import torsh

        if serving() is not None:
            torsh.manual_seed(seed)

    def seed() -> None:
        """Seed the generator from the system."""
        import torsh

        if device_type == "mps":
            needed("getDefaultGenerator")
        if serving() is not None:
            torsh.seed()

    def get_rng_state(device: Any = device_type) -> Any:
        """The state of the generator, which all devices share."""
        import torsh

        needed("getDefaultGenerator")
        return torsh.get_rng_state()

    def set_rng_state(new_state: Any, device: Any = device_type) -> None:
        """Set the state of the generator, which all devices share."""
        import torsh

        needed("getDefaultGenerator")
        torsh.set_rng_state(new_state)

    def get_rng_state_all() -> list[Any]:
        """The generator's state once per device."""
        return [get_rng_state() for _ in range(device_count())]

    def set_rng_state_all(new_states: Any) -> None:
        """Set the state of the generator."""
        for state in new_states:
            set_rng_state(state)

    def is_bf16_supported(including_emulation: bool = True) -> bool:
        """Whether bfloat16 tensors can be made on the device."""
        from torsh import dtypes

        found = serving()
        return found is not None and dtypes.bfloat16 in found.capabilities.dtypes

    @contextlib.contextmanager
    def device(device: Any) -> Iterator[None]:
        """Use another device inside; None or -1 changes nothing."""
        if device is None or device == -1:
            yield
            return
        needed("setDevice")
        with Device(device_type, index_of(device)):
            yield

    for function in (is_available, device_count, is_initialized, init, current_device, set_device, synchronize, empty_cache, get_device_name,
                     manual_seed, seed, get_rng_state, set_rng_state, get_rng_state_all, set_rng_state_all, is_bf16_supported, device):  # fmt: skip
        function.__module__ = f"torsh.{device_type}"
        function.__qualname__ = function.__name__
        module.setdefault(function.__name__, function)
    module.setdefault("manual_seed_all", manual_seed)
    module.setdefault("seed_all", seed)

    def other(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module 'torch.{device_type}' has no attribute {name!r}")
        return placeholders.missing(f"torch.{device_type}.{name}")

    module["__getattr__"] = other
