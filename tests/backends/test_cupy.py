"""The CuPy backend where there is no GPU: it says so, and its tables name functions that exist."""

from __future__ import annotations

import numpy as np
import pytest

import torsh
from torsh import registry
from torsh.ops._op import OPS
from torsh_cupy.kernels import make_table

BACKEND = registry.load("cupy")
needs_none = pytest.mark.skipif(BACKEND.unavailable() is None, reason="there is a CUDA device")
needs_one = pytest.mark.skipif(BACKEND.unavailable() is not None, reason=f"not run: {BACKEND.unavailable()}")


@needs_none
def test_it_says_why_it_cannot_run():
    assert "CuPy" in BACKEND.unavailable()
    assert BACKEND.devices() == []
    with pytest.raises(registry.BackendUnavailable, match="'cupy' is not available: "):
        registry.bind("cuda", "cupy")


def test_its_kernels_belong_to_ops_and_do_what_numpy_s_do():
    # CuPy's functions have NumPy's names and meaning: NumPy stands in for it.
    table = make_table(np)
    assert set(table) <= set(OPS)
    numpy = registry.load("numpy")
    x = np.linspace(0.1, 0.9, 12, dtype=np.float32).reshape(3, 4)
    for name, kernel in table.items():
        own = numpy.kernel(name, torsh.float32)
        arity = len(OPS[name].args)
        if "pointwise" not in OPS[name].tags or name.startswith(("bitwise", "gcd", "lcm")):
            continue
        with np.errstate(invalid="ignore"):  # acosh below 1
            found, expected = kernel(*[x] * arity), own(*[x] * arity)
        np.testing.assert_allclose(found, expected, rtol=1e-5, err_msg=name)
    for name, args in (("permute", ((1, 0),)), ("view", ((4, 3),)), ("squeeze", ((),)), ("diagonal", (1, 0, 1))):
        np.testing.assert_array_equal(table[name](x, *args), numpy.kernel(name, torsh.float32)(x, *args))
    assert np.shares_memory(table["unfold"](x, 1, 2, 1), x)
    np.testing.assert_array_equal(table["unfold"](x, 1, 2, 2), numpy.kernel("unfold", torsh.float32)(x, 1, 2, 2))


@needs_one
def test_a_step_on_the_gpu():
    with registry.use("cupy", "cuda"):
        x = torsh.ones(3, device="cuda", requires_grad=True)
        (x.exp() * x).sum().backward()
        np.testing.assert_allclose(x.grad.cpu().numpy(), [2 * np.e] * 3, rtol=1e-6)
