"""Writes in place under ``vmap``, with gradients through them: numbers are PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

import torsh

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:There is a performance drop", "ignore:torch.fill")


def chain(lib, a):
    b = a.clone()
    b.mul_(2)
    b[0].add_(a[1])
    b.t().sub_(a)
    b[:, 1] = a[0] * 3
    return (b**2).sum()


def into_zeros(lib, a):
    b = lib.zeros_like(a)
    b[0] = a[1] ** 2
    b.diagonal().copy_(a[0])
    return (b**3).sum()


def through_view(lib, a):
    b = a.clone()
    b.view(-1)[2:5].mul_(a[0])
    return (b**2).sum()


def masks(lib, a):
    b = a.clone()
    b.masked_fill_(b > 0.5, 0.0)
    b.clamp_(min=0.1)
    b.index_add_(0, lib.tensor([0, 0]), a[:2])
    return (b**2).sum()


def filled(lib, a):
    return lib.fill(a, 2.0).sum() + lib.diagonal_scatter(a, lib.ones(3)).sum() + (a.clone().fill_(1.0) * a).sum()


WAYS = {
    "vmap of grad": lambda lib, f: lib.vmap(lib.func.grad(f)),
    "grad of vmap": lambda lib, f: lib.func.grad(lambda x: lib.vmap(f)(x).sum()),
    "vmap of jacrev": lambda lib, f: lib.vmap(lib.func.jacrev(f)),
    "two levels": lambda lib, f: lambda x: lib.vmap(lib.vmap(lib.func.grad(f)))(x[None])[0],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fn", [chain, into_zeros, through_view, masks, filled])
def test_gradients_through_writes(fn, way):
    x = np.random.default_rng(0).random((2, 3, 3))
    got = WAYS[way](torsh, lambda a: fn(torsh, a))(torsh.from_numpy(x.copy()))
    want = WAYS[way](torch, lambda a: fn(torch, a))(torch.from_numpy(x.copy()))
    np.testing.assert_allclose(got.numpy(), want.detach().numpy(), rtol=1e-9)


def test_views_of_examples_follow_the_layout_of_the_batch():
    """What PyTorch calls contiguous, and where it refuses a view, a strided batch is no different."""
    x = np.arange(24.0).reshape(2, 3, 4)
    for lib in (torsh, torch):
        t = lib.from_numpy(x)
        assert lib.vmap(lambda a, lib=lib: lib.tensor(a.is_contiguous()))(t).all()
        assert not lib.vmap(lambda a, lib=lib: lib.tensor(a.is_contiguous()), in_dims=2)(t).any()
        assert tuple(lib.vmap(lambda a: a.view(-1), in_dims=2)(t).shape) == (4, 6)
        with pytest.raises(RuntimeError, match=r"^view size is not compatible"):
            lib.vmap(lambda a: a.t().view(-1))(t)
        assert tuple(lib.vmap(lambda a: a.t().reshape(-1))(t).shape) == (2, 12)


def test_an_example_has_no_data():
    for lib in (torsh, torch):
        with pytest.raises(RuntimeError, match=r"^accessing `data` under vmap transform is not allowed"):
            lib.vmap(lambda a: a.data)(lib.ones(2, 3))


def test_gradients_through_writes_where_a_class_sees_operators():
    """Once a tensor of a class with ``__torch_dispatch__`` was made, values may be elsewhere; those of examples are where they were."""

    class Seen(torsh.Tensor):
        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            return func(*args, **(kwargs or {}))

    kept = torsh.Tensor._make_wrapper_subclass(Seen, (2,))
    assert torsh.dispatch.state.watched
    test_gradients_through_writes(chain, "vmap of grad")
    assert kept.shape == (2,)
