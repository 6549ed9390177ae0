"""The legacy types of sparse tensors (``torch.sparse.FloatTensor``), which programs from before ``sparse_coo_tensor`` call."""

from __future__ import annotations

import warnings
from typing import Any

from torsh import dtypes, legacy
from torsh.memory_format import sparse_coo
from torsh.tensor import Tensor

_DOC = """Legacy type of sparse COO tensors of {dtype}: makes them, and answers isinstance.

Source: https://docs.pytorch.org/docs/stable/sparse.html

>>> import torsh
>>> import warnings
>>> warnings.simplefilter("ignore")  # deprecated by sparse_coo_tensor
>>> torsh.sparse.{name}(2, 3).shape
torsh.Size([2, 3])
"""


class SparseTensorType(legacy.TensorType):
    """The type of legacy types of sparse tensors.  Called with indices and values it keeps the dtype of the values."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        from torsh import sparse_coo_tensor

        warnings.warn(
            f"torch.sparse.{cls.__name__}(...) is deprecated. Please use torch.sparse_coo_tensor(indices, values, shape, dtype=, device=).",
            UserWarning,
            stacklevel=2,
        )
        if args and isinstance(args[0], Tensor) and len(args) > 1:
            return sparse_coo_tensor(*args, **kwargs)
        size = (0,) if not args else args if isinstance(args[0], int) else args[0]
        return sparse_coo_tensor(tuple(size), dtype=cls.dtype, **kwargs)

    def __instancecheck__(cls, obj: Any) -> bool:
        return isinstance(obj, Tensor) and obj.layout is sparse_coo and obj.dtype is cls.dtype


TYPES = {
    f"{name}Tensor": SparseTensorType(
        f"{name}Tensor", (), {"dtype": dtype, "device_type": "cpu", "__module__": f"{dtypes.namespace}.sparse", "is_sparse": True,
                              "__doc__": _DOC.format(name=f"{name}Tensor", dtype=dtype.name)},
    )
    for name, dtype in legacy._NAMES.items() if name != "Bool"
}  # fmt: skip
