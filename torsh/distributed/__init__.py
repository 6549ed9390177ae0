"""Processes that work together.  They meet through a store, and exchange tensors through it as well, in plain bytes.

Source: https://docs.pytorch.org/docs/stable/distributed.html
"""

from __future__ import annotations

from typing import Any

from torsh import compat
from torsh.distributed._group import ProcessGroup, ReduceOp, Work
from torsh.distributed._store import (
    DistBackendError,
    DistError,
    DistNetworkError,
    DistStoreError,
    FileStore,
    HashStore,
    PrefixStore,
    QueueEmptyError,
    Store,
    TCPStore,
)
from torsh.distributed.distributed_c10d import *  # noqa: F403
from torsh.distributed.distributed_c10d import __all__ as _functions
from torsh.distributed.distributed_c10d import _all_gather_base as _all_gather_base

__all__ = [
    "DistBackendError", "DistError", "DistNetworkError", "DistStoreError", "FileStore", "HashStore", "PrefixStore", "ProcessGroup",
    "QueueEmptyError", "ReduceOp", "Store", "TCPStore", "Work", *_functions,
]  # fmt: skip


# What PyTorch has here and torsh does not: it can be named, and says so when it is used.
_MISSING = frozenset(
    "AllToAllOptions AllreduceCoalescedOptions AllreduceOptions BackendConfig BarrierOptions BroadcastOptions BuiltinCommHookType "
    "DebugLevel DeviceMesh GatherOptions GradBucket ProcessGroupGloo ProcessGroupNCCL ReduceOptions ReduceScatterOptions Reducer "
    "ScatterOptions all_gather_coalesced breakpoint get_backend_config get_debug_level get_pg_count init_device_mesh "
    "new_subgroups_by_enumeration recv_object_list reduce_op register_rendezvous_handler send_object_list set_debug_level "
    "set_debug_level_from_env split_group supports_complex shrink_group".split()
)
# Packages below it that can be imported the same way.
_PACKAGES = frozenset(
    "algorithms autograd checkpoint device_mesh elastic fsdp launch launcher nn optim pipelining rendezvous remote_device run "
    "utils _composable _functional_collectives _shard _tensor _tools".split()
)


def __getattr__(name: str) -> Any:
    from torsh.compat import placeholders

    if name in ("rpc", "tensor"):
        import importlib

        return importlib.import_module(f"torsh.distributed.{name}")
    if name in _PACKAGES:
        import importlib

        return (
            importlib.import_module(f"torch.distributed.{name}")
            if compat.installed()
            else placeholders.Placeholder(f"torch.distributed.{name}")
        )
    return placeholders.listed("torch.distributed", _MISSING, name)
