"""What calls are refused or warned about, as PyTorch does: sizes, deprecated overloads, memory that elements share, out=."""

from __future__ import annotations

import warnings

import pytest

import torsh
from torsh import _callers

torch = pytest.importorskip("torch")

REFUSED = [
    "lib.zeros(2.5)", "lib.zeros('a')", "lib.empty(2, 1.5)", "lib.zeros(2, (3,))", "lib.ones(size=3)", "lib.zeros((2,), (3,))",
    "lib.zeros((2,), size=(3,))", "lib.zeros(2, foo=1)", "lib.zeros(2, dtype=3)", "lib.zeros()", "lib.zeros((True, 2))",
    "lib.ones(2).new_zeros(1.5)", "lib.ones(2).new_empty(2, 'a')", "lib.ones(2).expand(2, 2.5)", "lib.rand(2, None)",
    "lib.ones(2).repeat(1.5)", "lib.Size(lib.ones(3))", "lib.Size([1.5])", "lib.Size(['a'])",
    "lib.zeros(2, pin_memory=True)", "lib.rand(2, pin_memory=True)", "lib.tensor([1.], pin_memory=True)",
    "lib.use_deterministic_algorithms(1)", "lib.use_deterministic_algorithms(False, warn_only=1)", "lib.Generator('meta')",
    "lib.arange(3).apply_(lambda v: 'a')", "lib.ones(2).map_(lib.ones(2, requires_grad=True), max)",
    "lib.isclose(lib.ones(2), lib.ones(2), lib.tensor(1.), lib.tensor(1., requires_grad=True))",
    "lib.logcumsumexp(lib.ones(2, dtype=lib.float64), 0, out=lib.zeros(2))",
    "lib.cummax(lib.ones(2), 0, out=(lib.zeros(2), lib.zeros(2)))", "lib.complex(lib.ones(2), lib.ones(2), out=lib.ones(2))",
    "lib.zeros(2, dtype=lib.int64, requires_grad=True)", "lib.empty([2**62, 4])", "lib.normal(lib.zeros(2, 3), lib.ones(5))",
    "lib.randperm(300, dtype=lib.uint8)", "lib.testing.assert_close(1., 1., rtol=1)",
]  # fmt: skip


def refusal(lib, code):
    with pytest.raises(Exception) as caught:
        eval(code, {"lib": lib})
    return type(caught.value).__name__, str(caught.value).split(" (")[0][:24]


@pytest.mark.parametrize("code", REFUSED)
def test_what_pytorch_refuses_in_its_words(code):
    assert refusal(torsh, code) == refusal(torch, code)


WARNED = [
    "x.index_fill_(0, i, 1.)", "x.masked_fill_(m, 0.)", "x.index_put_((i,), lib.ones(2))", "x.__setitem__(i, 1.)",
    "lib.empty(3).random_(-2**25, 2**25)", "lib.arange(5, out=lib.zeros(3))", "lib.testing.make_tensor(2, dtype=f, device='cpu', low=1, high=1)",
]  # fmt: skip
SHARED = [
    "i.index_fill_(0, i, 0)", "x.bernoulli_(p=lib.rand(4))", "m[1:].masked_fill_(m[:-1], False)", "i.index_put_((i,), i.clone())",
    "i.index_put_((i.clone(),), i)",
]  # fmt: skip


def names(lib):
    return {
        "lib": lib, "x": lib.zeros(1).expand(4), "i": lib.tensor([0, 1]), "m": lib.tensor([True, False, True, False]), "f": lib.float32,
    }  # fmt: skip


@pytest.mark.parametrize("code", WARNED)
@pytest.mark.parametrize("lib", [torch, torsh], ids=["torch", "torsh"])
def test_what_pytorch_warns_of(lib, code):
    with pytest.warns(
        match=r"expanded tensors is deprecated|out of bounds \[|does not match the computed|Passing `low==high`"
    ):
        eval(code, names(lib))


@pytest.mark.parametrize("code", SHARED)
@pytest.mark.parametrize("lib", [torch, torsh], ids=["torch", "torsh"])
def test_memory_that_is_read_and_written(lib, code):
    with pytest.raises(RuntimeError, match="unsupported operation"):
        eval(code, names(lib))


@pytest.mark.parametrize(
    "code",
    [
        "addcmul(o, 2, o, o)",
        "addcdiv(o, 2, o, o)",
        "add(o, 2, o)",
        "addmm(2, m, 3, m, m)",
        "addmv(2, o, m, o)",
        "baddbmm(2, b, 3, b, b)",
    ],
)
def test_numbers_between_tensors_are_taken_with_a_warning(code, monkeypatch):
    found = []
    for lib in (torch, torsh):
        monkeypatch.setattr(_callers, "_told", set())
        values = {n: getattr(lib, n) for n in ("addcmul", "addcdiv", "add", "addmm", "addmv", "baddbmm")}
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            values.update(o=lib.ones(2), m=lib.ones(2, 2), b=lib.ones(2, 2, 2))
            found.append(eval(code, values).tolist())
    assert found[0] == found[1]
    assert "overload of" in str(told[0].message)


@pytest.mark.parametrize(
    "code", ["zeros(2, out=lib.ones(3))", "linspace(0, 1, 4, out=lib.ones(3))", "randperm(4, out=lib.ones(3))"]
)
def test_creation_resizes_what_it_fills_silently(code):
    for lib in (torch, torsh):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert eval(f"lib.{code}", {"lib": lib}).shape == eval(f"lib.{code.split(', out')[0]})", {"lib": lib}).shape


def test_samples_for_out_are_drawn_in_its_dtype():
    for name in ("rand", "randn"):
        for lib in (torch, torsh):
            lib.manual_seed(1)
            plain = getattr(lib, name)(3, 4, dtype=lib.float64)
            lib.manual_seed(1)
            assert getattr(lib, name)(3, 4, out=lib.empty(0, dtype=lib.float64)).tolist() == plain.tolist()


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "int64", "int32"])
def test_linspace_rounds_each_step(dtype):
    ends = (-(2**31), 2**31 - 1) if dtype[0] == "i" else (-100, 100)
    for count in (3, 7, 15, 33):
        a, b = (lib.linspace(*ends, count, dtype=getattr(lib, dtype)).tolist() for lib in (torch, torsh))
        assert a == b


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float32", "complex64"])
@pytest.mark.parametrize("more", [{}, {"noncontiguous": True}, {"low": 0, "high": 2, "exclude_zero": True}])
def test_make_tensor_draws_pytorchs_values(dtype, more):
    found = []
    for lib in (torch, torsh):
        lib.manual_seed(3)
        t = lib.testing.make_tensor((2, 3), dtype=getattr(lib, dtype), device="cpu", **more)
        found.append((t.tolist(), t.stride()))
    assert found[0] == found[1]


def test_assert_close_compares_what_sparse_and_quantized_tensors_hold():
    for lib in (torch, torsh):
        close = lib.testing.assert_close
        s = lib.eye(3).to_sparse()
        close(s, s.clone())
        close(s, s.to_dense(), check_layout=False)
        with pytest.raises(AssertionError, match=r"^Sparse COO values are not close!"):
            close(s, (lib.eye(3) * 2).to_sparse())
        with pytest.raises(AssertionError, match=r"^Sparse COO indices are not equal!"):
            close(s, lib.eye(3).flip(0).to_sparse())
        with pytest.raises(
            AssertionError, match=r"^The number of specified values in sparse COO tensors does not match: 3 != 9"
        ):
            close(s, lib.ones(3, 3).to_sparse())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            q = lib.quantize_per_tensor(lib.tensor([1.0, 2.0]), 0.1, 0, lib.qint8)
        with pytest.raises(AssertionError, match=r"'is_quantized' do not match"):
            close(q, q.dequantize())
        with pytest.raises(AssertionError, match=r"^Quantized tensor-likes are not close!"):
            close(q, lib.quantize_per_tensor(lib.tensor([1.0, 3.0]), 0.1, 0, lib.qint8))


def test_pytorchs_operations_without_a_deterministic_form_say_so():
    for lib in (torch, torsh):
        lib.use_deterministic_algorithms(True)
        try:
            with pytest.raises(RuntimeError, match=r"^put_ does not have a deterministic implementation, but you set"):
                lib.zeros(3).put_(lib.tensor([0]), lib.ones(1))
            lib.zeros(3).put_(lib.tensor([0]), lib.ones(1), accumulate=True)
            lib.use_deterministic_algorithms(True, warn_only=True)
            with pytest.warns(UserWarning, match="max_unpooling2d_forward_out does not have a deterministic"):
                lib.nn.functional.max_unpool2d(lib.ones(1, 1, 2, 2), lib.zeros(1, 1, 2, 2, dtype=lib.int64), 2)
        finally:
            lib.use_deterministic_algorithms(False)
