"""Gathering and scattering along a dimension, filling by masks."""

from __future__ import annotations

from typing import Any

import torch


def scatter(x, dim, index, src, reduce):
    if reduce is None:
        return torch.scatter(x, dim, index, src)
    return torch.scatter(x, dim, index, src, reduce="add" if reduce == "sum" else "multiply")


def scatter_(x, dim, index, src, reduce):
    if reduce is None:
        return x.scatter_(dim, index, src)
    return x.scatter_(dim, index, src, reduce="add" if reduce == "sum" else "multiply")


KERNELS: dict[str, Any] = {
    "gather": lambda x, dim, index, shape: torch.gather(x, dim, index),
    "scatter": scatter,
    "scatter_": scatter_,
    "scatter_add": torch.scatter_add,
    "scatter_add_": lambda x, *a: x.scatter_add_(*a),
    "scatter_reduce": lambda x, dim, index, src, reduce, include: torch.scatter_reduce(
        x, dim, index, src, reduce, include_self=include
    ),
    "scatter_reduce_": lambda x, dim, index, src, reduce, include: x.scatter_reduce_(
        dim, index, src, reduce, include_self=include
    ),
    "index_select": lambda x, dim, index, shape: torch.index_select(x, dim, index),
    "index_add": lambda x, dim, index, source, alpha: torch.index_add(x, dim, index, source, alpha=alpha),
    "index_add_": lambda x, dim, index, source, alpha: x.index_add_(dim, index, source, alpha=alpha),
    "index_copy": torch.index_copy,
    "index_copy_": lambda x, *a: x.index_copy_(*a),
    "index_fill": torch.index_fill,
    "index_fill_": lambda x, *a: x.index_fill_(*a),
    "masked_fill": torch.masked_fill,
    "masked_fill_": lambda x, *a: x.masked_fill_(*a),
    "masked_scatter": torch.masked_scatter,
    "masked_scatter_": lambda x, *a: x.masked_scatter_(*a),
    "take": lambda x, index, shape: torch.take(x, index),
}
