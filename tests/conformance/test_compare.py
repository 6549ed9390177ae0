"""The comparison itself: what it must tell apart, and how errors are measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torsh
from torsh_conformance.compare import Different, Leaf, invariants, leaves, same_metadata, ulps, values


def leaf(array: Any, dtype: str | None = None) -> Leaf:
    a = np.asarray(array)
    return Leaf("result", "tensor", a.shape, dtype or a.dtype.name, a)


F = np.float32


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (F([1.0, 2.0]), F([1.0, 2.001])),
        (F([np.nan]), F([0.0])),
        (F([0.0]), F([np.nan])),
        (F([np.inf]), F([-np.inf])),
        (F([np.inf]), F([3.4028235e38])),
        (np.array([1, 2]), np.array([1, 3])),
        (np.array([True]), np.array([False])),
        (np.complex64([1 + 1j]), np.complex64([1 - 1j])),
        (np.float64([1.0 + 1e-4]), np.float64([1.0])),
    ],
)
def test_different_values_are_told_apart(actual: Any, expected: Any) -> None:
    with pytest.raises(Different) as told:
        values(leaf(actual), leaf(expected), None)
    assert told.value.check == "value"


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (F([1.0]), np.nextafter(F([1.0]), F(2))),
        (F([np.nan, np.inf]), F([np.nan, np.inf])),
        (F([-0.0]), F([0.0])),
        (np.array([2**62]), np.array([2**62])),
    ],
)
def test_the_same_values_agree(actual: Any, expected: Any) -> None:
    values(leaf(actual), leaf(expected), None)


def test_bitwise_comparison_sees_one_ulp() -> None:
    one, next_one = F([1.0]), np.nextafter(F([1.0]), F(2))
    values(leaf(one), leaf(next_one), None)
    with pytest.raises(Different):
        values(leaf(one), leaf(next_one), None, exact=True)


@pytest.mark.parametrize(
    ("actual", "oracle", "dtype", "error"),
    [
        (F([1.0]), np.float64([1.0]), "float32", 0.0),
        (np.nextafter(F([1.0]), F(2)), np.float64([1.0]), "float32", 1.0),
        (F([4.0]), np.float64([4.0 + 2**-21]), "float32", 1.0),
        (F([0.0]), np.float64([2.0**-149]), "float32", 1.0),
        (np.float64([1.0]), np.float64([1.0 + 2**-52]), "float64", 1.0),
        (F([np.inf]), np.float64([1e39]), "float32", 0.0),
    ],
)
def test_errors_in_units_of_the_last_place(actual: Any, oracle: Any, dtype: str, error: float) -> None:
    assert ulps(actual, oracle, dtype, normwise=False) == pytest.approx(error)


def test_normwise_errors_are_relative_to_the_largest_element() -> None:
    actual, oracle = F([1024.0, 2.0**-20]), np.float64([1024.0, 0.0])
    assert ulps(actual, oracle, "float32", normwise=False) > 1e6
    assert ulps(actual, oracle, "float32", normwise=True) < 0.01


def test_a_result_no_worse_than_the_reference_is_accepted() -> None:
    """The reference is off by 1e-3 here; so may the result be, within four times that and a thousandth of its size."""
    oracle = np.float64([10.0, 1.0])
    expected, actual = F([10.0, 1.001]), F([10.0, 0.999])
    values(leaf(actual), leaf(expected), oracle)
    with pytest.raises(Different):
        values(leaf(actual), leaf(expected), None)


@pytest.mark.parametrize(
    ("actual", "expected", "message"),
    [
        (np.zeros((2, 1), F), np.zeros(2, F), "shape"),
        (np.zeros(2), np.zeros(2, F), "dtype"),
        ((np.zeros(2, F), np.zeros(2, F)), np.zeros(2, F), "2 values"),
        (np.zeros((), F), 0.0, "is a"),
    ],
)
def test_metadata_is_compared_first(actual: Any, expected: Any, message: str) -> None:
    with pytest.raises(Different, match=message):
        same_metadata(leaves(actual), leaves(expected))


def test_a_tensor_that_holds_another_type_than_it_says_is_seen() -> None:
    t = torsh.ones(2)
    t._data = t._data.astype(np.float64)
    assert leaves(t)[0].dtype == "float32 (holding float64)"


def test_named_results_keep_their_names() -> None:
    torch = pytest.importorskip("torch")
    found = leaves(torch.ones(2, 2).max(dim=0))
    assert [x.where for x in found] == ["result.values", "result.indices"]


def test_the_signs_of_singular_vectors_do_not_matter_and_their_values_do() -> None:
    a = np.random.default_rng(0).normal(size=(4, 3))
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    flip = np.diag([1.0, -1.0, 1.0])
    one = invariants("linalg_svd", [leaf(u), leaf(s), leaf(vh)], [a])
    other = invariants("linalg_svd", [leaf(u @ flip), leaf(s), leaf(flip @ vh)], [a])
    wrong = invariants("linalg_svd", [leaf(u @ flip), leaf(s), leaf(vh)], [a])
    for x, y in zip(one, other):
        values(x, y, None)
    with pytest.raises(Different):
        for x, y in zip(one, wrong):
            values(x, y, None)
