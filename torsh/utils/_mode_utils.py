"""Helpers of modes."""

from __future__ import annotations

from torsh._torch_dispatch import no_dispatch as no_dispatch


def all_same_mode(modes: list[object]) -> bool:
    """Whether all modes of a list are one."""
    return all(m == modes[0] for m in modes)
