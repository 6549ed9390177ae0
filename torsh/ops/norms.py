"""Norms and distances."""

from __future__ import annotations

import math
from typing import Any

from torsh import dtypes
from torsh.ops._args import argument_error, check_tensor, same_dtype, type_name, wrap_dim
from torsh.ops._op import composite, primitive
from torsh.ops._reduction import dims_of, reduced_shape, restore
from torsh.ops.matmul import adjoint, broadcast_shapes, matmul


def norm_gradient(g: Any, input: Any, out: Any, ord: float, dim: Any, keepdim: bool, shape: Any) -> Any:
    g, n = restore(g, dim, keepdim, shape), restore(out, dim, keepdim, shape)
    if ord == 0:
        return (input * 0).detach() * g
    if ord == 1:
        return input.sgn() * g
    if ord == 2:
        return input * (g / n.masked_fill(n == 0, math.inf))  # no 0 / 0 on the way: its derivatives would be nan
    if math.isinf(ord):
        size = input.abs()
        if input._kind.complex:  # the norm's kernel may round magnitudes otherwise than abs: ask abs again
            n = (size.amax if ord > 0 else size.amin)(tuple(range(size.ndim)) if dim is None else dim, True).detach()
        at = ((size == n) | (size != size)).detach()
        return input.sgn() * (g / at.sum(dim, True) * at)
    if ord < 1:
        scaled = input.sgn() * input.abs().pow(ord - 1).masked_fill(input == 0, 0)
        return scaled * (g * n.pow(1 - ord))
    if ord < 2:
        return input.sgn() * input.abs().pow(ord - 1) * (g / n.pow(ord - 1)).masked_fill(n == 0, 0)
    return input * input.abs().pow(ord - 2) * (g / n.pow(ord - 1)).masked_fill(n == 0, 0)


@primitive("", name="vector_norm", args="input ord dim keepdim shape", tags="reduction",
           node_name="LinalgVectorNormBackward0",
           grad={"input": lambda g, input, out, ord, dim, keepdim, shape: norm_gradient(
               g, input, out, ord, dim, keepdim, shape)},
           meta=lambda input, ord, dim, keepdim, shape: (
               reduced_shape(input.shape, dim, keepdim), input.dtype.to_real()),
           )  # fmt: skip
def _vector_norm(input, ord, dim, keepdim, shape):
    return (input, ord, dim, keepdim, shape)


def check_inexact(name: str, t: Any, dtype: Any = None) -> Any:
    """The tensor in the wanted dtype, where that is one norms and factorizations are defined for."""
    check_tensor(t, name, "A")
    if not t._kind.inexact:
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {dtypes.scalar_name(t.dtype)}; convert "
            "it first"
        )
    if dtype is None or dtype is t.dtype:
        return t
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(f"{name}: dtype should be floating point or complex. Got {dtypes.scalar_name(dtype)}")
    if dtype.is_complex != t.dtype.is_complex:
        a, b = ("complex", "real") if t.dtype.is_complex else ("real", "complex")
        raise RuntimeError(f"{name}: dtype should be {a} for {a} inputs, but got {dtypes.scalar_name(dtype)} ({b})")
    if dtypes.promote_types(t.dtype, dtype) is not dtype:
        raise RuntimeError(
            f"{name}: the dtype of the input ({dtypes.scalar_name(t.dtype)}) should be convertible without narrowing "
            f"to the specified dtype ({dtypes.scalar_name(dtype)})"
        )
    return t.to(dtype)


@composite("torch.linalg.vector_norm", name="linalg_vector_norm", out="magnitude")
def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None):
    """The p-norm of all elements, or over dimensions: sum(|x|^p)^(1/p).

    ord: any number, also inf, -inf and 0 (how many elements are not zero).  A complex input gives a real result.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.vector_norm.html

    >>> import torsh
    >>> torsh.linalg.vector_norm(torsh.tensor([[3., 4.], [6., 8.]]), dim=1)
    tensor([ 5., 10.])
    """
    x = check_inexact("linalg.vector_norm", x, dtype)
    if isinstance(ord, (complex, str)) or not isinstance(ord, (int, float)):
        raise argument_error("ord", f"must be Number, not {type_name(ord)}")
    shape = tuple(x.shape)
    dims = dims_of(dim, len(shape))
    if 0 in shape and (ord < 0 or ord == math.inf):
        if dims is None:
            raise RuntimeError(
                f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor because the operation does not "
                "have an identity"
            )
        for d in dims:
            if shape[d] == 0:
                raise RuntimeError(
                    f"linalg.vector_norm cannot compute the {ord} norm on the dimension {d} because this dimension is "
                    "empty and the operation does not have an identity"
                )
    return _vector_norm.op(x, ord, dims, keepdim, shape)


def _matrix_dims(name: str, A: Any, dim: Any) -> tuple[int, int]:
    if not isinstance(dim, (tuple, list)) or len(dim) != 2:
        raise RuntimeError(f"{name}: dim must be a 2-tuple. Got {dim}")
    if A.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    first, second = wrap_dim(dim[0], A.ndim), wrap_dim(dim[1], A.ndim)
    if first == second:
        raise RuntimeError(f"{name}: dims must be different. Got ({dim[0]}, {dim[1]})")
    return first, second


@composite("torch.linalg.matrix_norm", name="linalg_matrix_norm", out="magnitude")
def matrix_norm(A, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None):
    """The norm of matrices.

    ord: 'fro', 'nuc', 2 and -2 (the largest and smallest singular value), 1 and -1 (column sums), inf and -inf (row
    sums).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.matrix_norm.html

    >>> import torsh
    >>> A = torsh.tensor([[1., -2.], [3., 4.]])
    >>> torsh.linalg.matrix_norm(A), torsh.linalg.matrix_norm(A, ord=1)
    (tensor(5.4772), tensor(6.))
    """
    check_tensor(A, "linalg.matrix_norm", "A")
    if isinstance(ord, str) and ord not in ("fro", "nuc"):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    if A.ndim < 2:
        raise RuntimeError("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.")
    A = check_inexact("linalg.matrix_norm", A, dtype)
    first, second = _matrix_dims("linalg.matrix_norm", A, dim)
    if ord == "fro":
        return vector_norm(A, 2, (first, second), keepdim)
    if ord not in ("nuc", 1, -1, 2, -2, math.inf, -math.inf):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    if ord in ("nuc", 2, -2):
        from torsh.ops.decomposition import svdvals

        s = svdvals(A.movedim((first, second), (-2, -1)))
        # The largest of nothing is 0 here.
        found = s.sum(-1) if ord == "nuc" or (ord == 2 and not s.shape[-1]) else s.amax(-1) if ord == 2 else s.amin(-1)
        return found.reshape(reduced_shape(A.shape, (first, second), True)) if keepdim else found
    if abs(ord) == math.inf:
        first, second = second, first
    sums = vector_norm(A, 1, first, True)
    if ord > 0:
        found = sums.amax(second, True) if sums.shape[second] else sums.sum(second, True)
    else:
        found = sums.amin(second, True)
    return found if keepdim else found.reshape(reduced_shape(A.shape, (first, second), False))


@composite("torch.linalg.norm", name="linalg_norm", out="magnitude")
def linalg_norm(A, ord=None, dim=None, keepdim=False, *, dtype=None):
    """The norm of a vector or of matrices.

    Without ``ord`` the 2-norm of all elements; with it the vector norm over one dimension or the matrix norm over two.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.norm.html

    >>> import torsh
    >>> torsh.linalg.norm(torsh.tensor([3., 4.])), torsh.linalg.norm(torsh.tensor([3., -4.]), ord=float("inf"))
    (tensor(5.), tensor(4.))
    """
    check_tensor(A, "linalg.norm", "A")
    dims = None if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if dims is not None and ord is not None and len(dims) not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}")
    if dims is None and ord is not None and A.ndim not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {A.ndim}D."
        )
    if ord is None:
        return vector_norm(A, 2, dims, keepdim, dtype=dtype)
    if isinstance(ord, str):
        return matrix_norm(A, ord, (-2, -1) if dims is None else dims, keepdim, dtype=dtype)
    if dims is None:
        dims = tuple(range(A.ndim))
    if len(dims) == 2:
        return matrix_norm(A, ord, dims, keepdim, dtype=dtype)
    return vector_norm(A, ord, dims, keepdim, dtype=dtype)


@composite("torch.norm Tensor.norm", out=False)
def norm(input, p="fro", dim=None, keepdim=False, out=None, dtype=None):
    """The norm of all elements or over dimensions; the older form of ``torch.linalg.norm``.

    p: a number, 'fro' (the 2-norm, over any number of dimensions) or 'nuc' (over two).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.norm.html

    >>> import torsh
    >>> torsh.norm(torsh.tensor([[3., 4.], [0., 0.]]))
    tensor(5.)
    >>> torsh.norm(torsh.tensor([[3., -4.], [0., 1.]]), p=1, dim=1)
    tensor([7., 1.])
    """
    check_tensor(input, "norm")
    dims = (dim,) if isinstance(dim, int) else dim
    if p == "nuc":
        if dims is None:
            dims = (0, 1)
            if input.ndim != 2:
                raise RuntimeError("linalg.matrix_norm: nuclear norm without dim needs a matrix")
        return matrix_norm(input, "nuc", dims, keepdim, dtype=dtype, out=out)
    if p == "fro" or p is None:
        return vector_norm(input, 2, dims, keepdim, dtype=dtype, out=out)
    if isinstance(p, str):
        raise RuntimeError(f"linalg.matrix_norm: Order {p} not supported.")
    return vector_norm(input, p, dims, keepdim, dtype=dtype, out=out)


# ---- distances -----------------------------------------------------------------------------------------------------


@composite("torch.dist Tensor.dist")
def dist(input, other, p=2):
    """The p-norm of the difference of two tensors.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.dist.html

    >>> import torsh
    >>> torsh.dist(torsh.tensor([0., 0.]), torsh.tensor([3., 4.]))
    tensor(5.)
    """
    check_tensor(other, "dist", "other", 2)
    return vector_norm(check_tensor(input, "dist") - other, p)


def _euclid_gradient(g: Any, a: Any, b: Any, out: Any) -> Any:
    """The gradient of distances with respect to the first set of points; the distance zero has none."""
    r = (g / out).masked_fill(out == 0, 0)
    return a * r.sum(-1, True) - matmul(r, b)


@primitive("", name="euclidean", args="x1 x2 exact", node_name="CdistBackward0",
           grad={"x1": lambda g, x1, x2, out: _euclid_gradient(g, x1, x2, out),
                 "x2": lambda g, x1, x2, out: _euclid_gradient(adjoint(g), x2, x1, adjoint(out))},
           meta=lambda x1, x2, exact: ((*x1.shape[:-1], x2.shape[-2]), x1.dtype),
           decompose=lambda x1, x2, exact: vector_norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), 2, -1))  # fmt: skip
def _euclidean(x1, x2, exact):
    return (x1, x2, exact)


_MODES = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")


@composite("torch.cdist", layout="rows")
def cdist(x1, x2, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """The p-norm distance of every point of one set to every point of another.

    x1: (..., P, M), x2: (..., R, M); the result is (..., P, R).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.cdist.html

    >>> import torsh
    >>> torsh.cdist(torsh.tensor([[0., 0.]]), torsh.tensor([[3., 4.], [0., 1.]]))
    tensor([[5., 1.]])
    """
    for name, t in (("X1", x1), ("X2", x2)):
        check_tensor(t, "cdist", name.lower())
        if not t._kind.floating:
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {dtypes.scalar_name(t.dtype)}")
    for name, t in (("X1", x1), ("X2", x2)):
        if t.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {t.ndim}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    if not p >= 0:
        raise RuntimeError(f"cdist only supports non-negative p values, got {p}")
    same_dtype(x1, x2)
    if compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode; it is one of {', '.join(_MODES)}")
    batch = broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    if p != 2:
        if not x1.shape[-1]:
            return x1.new_zeros((*batch, x1.shape[-2], x2.shape[-2]))
        return vector_norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p, -1)
    n, m = x1.shape[-2], x2.shape[-2]
    exact = compute_mode == _MODES[2] or (compute_mode == _MODES[0] and n <= 25 and m <= 25)
    return _euclidean.op(x1.expand(*batch, *x1.shape[-2:]), x2.expand(*batch, *x2.shape[-2:]), exact)


@composite("torch.pdist torch.nn.functional.pdist")
def pdist(input, p=2.0):
    """The p-norm distances of all pairs of rows, in the order (0, 1), (0, 2), ..., (1, 2), ...

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pdist.html

    >>> import torsh
    >>> torsh.pdist(torsh.tensor([[0., 0.], [3., 4.], [0., 1.]]))
    tensor([5.0000, 1.0000, 4.2426])
    """
    check_tensor(input, "pdist")
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if not input._kind.floating:
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    from torsh.ops import NAMES

    n = input.shape[0]
    rows, columns = NAMES["torch"]["triu_indices"](n, n, 1, device=input.device).unbind(0)
    return vector_norm(input.index_select(0, rows) - input.index_select(0, columns), p, -1)


@composite("torch.renorm Tensor.renorm", layout="rows", out=True, inplace=True)
def renorm(input, p, dim, maxnorm):
    """The tensor with each slice along ``dim`` scaled down to a p-norm of at most ``maxnorm``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.renorm.html

    >>> import torsh
    >>> torsh.renorm(torsh.tensor([[3., 4.], [0.3, 0.4]]), p=2, dim=0, maxnorm=1)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    check_tensor(input, "renorm")
    if isinstance(p, complex) or p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if isinstance(maxnorm, complex) or maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if input.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    dim = wrap_dim(dim, input.ndim)
    n = vector_norm(input, p, tuple(i for i in range(input.ndim) if i != dim), True)
    factor = (maxnorm / (n + 1e-7)).where(n > maxnorm, n.new_ones(()))
    return input * factor


@composite("torch.nuclear_norm", out=True)
def nuclear_norm(input, dim=None, keepdim=False):
    """The sum of the singular values of a matrix, or of the matrices in two dimensions ``dim``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.matrix_norm.html

    >>> import torsh
    >>> torsh.nuclear_norm(torsh.tensor([[3., 0.], [0., 4.]]))
    tensor(7.)
    """
    import torsh

    return torsh.linalg.matrix_norm(input, "nuc", (-2, -1) if dim is None else tuple(dim), keepdim)


@composite("torch.norm_except_dim")
def norm_except_dim(v, pow=2, dim=0):
    """The norm over all dimensions but one (over all for -1), which keeps the number of dimensions: of weight normalisation.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.weight_norm.html

    >>> import torsh
    >>> torsh.norm_except_dim(torsh.tensor([[3., 4.], [6., 8.]]), 2, 0)
    tensor([[ 5.],
            [10.]])
    """
    import torsh

    if dim == -1:
        return torsh.linalg.vector_norm(v, pow)
    others = [d for d in range(v.ndim) if d != dim % v.ndim]
    return torsh.linalg.vector_norm(v, pow, others, keepdim=True) if others else v.abs()
