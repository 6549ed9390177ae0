"""PyTorch 2.13 has no named tensors any more: names are refused, never dropped, and dimensions are integers."""

from __future__ import annotations

import pytest

import torsh

torch = pytest.importorskip("torch")

NAMES = [None, ("a", "b")]

# Functions that took ``names=`` while PyTorch had named tensors.
MAKERS = {
    "empty": ((2, 3),),
    "full": ((2, 3), 1.0),
    "ones": ((2, 3),),
    "rand": ((2, 3),),
    "randn": ((2, 3),),
    "tensor": ([[1.0, 2.0]],),
    "zeros": ((2, 3),),
}

# Dimensions by name, one call each.
CALLS = {
    "cat": lambda m, x: m.cat([x, x], "a"),
    "cumsum": lambda m, x: x.cumsum("a"),
    "diagonal": lambda m, x: x.diagonal(dim1="a"),
    "flatten": lambda m, x: x.flatten("a", "b"),
    "flatten to a name": lambda m, x: x.flatten("a", "b", "c"),
    "gather": lambda m, x: x.gather("a", m.zeros(1, 1, dtype=m.int64)),
    "index_select": lambda m, x: x.index_select("a", m.tensor([0])),
    "item": lambda m, x: x["a"],
    "logsumexp": lambda m, x: x.logsumexp("a"),
    "max": lambda m, x: x.max("a"),
    "mean": lambda m, x: x.mean("a"),
    "median": lambda m, x: x.median("a"),
    "select": lambda m, x: x.select("a", 0),
    "softmax": lambda m, x: x.softmax("a"),
    "sort": lambda m, x: x.sort("a"),
    "split": lambda m, x: x.split(1, "a"),
    "squeeze": lambda m, x: x.squeeze("a"),
    "std": lambda m, x: x.std("a"),
    "sum": lambda m, x: x.sum("a"),
    "sum of several": lambda m, x: x.sum(["a", "b"]),
    "transpose": lambda m, x: x.transpose("a", "b"),
    "unbind": lambda m, x: x.unbind("a"),
    "unflatten": lambda m, x: x.unflatten("a", (("x", 1), ("y", 2))),
    "var": lambda m, x: x.var("a"),
}


def error(run, module):
    """The type and text of the error of a call."""
    with pytest.raises(Exception) as caught:  # which one is compared
        run(module, module.ones(2, 3))
    return type(caught.value), str(caught.value)


@pytest.mark.parametrize("names", NAMES, ids=["None", "names"])
@pytest.mark.parametrize("maker", MAKERS)
def test_names_of_a_new_tensor_are_refused(maker, names):
    def run(m, x):
        getattr(m, maker)(*MAKERS[maker], names=names)

    found, wanted = error(run, torsh), error(run, torch)
    assert found[0] is wanted[0] is TypeError
    assert found[1].startswith(f"{maker}() ")
    assert "names" in found[1]
    if "unexpected keyword" in wanted[1]:
        assert found[1] == wanted[1]


@pytest.mark.parametrize("call", CALLS)
def test_dimensions_are_not_found_by_name(call):
    assert error(CALLS[call], torsh)[0] is error(CALLS[call], torch)[0] is TypeError


@pytest.mark.parametrize("name", ["names", "has_names", "align_as", "align_to", "refine_names", "rename", "rename_"])
def test_methods_are_gone(name):
    assert not hasattr(torch.Tensor, name)
    assert not hasattr(torsh.Tensor, name)


def test_functions_are_gone():
    assert not hasattr(torch, "align_tensors")
    assert not hasattr(torsh, "align_tensors")


@pytest.mark.parametrize("dim", ["a", 1.5, [0]], ids=repr)
@pytest.mark.parametrize("method", ["size", "stride"])
def test_size_and_stride_of_what_is_no_integer(method, dim):
    def run(m, x):
        getattr(x, method)(dim)

    assert error(run, torsh) == error(run, torch)


@pytest.mark.parametrize("shape", [(2, 3), ()], ids=repr)
@pytest.mark.parametrize("dim", [-3, -2, -1, 0, 1, 2])
def test_size_of_every_dimension(shape, dim):
    def given(m):
        try:
            return m.ones(shape).size(dim)
        except IndexError as e:
            return str(e)

    assert given(torsh) == given(torch)
