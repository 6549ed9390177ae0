"""Device objects.  Which backend serves a device is the registry's business, not this file's."""

from __future__ import annotations

import functools
from typing import Any

# Every type name PyTorch accepts; a name outside this list is an error even where no backend serves it.
TYPES = (
    "cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga", "maia", "xla", "lazy",
    "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone",
)  # fmt: skip


class device:
    """Where a tensor lives: a type such as ``"cpu"`` and, for some types, an index.

    ``device("cuda", 1)``, ``device("cuda:1")`` and ``device(device("cuda:1"))`` are the same.  Raises RuntimeError for
    an unknown type or a malformed string, as PyTorch does.  A device is also a context manager that makes it the
    default for creation functions.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.device("cpu")
    device(type='cpu')
    >>> torsh.device("cuda", 1).index
    1
    >>> torsh.zeros(2).device.type
    'cpu'
    """

    __module__ = "torsh"
    __slots__ = ("_backend", "_previous", "index", "type")
    type: str
    index: int | None
    _previous: list[device]
    # Of a tensor's device the backend that holds the tensor: what is made "on the device of x" can be computed with x, whatever
    # serves the type by now. None: the backend that the registry says.
    _backend: Any

    def __init__(self, type: str | int | device, index: int | None = None) -> None:
        if isinstance(type, device):
            index = type.index if index is None else index
            type = type.type
        elif isinstance(type, int):
            index = type
            type = "cuda"
        elif not isinstance(type, str):
            raise TypeError(f"device(): argument 'type' must be str or torch.device, not {_name(type)}")
        elif ":" in type:
            if index is not None:
                raise RuntimeError(
                    f"type (string) must not include an index because index was passed explicitly: {type}"
                )
            kind, _, number = type.partition(":")
            if not number.isdigit() or (len(number) > 1 and number[0] == "0"):
                raise RuntimeError(f"Invalid device string: '{type}'; expected e.g. 'cpu' or 'cuda:0'")
            type, index = kind, int(number)
        if type not in TYPES:
            raise RuntimeError(
                f"Expected one of {', '.join(TYPES)} device type at start of device string: {type}"
                if type
                else "Device string must not be empty"
            )
        if index is not None and index < 0:
            raise RuntimeError(f"Device index must not be negative, got {index}")
        object.__setattr__(self, "type", type)
        object.__setattr__(self, "index", index)
        object.__setattr__(self, "_previous", [])
        object.__setattr__(self, "_backend", None)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"attribute '{name}' of 'torch.device' objects is not writable")

    def _held_by(self, backend: Any) -> device:
        """This device as that of a backend's tensors."""
        held = device(self.type, self.index)
        object.__setattr__(held, "_backend", backend)
        return held

    def __repr__(self) -> str:
        return (
            f"device(type='{self.type}')" if self.index is None else f"device(type='{self.type}', index={self.index})"
        )

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and self.type == other.type and self.index == other.index

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> tuple[Any, ...]:
        return (device, (self.type,) if self.index is None else (self.type, self.index))

    def __enter__(self) -> device:
        self._previous.append(_Default.value)
        _Default.value = self
        return self

    def __exit__(self, *exc: object) -> None:
        _Default.value = self._previous.pop()


def _name(value: object) -> str:
    return value.__class__.__name__


class _Default:
    value: device = device("cpu")


def get_default_device() -> device:
    """The device creation functions use when none is named (the CPU unless changed).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.get_default_device.html

    >>> import torsh
    >>> torsh.get_default_device()
    device(type='cpu')
    """
    return _Default.value


def set_default_device(d: str | int | device | None) -> None:
    """Set the device of creation functions; None gives the CPU back.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.set_default_device.html

    >>> import torsh
    >>> torsh.set_default_device("meta")
    >>> torsh.zeros(2).device
    device(type='meta')
    >>> torsh.set_default_device(None)
    """
    _Default.value = device("cpu") if d is None else device(d)


def as_device(d: str | int | device | None) -> device:
    """A device from anything PyTorch accepts as one; None is the default device."""
    if d is None:
        return _Default.value
    if type(d) is device:
        return d
    return _plain(d) if type(d) is str else device(d)


@functools.cache
def _plain(name: str) -> device:
    return device(name)
