"""Products of vectors and matrices, and contractions made of them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from torsh import dtypes
from torsh.autograd import engine
from torsh.autograd.grad_mode import thread
from torsh.dispatch import state
from torsh.dtypes import scalar_name
from torsh.ops._args import check_tensor, wrap_dims
from torsh.ops._op import Op, composite, primitive, with_out
from torsh.ops._overriding import override_of, overriding
from torsh.ops._record import PlanCache
from torsh.ops._saved import save, saved_tensor_hooks
from torsh.ops.arithmetic import check_alpha
from torsh.tensor import Parameter, Tensor, new

# ---- shapes --------------------------------------------------------------------------------------------------------


def broadcast_shapes(a: Sequence[int], b: Sequence[int]) -> tuple[int, ...]:
    """The common shape of two batches; RuntimeError where there is none."""
    if a == b:
        return tuple(a)
    found = []
    for i in range(-max(len(a), len(b)), 0):
        m, n = a[i] if -i <= len(a) else 1, b[i] if -i <= len(b) else 1
        if m != n and m != 1 and n != 1:
            at = i + max(len(a), len(b))
            raise RuntimeError(
                f"The size of tensor a ({m}) must match the size of tensor b ({n}) at non-singleton dimension {at}"
            )
        found.append(n if m == 1 else m)
    return tuple(found)


def _matmul_shape(a: Any, b: Any) -> tuple[int, ...]:
    """The shape of a product, with PyTorch's errors for operands that do not fit."""
    m, n = len(a), len(b)
    if not m or not n:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {m}D and {n}D")
    if a[-1] != b[-2 if n > 1 else -1]:
        if m == 1 and n == 1:
            raise _unequal_vectors(a, b)
        if n == 1 and m == 2:
            raise RuntimeError(f"size mismatch, got input ({a[0]}), mat ({a[0]}x{a[1]}), vec ({b[0]})")
        if m <= 2 and n <= 2:
            rows = a[0] if m == 2 else 1
            raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({rows}x{a[-1]} and {b[0]}x{b[1]})")
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: {[b[0], a[-1]]} but got: {list(b[:2])}. "
            f"matmul of {list(a)} and {list(b)}: the last dimension of the first must be the last but one of the second"
            if n > 2 else
            f"mat1 and mat2 shapes cannot be multiplied ({_rows(a)}x{a[-1]} and {b[0]}x{b[1] if n > 1 else 1})"
        )  # fmt: skip
    batch = broadcast_shapes(a[:-2], b[:-2])
    return (*batch, *a[-2:-1], *(b[-1:] if n > 1 else ()))


def _rows(shape: Sequence[int]) -> int:
    rows = 1
    for s in shape[:-1]:
        rows *= s
    return rows


def _unequal_vectors(a: Any, b: Any) -> RuntimeError:
    return RuntimeError(
        f"inconsistent tensor size, expected tensor [{a[0]}] and src [{b[0]}] to have the same number of elements, "
        f"but got {a[0]} and {b[0]} elements respectively"
    )


def same_dtype(name: str, *tensors: Tensor) -> None:
    """Raise RuntimeError unless all operands have one dtype: products do not promote."""
    first = tensors[0].dtype
    for t in tensors[1:]:
        if t.dtype is not first:
            raise RuntimeError(
                f"expected m1 and m2 to have the same dtype, but got: {_c_name(first)} != {_c_name(t.dtype)}; convert "
                "one of them first"
                if name != "dot" else
                f"dot : expected both vectors to have same dtype, but found {scalar_name(first)} and "
                f"{scalar_name(t.dtype)}"
            )  # fmt: skip


_C_NAMES = {
    "float32": "float", "float64": "double", "float16": "c10::Half", "bfloat16": "c10::BFloat16", "int64": "long",
    "int32": "int", "int16": "short", "int8": "signed char", "uint8": "unsigned char",
    "complex64": "c10::complex<float>", "complex128": "c10::complex<double>",
}  # fmt: skip


def _c_name(d: dtypes.dtype) -> str:
    return _C_NAMES.get(d.name, d.name)


def _refuse_bool(name: str, t: Tensor) -> None:
    if t.dtype is dtypes.bool:
        raise NotImplementedError(f"\"{name}\" not implemented for 'Bool'; convert the operands to a number type first")


# ---- matmul --------------------------------------------------------------------------------------------------------


def adjoint(x: Any) -> Any:
    """The conjugate transpose of (a batch of) matrices."""
    x = x.transpose(-2, -1)
    return x.conj_physical() if x._kind.complex else x


def _grad_first(g: Any, input: Any, other: Any) -> Any:
    a, b = input.ndim, other.ndim
    if a == 2 and b == 2:
        return g @ adjoint(other)
    if b == 1:
        y = other.conj() if other._kind.complex else other
        found = g * y if a == 1 else g.unsqueeze(-1) * y
        return found
    if a == 1:  # g: (..., n), other: (..., k, n)
        found = (g.unsqueeze(-2) @ adjoint(other)).squeeze(-2)
    else:
        found = g @ adjoint(other)
    return found.sum_to_size(tuple(input.shape))


def _flat(x: Any) -> Any:
    """All rows of a batch of matrices in one matrix."""
    return x.reshape(_rows(x.shape), x.shape[-1])


def _grad_second(g: Any, input: Any, other: Any) -> Any:
    a, b = input.ndim, other.ndim
    if a == 2 and b == 2:
        return adjoint(input) @ g
    if a == 1:
        x = input.conj() if input._kind.complex else input
        found = x * g if b == 1 else x.unsqueeze(-1) * g.unsqueeze(-2)
    elif b == 1:  # g: (..., m), input: (..., m, k)
        return adjoint(_flat(input)) @ g.reshape(_rows(input.shape))
    elif b == 2:  # one matrix for all batches: one large product instead of a batch of them
        found = adjoint(_flat(input)) @ _flat(g)
    else:
        found = adjoint(input) @ g
    return found.sum_to_size(tuple(other.shape))


_op = Op(
    "matmul", None, ("input", "other"), grads={"input": _grad_first, "other": _grad_second}, tags=("multilinear",),
    meta=lambda input, other: (_matmul_shape(input.shape, other.shape), input.dtype),
    paths=("torch.matmul", "Tensor.matmul", "Tensor.__matmul__", "Tensor.__rmatmul__", "torch.linalg.matmul"),
)  # fmt: skip
# Two matrices: the commonest case, whose gradient rules need only the other operand.
_mm = Op(
    "mm_op", None, ("input", "mat2"), node_name="MmBackward0", tags=("multilinear",),
    grads={"input": lambda g, mat2: _short(g, adjoint(mat2)), "mat2": lambda g, input: _short(adjoint(input), g)},
    meta=lambda input, mat2: ((input.shape[0], mat2.shape[1]), input.dtype),
)  # fmt: skip


def _general(input: Any, other: Any) -> Any:
    if state.overrides and (handler := override_of((input, other), {})) is not None:
        return handler(matmul, (input, other), {})
    if (
        not (isinstance(input, Tensor) and isinstance(other, Tensor))
        and not state.overrides
        and overriding((input, other), {})
    ):
        return _general(input, other)
    if not (isinstance(input, Tensor) and isinstance(other, Tensor)):
        return NotImplemented
    _matmul_shape(input._data.shape, other._data.shape)
    same_dtype("matmul", input, other)
    _refuse_bool("addmm_impl_cpu_", input)
    if input.ndim == 2 == other.ndim:
        return _mm(input, other)
    return _op(input, other)


def _make() -> Any:
    kernels, plans, numbers = _mm.kernels, PlanCache(_mm, 1), engine._numbers

    def call(input: Any, other: Any) -> Any:
        cls, cls2 = type(input), type(other)
        if (cls is Tensor or cls is Parameter) and (cls2 is Tensor or cls2 is Parameter) and not state.busy:
            k = input._kind
            if k is other._kind and k.inexact:
                x, y = input._data, other._data
                xs, ys = x.shape, y.shape
                if len(xs) == 2 == len(ys) and xs[1] == ys[0]:
                    o = new(Tensor)
                    o._data = kernels[k](x, y)
                    o._kind = k
                    o._rg = False
                    a, b = input._rg, other._rg
                    if (a or b) and thread.enabled:
                        node = new(plans[a, b].node_type)
                        node.seq = next(numbers)
                        kept_plainly = not saved_tensor_hooks.active
                        if a:
                            fa = input._gf if input._base is None else input.grad_fn
                            if fa is None:
                                fa = input
                            if b:
                                fb = other._gf if other._base is None else other.grad_fn
                                node.edges = (fa, other if fb is None else fb)
                                if input._nr or other._nr:
                                    node.numbers = (input._nr, other._nr)
                                node.saved = (
                                    other if other._vc is None and kept_plainly else save(other),
                                    input if input._vc is None and kept_plainly else save(input),
                                )
                            else:
                                node.saved = (other if other._vc is None and kept_plainly else save(other),)
                                node.edges = (fa,)
                                if input._nr:
                                    node.numbers = (input._nr,)
                        else:
                            fb = other._gf if other._base is None else other.grad_fn
                            node.edges = (other if fb is None else fb,)
                            if other._nr:
                                node.numbers = (other._nr,)
                            node.saved = (input if input._vc is None and kept_plainly else save(input),)
                        input._kept = other._kept = True  # as ``save`` notes
                        o._gf = node
                        o._rg = True
                    return o
        return _general(input, other)

    return call


_short = _op.short = _make()


def matmul(input: Any, other: Any, *, out: Any = None) -> Any:
    """The matrix product of two tensors.

    Two vectors give a number, a matrix and a vector a vector, two matrices a matrix; further leading dimensions are
    batches, which broadcast.  Both must have one dtype; sizes that do not fit raise RuntimeError.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.matmul.html

    >>> import torsh
    >>> a = torsh.tensor([[1., 2.], [3., 4.]])
    >>> torsh.matmul(a, torsh.tensor([1., 1.]))
    tensor([3., 7.])
    >>> torsh.ones(10, 3, 4).matmul(torsh.ones(4, 5)).shape  # broadcast over the batch
    torsh.Size([10, 3, 5])
    >>> a @ a
    tensor([[ 7., 10.],
            [15., 22.]])
    """
    if out is not None:
        from torsh.ops._out import write_out

        return write_out(_short, (input, other), {}, out, op=matmul.op)
    found = _short(input, other)
    if found is NotImplemented:
        check_tensor(input, "matmul")
        raise TypeError(f"matmul(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}")
    return found


matmul.op = _op  # type: ignore[attr-defined]
_op.fn, _op.doc = matmul, matmul.__doc__


def _dims(name: str, t: Any, ndim: int, role: str, what: str) -> None:
    if check_tensor(t, name, role).ndim != ndim:
        raise RuntimeError(f"{role} must be a {what}; {name} got a {t.ndim}-D tensor")


@composite("torch.mm Tensor.mm torch.spmm torch.dsmm", out=True)
def mm(input, mat2):
    """The product of two matrices.

    input: (n, m); mat2: (m, p); the result is (n, p). No broadcasting: see :func:`matmul`. The dtypes must agree, else RuntimeError.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.mm.html

    >>> import torsh
    >>> torsh.mm(torsh.tensor([[1., 2.], [3., 4.]]), torsh.eye(2))
    tensor([[1., 2.],
            [3., 4.]])
    """
    if check_tensor(input, "mm").ndim != 2:
        raise RuntimeError("self must be a matrix; torch.mm takes 2-D tensors, torch.matmul any")
    _dims("mm", mat2, 2, "mat2", "matrix")
    return matmul(input, mat2)


def _batches(name: str, a: Any, b: Any) -> None:
    for role, t in (("batch1", a), ("batch2", b)):
        if check_tensor(t, name, role).ndim != 3:
            raise RuntimeError(f"{role} must be a 3D tensor; {name} got a {t.ndim}-D one")
    first, second = a._data.shape, b._data.shape
    if first[0] != second[0] or first[2] != second[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: {[first[0], first[2]]} but got: "
            f"{list(second[:2])}."
        )


@composite("torch.bmm Tensor.bmm", out=False)
def bmm(input, mat2, out_dtype=None, *, out=None):
    """The products of two batches of matrices, (b, n, m) and (b, m, p).

    The result is (b, n, p). No broadcasting: see :func:`matmul`. The dtypes must agree, else RuntimeError.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.bmm.html

    >>> import torsh
    >>> torsh.bmm(torsh.ones(10, 3, 4), torsh.ones(10, 4, 5)).shape
    torsh.Size([10, 3, 5])
    """
    _batches("bmm", input, mat2)
    if out is None and input._kind is mat2._kind and input._kind.inexact:
        return _op(input, mat2)
    return matmul(input, mat2, out=out)


@composite("torch.mv Tensor.mv", out=True)
def mv(input, vec):
    """The product of a matrix and a vector.

    input: (n, m); vec: (m,); the result is (n,). The dtypes must agree, else RuntimeError.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.mv.html

    >>> import torsh
    >>> torsh.mv(torsh.tensor([[1., 2.], [3., 4.]]), torsh.tensor([1., 1.]))
    tensor([3., 7.])
    """
    if check_tensor(input, "mv").ndim != 2 or check_tensor(vec, "mv", "vec", 2).ndim != 1:
        raise RuntimeError(
            f"vector + matrix @ vector expected, got {vec.ndim}, {input.ndim}, {vec.ndim}: mv takes a 2-D and a 1-D "
            "tensor"
        )
    if input.shape[1] != vec.shape[0]:
        m, n = input.shape
        raise RuntimeError(f"size mismatch, got input ({m}), mat ({m}x{n}), vec ({vec.shape[0]})")
    return matmul(input, vec)


def _vectors(name: str, a: Any, b: Any) -> None:
    if check_tensor(a, name).ndim != 1 or check_tensor(b, name, "tensor", 2).ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors")
    same_dtype("dot", a, b)
    if a.shape != b.shape:
        raise _unequal_vectors(a.shape, b.shape)


@composite("torch.dot Tensor.dot", out=True)
def dot(input, tensor):
    """The sum of the products of two vectors' elements.

    input, tensor: vectors of one length and dtype, else RuntimeError. The result is 0-d.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.dot.html

    >>> import torsh
    >>> torsh.dot(torsh.tensor([1., 2., 3.]), torsh.tensor([4., 5., 6.]))
    tensor(32.)
    """
    _vectors("dot", input, tensor)
    return matmul(input, tensor)


@composite("torch.vdot Tensor.vdot", out=True)
def vdot(input, other):
    """The inner product of two vectors: the first is conjugated.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.vdot.html

    >>> import torsh
    >>> torsh.vdot(torsh.tensor([1.j, 2.]), torsh.tensor([1.j, 1.]))  # the first is conjugated
    tensor(3.+0.j)
    """
    _vectors("vdot", input, other)
    return matmul(input.conj() if input._kind.complex else input, other)


# ---- products that are added to something --------------------------------------------------------------------------


def _factor(value: Any, t: Tensor) -> Any:
    """A factor as a value of the tensor's type: a fraction is cut off for integers, as PyTorch does."""
    return int(value) if isinstance(value, float) and not t._kind.inexact else value


def _affine(input: Any, product: Any, beta: Any, alpha: Any) -> Any:
    """beta * input + alpha * product; a zero beta ignores the input, nan and all."""
    if alpha != 1:
        product = product * alpha
    if beta == 0:
        return product
    return product + (input if beta == 1 else input * beta)


def _addmm_grad(g: Any, a: Any, b: Any, alpha: Any, first: bool) -> Any:
    found = g @ adjoint(b) if first else adjoint(a) @ g
    return found if alpha == 1 else found * alpha.conjugate()


def _addmm_tangent(a: Any, b: Any, beta: Any, alpha: Any, input_t: Any, a_t: Any, b_t: Any) -> Any:
    products = []
    if a_t is not None:
        products.append(matmul(a_t, b))
    if b_t is not None:
        products.append(matmul(a, b_t))
    if not products:
        return input_t * beta
    product = products[0] if len(products) == 1 else products[0] + products[1]
    return product * alpha if input_t is None else _affine(input_t, product, beta, alpha)


@primitive("torch.addmm Tensor.addmm", args="input mat1 mat2 beta alpha", broadcasts=True, out=True, inplace=True,
           grad={"input": lambda g, beta: g if beta == 1 else g * beta.conjugate(),
                 "mat1": lambda g, mat2, alpha: _addmm_grad(g, None, mat2, alpha, True),
                 "mat2": lambda g, mat1, alpha: _addmm_grad(g, mat1, None, alpha, False)},
           jvp=lambda mat1, mat2, beta, alpha, input_t, mat1_t, mat2_t: _addmm_tangent(mat1, mat2, beta, alpha, input_t, mat1_t, mat2_t),
           meta=lambda input, mat1, mat2, beta, alpha: ((mat1.shape[0], mat2.shape[1]), mat1.dtype),
           decompose=lambda input, mat1, mat2, beta, alpha: _affine(input, matmul(mat1, mat2), beta, alpha))  # fmt: skip
def addmm(input, mat1, mat2, *, beta=1, alpha=1):
    """beta * input + alpha * (mat1 @ mat2), with an input that broadcasts to the product.

    beta 0 ignores the input's values, nan too.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.addmm.html

    >>> import torsh
    >>> x = torsh.tensor([[1., 2.], [3., 4.]])
    >>> torsh.addmm(torsh.tensor([10., 20.]), x, torsh.eye(2), alpha=2)  # the input broadcasts
    tensor([[12., 24.],
            [16., 28.]])
    """
    check_tensor(input, "addmm")
    for name, t in (("mat1", mat1), ("mat2", mat2)):
        _dims("addmm", t, 2, name, "matrix")
    (n, k), (l, m) = mat1._data.shape, mat2._data.shape
    if k != l:
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({n}x{k} and {l}x{m})")
    same_dtype("addmm", mat1, mat2)
    if input.dtype is not mat1.dtype:
        raise RuntimeError(
            f"self and mat2 must have the same dtype, but got {scalar_name(input.dtype)} and {scalar_name(mat2.dtype)}"
        )
    shape = input._data.shape
    if len(shape) > 2 or any(s not in (1, t) for s, t in zip(reversed(shape), (m, n))):
        raise RuntimeError(
            f"The expanded size of the tensor ({m if shape and shape[-1] not in (1, m) else n}) must match the "
            f"existing size ({shape[-1] if shape and shape[-1] not in (1, m) else shape[0]}): addmm's input "
            f"{list(shape)} must broadcast to {[n, m]}"
        )
    beta, alpha = _factor(beta, input), _factor(alpha, input)
    if input._kind.dtype is dtypes.bool and beta != 0:
        _refuse_bool("addmm_impl_cpu_", input)
    return (input, mat1, mat2, beta, alpha)


def _sum_meta(input: Any, a: Any, b: Any, beta: Any, alpha: Any) -> Any:
    """The shape of beta * input + alpha * product, for the products that differ from addmm's."""
    if len(a.shape) == 1:
        return ((a.shape[0], b.shape[0]), a.dtype)
    if len(b.shape) == 1:
        return ((a.shape[0],), a.dtype)
    return ((a.shape[0], a.shape[1], b.shape[2]), a.dtype)


def _check_sum(name: str, input: Any, shape: Any) -> None:
    try:
        fits = broadcast_shapes(input._data.shape, shape) == tuple(shape)
    except RuntimeError:
        fits = False
    if not fits:
        raise RuntimeError(
            f"The expanded size of the tensor ({list(shape)}) must match the existing size ({list(input.shape)}): the input "
            f"of {name} must broadcast to the product"
        )


@primitive("torch.addmv Tensor.addmv", args="input mat vec beta alpha", out=True, inplace=True, meta=_sum_meta,
           decompose=lambda input, mat, vec, beta, alpha: _affine(input, matmul(mat, vec), beta, alpha))  # fmt: skip
def addmv(input, mat, vec, *, beta=1, alpha=1):
    """beta * input + alpha * (mat @ vec).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.addmv.html

    >>> import torsh
    >>> torsh.addmv(torsh.tensor([1., 1.]), torsh.tensor([[1., 2.], [3., 4.]]), torsh.tensor([1., 0.]))
    tensor([2., 4.])
    """
    check_tensor(input, "addmv")
    if (
        check_tensor(mat, "addmv", "mat", 2).ndim != 2
        or check_tensor(vec, "addmv", "vec", 3).ndim != 1
        or input.ndim > 1
    ):
        raise RuntimeError(f"vector + matrix @ vector expected, got {input.ndim}, {mat.ndim}, {vec.ndim}")
    n, m = mat.shape
    if vec.shape[0] != m or (input.ndim and input.shape[0] not in (1, n)):
        raise RuntimeError(f"size mismatch, got input ({input.numel()}), mat ({n}x{m}), vec ({vec.shape[0]})")
    same_dtype("addmv", input, mat, vec)
    if input.dtype is dtypes.bool:
        return _bool_product(input, mat, vec, beta)
    return (input, mat, vec, _factor(beta, input), _factor(alpha, input))


def _bool_product(input: Any, a: Any, b: Any, beta: Any) -> Any:
    found = matmul(a.to(dtypes.int64), b.to(dtypes.int64)) != 0
    return found | input if beta else found


@primitive("torch.baddbmm Tensor.baddbmm", args="input batch1 batch2 beta alpha", out=True, inplace=True, meta=_sum_meta,
           decompose=lambda input, batch1, batch2, beta, alpha: _affine(
               input, matmul(batch1, batch2), beta, alpha))  # fmt: skip
def baddbmm(input, batch1, batch2, out_dtype=None, *, beta=1, alpha=1):
    """beta * input + alpha * (batch1 @ batch2), batch by batch.

    input: broadcasts to (b, n, p); batch1: (b, n, m); batch2: (b, m, p). With beta 0 nan in ``input`` does not count.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.baddbmm.html

    >>> import torsh
    >>> torsh.baddbmm(torsh.ones(2, 1, 2), torsh.ones(2, 1, 3), torsh.ones(2, 3, 2)).shape
    torsh.Size([2, 1, 2])
    """
    check_tensor(input, "baddbmm")
    _batches("baddbmm", batch1, batch2)
    same_dtype("baddbmm", batch1, batch2, input)
    shape = (batch1.shape[0], batch1.shape[1], batch2.shape[2])
    _check_sum("baddbmm", input, shape)
    return (input, batch1, batch2, _factor(beta, input), _factor(alpha, input))


@primitive("torch.addbmm Tensor.addbmm", args="input batch1 batch2 beta alpha", out=True, inplace=True,
           meta=lambda input, batch1, batch2, beta, alpha: ((batch1.shape[1], batch2.shape[2]), batch1.dtype),
           decompose=lambda input, batch1, batch2, beta, alpha: _affine(
               input, matmul(batch1, batch2).sum(0), beta, alpha))  # fmt: skip
def addbmm(input, batch1, batch2, *, beta=1, alpha=1):
    """beta * input + alpha * the sum of the products of two batches.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.addbmm.html

    >>> import torsh
    >>> b1, b2 = torsh.ones(4, 2, 3), torsh.ones(4, 3, 2)
    >>> torsh.addbmm(torsh.zeros(2, 2), b1, b2)  # the four products added up
    tensor([[12., 12.],
            [12., 12.]])
    """
    check_tensor(input, "addbmm")
    _batches("addbmm", batch1, batch2)
    same_dtype("addbmm", batch1, batch2, input)
    shape = (batch1.shape[1], batch2.shape[2])
    _check_sum("addbmm", input, shape)
    if input.dtype in (dtypes.float16, dtypes.bfloat16) and batch1.shape[0]:
        # One product after the other is added, as in PyTorch, each sum rounded.
        found = addmm(input, batch1[0], batch2[0], beta=beta, alpha=alpha)
        for a, b in zip(batch1[1:], batch2[1:]):
            found = addmm(found, a, b, alpha=alpha)
        return found
    return (input, batch1, batch2, _factor(beta, input), _factor(alpha, input))


def _addr(input: Any, vec1: Any, vec2: Any, beta: Any, alpha: Any) -> Any:
    """In PyTorch's order: the first vector is scaled."""
    return _affine(input, (vec1 * alpha).unsqueeze(-1) * vec2, beta, 1)


@primitive("torch.addr Tensor.addr", args="input vec1 vec2 beta alpha", out=True, inplace=True, meta=_sum_meta,
           decompose=_addr)  # fmt: skip
def addr(input, vec1, vec2, *, beta=1, alpha=1):
    """beta * input + alpha * the outer product of two vectors.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.addr.html

    >>> import torsh
    >>> torsh.addr(torsh.zeros(2, 3), torsh.tensor([1., 2.]), torsh.tensor([1., 2., 3.]))
    tensor([[1., 2., 3.],
            [2., 4., 6.]])
    """
    check_tensor(input, "addr")
    for i, v in ((1, vec1), (2, vec2)):
        if check_tensor(v, "addr", f"vec{i}", i + 1).ndim != 1:
            raise RuntimeError(f"addr: Expected 1-D argument vec{i}, but got {v.ndim}-D")
    result = dtypes.combine([input.dtype, vec1.dtype, vec2.dtype], [], [])
    for role, value in (("beta", beta), ("alpha", alpha)):
        check_alpha(result, value, role)
    if input.dtype is dtypes.bool and vec1.dtype is dtypes.bool is vec2.dtype:
        found = outer(vec1, vec2) if alpha else outer(vec1, vec2) & False
        return found | input if beta else found.expand(broadcast_shapes(input.shape, found.shape))
    shape = (vec1.shape[0], vec2.shape[0])
    _check_sum("addr", input, shape)
    if input.dtype is not vec1.dtype or input.dtype is not vec2.dtype:
        return _affine(input.to(result), outer(vec1, vec2).to(result), beta, alpha)
    if result in (dtypes.float16, dtypes.bfloat16):  # rounded after each step, as in PyTorch, the factors too
        beta, alpha = (f if f in (0, 1) else dtypes.nearest(f, result) for f in (beta, alpha))
        return _addr(input, vec1, vec2, beta, alpha)
    return (input, vec1, vec2, beta, alpha)


@composite("torch.outer Tensor.outer torch.ger Tensor.ger", out=True)
def outer(input, vec2):
    """All products of an element of one vector and an element of the other.

    input: (n,); vec2: (m,); the result is (n, m).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.outer.html

    >>> import torsh
    >>> torsh.outer(torsh.tensor([1., 2.]), torsh.tensor([1., 10., 100.]))
    tensor([[  1.,  10., 100.],
            [  2.,  20., 200.]])
    """
    if check_tensor(input, "outer").ndim != 1:
        raise RuntimeError(f"outer: Expected 1-D argument self, but got {input.ndim}-D")
    if check_tensor(vec2, "outer", "vec2", 2).ndim != 1:
        raise RuntimeError(f"outer: Expected 1-D argument vec2, but got {vec2.ndim}-D")
    return input.unsqueeze(-1) * vec2


@composite("torch.inner Tensor.inner", out=True)
def inner(input, other):
    """Sums of products over the last dimensions of two tensors.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.inner.html

    >>> import torsh
    >>> torsh.inner(torsh.tensor([[1., 2.], [3., 4.]]), torsh.tensor([1., 1.]))
    tensor([3., 7.])
    """
    check_tensor(input, "inner")
    check_tensor(other, "inner", "other", 2)
    if not input.ndim or not other.ndim:
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


# ---- contractions --------------------------------------------------------------------------------------------------


@composite("torch.tensordot", out=True)
def tensordot(a, b, dims=2):
    """Sums of products over several dimensions of two tensors.

    dims: how many of the last dimensions of ``a`` and the first of ``b``, or two lists of dimensions.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.tensordot.html

    >>> import torsh
    >>> a, b = torsh.ones(3, 4, 5), torsh.ones(4, 3, 2)
    >>> torsh.tensordot(a, b, dims=([1, 0], [0, 1])).shape
    torsh.Size([5, 2])
    """
    check_tensor(a, "tensordot", "a")
    check_tensor(b, "tensordot", "b", 2)
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, (list, tuple)):
        first, second = ([d] if isinstance(d, int) else list(d) for d in dims)
    else:
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.ndim, b.ndim):
            raise RuntimeError(
                f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims} for {a.ndim}-D and {b.ndim}-D tensors"
            )
        first, second = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    if len(first) != len(second):
        raise RuntimeError("both dimension lists should have same length")
    first, second = (list(wrap_dims(d, t.ndim)) if d else [] for d, t in ((first, a), (second, b)))
    for i, j in zip(first, second):
        if a.shape[i] != b.shape[j] and 1 not in (a.shape[i], b.shape[j]):
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.shape[i]} in dim {i} and second has size "
                f"{b.shape[j]} in dim {j}"
            )
    # A contracted dimension of one element broadcasts: sum the other's.
    for i, j in zip(first, second):
        if a.shape[i] == 1 != b.shape[j]:
            b = b.sum(j, True, dtype=b.dtype)
        elif b.shape[j] == 1 != a.shape[i]:
            a = a.sum(i, True, dtype=a.dtype)
    keep_a = [i for i in range(a.ndim) if i not in first]
    keep_b = [j for j in range(b.ndim) if j not in second]
    shape = [a.shape[i] for i in keep_a] + [b.shape[j] for j in keep_b]
    n = 1
    for i in first:
        n *= a.shape[i]
    rows, columns = 1, 1
    for i in keep_a:
        rows *= a.shape[i]
    for j in keep_b:
        columns *= b.shape[j]
    x = a.permute(keep_a + first).reshape(rows, n)
    y = b.permute(second + keep_b).reshape(n, columns)
    return matmul(x, y).reshape(shape)


@composite("torch.kron Tensor.kron", out=True)
def kron(input, other):
    """The Kronecker product: every element of ``input`` times all of ``other``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.kron.html

    >>> import torsh
    >>> torsh.kron(torsh.eye(2), torsh.tensor([[1., 2.]]))
    tensor([[1., 2., 0., 0.],
            [0., 0., 1., 2.]])
    """
    check_tensor(input, "kron")
    check_tensor(other, "kron", "other", 2)
    n = max(input.ndim, other.ndim)
    a, b = (1,) * (n - input.ndim) + tuple(input.shape), (1,) * (n - other.ndim) + tuple(other.shape)
    x = input.reshape([s for p in a for s in (p, 1)])
    y = other.reshape([s for p in b for s in (1, p)])
    return (x * y).reshape([p * q for p, q in zip(a, b)])


def chain(tensors: Sequence[Any], name: str) -> Any:
    """A product of several matrices in the order that costs least; the ends may be vectors."""
    n = len(tensors)
    if n < 2:
        raise RuntimeError(f"{name}(): expected at least 2 tensors but got {n}")
    tensors = list(tensors)
    for i, t in enumerate(tensors):
        check_tensor(t, name, "tensors")
        allowed = (1, 2) if i in (0, n - 1) else (2,)
        if t.ndim not in allowed:
            what = "1D or 2D" if len(allowed) == 2 else "2D"
            place = "the first tensor" if not i else "the last tensor" if i == n - 1 else f"tensor {i}"
            raise RuntimeError(f"{name}(): {place} must be {what} but got {t.ndim}D")
    for i, t in enumerate(tensors):
        if t.dtype is not tensors[0].dtype:
            raise RuntimeError(
                f"{name}(): all tensors must have be the same dtype but tensor 0 is {_c_name(tensors[0].dtype)} and tensor {i} "
                f"{_c_name(t.dtype)}"
            )
    same_dtype(name, *tensors)
    from_vector, to_vector = tensors[0].ndim == 1, tensors[-1].ndim == 1
    if from_vector:
        tensors[0] = tensors[0].unsqueeze(0)
    if to_vector:
        tensors[-1] = tensors[-1].unsqueeze(-1)
    for i in range(n - 1):
        a, b = tensors[i].shape, tensors[i + 1].shape
        if a[1] != b[0]:
            raise RuntimeError(
                f"{name}(): tensors {i} and {i + 1} with shapes {list(a)} and {list(b)} cannot be multiplied"
            )
    p = [tensors[0].shape[0], *(t.shape[1] for t in tensors)]
    cost = [[0] * n for _ in range(n)]
    split = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i][j], split[i][j] = min(
                (cost[i][k] + cost[k + 1][j] + p[i] * p[k + 1] * p[j + 1], k) for k in range(i, j)
            )

    def product(i: int, j: int) -> Any:
        return tensors[i] if i == j else matmul(product(i, split[i][j]), product(split[i][j] + 1, j))

    found = product(0, n - 1)
    if from_vector:
        found = found.squeeze(0)
    return found.squeeze(-1) if to_vector else found


@composite("torch.linalg.multi_dot", name="linalg_multi_dot", out="exact")
def multi_dot(tensors):
    """The product of several matrices, multiplied in the order that costs least; the first and last may be vectors.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.linalg.multi_dot.html

    >>> import torsh
    >>> torsh.linalg.multi_dot([torsh.ones(2, 100), torsh.ones(100, 3), torsh.ones(3, 1)])
    tensor([[300.],
            [300.]])
    """
    return chain(tensors, "multi_dot")


@composite("torch.chain_matmul")
def chain_matmul(*matrices, out=None):
    """The product of several matrices, multiplied in the order that costs least.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.chain_matmul.html

    >>> import torsh
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated by torch.linalg.multi_dot
    >>> torsh.chain_matmul(torsh.ones(2, 3), torsh.ones(3, 4), torsh.ones(4, 1))
    tensor([[12.],
            [12.]])
    """
    if len(matrices) == 1 and isinstance(matrices[0], (list, tuple)):
        matrices = tuple(matrices[0])
    for m in matrices:
        if check_tensor(m, "chain_matmul", "matrices").ndim != 2:
            raise RuntimeError(f"Tensor dimension is {m.ndim}, expected 2 instead.")
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    if len(matrices) == 1:
        return matrices[0]
    return multi_dot(matrices, out=out)


__all__ = ["adjoint", "broadcast_shapes", "chain", "functools", "same_dtype", "with_out"]
