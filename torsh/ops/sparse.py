"""Sparse tensors' functions and methods.  What they do is in ``torsh.sparse``, which is loaded when the first is called.

Source: https://docs.pytorch.org/docs/stable/sparse.html
"""

from __future__ import annotations

from typing import Any

from torsh import memory_format
from torsh.ops._args import check_tensor
from torsh.ops._op import composite

_ROWS = (memory_format.sparse_csr, memory_format.sparse_bsr)
_COLUMNS = (memory_format.sparse_csc, memory_format.sparse_bsc)
_LAYOUT_NAMES = {
    memory_format.strided: "Strided", memory_format.sparse_coo: "Sparse", memory_format.sparse_csr: "SparseCsr",
    memory_format.sparse_csc: "SparseCsc", memory_format.sparse_bsr: "SparseBsr", memory_format.sparse_bsc: "SparseBsc",
}  # fmt: skip


# ---- making them -------------------------------------------------------------------------------------------------------


@composite("torch.sparse_coo_tensor")
def sparse_coo_tensor(
    indices=None,
    values=None,
    size=None,
    *,
    dtype=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
    check_invariants=None,
    is_coalesced=None,
):
    """A COO tensor.  Forms: ``(indices, values)``, ``(indices, values, size)`` and ``(size)``, which has no entries.

    indices: (sparse dimensions, entries).  values: (entries, *dense dimensions); what is given twice for a place counts
    as the sum.  size: default: just large enough.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.sparse_coo_tensor.html

    >>> import torsh
    >>> x = torsh.sparse_coo_tensor([[0, 1], [2, 0]], [3., 4.], (2, 3))
    >>> x.to_dense()
    tensor([[0., 0., 3.],
            [4., 0., 0.]])
    """
    from torsh.sparse import _construct

    if values is None:
        return _construct.empty_coo(indices if size is None else size, dtype, device, requires_grad)
    return _construct.coo(indices, values, size, dtype, device, requires_grad, check_invariants, is_coalesced)


@composite("torch.sparse_compressed_tensor")
def sparse_compressed_tensor(
    compressed_indices,
    plain_indices,
    values,
    size=None,
    *,
    dtype=None,
    layout=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
    check_invariants=None,
):
    """A tensor of the layout CSR, CSC, BSR or BSC from its compressed and plain indices and its values.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.sparse_compressed_tensor.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # PyTorch warns that these layouts are in beta
    >>> x = torsh.sparse_compressed_tensor([0, 1, 2], [1, 0], [3., 4.], (2, 2), layout=torsh.sparse_csr)
    >>> x.to_dense()
    tensor([[0., 3.],
            [4., 0.]])
    """
    from torsh.sparse import _construct

    return _construct.compressed(
        layout, compressed_indices, plain_indices, values, size, dtype, device, requires_grad, check_invariants
    )


def _compressed(name: str, layout: Any, first: str, second: str, entries: str) -> None:
    given = "[[[3.]], [[3.]]]" if name.startswith("sparse_bs") else "[3., 3.]"
    example = (
        ">>> import warnings\n>>> warnings.simplefilter('ignore')  # PyTorch warns that these layouts are in beta\n"
        f">>> import torsh\n>>> torsh.{name}([0, 1, 2], [1, 0], {given}, (2, 2)).to_dense()\n"
        "tensor([[0., 3.],\n        [3., 0.]])\n"
    )

    def build(
        compressed_indices,
        plain_indices,
        values,
        size=None,
        *,
        dtype=None,
        layout=layout,
        device=None,
        pin_memory=False,
        requires_grad=False,
        check_invariants=None,
    ):
        from torsh.sparse import _construct

        return _construct.compressed(
            layout,
            compressed_indices,
            plain_indices,
            values,
            size,
            dtype,
            device,
            requires_grad,
            check_invariants,
            name,
        )

    def public(*args, **kwargs):
        for given, own in ((first, "compressed_indices"), (second, "plain_indices")):
            if given in kwargs:
                kwargs[own] = kwargs.pop(given)
        return build(*args, **kwargs)

    public.__name__ = public.__qualname__ = name
    public.__doc__ = (
        f"A tensor of layout {layout.name}: ``({first}, {second}, values, size=None)``, where {entries}.\n\n"
        f"Source: https://docs.pytorch.org/docs/stable/generated/torch.{name}.html\n\n{example}"
    )
    composite(f"torch.{name}")(public)


_compressed(
    "sparse_csr_tensor", memory_format.sparse_csr, "crow_indices", "col_indices", "values holds single elements"
)
_compressed(
    "sparse_csc_tensor", memory_format.sparse_csc, "ccol_indices", "row_indices", "values holds single elements"
)
_compressed("sparse_bsr_tensor", memory_format.sparse_bsr, "crow_indices", "col_indices", "values holds blocks")
_compressed("sparse_bsc_tensor", memory_format.sparse_bsc, "ccol_indices", "row_indices", "values holds blocks")


@composite("torch._validate_sparse_coo_tensor_args")
def _validate_sparse_coo_tensor_args(indices, values, size, is_coalesced=None, check_pinning=None):
    """Raise for members that do not make a COO tensor.  check_pinning: nothing here is pinned."""
    from torsh.sparse import _construct

    _construct.coo(indices, values, size, check_invariants=True, is_coalesced=is_coalesced)


@composite("torch._validate_sparse_compressed_tensor_args")
def _validate_sparse_compressed_tensor_args(
    compressed_indices, plain_indices, values, size, layout, check_pinning=None
):
    """Raise for members that do not make a tensor of a compressed layout."""
    from torsh.sparse import _construct

    name = "_validate_sparse_compressed_tensor_args"
    _construct.compressed(layout, compressed_indices, plain_indices, values, size, check_invariants=True, name=name)


# ---- conversions -------------------------------------------------------------------------------------------------------


@composite("Tensor.to_sparse Tensor._to_sparse", tags="data-dependent")
def to_sparse(self, sparse_dim=None, *, layout=None, blocksize=None, dense_dim=None, sparseDims=None):
    """The tensor in a sparse layout: COO with the first ``sparse_dim`` dimensions sparse, or the layout named.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.to_sparse.html

    >>> import torsh
    >>> torsh.tensor([[0., 2.], [0., 0.]]).to_sparse()
    tensor(indices=tensor([[0],
                           [1]]),
           values=tensor([2.]),
           size=(2, 2), nnz=1, layout=torsh.sparse_coo)
    """
    from torsh.sparse._convert import convert

    return convert(self, sparse_dim if sparse_dim is not None else sparseDims, layout, blocksize, dense_dim)


@composite("Tensor.to_sparse_coo", tags="data-dependent")
def to_sparse_coo(self):
    """The tensor in the COO layout.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.to_sparse_coo.html

    >>> import torsh
    >>> torsh.tensor([[0., 2.], [0., 0.]]).to_sparse_coo().indices()
    tensor([[0],
            [1]])
    """
    return to_sparse(self)


@composite("Tensor.to_sparse_csr Tensor._to_sparse_csr", tags="data-dependent")
def to_sparse_csr(self, dense_dim=None):
    """The tensor with compressed rows.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.to_sparse_csr.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # PyTorch warns that these layouts are in beta
    >>> torsh.eye(2).to_sparse_csr().crow_indices()
    tensor([0, 1, 2])
    """
    return to_sparse(self, layout=memory_format.sparse_csr, dense_dim=dense_dim)


@composite("Tensor.to_sparse_csc Tensor._to_sparse_csc", tags="data-dependent")
def to_sparse_csc(self, dense_dim=None):
    """The tensor with compressed columns.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.to_sparse_csc.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # PyTorch warns that these layouts are in beta
    >>> torsh.eye(2).to_sparse_csc().ccol_indices()
    tensor([0, 1, 2])
    """
    return to_sparse(self, layout=memory_format.sparse_csc, dense_dim=dense_dim)


@composite("Tensor.to_sparse_bsr Tensor._to_sparse_bsr", tags="data-dependent")
def to_sparse_bsr(self, blocksize, dense_dim=None):
    """The tensor in blocks with compressed rows.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.to_sparse_bsr.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # PyTorch warns that these layouts are in beta
    >>> torsh.eye(4).to_sparse_bsr((2, 2)).values().shape
    torsh.Size([2, 2, 2])
    """
    return to_sparse(self, layout=memory_format.sparse_bsr, blocksize=blocksize, dense_dim=dense_dim)


@composite("Tensor.to_sparse_bsc Tensor._to_sparse_bsc", tags="data-dependent")
def to_sparse_bsc(self, blocksize, dense_dim=None):
    """The tensor in blocks with compressed columns.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.to_sparse_bsc.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # PyTorch warns that these layouts are in beta
    >>> torsh.eye(4).to_sparse_bsc((2, 2)).values().shape
    torsh.Size([2, 2, 2])
    """
    return to_sparse(self, layout=memory_format.sparse_bsc, blocksize=blocksize, dense_dim=dense_dim)


@composite("Tensor.to_dense Tensor._to_dense", name="to_dense")
def to_dense(self, dtype=None, *, masked_grad=None):
    """The tensor with all its elements in memory; a dense tensor as it is.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.to_dense.html

    >>> import torsh
    >>> torsh.eye(2).to_sparse().to_dense()
    tensor([[1., 0.],
            [0., 1.]])
    """
    if self.layout is memory_format.strided:
        return self if dtype is None else self.to(dtype)
    from torsh.sparse._rules import rename
    from torsh.sparse._tensor import dense, dense_unmasked

    if dtype is not None:
        raise RuntimeError("dtype argument is not supported by sparse_to_dense")
    if masked_grad is False:
        from torsh.sparse._convert import to_layout

        p = self._pattern
        return dense_unmasked(
            self, "ToDenseBackward0", lambda g: to_layout(g, p.layout, p.block, len(p.dense_shape), p.sparse_dims)
        )
    out = dense(self)
    rename(out, "ToDenseBackward0")
    return out


# ---- members -----------------------------------------------------------------------------------------------------------


def _expect(self: Any, name: str, layouts: Any, what: str) -> None:
    if self.layout not in layouts:
        raise RuntimeError(f"{name} expected {what} layout but got {_LAYOUT_NAMES[self.layout]}")


@composite("Tensor.indices")
def indices(self):
    """Where the entries of a coalesced COO tensor are: (sparse dimensions, entries).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.indices.html

    >>> import torsh
    >>> torsh.tensor([0, 5, 6]).to_sparse().indices()
    tensor([[1, 2]])
    """
    _expect(self, "indices", (memory_format.sparse_coo,), "sparse coordinate tensor")
    if not self._pattern.coalesced:
        raise RuntimeError("Cannot get indices on an uncoalesced tensor, please call .coalesce() first")
    return self._pattern.indices.detach()


@composite("Tensor.values")
def values(self):
    """The values of the entries of a sparse tensor (of a coalesced one, if it is COO).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.values.html

    >>> import torsh
    >>> torsh.tensor([0, 5, 6]).to_sparse().values()
    tensor([5, 6])
    """
    _expect(self, "values", (memory_format.sparse_coo, *_ROWS, *_COLUMNS), "sparse tensor")
    if self.layout is memory_format.sparse_coo and not self._pattern.coalesced:
        raise RuntimeError("Cannot get values on an uncoalesced tensor, please call .coalesce() first")
    from torsh.sparse._tensor import values_of

    return values_of(self)


def _sparse_only(self: Any, name: str, layouts: Any = (memory_format.sparse_coo,)) -> None:
    if self.layout not in layouts:
        raise NotImplementedError(
            f"Could not run 'aten::{name}' with arguments from the 'CPU' backend: a tensor of layout {self.layout} has none; make "
            "it sparse with .to_sparse() first"
        )


@composite("Tensor._indices", name="_sparse_indices")
def _indices(self):
    """``indices`` without asking whether the tensor is coalesced."""
    _sparse_only(self, "_indices")
    return self._pattern.indices.detach()


@composite("Tensor._values", name="_sparse_values")
def _values(self):
    """``values`` without asking whether the tensor is coalesced, outside the graph."""
    _sparse_only(self, "_values")
    return self._stored.detach()


@composite("Tensor._nnz", name="_sparse_nnz")
def _nnz(self):
    """The number of entries."""
    _sparse_only(self, "_nnz", (memory_format.sparse_coo, *_ROWS, *_COLUMNS))
    return self._pattern.nnz


def _member(name: str, attribute: str, layouts: Any, what: str) -> None:
    def get(self):
        _expect(self, name, layouts, f"sparse {what} compressed tensor")
        return getattr(self._pattern, attribute).detach()

    get.__name__ = get.__qualname__ = name
    get.__doc__ = (
        f"``{name}`` of a tensor with compressed {what}s.\n\n"
        f"Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.{name}.html\n\n"
        ">>> import warnings\n>>> warnings.simplefilter('ignore')  # PyTorch warns that these layouts are in beta\n"
        f">>> import torsh\n>>> torsh.eye(2).to_sparse_{'csr' if what == 'row' else 'csc'}().{name}()\n"
        f"tensor([{'0, 1, 2' if attribute == 'compressed' else '0, 1'}])\n"
    )
    composite(f"Tensor.{name}")(get)


_member("crow_indices", "compressed", _ROWS, "row")
_member("col_indices", "plain", _ROWS, "row")
_member("ccol_indices", "compressed", _COLUMNS, "column")
_member("row_indices", "plain", _COLUMNS, "column")


@composite("Tensor.sparse_dim Tensor._dimI")
def sparse_dim(self):
    """How many dimensions are sparse; 0 for a dense tensor.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.sparse_dim.html

    >>> import torsh
    >>> torsh.eye(2).to_sparse().sparse_dim()
    2
    """
    return 0 if self.layout is memory_format.strided else self._pattern.sparse_dims


@composite("Tensor.dense_dim Tensor._dimV")
def dense_dim(self):
    """How many trailing dimensions are dense; all of a dense tensor.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.dense_dim.html

    >>> import torsh
    >>> torsh.eye(2).to_sparse(1).dense_dim()
    1
    """
    return self.ndim if self.layout is memory_format.strided else len(self._pattern.dense_shape)


@composite("Tensor.is_coalesced")
def is_coalesced(self):
    """Whether a COO tensor is known to have each place once, in order.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.is_coalesced.html

    >>> import torsh
    >>> torsh.sparse_coo_tensor([[0, 0]], [1., 2.], (2,)).is_coalesced()
    False
    """
    _expect(self, "is_coalesced", (memory_format.sparse_coo,), "sparse coordinate tensor")
    return self._pattern.coalesced


@composite("Tensor.coalesce", tags="data-dependent")
def coalesce(self):
    """A COO tensor with each place once, in order; values of the same place are added.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.coalesce.html

    >>> import torsh
    >>> x = torsh.sparse_coo_tensor([[0, 0]], [1., 2.], (2,))
    >>> x.coalesce().values()
    tensor([3.])
    """
    _expect(self, "coalesce", (memory_format.sparse_coo,), "sparse coordinate tensor")
    from torsh.sparse._tensor import coalesced

    return coalesced(self)


@composite("Tensor._coalesced_")
def _coalesced_(self, coalesced):
    """Say whether a COO tensor counts as coalesced."""
    self._pattern = self._pattern.as_coalesced(bool(coalesced))
    return self


@composite("Tensor.sparse_mask")
def sparse_mask(self, mask):
    """The tensor at the places where the sparse tensor ``mask`` has entries.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.sparse_mask.html

    >>> import torsh
    >>> x = torsh.tensor([[1., 2.], [3., 4.]])
    >>> x.sparse_mask(torsh.eye(2).to_sparse()).to_dense()
    tensor([[1., 0.],
            [0., 4.]])
    """
    from torsh.sparse._math import mask_by

    return mask_by(self, mask)


def _resized(self: Any, size: Any, sparse: int, inner: int) -> Any:
    from torsh.sparse._tensor import COO, Pattern, raw

    _expect(self, "sparse_resize_", (memory_format.sparse_coo,), "sparse coordinate tensor")
    size = tuple(int(n) for n in size)
    if len(size) != sparse + inner:
        raise RuntimeError(
            f"'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = {len(size)}, sparse_dim = {sparse}, dense_dim = "
            f"{inner}"
        )
    p, stored = self._pattern, self._stored
    if p.nnz and (sparse != p.sparse_dims or inner != len(p.dense_shape)):
        raise RuntimeError(
            f"changing the number of sparse or dense dimensions (from {p.sparse_dims} and {len(p.dense_shape)} to {sparse} and "
            f"{inner}) on a non-empty sparse tensor is not supported"
        )
    if p.nnz and any(new < old for new, old in zip(size, p.shape)):
        raise RuntimeError(
            f"shrinking the size of sparse dimensions (from {list(p.shape)} to {list(size)}) on a non-empty sparse tensor is not "
            "supported"
        )
    indices = p.indices if p.nnz else p.indices.new_zeros((sparse, 0))
    if p.nnz and size[sparse:] != p.dense_shape:
        wider = stored.new_zeros((p.nnz, *size[sparse:]))
        wider[tuple(slice(n) for n in stored.shape)] = stored
        stored = wider
    elif not p.nnz:
        stored = stored.new_zeros((0, *size[sparse:]))
    self._become(raw(Pattern(COO, size, indices, coalesced=p.coalesced), stored))
    return self


@composite("Tensor.sparse_resize_")
def sparse_resize_(self, size, sparse_dim, dense_dim):
    """Change the size and the numbers of sparse and dense dimensions; entries stay, so nothing may shrink.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.sparse_resize_.html

    >>> import torsh
    >>> torsh.eye(2).to_sparse().sparse_resize_((3, 3), 2, 0).shape
    torsh.Size([3, 3])
    """
    return _resized(self, size, sparse_dim, dense_dim)


@composite("Tensor.sparse_resize_and_clear_")
def sparse_resize_and_clear_(self, size, sparse_dim, dense_dim):
    """Forget all entries and change the size and the numbers of sparse and dense dimensions.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.sparse_resize_and_clear_.html

    >>> import torsh
    >>> torsh.eye(2).to_sparse().sparse_resize_and_clear_((3, 3), 2, 0).values()
    tensor([])
    """
    from torsh.sparse._math import no_entries

    self._become(no_entries(self))
    return _resized(self, size, sparse_dim, dense_dim)


# ---- torch.sparse and its relatives ------------------------------------------------------------------------------------


@composite("torch.sparse.mm", name="sparse_mm")
def sparse_mm(mat1, mat2, reduce=None):
    """A matrix product with a sparse factor; ``reduce`` ("sum", "mean", "amax", "amin") of the products for CSR.

    mat1, mat2: matrices; of two sparse ones the result is sparse, else dense.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.sparse.mm.html

    >>> import torsh
    >>> torsh.sparse.mm(torsh.eye(2).to_sparse(), torsh.tensor([[1., 2.], [3., 4.]]))
    tensor([[1., 2.],
            [3., 4.]])
    """
    from torsh.sparse import _math
    from torsh.sparse._rules import rename

    if reduce is not None:
        out = _math.reduced_mm(mat1, mat2, reduce)
        rename(out, "SparseMmReduceImplBackward0")
        return out
    for position, (name, m) in enumerate((("mat1", mat1), ("mat2", mat2)), 1):
        check_tensor(m, "mm", name, position).size(1)  # anything less than a matrix has no such dimension: the error
    out = _math.matmul(mat1, mat2)
    if not (mat1.layout is not memory_format.strided and mat2.layout is not memory_format.strided):
        rename(out, "SparseAddmmBackward0")
    return out


@composite("torch.sparse.addmm", name="sparse_addmm")
def sparse_addmm(mat, mat1, mat2, *, beta=1.0, alpha=1.0):
    """``beta * mat + alpha * mat1 @ mat2`` with a sparse ``mat1``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.sparse.addmm.html

    >>> import torsh
    >>> torsh.sparse.addmm(torsh.ones(2, 2), torsh.eye(2).to_sparse(), torsh.tensor([[1., 2.], [3., 4.]]))
    tensor([[2., 3.],
            [4., 5.]])
    """
    from torsh.sparse import _math
    from torsh.sparse._rules import rename

    out = _math.addmm(mat, mat1, mat2, beta, alpha)
    rename(out, "SparseAddmmBackward0")
    return out


@composite("torch.sparse.sampled_addmm", name="sparse_sampled_addmm", out=True)
def sparse_sampled_addmm(input, mat1, mat2, *, beta=1.0, alpha=1.0):
    """``beta * input + alpha * (mat1 @ mat2)`` where the CSR tensor ``input`` has entries; nothing else is computed.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.sparse.sampled_addmm.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # PyTorch warns that these layouts are in beta
    >>> mask = torsh.eye(2).to_sparse_csr()
    >>> torsh.sparse.sampled_addmm(mask, torsh.ones(2, 3), torsh.ones(3, 2)).to_dense()
    tensor([[4., 0.],
            [0., 4.]])
    """
    from torsh.sparse import _math
    from torsh.sparse._rules import rename

    out = _math.sampled_addmm(input, mat1, mat2, beta, alpha)
    rename(out, "SparseSampledAddmmBackward0")
    return out


@composite("torch.sparse.sum", name="sparse_sum")
def sparse_sum(input, dim=None, dtype=None):
    """The sum of a sparse tensor over all or some dimensions; sparse as long as a sparse dimension is left.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.sparse.sum.html

    >>> import torsh
    >>> torsh.sparse.sum(torsh.tensor([[1., 0.], [2., 3.]]).to_sparse(), dim=0).to_dense()
    tensor([3., 3.])
    """
    from torsh.sparse import _math
    from torsh.sparse._rules import rename
    from torsh.sparse._tensor import values_of

    coalesced = input.coalesce()
    if dim is None:
        return values_of(coalesced).sum(dtype=dtype)  # its gradient is sparse, unlike that of ``sum``
    out = _math.sum_over(input, dim, dtype)
    rename(out, "SparseSumBackward0")
    return out


@composite("torch.sparse.softmax", name="sparse_softmax")
def sparse_softmax(input, dim, *, dtype=None):
    """Softmax over the entries along a dimension; places without one count as minus infinity.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.sparse.softmax.html

    >>> import torsh
    >>> x = torsh.tensor([[5., 0.], [2., 2.]]).to_sparse()
    >>> torsh.sparse.softmax(x, dim=1).to_dense()  # what is not stored counts as minus infinity
    tensor([[1.0000, 0.0000],
            [0.5000, 0.5000]])
    """
    from torsh.sparse import _math
    from torsh.sparse._rules import rename

    out = _math.softmax(input, dim, dtype)
    rename(out, "SparseSoftmaxBackward0")
    return out


@composite("torch.sparse.log_softmax", name="sparse_log_softmax")
def sparse_log_softmax(input, dim, *, dtype=None):
    """The logarithm of ``torch.sparse.softmax``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.sparse.log_softmax.html

    >>> import torsh
    >>> x = torsh.tensor([[0., 1.], [2., 3.]]).to_sparse()
    >>> torsh.sparse.log_softmax(x, dim=1).to_dense()
    tensor([[ 0.0000,  0.0000],
            [-1.3133, -0.3133]])
    """
    from torsh.sparse import _math
    from torsh.sparse._rules import rename

    out = _math.softmax(input, dim, dtype, True)
    rename(out, "SparseLogSoftmaxBackward0")
    return out


def _filled_rows(mat1: Any, mat2: Any) -> Any:
    """The product of a sparse and a dense matrix as COO: every element of the rows that ``mat1`` uses."""
    from torsh.ops.joining import stack
    from torsh.sparse._tensor import COO, Pattern, with_values

    product = mat1.matmul(mat2)
    rows, columns = mat1._pattern.indices[0].unique(), product.shape[1]
    places = rows.new_zeros((rows.shape[0], columns))
    indices = stack(
        [(places + rows.unsqueeze(1)).reshape(-1), places.add(places.new_ones((columns,)).cumsum(0) - 1).reshape(-1)]
    )
    return with_values(Pattern(COO, product.shape, indices, coalesced=True), product.index_select(0, rows).reshape(-1))


@composite("torch.smm Tensor.smm")
def smm(input, mat):
    """Sparse matrix times dense matrix, the result in the COO layout.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.smm.html

    >>> import torsh
    >>> torsh.smm(torsh.eye(2).to_sparse(), torsh.tensor([[1., 2.], [3., 4.]])).to_dense()
    tensor([[1., 2.],
            [3., 4.]])
    """
    return _filled_rows(input, mat)


@composite("torch.hspmm torch.hsmm")
def hspmm(mat1, mat2):
    """Sparse matrix times dense matrix; the result is COO with one sparse dimension, the rows that ``mat1`` uses.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.hspmm.html

    >>> import torsh
    >>> torsh.hspmm(torsh.eye(2).to_sparse(), torsh.tensor([[1., 2.], [3., 4.]])).to_dense()
    tensor([[1., 2.],
            [3., 4.]])
    """
    from torsh.sparse._tensor import COO, Pattern, with_values

    product = mat1.matmul(mat2)
    rows = mat1._pattern.indices[0].unique()
    return with_values(Pattern(COO, product.shape, rows.unsqueeze(0), coalesced=True), product.index_select(0, rows))


@composite("torch.sspaddmm Tensor.sspaddmm torch.saddmm")
def sspaddmm(input, mat1, mat2, *, beta=1, alpha=1):
    """``beta * input + alpha * mat1 @ mat2`` with sparse ``input`` and ``mat1``, the result COO and not coalesced.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.sspaddmm.html

    >>> import torsh
    >>> eye = torsh.eye(2).to_sparse()
    >>> torsh.sspaddmm(eye, eye, torsh.tensor([[1., 2.], [3., 4.]])).to_dense()
    tensor([[2., 2.],
            [3., 5.]])
    """
    from torsh.sparse._tensor import COO, Pattern, with_values

    product = _filled_rows(mat1, mat2) * alpha
    loose = Pattern(COO, input.shape, input._pattern.indices)
    return with_values(loose, (input * beta)._stored) + product


@composite("torch.resize_as_sparse_ Tensor.resize_as_sparse_")
def resize_as_sparse_(input, the_template):
    """Give a sparse tensor the size and the numbers of sparse and dense dimensions of another.

    Source: https://docs.pytorch.org/docs/stable/sparse.html

    >>> import torsh
    >>> torsh.resize_as_sparse_(torsh.eye(2).to_sparse(), torsh.eye(3).to_sparse()).shape
    torsh.Size([3, 3])
    """
    p = the_template._pattern
    return _resized(input, p.shape, p.sparse_dims, len(p.dense_shape))
