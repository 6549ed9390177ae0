"""Models on several devices.  Source: https://docs.pytorch.org/docs/stable/nn.html#dataparallel-layers-multi-gpu-distributed"""

from torsh.nn.parallel.data_parallel import DataParallel, data_parallel

__all__ = ["DataParallel", "data_parallel"]


def __getattr__(name: str) -> object:
    if name == "DistributedDataParallel":
        raise AttributeError(
            "torch.nn.parallel.DistributedDataParallel is not available: torsh runs in one process; use the module itself"
        )
    raise AttributeError(f"module 'torch.nn.parallel' has no attribute '{name}'")
