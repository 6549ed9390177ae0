"""Models on several devices.  Source: https://docs.pytorch.org/docs/stable/nn.html#dataparallel-layers-multi-gpu-distributed"""

from __future__ import annotations

from torsh.nn.parallel.data_parallel import DataParallel, data_parallel
from torsh.nn.parallel.distributed import DistributedDataParallel
from torsh.nn.parallel.scatter_gather import gather, scatter

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel", "gather", "scatter"]
