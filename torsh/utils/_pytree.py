"""Nested containers of leaves, taken apart and put together: what programs use of PyTorch's ``torch.utils._pytree``.

Containers are tuples, named tuples, lists, dictionaries, deques, and what is registered; None is a leaf.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from torsh._size import Size

PyTree = Any


@dataclasses.dataclass(frozen=True, slots=True)
class SequenceKey:
    """A step of a path: an element of a sequence."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"

    def get(self, sequence: Any) -> Any:
        """The element."""
        return sequence[self.idx]


@dataclasses.dataclass(frozen=True, slots=True)
class MappingKey:
    """A step of a path: a value of a mapping."""

    key: Any

    def __str__(self) -> str:
        return f"[{self.key!r}]"

    def get(self, mapping: Any) -> Any:
        """The value."""
        return mapping[self.key]


@dataclasses.dataclass(frozen=True, slots=True)
class GetAttrKey:
    """A step of a path: an attribute."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"

    def get(self, obj: Any) -> Any:
        """The attribute."""
        return getattr(obj, self.name)


KeyPath = tuple[Any, ...]


class NodeDef(NamedTuple):
    """How containers of a type are taken apart and put together."""

    type: Any
    flatten_fn: Callable[[Any], tuple[list[Any], Any]]
    unflatten_fn: Callable[[Any, Any], Any]
    flatten_with_keys_fn: Callable[[Any], tuple[list[tuple[Any, Any]], Any]] | None = None


def _positions(t: Any) -> list[Any]:
    return [SequenceKey(i) for i in range(len(t))]


def _entries(t: Any) -> list[Any]:
    return [MappingKey(k) for k in t]


def _fields(t: Any) -> list[Any]:
    return [GetAttrKey(k) for k in t._fields]


def _keyed(type: Any, flatten: Any, unflatten: Any, keys: Callable[[Any], list[Any]]) -> NodeDef:
    """keys: the keys of a container's parts."""

    def with_keys(t: Any) -> tuple[list[tuple[Any, Any]], Any]:
        parts, context = flatten(t)
        return list(zip(keys(t), parts, strict=True)), context

    return NodeDef(type, flatten, unflatten, with_keys)


# By type; the function ``namedtuple`` stands for all named tuples.
SUPPORTED_NODES: dict[Any, NodeDef] = {
    node.type: node
    for node in (
        _keyed(tuple, lambda t: (list(t), None), lambda v, _: tuple(v), _positions),
        _keyed(list, lambda t: (list(t), None), lambda v, _: list(v), _positions),
        _keyed(Size, lambda t: (list(t), None), lambda v, _: tuple(v), _positions),
        _keyed(dict, lambda t: (list(t.values()), list(t)), lambda v, keys: dict(zip(keys, v)), _entries),
        _keyed(namedtuple, lambda t: (list(t), type(t)), lambda v, cls: cls(*v), _fields),
        _keyed(OrderedDict, lambda t: (list(t.values()), list(t)), lambda v, keys: OrderedDict(zip(keys, v)), _entries),
        _keyed(
            defaultdict,
            lambda t: (list(t.values()), [t.default_factory, list(t)]),
            lambda v, c: defaultdict(c[0], zip(c[1], v)),
            _entries,
        ),
        _keyed(deque, lambda t: (list(t), t.maxlen), lambda v, n: deque(v, maxlen=n), _positions),
    )
}

# Libraries build their own containers from these.
_, _tuple_flatten, _tuple_unflatten, _tuple_flatten_with_keys = SUPPORTED_NODES[tuple]
_, _list_flatten, _list_unflatten, _list_flatten_with_keys = SUPPORTED_NODES[list]
_, _dict_flatten, _dict_unflatten, _dict_flatten_with_keys = SUPPORTED_NODES[dict]
_, _ordereddict_flatten, _ordereddict_unflatten, _ordereddict_flatten_with_keys = SUPPORTED_NODES[OrderedDict]
_odict_flatten, _odict_unflatten = _ordereddict_flatten, _ordereddict_unflatten
_, _defaultdict_flatten, _defaultdict_unflatten, _defaultdict_flatten_with_keys = SUPPORTED_NODES[defaultdict]
_, _deque_flatten, _deque_unflatten, _deque_flatten_with_keys = SUPPORTED_NODES[deque]
_, _namedtuple_flatten, _namedtuple_unflatten, _namedtuple_flatten_with_keys = SUPPORTED_NODES[namedtuple]


def _get_node_type(tree: Any) -> Any:
    """What a value is looked up by."""
    cls = type(tree)
    return namedtuple if cls not in SUPPORTED_NODES and is_namedtuple_class(cls) else cls


def _node_of(tree: Any) -> NodeDef | None:
    return SUPPORTED_NODES.get(_get_node_type(tree))


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

    def child(self, index: int) -> TreeSpec:
        """The spec of one part."""
        return self.parts[index]

    @property
    def num_nodes(self) -> int:
        """How many containers and leaves there are, this one included."""
        return 1 + sum(p.num_nodes for p in self.parts)

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
        node = _node_of(tree)
        if node is None or node.type is not self.type:
            raise ValueError(f"Type mismatch; expected {self.type!r}, but got {type(tree)!r}.")
        parts, context = node.flatten_fn(tree)
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
        return isinstance(other, TreeSpec) and (self.type, self.context, self.parts) == (
            other.type,
            other.context,
            other.parts,
        )

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


_LEAF = LeafSpec()


def tree_flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], TreeSpec]:
    """(leaves, how to put them together)."""
    leaves: list[Any] = []

    def take(node: Any) -> TreeSpec:
        kind = None if is_leaf is not None and is_leaf(node) else _node_of(node)
        if kind is None:
            leaves.append(node)
            return _LEAF
        parts, context = kind.flatten_fn(node)
        return TreeSpec(kind.type, context, [take(p) for p in parts])

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
        return SUPPORTED_NODES[spec.type].unflatten_fn([put(p) for p in spec.parts], spec.context)

    return put(treespec)


def _broadcast_to_and_flatten(
    tree: Any, treespec: TreeSpec, is_leaf: Callable[[Any], bool] | None = None
) -> list[Any] | None:
    """One value per leaf of a spec, from a tree that may stop higher up: each of its leaves counts for all below.  None if it does not fit."""
    kind = None if is_leaf is not None and is_leaf(tree) else _node_of(tree)
    if kind is None:
        return [tree] * treespec.num_leaves
    if kind.type is not treespec.type:
        return None
    parts, context = kind.flatten_fn(tree)
    if len(parts) != len(treespec.parts):
        return None
    if isinstance(tree, dict):
        keys = treespec.context[1] if kind.type is defaultdict else treespec.context
        if set(keys) != set(tree):
            return None
        parts = [tree[k] for k in keys]
    elif context != treespec.context:
        return None
    found: list[Any] = []
    for part, spec in zip(parts, treespec.parts):
        below = _broadcast_to_and_flatten(part, spec, is_leaf)
        if below is None:
            return None
        found += below
    return found


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
    return (is_leaf is not None and is_leaf(tree)) or _node_of(tree) is None


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


def tree_flatten_with_path(
    tree: Any, is_leaf: Callable[[Any], bool] | None = None
) -> tuple[list[tuple[KeyPath, Any]], TreeSpec]:
    """([(path, leaf), ...], how to put the leaves together).  ValueError for a class registered without names of its parts."""
    return tree_leaves_with_path(tree, is_leaf), tree_structure(tree, is_leaf)


def tree_leaves_with_path(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list[tuple[KeyPath, Any]]:
    """Leaves with the paths that lead to them."""
    found: list[tuple[KeyPath, Any]] = []

    def walk(path: KeyPath, node: Any) -> None:
        kind = None if is_leaf is not None and is_leaf(node) else _node_of(node)
        if kind is None:
            found.append((path, node))
            return
        if kind.flatten_with_keys_fn is None:
            raise ValueError(
                f"Did not find a flatten_with_keys_fn for type: {kind.type}. Please pass a flatten_with_keys_fn argument to register_pytree_node."
            )
        for key, part in kind.flatten_with_keys_fn(node)[0]:
            walk((*path, key), part)

    walk((), tree)
    return found


def tree_map_with_path(
    func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Callable[[Any], bool] | None = None
) -> Any:
    """A tree of what ``func(path, leaf, *leaves of the others)`` gives."""
    found, spec = tree_flatten_with_path(tree, is_leaf)
    others = [spec.flatten_up_to(r) for r in rests]
    return tree_unflatten(
        [func(*path_and_leaf, *rest) for path_and_leaf, *rest in zip(found, *others, strict=True)], spec
    )


def keystr(kp: KeyPath) -> str:
    """A path as Python would write it.

    >>> from torsh.utils._pytree import keystr, tree_leaves_with_path
    >>> [keystr(path) for path, leaf in tree_leaves_with_path({"a": [1, 2]})]
    ["['a'][0]", "['a'][1]"]
    """
    return "".join(map(str, kp))


def key_get(obj: Any, kp: KeyPath) -> Any:
    """What a path leads to."""
    for key in kp:
        obj = key.get(obj)
    return obj


def is_namedtuple_class(cls: Any) -> bool:
    """Whether a class is one of named tuples."""
    return isinstance(cls, type) and issubclass(cls, tuple) and isinstance(getattr(cls, "_fields", None), tuple)


def is_namedtuple_instance(obj: Any) -> bool:
    """Whether an object is a named tuple."""
    return is_namedtuple_class(type(obj))


def is_namedtuple(obj: Any) -> bool:
    """Whether an object is a named tuple, or a class one of named tuples."""
    return is_namedtuple_class(obj if isinstance(obj, type) else type(obj))


def register_pytree_node(
    cls: type,
    flatten_fn: Callable[[Any], tuple[list[Any], Any]],
    unflatten_fn: Callable[[Any, Any], Any],
    *,
    flatten_with_keys_fn: Callable[[Any], tuple[list[tuple[Any, Any]], Any]] | None = None,
    **names: Any,
) -> None:
    """Make a class a container: ``flatten_fn(x)`` gives (parts, context), ``unflatten_fn(parts, context)`` the object, and
    ``flatten_with_keys_fn(x)`` ([(key, part), ...], context), for paths."""
    if cls in SUPPORTED_NODES:
        raise ValueError(f"{cls} is already registered as pytree node.")
    SUPPORTED_NODES[cls] = NodeDef(cls, flatten_fn, unflatten_fn, flatten_with_keys_fn)


def register_dataclass(
    cls: type, *, field_names: list[str] | None = None, drop_field_names: list[str] | None = None, **names: Any
) -> None:
    """Make a dataclass a container of its fields: of all that its constructor takes, or of ``field_names``."""
    dropped = set(drop_field_names or ())
    if not dataclasses.is_dataclass(cls):
        if field_names is None:
            raise ValueError(
                f"field_names must be specified with a list of all fields used to initialize {cls}, as it is not a dataclass."
            )
        kept = list(field_names)
    else:
        made = [f.name for f in dataclasses.fields(cls) if f.init]
        kept = made if field_names is None else list(field_names)
        if field_names is not None and set(kept) != set(made) - dropped:
            raise ValueError(
                f"field_names does not include all dataclass fields: got {kept}, but the constructor of {cls} takes {made}, of which "
                f"{sorted(dropped)} are to be dropped"
            )
    kept = [n for n in kept if n not in dropped]

    def flatten(x: Any) -> tuple[list[Any], Any]:
        there = [n for n in kept if getattr(x, n) is not None]
        return [getattr(x, n) for n in there], (there, [n for n in kept if n not in there])

    def with_keys(x: Any) -> tuple[list[tuple[Any, Any]], Any]:
        values, context = flatten(x)
        return [(GetAttrKey(n), v) for n, v in zip(context[0], values, strict=True)], context

    register_pytree_node(
        cls,
        flatten,
        lambda values, context: cls(**dict(zip(context[0], values, strict=True)), **dict.fromkeys(context[1])),
        flatten_with_keys_fn=with_keys,
    )


_register_pytree_node = _private_register_pytree_node = register_pytree_node
_is_leaf = tree_is_leaf
