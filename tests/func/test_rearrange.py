"""rearrange and pytrees."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest

import torsh
from torsh.func import rearrange
from torsh.utils import _pytree

torch = pytest.importorskip("torch")
Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("pattern", "sizes"),
    [
        ("b h w c -> b h w c", {}), ("b h w c -> (b h) w c", {}), ("b h w c -> h (b w) c", {}), ("b h w c -> b (c h w)", {}),
        ("b (h1 h) (w1 w) c -> (b h1 w1) h w c", {"h1": 2, "w1": 2}), ("b (h h1) (w w1) c -> b h w (c h1 w1)", {"h1": 2, "w1": 2}),
        ("b ... -> (b ...)", {}), ("b ... c -> ... (b c)", {}), ("b h w c -> b 1 h w c", {}), ("... c -> c ...", {}),
    ],
)  # fmt: skip
def test_rearrange(pattern, sizes):
    x = torch.arange(2 * 4 * 6 * 3).reshape(2, 4, 6, 3)
    from torch.func import rearrange as theirs

    a, b = theirs(x, pattern, **sizes), rearrange(torsh.tensor(x.tolist()), pattern, **sizes)
    assert a.tolist() == b.tolist() and tuple(a.shape) == tuple(b.shape)


@pytest.mark.parametrize(
    ("pattern", "sizes"),
    [
        ("a b", {}),
        ("a b -> a", {}),
        ("a b c -> a b c", {}),
        ("(a b) c -> a b c", {}),
        ("(a b) c -> a b c", {"a": 4}),
        ("a ((b)) -> a b", {}),
    ],
)
def test_rearrange_says_what_is_wrong(pattern, sizes):
    with pytest.raises(ValueError):
        rearrange(torsh.ones(6, 2), pattern, **sizes)


TREES = [
    1, None, (1, [2, 3]), {"x": 7, "y": (42, None)}, OrderedDict(b=1, a=2), Point(1, [2]), deque([1, 2], maxlen=3),
    defaultdict(list, a=1), [], {},
]  # fmt: skip


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_pytrees(tree):
    from torch.utils import _pytree as theirs

    leaves, spec = _pytree.tree_flatten(tree)
    assert leaves == theirs.tree_flatten(tree)[0]
    assert _pytree.tree_unflatten(leaves, spec) == tree
    assert _pytree.tree_map(repr, tree) == theirs.tree_map(repr, tree)
    assert spec == _pytree.tree_structure(tree) and spec.num_leaves == len(leaves)


def test_pytrees_side_by_side():
    assert _pytree.tree_map(lambda x, y: [x, *y], [5, 6], [[7, 9], [1, 2]]) == [[5, 7, 9], [6, 1, 2]]
    assert _pytree.tree_map_only(int, lambda x: -x, {"a": 1, "b": "c"}) == {"a": -1, "b": "c"}
    with pytest.raises(ValueError, match="mismatch"):
        _pytree.tree_map(lambda x, y: x, [1, 2], (1, 2))
    with pytest.raises(ValueError, match="holds 2 items"):
        _pytree.tree_unflatten([1], _pytree.tree_structure([1, 2]))


def test_own_containers():
    class Box:
        def __init__(self, inside):
            self.inside = inside

    _pytree.register_pytree_node(Box, lambda b: ([b.inside], None), lambda parts, _: Box(*parts))
    assert _pytree.tree_map(lambda x: x + 1, {"a": Box(1)})["a"].inside == 2
    with pytest.raises(ValueError, match="already registered"):
        _pytree.register_pytree_node(Box, lambda b: ([], None), lambda parts, _: None)
