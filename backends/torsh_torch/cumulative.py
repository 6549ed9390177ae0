"""Kernels of running sums, products and extremes."""

import torch

KERNELS = {
    "cumsum_op": torch.cumsum,
    "cumprod_op": torch.cumprod,
    "cummax": lambda x, dim, shape: tuple(torch.cummax(x, dim)),
    "cummin": lambda x, dim, shape: tuple(torch.cummin(x, dim)),
    "logcumsumexp": torch.logcumsumexp,
}
