"""The named tuples that ops with several results return: ``torch.max(x, 1)`` is a ``return_types.max``.

Source: https://docs.pytorch.org/docs/stable/torch.html (the ops that say "a namedtuple (values, indices)")
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterator
from typing import Any

all_return_types: list[type] = []


def make(name: str, fields: str) -> Any:
    """A named tuple type, PyTorch's ``torch.return_types.<name>``; it is made from one iterable or from its fields."""
    plain = namedtuple(name, fields.split())  # type: ignore[misc]

    class Result(plain):  # type: ignore[misc, valid-type]
        __slots__ = ()
        n_fields = n_sequence_fields = len(plain._fields)
        n_unnamed_fields = 0

        def __new__(cls, *values: Any) -> Any:
            if len(values) == 1 and len(plain._fields) > 1:
                values = tuple(values[0])
            return plain.__new__(cls, *values)

        def __repr__(self) -> str:
            from torsh import dtypes

            inside = ",\n".join(f"{f}={v!r}" for f, v in zip(plain._fields, self))
            return f"{dtypes.namespace}.return_types.{name}(\n{inside})"

        def __reduce__(self) -> Any:
            return (type(self), (tuple(self),))

    Result.__name__ = Result.__qualname__ = name
    Result.__module__ = __name__
    all_return_types.append(Result)
    return Result


_VALUES_INDICES = "values indices"
_TABLE = {
    **dict.fromkeys(
        ("max", "min", "median", "nanmedian", "mode", "kthvalue", "cummax", "cummin", "sort", "topk"), _VALUES_INDICES
    ),
    "aminmax": "min max",
    "frexp": "mantissa exponent",
    "histogram": "hist bin_edges",
    "histogramdd": "hist bin_edges",
    "geqrf": "a tau",
    "qr": "Q R",
    "svd": "U S V",
    "slogdet": "sign logabsdet",
    "triangular_solve": "solution cloned_coefficient",
    "lu_unpack": "P L U",
    "linalg_cholesky_ex": "L info",
    "linalg_eig": "eigenvalues eigenvectors",
    "linalg_eigh": "eigenvalues eigenvectors",
    "linalg_inv_ex": "inverse info",
    "linalg_ldl_factor": "LD pivots",
    "linalg_ldl_factor_ex": "LD pivots info",
    "linalg_lstsq": "solution residuals rank singular_values",
    "linalg_lu": "P L U",
    "linalg_lu_factor": "LU pivots",
    "linalg_lu_factor_ex": "LU pivots info",
    "linalg_qr": "Q R",
    "linalg_slogdet": "sign logabsdet",
    "linalg_solve_ex": "result info",
    "linalg_svd": "U S Vh",
}  # fmt: skip

for _name, _fields in _TABLE.items():
    globals()[_name] = make(_name, _fields)


def __getattr__(name: str) -> Any:
    # ``max_out`` and its like are the types of the out= forms: the same tuples under another name.
    if name.endswith("_out") and name[:-4] in _TABLE:
        return globals()[name[:-4]]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> Iterator[str]:
    return iter(sorted([*_TABLE, *(n + "_out" for n in _TABLE), "all_return_types"]))
