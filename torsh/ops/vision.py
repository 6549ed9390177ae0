"""Resampling images: interpolation, sampling at grid points, shuffling pixels."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

from torsh.dtypes import int64, scalar_name
from torsh.ops._args import check_elements, check_tensor
from torsh.ops._op import composite, primitive

# ---- interpolation ---------------------------------------------------------------------------------------------------


@primitive(
    "",
    layout="channels",
    args="input size scales mode align_corners antialias",
    grad={
        "input": lambda g, input, scales, mode, align_corners, antialias: resample_backward.op(
            g, tuple(input.shape), scales, mode, align_corners, antialias
        )
    },
    meta=lambda input, size, *rest: ((*input.shape[:2], *size), input.dtype),
    tags="linear",
)
def resample(input, size, scales, mode, align_corners, antialias):
    """Interpolate (N, C, *space) to another size; scales: the user's factors, or None where the sizes say it."""
    return (input, size, scales, mode, align_corners, antialias)


@primitive(
    "",
    layout="channels",
    args="g shape scales mode align_corners antialias",
    grad={
        "g": lambda grad, g, scales, mode, align_corners, antialias: resample.op(
            grad, tuple(g.shape[2:]), scales, mode, align_corners, antialias
        )
    },
    meta=lambda g, shape, *rest: (shape, g.dtype),
    tags="linear",
)
def resample_backward(g, shape, scales, mode, align_corners, antialias):
    """The adjoint of ``resample``."""
    return (g, shape, scales, mode, align_corners, antialias)


_LINEAR = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}


@composite("torch.nn.functional.interpolate")
def interpolate(
    input,
    size=None,
    scale_factor=None,
    mode="nearest",
    align_corners=None,
    recompute_scale_factor=None,
    antialias=False,
):
    """Resample (N, C, *space) to ``size`` or by ``scale_factor``.

    mode: "nearest", "nearest-exact", "area", "linear" (1-d), "bilinear", "bicubic" (2-d) or "trilinear" (3-d).
    align_corners: whether the corner elements' centres are kept in place.  antialias: smooth before shrinking.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> x = torsh.tensor([[[1., 2., 4.]]])
    >>> F.interpolate(x, scale_factor=2)
    tensor([[[1., 1., 2., 2., 4., 4.]]])
    >>> F.interpolate(x, size=5, mode="linear", align_corners=True)
    tensor([[[1.0000, 1.5000, 2.0000, 3.0000, 4.0000]]])
    """
    check_tensor(input, "interpolate")
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise ValueError(
                "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | "
                "trilinear"
            )
    elif align_corners is None:
        align_corners = False
    n = input.ndim - 2
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    scales: Any = None
    if size is not None:
        if isinstance(size, (list, tuple)):
            if len(size) != n:
                raise ValueError(
                    "Input and output must have the same number of spatial dimensions, but got input with spatial "
                    f"dimensions of {list(input.shape[2:])} and output size of {size}. Please provide input tensor in "
                    "(N, C, d1, d2, ...,dK) format and output size in (o1, o2, ...,oK) format."
                )
            if not all(isinstance(s, int) or hasattr(s, "__index__") for s in size):
                raise TypeError(
                    f"expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, int], but got "
                    f"size with types {[type(s) for s in size]}"
                )
            out = tuple(int(s) for s in size)
        else:
            out = (int(size),) * n
    else:
        if isinstance(scale_factor, (list, tuple)):
            if len(scale_factor) != n:
                raise ValueError(
                    "Input and scale_factor must have the same number of spatial dimensions, but got input with "
                    f"spatial dimensions of {list(input.shape[2:])} and scale_factor of shape {scale_factor}. Please "
                    "provide input tensor in (N, C, d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) "
                    "format."
                )
            scales = tuple(float(s) for s in scale_factor)
        else:
            scales = (float(scale_factor),) * n
        out = tuple([math.floor(i * s) for i, s in zip(input._data.shape[2:], scales)])
    if recompute_scale_factor:
        if scales is None:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        scales = None
    if antialias and not (mode in ("bilinear", "bicubic") and input.ndim == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input"
        )
    if mode in ("nearest", "nearest-exact"):
        if n not in (1, 2, 3):
            raise NotImplementedError(
                "Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.ndim}D) for the modes: nearest | "
                "linear | bilinear | bicubic | trilinear | area | nearest-exact (got {mode})"
            )
    elif mode == "area":
        if n not in (1, 2, 3):
            raise NotImplementedError(
                f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.ndim}D) for mode area"
            )
        from torsh.ops.pooling_adaptive import _adaptive_mean

        return _adaptive_mean(n, input, out)
    elif mode not in _LINEAR or _LINEAR[mode] != n:
        raise NotImplementedError(
            f"Got {input.ndim}D input, but {mode} mode needs {_LINEAR[mode] + 2}D input"
            if mode in _LINEAR
            else f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.ndim}D) for the modes: nearest "
            "| linear | "
            f"bilinear | bicubic | trilinear | area | nearest-exact (got {mode})"
        )
    if min(out) <= 0 or 0 in input._data.shape[2:]:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input ({list(input.shape[2:])}) output "
            f"({list(out)})"
        )
    if not input._kind.floating and not (mode.startswith("nearest") or input.dtype.name == "uint8"):
        raise NotImplementedError(
            f"\"compute_indices_weights_{mode}\" not implemented for '{scalar_name(input.dtype)}'; convert it to a "
            "floating type"
        )
    check_elements((*input.shape[:2], *out))
    return resample.op(input, out, scales or (None,) * n, mode, bool(align_corners), bool(antialias))


@composite("torch.nn.functional.upsample")
def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """The old name of interpolate.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.upsample.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated by interpolate
    >>> F.upsample(torsh.tensor([[[1., 2.]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    warnings.warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=3)
    return interpolate(input, size, scale_factor, mode, align_corners)


@composite("torch.nn.functional.upsample_nearest")
def upsample_nearest(input, size=None, scale_factor=None):
    """interpolate by the nearest element.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.upsample_nearest.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated by interpolate
    >>> F.upsample_nearest(torsh.ones(1, 1, 2, 2), scale_factor=2).shape
    torsh.Size([1, 1, 4, 4])
    """
    warnings.warn(
        "`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=3
    )
    return interpolate(input, size, scale_factor, mode="nearest")


@composite("torch.nn.functional.upsample_bilinear")
def upsample_bilinear(input, size=None, scale_factor=None):
    """Bilinear interpolate with aligned corners.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.upsample_bilinear.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated by interpolate
    >>> F.upsample_bilinear(torsh.ones(1, 1, 2, 2), scale_factor=2).shape
    torsh.Size([1, 1, 4, 4])
    """
    warnings.warn(
        "`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=3
    )
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


# ---- sampling at grid points -----------------------------------------------------------------------------------------


def _placed(c: Any, size: int, align: bool) -> Any:
    """Coordinates in [-1, 1] as positions in elements."""
    return (c + 1) * ((size - 1) / 2) if align else (c + 1) * (size / 2) - 0.5


def _reflected(c: Any, size: int, align: bool) -> Any:
    low, twice = (0.0, 2.0 * (size - 1)) if align else (0.5, 2.0 * size)
    if twice <= 0:
        return c * 0
    c = (c + low).abs()
    rest = c - (c.detach() / twice).trunc() * twice
    return (rest.minimum(twice - rest) - low).clamp(0, size - 1)


def _inside(c: Any, size: int, padding: str, align: bool) -> Any:
    if padding == "border":
        return c.clamp(0, size - 1)
    return _reflected(c, size, align) if padding == "reflection" else c


def _fetch(flat: Any, sizes: Any, index: list[Any]) -> Any:
    """Values of (N, C, S) at whole positions (floating, per dimension), 0 outside: (N, C, P)."""
    place: Any = 0
    ok: Any = None
    for i, size in zip(index, sizes):
        fits = (i >= 0) & (i <= size - 1)
        ok = fits if ok is None else ok & fits
        place = place * size + i.nan_to_num(0.0).clamp(0, size - 1).to(int64)  # nan positions count as outside
    n, c = flat.shape[:2]
    place = place.unsqueeze(1).expand(n, c, place.shape[-1])
    return flat.gather(2, place) * ok.unsqueeze(1).to(flat.dtype)


def _cubic(t: Any) -> list[Any]:
    """The weights of the four taps around a position whose fraction is t (convolution coefficient -0.75)."""
    a = -0.75
    near, far = t + 1, 2 - t
    s = 1 - t
    return [
        ((a * near - 5 * a) * near + 8 * a) * near - 4 * a,
        ((a + 2) * t - (a + 3)) * t * t + 1,
        ((a + 2) * s - (a + 3)) * s * s + 1,
        ((a * far - 5 * a) * far + 8 * a) * far - 4 * a,
    ]


def _grid_sample(input, grid, mode, padding, align):
    sizes = tuple(input.shape[2:])
    n, c = input.shape[:2]
    dims = len(sizes)
    out = tuple(grid.shape[1:-1])
    flat = input.reshape(n, c, math.prod(sizes))
    points = math.prod(out)
    # The grid's last dimension is (x, y, z): the innermost space dimension first.
    raw = [_placed(grid[..., dims - 1 - d].reshape(n, points), sizes[d], align) for d in range(dims)]
    total: Any = 0
    if mode == "bicubic":
        floors = [p.detach().floor() for p in raw]
        weights = [_cubic(p - f) for p, f in zip(raw, floors)]
        taps = [[_inside(f + (t - 1), s, padding, align) for t in range(4)] for f, s in zip(floors, sizes)]
        for row, down in zip(taps[0], weights[0]):
            along: Any = 0
            for column, w in zip(taps[1], weights[1]):
                along = along + _fetch(flat, sizes, [row, column]) * w.unsqueeze(1)
            total = total + along * down.unsqueeze(1)
        return total.reshape(n, c, *out)
    places = [_inside(p, s, padding, align) for p, s in zip(raw, sizes)]
    if mode == "nearest":
        return _fetch(flat, sizes, [p.detach().round() for p in places]).reshape(n, c, *out)
    floors = [p.detach().floor() for p in places]
    parts = [p - f for p, f in zip(places, floors)]
    for corner in itertools.product(range(2), repeat=dims):
        w: Any = 1.0
        for part, b in zip(reversed(parts), reversed(corner)):
            w = w * (part if b else 1 - part)
        total = total + _fetch(flat, sizes, [f + b for f, b in zip(floors, corner)]) * w.unsqueeze(1)
    return total.reshape(n, c, *out)


_GRID_MODES = ("bilinear", "nearest", "bicubic")
_GRID_PADDING = ("zeros", "border", "reflection")


@composite("torch.nn.functional.grid_sample", name="functional_grid_sample")
def grid_sample_function(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """The input at the points of a grid, whose coordinates run from -1 to 1.

    input: (N, C, H, W) or (N, C, D, H, W).  grid: (N, *out, 2 or 3), the coordinates in the order x, y, z.
    mode: "bilinear", "nearest" or "bicubic" (images only).  padding_mode: "zeros", "border" or "reflection".
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> x = torsh.tensor([[[[1., 2.], [3., 4.]]]])
    >>> F.grid_sample(x, torsh.tensor([[[[0., 0.]]]]), align_corners=True)  # the centre
    tensor([[[[2.5000]]]])
    """
    if mode not in _GRID_MODES:
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in _GRID_PADDING:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please "
            "specify "
            "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.",
            stacklevel=3,
        )
        align_corners = False
    return _sampled(input, grid, mode, padding_mode, align_corners)


@composite("torch.grid_sampler torch.grid_sampler_2d torch.grid_sampler_3d")
def grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners):
    """nn.functional.grid_sample with modes as numbers.

    interpolation_mode: 0 bilinear, 1 nearest, 2 bicubic; padding_mode: 0 zeros, 1 border, 2 reflection.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.grid_sampler(torsh.ones(1, 1, 2, 2), torsh.zeros(1, 3, 3, 2), 0, 0, False).shape
    torsh.Size([1, 1, 3, 3])
    """
    return _sampled(input, grid, _GRID_MODES[interpolation_mode], _GRID_PADDING[padding_mode], align_corners)


def _sampled(input, grid, mode, padding, align):
    check_tensor(input, "grid_sampler")
    check_tensor(grid, "grid_sampler", "grid", 2)
    if input.dtype is not grid.dtype:
        raise RuntimeError(
            f"grid_sampler(): expected input and grid to have same dtype, but input has {scalar_name(input.dtype)} "
            f"and grid has {scalar_name(grid.dtype)}"
        )
    misfit = RuntimeError(
        "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes "
        f"{list(input.shape)} and grid with sizes {list(grid.shape)}"
    )
    if not input.ndim or not grid.ndim:
        raise misfit
    if input.shape[0] != grid.shape[0]:
        raise RuntimeError(
            "grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
            f"{list(input.shape)} and grid with sizes {list(grid.shape)}"
        )
    if grid.shape[-1] != input.ndim - 2:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {input.ndim - 2} in last dimension, but got grid with sizes "
            f"{list(grid.shape)}"
        )
    if input.ndim not in (4, 5) or input.ndim != grid.ndim:
        raise misfit
    if 0 in input.shape[2:]:
        raise RuntimeError(
            "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes "
            f"{list(input.shape)}"
        )
    if mode == "bicubic" and input.ndim == 5:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    return _grid_sample(input, grid, mode, padding, align)


@composite("torch.nn.functional.affine_grid", name="functional_affine_grid")
def affine_grid_function(theta, size, align_corners=None):
    """The grid of points that affine maps send an output's points to, for grid_sample.

    theta: (N, 2, 3) or (N, 3, 4).  size: the output's, (N, C, H, W) or (N, C, D, H, W).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.affine_grid.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> theta = torsh.tensor([[[1., 0., 0.], [0., 1., 0.]]])
    >>> F.affine_grid(theta, (1, 1, 2, 2), align_corners=True)[0, 0]
    tensor([[-1., -1.],
            [ 1., -1.]])
    """
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please "
            "specify "
            "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.",
            stacklevel=3,
        )
        align_corners = False
    if not theta._kind.floating:
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    size = tuple(size)
    if len(size) not in (4, 5):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size "
            f"{list(size)}."
        )
    dims = len(size) - 2
    if theta.ndim != 3 or tuple(theta.shape[1:]) != (dims, dims + 1):
        raise ValueError(
            f"Expected a batch of {dims}D affine matrices of shape Nx{dims}x{dims + 1} for size {list(size)}. Got "
            f"{list(theta.shape)}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {list(size)}")
    if align_corners and min(size[2:]) == 1:
        warnings.warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. This is not an "
            "intended use case of affine_grid. See the documentation of affine_grid for details.",
            stacklevel=3,
        )
    return _affine_grid(theta, size, align_corners)


@composite("torch.affine_grid_generator")
def affine_grid_generator(theta, size, align_corners):
    """nn.functional.affine_grid with all arguments given.

    theta: (N, 2, 3); size: the output's (N, C, H, W), or one dimension more of both; the result is (N, H, W, 2).
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.affine_grid_generator(torsh.eye(2, 3)[None], (1, 1, 2, 2), True).shape
    torsh.Size([1, 2, 2, 2])
    """
    return _affine_grid(theta, tuple(size), align_corners)


def _affine_grid(theta, size, align):
    from torsh.ops.creation import linspace

    space = size[2:]
    n, dims = size[0], len(space)
    out: Any = 0
    for d, length in enumerate(space):
        line = (
            linspace(-1, 1, length, dtype=theta.dtype, device=theta.device)
            if length > 1
            else theta.detach().new_zeros((1,))
        )
        if not align:
            line = (line * (length - 1) / length).to(theta.dtype)
        shape = [1] * (dims + 2)
        shape[1 + d] = length
        out = out + line.reshape(shape) * theta[:, :, dims - 1 - d].reshape(n, *(1,) * dims, dims)
    return out + theta[:, :, dims].reshape(n, *(1,) * dims, dims)


# ---- shuffling pixels ------------------------------------------------------------------------------------------------


@composite("torch.pixel_shuffle torch.nn.functional.pixel_shuffle", layout="channels")
def pixel_shuffle(input, upscale_factor):
    """(*, C r², H, W) to (*, C, H r, W r): channels become pixels.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pixel_shuffle.html

    >>> import torsh
    >>> torsh.pixel_shuffle(torsh.zeros(1, 8, 2, 2), 2).shape
    torsh.Size([1, 2, 4, 4])
    """
    r = upscale_factor
    if input.ndim < 3:
        raise RuntimeError(
            f"pixel_shuffle expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    if r * r >= 1 << 63:
        raise ValueError(f"upscale factor is too large, (upscale_factor)^2 overflowed: upscale_factor={r}")
    *lead, c, h, w = input.shape
    if c % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={c} is not divisible by {r * r}"
        )
    n = len(lead)
    x = input.reshape(*lead, c // (r * r), r, r, h, w)
    return x.permute(*range(n), n, n + 3, n + 1, n + 4, n + 2).reshape(*lead, c // (r * r), h * r, w * r)


@composite("torch.pixel_unshuffle torch.nn.functional.pixel_unshuffle", layout="rows")
def pixel_unshuffle(input, downscale_factor):
    """(*, C, H r, W r) to (*, C r², H, W): pixels become channels.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pixel_unshuffle.html

    >>> import torsh
    >>> torsh.pixel_unshuffle(torsh.zeros(1, 2, 4, 4), 2).shape
    torsh.Size([1, 8, 2, 2])
    """
    r = downscale_factor
    if input.ndim < 3:
        raise RuntimeError(
            f"pixel_unshuffle expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *lead, c, h, w = input.shape
    for what, at, size in (("height", -2, h), ("width", -1, w)):
        if size % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {what} to be divisible by downscale_factor, but input.size({at})={size} is "
                f"not divisible by {r}"
            )
    n = len(lead)
    x = input.reshape(*lead, c, h // r, r, w // r, r)
    return x.permute(*range(n), n, n + 2, n + 4, n + 1, n + 3).reshape(*lead, c * r * r, h // r, w // r)


@composite(
    "torch.channel_shuffle torch.nn.functional.channel_shuffle torch.native_channel_shuffle "
    "torch.nn.functional.native_channel_shuffle",
    layout="channels",
)
def channel_shuffle(input, groups):
    """Interleave groups of channels of (N, C, *).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.channel_shuffle.html

    >>> import torsh
    >>> torsh.channel_shuffle(torsh.arange(4.).reshape(1, 4, 1, 1), 2).flatten()
    tensor([0., 2., 1., 3.])
    """
    if input.ndim < 3:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(input.shape)}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    n, c, *space = input.shape
    if c % groups:
        raise RuntimeError(f"Number of channels must be divisible by groups. Got {c} channels and {groups} groups.")
    return input.reshape(n, groups, c // groups, *space).transpose(1, 2).reshape(n, c, *space)


# ---- patches ---------------------------------------------------------------------------------------------------------


def _count(space: Any, kernel: Any, dilation: Any, padding: Any, stride: Any) -> tuple[int, ...]:
    return tuple(
        (i + 2 * p - d * (k - 1) - 1) // s + 1 for i, k, d, p, s in zip(space, kernel, dilation, padding, stride)
    )


@primitive(
    "",
    args="input kernel dilation padding stride",
    grad={
        "input": lambda g, input, kernel, dilation, padding, stride: col2im.op(
            g, tuple(input.shape[2:]), kernel, dilation, padding, stride
        )
    },
    meta=lambda input, kernel, dilation, padding, stride: (
        (
            input.shape[0],
            input.shape[1] * math.prod(kernel),
            math.prod(_count(input.shape[2:], kernel, dilation, padding, stride)),
        ),
        input.dtype,
    ),
    tags="linear",
)
def im2col(input, kernel, dilation, padding, stride):
    """All patches of images, as columns."""
    return (input, kernel, dilation, padding, stride)


@primitive(
    "",
    args="input size kernel dilation padding stride",
    grad={"input": lambda g, kernel, dilation, padding, stride: im2col.op(g, kernel, dilation, padding, stride)},
    meta=lambda input, size, kernel, dilation, padding, stride: (
        (input.shape[0], input.shape[1] // math.prod(kernel), *size),
        input.dtype,
    ),
    tags="linear",
)
def col2im(input, size, kernel, dilation, padding, stride):
    """Add up patches at their places."""
    return (input, size, kernel, dilation, padding, stride)


def _two(value: Any, name: str) -> tuple[int, int]:
    found = (int(value),) * 2 if isinstance(value, int) else tuple(int(v) for v in value)
    if len(found) == 1:
        found *= 2
    if len(found) != 2:
        raise RuntimeError(f"It is expected {name} equals to 2, but got size {len(found)}")
    return found  # type: ignore[return-value]


def _patch_arguments(kernel_size, dilation, padding, stride):
    found = (
        _two(kernel_size, "kernel_size"),
        _two(dilation, "dilation"),
        _two(padding, "padding"),
        _two(stride, "stride"),
    )
    for name, values, least in zip(("kernel_size", "dilation", "padding", "stride"), found, (1, 1, 0, 1)):
        if min(values) < least:
            wanted = "non-negative" if least == 0 else "greater than zero"
            raise RuntimeError(
                f"{name} should be {wanted}, but got {name}_height: {values[0]} {name}_width: {values[1]}"
            )
    return found


@composite("torch.nn.functional.unfold torch._C._nn.im2col", name="functional_unfold")
def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """All patches of images as columns: (N, C, H, W) to (N, C * KH * KW, patches); also without N.

    kernel_size, dilation, padding, stride: an int or a pair.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.unfold.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.unfold(torsh.zeros(1, 3, 4, 4), kernel_size=2).shape
    torsh.Size([1, 12, 9])
    """
    check_tensor(input, "im2col")
    kernel, dilation, padding, stride = _patch_arguments(kernel_size, dilation, padding, stride)
    if input.ndim not in (3, 4) or 0 in input.shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for "
            f"input, but got: {list(input.shape)}"
        )
    x = input if input.ndim == 4 else input.unsqueeze(0)
    count = _count(x.shape[2:], kernel, dilation, padding, stride)
    if min(count) < 1:
        raise RuntimeError(
            f"Given input with spatial size {tuple(x.shape[2:])}, kernel_size={kernel}, dilation={dilation}, "
            f"padding={padding}, stride={stride}, calculated shape of the array of sliding blocks as {count}, but its "
            "components must be at least one."
        )
    out = im2col.op(x, kernel, dilation, padding, stride)
    return out if input.ndim == 4 else out.squeeze(0)


@composite("torch.nn.functional.fold torch._C._nn.col2im")
def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Add up patches at their places: (N, C * KH * KW, patches) to (N, C, *output_size); also without N.

    The parameters are those of :func:`unfold`; output_size: (H, W).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.fold.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> x = torsh.ones(1, 4, 4)  # (N, C * kernel, blocks)
    >>> F.fold(x, output_size=(3, 3), kernel_size=2)  # overlaps are added up
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])
    """
    check_tensor(input, "col2im")
    size = _two(output_size, "output_size")
    kernel, dilation, padding, stride = _patch_arguments(kernel_size, dilation, padding, stride)
    if input.ndim not in (2, 3) or 0 in input.shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
            f"input, but got: {list(input.shape)}"
        )
    x = input if input.ndim == 3 else input.unsqueeze(0)
    if x.shape[1] % math.prod(kernel):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={x.shape[1]} and kernel_size={kernel}."
        )
    count = _count(size, kernel, dilation, padding, stride)
    if min(count) < 1:
        raise RuntimeError(
            f"Given output_size={size}, kernel_size={kernel}, dilation={dilation}, padding={padding}, stride={stride}, calculated "
            f"shape of the array of sliding blocks as ({count[0]}, {count[1]}), which is too small (non-positive)"
        )
    if math.prod(count) != x.shape[2]:
        raise RuntimeError(
            f"Given output_size={size}, kernel_size={kernel}, dilation={dilation}, padding={padding}, "
            f"stride={stride}, expected size of input's dimension 2 to match the calculated number of sliding blocks "
            f"{count[0]} * {count[1]} = {math.prod(count)}, but got input.size(2)={x.shape[2]}."
        )
    out = col2im.op(x, size, kernel, dilation, padding, stride)
    return out if input.ndim == 3 else out.squeeze(0)
