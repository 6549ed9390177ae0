"""Trees of containers: paths to their leaves, as PyTorch tells them."""

from __future__ import annotations

import collections
import dataclasses
import importlib

import pytest

torch = pytest.importorskip("torch")
LIBRARIES = [importlib.import_module(f"{name}.utils._pytree") for name in ("torch", "torsh")]
Point = collections.namedtuple("Point", "x y")
TREES = [
    3, [1, (2, {"a": 4})], {"b": [5, 6], "a": (7,)}, Point(1, [2, 3]), collections.OrderedDict(z=1, y={}),
    collections.deque([1, 2]), collections.defaultdict(list, q=[8]), [], None,
]  # fmt: skip


def _both(run):
    expected, found = map(run, LIBRARIES)
    assert found == expected


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_paths(tree):
    def run(library):
        found, spec = library.tree_flatten_with_path(tree)
        again = library.tree_unflatten([leaf for _, leaf in found], spec)
        text = library.tree_map_with_path(lambda path, leaf, other: (library.keystr(path), leaf, other), tree, tree)
        return [(library.keystr(p), leaf, library.key_get(tree, p)) for p, leaf in found], again, text

    _both(run)


def test_leaves_by_predicate():
    _both(
        lambda library: [
            library.keystr(p) for p, _ in library.tree_leaves_with_path(TREES[1], lambda x: isinstance(x, tuple))
        ]
    )


def test_named_tuples():
    values = (Point, Point(1, 2), (1, 2), tuple, 3)
    _both(lambda b: [(b.is_namedtuple(v), b.is_namedtuple_class(v), b.is_namedtuple_instance(v)) for v in values])


def test_registered_classes():
    def run(library):
        @dataclasses.dataclass
        class Pair:
            first: object
            second: object = None
            name: str = "n"

        class Bag:
            def __init__(self, content):
                self.content = content

        library.register_dataclass(Pair, drop_field_names=["name"], field_names=["first", "second"])
        library.register_pytree_node(
            Bag, lambda b: (b.content, None), lambda v, _: Bag(v),
            flatten_with_keys_fn=lambda b: ([(library.SequenceKey(i), x) for i, x in enumerate(b.content)], None),
        )  # fmt: skip
        tree = [Pair(1, (2,)), Pair(3), Bag([4, 5])]
        out = library.tree_map(lambda x: x + 1, tree)
        names = [library.keystr(p) for p, _ in library.tree_leaves_with_path(tree)]
        return names, [(o.first, o.second, o.name) for o in out[:2]], out[2].content

    _both(run)


def test_mistakes():
    class Plain:
        pass

    for library in LIBRARIES:
        with pytest.raises(ValueError):
            library.register_dataclass(Plain)
        with pytest.raises(ValueError, match="field_names does not include all"):
            library.register_dataclass(dataclasses.make_dataclass("Two", ["a", "b"]), field_names=["a"])
        library.register_pytree_node(Plain, lambda p: ([], None), lambda v, _: Plain())
        with pytest.raises(ValueError, match="Did not find a flatten_with_keys_fn for type"):
            library.tree_leaves_with_path([Plain()])


def test_what_libraries_build_on():
    """The table of containers, the functions behind it and specs, by the names that programs take."""

    def run(library):
        size = importlib.import_module(library.__name__.partition(".")[0]).Size([2, 3])
        kinds = [library._get_node_type(t) for t in (*TREES, size)]
        parts = [library.SUPPORTED_NODES[k].flatten_fn(t) for k, t in zip(kinds, TREES) if k in library.SUPPORTED_NODES]
        keyed = [[(str(k), v) for k, v in library._dict_flatten_with_keys({"a": 1, 2: 3})[0]]]
        keyed += [library._list_flatten([1, 2]), library._namedtuple_flatten(Point(1, 2))]
        leaves, spec = library.tree_flatten([Point(1, size), {}])
        shown = str(spec), spec.num_nodes, str(spec.child(0)), spec.num_children, leaves
        return [k.__name__ for k in kinds], parts, keyed, shown, library.tree_unflatten(leaves, spec)

    _both(run)
