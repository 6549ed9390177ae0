"""Simulated quantisation, hashes, modes, static indices: values and gradients as PyTorch's."""

from __future__ import annotations

import pytest

import torsh

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("channel", [False, True])
def test_fake_quantize(channel):
    found = []
    for T in (torch, torsh):
        x = T.tensor([[-0.3, 0.04, 1.25], [0.5, 30.0, 2.25]], requires_grad=True)
        if channel:
            y = T.fake_quantize_per_channel_affine(x, T.tensor([0.1, 0.5]), T.tensor([2, 0], dtype=T.int32), 0, 0, 20)
        else:
            y = T.fake_quantize_per_tensor_affine(x, 0.1, 2, 0, 20)
        (y * T.arange(6.0).reshape(2, 3)).sum().backward()
        found.append((y.tolist(), x.grad.tolist()))
    for a, b in zip(found[0], found[1]):
        assert [v for row in b for v in row] == pytest.approx([v for row in a for v in row])


def test_fake_quantize_refuses_what_does_not_fit():
    x = torsh.ones(2, 3)
    with pytest.raises(RuntimeError, match="quant_min"):
        torsh.fake_quantize_per_tensor_affine(x, 0.1, 0, 5, 1)
    with pytest.raises(RuntimeError, match="not consistent"):
        torsh.fake_quantize_per_channel_affine(x, torsh.ones(2), torsh.zeros(2, dtype=torsh.int64), 1, 0, 5)


@pytest.mark.parametrize("dim", [(), 0, -1, (0, 2), [1]])
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "int16", "bool"])
def test_hash(dim, keepdim, dtype):
    values = torch.linspace(-3, 5, 24).reshape(2, 3, 4).to(getattr(torch, dtype))
    ours = torsh.tensor(values.tolist(), dtype=getattr(torsh, dtype))
    a, b = torch.hash_tensor(values, dim, keepdim=keepdim), torsh.hash_tensor(ours, dim, keepdim=keepdim)
    assert a.tolist() == b.tolist() and tuple(a.shape) == tuple(b.shape) and b.dtype is torsh.uint64


@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("keepdim", [False, True])
def test_mode_takes_the_smallest_and_last(dim, keepdim):
    values = [[0, 2, 1, 2, 0], [1, 2, 1, 0, 0], [1, 0, 2, 0, 2]]
    found = []
    for T in (torch, torsh):
        x = T.tensor(values, dtype=T.float32, requires_grad=True)
        m = T.mode(x, dim, keepdim)
        m.values.sum().backward()
        found.append((m.values.tolist(), m.indices.tolist(), x.grad.tolist()))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda T: T.mode(T.empty(0)), IndexError), (lambda T: T.mode(T.zeros(2, dtype=T.complex64)), NotImplementedError),
        (lambda T: T.unravel_index(T.tensor(1.0), (2, 2)), TypeError), (lambda T: T.unravel_index(T.tensor(1), (2, 2.0)), TypeError),
        (lambda T: T.unravel_index(T.tensor(1), (-2, 2)), ValueError), (lambda T: T.nonzero_static(T.ones(2), size=-2), RuntimeError),
    ],
)  # fmt: skip
def test_errors(call, error):
    messages = []
    for T in (torch, torsh):
        with pytest.raises(error) as e:
            call(T)
        messages.append(str(e.value).replace("torsh", "torch").split(",")[0][:40])
    assert messages[0] == messages[1]


@pytest.mark.parametrize("shared", [False, True])
def test_from_file(tmp_path, shared):
    path = str(tmp_path / "values")
    torch.arange(6, dtype=torch.float64).numpy().tofile(path)
    t = torsh.from_file(path, shared=shared, size=6, dtype=torsh.float64)
    assert t.tolist() == [0, 1, 2, 3, 4, 5]
    t[0] = 9
    del t
    again = torch.from_file(path, size=6, dtype=torch.float64)
    assert again[0].item() == (9 if shared else 0)
    with pytest.raises(RuntimeError, match="unable to open"):
        torsh.from_file(path + "x", size=3)


@pytest.mark.parametrize(("pow", "dim"), [(2, 0), (1, 1), (2, -1)])
def test_norm_except_dim(pow, dim):
    x = torch.linspace(-1, 2, 24).reshape(2, 3, 4)
    a, b = torch.norm_except_dim(x, pow, dim), torsh.norm_except_dim(torsh.tensor(x.tolist()), pow, dim)
    assert tuple(a.shape) == tuple(b.shape) and b.reshape(-1).tolist() == pytest.approx(a.reshape(-1).tolist())
