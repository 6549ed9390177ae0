"""Views: which calls share memory, with which strides, what gradients and in-place writes do through them, which errors."""

from __future__ import annotations

import operator

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torsh  # noqa: E402

# Calls whose result has PyTorch's shape, strides, offset and shares memory with the input exactly where PyTorch's does.
CALLS = {
    "view": lambda x: x.view(6, 4),
    "view of dtype": lambda x: x.view(x.dtype),
    "view as ints": lambda x: x[..., :2].contiguous().flatten().view(_module(x).int16),
    "reshape": lambda x: x.reshape(4, 6),
    "reshape transposed": lambda x: x.transpose(0, 2).reshape(6, 4),
    "reshape transposed, viewable": lambda x: x.transpose(0, 1).reshape(3, 2, 2, 2),
    "flatten": lambda x: x.flatten(1),
    "flatten permuted": lambda x: x.permute(1, 0, 2).flatten(),
    "unflatten": lambda x: x.unflatten(2, (2, 2)),
    "ravel": lambda x: x.ravel(),
    "permute": lambda x: x.permute(2, 0, 1),
    "transpose": lambda x: x.transpose(0, -1),
    "mT": lambda x: x.mT,
    "movedim": lambda x: x.movedim(0, 2),
    "unsqueeze": lambda x: x.unsqueeze(1),
    "unsqueeze last": lambda x: x.permute(2, 0, 1).unsqueeze(-1),
    "squeeze": lambda x: x[:1].squeeze(0),
    "expand": lambda x: x[:, :1].expand(5, 2, 3, 4),
    "select": lambda x: x.select(1, -1),
    "narrow": lambda x: x.narrow(2, 1, 2),
    "diagonal": lambda x: x.diagonal(1, 1, 2),
    "unfold": lambda x: x.unfold(2, 2, 1),
    "as_strided": lambda x: x.as_strided((2, 2), (1, 3), 5),
    "as_strided of a view": lambda x: x[1].as_strided((2, 2), (4, 1)),
    "as_strided of a view, absolute offset": lambda x: x[1].as_strided((2, 2), (4, 1), 2),
    "unbind": lambda x: x.unbind(1)[2],
    "split": lambda x: x.split(2, 2)[1],
    "chunk": lambda x: x.chunk(2, 1)[1],
    "tensor_split": lambda x: x.tensor_split(3, 2)[1],
    "slice with step": lambda x: x[:, ::2],
    "clone keeps the order": lambda x: x.permute(2, 0, 1).clone(),
    "clone of expanded": lambda x: x[:, :1].expand(2, 5, 4).clone(),
    "contiguous": lambda x: x.permute(2, 0, 1).contiguous(),
    "zeros_like keeps the order": lambda x: _module(x).zeros_like(x.permute(2, 0, 1)),
    "to dtype keeps the order": lambda x: x.permute(2, 0, 1).to(_module(x).float64),
    "detach of a view": lambda x: x[1].detach(),
    "real broadcast": lambda x: _module(x).broadcast_to(x, (3, 2, 3, 4)),
    "swapaxes": lambda x: x.swapaxes(0, 1),
    "atleast_3d": lambda x: _module(x).atleast_3d(x[0]),
}  # fmt: skip


def _module(x):
    return torch if isinstance(x, torch.Tensor) else torsh


def pair():
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    return torch.tensor(array), torsh.tensor(array)


def shares(x, y) -> bool:
    return x.untyped_storage().data_ptr() == y.untyped_storage().data_ptr()


@pytest.mark.parametrize("call", CALLS)
def test_geometry(call: str) -> None:
    theirs, ours = pair()
    expected, found = CALLS[call](theirs), CALLS[call](ours)
    assert tuple(found.shape) == tuple(expected.shape)
    assert found.stride() == expected.stride()
    assert found.storage_offset() == expected.storage_offset()
    assert found.is_contiguous() == expected.is_contiguous()
    assert shares(ours, found) == shares(theirs, expected)
    np.testing.assert_array_equal(found.numpy(), expected.numpy())


@pytest.mark.parametrize("call", [c for c in CALLS if "clone" not in c and "_like" not in c and "ints" not in c])
def test_gradient(call: str) -> None:
    grads = []
    for m, x in zip((torch, torsh), pair()):
        x.requires_grad_()
        y = CALLS[call](x * 1)
        weight = m.arange(y.numel(), dtype=y.dtype).reshape(y.shape)
        if y.requires_grad:
            (y * weight).sum().backward()
        grads.append(None if x.grad is None else x.grad.numpy())
    assert (grads[0] is None) == (grads[1] is None)
    if grads[0] is not None:
        np.testing.assert_allclose(grads[1], grads[0])


@pytest.mark.parametrize(
    "call", ["view", "transpose", "select", "diagonal", "unfold", "split", "expand", "as_strided", "squeeze"]
)
def test_double_backward(call: str) -> None:
    found = []
    for m, x in zip((torch, torsh), pair()):
        x = (x / 24).requires_grad_()
        y = CALLS[call](x * x * x)
        (g,) = m.autograd.grad(y.sum(), x, create_graph=True)
        (h,) = m.autograd.grad((g * g).sum(), x)
        found.append(h.numpy())
    np.testing.assert_allclose(found[1], found[0], rtol=1e-5)


@pytest.mark.parametrize("call", ["view", "permute", "select", "narrow", "diagonal", "unsqueeze", "as_strided"])
def test_writing_to_a_view_writes_to_its_base_with_gradients(call: str) -> None:
    found = []
    for x in pair():
        x.requires_grad_()
        y = x * 2
        CALLS[call](y).mul_(3)
        (y * y).sum().backward()
        found.append((y.detach().numpy(), x.grad.numpy()))
    np.testing.assert_allclose(found[1][0], found[0][0])
    np.testing.assert_allclose(found[1][1], found[0][1])


@pytest.mark.parametrize(
    "change",
    [lambda x: x.transpose_(0, 1), lambda x: x.t_() if x.ndim == 2 else x.unsqueeze_(0), lambda x: x.squeeze_(), lambda x: x.unsqueeze_(-1),
     lambda x: x.swapaxes_(0, 2), lambda x: x.as_strided_((2, 2), (4, 1), 3), lambda x: x.resize_(2, 2), lambda x: x.resize_(3, 4)],
)  # fmt: skip
def test_changing_a_tensors_own_geometry(change) -> None:
    (theirs, ours) = pair()
    expected, found = change(theirs), change(ours)
    assert found is ours
    assert (tuple(found.shape), found.stride(), found.storage_offset()) == (
        tuple(expected.shape), expected.stride(), expected.storage_offset()
    )  # fmt: skip
    np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_growing_keeps_the_elements() -> None:
    x = torsh.arange(4.0)
    x.resize_(6)
    assert x[:4].tolist() == [0, 1, 2, 3]
    assert x.untyped_storage().nbytes() == 24


@pytest.mark.parametrize("formats", ["channels_last", "contiguous_format", "preserve_format"])
def test_memory_formats(formats: str) -> None:
    strides = []
    for m in (torch, torsh):
        x = m.zeros(2, 3, 4, 5).permute(0, 2, 1, 3)
        y = x.clone(memory_format=getattr(m, formats))
        z = m.empty_like(x, memory_format=getattr(m, formats))
        strides.append((y.stride(), z.stride(), y.is_contiguous(memory_format=m.channels_last), y.is_contiguous()))
    assert strides[0] == strides[1]


ERRORS = {
    "view of incompatible strides": lambda m: m.ones(2, 3).t().view(6),
    "view of wrong size": lambda m: m.ones(2, 3).view(4),
    "two unknown lengths": lambda m: m.ones(4).reshape(-1, -1),
    "ambiguous": lambda m: m.ones(0).reshape(-1, 0),
    "negative length": lambda m: m.ones(4).reshape(-2, 2),
    "permute too few": lambda m: m.ones(2, 3).permute(0),
    "permute repeated": lambda m: m.ones(2, 3).permute(0, 0),
    "transpose out of range": lambda m: m.ones(2, 3).transpose(0, 2),
    "t of three dimensions": lambda m: m.ones(1, 2, 3).t(),
    "mT of a vector": lambda m: m.ones(2).mT,
    "H of three dimensions": lambda m: m.ones(1, 2, 3).H,
    "unsqueeze out of range": lambda m: m.ones(2).unsqueeze(3),
    "expand mismatch": lambda m: m.ones(2).expand(3),
    "expand too few": lambda m: m.ones(2, 3).expand(3),
    "expand -1 in front": lambda m: m.ones(2).expand(-1, 2),
    "select out of range": lambda m: m.ones(2).select(0, 2),
    "select of 0-d": lambda m: m.ones(()).select(0, 0),
    "narrow too long": lambda m: m.ones(3).narrow(0, 2, 2),
    "narrow negative": lambda m: m.ones(3).narrow(0, 0, -1),
    "diagonal of one dimension": lambda m: m.ones(2, 2).diagonal(0, 1, 1),
    "unfold too large": lambda m: m.ones(3).unfold(0, 4, 1),
    "flatten backwards": lambda m: m.ones(2, 3).flatten(1, 0),
    "unflatten wrong": lambda m: m.ones(6).unflatten(0, (4, 2)),
    "as_strided beyond": lambda m: m.ones(4).as_strided((3, 3), (3, 1)),
    "as_strided negative": lambda m: m.ones(4).as_strided((2,), (-1,)),
    "cat of nothing": lambda m: m.cat([]),
    "cat of sizes": lambda m: m.cat([m.ones(2, 3), m.ones(2, 2)]),
    "cat of 0-d": lambda m: m.cat([m.ones(()), m.ones(())]),
    "stack of shapes": lambda m: m.stack([m.ones(2), m.ones(3)]),
    "split sizes": lambda m: m.ones(5).split([2, 2]),
    "chunk none": lambda m: m.ones(5).chunk(0),
    "hsplit uneven": lambda m: m.ones(5).hsplit(2),
    "in-place view of a leaf": lambda m: m.ones(2, 2, requires_grad=True)[0].mul_(2),
    "in-place transpose of a leaf": lambda m: m.ones(2, 2, requires_grad=True).t_(),
    "resize of what requires grad": lambda m: m.ones(2, requires_grad=True).resize_(3),
    "repeat too few": lambda m: m.ones(2, 2).repeat(2),
    "flip twice": lambda m: m.ones(2, 2).flip(0, 0),
    "tril of a vector": lambda m: m.ones(2).tril(),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_error(case: str) -> None:
    with pytest.raises(Exception) as expected:
        ERRORS[case](torch)
    with pytest.raises(type(expected.value)) as found:
        ERRORS[case](torsh)
    words = str(expected.value).split()[:3]
    assert str(found.value).split()[:3] == words


@pytest.mark.parametrize(
    "call",
    [lambda m, x: m.cat([x, x.double()]), lambda m, x: m.stack([x, x.to(m.int64)]), lambda m, x: m.hstack([x, x.to(m.complex64)]),
     lambda m, x: m.cat([m.ones(2, dtype=m.bool), m.ones(1, dtype=m.uint8)])],
)  # fmt: skip
def test_joining_promotes(call) -> None:
    theirs, ours = pair()
    expected, found = call(torch, theirs), call(torsh, ours)
    assert found.dtype.name == str(expected.dtype).removeprefix("torch.")
    np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_a_view_keeps_its_base_alive_and_versions_are_shared() -> None:
    base = torsh.zeros(3)
    view = base[1:]
    view.fill_(2)
    assert base._version == view._version == 1
    del base
    assert view.tolist() == [2, 2]


@pytest.mark.parametrize("name", ["reshape", "view", "expand", "flip", "tile", "repeat", "permute"])
def test_sizes_as_integers_tuple_or_list(name: str) -> None:
    x = torsh.arange(6.0).reshape(2, 3) if name in ("flip", "permute") else torsh.ones(1, 1)
    args = (1, 0) if name in ("flip", "permute") else (1, 1)
    call = operator.methodcaller
    results = [call(name, *args)(x), call(name, args)(x), call(name, list(args))(x), call(name, torsh.Size(args))(x)]
    assert all(torsh.equal(r, results[0]) for r in results)
