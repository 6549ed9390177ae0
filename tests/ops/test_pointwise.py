"""Elementwise ops against PyTorch: dtypes, refusals, promotion, operators, in-place forms, gradients."""

from __future__ import annotations

import itertools
import operator

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pointwise_cases import BINARY, DTYPES, UNARY, agree, find, outcome, over, same_gradients, values  # noqa: E402

import torsh  # noqa: E402

LOOSE = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 2e-5, "complex64": 5e-5}


def tolerance(dtype):
    kind = getattr(torch, dtype)
    if not kind.is_floating_point and not kind.is_complex:
        dtype = "float32"
    e = LOOSE.get(dtype, 1e-10)
    return {"rtol": e, "atol": e}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_unary_dtypes(name, dtype):
    """Result dtype and values, or the type of the refusal."""
    x = values(dtype)
    mine = over(x)
    agree(outcome(lambda: find(torsh, name)(mine)), outcome(lambda: find(torch, name)(x)), **tolerance(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BINARY)
def test_binary_dtypes(name, dtype):
    x, y = values(dtype), values(dtype, seed=1, low=0.5, high=4)
    if name in ("floor_divide", "remainder", "fmod") and dtype in ("uint8", "int8", "int16", "int32", "int64"):
        y = y + 1
    a, b = over(x), over(y)
    agree(outcome(lambda: find(torsh, name)(a, b)), outcome(lambda: find(torch, name)(x, y)), **tolerance(dtype))


PAIRS = [
    (a, b)
    for a, b in itertools.product(("bool", "uint8", "int32", "float16", "float32", "float64", "complex64"), repeat=2)
    if a != b
]


@pytest.mark.parametrize("name", ["add", "sub", "div", "maximum", "lt", "pow", "where", "atan2", "bitwise_and"])
@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_promotion_of_two_dtypes(name, first, second):
    x, y = values(first, 6), values(second, 6, seed=1, low=1, high=3)
    a, b = over(x), over(y)
    if name == "where":
        c = values("bool", 6, seed=2)
        d = over(c)
        agree(torsh.where(d, a, b), torch.where(c, x, y), **tolerance(first))
        if (first, second) != ("float16", "complex64"):  # complex32
            agree(torsh.where(d, a, b[0]), torch.where(c, x, y[0]), **tolerance(first))
        return
    f, g = find(torsh, name), find(torch, name)
    loose = {"rtol": 2e-3, "atol": 2e-3}
    agree(outcome(lambda: f(a, b)), outcome(lambda: g(x, y)), **loose)
    if (first, second) == ("float16", "complex64"):
        return  # complex32
    agree(outcome(lambda: f(a, b[0])), outcome(lambda: g(x, y[0])), **loose)  # a 0-d tensor only gives its category


@pytest.mark.parametrize("number", [True, 2, 300, -1, 2.5, 1 + 2j])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float32", "complex64"])
@pytest.mark.parametrize(
    "op", ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "eq", "lt", "ge", "and_", "xor", "lshift"]
)
def test_operators_with_numbers(op, dtype, number):
    """``x op 2`` and ``2 op x``: reflected operators, promotion with Python numbers, integers that wrap around."""
    f = getattr(operator, op)
    x = values(dtype, 5, low=1, high=4)
    a = over(x)
    loose = {"rtol": 2e-3, "atol": 2e-3}
    if dtype == "float16" and isinstance(number, complex):
        pytest.skip("gives complex32, which PyTorch's CPU kernels and NumPy hardly know")
    if dtype == "bool" and op == "pow" and number is True:
        pytest.skip("PyTorch takes True as an exponent of bool tensors, but no bool tensor")
    theirs = outcome(lambda: f(x, number))
    if dtype == "complex64" and op == "pow":
        loose = {"rtol": 1e-2, "atol": 1e-2}
    agree(outcome(lambda: f(a, number)), theirs, **loose)
    agree(outcome(lambda: f(number, a)), outcome(lambda: f(number, x)), **loose)


@pytest.mark.parametrize(
    "op", ["iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow", "iand", "ior", "ixor", "ilshift", "irshift"]
)
@pytest.mark.parametrize(
    ("dtype", "number"), [("int64", 2), ("float32", 2), ("float32", 2.5), ("int64", 2.5), ("bool", True)]
)
def test_augmented_operators(op, dtype, number):
    f = getattr(operator, op)
    if op == "ipow" and dtype == "bool":
        pytest.skip("PyTorch takes True as an exponent of bool tensors, but no bool tensor")
    x = values(dtype, 5, low=1, high=4)
    a = over(x)
    before = a
    ours, theirs = outcome(lambda: f(a, number)), outcome(lambda: f(x, number))
    agree(ours, theirs)
    if not isinstance(theirs, type):
        assert ours is before
        assert ours._version == 1


def test_not_a_tensor():
    t = torsh.ones(2)
    assert (t == None) is False  # noqa: E711
    assert (t != None) is True  # noqa: E711
    assert (t == "a") is False
    with pytest.raises(TypeError):
        t + None
    with pytest.raises(TypeError):
        t < None  # noqa: B015
    with pytest.raises(TypeError, match="must be Tensor, not NoneType"):
        t.add_(None)
    with pytest.raises(TypeError, match=r"argument 'input' .position 1. must be Tensor, not int"):
        torsh.exp(1)
    assert len({t, torsh.ones(2), t}) == 2  # equality is by element, hashing by identity


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda t, i: torsh.add(t, 1, alpha=True), RuntimeError, "Boolean alpha only supported"),
    (lambda t, i: torsh.add(t, 1, alpha=1j), RuntimeError, "For non-complex input tensors, argument alpha"),
    (lambda t, i: torsh.sub(i, 1, alpha=1.5), RuntimeError, "For integral input tensors, argument alpha"),
    (lambda t, i: i // 0, RuntimeError, "ZeroDivisionError"),
    (lambda t, i: torsh.remainder(i, torsh.zeros_like(i)), RuntimeError, "ZeroDivisionError"),
    (lambda t, i: torsh.fmod(i, 0), RuntimeError, "ZeroDivisionError"),
    (lambda t, i: i**-1, RuntimeError, "Integers to negative integer powers"),
    (lambda t, i: t.sub(True), RuntimeError, "Subtraction, the `-` operator, with a bool tensor"),
    (lambda t, i: ~t, TypeError, "~ .operator.invert. is only implemented"),
    (lambda t, i: torsh.div(t, 2, rounding_mode="up"), RuntimeError, "div expected rounding_mode"),
    (lambda t, i: torsh.clamp(t), RuntimeError, "torch.clamp: At least one of"),
    (lambda t, i: t.lerp(t.double(), 0.5), RuntimeError, "expected dtype"),
    (lambda t, i: torsh.where(t, 1, 2), RuntimeError, "where expected condition to be a boolean tensor"),
    (lambda t, i: torsh.addcdiv(i, i, i), RuntimeError, "Integer division with addcdiv"),
    (lambda t, i: torsh.heaviside(t, i), RuntimeError, "heaviside is not yet implemented"),
    (lambda t, i: torsh.isclose(t, i), RuntimeError, "Float did not match Long"),
    (lambda t, i: torsh.allclose(t, t, rtol=-1), RuntimeError, "rtol must be greater"),
    (lambda t, i: i.add_(1.5), RuntimeError, "result type Float can't be cast to the desired output type Long"),
    (lambda t, i: t[0].add_(t), RuntimeError, "output with shape"),
    (lambda t, i: t[:1].expand(3).add_(1.0), RuntimeError, "unsupported operation: more than one element"),
    (lambda t, i: i[:1].expand(3).mul_(2), RuntimeError, "unsupported operation: more than one element"),
    (lambda t, i: torsh.exp(t, out=i), RuntimeError, "result type Float can't be cast"),
    (lambda t, i: torsh.frexp(i), RuntimeError, "only supports floating-point"),
    (lambda t, i: torsh.maximum(t, 1), TypeError, "must be Tensor, not int"),
    (lambda t, i: torsh.eq(1, t), TypeError, "must be Tensor, not int"),
])  # fmt: skip
def test_refusals(call, error, words):
    with pytest.raises(error, match=words):
        call(torsh.ones(2), torsh.ones(2, dtype=torsh.int64))


@pytest.mark.parametrize("alpha", [2, -1, 0, 0.5])
@pytest.mark.parametrize(
    "dtypes", [("float32", "float32"), ("float32", "int64"), ("int64", "float64"), ("uint8", "uint8")]
)
def test_alpha(alpha, dtypes):
    x, y = values(dtypes[0], 6), values(dtypes[1], 6, seed=1)
    a, b = over(x), over(y)
    for name in ("add", "sub", "rsub"):
        agree(
            outcome(lambda: find(torsh, name)(a, b, alpha=alpha)), outcome(lambda: find(torch, name)(x, y, alpha=alpha))
        )
    agree(outcome(lambda: over(x).add_(b, alpha=alpha)), outcome(lambda: x.clone().add_(y, alpha=alpha)))


@pytest.mark.filterwarnings("ignore:This overload")
def test_deprecated_positional_factors():
    x, y = torsh.ones(3), torsh.full((3,), 2.0)
    assert torsh.add(x, 3, y).tolist() == [7.0] * 3
    assert torsh.ones(3).add_(3, y).tolist() == [7.0] * 3
    assert torsh.ones(3).addcmul_(0.5, y, y).tolist() == [3.0] * 3
    assert torsh.ones(3).addcdiv_(3, y, y).tolist() == [4.0] * 3


@pytest.mark.parametrize("mode", [None, "floor", "trunc"])
@pytest.mark.parametrize("dtype", ["int64", "uint8", "float32", "float64"])
def test_rounded_division(mode, dtype):
    x, y = values(dtype, 30, low=-20, high=20), values(dtype, 30, seed=1, low=1, high=7)
    y = torch.where(torch.arange(30) % 2 == 0, y, -y) if dtype != "uint8" else y
    agree(torsh.div(over(x), over(y), rounding_mode=mode), torch.div(x, y, rounding_mode=mode))
    if dtype != "uint8":
        special = torch.tensor([0.0, -0.0, 1.0, -1.0, float("inf"), float("nan")]).to(torch.float64)
        s, t = (special[:, None], special[None, :])
        agree(torsh.div(over(s), over(t), rounding_mode=mode), torch.div(s, t, rounding_mode=mode))


@pytest.mark.parametrize(
    "name",
    [
        "floor_divide",
        "remainder",
        "fmod",
        "pow",
        "atan2",
        "hypot",
        "copysign",
        "maximum",
        "fmax",
        "fmin",
        "logaddexp",
        "logaddexp2",
        "xlogy",
        "heaviside",
        "nextafter",
        "eq",
        "lt",
        "logical_and",
    ],
)
def test_special_values_of_two(name):
    s = torch.tensor([0.0, -0.0, 1.0, -1.5, 2.0, float("inf"), -float("inf"), float("nan")], dtype=torch.float64)
    x, y = s[:, None].expand(8, 8).contiguous(), s[None, :].expand(8, 8).contiguous()
    agree(find(torsh, name)(over(x), over(y)), find(torch, name)(x, y), rtol=1e-14, atol=0)


@pytest.mark.parametrize("name", [n for n in UNARY if n not in ("bitwise_not",)])
def test_special_values_of_one(name):
    x = torch.tensor([0.0, -0.0, 0.5, 1.0, -1.0, 2.5, -2.5, 1e300, -1e300, float("inf"), -float("inf"), float("nan")],
                     dtype=torch.float64)  # fmt: skip
    if name in ("sin", "cos", "tan", "sinc"):
        x = x.clamp(-1e3, 1e3)
    if name == "digamma":  # PyTorch's own algorithm loses the sign of the pole at -inf
        x = x[x != -float("inf")]
    agree(find(torsh, name)(over(x)), find(torch, name)(x), rtol=1e-12, atol=1e-15)


def test_integer_powers():
    x, y = torch.tensor([-2, -1, 0, 1, 2, 3]), torch.tensor([-3, -2, -1, 0, 1, 2])
    x, y = x[:, None].expand(6, 6).contiguous(), y[None, :].expand(6, 6).contiguous()
    x[2] = 5  # 0 to a negative power is undefined
    agree(torsh.pow(over(x), over(y)), torch.pow(x, y))
    for e in (0, 1, 2, 3, 7):
        agree(over(x) ** e, x**e)


@pytest.mark.parametrize("bounds", [(None, 1.0), (-0.5, None), (-0.5, 1.0), (1.0, -0.5), (0, 1)])
@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8", "float16"])
def test_clamp(bounds, dtype):
    x = values(dtype, 10)
    agree(torsh.clamp(over(x), *bounds), torch.clamp(x, *bounds))
    agree(outcome(lambda: over(x).clamp_(*bounds)), outcome(lambda: x.clone().clamp_(*bounds)))


@pytest.mark.parametrize("decimals", [0, 1, 2, -1])
def test_round_decimals(decimals):
    x = torch.tensor([0.5, 1.5, 2.25, -3.75, 14.449, 1234.5678])
    agree(torsh.round(over(x), decimals=decimals), torch.round(x, decimals=decimals))


def test_frexp():
    x = torch.tensor([0.0, 1.0, -3.5, 1e-40, 1e30])
    ours, theirs = torsh.frexp(over(x)), torch.frexp(x)
    agree(ours.mantissa, theirs.mantissa)
    agree(ours.exponent, theirs.exponent)


def test_nan_to_num():
    for dtype in ("float16", "bfloat16", "float32", "float64", "complex64"):
        x = torch.tensor([1.0, float("nan"), float("inf"), -float("inf")]).to(getattr(torch, dtype))
        agree(torsh.nan_to_num(over(x)), torch.nan_to_num(x))
        agree(torsh.nan_to_num(over(x), 1.0, 2.0, 3.0), torch.nan_to_num(x, 1.0, 2.0, 3.0))


def test_equal_and_close():
    x = torsh.tensor([1.0, float("nan")])
    assert torsh.equal(x[:1], torsh.tensor([1.0]))
    assert not torsh.equal(x, x)
    assert not torsh.equal(x, x[:1])
    assert not torsh.allclose(x, x)
    assert torsh.allclose(x, x, equal_nan=True)
    assert torsh.isclose(torsh.tensor([1.0, float("inf")]), torsh.tensor([1.0 + 1e-9, float("inf")])).tolist() == [
        True,
        True,
    ]


# ---- gradients
# -----------------------------------------------------------------------------------------------------------

LOW_HIGH = {"acosh": (1.2, 3), "log": (0.3, 3), "log2": (0.3, 3), "log10": (0.3, 3), "log1p": (-0.5, 3),
            "sqrt": (0.3, 3),
            "rsqrt": (0.3, 3), "asin": (-0.9, 0.9), "acos": (-0.9, 0.9), "atanh": (-0.9, 0.9), "logit": (0.1, 0.9),
            "erfinv": (-0.9, 0.9), "lgamma": (0.3, 3), "digamma": (0.3, 3)}  # fmt: skip
COMPLEX_GRAD = (
    "neg", "abs", "sgn", "square", "reciprocal", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt",
    "rsqrt",
    "sigmoid", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
    "angle", "sinc",
    "conj_physical", "real",
)  # fmt: skip


_REAL_GRAD = [
    n for n in UNARY if not n.startswith(("is", "logical", "bitwise", "signbit", "angle", "real", "conj", "positive"))
]


@pytest.mark.parametrize("name", _REAL_GRAD)
def test_gradients_of_one(name):
    low, high = LOW_HIGH.get(name, (-2.7, 2.7))
    same_gradients(lambda m, x: find(m, name)(x), [values("float64", 9, low=low, high=high)])


@pytest.mark.parametrize("name", COMPLEX_GRAD)
def test_complex_gradients_of_one(name):
    same_gradients(
        lambda m, x: find(m, name)(x), [values("complex128", 9, low=-0.8, high=0.9)], twice=name not in ("sgn", "angle")
    )


@pytest.mark.parametrize(
    "name",
    [
        "add",
        "sub",
        "mul",
        "div",
        "remainder",
        "fmod",
        "pow",
        "maximum",
        "minimum",
        "fmax",
        "fmin",
        "atan2",
        "hypot",
        "logaddexp",
        "logaddexp2",
        "copysign",
        "xlogy",
        "ldexp",
        "float_power",
        "rsub",
    ],
)
def test_gradients_of_two(name):
    x, y = values("float64", 12, low=0.4, high=3).reshape(3, 4), values("float64", 4, seed=1, low=0.5, high=3)
    same_gradients(lambda m, a, b: find(m, name)(a, b), [x, y])


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow", "logaddexp"])
def test_complex_gradients_of_two(name):
    x, y = values("complex128", 12, low=0.2, high=2).reshape(3, 4), values("complex128", 4, seed=1, low=0.3, high=1)
    same_gradients(lambda m, a, b: find(m, name)(a, b), [x, y])
    if name == "logaddexp":
        return  # PyTorch gives its real operand a complex gradient and raises
    same_gradients(lambda m, a, b: find(m, name)(a, b), [x, y.real.clone()])  # the real operand gets a real gradient


MORE = {
    "where": (lambda m, x, y: m.where(x > y, x * 2, y), 2),
    "clamp": (lambda m, x: x.clamp(-0.5, 1.0), 1),
    "clamp with tensors": (lambda m, x, y, z: m.clamp(x, y, z), 3),
    "clamp_min": (lambda m, x, y: m.clamp_min(x, y), 2),
    "lerp": (lambda m, x, y, z: m.lerp(x, y, z), 3),
    "lerp with a number": (lambda m, x, y: m.lerp(x, y, 0.3), 2),
    "addcmul": (lambda m, x, y, z: m.addcmul(x, y, z, value=0.5), 3),
    "addcdiv": (lambda m, x, y, z: m.addcdiv(x, y, z + 3, value=-2), 3),
    "powers": (lambda m, x: x**2 + x**3 + 2.0**x + x**0 + 3 / (x + 5) - (1 - x) * 2, 1),
    "alpha": (lambda m, x, y: m.add(x, y, alpha=3) - m.sub(y, x, alpha=0.5), 2),
    "rounded": (lambda m, x: m.div(x, 0.3, rounding_mode="floor") + x + m.round(x, decimals=1), 1),
    "frexp": (lambda m, x: m.frexp(x)[0], 1),
    "polar": (lambda m, x, y: m.view_as_real(m.polar(x.abs() + 0.1, y)), 2),
    "complex": (lambda m, x, y: m.complex(x, y), 2),
    "zero base": (lambda m, x, y: m.pow(x * 0, y.abs()), 2),
}  # fmt: skip


@pytest.mark.parametrize("name", MORE)
def test_gradients_of_more(name):
    f, n = MORE[name]
    same_gradients(f, [values("float64", 6, seed=i, low=-2, high=2) for i in range(n)], twice=name != "zero base")


def test_gradient_through_inplace():
    for module in (torch, torsh):
        x = module.tensor([1.0, 2.0, 3.0], requires_grad=True)
        y = x * 2
        y.mul_(x).add_(1, alpha=2).sin_()
        y[1:].mul_(2)
        y[:1].neg_().sub_(x[1:2])
        y.sum().backward()
        if module is torch:
            expected = x.grad.tolist()
    np.testing.assert_allclose(x.grad.tolist(), expected, rtol=1e-6)


def test_gradient_of_number_operand_of_other_dtype():
    x = torsh.ones(3, dtype=torsh.float16, requires_grad=True)
    y = torsh.ones(3, dtype=torsh.float64, requires_grad=True)
    (x * y * 2 + (1 - x)).sum().backward()
    assert x.grad.dtype is torsh.float16
    assert y.grad.dtype is torsh.float64
    assert x.grad.tolist() == [1.0] * 3


_THREE = {  # calls next to those for which an op's body is not run
    "lerp": ["x, x, 0.25", "x, x, x", "x, x, 1", "x, d, 0.5", "x, x, d", "n, n, 0.5", "x, 1.0, 0.5"],
    "where": ["m, x, x", "m, x, 0.5", "m, 0.5, x", "m, x, d", "m, n, n", "x, x, x", "m, 1.0, 2.0", "m"],
    "addcmul": [
        "x, x, x",
        "x, x, d",
        "n, n, n",
        "x, x, x, value=2",
        "n, n, n, value=2",
        "x, x, x, value=True",
        "x, 2.0, x, x",
        "x, d, x",
    ],
    "addcdiv": ["x, x, x", "x, x, x, value=0.5", "n, n, n", "x, n, n", "x, 0.5, x, x", "d, x, n"],
    "clamp": [
        "x, 0.2, 0.5",
        "x, 0, 1",
        "n, 0.5, 1.5",
        "x, x, d",
        "x, None, 0.5",
        "x, 0.2, x",
        "x",
        "n, 1, 2",
        "m, 0, 1",
    ],
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call", [f"{name}({args})" for name, all in _THREE.items() for args in all])
def test_calls_of_several_operands(call):
    found = []
    for module in (torch, torsh):
        x = module.tensor([0.25, 0.5, 0.75])
        scope = {"x": x, "d": x.double(), "n": module.tensor([1, 2, 3]), "m": x > 0.3}
        try:
            out = eval(f"module.{call}", {**scope, "module": module})
        except Exception as e:
            found.append(type(e))
        else:
            out = out[0] if isinstance(out, tuple) else out
            found.append((str(out.dtype).partition(".")[2], out.tolist()))
    assert found[0] == found[1]
