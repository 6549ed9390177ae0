"""Dask as a backend: lazy, chunked, on threads or on a cluster.

Nothing is computed until a value is asked for (``item``, ``numpy``, ``tolist``, ``bool``, ``print``).  What is then computed
takes everything with it that was written in place and rests on the same work (parameters, optimizer state, running
statistics), so that a training loop that reads its loss once a step computes every step once.
"""

from torsh_dask.backend import DaskBackend
from torsh_dask.cluster import connect, disconnect
from torsh_dask.convert import from_dask, persist, to_dask
from torsh_dask.statistics import reset_statistics, statistics

__all__ = [
    "DaskBackend", "connect", "disconnect", "from_dask", "persist", "reset_statistics", "statistics", "to_dask",
]  # fmt: skip
