"""Storages, pickling, copies, DLPack, NumPy, the meta device, global settings, assert_close."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torsh  # noqa: E402


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"])
@pytest.mark.parametrize(
    "make",
    [lambda: torsh.arange(6.0).reshape(2, 3), lambda: torsh.arange(6.0).reshape(2, 3).t(), lambda: torsh.ones(3)[1:],
     lambda: torsh.ones(2, requires_grad=True), lambda: torsh.ones(2).bfloat16(), lambda: torsh.tensor(True), lambda: torsh.empty(0, 2),
     lambda: torsh.nn.Parameter(torsh.ones(2)), lambda: torsh.tensor([1j]), lambda: torsh.empty(2, 3, device="meta")],
)  # fmt: skip
def test_copies_are_equal_and_apart(clone, make) -> None:
    x = make()
    y = clone(x)
    assert type(y) is type(x) and y.dtype is x.dtype and y.stride() == x.stride() and y.requires_grad == x.requires_grad
    if x.device.type != "meta":
        assert y.tolist() == x.tolist()
        if x.numel():
            assert y.data_ptr() != x.data_ptr()


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["deepcopy", "pickle"])
def test_copies_share_what_the_originals_share(clone) -> None:
    x = torsh.zeros(2, 3)
    a, b = clone((x, x[1]))
    b.fill_(5)
    assert a[1].tolist() == [5, 5, 5] and x[1].tolist() == [0, 0, 0]


def test_objects_that_pickle() -> None:
    for obj in (torsh.float32, torsh.Size([2, 3]), torsh.device("cpu"), torsh.channels_last):
        assert pickle.loads(pickle.dumps(obj)) == obj
    assert pickle.loads(pickle.dumps(torsh.float32)) is torsh.float32


def test_attributes_survive_pickling() -> None:
    x = torsh.ones(2)
    x.note = "mine"
    assert pickle.loads(pickle.dumps(x)).note == "mine"


def test_deepcopy_of_a_result_is_refused() -> None:
    with pytest.raises(RuntimeError, match="Only Tensors created explicitly by the user"):
        copy.deepcopy(torsh.ones(1, requires_grad=True) * 2)


def test_copy_shares_memory() -> None:
    x = torsh.zeros(2)
    copy.copy(x).fill_(1)
    assert x.tolist() == [1, 1]


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_storages() -> None:
    x = torsh.arange(6, dtype=torsh.int16).reshape(2, 3)
    storage = x[1].untyped_storage()
    assert storage.nbytes() == 12 and storage == x.untyped_storage() and x[1].storage_offset() == 3
    assert x.storage().tolist() == [0, 1, 2, 3, 4, 5] and len(x.storage()) == 6
    x.storage()[0] = 9
    assert x[0, 0].item() == 9
    y = torsh.empty(0, dtype=torsh.int16).set_(storage, 1, (2, 2), (3, 1))
    assert y.tolist() == [[1, 2], [4, 5]] and y.is_set_to(x.as_strided((2, 2), (3, 1), 1)) and not y.is_set_to(x)
    y.fill_(0)
    assert x.tolist() == [[9, 0, 0], [3, 0, 0]]


def test_dlpack_both_ways() -> None:
    x = torsh.arange(4.0)
    for made in (np.from_dlpack(x), torch.from_dlpack(x)):
        made[0] = 5
        assert x[0].item() == 5
        x[0] = 0
    theirs = torch.arange(3)
    ours = torsh.from_dlpack(theirs)
    ours[0] = 7
    assert theirs[0].item() == 7 and ours.dtype is torsh.int64
    with pytest.raises(BufferError, match="require gradient"):
        torsh.ones(1, requires_grad=True).__dlpack__()


NUMPY_MEETS = {
    "ufunc": lambda m, a, t: np.add(a, t), "exp": lambda m, a, t: np.exp(t), "comparison": lambda m, a, t: np.greater(a, t),
    "tensor first": lambda m, a, t: t + a, "numpy number": lambda m, a, t: np.float32(2) * t, "number": lambda m, a, t: t * np.float64(2),
    "concatenate": lambda m, a, t: np.concatenate([a, t]), "array": lambda m, a, t: np.array([t, t]),
    "equal": lambda m, a, t: a == t,
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", NUMPY_MEETS)
def test_numpy_meets_tensors(case: str) -> None:
    expected = NUMPY_MEETS[case](torch, np.ones(3), torch.ones(3))
    found = NUMPY_MEETS[case](torsh, np.ones(3), torsh.ones(3))
    assert isinstance(found, torsh.Tensor) == isinstance(expected, torch.Tensor)
    assert str(found.dtype).rpartition(".")[2] == str(expected.dtype).rpartition(".")[2]
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


META = [
    lambda m, x: x + m.empty(3, 2, device=x.device), lambda m, x: x.transpose(0, 2) + 1, lambda m, x: x[:, 1:, 0],
    lambda m, x: x.transpose(0, 2).reshape(4, 6), lambda m, x: m.cat([x, x], 1), lambda m, x: x.sum(1), lambda m, x: x > 0,
    lambda m, x: x.double(), lambda m, x: x.diagonal(0, 1, 2), lambda m, x: x.unfold(0, 2, 1), lambda m, x: x.expand(5, 4, 3, 2),
    lambda m, x: m.zeros_like(x.transpose(0, 1)), lambda m, x: x.as_strided((2, 2), (1, 2), 3), lambda m, x: x.add_(1),
    lambda m, x: x.unbind(1)[1], lambda m, x: x[None], lambda m, x: m.arange(5, device=x.device), lambda m, x: x.tril(),
    lambda m, x: x.to(m.complex64).abs(), lambda m, x: x[[0, 1]], lambda m, x: x.view(m.int32), lambda m, x: x.repeat(2, 1, 1),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(META)))
def test_meta_tensors_tell_what_the_real_call_gives(case: int) -> None:
    expected = META[case](torch, torch.empty(4, 3, 2, device="meta"))
    found = META[case](torsh, torsh.empty(4, 3, 2, device="meta"))
    assert found.device.type == "meta" and found.dtype.name == str(expected.dtype).removeprefix("torch.")
    assert (tuple(found.shape), found.stride(), found.storage_offset()) == (
        tuple(expected.shape), expected.stride(), expected.storage_offset()
    )  # fmt: skip


def test_meta_tensors_take_no_memory_and_have_gradients() -> None:
    big = torsh.empty(100_000, 1_000_000, device="meta")
    assert big.t()[5:].shape == (999_995, 100_000) and big[3:].storage_offset() == 3_000_000
    x = torsh.empty(3, device="meta", requires_grad=True)
    (x * 2).sum().backward()
    assert x.grad.shape == (3,) and x.grad.is_meta
    with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
        x.tolist()


CLOSE = {
    "far": lambda m: (m.tensor([1.0, 2, 3]), m.tensor([1.0, 2, 4])), "ints": lambda m: (m.tensor([1, 2]), m.tensor([1, 3])),
    "0-d": lambda m: (m.tensor(1.0), m.tensor(2.0)), "numbers": lambda m: (1.0, 2.0), "in a list": lambda m: ([m.ones(2)], [m.zeros(2)]),
    "keys": lambda m: ({"a": m.ones(2)}, {"b": m.ones(2)}), "shapes": lambda m: (m.ones(2), m.ones(3)),
    "nan": lambda m: (m.tensor([float("nan")]), m.tensor([float("nan")])), "close": lambda m: (m.ones(2), m.ones(2) + 1e-7),
    "bools": lambda m: (True, False), "lengths": lambda m: ([1], [1, 2]), "types": lambda m: (1, 1.0), "None": lambda m: (None, 1),
}  # fmt: skip


@pytest.mark.parametrize("case", CLOSE)
def test_assert_close_says_what_pytorch_says(case: str) -> None:
    said = []
    for m in (torch, torsh):
        try:
            m.testing.assert_close(*CLOSE[case](m))
            said.append(None)
        except Exception as e:
            said.append((type(e), str(e).replace("torch.", "torsh.")))
    assert said[0] == said[1]


def test_settings() -> None:
    torsh.use_deterministic_algorithms(True, warn_only=True)
    assert torsh.are_deterministic_algorithms_enabled() and torsh.get_deterministic_debug_mode() == 1
    torsh.use_deterministic_algorithms(False)
    assert torsh.get_num_threads() >= 1
    assert torsh.result_type(torsh.ones(1, dtype=torsh.int32), 1.5) is torsh.float32
    assert torsh.can_cast(torsh.int32, torsh.float32) and not torsh.can_cast(torsh.float32, torsh.int32)
    assert (
        torsh.typename(torsh.ones(1)) == "torch.FloatTensor"
        and torsh.is_tensor(torsh.ones(1))
        and not torsh.is_tensor(1)
    )
    assert torsh.broadcast_shapes((2, 1), (3,)) == (2, 3)


def test_properties() -> None:
    x = torsh.ones(2, 3, dtype=torsh.float64)
    assert (x.itemsize, x.nbytes, x.element_size(), x.nelement(), x.ndimension(), x.get_device()) == (
        8,
        48,
        8,
        6,
        2,
        -1,
    )
    assert x.is_cpu and not x.is_cuda and x.layout is torsh.strided and x.is_floating_point() and not x.is_complex()
    assert x.apply_(lambda v: v + 1).tolist() == [[2.0] * 3] * 2
