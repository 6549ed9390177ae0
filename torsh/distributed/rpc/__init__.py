"""Calling functions in other processes, which torsh cannot: ``is_available()`` is False, and what needs it says so when used.

Source: https://docs.pytorch.org/docs/stable/rpc.html
"""

from __future__ import annotations

from typing import Any

from torsh.distributed.rpc import api as api


def is_available() -> bool:
    """False: there are no remote calls in torsh.

    Source: https://docs.pytorch.org/docs/stable/rpc.html

    >>> import torsh
    >>> torsh.distributed.rpc.is_available()
    False
    """
    return False


_MISSING = frozenset(
    "BackendType PyRRef RRef RpcBackendOptions TensorPipeRpcBackendOptions WorkerInfo backend_registry functions get_worker_info init_rpc "
    "options remote rpc_async rpc_sync shutdown".split()
)


def __getattr__(name: str) -> Any:
    from torsh.compat import placeholders

    return placeholders.listed("torch.distributed.rpc", _MISSING, name)
