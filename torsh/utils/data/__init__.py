"""Loading data.  Source: https://docs.pytorch.org/docs/stable/data.html"""

import importlib

from torsh.utils.data._utils.worker import WorkerInfo
from torsh.utils.data.dataloader import DataLoader, default_collate, default_convert, get_worker_info
from torsh.utils.data.dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from torsh.utils.data.distributed import DistributedSampler
from torsh.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

# Pipes are loaded when they are first asked for.
_PIPES = (
    "DFIterDataPipe", "DataChunk", "IterDataPipe", "MapDataPipe", "argument_validation", "functional_datapipe",
    "guaranteed_datapipes_determinism", "non_deterministic", "runtime_validation", "runtime_validation_disabled",
)  # fmt: skip


def __getattr__(name: str) -> object:
    if name in _PIPES:
        from torsh.utils.data import datapipes
        from torsh.utils.data.datapipes import _base

        del datapipes  # its steps are methods of every pipe
        return globals().setdefault(name, getattr(_base, name))
    if name in ("dataset", "sampler", "dataloader", "distributed", "datapipes"):
        return importlib.import_module(f"torsh.utils.data.{name}")
    raise AttributeError(f"module 'torch.utils.data' has no attribute {name!r}")


__all__ = [
    "BatchSampler", "ChainDataset", "ConcatDataset", "DataLoader", "Dataset", "DistributedSampler", "IterableDataset",
    "RandomSampler", "Sampler", "SequentialSampler", "StackDataset", "Subset", "SubsetRandomSampler", "TensorDataset",
    "WeightedRandomSampler", "WorkerInfo", "default_collate", "default_convert", "get_worker_info", "random_split",
    *_PIPES,
]  # fmt: skip
