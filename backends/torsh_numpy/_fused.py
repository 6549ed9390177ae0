"""Fused multiplication and addition for compiled loops."""

from __future__ import annotations

from typing import Any

from numba.extending import intrinsic


@intrinsic
def fma(context: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c, rounded once, by the processor's instruction or the C library."""
    return a(a, b, c), lambda context, builder, signature, args: builder.fma(*args)
