"""Nested containers of leaves, taken apart and put together: what programs use of PyTorch's ``torch.utils._pytree``.

Containers are tuples, named tuples, lists, dictionaries, deques, and what is registered; None is a leaf.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

PyTree = Any


class _Kind(NamedTuple):
    flatten: Callable[[Any], tuple[list[Any], Any]]
    unflatten: Callable[[Any, Any], Any]


SUPPORTED_NODES: dict[type, _Kind] = {
    tuple: _Kind(lambda t: (list(t), None), lambda v, _: tuple(v)),
    list: _Kind(lambda t: (list(t), None), lambda v, _: list(v)),
    dict: _Kind(lambda t: (list(t.values()), list(t)), lambda v, keys: dict(zip(keys, v))),
    OrderedDict: _Kind(lambda t: (list(t.values()), list(t)), lambda v, keys: OrderedDict(zip(keys, v))),
    defaultdict: _Kind(
        lambda t: (list(t.values()), [t.default_factory, list(t)]), lambda v, c: defaultdict(c[0], zip(c[1], v))
    ),
    deque: _Kind(lambda t: (list(t), t.maxlen), lambda v, n: deque(v, maxlen=n)),
}
_NAMED = _Kind(lambda t: (list(t), type(t)), lambda v, cls: cls(*v))


def _kind_of(tree: Any) -> tuple[type, _Kind] | None:
    cls = type(tree)
    found = SUPPORTED_NODES.get(cls)
    if found is not None:
        return cls, found
    return (cls, _NAMED) if isinstance(tree, tuple) and hasattr(cls, "_fields") else None


class TreeSpec:
    """How to put leaves together; ``type`` is None for a leaf."""

    __slots__ = ("context", "num_leaves", "parts", "type")

    def __init__(self, type: Any, context: Any, parts: list[TreeSpec]) -> None:
        self.type, self.context, self.parts = type, context, parts
        self.num_leaves = sum(p.num_leaves for p in parts) if type is not None else 1

    num_children = property(lambda self: len(self.parts))

    def children(self) -> list[TreeSpec]:
        """The specs of what the container holds."""
        return list(self.parts)

    def is_leaf(self) -> bool:
        """Whether this is a single leaf."""
        return self.type is None

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """Put leaves together."""
        return tree_unflatten(leaves, self)

    def flatten_up_to(self, tree: Any) -> list[Any]:
        """The parts of another tree that stand where this one has leaves; ValueError if it is built otherwise."""
        found: list[Any] = []
        self._up_to(tree, found)
        return found

    def _up_to(self, tree: Any, found: list[Any]) -> None:
        if self.type is None:
            found.append(tree)
            return
        node = _kind_of(tree)
        if node is None or node[0] is not self.type:
            raise ValueError(f"Type mismatch; expected {self.type!r}, but got {type(tree)!r}.")
        parts, context = node[1].flatten(tree)
        if len(parts) != len(self.parts) or (not isinstance(tree, dict) and context != self.context):
            raise ValueError(f"Node arity mismatch; expected {len(self.parts)}, but got {len(parts)}.")
        if isinstance(tree, dict):
            keys = self.context[1] if self.type is defaultdict else self.context
            if set(keys) != set(tree):
                raise ValueError(f"Node keys mismatch; expected {list(keys)}, but got {list(tree)}.")
            parts = [tree[k] for k in keys]
        for spec, part in zip(self.parts, parts):
            spec._up_to(part, found)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TreeSpec) and (self.type, self.context, self.parts) == (other.type, other.context, other.parts)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        if self.type is None:
            return "*"
        inside = ",\n".join("  " * bool(i) + repr(p).replace("\n", "\n  ") for i, p in enumerate(self.parts))
        return f"TreeSpec({self.type.__name__}, {self.context}, [{inside}])"


class LeafSpec(TreeSpec):
    """The spec of one leaf."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(None, None, [])


def tree_flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], TreeSpec]:
    """(leaves, how to put them together)."""
    leaves: list[Any] = []

    def take(node: Any) -> TreeSpec:
        kind = None if is_leaf is not None and is_leaf(node) else _kind_of(node)
        if kind is None:
            leaves.append(node)
            return LeafSpec()
        parts, context = kind[1].flatten(node)
        return TreeSpec(kind[0], context, [take(p) for p in parts])

    spec = take(tree)
    return leaves, spec


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> Any:
    """Put leaves together again; ValueError if there are too many or too few."""
    values = list(leaves)
    if len(values) != treespec.num_leaves:
        raise ValueError(
            f"tree_unflatten(leaves, treespec): `leaves` has length {len(values)} but the spec refers to a pytree that holds "
            f"{treespec.num_leaves} items ({treespec})."
        )
    rest = iter(values)

    def put(spec: TreeSpec) -> Any:
        if spec.type is None:
            return next(rest)
        unflatten = SUPPORTED_NODES.get(spec.type, _NAMED).unflatten
        return unflatten([put(p) for p in spec.parts], spec.context)

    return put(treespec)


def tree_leaves(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list[Any]:
    """The leaves."""
    return tree_flatten(tree, is_leaf)[0]


def tree_iter(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> Iterable[Any]:
    """The leaves, one by one."""
    return iter(tree_leaves(tree, is_leaf))


def tree_structure(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> TreeSpec:
    """How the tree is built."""
    return tree_flatten(tree, is_leaf)[1]


def tree_is_leaf(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether a value is a leaf."""
    return (is_leaf is not None and is_leaf(tree)) or _kind_of(tree) is None


def tree_map(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """The tree of ``func(leaf, *what the other trees have at its place)``."""
    leaves, spec = tree_flatten(tree, is_leaf)
    return tree_unflatten([func(*x) for x in zip(leaves, *[spec.flatten_up_to(r) for r in rests])], spec)


def tree_map_(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """Call ``func`` as ``tree_map`` does, for what it does; gives the tree back."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def _fits(kind: Any) -> Callable[[Any], bool]:
    return (lambda x: isinstance(x, kind)) if isinstance(kind, (type, tuple)) or not callable(kind) else kind


def _only(kind: Any, func: Callable[[Any], Any]) -> Callable[[Any], Any]:
    fits = _fits(kind)
    return lambda x: func(x) if fits(x) else x


def tree_map_only(
    type_or_types_or_pred: Any, func: Callable[[Any], Any], tree: Any, is_leaf: Callable[[Any], bool] | None = None
) -> Any:
    """``tree_map`` of the leaves of some types (or for which a function is true); the others stay."""
    return tree_map(_only(type_or_types_or_pred, func), tree, is_leaf=is_leaf)


def tree_map_only_(
    type_or_types_or_pred: Any, func: Callable[[Any], Any], tree: Any, is_leaf: Callable[[Any], bool] | None = None
) -> Any:
    """``tree_map_`` for the leaves of some types."""
    return tree_map_(_only(type_or_types_or_pred, func), tree, is_leaf=is_leaf)


def tree_all(pred: Callable[[Any], bool], tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether ``pred`` holds for every leaf."""
    return all(map(pred, tree_leaves(tree, is_leaf)))


def tree_any(pred: Callable[[Any], bool], tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether ``pred`` holds for some leaf."""
    return any(map(pred, tree_leaves(tree, is_leaf)))


def tree_all_only(
    type_or_types: Any, pred: Callable[[Any], bool], tree: Any, is_leaf: Callable[[Any], bool] | None = None
) -> bool:
    """Whether ``pred`` holds for every leaf of some types."""
    return all(pred(x) for x in tree_leaves(tree, is_leaf) if _fits(type_or_types)(x))


def tree_any_only(
    type_or_types: Any, pred: Callable[[Any], bool], tree: Any, is_leaf: Callable[[Any], bool] | None = None
) -> bool:
    """Whether ``pred`` holds for some leaf of some types."""
    return any(pred(x) for x in tree_leaves(tree, is_leaf) if _fits(type_or_types)(x))


def register_pytree_node(
    cls: type, flatten_fn: Callable[[Any], tuple[list[Any], Any]], unflatten_fn: Callable[[Any, Any], Any], **names: Any
) -> None:
    """Make a class a container: ``flatten_fn(x)`` gives (parts, context), ``unflatten_fn(parts, context)`` the object."""
    if cls in SUPPORTED_NODES:
        raise ValueError(f"{cls} is already registered as pytree node.")
    SUPPORTED_NODES[cls] = _Kind(flatten_fn, unflatten_fn)


_register_pytree_node = register_pytree_node
