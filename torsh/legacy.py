"""The legacy tensor types: ``torch.FloatTensor`` and its like are constructors and isinstance tests, never classes of
tensors.

Source: https://docs.pytorch.org/docs/stable/tensors.html (tensor class reference)
"""

from __future__ import annotations

from typing import Any

from torsh import dtypes, registry
from torsh._attributes import held
from torsh.device import as_device
from torsh.dtypes import dtype as Dtype
from torsh.tensor import Size, Tensor

_NAMES = {
    "Float": dtypes.float32, "Double": dtypes.float64, "Half": dtypes.float16, "BFloat16": dtypes.bfloat16,
    "Byte": dtypes.uint8, "Char": dtypes.int8, "Short": dtypes.int16, "Int": dtypes.int32, "Long": dtypes.int64,
    "Bool": dtypes.bool,
}  # fmt: skip


def legacy_tensor(cls: str, dtype: Dtype, device: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """``torch.FloatTensor(2, 3)``: an uninitialised tensor of a size; ``torch.FloatTensor([1, 2])``: one of values.

    A tensor or a storage may be given, too: the result looks at its memory.
    """
    from torsh.ops.creation import make_full
    from torsh.ops.data import tensor

    given = kwargs.pop("device", None)
    if given is not None:
        wanted = as_device(device or "cpu").type
        if as_device(given).type != wanted:
            raise RuntimeError(
                f"legacy constructor expects device type: {wanted} but device type: {as_device(given).type} was passed"
            )
    device = given or device
    named = [n for n in ("size", "data", "other", "storage") if n in kwargs]
    if len(kwargs) > len(named) or len(named) + bool(args) > 1:
        raise TypeError(f"{cls}(): unexpected keyword arguments {', '.join(kwargs)}")
    if named:
        value = kwargs[named[0]]
        args = (Size(value),) if named[0] == "size" else (value,)
    if not args:
        return make_full((0,), None, dtype, device, False)
    first = args[0]
    if len(args) == 1:
        if isinstance(first, Size):
            return make_full(tuple(first), None, dtype, device, False)
        if isinstance(first, Tensor):
            if given is not None:
                raise RuntimeError(
                    "Legacy tensor constructor of the form torch.Tensor(tensor, device=device) is not supported.  Use "
                    "torch.tensor(...) or torch.as_tensor(...) instead."
                )
            if first.dtype is not dtype and cls != "Tensor":
                raise TypeError(f"expected {cls} (got torch.{dtypes.scalar_name(first.dtype)}Tensor)")
            return first.view_as(first)
        if type(first).__name__ in ("TypedStorage", "UntypedStorage"):
            return _over_storage(first, dtype)
        if not isinstance(first, int) or isinstance(first, bool):
            if isinstance(first, (float, bool, str)) or first is None:
                raise TypeError(f"new(): data must be a sequence (got {type(first).__name__})")
            return tensor(first, dtype=dtype, device=device)
    if all(isinstance(a, int) or hasattr(a, "__index__") for a in args):
        return make_full(tuple(a.__index__() for a in args), None, dtype, device, False)
    raise TypeError(
        f"{cls}() received an invalid combination of arguments - got ({', '.join(type(a).__name__ for a in args)}), but "
        "expected a size as integers or the data as one sequence"
    )


def _over_storage(storage: Any, dtype: Dtype) -> Tensor:
    """A flat tensor over a storage's memory."""
    from torsh.storage import elements, expect_type

    expect_type(storage, dtype, " for argument 1 'storage'")
    return elements(storage, dtype)


class TensorType(type):
    """The type of legacy tensor types: calling one makes a tensor, isinstance asks a tensor's dtype and device."""

    dtype: Dtype
    device_type: str

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        for base in bases:
            raise TypeError(
                f"type '{base.__module__}.{base.__name__}' is not an acceptable base type; derive from Tensor"
            )
        return super().__new__(mcs, name, bases, namespace)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls.device_type != "cpu" and registry.available(cls.device_type) is None:
            raise TypeError(
                f"type torch.{cls.device_type}.{cls.__name__} not available: no backend serves {cls.device_type!r} here; use "
                f"torch.{cls.__name__}, or ask torch.{cls.device_type}.is_available() first"
            )
        return legacy_tensor(f"torch.{cls.__name__}", cls.dtype, cls.device_type, args, kwargs)

    def __instancecheck__(cls, obj: Any) -> bool:
        return isinstance(obj, Tensor) and obj.dtype is cls.dtype and obj.device.type == cls.device_type

    def __repr__(cls) -> str:
        return f"<class '{cls.__module__}.{cls.__name__}'>"


_DOC = """Legacy type of {dtype} tensors on {place}: makes them, and answers isinstance.

Source: https://docs.pytorch.org/docs/stable/tensors.html

>>> import torsh
>>> torsh.{name}(2).dtype
torsh.{dtype}
"""


def make_types(device_type: str = "cpu") -> dict[str, Any]:
    """The legacy types of a device type, by name."""
    module = dtypes.namespace if device_type == "cpu" else f"{dtypes.namespace}.{device_type}"
    return {
        f"{name}Tensor": TensorType(
            f"{name}Tensor", (), {"dtype": dtype, "device_type": device_type, "__module__": module, "is_sparse": False,
                                  "is_cuda": device_type == "cuda",
                                  "__doc__": _DOC.format(name=f"{name}Tensor", dtype=dtype.name, place=device_type)},
        )
        for name, dtype in _NAMES.items()
    }  # fmt: skip


TYPES = make_types()
_tensor_classes = set(TYPES.values())


def dtype_and_device(t: Any) -> tuple[Dtype, str | None]:
    """What a legacy type, its name, or a dtype stands for.  Raises ValueError for an unknown name."""
    if isinstance(t, Dtype):
        return t, None
    if isinstance(t, TensorType):
        return t.dtype, t.device_type
    if t is Tensor:
        return dtypes.get_default_dtype(), "cpu"
    if isinstance(t, str):
        name = t.removeprefix("torch.").removeprefix("torsh.")
        device, _, name = name.rpartition(".")
        found = _NAMES.get(name.removesuffix("Tensor")) if name.endswith("Tensor") else None
        if name == "Tensor":
            return dtypes.get_default_dtype(), device or "cpu"
        if found is not None:
            return found, device or "cpu"
    raise ValueError(f"invalid type: '{t}'; expected a dtype or a tensor type such as torch.FloatTensor")


def tensor_new(cls: Any, *args: Any, **kwargs: Any) -> Any:
    """``torch.Tensor(...)``: an uninitialised tensor of the default dtype, or one of values; also of a subclass."""
    found = legacy_tensor("Tensor", dtypes.get_default_dtype(), "cpu", args, kwargs)
    if cls is Tensor:
        return found
    out = object.__new__(cls)
    held(out).update(held(found))  # of a tensor: a view of it, with its history
    if cls.__torch_dispatch__ is not Tensor.__torch_dispatch__:
        from torsh._torch_dispatch import marked

        return marked(out)
    return out
