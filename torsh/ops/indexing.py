"""Indexing with square brackets: ``x[...]``, ``x[...] = y``, and the ops behind them.

An index expression is split as PyTorch splits it: integers, slices, None and Ellipsis (*basic*) give a view; tensors,
lists and masks (*advanced*) then index that view.  So an integer next to an index tensor does not move the result's
dimensions about as it does in NumPy.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from torsh import dtypes
from torsh._callers import warn
from torsh.autograd import engine
from torsh.autograd.grad_mode import thread
from torsh.dispatch import Kind, state
from torsh.ops._args import has_values
from torsh.ops._op import Ready, composite, primitive
from torsh.ops._overriding import override_of
from torsh.ops._record import OpNode, PlanCache
from torsh.ops._view import unrecorded
from torsh.ops._view import view as view_op
from torsh.ops.slicing import embed
from torsh.tensor import (
    PLAIN,
    InferenceVersion,
    Parameter,
    Tensor,
    check_overlap,
    check_writable,
    from_host,
    new,
    version_of,
)

_numbers = engine._numbers


# ---- basic indexing --------------------------------------------------------------------------------------------------


@view_op(
    "",
    args="input index shape",
    grad=lambda g, index, shape: embed(g, shape, index),
    meta=lambda input, index, shape: (basic_shape(input.shape, index), input.dtype),
)
def getitem_basic(input, index):
    """A view by integers, slices (with positive steps), None and one Ellipsis."""
    return (input, index, tuple(input.shape))


def basic_shape(shape: tuple[int, ...], index: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape of a basic indexing's result."""
    used = sum(1 for i in index if i is not None and i is not Ellipsis)
    found: list[int] = []
    d = 0
    for i in index:
        if i is None:
            found.append(1)
        elif i is Ellipsis:
            found.extend(shape[d : d + len(shape) - used])
            d += len(shape) - used
        elif isinstance(i, slice):
            found.append(len(range(*i.indices(shape[d]))))
            d += 1
        else:
            d += 1
    return (*found, *shape[d:])


class _Mutable(dict[Kind, bool]):
    """Whether basic indexing of a kind's raw arrays gives views that can be written."""

    def __missing__(self, kind: Kind) -> bool:
        found = self[kind] = kind.backend.capabilities.mutable
        return found


_mutable = _Mutable()
_plans = PlanCache(getitem_basic.op, 1)
_node_types: dict[str, type[OpNode]] = {}


def _named_node(name: str) -> type[OpNode]:
    found = _node_types.get(name)
    if found is None:
        base = _plans[(True, False, False)].node_type
        found = _node_types[name] = type(name, (base,), {"__module__": base.__module__})
    return found


_named_node("SelectBackward0")
_named_node("SliceBackward0")


def _node_type(index: tuple[Any, ...], shape: tuple[int, ...]) -> type[OpNode]:
    """The node of a basic indexing: named after the last step PyTorch would take."""
    name = "Alias"
    d = 0
    for i in index:
        if i is None:
            name = "Unsqueeze"
        elif i is Ellipsis:
            d = -sum(1 for j in index[index.index(Ellipsis) + 1 :] if j is not None)
        elif type(i) is slice:
            if (len(index) < 3 and index[-1] is Ellipsis) or i.indices(shape[d]) != (0, shape[d], 1):
                name = "Slice"
            d += 1
        else:
            name = "Select"
            d += 1
    return _named_node(name + "Backward0")


def _basic_key(index: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The tuple as a key for raw arrays if it is plain basic indexing, else None."""
    dots = False
    for i in index:
        t = type(i)
        if t is int or i is None:
            continue
        if t is slice:
            step = i.step
            if step is not None and (type(step) is not int or step <= 0):
                return None
        elif i is Ellipsis and not dots:
            dots = True
        else:
            return None
    # With an Ellipsis NumPy gives a 0-d view where it would otherwise give a scalar.
    return index if dots else (*index, ...)


def _plain_index(t: Tensor, index: Tensor) -> Any:
    """The raw array of an index tensor that can be used as it is (int64 or a mask of fitting shape, same place), or
    None.
    """
    kind = index._kind
    if kind.place is not t._kind.place:
        return None
    shape = index._data.shape
    if kind.dtype is dtypes.int64:
        return index._data if shape and t._data.shape else None
    if kind.dtype is dtypes.bool and shape and shape == t._data.shape[: len(shape)]:
        return index._data
    return None


def _plain_indices(t: Tensor, index: tuple[Any, ...]) -> list[Any] | None:
    """The index tensors of a tuple of int64 tensors and full slices (None for these), or None if it is anything else."""
    if len(index) > len(t._data.shape):
        return None
    found: list[Any] = []
    place = t._kind.place
    last = 0
    for n, i in enumerate(index, 1):
        if type(i) is Tensor:
            kind = i._kind
            if kind.dtype is not dtypes.int64 or kind.place is not place or not i._data.shape:
                return None
            found.append(i)
            last = n
        elif type(i) is slice and i.start is None and i.stop is None and i.step is None:
            found.append(None)
        else:
            return None
    return found[:last]


def _mixed(t: Tensor, index: Any) -> tuple[tuple[Any, ...], list[Any] | None] | None:
    """What ``_split`` gives, for an index of plain integers, slices, None, int64 tensors and lists of integers; None for any
    other, and for one with too many items.
    """
    key: list[Any] = []
    advanced: list[Any] = []
    used = last = 0
    place = t._kind.place
    for i in index:
        kind = type(i)
        if kind is int:
            key.append(i)
            used += 1
            continue
        if kind is slice:
            if not (
                (i.step is None or (type(i.step) is int and i.step > 0))
                and (i.start is None or type(i.start) is int)
                and (i.stop is None or type(i.stop) is int)
            ):
                return None
            key.append(i)
            advanced.append(None)
            used += 1
            continue
        if i is None:
            key.append(None)
            advanced.append(None)
            continue
        if kind is list:
            if set(map(type, i)) != {int}:
                return None
            i = _index_tensor(t, i)
        elif kind is not Tensor:
            return None
        if i._kind.dtype is not dtypes.int64 or i._kind.place is not place:
            return None
        used += 1
        if i._data.shape:
            key.append(_ALL)
            advanced.append(i)
            last = len(advanced)
        else:
            key.append(i.item())
    if used > len(t._data.shape):
        return None
    key.append(...)
    return tuple(key), advanced[:last] if last else None


def _mixed_item(t: Tensor, index: Any) -> Tensor | None:
    """``t[index]`` for what ``_mixed`` knows, where nothing is recorded; None for the long way."""
    found = _mixed(t, index)
    if found is None or (t._rg and thread.enabled) or not _mutable[t._kind]:
        return None
    key, advanced = found
    if advanced is None:
        return None
    kind = t._kind
    try:
        view = t._data[key]
        raw = index_op.op.kernels[kind](view, [None if i is None else i._data for i in advanced], view.shape)
    except IndexError:
        return None  # the long way says what is wrong in PyTorch's words
    out = new(Tensor)
    out._data = raw if type(raw) is kind.raw_type else kind.as_raw(raw)
    out._kind = kind
    out._rg = False
    return out


def _picked(t: Tensor, indices: list[Any]) -> Tensor:
    """The elements at index tensors (None: the whole dimension): the short way of ``index_op``."""
    if t._rg and thread.enabled:
        return index_op(t, indices)
    kind = t._kind
    try:
        raw = index_op.op.kernels[kind](t._data, [None if i is None else i._data for i in indices], t._data.shape)
    except IndexError:
        return index_op(t, indices)  # says what is wrong in PyTorch's words
    out = new(Tensor)
    out._data = raw if type(raw) is kind.raw_type else kind.as_raw(raw)
    out._kind = kind
    out._rg = False
    return out


def __getitem__(self: Tensor, index: Any) -> Tensor:
    """``x[index]``: a view for integers, slices, None and Ellipsis; a new tensor for index tensors, lists and masks.

    Raises IndexError for what is out of range or no index, ValueError for a slice with a step that is not positive.
    Source: https://docs.pytorch.org/docs/stable/tensor_view.html
    """
    t = type(self)
    if (t is Tensor or t is Parameter) and not state.busy:
        t = type(index)
        if t is int:
            key: Any = (index, ...)
        elif t is tuple:
            key = _basic_key(index)
            if key is None:
                if (plain := _plain_indices(self, index)) is not None:
                    return _picked(self, plain)
                if (picked := _mixed_item(self, index)) is not None:
                    return picked
        elif t is slice or index is None:
            key = (index, ...) if index is None or index.step is None else _basic_key((index,))
        elif t is Tensor:
            if _plain_index(self, index) is not None:
                return _picked(self, [index])
            key = None
            if not index._data.shape and self._data.shape and index._kind.dtype is dtypes.int64:
                key, t = (index.item(), ...), int
        else:
            key = None
            if t is list and (picked := _mixed_item(self, (index,))) is not None:
                return picked
        kind = self._kind
        if key is not None and _mutable[kind]:
            data = self._data
            try:
                raw = data[key]
            except IndexError:
                _split(self, index)  # says what is wrong in PyTorch's words
                raise
            out = new(Tensor)
            out._data = raw
            out._kind = kind
            out._rg = False
            # What ``shared`` does, written out.
            base = self._base
            if base is None:
                base = self
            elif self._made is not None:
                out._made = self._made
            vc = base._vc
            if vc is None:
                vc = version_of(base)
            out._base = base
            out._vc = vc
            if vc.version:
                out._gf_version = vc.version
            if self._replay is not None:
                out._replay = _item_of(self._replay, key)
            if self._rg:
                if not thread.enabled:
                    unrecorded(out)
                    return out
                shape = data.shape
                node = new(
                    _node_types["SelectBackward0"] if t is int
                    else _node_types["SliceBackward0"] if t is slice
                    else _node_type(key, shape)
                )  # fmt: skip
                node.seq = next(_numbers)
                gf = self._gf if base is self else self.grad_fn
                node.edges = (self if gf is None else gf,)
                if self._nr:
                    node.numbers = (self._nr,)
                node.saved = (key, tuple(shape))
                out._gf = node
                out._rg = True
            return out
    if state.overrides and (handler := override_of((self, index), {})) is not None:
        return handler(Tensor.__getitem__, (self, index), {})
    view, advanced = _indexed(self, index)
    if advanced is None:
        return view
    return index_op(view, advanced)


def _item_of(before: Any, key: Any) -> Any:
    # A lambda in ``__getitem__`` itself would make cells of its variables, every time.
    return lambda base: before(base)[key]


def _indexed(t: Tensor, index: Any) -> tuple[Tensor, list[Any] | None]:
    """The view that the basic parts of an index give, and the index tensors for it (None if there are none)."""
    key, advanced = _split(t, index)
    if advanced is not None and all(type(i) is slice and i == _ALL for i in key):
        return t, advanced
    view = getitem_basic(t, key)
    node = view._gf
    if node is not None and type(node).__name__ == getitem_basic.op.node_name:
        node.__class__ = _node_type(key, tuple(t.shape))
    return view, advanced


_ALL = slice(None, None, None)


def _as_tuple(index: Any) -> tuple[Any, ...]:
    """An index expression as a tuple, by PyTorch's rule for sequences that are meant as tuples."""
    if type(index) is tuple:
        return index
    if isinstance(index, tuple):
        return tuple(index)
    if isinstance(index, list) and len(index) < 32:
        for i in index:
            if i is None or i is Ellipsis or isinstance(i, (Tensor, slice, list, tuple, range, np.ndarray)):
                return tuple(index)
    return (index,)


def _split(t: Tensor, index: Any) -> tuple[tuple[Any, ...], list[Any] | None]:
    """Split an index into a key of basic indices and, per dimension of its result, index tensors or None."""
    shape = tuple(t.shape)
    items = [_item(t, i) for i in _as_tuple(index)]
    used = 0
    for i in items:
        if isinstance(i, Tensor):
            used += _mask_dims(i)
        elif i is not None and i is not Ellipsis and type(i) is not bool:
            used += 1
    if used > len(shape):
        if not shape and len(items) == 1 and type(items[0]) is int:
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to "
                "convert a 0-dim tensor to a number"
            )
        if not shape and len(items) == 1 and isinstance(items[0], slice):
            raise IndexError("slice() cannot be applied to a 0-dim tensor.")
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    key: list[Any] = []
    advanced: list[Any] = []
    d = 0  # dimension of t
    dots = False
    for place, i in enumerate(items):
        if i is None:
            key.append(None)
            advanced.append(None)
        elif i is Ellipsis:
            if not dots:
                key.append(...)
                rest = len(shape) - used
                advanced.extend([None] * rest)
                d += rest
                dots = True
        elif type(i) is bool:
            key.append(None)
            advanced.append(_index_tensor(t, [0] if i else []))
        elif type(i) is int:
            n = shape[d]
            if not -n <= i < n:
                raise IndexError(f"index {i} is out of bounds for dimension {place} with size {n}")
            key.append(i)
            d += 1
        elif isinstance(i, slice):
            key.append(i)
            advanced.append(None)
            d += 1
        else:
            n = _mask_dims(i)
            if i.dtype is dtypes.bool and tuple(i.shape) != shape[d : d + n]:
                raise IndexError(
                    f"The shape of the mask {list(i.shape)} at index 0 does not match the shape of the indexed tensor "
                    f"{list(shape)} at index {d}"
                )
            key.extend([_ALL] * n)
            advanced.append(i)
            d += n
    while advanced and advanced[-1] is None:
        advanced.pop()
    if not dots:
        key.append(...)
    return tuple(key), advanced or None


def _mask_dims(i: Tensor) -> int:
    """How many dimensions an index tensor consumes."""
    return len(i.shape) if i.dtype is dtypes.bool else 1


def _index_tensor(t: Tensor, values: Any) -> Tensor:
    return from_host(np.asarray(values, np.int64), dtypes.int64, t.device)


def _item(t: Tensor, i: Any) -> Any:
    """One item of an index: int, slice, None, Ellipsis, bool, or a tensor of int64 or bool with at least one
    dimension.
    """
    kind = type(i)
    if kind is int:
        if not -(1 << 63) <= i < 1 << 63:
            raise ValueError("Overflow when unpacking long long")
        return i
    if kind is bool or i is None or i is Ellipsis:
        return i
    if kind is slice:
        return _slice(i)
    if isinstance(i, Tensor):
        return _index_of(t, i)
    if isinstance(i, np.ndarray):
        if i.dtype == bool or i.dtype == np.uint8:
            array = i
        else:
            array = i.astype(np.int64)
        return _index_of(t, from_host(array.copy(), dtypes.BY_NAME[array.dtype.name], t.device))
    if isinstance(i, (list, tuple, range)):
        return _index_of(t, _from_sequence(t, i))
    if isinstance(i, (np.bool_, bool)):
        return bool(i)
    try:
        return operator.index(i)
    except TypeError:
        pass
    if isinstance(i, str):
        raise TypeError(f"new(): invalid data type 'str'; a tensor cannot be indexed with {i!r}")
    raise IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
        f"(got {kind.__name__})"
    )


def _from_sequence(t: Tensor, values: Any) -> Tensor:
    """An index tensor from (nested) Python sequences of integers, bools and tensors."""

    def plain(v: Any) -> Any:
        if isinstance(v, Tensor):
            return v.tolist()
        return [plain(x) for x in v] if isinstance(v, (list, tuple, range)) else v

    array = np.asarray(plain(values))
    if array.dtype != bool:
        array = array.astype(np.int64)
    return from_host(array, dtypes.BY_NAME[array.dtype.name], t.device)


def _slice(s: slice) -> slice:
    """The slice with plain integers; a step must be positive."""
    step = s.step
    if step is not None:
        step = _bound(step)
        if step == 0:
            raise ValueError("slice step cannot be zero")
        if step < 0:
            raise ValueError(f"step must be greater than zero, but it is {step}; flip() the tensor instead")
    return slice(None if s.start is None else _bound(s.start), None if s.stop is None else _bound(s.stop), step)


def _bound(value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError("slice indices must be integers or None or have an __index__ method") from None


def _index_of(t: Tensor, i: Tensor) -> Any:
    """An index tensor on t's device, int64 or bool; 0-d ones as int or bool."""
    dtype = i.dtype
    if dtype is dtypes.uint8:
        warn("indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.")
        i = i.to(dtypes.bool)
    elif dtype is not dtypes.int64 and dtype is not dtypes.bool:
        if i.ndim == 0 and dtype.category == dtypes.INT:
            return int(i.item())
        if dtype is not dtypes.int32:
            raise IndexError(
                f"tensors used as indices must be long, int, byte or bool tensors, but one is {dtype}; convert it "
                f"with .long()"
            )
        i = i.to(dtypes.int64)
    if not i._data.shape:
        return i.item()
    if i._kind.place is not t._kind.place:
        if i.device.type != "cpu":
            raise RuntimeError(
                f"indices should be either on cpu or on the same device as the indexed tensor ({t.device}); they are "
                f"on {i.device}. Move them with .to({str(t.device)!r})"
            )
        i = i.to(t.device)
    return i


# ---- advanced indexing -----------------------------------------------------------------------------------------------


def _advanced_shape(shape: tuple[int, ...], indices: Any) -> tuple[int, ...]:
    """The shape of an advanced indexing's result; raises for masks, whose count only the values tell."""
    found: list[tuple[int, ...]] = []
    at: list[int] = []
    for d, i in enumerate(indices):
        if i is None:
            continue
        if i.dtype is dtypes.bool:
            raise NotImplementedError(
                "the shape of an indexing with a mask depends on the mask's values; use where() instead"
            )
        found.append(tuple(i.shape))
        at.append(d)
    whole = np.broadcast_shapes(*found)
    rest = [n for d, n in enumerate(shape) if d not in at]
    first = at[0] if at == list(range(at[0], at[0] + len(at))) else 0
    return (*rest[:first], *whole, *rest[first:])


def _check_indices(input: Any, indices: Any) -> None:
    """Raise for index tensors that do not broadcast together, or that point into a dimension without elements."""
    if 0 in input.shape:
        d = 0
        for i in indices:
            if i is not None and i.dtype is not dtypes.bool and not input.shape[d] and 0 not in i.shape:
                raise IndexError("index is out of bounds for dimension with size 0")
            d += 1 if i is None else _mask_dims(i)
    shapes = [tuple(i.shape) for i in indices if i is not None and i.dtype is not dtypes.bool]
    if len(shapes) > 1:
        try:
            np.broadcast_shapes(*shapes)
        except ValueError:
            raise IndexError(
                "shape mismatch: indexing tensors could not be broadcast together with shapes "
                + ", ".join(str(list(s)) for s in shapes)
            ) from None


@primitive(
    "",
    name="index",
    args="input indices shape",
    tags="linear moves data-dependent",
    grad={"input": lambda g, indices, shape: g.new_zeros(shape).index_put_(indices, g, accumulate=True)},
    meta=lambda input, indices, shape: (_advanced_shape(input.shape, indices), input.dtype),
)
def index_op(input, indices):
    """The elements that index tensors (int64 or bool; None: the whole dimension) point at."""
    _check_indices(input, indices)
    return (input, list(indices), tuple(input.shape))


def _put_indices(input: Tensor, indices: Any, name: str) -> list[Any]:
    """The indices of index_put: tensors (or None) brought to int64 or bool."""
    if not isinstance(indices, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'indices' (position 1) must be tuple of Tensors, not {type(indices).__name__}"
        )
    found: list[Any] = []
    used = 0
    for i in indices:
        if i is None:
            found.append(None)
            used += 1
            continue
        if not isinstance(i, Tensor):
            raise TypeError(
                f"{name}(): argument 'indices' (position 1) must be tuple of Tensors, not tuple of {type(i).__name__}"
            )
        if not i._data.shape:
            i = i.reshape(1) if i.dtype is not dtypes.bool else i.reshape((1,) * max(1, i.ndim))
        i = _index_of(input, i)
        found.append(i)
        used += _mask_dims(i)
    if used > input.ndim:
        raise IndexError(f"too many indices for tensor of dimension {input.ndim} (got {used})")
    d = 0
    for i in found:
        n = 1 if i is None else _mask_dims(i)
        if i is not None and i.dtype is dtypes.bool and tuple(i.shape) != tuple(input.shape[d : d + n]):
            raise IndexError(
                f"The shape of the mask {list(i.shape)} at index 0 does not match the shape of the indexed tensor "
                f"{list(input.shape)} at index {d}"
            )
        d += n
    while found and found[-1] is None:
        found.pop()
    _check_indices(input, found)
    return found


@primitive(
    "torch.index_put Tensor.index_put",
    layout="like",
    args="input indices values accumulate",
    inplace="apart alike",
    grad={
        "input": lambda g, indices, accumulate: g if accumulate else g.index_put(indices, g.new_zeros(())),
        "values": lambda g, indices, values: _fitted(_placed(g, indices, values), values),
    },
    meta=lambda input, indices, values, accumulate: (input.shape, input.dtype),
    tags="linear",
)
def index_put(input, indices, values, accumulate=False):
    """The tensor with ``values`` at the places that ``indices`` point at, or added there with ``accumulate``.

    indices: a tuple of int64 or bool tensors (None: the whole dimension) as in ``input[indices]``.  values: of input's
    dtype, broadcast to the indexing's shape.  With repeated places and no accumulate it is not defined which value
    stays.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.index_put_.html

    >>> import torsh
    >>> x = torsh.zeros(3)
    >>> torsh.index_put(x, (torsh.tensor([0, 0, 2]),), torsh.tensor([1., 2., 3.]), accumulate=True)
    tensor([3., 0., 3.])
    """
    indices = _put_indices(input, indices, "index_put_")
    if not isinstance(values, Tensor):
        raise TypeError(f"index_put_(): argument 'values' (position 2) must be Tensor, not {type(values).__name__}")
    if values._kind is not input._kind:
        if values.dtype is not input.dtype:
            # PyTorch asks first whether the indices, masks among them, go together.
            plain: list[Any] = []
            for i in indices:
                plain.extend((i,) if i is None or i.dtype is not dtypes.bool else i.nonzero().unbind(1))
            _check_indices(input, plain)
            _check_values(input, plain, values)
            raise RuntimeError(
                f"Index put requires the source and destination dtypes match, got {dtypes.scalar_name(input.dtype)} "
                f"for the destination and {dtypes.scalar_name(values.dtype)} for the source. Convert the values with "
                f".to({input.dtype})"
            )
        if values.ndim == 0:
            values = values.to(input.device)
    _check_values(input, indices, values)
    return (input, indices, values, bool(accumulate))


def _check_values(input: Tensor, indices: list[Any], values: Tensor) -> None:
    """Raise where values cannot be broadcast to what the indices give (masks are left to the kernel)."""
    if any(i is not None and i.dtype is dtypes.bool for i in indices):
        return
    shape = _advanced_shape(input.shape, indices) if indices else tuple(input.shape)
    got = tuple(values.shape)
    if len(got) > len(shape) or any(a != b and a != 1 for a, b in zip(reversed(got), reversed(shape))):
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(got)} cannot be broadcast to indexing result of shape "
            f"{list(shape)}"
        )


def _placed(g: Tensor, indices: list[Any], values: Tensor) -> Tensor:
    """``g[indices]``, or that summed over the places of masks, whose number is not known on a lazy backend."""
    masks = [i for i in indices if i is not None and i.dtype is dtypes.bool]
    if not masks or g._kind.backend.capabilities.data_dependent_shapes:
        return index_op(g, indices)
    at, d = [], 0
    for i in indices:
        n = 1 if i is None else _mask_dims(i)
        at += [] if i is None else range(d, d + n)
        d += n
    first = at[0] if at == list(range(at[0], at[0] + len(at))) else 0
    behind = g.ndim - len(at) - first
    count = values.shape[values.ndim - behind - 1] if values.ndim > behind else 1
    if count == 1:  # one value for all places
        times = g.new_zeros(g.shape).index_put(indices, g.new_ones(()), True)
        total = (g * times).sum(at)
        return total.reshape((*total.shape[:first], 1, *total.shape[first:]))
    if all(i is None or i.dtype is dtypes.bool or i.numel() == 1 for i in indices):  # as many places as values
        found: list[Any] = []
        for i in indices:
            found += [i] if i is None or i.dtype is not dtypes.bool else nonzero_static(i, size=count).unbind(1)
        return index_op(g, found)
    return index_op(g, indices)


def _fitted(g: Tensor, values: Tensor) -> Tensor:
    """The gradient of values that were broadcast."""
    return g.sum_to_size(tuple(values.shape)) if tuple(g.shape) != tuple(values.shape) else g


# ---- assignment ------------------------------------------------------------------------------------------------------


def _writes_fast(kind: Kind, value: Any) -> bool:
    """Whether a Python number fits a kind's dtype for sure, so that the array library may convert it."""
    t = type(value)
    if kind.floating:
        return (t is float or t is int) and -240.0 <= value <= 240.0
    if kind.dtype.category == dtypes.INT:
        return t is int and 0 <= value <= 127
    return t is bool and kind.dtype is dtypes.bool


def __setitem__(self: Tensor, index: Any, value: Any) -> None:
    """``x[index] = value``: write a number or a tensor (broadcast, converted to x's dtype) where the index points."""
    t = type(self)
    if (t is Tensor or t is Parameter) and not state.busy and not (self._rg and thread.enabled):
        t = type(index)
        if type(self._vc) is InferenceVersion:
            check_writable(self, "__setitem__")
        if t is int:
            key: Any = (index, ...)
        elif t is tuple:
            key = _basic_key(index)
            if key is None and (plain := _plain_indices(self, index)) is not None:
                key = tuple([_ALL if i is None else i._data for i in plain])
        elif t is slice or index is None:
            key = index if index is None or index.step is None else _basic_key((index,))
            if index is None:
                key = (None, ...)
        elif t is Tensor:
            key = _plain_index(self, index)
            if key is None and not index._data.shape and self._data.shape and index._kind.dtype is dtypes.int64:
                key = (index.item(), ...)
        else:
            key = None
        kind = self._kind
        target = None
        if key is None and (t is list or t is tuple) and _mutable[kind]:
            mixed = _mixed(self, index if t is tuple else (index,))
            if mixed is not None and mixed[1] is not None:
                try:
                    target = self._data[mixed[0]]
                except IndexError:
                    pass  # the long way says what is wrong
                else:
                    key = tuple([_ALL if i is None else i._data for i in mixed[1]])
        if key is not None and _mutable[kind] and (self._base is None or not _shares_elements(self)):
            if type(value) in PLAIN:
                if (
                    value._kind is kind
                    and (value._vc is None or value._vc is not self._vc)
                    and not (value._rg and thread.enabled)
                ):
                    raw: Any = value._data
                else:
                    raw = None
            elif _writes_fast(kind, value):
                raw = value
            else:
                raw = None
            if raw is not None:
                try:
                    if target is None:
                        target = self._data
                    target[key] = raw
                except (IndexError, ValueError, RuntimeError, TypeError):
                    pass  # the long way says what is wrong
                else:
                    self._bump("__setitem__")
                    return
    if state.overrides and (handler := override_of((self, index, value), {})) is not None:
        handler(Tensor.__setitem__, (self, index, value), {})
        return
    _assign(self, index, value)


def _shares_elements(t: Tensor) -> bool:
    """Whether a view may show an element of memory several times: the long way looks what is written then."""
    backend, raw = t._kind.backend, t._data
    return not backend.contiguous(raw) and 0 in backend.strides(raw)


def _assign(self: Tensor, index: Any, value: Any) -> None:
    if not isinstance(value, Tensor):
        if isinstance(value, (np.generic,)) and value.ndim == 0:
            value = value.item()
        if not isinstance(value, (int, float, complex)):
            raise TypeError(
                f"can't assign a {type(value).__name__ if not isinstance(value, np.ndarray) else 'numpy.ndarray'} to a "
                f"{self.type()}; make a tensor of it first"
            )
    if type(value) is int and not -(1 << 63) <= value < 1 << 64:
        raise ValueError(f"Overflow when unpacking long long: the assigned integer has {value.bit_length()} bits")
    if index is False:
        return
    if index is True:  # a new dimension, whose values are copied
        index = None
    if self._rg and thread.enabled and self._base is None and self._gf is None and not hasattr(self, "_physical"):
        raise RuntimeError(
            "a view of a leaf Variable that requires grad is being used in an in-place operation. Write inside "
            "torch.no_grad(), or clone the leaf first"
        )
    view, advanced = _indexed(self, index)
    if advanced is None:
        if isinstance(value, Tensor):
            value = _without_ones(value, view.ndim)
            try:
                view.copy_(value)
            except RuntimeError:
                value.expand(tuple(view.shape))  # which says what is wrong where the shapes are
                raise
        else:
            check_overlap(view)
            view.fill_(value)
        return
    if (
        len([i for i in advanced if i is not None]) == 1
        and advanced[-1].dtype is dtypes.bool
        and (not isinstance(value, Tensor) or (value.numel() == 1 and value._kind.place is view._kind.place))
    ):
        mask = advanced[-1]
        mask = mask.reshape((*mask.shape, *(1,) * (view.ndim - mask.ndim - len(advanced) + 1)))
        if isinstance(value, Tensor):
            value = value.reshape(()).to(view.dtype)
        view.masked_fill_(mask, value)
        return
    if not isinstance(value, Tensor):
        from torsh.ops.creation import make_full

        value = make_full((), 0, view.dtype, view.device, False).fill_(value)
    elif value._kind.place is not view._kind.place and value.ndim == 0:
        value = value.to(view.device)
    view.index_put_(advanced, _leading_ones(value))


def _without_ones(value: Tensor, ndim: int) -> Tensor:
    """The value without leading dimensions of length 1 beyond what the target has."""
    return value.reshape(_strip(tuple(value.shape), ndim)) if value.ndim > ndim else value


def _strip(shape: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    while len(shape) > ndim and shape[0] == 1:
        shape = shape[1:]
    return shape


def _leading_ones(value: Tensor) -> Tensor:
    """The value without its leading dimensions of length 1."""
    shape = _strip(tuple(value.shape), 0)
    return value.reshape(shape) if len(shape) != value.ndim else value


Tensor.__getitem__ = __getitem__  # type: ignore[attr-defined, method-assign]
Tensor.__setitem__ = __setitem__  # type: ignore[attr-defined, method-assign]


# ---- where elements are ----------------------------------------------------------------------------------------------


def _no_meta(name: str) -> Any:
    raise NotImplementedError(
        f"the shape of {name}'s result depends on the values of its input, and a meta tensor has none"
    )


def _nonzero_out(outs: Any, kwargs: dict[str, Any]) -> None:
    if kwargs.get("as_tuple"):
        raise RuntimeError("nonzero does not support the out kwarg when as_tuple is True")
    for out in outs:
        if out.dtype is not dtypes.int64:
            raise RuntimeError(
                f"nonzero: Expected out tensor to have scalar type Long but got scalar type {dtypes.scalar_name(out.dtype)}"
            )


@primitive("torch.nonzero Tensor.nonzero", layout="columns", tags="data-dependent nondifferentiable", args="input", out=_nonzero_out,
           meta=lambda input: _no_meta("nonzero"))  # fmt: skip
def nonzero(input, *, as_tuple=False):
    """The indices of all elements that are not zero: an int64 tensor of shape (count, ndim), or one per dimension.

    as_tuple: one index tensor per dimension, ready for indexing. The size depends on the values, so lazy backends compute them.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nonzero.html

    >>> import torsh
    >>> x = torsh.tensor([[1, 0], [0, 2]])
    >>> torsh.nonzero(x)
    tensor([[0, 0],
            [1, 1]])
    >>> torsh.nonzero(x, as_tuple=True)  # one index tensor per dimension
    (tensor([0, 1]), tensor([0, 1]))
    """
    if not as_tuple:
        return (input,)
    return Ready(nonzero(input if input.ndim else input.reshape(1)).unbind(1))


@composite("torch.argwhere Tensor.argwhere", tags="data-dependent")
def argwhere(input):
    """The indices of all elements that are not zero, one row each.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.argwhere.html

    >>> import torsh
    >>> torsh.argwhere(torsh.tensor([[1, 0], [0, 2]]))
    tensor([[0, 0],
            [1, 1]])
    """
    return nonzero(input)


@composite("torch.nonzero_static Tensor.nonzero_static", tags="nondifferentiable", out="exact")
def nonzero_static(input, *, size, fill_value=-1):
    """The indices of the first ``size`` elements that are not zero, shape (size, ndim); ``fill_value`` in missing rows.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nonzero_static.html

    >>> import torsh
    >>> torsh.nonzero_static(torsh.tensor([0, 5, 6]), size=3)
    tensor([[ 1],
            [ 2],
            [-1]])
    """
    import torsh

    if size < 0:
        raise RuntimeError(f"nonzero_static: 'size' must be an non-negative integer, but got {size}")
    if has_values(input) and input._kind.backend.capabilities.data_dependent_shapes:
        found = nonzero(input)[:size]
        return torsh.cat([found, found.new_full((size - found.shape[0], found.shape[1]), fill_value)])
    if not input.numel():
        return torsh.full((size, input.ndim), fill_value, dtype=dtypes.int64, device=input.device)
    # Where values may not be looked at: a stable sort brings the elements that are not zero to the front.
    zero = (input == 0).reshape(-1)
    front = zero.sort(stable=True).indices[:size]
    front = torsh.cat([front, front.new_zeros(size - front.shape[0])])
    rows = torsh.stack(unravel_index(front, tuple(input.shape)), 1) if input.ndim else front.new_zeros(size, 0)
    there = torsh.arange(size, device=input.device) < zero.logical_not().sum()
    return rows.where(there.unsqueeze(1), rows.new_full((), fill_value))


@composite("torch.unravel_index", tags="nondifferentiable")
def unravel_index(indices, shape):
    """The coordinates, one int64 tensor per dimension of ``shape``, of flat indices into an array of that shape.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.unravel_index.html

    >>> import torsh
    >>> torsh.unravel_index(torsh.tensor([1, 5]), (2, 3))
    (tensor([0, 1]), tensor([1, 2]))
    """
    if indices.dtype is dtypes.bool or indices.dtype.is_floating_point or indices.dtype.is_complex:
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    if not isinstance(shape, (int, tuple, list)):
        raise TypeError(f"expected 'shape' to be int or sequence of ints, but got {type(shape)}")
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    for n in sizes:
        if not isinstance(n, int):
            raise TypeError(f"expected 'shape' sequence to only contain ints, but got {type(n)}")
    if any(n < 0 for n in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {sizes}")
    found, step = [], 1
    indices = indices.to(dtypes.int64)
    for n in reversed(sizes):
        found.append(indices.floor_divide(step) % n)
        step *= n
    return tuple(reversed(found))
