"""Matrix products in groups, and of scaled low-precision matrices."""

from __future__ import annotations

import enum

from torsh import dtypes
from torsh.ops._args import check_tensor
from torsh.ops._op import composite
from torsh.tensor import Tensor


class ScalingType(enum.IntEnum):
    """How scales belong to a matrix: one for all, one per row, or one per block."""

    TensorWise = 0
    RowWise = 1
    BlockWise1x16 = 2
    BlockWise1x32 = 3
    BlockWise1x128 = 4
    BlockWise128x128 = 5


class SwizzleType(enum.IntEnum):
    """How scales are laid out in memory."""

    NO_SWIZZLE = 0
    SWIZZLE_32_4_4 = 1


@composite("torch.nn.functional.grouped_mm")
def grouped_mm(mat_a, mat_b, *, offs=None, bias=None, out_dtype=None):
    """Products of groups of matrices in one call.

    Two batches (groups, m, k) and (groups, k, n) give their products.  Where an operand is a matrix, ``offs`` (groups) says where
    each group ends in it: mat_a (m, k) with mat_b (groups, k, n): rows of ``mat_a``, result (m, n); both matrices: columns of
    ``mat_a`` and rows of ``mat_b``, result (groups, m, n); mat_a (groups, m, k) with mat_b (k, n): columns, result (m, n).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.grouped_mm.html

    >>> import torsh
    >>> a, b = torsh.ones(3, 2), torsh.arange(8.0).reshape(2, 2, 2)
    >>> torsh.nn.functional.grouped_mm(a, b, offs=torsh.tensor([1, 3], dtype=torsh.int32))
    tensor([[ 2.,  4.],
            [10., 12.],
            [10., 12.]])
    """
    import torsh

    check_tensor(mat_a, "grouped_mm")
    check_tensor(mat_b, "grouped_mm")
    for name, t in (("mat_a", mat_a), ("mat_b", mat_b)):
        if t.ndim not in (2, 3):
            raise RuntimeError(f"{name} has to be 2 or 3d, got {t.ndim} dimensions")
        if t.dtype not in (dtypes.float32, dtypes.bfloat16, dtypes.float16):
            raise RuntimeError(
                f"Expected {name} to be Float32, BFloat16 or Float16 matrix, got {dtypes.scalar_name(t.dtype)}"
            )
    if mat_a.shape[-1] != mat_b.shape[-2]:
        raise RuntimeError(
            f"contraction dimension of mat_a and mat_b must match, got {mat_a.shape[-1]} and {mat_b.shape[-2]}"
        )
    if bias is not None:
        raise RuntimeError("Bias not supported yet in grouped_mm; add it to the result")
    if (offs is not None) != (mat_a.ndim == 2 or mat_b.ndim == 2):
        raise RuntimeError("Have to provide offsets if there is a 2d matrix, or no offset if both matrices are 3d")
    if offs is None:
        found = torsh.bmm(mat_a, mat_b)
    elif offs.is_meta:
        groups = offs.shape if mat_a.ndim == mat_b.ndim else ()
        found = mat_a.new_empty((*groups, mat_a.shape[-2], mat_b.shape[-1]))
    else:
        ends = offs.tolist()
        spans = list(zip([0, *ends[:-1]], ends))
        if mat_a.ndim == 2 and mat_b.ndim == 3:
            parts = [mat_a[i:j] @ b for (i, j), b in zip(spans, mat_b.unbind())]
            rest = mat_a.shape[0] - (ends[-1] if ends else 0)
            found = torsh.cat([*parts, mat_a.new_zeros((rest, mat_b.shape[-1]))]) if rest else torsh.cat(parts)
        elif mat_a.ndim == 2:
            found = torsh.stack([mat_a[:, i:j] @ mat_b[i:j] for i, j in spans])
        else:
            parts = [a @ mat_b[:, i:j] for (i, j), a in zip(spans, mat_a.unbind())]
            rest = mat_b.shape[1] - (ends[-1] if ends else 0)
            found = torsh.cat([*parts, mat_a.new_zeros((mat_a.shape[1], rest))], 1) if rest else torsh.cat(parts, 1)
    return found if out_dtype is None else found.to(out_dtype)


def _one(value, name):
    """The only member of a list, or the value itself."""
    if isinstance(value, (list, tuple)):
        if len(value) != 1:
            raise NotImplementedError(f"{name}: torsh takes one scale per matrix, got {len(value)}")
        return value[0]
    return value


def _unscaled(t, scale, recipe, swizzle, rows):
    """The values that a matrix with scales stands for, in float32; rows: whether scales of rows belong to its rows."""
    scale, recipe = _one(scale, "scaled_mm"), _one(recipe, "scaled_mm")
    if swizzle is not None and int(_one(swizzle, "scaled_mm")) != SwizzleType.NO_SWIZZLE:
        raise NotImplementedError("scaled_mm: torsh takes scales without a swizzle")
    wide = t.to(dtypes.float32)
    if recipe == ScalingType.TensorWise:
        if scale.numel() != 1:
            raise ValueError(f"scaled_mm: TensorWise scaling takes one scale, got {scale.numel()}")
        return wide * scale.reshape(())
    if recipe == ScalingType.RowWise:
        n = t.shape[-2 if rows else -1]
        if scale.numel() != n * (t.shape[0] if t.ndim == 3 else 1):
            raise ValueError(f"scaled_mm: RowWise scaling takes {n} scales, got {scale.numel()}")
        shape = (*t.shape[:-2], n, 1) if rows else (*t.shape[:-2], 1, n)
        return wide * scale.reshape(shape)
    raise NotImplementedError(
        f"scaled_mm: torsh scales by TensorWise and RowWise, not by {ScalingType(int(recipe)).name}"
    )


def scaled_mm(
    mat_a, mat_b, scale_a, scale_recipe_a, scale_b, scale_recipe_b, swizzle_a=None, swizzle_b=None, bias=None,
    output_dtype=dtypes.bfloat16, contraction_dim=(), use_fast_accum=False,
):  # fmt: skip
    """``(mat_a * scale_a) @ (mat_b * scale_b) + bias`` of low-precision matrices (m, k) and (k, n).

    scale_recipe: ``ScalingType.TensorWise`` (one scale) or ``RowWise`` (one per row of ``mat_a``, per column of ``mat_b``); the
    block recipes, which PyTorch has on some GPUs only, raise NotImplementedError.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_mm.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> a, one = torsh.eye(2).to(torsh.float8_e4m3fn), torsh.tensor(1.)
    >>> kind = F.ScalingType.TensorWise
    >>> F.scaled_mm(a, a, 2 * one, kind, one, kind)
    tensor([[2., 0.],
            [0., 2.]], dtype=torsh.bfloat16)
    """
    for name, t in (("mat_a", mat_a), ("mat_b", mat_b)):
        if not isinstance(t, Tensor) or t.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix")
    if mat_a.shape[1] != mat_b.shape[0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({mat_a.shape[0]}x{mat_a.shape[1]} and {mat_b.shape[0]}x{mat_b.shape[1]})"
        )
    a = _unscaled(mat_a, scale_a, scale_recipe_a, swizzle_a, True)
    b = _unscaled(mat_b, scale_b, scale_recipe_b, swizzle_b, False)
    found = a @ b
    if bias is not None:
        found = found + bias.to(dtypes.float32)
    return found if output_dtype is None else found.to(output_dtype)


def scaled_grouped_mm(
    mat_a, mat_b, scale_a, scale_recipe_a, scale_b, scale_recipe_b, swizzle_a=None, swizzle_b=None, bias=None, offs=None,
    output_dtype=dtypes.bfloat16, contraction_dim=(), use_fast_accum=False,
):  # fmt: skip
    """``grouped_mm`` of low-precision matrices with scales as ``scaled_mm`` takes them.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_grouped_mm.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> a, ones = torsh.ones(2, 2, 2).to(torsh.float8_e4m3fn), torsh.ones(2, 2)
    >>> kind = F.ScalingType.RowWise
    >>> F.scaled_grouped_mm(a, a, ones, kind, ones, kind).shape
    torsh.Size([2, 2, 2])
    """
    a = _unscaled(mat_a, scale_a, scale_recipe_a, swizzle_a, True)
    b = _unscaled(mat_b, scale_b, scale_recipe_b, swizzle_b, False)
    found = grouped_mm(a, b, offs=offs, bias=bias)
    return found if output_dtype is None else found.to(output_dtype)
