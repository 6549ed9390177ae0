"""``repr`` of tensors equals PyTorch's, character for character."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torsh  # noqa: E402
from torsh import dtypes  # noqa: E402

TENSORS = {
    "0-d": lambda m: m.tensor(1.5),
    "whole floats": lambda m: m.tensor([1.0, -2.0]),
    "fractions": lambda m: m.tensor([1.0, 2.5, -10.25]),
    "scientific": lambda m: m.tensor([1e-10, 1.0]),
    "large": lambda m: m.tensor([12345678.0, float("-inf")]),
    "bool": lambda m: m.tensor([True, False]),
    "int": lambda m: m.tensor([1, 20, -3]),
    "int8": lambda m: m.tensor([1, 20, -3], dtype=m.int8),
    "uint16": lambda m: m.ones(3, dtype=m.uint16),
    "complex": lambda m: m.tensor([1 + 2j, 3 - 4.5j]),
    "complex infinity": lambda m: m.tensor([1, -1j * float("inf")]),
    "nan and infinity": lambda m: m.tensor([float("nan"), 1.0, float("inf")]),
    "only nan": lambda m: m.tensor([0.0, float("nan")]),
    "double": lambda m: m.tensor([1.0], dtype=m.float64),
    "bfloat16": lambda m: m.tensor([1.0, 2.3]).to(m.bfloat16),
    "half": lambda m: m.tensor([1.0, 2.3], dtype=m.float16),
    "float8": lambda m: m.zeros(1, dtype=m.float8_e4m3fn),
    "empty": lambda m: m.empty(0),
    "empty matrix": lambda m: m.empty(2, 0, dtype=m.int64),
    "three dimensions": lambda m: m.zeros(2, 2, 2),
    "long vector": lambda m: m.arange(2000),
    "long lines": lambda m: m.arange(50.0) / 3,
    "summarised": lambda m: m.arange(10000.0).reshape(10, 10, 100) * 1.5,
    "summarised complex": lambda m: m.arange(2000).to(m.complex64) * (1 + 0.5j),
    "transposed": lambda m: m.arange(6.0).reshape(2, 3).t(),
    "requires grad": lambda m: m.tensor([1.0], requires_grad=True),
    "grad_fn": lambda m: m.tensor(1.0, requires_grad=True) * 2,
    "grad_fn of a view": lambda m: m.ones(2, 2, requires_grad=True).view(4),
    "parameter": lambda m: m.nn.Parameter(m.ones(2)),
    "meta": lambda m: m.empty(2, 3, device="meta"),
    "meta int": lambda m: m.empty(2, dtype=m.int64, device="meta"),
    "subclass": lambda m: m.tensor([1.0]).as_subclass(type("Mine", (m.Tensor,), {})),
    "size": lambda m: m.Size([2, 3]),
    "finfo": lambda m: m.finfo(m.float16),
    "iinfo": lambda m: m.iinfo(m.int16),
}
OPTIONS = [
    {}, {"precision": 2}, {"edgeitems": 0, "threshold": 4}, {"sci_mode": True}, {"profile": "short"},
    {"sci_mode": False, "linewidth": 40, "threshold": 5, "edgeitems": 1}, {"profile": "full", "linewidth": 120},
]  # fmt: skip


@pytest.fixture(autouse=True)
def torch_names(monkeypatch):
    """dtypes print as PyTorch's, as they do under the alias."""
    monkeypatch.setattr(dtypes, "namespace", "torch")
    yield
    for m in (torch, torsh):
        m.set_printoptions(profile="default")


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_repr(options: dict[str, object]) -> None:
    for m in (torch, torsh):
        m.set_printoptions(**options)
    wrong = {n: (repr(f(torsh)), repr(f(torch))) for n, f in TENSORS.items() if repr(f(torsh)) != repr(f(torch))}
    assert not wrong


@pytest.mark.parametrize("seed", range(30))
def test_repr_of_random_values(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(0, 5, size=rng.integers(0, 4)))
    values = rng.standard_normal((*shape, 1100) if seed % 7 == 0 else shape) * 10.0 ** rng.integers(-6, 9)
    array = np.asarray(values).astype(
        rng.choice(["float32", "float64", "float16", "int64", "complex64", "uint8", "bool"])
    )
    assert repr(torsh.from_numpy(array.copy())) == repr(torch.from_numpy(array.copy()))


def test_default_dtype_needs_no_suffix() -> None:
    try:
        for m in (torch, torsh):
            m.set_default_dtype(m.float64)
        assert repr(torsh.ones(1)) == repr(torch.ones(1)) == "tensor([1.])"
        assert repr(torsh.ones(1, dtype=torsh.float32)) == repr(torch.ones(1, dtype=torch.float32))
    finally:
        for m in (torch, torsh):
            m.set_default_dtype(m.float32)


def test_options_in_a_block() -> None:
    with torsh.printoptions(precision=1):
        assert repr(torsh.tensor(1.25)) == "tensor(1.2)"
    assert repr(torsh.tensor(1.25)) == "tensor(1.2500)"


def test_formatting_a_scalar() -> None:
    assert f"{torsh.tensor(1.234):.1f}" == f"{torch.tensor(1.234):.1f}" == "1.2"
    assert f"{torsh.ones(2)}" == "tensor([1., 1.])"


def test_html_is_escaped() -> None:
    assert "&lt;MulBackward0&gt;" in (torsh.ones(1, requires_grad=True) * 2)._repr_html_()
