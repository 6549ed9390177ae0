"""Sorting, searching in sorted sequences, unique values, counting."""

from __future__ import annotations

from typing import Any

import torch


def unique(x, inverse, counts, dim, consecutive):
    if consecutive:
        found = torch.unique_consecutive(x, return_inverse=inverse, return_counts=counts, dim=dim)
    else:
        found = torch.unique(x, True, inverse, counts, dim)
    found = iter(found if isinstance(found, tuple) else (found,))
    return next(found), next(found) if inverse else None, next(found) if counts else None


def histogramdd_counts(x, edges, weight):
    if x.device.type != "cpu":
        at = torch.zeros(x.shape[0], dtype=torch.int64, device=x.device)
        inside = torch.ones(x.shape[0], dtype=torch.bool, device=x.device)
        for d, e in enumerate(edges):
            column = x[:, d].contiguous()
            inside &= (column >= e[0]) & (column <= e[-1])
            at = at * (len(e) - 1) + torch.searchsorted(e, column, right=True).sub(1).clamp(0, len(e) - 2)
        shape = [len(e) - 1 for e in edges]
        total = 1
        for n in shape:
            total *= n
        w = None if weight is None else weight[inside]
        return torch.bincount(at[inside], w, total).to(x.dtype).reshape(shape)
    return torch.histogramdd(x, edges, weight=weight)[0]


KERNELS: dict[str, Any] = {
    "sort": lambda x, dim, descending, shape: tuple(torch.sort(x, dim=dim, descending=descending, stable=True)),
    "topk": lambda x, k, dim, largest, ordered, shape: tuple(torch.topk(x, k, dim, largest, ordered)),
    "kthvalue": lambda x, k, dim, keepdim, shape: tuple(torch.kthvalue(x, k, dim, keepdim)),
    "searchsorted": lambda sequence, values, right, out_int32, sorter: torch.searchsorted(
        sequence.contiguous(), values.contiguous(), right=right, out_int32=out_int32, sorter=sorter
    ),
    "unique_values": unique,
    "isin": lambda elements, test_elements, invert: torch.isin(elements, test_elements, invert=invert),
    "bincount": torch.bincount,
    "histc_counts": lambda x, bins, low, high: torch.histc(x, bins, low, high),
    "histogramdd_counts": histogramdd_counts,
}
