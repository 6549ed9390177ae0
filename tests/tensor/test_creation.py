"""Making tensors from values, arrays and buffers: dtypes, sharing, errors; conversions to Python and NumPy."""

from __future__ import annotations

import warnings

import ml_dtypes
import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torsh  # noqa: E402

VALUES = {
    "int": 3, "float": 2.5, "bool": True, "complex": 1j, "list": [1, 2], "mixed": [1, 2.5], "bools and ints": [True, 2],
    "nested": [[1, 2], [3, 4]], "tuple": (1.0, (2.0)), "empty": [], "nested empty": [[], []], "numpy float32": np.float32(1.5),
    "numpy float64": np.float64(1.5), "list of numpy float64": [np.float64(1.5)], "list of numpy int8": [np.int8(3)],
    "array": np.arange(3, dtype=np.int16), "list of arrays": [np.ones(2), np.zeros(2)], "0-d array": np.array(2.0),
    "range": range(4), "bool array": np.array([True]), "strided array": np.arange(6)[::2],
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Creating a tensor from a list")
@pytest.mark.parametrize("make", ["tensor", "as_tensor", "asarray"])
@pytest.mark.parametrize("value", VALUES)
def test_dtype_and_values(make: str, value: str) -> None:
    expected, found = getattr(torch, make)(VALUES[value]), getattr(torsh, make)(VALUES[value])
    assert found.dtype.name == str(expected.dtype).removeprefix("torch.")
    assert tuple(found.shape) == tuple(expected.shape)
    np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_lists_of_tensors() -> None:
    assert torsh.tensor([torsh.tensor(1.5), torsh.tensor(2)]).tolist() == [1.5, 2.0]


ERRORS = {
    "ragged": lambda m: m.tensor([[1, 2], [3]]),
    "deeper later": lambda m: m.tensor([1, [2]]),
    "string": lambda m: m.tensor("a"),
    "list of strings": lambda m: m.tensor(["a"]),
    "None": lambda m: m.tensor(None),
    "object": lambda m: m.tensor([object()]),
    "too large": lambda m: m.tensor([2**70]),
    "out of range": lambda m: m.tensor([300], dtype=m.uint8),
    "nan as int": lambda m: m.tensor(float("nan"), dtype=m.int64),
    "grad of ints": lambda m: m.tensor([1], requires_grad=True),
    "objects in an array": lambda m: m.from_numpy(np.array([object()])),
    "negative strides": lambda m: m.from_numpy(np.arange(3)[::-1]),
    "byte order": lambda m: m.from_numpy(np.arange(3, dtype=">i4")),
    "no array": lambda m: m.from_numpy([1]),
    "negative size": lambda m: m.zeros(-1),
    "fill beyond": lambda m: m.full((2,), 300, dtype=m.uint8),
    "arange of step 0": lambda m: m.arange(0, 3, 0),
    "arange backwards": lambda m: m.arange(3, 0),
    "steps negative": lambda m: m.linspace(0, 1, -1),
    "not a buffer": lambda m: m.frombuffer([1], dtype=m.int32),
    "buffer of odd length": lambda m: m.frombuffer(bytearray(5), dtype=m.int32),
    "item of two": lambda m: m.ones(2).item(),
    "truth of two": lambda m: bool(m.ones(2)),
    "truth of none": lambda m: bool(m.ones(0)),
    "index of float": lambda m: [1][m.tensor(0.0)],
    "len of 0-d": lambda m: len(m.tensor(1)),
    "iterating 0-d": lambda m: iter(m.tensor(1)),
    "numpy of grad": lambda m: m.ones(1, requires_grad=True).numpy(),
    "numpy of bfloat16": lambda m: m.ones(1).bfloat16().numpy(),
    "copy of wrong shape": lambda m: m.ones(2).copy_(m.ones(3)),
    "fill with a vector": lambda m: m.ones(2).fill_(m.ones(2)),
    "contains": lambda m: "a" in m.ones(2),
    "out of a meta tensor": lambda m: m.empty(2, device="meta").cpu(),
    "unknown keyword of a legacy type": lambda m: m.FloatTensor(1.5),
    "finfo of int": lambda m: m.finfo(m.int32),
    "iinfo of float": lambda m: m.iinfo(m.float32),
}


@pytest.mark.parametrize("case", ERRORS)
def test_error(case: str) -> None:
    with pytest.raises(Exception) as expected:
        ERRORS[case](torch)
    with pytest.raises(type(expected.value)):
        ERRORS[case](torsh)


def test_sharing_memory_with_numpy() -> None:
    array = np.arange(6.0)
    for share in (torsh.from_numpy, torsh.as_tensor, torsh.asarray):
        share(array)[0] = 7
        assert array[0] == 7
        array[0] = 0
    torsh.tensor(array)[0] = 7
    assert array[0] == 0
    part = torsh.from_numpy(array[2:])
    assert part.storage_offset() == 0 and part[1:].storage_offset() == 1
    part.numpy()[0] = 9
    assert array[2] == 9


@pytest.mark.parametrize("source", ["float32", "float64", "float16"])
@pytest.mark.parametrize(
    "target", ["int8", "uint8", "int16", "int32", "int64", "bool", "float16", "bfloat16", "float32"]
)
@pytest.mark.filterwarnings("ignore:(overflow|invalid value)")
def test_casting_follows_c(source: str, target: str) -> None:
    values = [0.0, -0.0, 1.9, -1.9, 100.5, -100.5, 300.0, -300.0, 60000.0, np.nan, np.inf, -np.inf, 3e9, -3e9, 1e20]
    values = np.array(values).astype(source)
    expected = torch.from_numpy(values).to(getattr(torch, target))
    found = torsh.from_numpy(values).to(getattr(torsh, target))
    np.testing.assert_array_equal(found.double().numpy(), expected.double().numpy())


def test_casting_complex_drops_the_imaginary_part() -> None:
    assert torsh.tensor([1 + 2j]).to(torsh.float32).tolist() == [1.0]
    assert torsh.tensor([2j]).to(torsh.bool).tolist() == [True]


@pytest.mark.parametrize(
    "form",
    [lambda m, x: x.to(m.float64), lambda m, x: x.to("cpu"), lambda m, x: x.to("cpu", m.int32), lambda m, x: x.to(m.ones(1).half()),
     lambda m, x: x.to(dtype=m.int64), lambda m, x: x.to(m.device("cpu"), copy=True), lambda m, x: x.type(m.float64),
     lambda m, x: x.type("torch.DoubleTensor"), lambda m, x: x.type_as(m.ones(1, dtype=m.int16)), lambda m, x: x.long()],
)  # fmt: skip
def test_forms_of_to(form) -> None:
    expected, x = form(torch, torch.ones(2)), torsh.ones(2)
    found = form(torsh, x)
    assert found.dtype.name == str(expected.dtype).removeprefix("torch.")
    assert found.tolist() == expected.tolist()


def test_to_gives_the_tensor_itself_where_nothing_changes() -> None:
    x = torsh.ones(2)
    assert x.to(torsh.float32) is x and x.to("cpu") is x and x.float() is x and x.cpu() is x and x.contiguous() is x
    assert x.to(torsh.float32, copy=True) is not x


def test_python_numbers() -> None:
    x = torsh.tensor(3)
    assert (int(x), float(x), complex(x), bool(x), [0, 1, 2, 3][x]) == (3, 3.0, 3 + 0j, True, 3)
    assert 2.0 in torsh.tensor([1.0, 2.0]) and 5 not in torsh.tensor([1.0])
    assert torsh.tensor([[1, 2]]).tolist() == [[1, 2]] and torsh.ones(2).bfloat16().tolist() == [1.0, 1.0]


@pytest.mark.parametrize("args", [(0, 10, 0.1), (0.5, 100, 0.37), (5, -5, -0.03), (0, 1000, 1.1), (3,), (2, 9, 2)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32"])
def test_ranges(args: tuple[float, ...], dtype: str) -> None:
    step_is_zero = len(args) == 3 and dtype == "int64" and int(args[2]) == 0
    if step_is_zero:
        pytest.skip("an error in both")
    expected, found = torch.arange(*args, dtype=getattr(torch, dtype)), torsh.arange(*args, dtype=getattr(torsh, dtype))
    np.testing.assert_array_max_ulp(
        found.numpy(), expected.numpy(), 1
    ) if "f" in dtype else np.testing.assert_array_equal(found.numpy(), expected.numpy())


@pytest.mark.parametrize("args", [(0, 1, 50), (-3.7, 12.3, 1000), (1e-3, 7, 333), (5, -5, 101), (0, 10, 7), (2, 3, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64"])
def test_linspace_is_equal_bit_for_bit(args: tuple[float, float, int], dtype: str) -> None:
    expected, found = (
        torch.linspace(*args, dtype=getattr(torch, dtype)),
        torsh.linspace(*args, dtype=getattr(torsh, dtype)),
    )
    np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_legacy_constructors() -> None:
    assert (
        torsh.Tensor(2, 3).shape == (2, 3)
        and torsh.Tensor([1, 2]).tolist() == [1.0, 2.0]
        and torsh.Tensor().shape == (0,)
    )
    assert torsh.LongTensor([1, 2]).dtype is torsh.int64 and torsh.ones(1).new(2).shape == (2,)
    assert isinstance(torsh.ones(1), torsh.FloatTensor) and not isinstance(torsh.ones(1), torsh.LongTensor)
    assert torsh.Tensor(torsh.Size([2])).shape == (2,)


def test_frombuffer_shares() -> None:
    buffer = bytearray(np.arange(3, dtype=np.int32).tobytes())
    t = torsh.frombuffer(buffer, dtype=torsh.int32, offset=4)
    assert t.tolist() == [1, 2]
    t[0] = 9
    assert np.frombuffer(buffer, np.int32)[1] == 9


def test_tensor_of_a_tensor_warns() -> None:
    with pytest.warns(UserWarning, match="To copy construct from a tensor"):
        torsh.tensor(torsh.ones(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        torsh.ones(2).new_tensor([1.0])


def test_ml_dtypes_arrays_are_tensors() -> None:
    assert torsh.from_numpy(np.ones(2, ml_dtypes.bfloat16)).dtype is torsh.bfloat16


@pytest.mark.parametrize(
    "value",
    [
        [1.0, np.float64(5)], [1, np.float64(5)], [[1.0, 2.0], [1.0, np.float64(5)]], [1.0, np.complex128(1)], [1, np.array(5.0)],
        [[1.0, 2.0], np.array([1.0, 2.0])], [1.0, np.float32(2)], [1.0, np.int64(2)], [1.0, 2, True],
    ],
    ids=repr,
)  # fmt: skip
def test_every_leaf_counts_for_the_dtype(value: list[object]) -> None:
    expected, found = torch.tensor(value), torsh.tensor(value)
    assert found.dtype.name == str(expected.dtype).removeprefix("torch.")
    np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_a_tensor_among_numbers_counts_for_the_dtype() -> None:
    assert torsh.tensor([1.0, torsh.tensor(2.0, dtype=torsh.float64)]).dtype is torsh.float64


def test_sequences_without_a_shape() -> None:
    class Broken:
        def __len__(self) -> int:
            return 2

        def __getitem__(self, i: int) -> float:
            raise TypeError("no items")

    with pytest.raises(ValueError, match="could not determine the shape of object type 'Broken'"):
        torsh.tensor(Broken())
    itself: list[object] = [0]
    itself.append(itself)
    with pytest.raises(TypeError, match="self-referential lists are incompatible"):
        torsh.tensor(itself)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("case", [(10, 2000, 1991), (-3.7, 812.3, 1500), (0.1, -0.03, 700), (0, 1, 7)])
def test_long_linspace_in_half_precision(dtype: str, case: tuple[float, float, int]) -> None:
    expected = torch.linspace(*case, dtype=getattr(torch, dtype)).double()
    found = torsh.linspace(*case, dtype=getattr(torsh, dtype)).double()
    np.testing.assert_array_equal(found.numpy(), expected.numpy())
