"""Samples of operations on lists of tensors."""

from __future__ import annotations

from torsh_conformance.sample import S, samples

_UNARY = (
    "abs", "acos", "asin", "atan", "ceil", "cos", "cosh", "erf", "erfc", "exp", "expm1", "floor", "frac", "lgamma",
    "log",
    "log10", "log1p", "log2", "neg", "reciprocal", "round", "rsqrt", "sigmoid", "sign", "sin", "sinh", "sqrt",
    "tan", "tanh",
    "trunc", "clone", "max", "zero_",
)  # fmt: skip


def two(make, **bounds):
    return [make(3, 4, **bounds), make(2, **bounds)]


@samples(*(f"torch._foreach_{n}" for n in _UNARY), *(f"torch._foreach_{n}_" for n in _UNARY[:-3]))
def unary(make):
    yield S(two(make))
    yield S([make(3).T]).named("one")


@samples(
    *(
        f"torch._foreach_{n}{i}"
        for n in ("add", "sub", "mul", "maximum", "minimum", "clamp_min", "clamp_max")
        for i in ("", "_")
    )
)
def binary(make):
    yield S(two(make), 2)
    yield S(two(make), [2, 3]).named("numbers")
    yield S(two(make), two(make)).named("tensors")
    yield S(two(make), two(make)[:1]).named("wrong length")


@samples("torch._foreach_div", "torch._foreach_div_", "torch._foreach_pow", "torch._foreach_pow_")
def div(make):
    yield S(two(make, low=1, high=4), 2)
    yield S(two(make, low=1, high=4), [2.0, 3.0]).named("numbers")
    yield S(two(make, low=1, high=4), two(make, low=1, high=4)).named("tensors")


@samples("torch._foreach_addcmul", "torch._foreach_addcdiv", "torch._foreach_addcmul_", "torch._foreach_addcdiv_")
def addcmul(make):
    yield S(two(make), two(make), two(make, low=1, high=4), value=2)
    yield S(two(make), two(make), two(make, low=1, high=4), [2, 3]).named("scalars")


@samples("torch._foreach_lerp", "torch._foreach_lerp_")
def lerp(make):
    yield S(two(make), two(make), 0.3)
    yield S(two(make), two(make), two(make)).named("tensors")


@samples("torch._foreach_norm", "torch._foreach_powsum")
def norm(make):
    yield S(two(make))
    yield S(two(make), 1).named("ord")


@samples("torch._foreach_copy_")
def copy(make):
    yield S(two(make), two(make))


@samples("torch._foreach_mm")
def mm(make):
    yield S([make(3, 4), make(2, 2)], [make(4, 2), make(2, 3)])
