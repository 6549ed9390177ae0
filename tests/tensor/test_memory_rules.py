"""Indexing's and memory's finer rules: what is refused and in which words, what is warned of, and whom functions ask."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest

import torsh

torch = pytest.importorskip("torch")


def both(fn):
    """What fails, in torsh and in PyTorch: types and first words."""
    found = []
    for lib in (torsh, torch):
        with warnings.catch_warnings(), pytest.raises(Exception) as e:
            warnings.simplefilter("ignore")
            fn(lib)
        found.append((e.type, str(e.value)))
    (own, text), (theirs, words) = found
    assert own is theirs
    assert text.replace("torsh", "torch").startswith(words.split("\n")[0].rstrip(" .")[:40])


@pytest.mark.parametrize(
    "fn",
    [
        lambda t: t.zeros(2, 5, 10)[0, 5],
        lambda t: t.zeros(2, 5, 10)[None, 0, 7],
        lambda t: t.zeros(2, 5, 10)[0, ..., 17],
        lambda t: t.zeros(2, 5)[t.tensor([0]), 9],
        lambda t: t.empty(10, 0)[:, [0, 1]],
        lambda t: t.empty(0, 3)[t.tensor([0])],
        lambda t: t.arange(4).index_put_((t.ones(4, dtype=t.bool),), t.tensor([1.0, 2.0])),
        lambda t: t.arange(4).index_put_((t.ones(4, dtype=t.bool),), t.tensor([1.0, 2.0, 3.0, 4.0])),
        lambda t: t.zeros(3).view(t.float64),
        lambda t: t.zeros(4)[1:3].view(t.float64),
        lambda t: t.zeros(2, 2).t().view(t.int8),
        lambda t: t.tensor_split(t.ones(4), t.tensor(1.1)),
        lambda t: t.ones(2, 2).flip(),
        lambda t: t.nonzero(t.ones(2), as_tuple=True, out=t.empty(0, dtype=t.int64)),
        lambda t: t.nonzero(t.ones(2), out=t.empty(0)),
        lambda t: t.floor(t.ones(2), out=t.empty(2, dtype=t.float64)),
        lambda t: t.empty(()).resize_([0, 4, 1 << 61]),
        lambda t: t.asarray([1, 2], copy=False),
        lambda t: t.asarray(t.ones(2), dtype=t.float64, copy=False),
        lambda t: float(t.tensor(1 + 1j)),
        lambda t: t.storage._LegacyStorage(),
        lambda t: t.TypedStorage(wrap_storage=t.ones(1).untyped_storage()),
    ],
)
def test_refusals(fn):
    both(fn)


def test_a_truth_value_is_no_dimension():
    with pytest.raises(TypeError):
        torsh.ones(2, 2).topk(1, True)


def test_lists_that_contain_themselves_are_refused():
    data: list = []
    data.append(data)
    with pytest.raises(ValueError, match="too many dimensions"):
        torsh.tensor(data)


def test_byte_masks_are_warned_of_in_the_line_that_uses_them():
    mask = torsh.tensor([1, 0], dtype=torsh.uint8)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        line = sys._getframe().f_lineno + 1
        torsh.ones(2)[mask]
    assert [(w.filename, w.lineno) for w in seen] == [(__file__, line)]


def test_lists_of_arrays_are_warned_of_once():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        torsh.set_warn_always(True)
        torsh.tensor([np.array([0]), np.array([1])])
        torsh.set_warn_always(False)
        torsh.tensor([np.array([0]), np.array([1])])
    assert len([w for w in seen if "list of numpy.ndarrays" in str(w.message)]) == 1


def test_memory_shown_to_numpy_cannot_grow():
    x = torsh.zeros(2)
    x.numpy()
    with pytest.raises(RuntimeError, match="not resizable"):
        x.resize_(5)


def test_empty_memory_is_filled_under_deterministic_algorithms():
    import torsh.utils.deterministic

    torsh.use_deterministic_algorithms(True)
    try:
        assert torsh.empty(3).isnan().all() and torsh.ones(1).resize_(3)[1:].isnan().all()
        assert torsh.empty(2, dtype=torsh.int8).tolist() == [127, 127]
    finally:
        torsh.use_deterministic_algorithms(False)
    assert torsh.utils.deterministic.fill_uninitialized_memory is True


@pytest.mark.parametrize("shape", [(0, 64), (8, 0), (64,)])
def test_strides_of_a_view_of_another_type(shape):
    assert torsh.zeros(shape).view(torsh.uint8).stride() == torch.zeros(shape).view(torch.uint8).stride()


def test_resize_as_keeps_the_templates_format():
    like = torsh.randn(1, 2, 3, 4).contiguous(memory_format=torsh.channels_last)
    assert torsh.randn(24).resize_as_(like, memory_format=torsh.preserve_format).stride() == (24, 1, 8, 2)


def test_ranges_fill_what_has_room():
    x = torsh.zeros(2, 3)
    torsh.linspace(0, 3, 4, out=x[:, 1:])
    assert x.tolist() == [[0, 0, 1], [0, 2, 3]]


def test_storage_classes_make_typed_storages():
    s = torsh.ShortStorage.from_buffer(bytearray([1, 2, 3, 4]), "big")
    assert type(s) is torsh.TypedStorage and isinstance(s, torsh.ShortStorage) and not isinstance(s, torsh.IntStorage)
    assert s.tolist() == [258, 772]
    s[:] = 7
    assert s.tolist() == [7, 7]


def test_bfloat16_travels_in_a_capsule():
    x = torsh.from_dlpack(torsh.utils.dlpack.to_dlpack(torsh.ones(3, dtype=torsh.bfloat16)))
    assert x.dtype is torsh.bfloat16 and x.tolist() == [1, 1, 1]


def test_overrides_are_asked_by_forms_that_write():
    asked = []

    class Watched(torsh.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            asked.append(func.__name__)
            return super().__torch_function__(func, types, args, kwargs)

    x = torsh.ones(2, 2).as_subclass(Watched)
    x.add_(1)
    x.exp_()
    x.t_()
    x.masked_fill_(torsh.ones(2, 2, dtype=torsh.bool), 5)
    assert {"add_", "exp_", "t_", "masked_fill_"} <= set(asked) and type(x) is Watched
