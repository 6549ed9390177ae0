"""float16 and bfloat16 with Python numbers, and division step by step: rounded where PyTorch rounds."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import torsh

torch = pytest.importorskip("torch")

NARROW = ["float16", "bfloat16"]
OPERATORS = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "mod": operator.mod, "eq": operator.eq,
    "gt": operator.gt, "le": operator.le, "pow": lambda x, s: abs(x) ** s, "rsub": lambda x, s: s - x, "rmod": lambda x, s: s % x,
    "floordiv": operator.floordiv, "rdiv": lambda x, s: s / x,
}  # fmt: skip


def pair(values, name: str):
    expected = torch.tensor(values).to(getattr(torch, name))
    return expected, torsh.tensor(expected.float().numpy()).to(getattr(torsh, name))


def same(found, expected) -> None:
    assert str(found.dtype).split(".")[1] == str(expected.dtype).split(".")[1]
    np.testing.assert_array_equal(found.double().numpy(), expected.double().numpy())


@pytest.mark.parametrize("name", NARROW)
@pytest.mark.parametrize("number", [0.3, -0.1, 2049, 1e-6, 1e39, -100000])
@pytest.mark.parametrize("op", OPERATORS)
def test_numbers_are_rounded_first(op, number, name):
    values = np.concatenate(
        [np.random.default_rng(0).normal(0, 30, 300), [number if abs(number) < 6e4 else 1.0, np.inf, -np.inf, np.nan]]
    )
    expected, x = pair(values, name)
    if op in ("pow",) and abs(number) > 6e4:
        number = 2.3
    if op == "pow" and name == "float16" and number == 2049:
        number = 3
    f = OPERATORS[op]
    want, got = f(expected, number), f(x, number)
    if op == "pow":  # a pow of another library: the last bit may differ
        np.testing.assert_allclose(
            got.double().numpy(), want.double().numpy(), rtol=2.0**-8 if name == "bfloat16" else 2.0**-10
        )
    else:
        same(got, want)


@pytest.mark.parametrize("name", NARROW)
@pytest.mark.parametrize("mode", ["floor", "trunc"])
def test_division_rounds_every_step(mode, name):
    g = np.random.default_rng(1)
    special = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 3.0]
    a = np.concatenate([g.uniform(-6e4, 6e4, 4000), np.repeat(special, 8)])
    b = np.concatenate([g.uniform(-60, 60, 2000), g.uniform(-6e4, 6e4, 2000), np.tile(special, 8)])
    (ea, ta), (eb, tb) = pair(a, name), pair(b, name)
    same(torsh.div(ta, tb, rounding_mode=mode), torch.div(ea, eb, rounding_mode=mode))


@pytest.mark.parametrize("name", NARROW)
def test_the_limit_of_hardshrink_is_rounded(name):
    expected, x = pair([0.3, -0.3, 0.31, 0.1], name)
    same(torsh.nn.functional.hardshrink(x, 0.3), torch.nn.functional.hardshrink(expected, 0.3))


def test_numbers_on_both_sides():
    for f in ("add", "sub", "mul", "div", "true_divide", "floor_divide"):
        for a, b in ((7, 2), (7.5, 2), (True, 3), (1j, 2)):
            if f in ("sub", "floor_divide") and not isinstance(a, (int, float)) or (f == "sub" and a is True):
                continue
            want, got = getattr(torch, f)(a, b), getattr(torsh, f)(a, b)
            assert got.shape == () and got.item() == want.item()
            assert str(got.dtype).split(".")[1] == str(want.dtype).split(".")[1]
    assert torsh.add(1, 2, alpha=3).item() == 7
    assert torsh.div(-7, 2, rounding_mode="trunc").item() == -3
    with pytest.raises(TypeError):
        torsh.pow(2, 3)
    with pytest.raises(RuntimeError, match="with a bool tensor is not supported"):
        torsh.sub(1, True)


@pytest.mark.parametrize("name", "iadd isub imul itruediv ifloordiv imod ipow rtruediv matmul rmatmul".split())
def test_operators_leave_unknown_operands_to_the_other_side(name):
    class Other:
        pass

    assert getattr(torsh.ones(2), f"__{name}__")(Other()) is NotImplemented
    x = torsh.ones(2)
    with pytest.raises(TypeError, match="unsupported operand"):
        x += Other()


@pytest.mark.parametrize("f", ["var", "std"])
def test_the_spread_of_a_single_number(f):
    assert getattr(torsh, f)(torsh.tensor(3.0), correction=0).item() == 0
    assert np.isnan(getattr(torsh, f)(torsh.tensor(3.0)).item())


@pytest.mark.parametrize("name", ["complex64", "complex128"])
def test_log1p_of_small_complex_numbers(name):
    # Finite: PyTorch's vectorised form gives nan for 0.3 + inf j.
    parts = [0.0, -0.0, 1e-19, -1e-19, 1e-5, 0.3, -1.0, -2.0, 7.0]
    values = [complex(a, b) for a in parts for b in parts]
    want = torch.log1p(torch.tensor(values, dtype=getattr(torch, name))).numpy()
    got = torsh.log1p(torsh.tensor(values, dtype=getattr(torsh, name))).numpy()
    rtol = 1e-5 if name == "complex64" else 1e-13
    np.testing.assert_allclose(got.real, want.real, rtol=rtol)
    np.testing.assert_allclose(got.imag, want.imag, rtol=rtol)
