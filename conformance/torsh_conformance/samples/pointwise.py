"""Samples of elementwise ops whose arguments are more than one or two operands."""

from __future__ import annotations

from torsh_conformance.sample import S, samples


@samples("torch.where")
def where(make):
    yield S(make.bools(3, 4), make(3, 4), make(3, 4))
    yield S(make.bools(4), make(3, 1), make()).named("broadcast")
    yield S(make.bools(3), make(3), 2).named("number")
    yield S(make.bools(3), 1, 2.5).named("numbers")
    yield S(make.bools(0), make(0), make(0)).named("empty")
    yield S(make.bools(4, 3).T, make(3, 4), make(4, 3).T).named("transposed")


@samples("torch.clamp", "torch.clip")
def clamp(make):
    yield S(make(3, 4), -1, 1)
    yield S(make(3, 4), min=0).named("min")
    yield S(make(4, 3).T, max=1).named("max")
    yield S(make(3, 4), 2, -1).named("crossed")
    yield S(make(3, 4), make(4), make(3, 1)).named("tensors")
    yield S(make(), make(), None).named("0-d")
    yield S(make(3, 4), -0.5, 1.5).named("floats")


@samples("torch.clamp_min", "torch.clamp_max")
def clamp_one(make):
    yield S(make(3, 4), 1)
    yield S(make(3, 1), make(4)).named("broadcast")
    yield S(make(0), 0).named("empty")


@samples("torch.add", "torch.sub", "torch.rsub", "torch.subtract")
def add(make):
    yield S(make(3, 4), make(3, 4))
    yield S(make(3, 1), make(4), alpha=2).named("alpha")
    yield S(make(4, 3).T, 3).named("number")
    yield S(make(), make(2)).named("0-d")
    yield S(make(0, 2), make(2)).named("empty")
    special = make.special()
    yield S(special[:, None], special).named("special values").without("grad")


@samples("torch.div", "torch.divide")
def div(make):
    yield S(make(3, 4), make(3, 4, low=1, high=5))
    yield S(make(3, 1), make(4, low=1, high=5), rounding_mode="floor").named("floor")
    yield S(
        make(4, 3).T, make(4, low=-5, high=-1) if make.dtype.is_signed else make(4, low=1), rounding_mode="trunc"
    ).named("trunc")
    yield S(make(3, 4), 2).named("number")
    yield S(make(), make(2)).named("0-d").without("grad")


@samples("torch.floor_divide", "torch.remainder", "torch.fmod")
def floor_divide(make):
    yield S(make(3, 4), make(3, 4, low=1, high=5))
    yield S(make(3, 1), make(4, low=-5, high=-1) if make.dtype.is_signed else make(4, low=1)).named("broadcast")
    yield S(make(4, 3).T, 2).named("number")
    yield S(make(0), make(0, low=1)).named("empty")


@samples("torch.pow")
def pow(make):
    for exponent in (0, 1, 2, 3, 0.5, -1.5):
        yield S(make(3, 2, low=0.5, high=4), exponent).named(f"exponent {exponent}")
    yield S(make(3, 4, low=0.5, high=3), make(4, low=0, high=3))
    yield S(2, make(4, 3, low=0, high=3).T).named("number as base")


@samples("torch.lerp")
def lerp(make):
    yield S(make(3, 4), make(3, 4), 0.3)
    yield S(make(3, 4), make(3, 4), 0.8).named("beyond the middle")
    yield S(make(3, 1), make(4), make(3, 4)).named("broadcast")
    yield S(make(0), make(0), 2.0).named("empty")


@samples("torch.addcmul", "torch.addcdiv")
def addcmul(make):
    yield S(make(3, 4), make(3, 4), make(3, 4, low=1, high=4))
    yield S(make(3, 1), make(4), make(3, 4, low=1, high=4), value=2).named("value")
    yield S(make(4, 3).T, make(), make(4, low=1, high=4)).named("broadcast")
    yield S(make(0), make(0), make(0, low=1)).named("empty")


@samples("torch.round")
def round(make):
    yield S(make(3, 4))
    yield S(make(4, 3).T, decimals=2).named("decimals")
    yield S(make(5, low=-500, high=500), decimals=-2).named("negative decimals")


@samples("torch.nan_to_num")
def nan_to_num(make):
    yield S(make.special())
    yield S(make.special(), nan=1.0, posinf=2.0, neginf=-3.0).named("values")
    yield S(make(2, 3).T).named("transposed")


@samples("torch.heaviside")
def heaviside(make):
    yield S(make(3, 4), make(4))
    yield S(make.special(), make()).named("special values")


@samples("torch.bitwise_left_shift", "torch.bitwise_right_shift")
def shift(make):
    yield S(make(3, 4), make.ints(4, high=5, dtype=make.dtype) if make.dtype.name != "bool" else make(4))
    yield S(make(3), 2).named("number")
    yield S(make(3), 70).named("beyond the width")


@samples("torch.gcd")
def gcd(make):
    yield S(make(3, 4), make(3, 4))
    yield S(make.special()[:, None], make.special()).named("special values")
    yield S(make(3, 1), make(4)).named("broadcast")
    yield S(make(3), make()).named("0-d")
    yield S(make(0, 3), make(3)).named("empty")


@samples("torch.ldexp")
def ldexp(make):
    yield S(make(3, 4), make.ints(4, high=4))
    yield S(make(3, 4), make.ints(4, low=-4)).named("negative exponents")
    yield S(make(2), make(2))


@samples("torch.float_power")
def float_power(make):
    yield S(make(3, 4, low=0.5, high=3), make(4, low=0.5, high=3))
    yield S(make(3, low=0.5, high=3), 2).named("number")
    yield S(2, make(3)).named("number as base")


@samples("torch.isclose", "torch.allclose")
def isclose(make):
    x = make(3, 4)
    yield S(x, x)
    yield S(x, make(4)).named("broadcast")
    yield S(x, make(3, 4), rtol=0.5, atol=0.1).named("tolerances")
    if make.dtype.is_floating_point:
        special = make.special()
        yield S(special[:, None], special, equal_nan=True).named("special values")


@samples("torch.equal")
def equal(make):
    x = make(3, 4)
    yield S(x, x)
    yield S(x, make(3, 4))
    yield S(x, x[0]).named("other size")
    yield S(make(0), make(0)).named("empty")
