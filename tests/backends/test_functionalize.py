"""Views and in-place writes over immutable arrays: the same as on memory."""

from __future__ import annotations

import random
import threading

import numpy as np
import pytest

import torsh
from torsh import registry
from torsh.functionalize import FArray, plan


def values(t):
    return t._kind.backend.to_host(t._data)


def random_view(t, pick):
    """A view of a tensor by a random step."""
    shape = tuple(t.shape)
    dims = [d for d, n in enumerate(shape) if n > 0]
    step = pick.choice(["select", "slice", "permute", "unsqueeze", "expand", "view", "diagonal", "unfold", "squeeze"])
    if step == "select" and dims:
        d = pick.choice(dims)
        return t.select(d, pick.randrange(shape[d]))
    if step == "slice" and dims:
        d = pick.choice(dims)
        start = pick.randrange(shape[d])
        key = (slice(None),) * d + (slice(start, pick.randint(start, shape[d]), pick.choice([1, 1, 2, 3])),)
        return t[key]
    if step == "permute":
        order = list(range(len(shape)))
        pick.shuffle(order)
        return t.permute(order)
    if step == "unsqueeze" and len(shape) < 5:
        return t.unsqueeze(pick.randint(0, len(shape)))
    if step == "squeeze" and 1 in shape:
        return t.squeeze(shape.index(1))
    if step == "expand" and 1 in shape:
        return t.expand([3 if n == 1 else n for n in shape])
    if step == "view" and t.is_contiguous() and t.numel():
        return t.view(pick.choice([(-1,), (t.numel(), 1), (1, *shape), *([(2, -1)] if t.numel() % 2 == 0 else [])]))
    if step == "diagonal" and len(shape) > 1:
        a, b = pick.sample(range(len(shape)), 2)
        return t.diagonal(pick.choice([0, 1, -1]), a, b)
    if step == "unfold" and dims and pick.random() < 0.3:
        d = pick.choice(dims)
        size = pick.randint(1, shape[d])
        return t.unfold(d, size, pick.choice([1, 2]))
    return t


@pytest.mark.parametrize("seed", range(60))
def test_chains_of_views_and_writes_are_those_of_memory(toy, seed):
    pick = random.Random(seed)
    shape = pick.choice([(6,), (4, 6), (2, 3, 4), (4, 1, 6), (5, 5), (0, 3), ()])
    array = np.arange(float(np.prod(shape, dtype=int)), dtype=np.float32).reshape(shape)
    reference = torsh.tensor(array)
    with registry.use("toy"):
        subject = torsh.tensor(array)
    views, expected = [subject], [reference]
    for _ in range(12):
        i = pick.randrange(len(views))
        state = pick.getstate()
        e = random_view(expected[i], pick)
        pick.setstate(state)
        v = random_view(views[i], pick)
        assert v.shape == e.shape
        if e.numel():
            assert (v.stride(), v.storage_offset()) == (e.stride(), e.storage_offset())
        views.append(v)
        expected.append(e)
        # Write where no two elements share memory, then look through every view.
        geometry = e._kind.backend.geometry(e._data)
        if not any(n > 1 and s == 0 for n, s in zip(*geometry[:2])) and not _overlapping(e):
            factor = pick.choice([-1.0, 2.0])
            e.mul_(factor)
            v.mul_(factor)
        for a, b in zip(views, expected):
            np.testing.assert_array_equal(values(a), values(b))


def _overlapping(t):
    shape, strides, _ = t._kind.backend.geometry(t._data)
    at = np.zeros(shape, int)
    for d, (n, s) in enumerate(zip(shape, strides)):
        at += (np.arange(n) * s).reshape(-1, *[1] * (len(shape) - d - 1))
    return np.unique(at).size < at.size


def test_writing_where_elements_share_memory_is_refused(toy):
    with registry.use("toy"):
        t = torsh.zeros(3)
        with pytest.raises(RuntimeError, match="unsupported operation: more than one element"):
            t.unsqueeze(0).expand(2, 3).add_(1.0)


@pytest.mark.parametrize(
    ("base", "shape", "strides", "offset"),
    [
        ((4, 6), (6, 4), (1, 6), 0),  # transposed
        ((4, 6), (2, 3), (12, 2), 7),  # strided slices
        ((4, 6), (24,), (1,), 0),  # flattened
        ((24,), (2, 3, 4), (12, 4, 1), 0),  # split
        ((4, 3, 8), (2, 24), (24, 1), 24),  # slice, then merge
        ((4, 3, 8), (4, 2, 4), (24, 4, 1), 8),  # select, then split
        ((4, 6), (4, 5), (6, 0), 3),  # expanded
        ((), (1, 1), (1, 1), 0),
    ],
)
def test_common_views_need_no_index_map(base, shape, strides, offset):
    assert plan(base, shape, strides, offset).positions is None


def test_autograd_through_a_write_to_a_view(toy):
    with registry.use("toy"):
        a = torsh.ones(4, requires_grad=True)
        b = a * 2.0
        b[1:3].mul_(3.0)
        b.sum().backward()
        assert type(a.grad._data) is FArray
        np.testing.assert_array_equal(values(a.grad), [2, 6, 6, 2])


def test_a_write_raises_for_saved_values_it_spoils(toy):
    with registry.use("toy"):
        a = torsh.ones(3, requires_grad=True)
        b = a.exp()
        c = b.exp()
        b[0].mul_(2.0)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            c.sum().backward()


def test_arrays_from_the_host_are_copies(toy):
    array = np.zeros(3, np.float32)
    with registry.use("toy"):
        t = torsh.from_numpy(array)
    array[0] = 1.0
    assert values(t).tolist() == [0, 0, 0]
    values(t)[1] = 1.0
    assert values(t).tolist() == [0, 0, 0]


def test_complex_parts_are_views(toy):
    with registry.use("toy"):
        t = torsh.view_as_real(torsh.tensor([1 + 2j, 3 + 4j]))
        t[0, 1] = 7.0
        assert values(torsh.view_as_complex(t)).tolist() == [1 + 7j, 3 + 4j]


def test_views_in_several_threads_while_larger_ones_are_made(toy):
    """Shapes are worked out on address space that is replaced when it is too small."""
    from torsh.functionalize import _Ghosts

    with registry.use("toy"):
        t = torsh.arange(6.0).reshape(2, 3)
    wrong = []

    def look():
        for _ in range(300):
            if t.t()[1:].storage_offset() != 1:
                wrong.append(1)

    threads = [threading.Thread(target=look) for _ in range(3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torsh.functionalize._ghosts", ghosts := _Ghosts())
        for thread in threads:
            thread.start()
        for _ in range(300):
            ghosts.space = np.empty(1 << 20, np.uint8)
        for thread in threads:
            thread.join()
    assert not wrong


def test_resizing_keeps_the_elements_in_memory_order(toy):
    with registry.use("toy"):
        t = torsh.arange(6.0).reshape(2, 3).clone()
        t.resize_(2, 2)
        assert t.tolist() == [[0, 1], [2, 3]]
        t.resize_(3, 3)
        assert t.reshape(-1)[:6].tolist() == [0, 1, 2, 3, 4, 5]


def test_filling_where_elements_share_memory(toy):
    with registry.use("toy"):
        t = torsh.arange(3.0)
        t[:1].expand(4).fill_(7.0)
        assert t.tolist() == [7, 1, 2]


def test_dlpack_gives_a_copy(toy):
    with registry.use("toy"):
        t = torsh.arange(3.0)
        array = np.from_dlpack(t)
        t.add_(1.0)
        assert array.tolist() == [0, 1, 2] and torsh.from_dlpack(array).tolist() == [0, 1, 2]
