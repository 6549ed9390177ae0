"""Behaviour that PyTorch's own tests ask for, one small case each, against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import torsh
import torsh.cuda
import torsh.nn.functional
import torsh.utils.data

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")


def same(fn):
    """What both give, or raise: values as lists, errors as their types."""
    found = []
    for T in (torch, torsh):
        try:
            t = fn(T)
            found.append((tuple(t.shape), str(t.dtype)[6:], t.tolist()) if hasattr(t, "shape") else t)
        except Exception as e:
            found.append(type(e))
    assert found[0] == found[1]
    return found[1]


@pytest.mark.parametrize(
    ("n", "dtype"), [(256, "uint8"), (257, "uint8"), (128, "int8"), (129, "int8"), (32768, "int16")]
)
def test_permutations_use_the_whole_range_of_a_type(n, dtype):
    def draw(T):
        T.manual_seed(3)
        return T.randperm(n, dtype=getattr(T, dtype))

    same(draw)


def test_sparse_differences_of_unsigned_numbers():
    def run(T):
        a, b = T.tensor([[0, -3], [4, 5]], dtype=T.int8), T.tensor([[250, 4], [0, 1]], dtype=T.uint8)
        return (a.to_sparse() - b.to_sparse()).to_dense()

    assert same(run)[2] == [[-250, -7], [4, 4]]
    dense = torsh.tensor([[0, -3]], dtype=torsh.int16) - torsh.tensor([[250, 4]], dtype=torsh.uint8).to_sparse()
    assert dense.tolist() == [[-250, -7]]


@pytest.mark.parametrize("dim", [0, 1, 5, -4])
def test_joining_legacy_empty_tensors(dim):
    assert same(lambda T: T.cat([T.empty(0), T.empty(0)], dim=dim)) == ((0,), "float32", [])


def test_range_fills_a_view():
    def run(T):
        x = T.zeros(2, 3)
        T.range(0, 3, out=x.narrow(1, 1, 2))
        return x

    assert same(run)[2] == [[0.0, 0.0, 1.0], [0.0, 2.0, 3.0]]


def test_slopes_over_coordinates_of_higher_precision():
    rng = np.random.default_rng(0)
    x, c = rng.standard_normal(1000).astype(np.float32), np.sort(rng.standard_normal(1000))
    wanted = np.gradient(x.astype(np.float64), c)
    got = torsh.gradient(torsh.tensor(x), spacing=(torsh.tensor(c),))[0]
    assert got.dtype is torsh.float64
    np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-10, atol=1e-9 * np.abs(wanted).max())
    same(lambda T: T.gradient(T.arange(5.0, dtype=T.float16), spacing=(T.arange(5.0),))[0].dtype.itemsize)


@pytest.mark.parametrize("shape", [(0, 3), (0, 2, 2)])
def test_selecting_from_an_empty_dimension(shape):
    assert same(lambda T: T.empty(shape).index_select(0, T.tensor([0]))) is RuntimeError
    same(lambda T: T.empty(0).index_select(0, T.tensor([0])))
    same(lambda T: T.empty(3, 0).index_select(0, T.tensor([0, 2])))
    assert same(lambda T: T.empty(3, 0).index_select(0, T.tensor([5]))) is RuntimeError


def test_shapes_that_nll_loss_refuses():
    f = lambda T: T.nn.functional
    assert same(lambda T: f(T).nll_loss(T.tensor(1.0), T.tensor(1))) is ValueError
    assert same(lambda T: f(T).nll_loss(T.tensor([1.0]), T.tensor([1, 2]))) is ValueError


def test_sparse_tensors_have_no_memory_format():
    for name in ("empty_like", "zeros_like"):
        assert same(lambda T: getattr(T, name)(T.eye(2).to_sparse(), memory_format=T.preserve_format)) is RuntimeError


def test_typed_storages_of_cuda():
    for T in (torch, torsh):
        cls = T.cuda.FloatStorage
        assert (
            cls.dtype is T.float32
            and not isinstance(T.FloatStorage(1), cls)
            and issubclass(cls, T.storage.TypedStorage)
        )
        with pytest.raises(RuntimeError, match="from_buffer: Not available for CUDA storage"):
            cls.from_buffer(b"abcd")
        with pytest.raises(RuntimeError, match="cannot set item with value type"):
            T.FloatStorage(2).fill_(T.FloatStorage(2))
        with pytest.raises(RuntimeError, match="can't index a"):
            T.FloatStorage(2)["a"]
    assert not torsh.cuda.is_available() and torsh.cuda.is_tf32_supported() is False or torsh.cuda.is_available()


@pytest.mark.parametrize("T", [torch, torsh])
def test_a_loader_that_pins_warns_without_an_accelerator(T):
    if T.accelerator.is_available():
        pytest.skip("there is an accelerator")
    loader = T.utils.data.DataLoader([1, 2], pin_memory=True, pin_memory_device="cuda")
    with pytest.warns(UserWarning, match="'pin_memory' argument is set as true but no accelerator is found") as told:
        assert [b.tolist() for b in loader] == [[1], [2]]
    assert any("pin_memory_device is deprecated" in str(w.message) for w in told)


@pytest.mark.parametrize("make", ["Tensor", "FloatTensor", "class"])
def test_a_tensor_of_a_tensor_is_a_view_of_it(make):
    def run(T):
        class Mine(T.Tensor):
            pass

        cls = Mine if make == "class" else getattr(T, make)
        a, b = T.ones(2), T.ones(2, requires_grad=True)
        c = cls(a)
        with T.no_grad():
            c.add_(1)
        (cls(b) * 3).sum().backward()
        return c._is_view(), c._base is a, a.tolist(), b.grad.tolist(), type(c).__name__

    assert same(run)[:4] == (True, True, [2.0, 2.0], [3.0, 3.0])


def test_who_is_warned_about_overrides_as_plain_methods():
    for T in (torch, torsh):

        class Bad:
            def __torch_function__(self, *args, **kwargs):
                pass

        with pytest.warns(UserWarning, match="as a plain method is deprecated"):
            T.abs(Bad())
        with pytest.warns(DeprecationWarning, match="as a plain method is deprecated"):
            T.nn.functional.dropout(Bad())
