"""Nested tensors of both layouts against PyTorch's: components, structure, printed form, gradients, refusals."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import numpy as np
import pytest

import torsh
import torsh.nested

torch = pytest.importorskip("torch")
BOTH = (torsh, torch)
LAYOUTS = ("strided", "jagged")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def arrays() -> list[np.ndarray[Any, Any]]:
    return [np.arange(6, dtype=np.float32).reshape(2, 3), np.arange(3, dtype=np.float32).reshape(1, 3) + 10]


def make(lib: Any, layout: str, requires_grad: bool = False, flip: bool = False) -> Any:
    parts = [lib.from_numpy(a) for a in arrays()]
    return lib.nested.nested_tensor(
        parts[::-1] if flip else parts, layout=getattr(lib, layout), requires_grad=requires_grad
    )


def text(x: Any) -> str:
    return re.sub(r"\bj\d+\b", "j", repr(x).replace("torsh.", "torch."))


def same(a: Any, b: Any) -> None:
    if isinstance(b, (tuple, list)):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            same(x, y)
    elif isinstance(b, torch.Tensor) and b.is_nested:
        assert a.is_nested
        assert text(a.layout) == str(b.layout)
        if b.is_contiguous() or b.layout is torch.strided:
            assert re.sub(", contiguous=.*", "", text(a)) == re.sub(", contiguous=.*", "", text(b))
        same(list(a.unbind()), list(b.unbind()))
    elif isinstance(b, torch.Tensor):
        assert text(a.dtype) == str(b.dtype)
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-5, atol=1e-6)
    else:
        assert text(a) == text(b)


COMMON = {
    "itself": lambda lib, a: a, "unbind": lambda lib, a: a.unbind(), "component": lambda lib, a: a[0], "row": lambda lib, a: a[1, 0],
    "padded": lambda lib, a: lib.nested.to_padded_tensor(a, -1.0), "neg": lambda lib, a: -a, "relu": lambda lib, a: lib.nn.functional.relu(a),
    "add": lambda lib, a: a + a, "number": lambda lib, a: a + 1, "times": lambda lib, a: 2 * a,
    "linear": lambda lib, a: lib.nn.functional.linear(a, lib.ones(4, 3), lib.ones(4)), "softmax": lambda lib, a: a.softmax(-1),
    "layer_norm": lambda lib, a: lib.nn.functional.layer_norm(a, (3,), lib.ones(3) * 2, lib.ones(3)), "sum": lambda lib, a: a.sum(-1, keepdim=True),
    "clone": lambda lib, a: a.clone(), "detach": lambda lib, a: a.detach(), "transpose": lambda lib, a: a.transpose(1, 2), "double": lambda lib, a: a.double(),
    "chunk": lambda lib, a: a.chunk(3, -1), "cat": lambda lib, a: lib.cat([a, a], -1), "unsqueeze": lambda lib, a: a.unsqueeze(-1),
    "reshape": lambda lib, a: a.reshape(2, -1, 3, 1), "view": lambda lib, a: a.view(2, -1, 1, 3), "dropout": lambda lib, a: lib.nn.functional.dropout(a, 0.0),
    "ones_like": lambda lib, a: lib.ones_like(a), "zeros_like": lambda lib, a: lib.zeros_like(a), "mul_": lambda lib, a: a.mul_(2),
    "fill_": lambda lib, a: a.fill_(1), "abs": lambda lib, a: a.abs(), "masked_fill": lambda lib, a: a.masked_fill(a > 3, 0.0),
    "sizes": lambda lib, a: (a.size(0), a.size(-1), a.dim(), a.is_nested, a.dtype, a.is_same_size(a)),
    "iter": lambda lib, a: [tuple(x.shape) for x in a], "values": lambda lib, a: a.values(),
    "silu": lambda lib, a: lib.nn.functional.silu(a),
}  # fmt: skip
STRIDED = {
    "bmm": lambda lib, a: lib.matmul(a, a.transpose(1, 2)), "cat components": lambda lib, a: lib.cat([a, a]), "size": lambda lib, a: a._nested_tensor_size(),
    "larger": lambda lib, a: a.to_padded_tensor(0.0, (2, 4, 4)), "whole numbers": lambda lib, a: lib.nested.nested_tensor([[1, 2], [3]]),
    "squeeze": lambda lib, a: a.unsqueeze(1).squeeze(1), "empty": lambda lib, a: lib.nested.nested_tensor([]).dim() if lib is torsh else 1,
}  # fmt: skip
JAGGED = {
    "deepcopy": lambda lib, a: copy.deepcopy(a), "sigmoid": lambda lib, a: a.sigmoid(), "numel": lambda lib, a: (a.numel(), len(a)),
    "shape": lambda lib, a: tuple(a.shape), "offsets": lambda lib, a: a.offsets(), "lengths": lambda lib, a: a.lengths(), "whole sum": lambda lib, a: a.sum(),
    "ragged sum": lambda lib, a: a.sum(1), "ragged mean": lambda lib, a: a.mean(1), "mean": lambda lib, a: a.mean(), "amax": lambda lib, a: a.amax(1),
    "dense": lambda lib, a: a + lib.ones(2, 1, 3), "trailing": lambda lib, a: a * lib.arange(3.0), "matmul": lambda lib, a: a @ lib.ones(3, 2), "eq": lambda lib, a: a == a,
    "pow": lambda lib, a: a**2, "rsub": lambda lib, a: 1 - a, "where": lambda lib, a: lib.where(a > 2, a, a * 0), "argmax": lambda lib, a: a.argmax(-1),
    "select": lambda lib, a: a.select(-1, 0), "permute": lambda lib, a: a.permute(0, 2, 1), "embedding": lambda lib, a: lib.nn.functional.embedding(a.long(), lib.arange(40.0).reshape(20, 2)),
    "of a tensor": lambda lib, a: lib.nested.as_nested_tensor(lib.ones(2, 3, 4), layout=lib.jagged),
    "from jagged": lambda lib, a: lib.nested.nested_tensor_from_jagged(lib.arange(10.0), lib.tensor([0, 3, 10])),
    "from lengths": lambda lib, a: lib.nested.nested_tensor_from_jagged(lib.arange(10.0), lengths=lib.tensor([3, 7])).offsets(),
    "masked_select": lambda lib, a: lib.nested.masked_select(lib.arange(6.0).reshape(2, 3), lib.tensor([[True, False, True], [False, False, True]])),
    "narrow": lambda lib, a: list(lib.nested.narrow(lib.arange(10.0).reshape(2, 5), 1, lib.tensor([0, 1]), lib.tensor([2, 3]), layout=lib.jagged).unbind()),
}  # fmt: skip
CASES = (
    [(layout, n) for layout in LAYOUTS for n in COMMON]
    + [("strided", n) for n in STRIDED]
    + [("jagged", n) for n in JAGGED]
)


@pytest.mark.parametrize(("layout", "op"), CASES)
def test_ops(layout: str, op: str) -> None:
    f = {**COMMON, **STRIDED, **JAGGED}[op]
    same(*(f(lib, make(lib, layout)) for lib in BOTH))


REFUSED = {
    "irregular": ("strided", lambda lib, a: a.size(1)), "shape": ("strided", lambda lib, a: a.shape), "dense": ("strided", lambda lib, a: a + lib.ones(2, 1, 3)),
    "other": ("strided", lambda lib, a: a + make(lib, "strided", flip=True)), "other jagged": ("jagged", lambda lib, a: a + make(lib, "jagged", flip=True)),
    "dense matmul": ("strided", lambda lib, a: a @ lib.ones(3, 2)), "tolist": ("jagged", lambda lib, a: a.tolist()), "item": ("jagged", lambda lib, a: a.item()),
    "bool": ("strided", lambda lib, a: bool(a)), "stack": ("jagged", lambda lib, a: lib.stack([a, a])), "cat": ("jagged", lambda lib, a: lib.cat([a, a])),
    "bmm": ("jagged", lambda lib, a: lib.matmul(a, a.transpose(1, 2))), "tensor": ("strided", lambda lib, a: lib.nested.nested_tensor(lib.ones(2, 2))),
    "no offsets": ("jagged", lambda lib, a: lib.nested.nested_tensor_from_jagged(lib.ones(3))), "two ragged": ("jagged", lambda lib, a: lib.nested.nested_tensor([lib.ones(2, 3), lib.ones(3, 2)], layout=lib.jagged)),
    "truncated": ("strided", lambda lib, a: a.to_padded_tensor(0.0, (2, 1, 3))), "dense padding": ("strided", lambda lib, a: lib.ones(2).to_padded_tensor(0.0)),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    layout, f = REFUSED[case]
    kinds = []
    for lib in BOTH:
        with pytest.raises(Exception) as caught:  # which one is compared below
            f(lib, make(lib, layout))
        kinds.append(type(caught.value))
    assert kinds[0] is kinds[1]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients(layout: str) -> None:
    found = []
    for lib in BOTH:
        a = make(lib, layout, True)
        w = lib.arange(12.0).reshape(4, 3).requires_grad_()
        y = lib.nn.functional.linear(a * a, w)
        (y.softmax(-1) * y).to_padded_tensor(0.0).sum().backward()
        found.append((list(a.grad.unbind()), w.grad))
    same(*found)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_of_the_components(layout: str) -> None:
    found = []
    for lib in BOTH:
        parts = [lib.from_numpy(a).requires_grad_() for a in arrays()]
        n = lib.nested.as_nested_tensor(parts, layout=getattr(lib, layout))
        (n * n).to_padded_tensor(0.0).sum().backward()
        found.append([p.grad for p in parts])
    same(*found)


def test_attention_is_that_of_each_component() -> None:
    torsh.manual_seed(0)
    parts = [torsh.randn(n, 2, 4) for n in (3, 5)]
    q = torsh.nested.nested_tensor(parts, layout=torsh.jagged).transpose(1, 2)
    out = torsh.nn.functional.scaled_dot_product_attention(q, q, q, is_causal=True)
    for found, p in zip(out.unbind(), parts):
        p = p.transpose(0, 1)
        expected = torsh.nn.functional.scaled_dot_product_attention(p, p, p, is_causal=True)
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-5, atol=1e-6)
    assert text(out.shape) == "torch.Size([2, 2, j, 4])"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pickled(layout: str) -> None:
    assert text(pickle.loads(pickle.dumps(make(torsh, layout)))) == text(make(torsh, layout))


def test_ragged_sizes_of_one_structure_are_equal() -> None:
    a = make(torsh, "jagged")
    assert a.shape[1] is (a + 1).shape[1]
    assert a.shape[1] is not make(torsh, "jagged").shape[1]


def test_backward_takes_a_nested_gradient() -> None:
    def gradient(t):
        x = t.nested.nested_tensor([t.arange(6.0).reshape(2, 3), t.ones(4, 3)], requires_grad=True)
        (x * 2).backward(t.nested.nested_tensor([t.ones(2, 3), 3 * t.ones(4, 3)]))
        return [p.tolist() for p in x.grad.unbind()]

    assert gradient(torsh) == gradient(torch)
    x = torsh.nested.nested_tensor([torsh.ones(2), torsh.ones(3)], requires_grad=True)
    with pytest.raises(RuntimeError, match="Mismatch in shape: grad_output"):
        x.exp().backward(torsh.nested.nested_tensor([torsh.ones(2), torsh.ones(2)]))
