"""Names of types for annotations.

Source: https://docs.pytorch.org/docs/stable/type_info.html (the module has no page of its own)
"""

from __future__ import annotations

import os
from builtins import bool as _bool
from builtins import bytes as _bytes
from builtins import complex as _complex
from builtins import float as _float
from builtins import int as _int
from builtins import str as _str
from collections.abc import Sequence
from typing import IO, Any, Union

from torsh._functions import SymBool, SymFloat, SymInt
from torsh.device import device as _device
from torsh.dtypes import dtype as _dtype
from torsh.memory_format import layout as _layout
from torsh.storage import UntypedStorage as Storage
from torsh.tensor import Size, Tensor

Number = Union[int, float, bool]  # noqa: UP007 (isinstance takes it, as it does PyTorch's)
_Number = (int, float, bool)
_size = Union[Size, list[int], tuple[int, ...]]  # noqa: UP007
_symsize = Union[Size, Sequence[Union[int, SymInt]]]  # noqa: UP007
Device = Union[_device, str, int, None]  # noqa: UP007
FileLike = Union[str, os.PathLike[str], IO[bytes]]  # noqa: UP007
_TensorOrTensors = Union[Tensor, Sequence[Tensor]]  # noqa: UP007
_TensorOrOptionalTensors = Union[Tensor, Sequence[Union[Tensor, None]]]  # noqa: UP007
_TensorOrTensorsOrGradEdge = Union[Tensor, Sequence[Tensor], Any]  # noqa: UP007
IntLikeType = Union[int, SymInt]  # noqa: UP007
FloatLikeType = Union[float, SymFloat]  # noqa: UP007
BoolLikeType = Union[bool, SymBool]  # noqa: UP007
py_sym_types = (SymInt, SymFloat, SymBool)
PySymType = Union[SymInt, SymFloat, SymBool]  # noqa: UP007


def __getattr__(name: str) -> Any:
    if name == "_qscheme":
        from torsh.quantized import qscheme

        return qscheme
    if name in ("DispatchKey", "_dispatchkey"):
        from torsh._dispatch_keys import DispatchKey

        return DispatchKey if name == "DispatchKey" else Union[str, DispatchKey]  # noqa: UP007
    raise AttributeError(f"module 'torch.types' has no attribute {name!r}")


__all__ = ["Device", "FileLike", "Number", "Storage"]
_KEPT = (_bool, _bytes, _complex, _dtype, _float, _int, _layout, _str)
