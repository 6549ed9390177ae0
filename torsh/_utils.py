"""What pickles of tensors call when they are read; the names and arguments are those in PyTorch's files."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from torsh import dtypes
from torsh.tensor import Parameter, Tensor


def _rebuild_tensor(storage: Any, storage_offset: int, size: Any, stride: Any) -> Tensor:
    """A tensor over a typed storage."""
    from torsh.storage import storage_tensor

    return storage_tensor(storage._untyped_storage, storage.dtype, storage_offset, tuple(size), tuple(stride))


def _rebuild_tensor_v2(
    storage: Any,
    storage_offset: int,
    size: Any,
    stride: Any,
    requires_grad: bool,
    backward_hooks: Any,
    metadata: Any = None,
) -> Tensor:
    """A tensor over a typed storage, with its autograd flag."""
    t = _rebuild_tensor(storage, storage_offset, size, stride)
    if isinstance(metadata, dict) and (metadata.get("conj") or metadata.get("neg")):
        from torsh.lazy_conj import with_bits

        t = with_bits(t, bool(metadata.get("conj")), bool(metadata.get("neg"))).detach()
    if requires_grad:
        t.requires_grad = True
    if backward_hooks:
        t._hooks = OrderedDict(backward_hooks)
    return t


def _rebuild_tensor_v3(
    storage: Any, storage_offset: int, size: Any, stride: Any, requires_grad: bool, backward_hooks: Any, dtype: Any,
    metadata: Any = None,
) -> Tensor:  # fmt: skip
    """As ``_rebuild_tensor_v2``, for types without a legacy storage class: the storage holds plain bytes."""
    from torsh.storage import TypedStorage

    untyped = getattr(storage, "_untyped_storage", storage)
    typed = TypedStorage(wrap_storage=untyped, dtype=dtype)
    return _rebuild_tensor_v2(typed, storage_offset, size, stride, requires_grad, backward_hooks, metadata)


# While a list, checks of sparse tensors wait in it: in the legacy format the numbers come after the tensors.
_checks_later: list[Any] | None = None


def _rebuild_sparse_tensor(layout: Any, data: Any) -> Tensor:
    """A sparse tensor of its layout and members.  They may come from anywhere, so they are checked."""
    from torsh.memory_format import sparse_coo
    from torsh.sparse._construct import compressed, coo

    if layout is sparse_coo:
        indices, values, size, *is_coalesced = data

        def make(checked: bool) -> Tensor:
            return coo(
                indices, values, size, check_invariants=checked, is_coalesced=is_coalesced[0] if is_coalesced else None
            )
    else:
        first, second, values, size = data

        def make(checked: bool) -> Tensor:
            return compressed(layout, first, second, values, size, check_invariants=checked)

    if _checks_later is None:
        return make(True)
    _checks_later.append(make)
    return make(False)


def _check_sparse_later(load: Any) -> Any:
    """The result of ``load()``, and the sparse tensors in it checked after it."""
    global _checks_later
    before, _checks_later = _checks_later, []
    try:
        found = load()
        for make in _checks_later:
            make(True)
        return found
    finally:
        _checks_later = before


def _rebuild_parameter(data: Tensor, requires_grad: bool, backward_hooks: Any) -> Parameter:
    """A parameter of a tensor's data."""
    p = Parameter(data, requires_grad)
    if backward_hooks:
        p._hooks = OrderedDict(backward_hooks)
    return p


def _set_obj_state(obj: Any, state: Any) -> Any:
    """Give an object its pickled attributes: a dictionary, or (dictionary, slots)."""
    plain, slots = state if isinstance(state, tuple) else (state, None)
    obj.__dict__.update(plain or {})
    for name, value in (slots or {}).items():
        setattr(obj, name, value)
    return obj


def _rebuild_parameter_with_state(data: Tensor, requires_grad: bool, backward_hooks: Any, state: Any) -> Parameter:
    """A parameter with attributes of its own."""
    return _set_obj_state(_rebuild_parameter(data, requires_grad, backward_hooks), state)


def _rebuild_meta_tensor_no_storage(dtype: Any, size: Any, stride: Any, requires_grad: bool) -> Tensor:
    """A tensor on the meta device."""
    from torsh.ops.storage import empty_strided

    return empty_strided(tuple(size), tuple(stride), dtype=dtype, device="meta", requires_grad=requires_grad)


def _rebuild_wrapper_subclass(
    cls: Any, dtype: Any, size: Any, stride: Any, storage_offset: int, layout: Any, device: Any, requires_grad: bool
) -> Tensor:
    """A tensor of a class whose values are in its attributes, which come with its state."""
    return Tensor._make_wrapper_subclass(  # type: ignore[no-any-return, attr-defined]
        cls,
        size,
        strides=stride,
        dtype=dtype,
        storage_offset=storage_offset,
        layout=layout,
        device=device,
        requires_grad=requires_grad,
    )


def _rebuild_from_type_v2(func: Any, new_type: Any, args: Any, state: Any) -> Any:
    """An instance of a tensor subclass, with its attributes."""
    found = func(*args)
    if type(found) is not new_type:
        found = found.as_subclass(new_type)
    setstate = getattr(type(found), "__setstate__", None)
    if setstate is not None and setstate is not Tensor.__setstate__:
        found.__setstate__(state)
    else:
        _set_obj_state(found, state)
    return found


def _rebuild_device_tensor_from_numpy(data: Any, dtype: Any, device: Any, requires_grad: bool) -> Tensor:
    """A tensor from a host array."""
    from torsh.ops.data import from_numpy

    t = from_numpy(data).to(dtype=dtype, device=device)
    if requires_grad:
        t.requires_grad = True
    return t


_rebuild_device_tensor_from_cpu_tensor = _rebuild_device_tensor_from_numpy


def _flatten_dense_tensors(tensors: Any) -> Tensor:
    """The elements of several tensors of one type in one dimension."""
    import torsh

    return torsh.cat([t.reshape(-1) for t in tensors])


def _unflatten_dense_tensors(flat: Tensor, tensors: Any) -> tuple[Tensor, ...]:
    """Views of a flat tensor with the shapes of others, in their order."""
    found, start = [], 0
    for t in tensors:
        found.append(flat.narrow(0, start, t.numel()).view(t.shape))
        start += t.numel()
    return tuple(found)


def _take_tensors(tensors: Any, size_limit: int) -> Iterator[list[Tensor]]:
    """Tensors in lists of one type each and of at most ``size_limit`` bytes, where one alone is not larger."""
    waiting: dict[Any, tuple[list[Tensor], int]] = {}
    for t in tensors:
        size = t.numel() * t.element_size()
        held, held_size = waiting.get(t.type(), ([], 0))
        if held and held_size + size > size_limit:
            yield held
            held, held_size = [], 0
        waiting[t.type()] = ([*held, t], held_size + size)
    for held, _ in waiting.values():
        if held:
            yield held


def _reorder_tensors_as(tensors: Any, ordered_tensors: Any) -> tuple[Tensor, ...]:
    """Tensors that came type by type, in the order of types of others."""
    by_type: dict[str, list[Tensor]] = {}
    for t in tensors:
        by_type.setdefault(t.type(), []).append(t)
    parts = {k: iter(v) for k, v in by_type.items()}
    return tuple(next(parts[t.type()]) for t in ordered_tensors)


def _element_size(dtype: Any) -> int:
    """Bytes of one element."""
    return dtype.itemsize


def _get_device_index(device: Any, optional: bool = False, allow_cpu: bool = False) -> int:
    """The index that an integer or a device with an index names; -1 for the CPU where it is allowed."""
    from torsh.device import device as Device

    if isinstance(device, str):
        device = Device(device)
    if isinstance(device, Device):
        if device.type == "cpu" and not allow_cpu:
            raise ValueError(f"Expected a non cpu device, but got: {device}")
        if device.type == "cpu" and device.index is None:
            return -1
        device = device.index
    if isinstance(device, int):
        return device
    if optional and device is None:
        import torsh

        return torsh.cuda.current_device() if torsh.cuda.is_available() else -1
    raise ValueError(f"Expected a torch.device with a specified index or an integer, but got:{device}")


def _get_available_device_type() -> str | None:
    """The first accelerator there is, None if there is only the CPU."""
    import torsh

    return next((kind for kind in ("cuda", "mps", "xpu", "mtia") if getattr(torsh, kind).is_available()), None)


def _get_device_module(device_type: str) -> Any:
    """The module of a device type."""
    import torsh

    found = getattr(torsh, device_type, None)
    if found is None:
        raise RuntimeError(
            f"Device '{device_type}' does not have a corresponding module registered as 'torch.{device_type}'."
        )
    return found


def has_legacy_storage(dtype: Any) -> bool:
    """Whether PyTorch has a storage class named after this type."""
    return dtype not in dtypes.FLOAT8 and dtype not in (dtypes.complex32, dtypes.uint16, dtypes.uint32, dtypes.uint64)


__all__ = ["has_legacy_storage"]


def __getattr__(name: str) -> Any:
    if name == "ExceptionWrapper":
        from torsh.utils.data._utils.worker import ExceptionWrapper

        return ExceptionWrapper
    raise AttributeError(f"module 'torch._utils' has no attribute {name!r}")
