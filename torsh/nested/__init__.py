"""Nested tensors: batches of tensors whose shapes differ.

Source: https://docs.pytorch.org/docs/stable/nested.html
"""

from __future__ import annotations

import itertools
from typing import Any

from torsh.memory_format import jagged as _jagged
from torsh.memory_format import strided as _strided
from torsh.nested._tensor import NestedTensor, Structure, packed, parts_of, raw, with_values
from torsh.tensor import Tensor

__all__ = [
    "as_nested_tensor",
    "masked_select",
    "narrow",
    "nested_tensor",
    "nested_tensor_from_jagged",
    "to_padded_tensor",
]


def _structure(parts: list[Tensor], layout: Any) -> Structure:
    """How given components lie in a layout (None: ``strided``)."""
    layout = _strided if layout is None else layout
    if layout is not _strided and layout is not _jagged:
        raise RuntimeError(f"Specified layout is unsupported for nested tensors: {layout}")
    shapes = [tuple(p.shape) for p in parts]
    for i, s in enumerate(shapes[1:], 1):
        if len(s) != len(shapes[i - 1]):
            raise RuntimeError(
                f"All Tensors given to nested_tensor must have the same dimension. Found dimension {len(s)} for Tensor at index {i} "
                f"and dimension {len(shapes[i - 1])} for Tensor at index {i - 1}."
            )
    if layout is _strided:
        return Structure(shapes, layout)
    if not parts:
        raise RuntimeError("Cannot construct a nested tensor from an empty tensor list")
    if not shapes[0]:
        raise RuntimeError("Cannot construct a nested tensor from a list of zero-dim tensors")
    differing = [d for d in range(len(shapes[0])) if len({s[d] for s in shapes}) > 1]
    if len(differing) > 1:
        raise RuntimeError(
            "Cannot represent given tensor list as a nested tensor with the jagged layout. Note that the jagged layout only "
            f"represents shapes of the form (B, *_0, *_1, ..., *_P, D_0, D_1, ..., D_N), with exactly one ragged dimension; got {shapes}"
        )
    return Structure(shapes, layout, 1 + (differing[0] if differing else 0))


def nested_tensor(
    tensor_list: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A new nested tensor, a leaf of the graph, of copies of a list's tensors (or of what tensors can be made of).

    layout: ``torch.strided`` (the default) or ``torch.jagged``, for components that differ in one dimension only.
    Raises TypeError for anything but a list, RuntimeError for components of different numbers of dimensions.
    Source: https://docs.pytorch.org/docs/stable/nested.html#torch.nested.nested_tensor

    >>> import torsh
    >>> x = torsh.nested.nested_tensor([torsh.ones(2, 3), torsh.zeros(1, 3)], layout=torsh.jagged)
    >>> x.offsets()
    tensor([0, 2, 3])
    """
    import torsh

    if not isinstance(tensor_list, (list, tuple)):
        raise TypeError(
            f"Only lists (List[Tensor]) or tuples are accepted in nested_tensor, got {type(tensor_list).__name__}"
        )
    with torsh.no_grad():
        parts = [t.detach() if isinstance(t, Tensor) else torsh.tensor(t) for t in tensor_list]
        kind = dtype or (parts[0].dtype if parts else torsh.get_default_dtype())
        parts = [p.to(dtype=kind, device=device) for p in parts]
        found = (
            packed(parts, _structure(parts, layout))
            if parts or layout is _jagged
            else raw(torsh.empty(0, dtype=kind, device=device), Structure([], _strided))
        )
        if not parts:
            _structure(parts, layout)
        elif len(parts) == 1:  # joining one part may give its own memory
            found = with_values(found.values().clone(), found._structure)  # type: ignore[attr-defined]
    found.requires_grad = requires_grad
    return found


def as_nested_tensor(ts: Any, dtype: Any = None, device: Any = None, layout: Any = None) -> Tensor:
    """A nested tensor of tensors, part of the graph they are in; of one tensor, its rows are the components.

    Source: https://docs.pytorch.org/docs/stable/nested.html#torch.nested.as_nested_tensor

    >>> import torsh
    >>> x = torsh.nested.as_nested_tensor([torsh.ones(2), torsh.ones(3)])
    >>> [part.shape for part in x.unbind()]
    [torsh.Size([2]), torsh.Size([3])]
    """
    if isinstance(ts, NestedTensor):
        return ts.to(dtype=dtype, device=device)  # type: ignore[no-any-return]
    if isinstance(ts, Tensor):
        if ts.ndim < 2:
            raise RuntimeError("as_nested_tensor(): Expected tensor argument to have dim() > 1")
        ts = list(ts.unbind())
    if not isinstance(ts, (list, tuple)) or not all(isinstance(t, Tensor) for t in ts):
        raise TypeError("as_nested_tensor(): Expected first argument to be a tensor or a list / tuple of tensors")
    parts = [t if dtype is None and device is None else t.to(dtype=dtype, device=device) for t in ts]
    return packed(parts, _structure(parts, layout))


def to_padded_tensor(input: Any, padding: float, output_size: Any = None, out: Any = None) -> Tensor:
    """A dense tensor of all components, filled up with ``padding`` to the largest length of each dimension.

    output_size: larger lengths, the batch's first.  Source: https://docs.pytorch.org/docs/stable/nested.html

    >>> import torsh
    >>> x = torsh.nested.nested_tensor([torsh.tensor([1.0, 2.0]), torsh.tensor([3.0])])
    >>> torsh.nested.to_padded_tensor(x, 0.0)
    tensor([[1., 2.],
            [3., 0.]])
    """
    import torsh

    if not isinstance(input, NestedTensor):
        raise NotImplementedError(
            "Could not run 'aten::to_padded_tensor' with arguments from the 'CPU' backend. It takes a nested tensor"
        )
    parts = parts_of(input)
    if not parts:
        return torsh.empty(0)  # type: ignore[no-any-return]
    size = [max(p.shape[d] for p in parts) for d in range(parts[0].ndim)]
    if output_size is not None:
        wanted = list(output_size)[1:]
        if len(wanted) != len(size) or any(isinstance(w, int) and w < n for w, n in zip(wanted, size)):
            raise RuntimeError(
                "Value in output_size is less than NestedTensor padded size. Truncation is not supported."
            )
        size = [w if isinstance(w, int) else n for w, n in zip(wanted, size)]
    full = []
    for p in parts:
        widths = [w for n, have in zip(reversed(size), reversed(tuple(p.shape))) for w in (0, n - have)]
        full.append(torsh.nn.functional.pad(p, widths, value=padding) if any(widths) else p)
    found = torsh.stack(full)
    return found if out is None else out.copy_(found)  # type: ignore[no-any-return]


def narrow(tensor: Any, dim: int, start: Any, length: Any, layout: Any = _strided) -> Tensor:
    """Positions ``start`` to ``start + length`` of ``dim`` 1 of every row of a dense tensor, as a nested tensor.

    start, length: a number, or a tensor with one for every row (layout ``torch.jagged`` only).
    Source: https://docs.pytorch.org/docs/stable/nested.html#torch.nested.narrow

    >>> import torsh
    >>> x = torsh.tensor([[1, 2, 3], [4, 5, 6]])
    >>> found = torsh.nested.narrow(x, 1, torsh.tensor([0, 1]), torsh.tensor([1, 2]), layout=torsh.jagged)
    >>> [part.tolist() for part in found.unbind()]
    [[1], [5, 6]]
    """
    import torsh

    if layout is _strided:
        if not isinstance(start, int) or not isinstance(length, int):
            raise RuntimeError("start and length must be integers for the strided layout NT impl")
        return as_nested_tensor([row.narrow(dim - 1, start, length) for row in torsh.unbind(tensor)], layout=_strided)
    if layout is not _jagged:
        raise RuntimeError(f"Specified layout is unsupported for nested narrow: {layout}")
    if dim != 1:
        raise RuntimeError("jagged layout only supports dim=1")
    n = tensor.shape[0]
    starts = start.tolist() if isinstance(start, Tensor) else [start] * n
    lengths = length.tolist() if isinstance(length, Tensor) else [length] * n
    parts = [row.narrow(0, s, k) for row, s, k in zip(tensor.unbind(), starts, lengths)]
    return packed(parts, Structure([p.shape for p in parts], _jagged, 1))


def nested_tensor_from_jagged(
    values: Any,
    offsets: Any = None,
    lengths: Any = None,
    jagged_dim: int | None = None,
    min_seqlen: int | None = None,
    max_seqlen: int | None = None,
) -> Tensor:
    """Values with offsets (or lengths) of the components as a jagged nested tensor, in the values' memory and graph.

    values: components joined along dimension ``jagged_dim - 1`` (default: the first).  With both offsets and lengths,
    components begin at the offsets, and what lies between them is copied away.
    Source: https://docs.pytorch.org/docs/stable/nested.html#torch.nested.nested_tensor_from_jagged

    >>> import torsh
    >>> x = torsh.nested.nested_tensor_from_jagged(torsh.arange(4), offsets=torsh.tensor([0, 1, 4]))
    >>> [part.tolist() for part in x.unbind()]
    [[0], [1, 2, 3]]
    """
    import torsh

    if offsets is None and lengths is None:
        raise RuntimeError("nested_tensor_from_jagged(): At least one of offsets or lengths is required.")
    ragged = 1 if jagged_dim is None else jagged_dim
    if offsets is None:
        offsets = torsh.cat([lengths.new_zeros(1), lengths.cumsum(0)])
    ends = offsets.tolist()
    counts = [b - a for a, b in itertools.pairwise(ends)]
    if lengths is not None and lengths.tolist() != counts:
        parts = [values.narrow(ragged - 1, a, n) for a, n in zip(ends, lengths.tolist())]
        return packed(parts, Structure([p.shape for p in parts], _jagged, ragged))
    shape = tuple(values.shape)
    shapes = [(*shape[: ragged - 1], n, *shape[ragged:]) for n in counts]
    return with_values(values, Structure(shapes, _jagged, ragged, offsets))


def masked_select(tensor: Any, mask: Any) -> Tensor:
    """The elements of every row that a boolean mask (broadcast to the tensor) selects, as a jagged nested tensor.

    Source: https://docs.pytorch.org/docs/stable/nested.html#torch.nested.masked_select

    >>> import torsh
    >>> x = torsh.nested.masked_select(torsh.tensor([[1, 2], [3, 4]]), torsh.tensor([[True, False], [True, True]]))
    >>> [part.tolist() for part in x.unbind()]
    [[1], [3, 4]]
    """
    import torsh

    if tensor.layout is not _strided:
        raise RuntimeError(f"torch.nested.masked_select requires a strided tensor, given {tensor.layout}")
    if mask.layout is not _strided:
        raise RuntimeError(f"torch.nested.masked_select requires a strided mask, given: {mask.layout}")
    tensor, mask = torsh.broadcast_tensors(tensor, mask)
    parts = [row[m] for row, m in zip(tensor.unbind(), mask.unbind())]
    return packed(parts, Structure([p.shape for p in parts], _jagged, 1))
