"""Making a batch of samples.

Source: https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.default_collate
"""

from __future__ import annotations

import collections.abc
import copy
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from torsh.tensor import Tensor

np_str_obj_array_pattern = re.compile(r"[SaUO]")  # kinds of NumPy arrays that no tensor can hold
default_collate_err_msg_format = (
    "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"
)
_Map = dict[Any, Callable[..., Any]]


def _rebuilt(like: Any, make: Callable[[], Any], fill: Callable[[Any], None]) -> Any:
    """A container of the type of ``like``: a filled copy if it can be changed, else one made anew; None if neither works."""
    try:
        if isinstance(like, (collections.abc.MutableMapping, collections.abc.MutableSequence)):
            clone = copy.copy(like)
            fill(clone)
            return clone
        return type(like)(make())
    except TypeError:
        return None


def _fill(clone: Any, values: Any) -> None:
    for i, v in enumerate(values):
        clone[i] = v


def default_convert(data: Any) -> Any:
    """NumPy arrays and numbers in nested containers as tensors; everything else as it is.

    Source: https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.default_convert

    >>> import numpy as np
    >>> import numpy as np
    >>> from torsh.utils.data import default_convert
    >>> default_convert([np.array([1, 2]), "text"])
    [tensor([1, 2]), 'text']
    """
    import torsh

    kind = type(data)
    if isinstance(data, Tensor):
        return data
    if kind.__module__ == "numpy" and kind.__name__ not in ("str_", "string_"):
        return data if kind is np.ndarray and np_str_obj_array_pattern.search(data.dtype.str) else torsh.as_tensor(data)
    if isinstance(data, collections.abc.Mapping):
        values = {key: default_convert(data[key]) for key in data}
        made = _rebuilt(data, lambda: values, lambda c: c.update(values))
        return values if made is None else made
    if isinstance(data, tuple):
        parts = [default_convert(d) for d in data]
        return kind(*parts) if hasattr(data, "_fields") else parts
    if isinstance(data, collections.abc.Sequence) and not isinstance(data, (str, bytes)):
        parts = [default_convert(d) for d in data]
        made = _rebuilt(data, lambda: parts, lambda c: _fill(c, parts))
        return parts if made is None else made
    return data


def collate(batch: Any, *, collate_fn_map: _Map | None = None) -> Any:
    """A batch of a list of samples; ``collate_fn_map`` says what to do with leaves of which type."""
    elem = batch[0]
    kind = type(elem)
    if collate_fn_map is not None:
        if kind in collate_fn_map:
            return collate_fn_map[kind](batch, collate_fn_map=collate_fn_map)
        for known, fn in collate_fn_map.items():
            if isinstance(elem, known):
                return fn(batch, collate_fn_map=collate_fn_map)
    if isinstance(elem, collections.abc.Mapping):
        values = {key: collate([d[key] for d in batch], collate_fn_map=collate_fn_map) for key in elem}
        made = _rebuilt(elem, lambda: values, lambda c: c.update(values))
        return values if made is None else made
    if isinstance(elem, tuple) and hasattr(elem, "_fields"):
        return kind(*(collate(samples, collate_fn_map=collate_fn_map) for samples in zip(*batch)))
    if isinstance(elem, collections.abc.Sequence):
        if any(len(other) != len(elem) for other in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        parts = [collate(samples, collate_fn_map=collate_fn_map) for samples in zip(*batch)]
        if isinstance(elem, tuple):
            return parts
        made = _rebuilt(elem, lambda: parts, lambda c: _fill(c, parts))
        return parts if made is None else made
    raise TypeError(default_collate_err_msg_format.format(kind))


def collate_tensor_fn(batch: Any, *, collate_fn_map: _Map | None = None) -> Any:
    """Tensors of one shape, stacked."""
    import torsh

    if batch[0].is_sparse:
        raise RuntimeError(
            "Batches of sparse tensors are not currently supported by the default collate_fn; please provide a custom "
            "collate_fn to handle them appropriately."
        )
    return torsh.stack(batch, 0)


def collate_numpy_array_fn(batch: Any, *, collate_fn_map: _Map | None = None) -> Any:
    """Arrays of one shape, stacked into a tensor."""
    import torsh

    if np_str_obj_array_pattern.search(batch[0].dtype.str):
        raise TypeError(default_collate_err_msg_format.format(batch[0].dtype))
    return collate([torsh.as_tensor(b) for b in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch: Any, *, collate_fn_map: _Map | None = None) -> Any:
    """NumPy numbers as a tensor."""
    import torsh

    return torsh.as_tensor(np.asarray(batch))


def collate_float_fn(batch: Any, *, collate_fn_map: _Map | None = None) -> Any:
    """Python floats as a float64 tensor."""
    import torsh

    return torsh.tensor(batch, dtype=torsh.float64)


def collate_int_fn(batch: Any, *, collate_fn_map: _Map | None = None) -> Any:
    """Python integers (or bools) as a tensor."""
    import torsh

    return torsh.tensor(batch)


def collate_str_fn(batch: Any, *, collate_fn_map: _Map | None = None) -> Any:
    """Texts stay a list."""
    return batch


default_collate_fn_map: _Map = {
    Tensor: collate_tensor_fn,
    np.ndarray: collate_numpy_array_fn,
    (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


def default_collate(batch: Any) -> Any:
    """A batch of a list of samples: tensors are stacked, numbers become tensors, containers are gone through.

    Source: https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.default_collate

    >>> from torsh.utils.data import default_collate
    >>> default_collate([{"x": 1., "y": "a"}, {"x": 2., "y": "b"}])
    {'x': tensor([1., 2.], dtype=torsh.float64), 'y': ['a', 'b']}
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)
