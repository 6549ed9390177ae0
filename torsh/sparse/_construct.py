"""Making sparse tensors from their members, and checking that the members belong together.

Source: https://docs.pytorch.org/docs/stable/generated/torch.sparse_coo_tensor.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from torsh import dtypes
from torsh.sparse._tensor import BLOCKS, COO, NAMES, ROWS, Pattern, SparseTensor, keys_of, with_values
from torsh.tensor import Tensor


class check_sparse_tensor_invariants:
    """Whether sparse tensors are checked when they are made: a switch, a context manager and a decorator.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.sparse.check_sparse_tensor_invariants.html

    >>> import torsh
    >>> with torsh.sparse.check_sparse_tensor_invariants():
    ...     print(torsh.sparse.check_sparse_tensor_invariants.is_enabled())
    True
    """

    _enabled = False

    def __init__(self, enable: bool = True) -> None:
        self.state = enable
        self.saved_state: bool | None = None

    @staticmethod
    def is_enabled() -> bool:
        """Whether members are checked."""
        return check_sparse_tensor_invariants._enabled

    @staticmethod
    def enable() -> None:
        """Check the members of every sparse tensor made from now on."""
        check_sparse_tensor_invariants._enabled = True

    @staticmethod
    def disable() -> None:
        """Check no longer."""
        check_sparse_tensor_invariants._enabled = False

    def __enter__(self) -> None:
        if self.saved_state is not None:
            raise RuntimeError(
                "This context manager instance is already activated. Use a different context manager instance for context nesting."
            )
        self.saved_state = self.is_enabled()
        check_sparse_tensor_invariants._enabled = self.state

    def __exit__(self, *exc: object) -> None:
        assert self.saved_state is not None
        check_sparse_tensor_invariants._enabled = self.saved_state
        self.saved_state = None

    def __call__(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(fn)
        def run(*args: Any, **kwargs: Any) -> Any:
            with type(self)(self.state):
                return fn(*args, **kwargs)

        return run


def member(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """An argument as a dense tensor: a tensor keeps its memory and its place in the graph."""
    if isinstance(data, Tensor):
        return (
            data
            if dtype is None and device is None
            else data.to(device=device or data.device, dtype=dtype or data.dtype)
        )
    from torsh.ops.data import tensor

    return tensor(data, dtype=dtype, device=device)


def finish(t: SparseTensor, requires_grad: bool) -> SparseTensor:
    """Make a leaf of it, where that was asked for."""
    if requires_grad:
        t = t.detach()  # type: ignore[assignment]
        t.requires_grad_()
    return t


def coo(
    indices: Any,
    values: Any,
    size: Any,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
    is_coalesced: bool | None = None,
) -> SparseTensor:
    """A COO tensor from its indices (sparse dimensions, entries) and values (entries, *dense dimensions)."""
    values = member(values, dtype, device)
    if not isinstance(indices, Tensor) or device is not None or indices.device != values.device:
        indices = member(indices, dtypes.int64, values.device)
    indices = indices.detach()
    if indices.dtype is not dtypes.int64:
        indices = indices.to(dtypes.int64)
    if indices.ndim != 2:
        raise RuntimeError(f"indices must be sparse_dim x nnz, but got: {list(indices.shape)}")
    if not values.ndim:
        values = values.reshape(1)
    rank, nnz = indices.shape
    if values.shape[0] != nnz:
        raise RuntimeError(
            f"indices and values must have same nnz, but got nnz from indices: {nnz}, nnz from values: {values.shape[0]}"
        )
    if size is None:
        low = indices.amin(1).tolist() if nnz else []
        for d, n in enumerate(low):
            if n < 0:
                raise RuntimeError(f"found negative index {n} for dim {d}")
        size = [*([n + 1 for n in indices.amax(1).tolist()] if nnz else [0] * rank), *values.shape[1:]]
    size = tuple(int(n) for n in size)
    inner = values.ndim - 1
    if len(size) != rank + inner:
        raise RuntimeError(
            f"'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = {len(size)}, sparse_dim = {rank}, dense_dim = "
            f"{inner}"
        )
    if tuple(values.shape)[1:] != size[rank:]:
        raise RuntimeError(f"values has incorrect size, expected {[nnz, *size[rank:]]}, got {list(values.shape)}")
    checked = check_sparse_tensor_invariants.is_enabled() if check_invariants is None else check_invariants
    if checked and nnz:
        for d, (low, high) in enumerate(zip(indices.amin(1).tolist(), indices.amax(1).tolist())):
            if low < 0:
                raise RuntimeError(f"found negative index {low} for dim {d}")
            if high >= size[d]:
                raise RuntimeError(
                    f"size is inconsistent with indices: for dim {d}, size is {size[d]} but found index {high}"
                )
        if is_coalesced and nnz > 1:
            keys = keys_of(indices, size[:rank])
            if bool((keys[1:] <= keys[:-1]).any()):
                raise RuntimeError("cannot set is_coalesced to true if indices correspond to uncoalesced COO tensor")
    known = (nnz < 2) if is_coalesced is None else bool(is_coalesced)
    return finish(with_values(Pattern(COO, size, indices, coalesced=known), values), requires_grad)


def empty_coo(size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> SparseTensor:
    """A COO tensor without entries."""
    from torsh.ops.creation import zeros

    size = tuple(int(n) for n in size)
    indices = zeros((len(size), 0), dtype=dtypes.int64, device=device)
    t = with_values(Pattern(COO, size, indices, coalesced=True), zeros((0,), dtype=dtype, device=device))
    return finish(t, requires_grad)


def empty_compressed(size: Any, layout: Any, dtype: Any = None, device: Any = None, block: Any = None) -> SparseTensor:
    """A tensor of a compressed layout without entries."""
    from torsh.ops.creation import zeros

    size = tuple(int(n) for n in size)
    if len(size) < 2:
        raise RuntimeError(
            f"torch.empty: Only batched sparse compressed (non-block) tensors are supported, but got size {list(size)}"
        )
    batch = size[:-2]
    lines = size[-2] if layout in ROWS else size[-1]
    compressed = zeros((*batch, lines + 1), dtype=dtypes.int64, device=device)
    plain = zeros((*batch, 0), dtype=dtypes.int64, device=device)
    return with_values(
        Pattern(layout, size, compressed=compressed, plain=plain), zeros((*batch, 0), dtype=dtype, device=device)
    )


def empty(size: Any, layout: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> SparseTensor:
    """A tensor of a sparse layout without entries."""
    if layout is COO:
        return empty_coo(size, dtype, device, requires_grad)
    return finish(empty_compressed(size, layout, dtype, device), requires_grad)


def compressed(
    layout: Any,
    first: Any,
    second: Any,
    values: Any,
    size: Any = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
    name: str = "sparse_compressed_tensor",
) -> SparseTensor:
    """A tensor of a compressed layout from its compressed indices, plain indices and values."""
    if layout is None or layout is COO or layout not in NAMES or layout.name == "strided":
        found = "none" if layout is None else NAMES.get(layout, layout)
        raise RuntimeError(f"{name} expected sparse compressed tensor layout but got {found}")
    values = member(values, dtype, device)
    first, second = (
        x.detach()
        if isinstance(x, Tensor) and device is None
        else member(x, None if isinstance(x, Tensor) else dtypes.int64, values.device)
        for x in (first, second)
    )
    by_rows = layout in ROWS
    names = ("crow_indices", "col_indices") if by_rows else ("ccol_indices", "row_indices")
    batch = tuple(first.shape)[:-1]
    at = len(batch)
    block = tuple(values.shape)[at + 1 : at + 3] if layout in BLOCKS else None
    if first.ndim < 1 or second.ndim != first.ndim:
        raise RuntimeError(
            f"{names[0]} and {names[1]} dimensionalities must be equal but got {first.ndim} and {second.ndim}, respectively"
        )
    if values.ndim < at + (3 if block is not None else 1):
        raise RuntimeError(
            f"values must have dimensionality > sum of batch and block dimensionalities (={at} + {2 * (layout in BLOCKS)}), but "
            f"got {values.ndim}"
        )
    if size is None:
        lines = first.shape[-1] - 1
        others = int(second.max()) + 1 if second.numel() else 0
        if block is not None:
            lines, others = lines * block[1 - by_rows], others * block[by_rows]
        inner = tuple(values.shape)[at + (3 if block is not None else 1) :]
        size = (*batch, *((lines, others) if by_rows else (others, lines)), *inner)
    pattern = Pattern(layout, size, compressed=first, plain=second, block=block)  # type: ignore[arg-type]
    if check_sparse_tensor_invariants.is_enabled() if check_invariants is None else check_invariants:
        check_compressed(pattern, values, names)
    return finish(with_values(pattern, values, "SparseCompressedTensorBackward0"), requires_grad)


def check_compressed(p: Pattern, values: Tensor, names: tuple[str, str]) -> None:
    """Raise for members that do not make a tensor of a compressed layout."""
    first, second = p.compressed, p.plain
    assert first is not None and second is not None
    nnz = values.shape[len(p.batch)]
    if second.shape[-1] != nnz:
        raise RuntimeError(
            f"{names[1]}.shape[-1] must be equal to nnz (={nnz}) as defined by values.shape[{len(p.batch)}], but got "
            f"{second.shape[-1]}"
        )
    if first.dtype is not second.dtype:
        raise RuntimeError(
            f"{names[0]} and {names[1]} must have the same dtype, bot got {dtypes.scalar_name(first.dtype)} and "
            f"{dtypes.scalar_name(second.dtype)}, respectively"
        )
    by_rows = p.layout in ROWS
    lines, others = p.grid if by_rows else p.grid[::-1]
    line_name, other_name = ("rows", "cols") if by_rows else ("cols", "rows")
    if first.shape[-1] != lines + 1:
        what = {"rows": "rows", "cols": "columns"}[line_name]
        raise RuntimeError(
            f"{names[0]}.shape[-1] must be equal to the number of {what} + 1 (={lines + 1}), but got {first.shape[-1]}"
        )
    if bool((first[..., 0] != 0).any()):
        raise RuntimeError(f"`{names[0]}[..., 0] == 0` is not satisfied.")
    if bool((first[..., -1] != nnz).any()):
        raise RuntimeError(f"`{names[0]}[..., -1] == nnz` is not satisfied.")
    steps = first[..., 1:] - first[..., :-1]
    if bool(((steps < 0) | (steps > others)).any()):
        raise RuntimeError(f"`0 <= {names[0]}[..., 1:] - {names[0]}[..., :-1] <= n{other_name}` is not satisfied.")
    if second.numel() and bool(((second < 0) | (second >= others)).any()):
        raise RuntimeError(f"`0 <= {names[1]} < n{other_name}` is not satisfied.")
    b, r, c = p.places()
    keys = (b * lines + (r if by_rows else c)) * others + (c if by_rows else r)
    if bool((keys[1:] <= keys[:-1]).any()):
        raise RuntimeError(
            f"`{names[1]}[..., {names[0]}[..., i - 1]:{names[0]}[..., i]] for all i = 1, ..., n{line_name} are sorted and distinct "
            "along the last dimension values` is not satisfied."
        )


__all__ = ["check_sparse_tensor_invariants", "compressed", "coo", "empty", "empty_compressed", "empty_coo"]
