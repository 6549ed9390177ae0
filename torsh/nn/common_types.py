"""Names of types for annotations of modules: one value, or one for each of so many dimensions."""

from __future__ import annotations

from typing import Any, TypeVar, Union

from torsh.tensor import Tensor

T = TypeVar("T")


def _or_tuple(n: int | None) -> Any:
    return Union[T, tuple[T, ...]] if n is None else Union[T, tuple[(T,) * n]]  # type: ignore[misc]  # noqa: UP007


_scalar_or_tuple_any_t = _or_tuple(None)
_size_any_t, _ratio_any_t = _scalar_or_tuple_any_t[int], _scalar_or_tuple_any_t[float]
_size_any_opt_t = Union[int, None, tuple[Union[int, None], ...]]  # noqa: UP007
_scalar_or_tuple_1_t, _scalar_or_tuple_2_t, _scalar_or_tuple_3_t = _or_tuple(1), _or_tuple(2), _or_tuple(3)
_scalar_or_tuple_4_t, _scalar_or_tuple_5_t, _scalar_or_tuple_6_t = _or_tuple(4), _or_tuple(5), _or_tuple(6)
_size_1_t, _size_2_t, _size_3_t = _scalar_or_tuple_1_t[int], _scalar_or_tuple_2_t[int], _scalar_or_tuple_3_t[int]
_size_4_t, _size_5_t, _size_6_t = _scalar_or_tuple_4_t[int], _scalar_or_tuple_5_t[int], _scalar_or_tuple_6_t[int]
_size_2_opt_t = Union[int, None, tuple[Union[int, None], Union[int, None]]]  # noqa: UP007
_size_3_opt_t = Union[int, None, tuple[Union[int, None], Union[int, None], Union[int, None]]]  # noqa: UP007
_ratio_2_t, _ratio_3_t = _scalar_or_tuple_2_t[float], _scalar_or_tuple_3_t[float]
_tensor_list_t = Union[Tensor, list[Tensor]]  # noqa: UP007
_maybe_indices_t = _scalar_or_tuple_2_t[Tensor]
