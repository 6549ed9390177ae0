"""Discrete Fourier transforms.

Three primitives do all of them: complex to complex, real to complex and complex to real, each over several dimensions
and with a factor instead of a norm mode.
"""

from __future__ import annotations

import math
from typing import Any

from torsh import dtypes
from torsh.dtypes import scalar_name
from torsh.ops._args import check_tensor, wrap_dim, wrap_dims
from torsh.ops._linalg import conj
from torsh.ops._op import add_doc, composite, primitive

# ---- primitives ----------------------------------------------------------------------------------------------------


def _half(shape: Any, dim: int) -> tuple[int, ...]:
    return (*shape[:dim], shape[dim] // 2 + 1, *shape[dim + 1 :])


def _resized(shape: Any, dim: int, n: int) -> tuple[int, ...]:
    return (*shape[:dim], n, *shape[dim + 1 :])


@primitive("", name="fft_c2c", args="input dims scale forward", node_name="FftC2CBackward0",
           meta=lambda input, dims, scale, forward: (tuple(input.shape), input.dtype),
           grad={"input": lambda g, dims, scale, forward: _c2c.op(g, dims, scale, not forward)}, tags="linear")  # fmt: skip
def _c2c(input, dims, scale, forward):
    return (input, dims, scale, forward)


def _r2c_gradient(g: Any, dims: Any, scale: float, onesided: bool, size: int) -> Any:
    if onesided:
        g = resize(g, dims[-1], size)
    return _c2c.op(g, dims, scale, False).real


@primitive("", name="fft_r2c", args="input dims scale onesided size", node_name="FftR2CBackward0",
           meta=lambda input, dims, scale, onesided, size: (
               _half(tuple(input.shape), dims[-1]) if onesided else tuple(input.shape), input.dtype.to_complex()),
           grad={"input": lambda g, dims, scale, onesided, size: _r2c_gradient(
               g, dims, scale, onesided, size)}, tags="linear")  # fmt: skip
def _r2c(input, dims, scale, onesided, size):
    return (input, dims, scale, onesided, size)


def _c2r_gradient(g: Any, dims: Any, scale: float, size: int) -> Any:
    from torsh.ops.joining import cat

    last = dims[-1]
    found = _r2c.op(g, dims, scale, True, size)
    n = found.shape[last]
    twice = size - n  # these stood for themselves and their mirror images
    if twice <= 0:
        return found
    parts = [found.narrow(last, 0, 1), found.narrow(last, 1, twice) * 2, found.narrow(last, 1 + twice, n - 1 - twice)]
    return cat(parts, last)


@primitive("", name="fft_c2r", args="input dims scale size", node_name="FftC2RBackward0",
           meta=lambda input, dims, scale, size: (_resized(tuple(input.shape), dims[-1], size), input.dtype.to_real()),
           grad={"input": lambda g, dims, scale, size: _c2r_gradient(g, dims, scale, size)}, tags="linear")  # fmt: skip
def _c2r(input, dims, scale, size):
    return (input, dims, scale, size)


# ---- arguments -----------------------------------------------------------------------------------------------------


def resize(x: Any, dim: int, n: int) -> Any:
    """The tensor cut, or filled up with zeros, to length ``n`` along a dimension."""
    size = x.shape[dim]
    if n == size:
        return x
    if n < size:
        return x.narrow(dim, 0, n)
    from torsh.ops.joining import cat

    return cat([x, x.new_zeros(_resized(tuple(x.shape), dim, n - size))], dim)


def factor(norm: Any, n: int, forward: bool) -> float:
    """What a norm mode multiplies a transform of ``n`` points with."""
    if norm not in (None, "backward", "forward", "ortho"):
        raise RuntimeError(f'Invalid normalization mode: "{norm}"; it is one of backward, forward, ortho')
    if norm == "ortho":
        return 1 / math.sqrt(n)
    return 1.0 if (norm == "forward") != forward else 1 / n


def promote(x: Any, *, to_complex: bool = False) -> Any:
    """The operand in a type that has a transform."""
    dtype = x.dtype
    if dtype.category < dtypes.FLOAT:
        dtype = dtypes.get_default_dtype()
    if dtype.to_real() not in (dtypes.float32, dtypes.float64):
        raise RuntimeError(f"Unsupported dtype {scalar_name(dtype)}; convert it to float32 first")
    if to_complex:
        dtype = dtype.to_complex()
    return x if dtype is x.dtype else x.to(dtype)


def _check(name: str, input: Any, dim: Any) -> int:
    check_tensor(input, name)
    if not input.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return wrap_dim(dim, input.ndim)


def _points(n: int) -> int:
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")
    return n


def _refuse_complex(name: str, x: Any, what: str = "a real input tensor") -> None:
    if x._kind.complex:
        raise RuntimeError(f"{name} expects {what}, but got {scalar_name(x.dtype)}")


def _plan(input: Any, s: Any, dim: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The dimensions of a transform over several, and its size in each."""
    ndim = input.ndim
    if dim is not None:
        dims = () if not isinstance(dim, int) and not len(dim) else wrap_dims_unique(dim, ndim)
        if s is not None and len(s) != len(dims):
            raise RuntimeError("When given, dim and shape arguments must have the same length")
    elif s is not None:
        if len(s) > ndim:
            raise RuntimeError(f"Got shape with {len(s)} values but input tensor only has {ndim} dimensions.")
        dims = tuple(range(ndim - len(s), ndim))
    else:
        dims = tuple(range(ndim))
    sizes = tuple(input.shape[d] if s is None or s[i] == -1 else s[i] for i, d in enumerate(dims))
    for n in sizes:
        _points(n)
    return dims, sizes


def wrap_dims_unique(dim: Any, ndim: int) -> tuple[int, ...]:
    try:
        if not ndim:
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
        return wrap_dims(dim, ndim)
    except RuntimeError:
        raise RuntimeError("FFT dims must be unique") from None


def _fit(x: Any, dims: tuple[int, ...], sizes: tuple[int, ...]) -> Any:
    for d, n in zip(dims, sizes):
        x = resize(x, d, n)
    return x


def _forward(name: str, input: Any, s: Any, dim: Any, norm: Any, forward: bool) -> Any:
    """fftn and ifftn."""
    check_tensor(input, name)
    dims, sizes = _plan(input, s, dim)
    x = promote(input)
    if not dims:
        return promote(x, to_complex=True)
    x = _fit(x, dims, sizes)
    scale = factor(norm, math.prod(sizes), forward)
    if x._kind.complex:
        return _c2c.op(x, dims, scale, forward)
    found = _r2c.op(x, dims, scale, False, sizes[-1])
    return found if forward else found.conj()


def _real_forward(name: str, input: Any, s: Any, dim: Any, norm: Any, forward: bool) -> Any:
    """rfftn and ihfftn (``forward`` False)."""
    check_tensor(input, name)
    _refuse_complex(name, input, "a real-valued input tensor" if name.endswith("n") else "a real input tensor")
    dims, sizes = _plan(input, s, dim)
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    x = _fit(promote(input), dims, sizes)
    found = _r2c.op(x, dims, factor(norm, math.prod(sizes), forward), True, sizes[-1])
    return found if forward else found.conj()


def _real_backward(name: str, input: Any, s: Any, dim: Any, norm: Any, forward: bool) -> Any:
    """irfftn (``forward`` False) and hfftn."""
    check_tensor(input, name)
    ndim = input.ndim
    given = s is not None
    if dim is None:
        count = len(s) if given else ndim
        if count > ndim:
            raise RuntimeError(f"Got shape with {count} values but input tensor only has {ndim} dimensions.")
        dims = tuple(range(ndim - count, ndim))
    else:
        dims = () if not isinstance(dim, int) and not len(dim) else wrap_dims_unique(dim, ndim)
        if given and len(s) != len(dims):
            raise RuntimeError("When given, dim and shape arguments must have the same length")
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    sizes = [input.shape[d] if not given or s[i] == -1 else s[i] for i, d in enumerate(dims)]
    last = s[-1] if given and s[-1] != -1 else 2 * (input.shape[dims[-1]] - 1)
    _points(last)
    sizes[-1] = last // 2 + 1
    for n in sizes:
        _points(n)
    x = _fit(promote(input, to_complex=True), dims, tuple(sizes))
    scale = factor(norm, math.prod(sizes[:-1]) * last, forward)
    return _c2r.op(conj(x) if forward else x, dims, scale, last)


def _one(n: Any) -> Any:
    return None if n is None else (_points(n),)


# ---- one dimension -------------------------------------------------------------------------------------------------


@composite("torch.fft.fft", name="fft_fft", out=True)
def fft(input, n=None, dim=-1, norm=None):
    """The Fourier transform along a dimension, of real or complex input.

    n: length to which the input is cut or filled up with zeros.  norm: 'backward' (none, the default), 'forward' (1/n)
    or 'ortho' (1/sqrt(n)).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.fft.fft.html

    >>> import torsh
    >>> torsh.fft.fft(torsh.tensor([1., 2., 3., 4.]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j, -2.-2.j])
    >>> torsh.fft.fft(torsh.arange(4.), norm="ortho").abs()
    tensor([3.0000, 1.4142, 1.0000, 1.4142])
    """
    return _forward("fft", input, _one(n), _check("fft", input, dim), norm, True)


@composite("torch.fft.ifft", name="fft_ifft", out=True)
def ifft(input, n=None, dim=-1, norm=None):
    """The inverse Fourier transform along a dimension.

    n: pad with zeros or cut to this length first. norm: "backward" (1 / n, the default), "ortho" (1 / sqrt(n)) or "forward" (none here).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.fft.ifft.html

    >>> import torsh
    >>> torsh.fft.ifft(torsh.fft.fft(torsh.tensor([1., 2., 3., 4.]))).real
    tensor([1., 2., 3., 4.])
    """
    return _forward("ifft", input, _one(n), _check("ifft", input, dim), norm, False)


@composite("torch.fft.rfft", name="fft_rfft", out=True)
def rfft(input, n=None, dim=-1, norm=None):
    """The Fourier transform of real input: the n // 2 + 1 terms that are not mirror images.

    n: pad with zeros or cut to this length first. norm: "backward" (none here), "ortho" (1 / sqrt(n)) or "forward" (1 / n).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.fft.rfft.html

    >>> import torsh
    >>> torsh.fft.rfft(torsh.tensor([1., 2., 3., 4.]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j])
    """
    return _real_forward("rfft", input, _one(n), _check("rfft", input, dim), norm, True)


@composite("torch.fft.irfft", name="fft_irfft", out=True)
def irfft(input, n=None, dim=-1, norm=None):
    """The inverse of ``rfft``: real output of length n, by default 2 * (terms - 1).

    norm: "backward" (1 / n, the default), "ortho" (1 / sqrt(n)) or "forward" (none here).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.fft.irfft.html

    >>> import torsh
    >>> x = torsh.tensor([1., 2., 3., 4., 5.])
    >>> torsh.fft.irfft(torsh.fft.rfft(x), n=5)  # an odd length has to be given
    tensor([1., 2., 3., 4., 5.])
    """
    return _real_backward("irfft", input, _one(n), _check("irfft", input, dim), norm, False)


@composite("torch.fft.hfft", name="fft_hfft", out=True)
def hfft(input, n=None, dim=-1, norm=None):
    """The (real) Fourier transform of a signal given by the half of it that is not a mirror image.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.fft.hfft.html

    >>> import torsh
    >>> torsh.fft.hfft(torsh.tensor([1., 0., 0.]))
    tensor([1., 1., 1., 1.])
    """
    return _real_backward("hfft", input, _one(n), _check("hfft", input, dim), norm, True)


@composite("torch.fft.ihfft", name="fft_ihfft", out=True)
def ihfft(input, n=None, dim=-1, norm=None):
    """The inverse of ``hfft``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.fft.ihfft.html

    >>> import torsh
    >>> torsh.fft.ihfft(torsh.ones(4))
    tensor([1.-0.j, 0.-0.j, 0.-0.j])
    """
    return _real_forward("ihfft", input, _one(n), _check("ihfft", input, dim), norm, False)


# ---- several dimensions --------------------------------------------------------------------------------------------


@composite("torch.fft.fftn", name="fft_fftn", out=True)
def fftn(input, s=None, dim=None, norm=None):
    """The Fourier transform over several dimensions, by default all.

    s: the size in each transformed dimension (-1: as it is).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.fft.fftn.html

    >>> import torsh
    >>> torsh.fft.fftn(torsh.ones(2, 3), dim=(0,))
    tensor([[2.+0.j, 2.+0.j, 2.+0.j],
            [0.+0.j, 0.+0.j, 0.+0.j]])
    """
    return _forward("fftn", input, s, dim, norm, True)


@composite("torch.fft.ifftn", name="fft_ifftn", out=True)
def ifftn(input, s=None, dim=None, norm=None):
    """The inverse Fourier transform over several dimensions.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.fft.ifftn.html

    >>> import torsh
    >>> torsh.fft.ifftn(torsh.ones(2, 3, 4)).shape
    torsh.Size([2, 3, 4])
    """
    return _forward("ifftn", input, s, dim, norm, False)


@composite("torch.fft.rfftn", name="fft_rfftn", out=True)
def rfftn(input, s=None, dim=None, norm=None):
    """The Fourier transform of real input over several dimensions; half of the terms in the last of them.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.fft.rfftn.html

    >>> import torsh
    >>> torsh.fft.rfftn(torsh.ones(2, 4, 6)).shape
    torsh.Size([2, 4, 4])
    """
    return _real_forward("rfftn", input, s, dim, norm, True)


@composite("torch.fft.irfftn", name="fft_irfftn", out=True)
def irfftn(input, s=None, dim=None, norm=None):
    """The inverse of ``rfftn``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.fft.irfftn.html

    >>> import torsh
    >>> torsh.fft.irfftn(torsh.fft.rfftn(torsh.ones(3, 4)), s=(3, 4)).shape
    torsh.Size([3, 4])
    """
    return _real_backward("irfftn", input, s, dim, norm, False)


@composite("torch.fft.hfftn", name="fft_hfftn", out=True)
def hfftn(input, s=None, dim=None, norm=None):
    """The (real) Fourier transform over several dimensions of a signal of which half is given in the last of them.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.fft.hfftn.html

    >>> import torsh
    >>> torsh.fft.hfftn(torsh.ones(2, 3)).shape
    torsh.Size([2, 4])
    """
    return _real_backward("hfftn", input, s, dim, norm, True)


@composite("torch.fft.ihfftn", name="fft_ihfftn", out=True)
def ihfftn(input, s=None, dim=None, norm=None):
    """The inverse of ``hfftn``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.fft.ihfftn.html

    >>> import torsh
    >>> torsh.fft.ihfftn(torsh.ones(3, 5)).shape
    torsh.Size([3, 3])
    """
    return _real_forward("ihfftn", input, s, dim, norm, False)


@composite("torch.fft.fft2", name="fft_fft2", out=True)
def fft2(input, s=None, dim=(-2, -1), norm=None):
    """``fftn`` over two dimensions.

    >>> import torsh
    >>> torsh.fft.fft2(torsh.ones(2, 2))
    tensor([[4.+0.j, 0.+0.j],
            [0.+0.j, 0.+0.j]])
    """
    return _forward("fft2", input, s, dim, norm, True)


@composite("torch.fft.ifft2", name="fft_ifft2", out=True)
def ifft2(input, s=None, dim=(-2, -1), norm=None):
    """``ifftn`` over two dimensions.

    >>> import torsh
    >>> x = torsh.tensor([[1., 2.], [3., 4.]])
    >>> torsh.fft.ifft2(torsh.fft.fft2(x)).real
    tensor([[1., 2.],
            [3., 4.]])
    """
    return _forward("ifft2", input, s, dim, norm, False)


@composite("torch.fft.rfft2", name="fft_rfft2", out=True)
def rfft2(input, s=None, dim=(-2, -1), norm=None):
    """``rfftn`` over two dimensions.

    >>> import torsh
    >>> torsh.fft.rfft2(torsh.ones(4, 6)).shape
    torsh.Size([4, 4])
    """
    return _real_forward("rfftn", input, s, dim, norm, True)


@composite("torch.fft.irfft2", name="fft_irfft2", out=True)
def irfft2(input, s=None, dim=(-2, -1), norm=None):
    """``irfftn`` over two dimensions.

    >>> import torsh
    >>> torsh.fft.irfft2(torsh.fft.rfft2(torsh.eye(2)))
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _real_backward("irfftn", input, s, dim, norm, False)


@composite("torch.fft.hfft2", name="fft_hfft2", out=True)
def hfft2(input, s=None, dim=(-2, -1), norm=None):
    """``hfftn`` over two dimensions.

    >>> import torsh
    >>> torsh.fft.hfft2(torsh.ones(2, 2))
    tensor([[4., 0.],
            [0., 0.]])
    """
    return _real_backward("hfftn", input, s, dim, norm, True)


@composite("torch.fft.ihfft2", name="fft_ihfft2", out=True)
def ihfft2(input, s=None, dim=(-2, -1), norm=None):
    """``ihfftn`` over two dimensions.

    >>> import torsh
    >>> torsh.fft.ihfft2(torsh.ones(2, 4)).shape
    torsh.Size([2, 3])
    """
    return _real_forward("ihfftn", input, s, dim, norm, False)


# ---- helpers -------------------------------------------------------------------------------------------------------


def _check_frequencies(name: str, dtype: Any) -> None:
    if dtype is not None and dtype.category < dtypes.FLOAT:
        raise RuntimeError(f"{name} requires a floating point or complex dtype")


def _torch(name: str) -> Any:
    from torsh.ops import NAMES

    return NAMES["torch"][name]


@composite("torch.fft.fftfreq", name="fft_fftfreq", out=True, tags="creation")
def fftfreq(n, d=1.0, *, dtype=None, layout=None, device=None, requires_grad=False):
    """The frequencies that belong to the terms of ``fft``, for samples ``d`` apart.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.fft.fftfreq.html

    >>> import torsh
    >>> torsh.fft.fftfreq(4)
    tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """
    _check_frequencies("fftfreq", dtype)
    k = _torch("arange")(n, dtype=dtype or dtypes.get_default_dtype(), device=device)
    k = k - (_torch("arange")(n, device=device) >= (n + 1) // 2) * n
    found = (k * (1.0 / (max(n, 1) * d))).to(dtype or dtypes.get_default_dtype())
    return found.requires_grad_() if requires_grad else found


@composite("torch.fft.rfftfreq", name="fft_rfftfreq", out=True, tags="creation")
def rfftfreq(n, d=1.0, *, dtype=None, layout=None, device=None, requires_grad=False):
    """The frequencies that belong to the terms of ``rfft``, for samples ``d`` apart.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.fft.rfftfreq.html

    >>> import torsh
    >>> torsh.fft.rfftfreq(4)
    tensor([0.0000, 0.2500, 0.5000])
    """
    _check_frequencies("rfftfreq", dtype)
    k = _torch("arange")(n // 2 + 1, dtype=dtype or dtypes.get_default_dtype(), device=device)
    found = k * (1.0 / (n * d))
    return found.requires_grad_() if requires_grad else found


def _shift(input: Any, dim: Any, back: bool) -> Any:
    dims = wrap_dims(dim, input.ndim) if dim is not None else tuple(range(input.ndim))
    shifts = [(input.shape[d] + int(back)) // 2 for d in dims]
    return input.roll(shifts, dims) if dims else input.clone()


@composite("torch.fft.fftshift", name="fft_fftshift")
def fftshift(input, dim=None):
    """The terms of a transform with frequency zero in the middle.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.fft.fftshift.html

    >>> import torsh
    >>> torsh.fft.fftshift(torsh.fft.fftfreq(4))
    tensor([-0.5000, -0.2500,  0.0000,  0.2500])
    """
    return _shift(check_tensor(input, "fftshift"), dim, False)


@composite("torch.fft.ifftshift", name="fft_ifftshift")
def ifftshift(input, dim=None):
    """The inverse of ``fftshift``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.fft.ifftshift.html

    >>> import torsh
    >>> torsh.fft.ifftshift(torsh.tensor([-2, -1, 0, 1]))
    tensor([ 0,  1, -2, -1])
    """
    return _shift(check_tensor(input, "ifftshift"), dim, True)


for _f in (fft2, ifft2, rfft2, irfft2, hfft2, ihfft2):
    add_doc(_f, f"Source: https://docs.pytorch.org/docs/stable/generated/torch.fft.{_f.__name__}.html")
