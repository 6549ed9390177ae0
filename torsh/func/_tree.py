"""Nested containers of leaves for transforms: ``torch.utils._pytree``, so that what a program registered there counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsh.utils._pytree import _broadcast_to_and_flatten, tree_flatten, tree_unflatten

flatten, unflatten, spread = tree_flatten, tree_unflatten, _broadcast_to_and_flatten


def map_leaves(fn: Callable[..., Any], tree: Any) -> Any:
    """The tree with ``fn`` applied to every leaf."""
    leaves, spec = flatten(tree)
    return unflatten([fn(x) for x in leaves], spec)
