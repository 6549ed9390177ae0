"""MaskedTensor against PyTorch's: data where it counts, masks, printed form, gradients, refusals."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import torsh
import torsh.masked

torch = pytest.importorskip("torch")
pytest.importorskip("torch.masked")

BOTH = (torsh, torch)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
MASK = np.array([[True, False, True], [False, False, True]])


def make(lib: Any, requires_grad: bool = False) -> Any:
    x = (np.arange(6).reshape(2, 3) + 0.5).astype(np.float32)
    return lib.masked.masked_tensor(lib.from_numpy(x), lib.from_numpy(MASK.copy()), requires_grad=requires_grad)


OPS = {
    "neg": lambda lib, a: -a, "exp": lambda lib, a: a.exp(), "add": lambda lib, a: a + a, "add number": lambda lib, a: 1 + a,
    "mul": lambda lib, a: a * 2, "add tensor": lambda lib, a: a + lib.ones(2, 3), "sum": lambda lib, a: a.sum(), "sum dim": lambda lib, a: a.sum(0),
    "sum kept": lambda lib, a: a.sum(1, keepdim=True), "mean": lambda lib, a: a.mean(), "mean dim": lambda lib, a: a.mean(1),
    "amax": lambda lib, a: a.amax(0), "amin": lambda lib, a: a.amin(1), "prod": lambda lib, a: a.prod(0), "argmax": lambda lib, a: a.argmax(1),
    "argmin": lambda lib, a: a.argmin(), "all": lambda lib, a: (a > 1).all(), "all dim": lambda lib, a: (a > 1).all(0), "var": lambda lib, a: a.var(),
    "std": lambda lib, a: a.std(0), "eq": lambda lib, a: a == a, "lt": lambda lib, a: a < 2, "where": lambda lib, a: lib.where(a.get_mask(), a, a),
    "where tensor": lambda lib, a: lib.where(a.get_mask(), a, lib.zeros(2, 3)), "t": lambda lib, a: a.t(), "view": lambda lib, a: a.view(-1),
    "reshape": lambda lib, a: a.reshape(3, 2), "row": lambda lib, a: a[0], "column": lambda lib, a: a[:, 1], "picked": lambda lib, a: a[a.get_mask()],
    "cat": lambda lib, a: lib.cat([a, a]), "stack": lambda lib, a: lib.stack([a, a]), "clone": lambda lib, a: a.clone(),
    "double": lambda lib, a: a.double(), "int": lambda lib, a: a.int(), "softmax": lambda lib, a: a.softmax(1), "sigmoid": lambda lib, a: a.sigmoid(),
    "unsqueeze": lambda lib, a: a.unsqueeze(0), "expand": lambda lib, a: a[0].expand(2, 3), "split": lambda lib, a: a.split(1),
    "flatten": lambda lib, a: a.flatten(), "to_tensor": lambda lib, a: a.to_tensor(9.0), "data": lambda lib, a: a.get_data(),
    "mask": lambda lib, a: a.get_mask(), "item": lambda lib, a: a.sum().item(), "abs_": lambda lib, a: a.abs_(), "add_": lambda lib, a: a.add_(a),
    "ones_like": lambda lib, a: lib.ones_like(a), "pow": lambda lib, a: a**2, "div": lambda lib, a: a / a, "floordiv": lambda lib, a: a // 2,
    "maximum": lambda lib, a: lib.maximum(a, a), "clamp": lambda lib, a: a.clamp(1, 3), "isnan": lambda lib, a: a.isnan(),
    "logaddexp": lambda lib, a: lib.logaddexp(a, a), "dropout": lambda lib, a: lib.nn.functional.dropout(a, 0.0), "len": lambda lib, a: len(a),
    "bool": lambda lib, a: bool(a.sum() > 0), "nan_to_num": lambda lib, a: lib.nan_to_num(a), "unfold": lambda lib, a: a.unfold(1, 2, 1),
    "deepcopy": lambda lib, a: copy.deepcopy(a), "kind": lambda lib, a: lib.masked.is_masked_tensor(a) and not lib.masked.is_masked_tensor(a.get_data()),
    "whole numbers": lambda lib, a: lib.masked.masked_tensor(lib.arange(4).reshape(2, 2) * 10000, lib.tensor([[True, False], [True, True]])),
    "0-d": lambda lib, a: [lib.masked.masked_tensor(lib.tensor(3.0), lib.tensor(m)) for m in (True, False)],
}  # fmt: skip


@pytest.mark.parametrize("op", OPS)
def test_ops(op: str) -> None:
    found = [repr(OPS[op](lib, make(lib))).replace("torsh.", "torch.") for lib in BOTH]
    assert found[0] == found[1]


REFUSED = {
    "other mask": lambda lib, a: a + lib.masked.masked_tensor(lib.ones(2, 3), ~a.get_mask()), "shapes": lambda lib, a: lib.masked.masked_tensor(lib.ones(2), lib.ones(3) > 0),
    "mask dtype": lambda lib, a: lib.masked.masked_tensor(lib.ones(2), lib.ones(2)), "list": lambda lib, a: lib.masked.masked_tensor([1.0], lib.ones(1) > 0),
    "mask list": lambda lib, a: lib.masked.masked_tensor(lib.ones(1), [True]), "complex": lambda lib, a: lib.masked.MaskedTensor(lib.ones(2, dtype=lib.complex64), lib.ones(2) > 0),
    "matmul": lambda lib, a: a @ a.t(), "cumsum": lambda lib, a: a.cumsum(0), "sort": lambda lib, a: a.sort(), "norm": lambda lib, a: lib.linalg.vector_norm(a),
    "any": lambda lib, a: a.any(), "max": lambda lib, a: a.max(), "tolist": lambda lib, a: a.tolist(), "numpy": lambda lib, a: a.numpy(),
    "bmm": lambda lib, a: lib.bmm(a[None], a[None]), "linear": lambda lib, a: lib.nn.functional.linear(a, lib.ones(2, 3)),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    kinds = []
    for lib in BOTH:
        with pytest.raises(Exception) as caught:  # which one is compared below
            REFUSED[case](lib, make(lib))
        kinds.append(type(caught.value))
    assert kinds[0] is kinds[1]


LOSSES = {
    "sum": lambda a: a.sum(), "mean": lambda a: a.mean(), "prod": lambda a: a.prod(), "amax": lambda a: a.amax(), "square": lambda a: (a * a).sum(),
    "data": lambda a: a.get_data().sum(), "filled": lambda a: a.to_tensor(0.0).sum(), "exp": lambda a: a.exp().sum(0).sum(), "view": lambda a: (a.t() * 2).sum(),
}  # fmt: skip


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients(loss: str) -> None:
    found = []
    for lib in BOTH:
        a = make(lib, True)
        LOSSES[loss](a).backward()
        found.append(repr(a.grad))
    assert found[0] == found[1]


def test_gradient_of_plain_data() -> None:
    for lib in BOTH:
        x = lib.ones(2, 3, requires_grad=True)
        y = lib.masked.as_masked_tensor(x, lib.from_numpy(MASK.copy()))
        (y * y).sum().backward()
        assert x.grad.to_tensor(0.0).tolist() if lib is torch else x.grad.tolist() == [[2.0, 0.0, 2.0], [0.0, 0.0, 2.0]]


def test_pickled() -> None:
    assert repr(pickle.loads(pickle.dumps(make(torsh)))) == repr(make(torsh))


@pytest.mark.parametrize(
    "call",
    [
        lambda t, x, mask: t.masked._output_mask(t.masked.sum, x, 1, mask=mask),
        lambda t, x, mask: t.masked._output_mask(t.masked.norm, x, 2, (0, 1), mask=mask, keepdim=True),
        lambda t, x, mask: t.masked._output_mask(t.masked.log_softmax, x, 1, mask=mask[:1]),
        lambda t, x, mask: t.masked._combine_input_and_mask(t.masked.amax, x, mask),
        lambda t, x, mask: t.masked._combine_input_and_mask(t.masked.argmin, x.long(), mask),
        lambda t, x, mask: t.masked._combine_input_and_mask(t.masked.prod, x, mask[1]),
        lambda t, x, mask: t.masked._combine_input_and_mask(t.masked.norm, x, mask, float("-inf")),
        lambda t, x, mask: t.masked._where(mask, x, t.tensor(7.0)),
    ],
)
def test_helpers_of_programs_written_against_them(call):
    def found(t):
        return call(t, t.arange(6.0).reshape(2, 3), t.tensor([[True, False, True], [False, False, False]])).tolist()

    assert found(torsh) == found(torch)


def test_dimensions_of_helpers():
    for dim, ndim in ((None, 2), ((), 3), (-1, 3), ((2, 0), 3), (0, 1)):
        assert torsh.masked._canonical_dim(dim, ndim) == torch.masked._canonical_dim(dim, ndim)
    with pytest.raises(ValueError, match="_input_mask requires explicit mask"):
        torsh.masked._input_mask(torsh.ones(3))
