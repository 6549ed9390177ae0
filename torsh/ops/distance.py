"""Distances and similarities of vectors."""

from __future__ import annotations

from torsh.dtypes import promote_types, scalar_name
from torsh.ops._args import check_tensor
from torsh.ops._op import composite
from torsh.ops.shape import broadcast_tensors


@composite("torch.pairwise_distance torch.nn.functional.pairwise_distance")
def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """The p-norm of x1 - x2 + eps along the last dimension.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pairwise_distance.html

    >>> import torsh
    >>> torsh.pairwise_distance(torsh.tensor([[0., 0.]]), torsh.tensor([[3., 4.]]))
    tensor([5.0000])
    """
    d = x1 - x2 + eps
    return d.norm(p, max(x1.ndim, x2.ndim) - 1 if d.ndim else 0, keepdim=keepdim) if d.ndim else d.abs()


@composite("torch.cosine_similarity torch.nn.functional.cosine_similarity")
def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """The cosine of the angle between vectors along a dimension; norms count as at least ``eps``.

    x1, x2: broadcast; the result has their shape without ``dim``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cosine_similarity.html

    >>> import torsh
    >>> torsh.cosine_similarity(torsh.tensor([[1., 0.], [1., 1.]]), torsh.tensor([[1., 1.], [1., 1.]]))
    tensor([0.7071, 1.0000])
    """
    check_tensor(x1, "cosine_similarity", "x1")
    check_tensor(x2, "cosine_similarity", "x2", 2)
    common = promote_types(x1.dtype, x2.dtype)
    if not common.is_floating_point:
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {scalar_name(common)}")
    x1, x2 = x1.to(common), x2.to(common)
    if x1.shape != x2.shape:
        x1, x2 = broadcast_tensors(x1, x2)
    n1 = x1.norm(2, dim, keepdim=True).clamp_min(eps) if x1.ndim else x1.abs().clamp_min(eps)
    n2 = x2.norm(2, dim, keepdim=True).clamp_min(eps) if x2.ndim else x2.abs().clamp_min(eps)
    return ((x1 / n1) * (x2 / n2)).sum(dim)
