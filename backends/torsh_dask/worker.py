"""What a worker process imports before it takes tasks."""

from __future__ import annotations

import dask.array  # noqa: F401

import torsh_dask  # noqa: F401
