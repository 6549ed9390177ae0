"""The PyTorch backend: data in and out, memory, devices, and nothing recorded below torsh."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import torsh
from torsh import dtypes, registry
from torsh.device import device

torch = pytest.importorskip("torch")

CPU = device("cpu")
FLOAT64_LESS = "single"


@pytest.fixture(autouse=True)
def backend():
    with registry.use("torch") as backend:
        yield backend


@pytest.fixture
def single():
    """A CPU device without double precision: what Metal looks like to torsh."""
    from torsh_torch import TorchBackend

    registry.register(TorchBackend(FLOAT64_LESS, ("cpu",), without=(dtypes.float64, dtypes.complex128)))
    with registry.use(FLOAT64_LESS) as backend:
        yield backend
    registry.unregister(FLOAT64_LESS)


@pytest.mark.parametrize("dtype", dtypes.ALL, ids=str)
def test_every_dtype_travels_there_and_back(backend, dtype):
    from torsh.backend import TO_NUMPY

    array = np.array([[0, 1, 2], [1, 0, 1]]).astype(TO_NUMPY[dtype])
    raw = backend.from_host(array, dtype, CPU)
    assert raw.dtype == getattr(torch, dtype.name)
    assert backend.dtype_of(raw) is dtype
    assert raw.shape == (2, 3)
    back = backend.to_host(raw)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back.view(np.uint8), array.view(np.uint8))
    np.testing.assert_array_equal(backend.to_host(raw.t()).astype(complex), array.T.astype(complex))
    scalar = np.ones((), TO_NUMPY[dtype])
    assert backend.to_host(backend.from_host(scalar, dtype, CPU)).shape == ()


def test_host_arrays_share_memory_where_they_can(backend):
    array = np.zeros((2, 3), np.float32)
    raw = backend.from_host(array[:, 1:], dtypes.float32, CPU)
    array[0, 1] = 5.0
    assert raw[0, 0] == 5.0
    backend.to_host(raw)[1, 1] = 7.0
    assert array[1, 2] == 7.0


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0)[::-1],
        np.arange(6.0).astype(">f8"),
        np.broadcast_to(np.arange(3.0), (2, 3)),
        np.array([(1.0, 2)], dtype=[("x", "f8"), ("y", "i1")])["x"],
        np.zeros((0, 3)),
    ],
    ids=["negative strides", "big endian", "read-only", "field of a record", "empty"],
)
@pytest.mark.filterwarnings("error")
def test_arrays_pytorch_does_not_take_as_they_are(backend, array):
    np.testing.assert_array_equal(backend.to_host(backend.from_host(array, dtypes.float64, CPU)), array)


def test_bfloat16_through_the_public_api():
    x = torsh.tensor([1.0, 2.5], dtype=torsh.bfloat16)
    assert (x * 2)._data.dtype == torch.bfloat16
    assert (x * 2).to(torsh.float32).tolist() == [2.0, 5.0]
    assert registry.load("torch").to_host(x._data).dtype == ml_dtypes.bfloat16


def test_nothing_is_recorded_below():
    x = torsh.tensor([1.0, 2.0], requires_grad=True)
    y = (x.exp() * x).sum()
    y.backward()
    for t in (x, y, x.grad):
        assert type(t._data) is torch.Tensor
        assert not t._data.requires_grad
        assert t._data.grad_fn is None
    np.testing.assert_allclose(x.grad.numpy(), [2 * np.e, 3 * np.exp(2)], rtol=1e-6)


def test_views_share_memory_and_geometry_is_pytorch_s(backend):
    x = torsh.arange(12.0).reshape(3, 4)
    y = x.t()[1:, ::2]
    shape, strides, address = backend.geometry(y._data)
    assert (shape, strides) == ((3, 2), (1, 8))
    assert address == x._data.data_ptr() + 4
    y.mul_(0.0)
    assert x.tolist() == [[0, 0, 0, 0], [4, 5, 6, 7], [8, 0, 0, 0]]
    assert (y.stride(), y.storage_offset(), y.is_contiguous()) == ((1, 8), 1, False)


def test_writes_between_overlapping_parts(backend):
    x = torch.arange(6.0)
    backend.write(x[1:], x[:-1])
    assert x.tolist() == [0, 0, 1, 2, 3, 4]
    backend.write(x[:-1], x[1:])
    assert x.tolist() == [0, 1, 2, 3, 4, 4]
    backend.write(x[:1].expand(4), torch.zeros(1).expand(4))
    with pytest.raises(RuntimeError, match="unsupported operation"):
        backend.write(x[:1].expand(2), torch.ones(2))


def test_kernels_with_out_write_into_memory(backend):
    assert backend.into(torch.exp) is torch.exp
    assert backend.into(lambda x: x) is None
    assert backend.into(torch.reshape) is None
    x = torsh.zeros(3)
    address = x.data_ptr()
    x.exp_().add_(1.0)
    assert x.tolist() == [2, 2, 2] and x.data_ptr() == address


def test_complex_to_real_keeps_the_real_part_and_bool_asks_both(backend):
    z = torch.tensor([0j, 1j, 2 + 0j])
    assert backend.cast(z, dtypes.float32).tolist() == [0, 0, 2]
    assert backend.cast(z, dtypes.bool).tolist() == [False, True, True]


def test_a_device_without_double_precision(single):
    x = torsh.tensor([1.0, 2.0])
    assert x.dtype is torsh.float32 and (x / 3).mean().dtype is torsh.float32
    with pytest.raises(TypeError, match=r"has no .*float64 tensors; convert to one of .*float32"):
        x.double()
    with pytest.raises(TypeError, match="float64"):
        torsh.zeros(2, dtype=torsh.float64)
    with pytest.raises(TypeError, match="complex128"):
        torsh.zeros(2, dtype=torsh.complex128)
    net = torsh.nn.Linear(2, 2)
    net(x).sum().backward()
    torsh.optim.Adam(net.parameters()).step()
    assert net.weight.grad.dtype is torsh.float32


def test_devices_are_those_pytorch_sees(backend):
    found = [str(d) for d in backend.devices()]
    assert found[0] == "cpu"
    assert len(found) == 1 + torch.cuda.device_count() + torch.backends.mps.is_available()


@pytest.mark.skipif(torch.cuda.is_available(), reason="says why where there is no GPU")
def test_an_instance_for_absent_devices_says_so():
    from torsh_torch import TorchBackend

    assert TorchBackend("gpu", ("cuda",)).unavailable() == "PyTorch sees no device of type cuda here"


def test_training_matches_numpy():
    def train():
        torsh.manual_seed(0)
        net = torsh.nn.Sequential(
            torsh.nn.Conv2d(1, 3, 3),
            torsh.nn.BatchNorm2d(3),
            torsh.nn.ReLU(),
            torsh.nn.Flatten(),
            torsh.nn.Linear(48, 4),
        )
        optimizer = torsh.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        x, target = torsh.randn(8, 1, 6, 6), torsh.randint(0, 4, (8,))
        losses = []
        for _ in range(5):
            optimizer.zero_grad()
            loss = torsh.nn.functional.cross_entropy(net(x), target)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    with registry.use("numpy"):
        expected = train()
    np.testing.assert_allclose(train(), expected, rtol=1e-4)
