"""Nested tuples, lists and dictionaries of leaves, taken apart and put together."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

Spec = Any


def flatten(tree: Any) -> tuple[list[Any], Spec]:
    """(leaves, how to put them together)."""
    leaves: list[Any] = []
    return leaves, _take(tree, leaves)


def _take(tree: Any, leaves: list[Any]) -> Spec:
    kind = type(tree)
    if kind in (tuple, list) or (isinstance(tree, tuple) and hasattr(tree, "_fields")):
        return (kind, None, [_take(x, leaves) for x in tree])
    if kind in (dict, OrderedDict):
        return (kind, list(tree), [_take(x, leaves) for x in tree.values()])
    leaves.append(tree)
    return None


def unflatten(leaves: Sequence[Any], spec: Spec) -> Any:
    """Put leaves together again."""
    return _put(iter(leaves), spec)


def _put(leaves: Any, spec: Spec) -> Any:
    if spec is None:
        return next(leaves)
    kind, keys, parts = spec
    values = [_put(leaves, p) for p in parts]
    if keys is not None:
        return kind(zip(keys, values))
    return kind(*values) if hasattr(kind, "_fields") else kind(values)


def map_leaves(fn: Callable[..., Any], tree: Any) -> Any:
    """The tree with ``fn`` applied to every leaf."""
    leaves, spec = flatten(tree)
    return unflatten([fn(x) for x in leaves], spec)


def spread(prefix: Any, tree: Any) -> list[Any] | None:
    """One value per leaf of ``tree`` from a tree that stops higher up: each of its leaves counts for all below.

    None where the two do not match.
    """
    if type(prefix) in (tuple, list) and type(tree) in (tuple, list):
        if len(prefix) != len(tree):
            return None
        pairs = list(zip(prefix, tree))
    elif isinstance(prefix, dict) and isinstance(tree, dict):
        if prefix.keys() != tree.keys():
            return None
        pairs = [(prefix[k], tree[k]) for k in tree]
    elif type(prefix) in (tuple, list) or isinstance(prefix, dict):
        return None
    else:
        return [prefix] * len(flatten(tree)[0])
    found: list[Any] = []
    for p, t in pairs:
        below = spread(p, t)
        if below is None:
            return None
        found += below
    return found
