"""Samples: the same every time, the same in every library, and derived ones cover what breaks implementations."""

from __future__ import annotations

import numpy as np
import pytest

import torsh
from torsh.ops._op import OPS
from torsh_conformance.sample import (
    S,
    as_tensor,
    call_args,
    default_generator,
    generate,
    load_generators,
    numpy_dtype,
    samples,
    the,
    to_numpy,
)

DTYPES = (
    "float32",
    "float64",
    "float16",
    "bfloat16",
    "complex64",
    "complex32",
    "int64",
    "uint8",
    "bool",
    "float8_e4m3fn",
)


def derived(name: str, dtype: str) -> list[S]:
    return list(generate(f"torch.{name}", default_generator(OPS[name]), dtype))


def test_values_depend_only_on_path_dtype_and_number() -> None:
    first, again = derived("exp", "float32"), derived("exp", "float32")
    assert all(a.args[0].tobytes() == b.args[0].tobytes() for a, b in zip(first, again))
    other = list(generate("torch.sin", default_generator(OPS["exp"]), "float32"))
    assert first[0].args[0].tobytes() != other[0].args[0].tobytes()
    alone = next(s for i, s in enumerate(generate("torch.exp", default_generator(OPS["exp"]), "float32")) if i == 3)
    assert alone.args[0].tobytes() == first[3].args[0].tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_have_the_dtype_of_the_case(dtype: str) -> None:
    for sample in derived("mul", dtype):
        assert all(a.dtype == numpy_dtype(dtype) for a in sample.args if isinstance(a, np.ndarray))


@pytest.mark.parametrize("name", ["exp", "mul", "sum"])
def test_derived_samples_cover_empty_zero_dim_strided_and_special(name: str) -> None:
    found = derived(name, "float32")
    arrays = [s.args[0] for s in found]
    assert any(a.size == 0 for a in arrays)
    assert any(a.ndim == 0 for a in arrays)
    assert any(not a.flags.c_contiguous for a in arrays)
    assert any(np.isnan(a).any() and np.isinf(a).any() for a in arrays)


@pytest.mark.parametrize("library", ["torsh", "torch"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_tensors_have_the_values_and_strides_of_the_array(library: str, dtype: str) -> None:
    module = pytest.importorskip(library)
    base = (np.arange(12).reshape(3, 4) % 5).astype(numpy_dtype(dtype))
    for array in (base, base.T, base[:, ::2], base[0, 0], base[:0], base[::-1], np.broadcast_to(base[:1], (3, 4))):
        t = as_tensor(module, array)
        assert to_numpy(t).tobytes() == array.tobytes()
        assert tuple(t.shape) == array.shape
        assert str(t.dtype).rpartition(".")[2] == dtype
        if array is not base[::-1] and 0 not in array.strides and all(s > 0 for s in array.strides) and array.size:
            assert tuple(s * array.itemsize for s in t.stride()) == array.strides
    t = as_tensor(module, base)
    assert not np.shares_memory(to_numpy(t), base)


def test_names_and_dtypes_are_looked_up_in_the_library() -> None:
    torch = pytest.importorskip("torch")
    sample = S(the.strided, dtype=the.float64, other=torsh.int32)
    args, kwargs = call_args(torch, sample)
    assert args == [torch.strided]
    assert kwargs == {"dtype": torch.float64, "other": torch.int32}


def test_one_array_given_twice_is_one_tensor() -> None:
    a = np.ones(2)
    args, _ = call_args(torsh, S(a, [a]))
    assert args[0] is args[1][0]


def test_two_generators_for_one_path_are_refused() -> None:
    table = {"torch.exp": lambda make: iter(())}
    table["torch.exp"].__module__ = "elsewhere"
    with pytest.raises(ValueError, match="given twice"):
        samples("torch.exp", table=table)(lambda make: iter(()))


def test_an_unknown_aspect_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown aspects"):
        S(1).without("gradient")


def test_every_generator_runs_in_every_dtype() -> None:
    broken = []
    for path, generator in load_generators().items():
        for dtype in ("float32", "int64", "bool", "complex64"):
            try:
                assert all(isinstance(s, S) for s in generate(path, generator, dtype))
            except Exception as e:  # collected, so that all are told at once
                if isinstance(e, TypeError) and dtype != "float32":
                    continue  # means nothing in this dtype
                broken.append(f"{path} in {dtype}: {type(e).__name__}: {e}")
    assert not broken, "\n".join(broken)
