"""Choosing how attention is computed.  torsh has one implementation per backend, so a choice is remembered and changes nothing.

Source: https://docs.pytorch.org/docs/stable/nn.attention.html
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Iterator
from typing import Any

__all__ = ["WARN_FOR_UNFUSED_KERNELS", "SDPBackend", "sdpa_kernel"]

WARN_FOR_UNFUSED_KERNELS = False


class SDPBackend(enum.IntEnum):
    """Implementations of scaled dot product attention."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4

    def __repr__(self) -> str:
        return f"<SDPBackend.{self.name}: {self.value}>"


_ALL = (
    SDPBackend.FLASH_ATTENTION,
    SDPBackend.EFFICIENT_ATTENTION,
    SDPBackend.MATH,
    SDPBackend.CUDNN_ATTENTION,
    SDPBackend.OVERRIDEABLE,
)
_chosen: tuple[SDPBackend, ...] = _ALL


def _cur_sdpa_kernel_backends() -> list[SDPBackend]:
    """The implementations that may be used now."""
    return list(_chosen)


@contextlib.contextmanager
def sdpa_kernel(backends: Any, set_priority: bool = False) -> Iterator[dict[Any, Any]]:
    """Allow only these implementations inside.  Results are the same: torsh has one implementation.

    backends: an ``SDPBackend`` or a list of them.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.attention.sdpa_kernel.html

    >>> import torsh
    >>> from torsh.nn.attention import SDPBackend, sdpa_kernel
    >>> q = torsh.ones(1, 2, 4)
    >>> with sdpa_kernel(SDPBackend.MATH):
    ...     torsh.nn.functional.scaled_dot_product_attention(q, q, q).shape
    torsh.Size([1, 2, 4])
    """
    global _chosen
    if not isinstance(backends, (list, SDPBackend)):
        raise AssertionError("Backend must be an instance of SDPBackend or a list of SDPBackend instances")
    before = _chosen
    _chosen = (backends,) if isinstance(backends, SDPBackend) else tuple(dict.fromkeys(backends))
    try:
        yield {}
    finally:
        _chosen = before
