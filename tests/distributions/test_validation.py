"""What distributions check, and what they say of classes that leave out what is checked."""

from __future__ import annotations

import pytest

import torsh

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("lib", [torch, torsh], ids=["torch", "torsh"])
def test_parameters_that_are_properties_are_checked(lib):
    with pytest.raises(
        ValueError, match=r"Expected parameter df .* of distribution Chi2\(\) to satisfy the constraint"
    ):
        lib.distributions.Chi2(lib.tensor([-1.0]), validate_args=True)


@pytest.mark.parametrize("lib", [torch, torsh], ids=["torch", "torsh"])
def test_a_class_without_constraints_or_support_is_warned_of(lib):
    class Point(lib.distributions.Distribution):
        def __init__(self):
            super().__init__(validate_args=True)

    with pytest.warns(UserWarning, match="does not define `arg_constraints`"):
        point = Point()
    with pytest.warns(UserWarning, match="does not define `support`"):
        point._validate_sample(lib.zeros(2))


def test_one_hot_categories_can_be_listed():
    found = []
    for lib in (torch, torsh):
        d = lib.distributions.OneHotCategorical(probs=lib.tensor([[0.1, 0.9], [0.3, 0.7]]))
        assert d.has_enumerate_support
        found.append([d.enumerate_support(expand).tolist() for expand in (True, False)])
    assert found[0] == found[1]


def test_tiny_concentrations_give_no_nan():
    for lib in (torch, torsh):
        lib.manual_seed(0)
        x = lib.distributions.Beta(lib.full((500,), 1e-6), lib.full((500,), 1e-6)).sample()
        assert not bool(x.isnan().any())
