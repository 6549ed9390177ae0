"""Sparse tensors whose dimensions change in place, what is made like them, and checks of their parts, against PyTorch."""

from __future__ import annotations

from typing import Any

import pytest

import torsh

torch = pytest.importorskip("torch")
BOTH = (torsh, torch)
pytestmark = pytest.mark.filterwarnings("ignore:.*[Ss]parse.*:UserWarning")


def small(lib: Any) -> Any:
    return lib.sparse_coo_tensor(
        [[0, 1, 2], [1, 0, 2], [1, 1, 0]], lib.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), (3, 3, 2, 2)
    )


def outcome(lib: Any, fn: Any) -> Any:
    try:
        return fn(lib)
    except (RuntimeError, NotImplementedError) as error:
        return type(error).__name__


@pytest.mark.parametrize("name", ["transpose_", "swapaxes_", "swapdims_"])
def test_dimensions_exchanged_in_place_take_their_places_along(name: str) -> None:
    for i in range(4):
        for j in range(4):
            own, theirs = (
                outcome(lib, lambda lib: getattr(small(lib), name)(i, j).to_dense().tolist()) for lib in BOTH
            )
            assert own == theirs, (i, j)


def test_t_in_place() -> None:
    for lib in BOTH:
        x = lib.sparse_coo_tensor([[0, 1], [2, 0]], [1.0, 2.0], (2, 3))
        version = x._version
        assert x.t_() is x and tuple(x.shape) == (3, 2) and x._version > version
        assert x.to_dense().tolist() == [[0.0, 2.0], [0.0, 0.0], [1.0, 0.0]]
        assert x.t().to_dense().tolist() == [[0.0, 0.0, 1.0], [2.0, 0.0, 0.0]]


def test_t_in_place_has_a_gradient() -> None:
    for lib in BOTH:
        x = lib.sparse_coo_tensor([[0, 1], [2, 0]], [1.0, 2.0], (2, 3)).requires_grad_()
        y = x * 2
        y.t_()
        (y.to_dense() * lib.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])).sum().backward()
        assert x.grad.to_dense().tolist() == [[0.0, 0.0, 10.0], [4.0, 0.0, 0.0]]


@pytest.mark.parametrize("name", ["rand_like", "randn_like", "randint_like", "full_like", "ones_like"])
@pytest.mark.parametrize("layout", ["sparse_coo", "sparse_csr"])
def test_made_like_a_sparse_tensor(name: str, layout: str) -> None:
    more = {"full_like": (3.0,), "randint_like": (5,)}.get(name, ())

    def made(lib: Any) -> Any:
        x = getattr(lib, name)(lib.tensor([[1.0, 0.0], [0.0, 2.0]]).to_sparse(layout=getattr(lib, layout)), *more)
        return str(x.layout).partition(".")[2], x._nnz(), x.values().tolist() if "rand" not in name else None

    own, theirs = (outcome(lib, made) for lib in BOTH)
    assert own == theirs


def test_norm_over_all_dimensions_only() -> None:
    for kwargs in ({}, {"dim": (0, 1)}, {"dim": (-1, 0)}, {"dim": 0}, {"keepdim": True}):
        own, theirs = (
            outcome(lib, lambda lib: lib.tensor([[3.0, 0.0], [0.0, 4.0]]).to_sparse().norm(2, **kwargs).tolist())
            for lib in BOTH
        )
        assert own == theirs, kwargs


def test_products_of_two_types_are_refused() -> None:
    for lib in BOTH:
        with pytest.raises(RuntimeError, match="mat1 dtype Float does not match mat2 dtype Double"):
            lib.sparse.mm(lib.ones(2, 2).to_sparse(), lib.ones(2, 2, dtype=lib.float64).to_sparse())


def test_dimensions_in_another_order_by_keyword() -> None:
    for lib in BOTH:
        x = lib.tensor([[1.0, 2.0], [0.0, 3.0]]).to_sparse()
        assert x.permute(dims=(1, 0)).to_dense().tolist() == [[1.0, 0.0], [2.0, 3.0]]


def test_parts_are_checked() -> None:
    for lib in BOTH:
        assert lib._validate_sparse_coo_tensor_args(lib.tensor([[0, 1]]), lib.ones(2), (2,)) is None
        with pytest.raises(
            RuntimeError, match="size is inconsistent with indices: for dim 0, size is 2 but found index 3"
        ):
            lib._validate_sparse_coo_tensor_args(lib.tensor([[0, 3]]), lib.ones(2), (2,))
        with pytest.raises(RuntimeError, match="cannot set is_coalesced to true"):
            lib._validate_sparse_coo_tensor_args(lib.tensor([[1, 0]]), lib.ones(2), (2,), is_coalesced=True)
        good = lib.tensor([0, 1]), lib.tensor([0]), lib.ones(1), (1, 1), lib.sparse_csr
        assert lib._validate_sparse_compressed_tensor_args(*good) is None
        with pytest.raises(RuntimeError, match=r"`crow_indices\[..., -1\] == nnz` is not satisfied."):
            lib._validate_sparse_compressed_tensor_args(lib.tensor([0, 3]), *good[1:])
