"""Complex numbers against PyTorch: views that share memory, gradients, writing to parts."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pointwise_cases import agree, over, same_gradients, values  # noqa: E402

import torsh  # noqa: E402


@pytest.fixture
def z():
    return values("complex128", 6).reshape(2, 3)


def test_parts(z):
    a = over(z)
    agree(a.real, z.real)
    agree(torsh.imag(a), z.imag)
    agree(torsh.view_as_real(a), torch.view_as_real(z))
    agree(torsh.view_as_real(a.T), torch.view_as_real(z.T))
    agree(torsh.view_as_complex(torsh.view_as_real(a)), z)
    agree(a.angle(), z.angle())
    agree(a.conj().resolve_conj(), z.conj().resolve_conj())
    agree(torsh.tensor(1j)[None].real, torch.tensor(1j)[None].real)


def test_parts_share_memory(z):
    a = over(z)
    a.real.zero_()
    torsh.view_as_real(a)[..., 1] = 5
    assert a.tolist() == [[5j] * 3] * 2
    b = torsh.zeros(2, 2)
    torsh.view_as_complex(b)[1] = 1 + 2j
    assert b.tolist() == [[0, 0], [1, 2]]
    a.imag = torsh.ones(2, 3, dtype=torsh.float64)
    assert a.tolist() == [[1j] * 3] * 2
    assert a.real._version == a._version


def test_real_tensors():
    x = torsh.ones(2)
    assert x.real is x
    assert x.conj() is x
    with pytest.raises(RuntimeError, match="imag is not implemented for tensors with non-complex dtypes"):
        x.imag  # noqa: B018
    with pytest.raises(RuntimeError, match="only supported for complex"):
        torsh.view_as_real(x)


@pytest.mark.parametrize("shape", [(3,), (), (2, 3)])
def test_view_as_complex_needs_pairs(shape):
    with pytest.raises(RuntimeError):
        torsh.view_as_complex(torsh.ones(shape))
    with pytest.raises(RuntimeError, match="stride 1"):
        torsh.view_as_complex(torsh.ones(2, 4).T[:2].T.expand(2, 2).T.contiguous().T)


def test_complex_checks_its_parts():
    with pytest.raises(RuntimeError, match="Expected object of scalar type Float but got scalar type Double"):
        torsh.complex(torsh.ones(2), torsh.ones(2, dtype=torsh.float64))
    with pytest.raises(RuntimeError, match="Half, Float or Double"):
        torsh.complex(torsh.ones(2, dtype=torsh.int64), torsh.ones(2, dtype=torsh.int64))
    assert (
        torsh.complex(torsh.ones(2, dtype=torsh.float16), torsh.ones(2, dtype=torsh.float16)).dtype is torsh.complex32
    )


@pytest.mark.parametrize("name", ["real", "imag", "view_as_real", "conj", "abs", "angle"])
def test_gradients(name, z):
    same_gradients(lambda m, x: getattr(m, name)(x * x), [z])


def test_gradient_of_view_as_complex():
    same_gradients(lambda m, x: m.view_as_complex(x * 3).abs(), [values("float64", 8).reshape(4, 2)])
    # a gradient whose last dimension does not lie together in memory
    same_gradients(lambda m, x: (m.view_as_real(x).transpose(0, 2) * 2).sum(1), [values("complex128", 6).reshape(2, 3)])


WRITES = {
    "real": lambda m, y, w: y.real.mul_(w),
    "imag": lambda m, y, w: y.imag.copy_(w),
    "view_as_real": lambda m, y, w: m.view_as_real(y)[..., 0].mul_(w),
    "part of real": lambda m, y, w: y.real[0].mul_(w[0]),
    "real of part": lambda m, y, w: y[1].real.add_(w[1]),
    "real of transposed": lambda m, y, w: y.T.real.mul_(w.T),
    "twice": lambda m, y, w: (y.real.mul_(w), y.imag.mul_(w), y[0].imag.mul_(2.0)),
}


@pytest.mark.parametrize("name", WRITES)
def test_gradient_through_writes_to_parts(name, z):
    def f(m, x, w):
        y = x * 2
        WRITES[name](m, y, w)
        return y.abs() + y.real

    same_gradients(f, [z, values("float64", 6, seed=3, low=0.5, high=2).reshape(2, 3)], twice=False)


def test_part_taken_before_the_write(z):
    grads = []
    for module in (torch, torsh):
        x = (z.clone() if module is torch else over(z)).requires_grad_()
        y = x * 1
        part = y.real
        y.mul_(2)
        part.sum().backward()
        grads.append(np.array(x.grad.resolve_conj().numpy() if module is torch else x.grad.numpy()))
    np.testing.assert_allclose(grads[1], grads[0])
