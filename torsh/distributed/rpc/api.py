"""What libraries decorate their functions for remote calls with."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def _require_initialized(func: Callable[..., Any]) -> Callable[..., Any]:
    """A function that may be called after ``init_rpc`` only: never, so that it raises RuntimeError."""

    @functools.wraps(func)
    def refused(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("RPC has not been initialized. Call torch.distributed.rpc.init_rpc first.")

    return refused


def _is_current_rpc_agent_set() -> bool:
    """False: there are no agents."""
    return False
