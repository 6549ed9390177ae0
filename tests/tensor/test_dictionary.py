"""``__dict__`` of tensors holds what programs put there, as in PyTorch: it is copied between tensors freely."""

from __future__ import annotations

import copy
import functools
import pickle

import pytest

import torsh

torch = pytest.importorskip("torch")


@pytest.fixture(params=[torch, torsh], ids=["torch", "torsh"])
def T(request):
    return request.param


def test_only_own_attributes_show(T):
    x = (T.ones(2, requires_grad=True) * 2)[:1]
    assert x.__dict__ == {} and vars(x) == {} and len(x.__dict__) == 0
    x.title, x.__dict__["label"] = 1, [2]
    assert dict(x.__dict__) == {"title": 1, "label": [2]} and x.label == [2]
    assert x.__dict__ | {"a": 0} == {"title": 1, "label": [2], "a": 0}
    assert {"title": 0, "b": 3} | x.__dict__ == {"title": 1, "b": 3, "label": [2]}
    assert "title" in dir(x) and "_data" not in x.__dict__ and "__cuda_array_interface__" not in dir(x)
    del x.__dict__["title"]
    assert not hasattr(x, "title") and repr(x.__dict__) == "{'label': [2]}"


def test_taking_over_anothers(T):
    x, y = T.ones(2, requires_grad=True), T.zeros(3)
    x.mark, y.lost = [1], 2
    for values in (x.__dict__, x.__dict__.copy(), copy.deepcopy(x.__dict__)):
        y.__dict__ = values
        assert y.mark == [1] and not hasattr(y, "lost")
        assert y.tolist() == [0, 0, 0] and not y.requires_grad
    y.__dict__.update(x.__dict__, more=3)
    assert y.more == 3 and (x * 2).sum().grad_fn is not None


class Mixin:
    """Has a ``__dict__`` of its own, which comes first."""

    def inherit(self, other):
        self.__dict__ = other.__dict__.copy()
        return self


@pytest.mark.parametrize("first", [True, False])
def test_classes_beside_tensor(T, first):
    class Tagged(*((Mixin, T.Tensor) if first else (T.Tensor, Mixin))):
        @functools.cached_property
        def size_seen(self):
            return tuple(self.shape)

    a, b = T.ones(2, 2).as_subclass(Tagged), T.zeros(3).as_subclass(Tagged)
    a.tag = "a"
    assert a.size_seen == (2, 2) and a.__dict__ == {"tag": "a", "size_seen": (2, 2)}
    b.inherit(a)
    assert b.tag == "a" and b.tolist() == [0, 0, 0] and copy.copy(b).tag == "a"


def test_pickles_and_copies_of_parameters(T):
    p = T.nn.Parameter(T.ones(2))
    p.tag = "x"
    assert pickle.loads(pickle.dumps(p)).__dict__ == {"tag": "x"}
    assert copy.deepcopy(p).__dict__ == {}


def test_swapped(T):
    a, b = T.zeros(1), T.ones(2)
    b.k = 1
    T.utils.swap_tensors(a, b)
    assert a.tolist() == [1, 1] and a.__dict__ == {"k": 1} and b.__dict__ == {}


def test_own_names_cannot_be_taken():
    x = torsh.ones(2)
    with pytest.raises(KeyError, match="torsh's own attributes"):
        x.__dict__["_data"] = 1
    with pytest.raises(KeyError):
        del x.__dict__["_kind"]
    with pytest.raises(KeyError):
        x.__dict__["_rg"]
