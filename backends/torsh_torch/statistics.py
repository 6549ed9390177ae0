"""Kernels of order statistics, norms and distances."""

import torch


def euclidean(a, b, exact):
    mode = "donot_use_mm_for_euclid_dist" if exact else "use_mm_for_euclid_dist"
    return torch.cdist(a, b, 2.0, mode)


KERNELS = {
    "median_op": lambda x, shape: torch.median(x),
    "nanmedian_op": lambda x, shape: torch.nanmedian(x),
    "median_dim": lambda x, dim, keepdim, shape: tuple(torch.median(x, dim, keepdim)),
    "nanmedian_dim": lambda x, dim, keepdim, shape: tuple(torch.nanmedian(x, dim, keepdim)),
    "vector_norm": lambda x, ord, dim, keepdim, shape: torch.linalg.vector_norm(x, ord, dim, keepdim),
    "euclidean": euclidean,
}
