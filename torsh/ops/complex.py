"""Complex numbers: parts, conjugates, views as real.

Gradients follow PyTorch's convention: the gradient of a real loss with respect to z = x + iy is dL/dx + i dL/dy.
``conj`` is a view whose values are computed when they are read (``torsh/lazy_conj.py``), as in PyTorch.
"""

from __future__ import annotations

from typing import Any

from torsh import dtypes
from torsh.autograd.grad_mode import thread
from torsh.dtypes import scalar_name
from torsh.lazy_conj import CONJ, NEG, conj_view, has_bit, neg_view
from torsh.ops._args import check_tensor
from torsh.ops._op import composite
from torsh.ops._pointwise import FLOAT, Pointwise, binary, mismatch, unary
from torsh.ops._view import View
from torsh.ops.arithmetic import where, zeros
from torsh.ops.pointwise import abs, cos, sin
from torsh.tensor import Tensor, check_overlap, new


class RetypedView(View):
    """A view whose element type differs from its base's: geometry in elements cannot describe it, so it is made
    again."""

    # Whether the view of a conjugate is negated; None: there is none.
    of_conj: bool | None = False

    def _run(self, input: Tensor, *params: Any) -> Tensor:
        from torsh.autograd.views import replay_of

        if input._bits & CONJ:
            if self.of_conj is None:
                raise RuntimeError(
                    "view_as_real doesn't work on unresolved conjugated tensors.  To resolve the conjugate tensor so you can "
                    "view it as real, use self.resolve_conj(); however, be warned that the resulting tensor will NOT alias "
                    "the original."
                )
            out = self._run(conj_view._run(input))
            return neg_view._run(out) if self.of_conj else out
        if input._bits & NEG:
            return neg_view._run(self._run(neg_view._run(input)))
        out = super()._run(input, *params)
        before = replay_of(input)
        out._replay = lambda base: self(before(base), *params)
        out._kind = input._kind.place[input._kind.backend.dtype_of(out._data)]
        return out


def _view(name: str, grad: Any, meta: Any) -> RetypedView:
    return RetypedView(name, None, ("input",), grads={"input": grad}, meta=meta, tags=("view",))


def _imaginary(g: Any) -> Any:
    return complex_of(zeros(g), g)


_real_part = _view(
    "real_part", lambda g: g.to(g.dtype.to_complex()), lambda input: (input.shape, input.dtype.to_real())
)
_imag_part = _view("imag_part", lambda g: _imaginary(g), lambda input: (input.shape, input.dtype.to_real()))
_as_real = _view(
    "view_as_real", lambda g: view_as_complex(g.contiguous()), lambda input: ((*input.shape, 2), input.dtype.to_real())
)
_as_complex = _view(
    "view_as_complex",
    lambda g: view_as_real(g.resolve_conj()),
    lambda input: (input.shape[:-1], input.dtype.to_complex()),
)
_imag_part.of_conj = True
_as_real.of_conj = None


@composite("torch.real", tags="view")
def real(input):
    """The real part, a view; a real tensor itself.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.real.html

    >>> import torsh
    >>> torsh.real(torsh.tensor([1. + 2.j]))
    tensor([1.])
    """
    return _real_part(input) if check_tensor(input, "real")._kind.complex else input


@composite("torch.imag", tags="view")
def imag(input):
    """The imaginary part, a view; RuntimeError for real tensors.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.imag.html

    >>> import torsh
    >>> z = torsh.tensor([1. + 2.j])
    >>> torsh.imag(z)
    tensor([2.])
    >>> z.imag[0] = 5.  # a view: the write is seen by z
    >>> z
    tensor([1.+5.j])
    """
    if not check_tensor(input, "imag")._kind.complex:
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return _imag_part(input)


@composite("torch.view_as_real", name="view_as_real_checked", tags="view")
def view_as_real(input):
    """A view of a complex tensor with a last dimension of size 2: real and imaginary parts.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.view_as_real.html

    >>> import torsh
    >>> torsh.view_as_real(torsh.tensor([1. + 2.j, 3. + 4.j]))
    tensor([[1., 2.],
            [3., 4.]])
    """
    if not check_tensor(input, "view_as_real")._kind.complex:
        raise RuntimeError("view_as_real is only supported for complex tensors")
    return _as_real(input)


@composite("torch.view_as_complex", name="view_as_complex_checked", tags="view")
def view_as_complex(input):
    """A complex view of a floating tensor whose last dimension, of size 2 and stride 1, holds real and imaginary parts.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.view_as_complex.html

    >>> import torsh
    >>> torsh.view_as_complex(torsh.tensor([[1., 2.], [3., 4.]]))
    tensor([1.+2.j, 3.+4.j])
    """
    dtype = check_tensor(input, "view_as_complex").dtype
    if dtype not in (dtypes.float16, dtypes.float32, dtypes.float64):
        raise RuntimeError(
            f"view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar "
            f"type: {scalar_name(dtype)}"
        )
    shape, strides = tuple(input.shape), input.stride()
    if not shape:
        raise RuntimeError("Input tensor must have one or more dimensions")
    if shape[-1] != 2:
        raise RuntimeError(f"Tensor must have a last dimension of size 2; the shape is {list(shape)}")
    if strides[-1] != 1:
        raise RuntimeError(f"Tensor must have a last dimension with stride 1; strides are {list(strides)}")
    if any(s % 2 for s in strides[:-1]):
        raise RuntimeError(
            f"Tensor must have a stride divisible by 2 for all but last dimension; strides are {list(strides)}"
        )
    return _as_complex(input)


def _real_property(self: Tensor) -> Tensor:
    """The real part, a view; a real tensor itself.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.real.html

    >>> import torsh
    >>> torsh.tensor([1. + 2.j, 3.]).real
    tensor([1., 3.])
    """
    return real(self)


def _imag_property(self: Tensor) -> Tensor:
    """The imaginary part, a view; RuntimeError for real tensors.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.imag.html

    >>> import torsh
    >>> torsh.tensor([1. + 2.j, 3.]).imag
    tensor([2., 0.])
    """
    return imag(self)


Tensor.real = property(_real_property, lambda self, value: _set(real(self), value))  # type: ignore[attr-defined]
Tensor.imag = property(_imag_property, lambda self, value: _set(imag(self), value))  # type: ignore[attr-defined]


def _set(part: Tensor, value: Any) -> None:
    check_overlap(part)
    part.copy_(value) if isinstance(value, Tensor) else part.fill_(value)


@unary("torch.conj_physical Tensor.conj_physical", grad=lambda g: g.conj(), tags="linear")
def conj_physical(input):
    """The conjugate, computed at once.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.conj_physical.html

    >>> import torsh
    >>> torsh.conj_physical(torsh.tensor([1. + 2.j]))
    tensor([1.-2.j])
    """


@composite("torch._conj_physical Tensor._conj_physical", name="_conj_physical")
def _conj_physical(input):
    """``conj_physical``, for programs that call it by this name."""
    return conj_physical(input)


@composite("torch.conj Tensor.conj", tags="view")
def conj(input):
    """The conjugate, a view: it shares memory with the input and is computed when it is read.  A real tensor itself.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.conj.html

    >>> import torsh
    >>> x = torsh.tensor([1. + 2.j])
    >>> x.conj()
    tensor([1.-2.j])
    >>> x.conj()[0] = 3. - 4.j
    >>> x
    tensor([3.+4.j])
    """
    return conj_view(input) if check_tensor(input, "conj")._kind.complex else input


@composite("torch._conj Tensor._conj", name="_conj", tags="view")
def _conj(input):
    """``conj`` of a complex tensor; RuntimeError for any other."""
    if not check_tensor(input, "_conj")._kind.complex:
        raise RuntimeError(f"_conj(): expected a complex tensor, but got {scalar_name(input.dtype)}; use conj()")
    return conj_view(input)


@composite("torch._neg_view Tensor._neg_view", name="_neg_view", tags="view")
def _neg_view(input):
    """The negative, a view: it shares memory with the input and is computed when it is read."""
    return neg_view(check_tensor(input, "_neg_view"))


@composite("torch.resolve_conj Tensor.resolve_conj")
def resolve_conj(input):
    """A copy with the conjugation computed; the tensor itself where none is pending.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.resolve_conj.html

    >>> import torsh
    >>> x = torsh.tensor([1. + 2.j]).conj()
    >>> x.is_conj(), x.resolve_conj().is_conj()
    (True, False)
    """
    return input.clone() if has_bit(check_tensor(input, "resolve_conj"), CONJ) else input


@composite("torch.resolve_neg Tensor.resolve_neg")
def resolve_neg(input):
    """A copy with the negation computed; the tensor itself where none is pending.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.resolve_neg.html

    >>> import torsh
    >>> torsh.tensor([1. + 2.j]).conj().imag.resolve_neg()
    tensor([-2.])
    """
    return input.clone() if has_bit(check_tensor(input, "resolve_neg"), NEG) else input


@composite("torch.is_conj Tensor.is_conj", tags="nondifferentiable")
def is_conj(input):
    """Whether a conjugation is pending: the tensor is a conjugated view that nobody has computed.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.is_conj.html

    >>> import torsh
    >>> x = torsh.tensor([1. + 2.j])
    >>> torsh.is_conj(x), torsh.is_conj(x.conj()), torsh.is_conj(x.conj_physical())
    (False, True, False)
    """
    return has_bit(check_tensor(input, "is_conj"), CONJ)


@composite("torch.is_neg Tensor.is_neg", tags="nondifferentiable")
def is_neg(input):
    """Whether a negation is pending, as in the imaginary part of a conjugated view.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> x = torsh.tensor([1. + 2.j])
    >>> torsh.is_neg(x.imag), torsh.is_neg(x.conj().imag)
    (False, True)
    """
    return has_bit(check_tensor(input, "is_neg"), NEG)


def _angle_grad(g: Any, input: Any) -> Any:
    if not input._kind.complex:
        return zeros(g)
    size = abs(input)
    return where(size == 0, 0, _imaginary(g) * input / (size * size))


class _Angle(Pointwise):
    """Integers become floats, complex numbers real: two of the template's promotions at once."""

    def out_kind(self, kind: Any) -> Any:
        return kind.place[kind.dtype.to_real()]


@unary("torch.angle Tensor.angle", FLOAT, grad=_angle_grad, inplace=False, template=_Angle)
def angle(input):
    """The angle of a complex number in radians; of a real number 0, pi or nan.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.angle.html

    >>> import torsh
    >>> torsh.angle(torsh.tensor([1.j, -1. + 0.j]))
    tensor([1.5708, 3.1416])
    """


class _Complex(Pointwise):
    """Two real operands, a complex result."""

    def _run(self, real: Any, imag: Any) -> Any:
        if (
            type(real) is Tensor and type(imag) is Tensor and real._kind is imag._kind and real._kind.dtype in _PARTS
        ):  # the usual call
            kind = real._kind
            try:
                found = self.kernels[kind](real._data, imag._data)
            except (ValueError, MemoryError) as e:
                raise mismatch(e, (real._data, imag._data)) from None
            out = new(Tensor)
            out._data = found if type(found) is kind.raw_type else kind.as_raw(found)
            out._kind = kind.place[_PARTS[kind.dtype]]
            out._rg = False
            if (real._rg or imag._rg) and thread.enabled:
                self.record((real, imag), (out,))
            return out
        return super()._run(real, imag)

    def out_kind(self, kind: Any) -> Any:
        return kind.place[kind.dtype.to_complex()]


_PARTS = {t: t.to_complex() for t in (dtypes.float32, dtypes.float64)}


def _check_parts(name: str, input: Any, other: Any, second: str) -> None:
    check_tensor(input, name)
    check_tensor(other, name, second, 2)
    for t in (input, other):
        if t.dtype not in (dtypes.float16, dtypes.float32, dtypes.float64):
            raise RuntimeError(
                f"Expected both inputs to be Half, Float or Double tensors but got {scalar_name(input.dtype)} and "
                f"{scalar_name(other.dtype)}"
            )
    if input.dtype is not other.dtype:
        raise RuntimeError(
            f"Expected object of scalar type {scalar_name(input.dtype)} but got scalar type {scalar_name(other.dtype)} "
            f"for second argument ({second})"
        )


def _as_parts(kind: Any, args: tuple[Any, ...]) -> None:
    _check_parts("complex", *args, "imag")


@binary(
    "torch.complex",
    "parts",
    grad={"real": lambda g: g.real, "imag": lambda g: g.imag},
    name="complex",
    out="object",
    inplace=False,
    numbers="none",
    validate=_as_parts,
    template=_Complex,
    tags="linear",
)
def complex_of(real, imag):
    """The complex tensor with these parts; both are float16, float32 or float64 and of one dtype (RuntimeError).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.complex.html

    >>> import torsh
    >>> torsh.complex(torsh.tensor([1., 2.]), torsh.tensor([3., 4.]))
    tensor([1.+3.j, 2.+4.j])
    """


@composite("torch.polar", out="object")
def polar(abs, angle):
    """The complex tensor with this size and angle: ``abs * exp(i * angle)``.

    abs, angle: float32 or float64, of one dtype, in radians. The result is complex64 or complex128.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.polar.html

    >>> import torsh
    >>> torsh.polar(torsh.tensor([2.]), torsh.tensor([0.]))
    tensor([2.+0.j])
    """
    _check_parts("polar", abs, angle, "angle")
    return complex_of(abs * cos(angle), abs * sin(angle))
