"""Where storages are: the names of devices in files, and how storages get back there.

Each entry of the table can name a storage's place (or say None: not mine) and bring a storage to a place by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsh.device import device as Device

Tagger = Callable[[Any], str | None]
Deserializer = Callable[[Any, str], Any]
_package_registry: list[tuple[int, Tagger, Deserializer]] = []


def register_package(priority: int, tagger: Tagger, deserializer: Deserializer) -> None:
    """Name the places of storages in files, and bring storages there, in a way of one's own.

    tagger(storage) gives the place's name, deserializer(storage, name) the storage there; both give None for what is not
    theirs.  Entries are asked by rising priority: the CPU's has 10, other devices' 20.
    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#torch.serialization.register_package

    >>> import torsh
    >>> torsh.serialization.register_package(
    ...     30, lambda storage: None, lambda storage, place: storage if place == "shelf" else None
    ... )
    >>> torsh.serialization.default_restore_location(torsh.zeros(1).untyped_storage(), "shelf").nbytes()
    4
    """
    _package_registry.append((priority, tagger, deserializer))
    _package_registry.sort(key=lambda entry: entry[0])


def location_tag(storage: Any) -> str:
    """The name of a storage's place in files.

    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#torch.serialization.location_tag

    >>> import torsh
    >>> torsh.serialization.location_tag(torsh.zeros(1).untyped_storage())
    'cpu'
    """
    for _, tagger, _ in _package_registry:
        found = tagger(storage)
        if found:
            return found
    raise RuntimeError(f"don't know how to determine data location of {_kind_of(storage)}")


def default_restore_location(storage: Any, location: Any) -> Any:
    """A storage on the device that ``location`` names.

    Raises RuntimeError if there is no such device here.
    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#torch.serialization.default_restore_location

    >>> import torsh
    >>> storage = torsh.zeros(1).untyped_storage()
    >>> torsh.serialization.default_restore_location(storage, "cpu").device
    device(type='cpu')
    """
    location = str(location.decode() if isinstance(location, bytes) else location)
    for _, _, deserializer in _package_registry:
        found = deserializer(storage, location)
        if found is not None:
            return found
    raise RuntimeError(f"don't know how to restore data location of {_kind_of(storage)} (tagged with {location})")


def _kind_of(storage: Any) -> str:
    from torsh import typename

    return typename(storage)


def _on_cpu(storage: Any) -> str | None:
    return "cpu" if storage.device.type == "cpu" else None


def _to_cpu(storage: Any, location: str) -> Any:
    return storage.cpu() if location == "cpu" else None


def _on_device(storage: Any) -> str:
    return str(storage.device)


def _to_device(storage: Any, location: str) -> Any:
    from torsh import registry

    try:
        where = Device(location)
    except RuntimeError:
        return None
    if where.type == storage.device.type and where.index in (None, storage.device.index):
        return storage
    try:
        registry.serving(where)
    except Exception as e:
        raise RuntimeError(_unavailable(where.type) + f" ({e})") from None
    return storage.to(device=where)


def _unavailable(kind: str) -> str:
    return (
        f"Attempting to deserialize object on a {kind.upper()} device but torch.{kind}.is_available() is False. If you are "
        "running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to map your storages to "
        "the CPU."
    )


def _validated(location: Any, kind: str) -> int:
    import torsh

    module = getattr(torsh, kind, None)
    if module is None:
        raise RuntimeError(
            f"The {kind.upper()} device module is not registered. If you are running on a CPU-only machine, please use torch.load "
            "with map_location=torch.device('cpu') to map your storages to the CPU."
        )
    if not module.is_available():
        raise RuntimeError(_unavailable(kind))
    index = Device(location).index or 0
    count = module.device_count()
    if index >= count:
        raise RuntimeError(
            f"Attempting to deserialize object on {kind.upper()} device {index} but torch.{kind}.device_count() is {count}. Please "
            "use torch.load with map_location to map your storages to an existing device."
        )
    return index


def validate_cuda_device(location: Any) -> int:
    """The index of a CUDA device by its name; RuntimeError where there is no such device.

    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#torch.serialization.validate_cuda_device

    >>> import torsh
    >>> if torsh.cuda.is_available():
    ...     assert torsh.serialization.validate_cuda_device("cuda:0") == 0
    """
    return _validated(location, "cuda")


def validate_hpu_device(location: Any) -> int:
    """The index of an HPU by its name; RuntimeError where there is no such device.

    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#torch.serialization.validate_hpu_device

    >>> import torsh
    >>> try:
    ...     torsh.serialization.validate_hpu_device("hpu:0")
    ... except RuntimeError as error:
    ...     print(str(error)[:42])
    The HPU device module is not registered. I
    """
    return _validated(location, "hpu")


register_package(10, _on_cpu, _to_cpu)
register_package(20, _on_device, _to_device)
