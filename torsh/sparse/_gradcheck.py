"""``gradcheck`` for functions of sparse tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from torsh.sparse._tensor import SparseTensor, dense, values_of, with_values


def as_sparse_gradcheck(gradcheck: Callable[..., Any]) -> Callable[..., Any]:
    """A gradient check that takes sparse inputs and results: it varies their values and leaves their places alone.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.sparse.as_sparse_gradcheck.html

    >>> import torsh
    >>> x = torsh.eye(2, dtype=torsh.float64).to_sparse().requires_grad_()
    >>> gradcheck = torsh.sparse.as_sparse_gradcheck(torsh.autograd.gradcheck)
    >>> gradcheck(lambda s: s.to_dense(masked_grad=False), x)
    True
    """

    @functools.wraps(gradcheck)
    def check(func: Callable[..., Any], inputs: Any, **kwargs: Any) -> Any:
        kwargs.pop("masked", None)
        given = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        patterns = [x._pattern if isinstance(x, SparseTensor) else None for x in given]
        plain = []
        for x in given:
            if isinstance(x, SparseTensor):
                plain.append(values_of(x).detach().clone().requires_grad_(x.requires_grad))
            else:
                plain.append(x)

        def over_values(*args: Any) -> Any:
            built = [a if p is None else with_values(p, a) for p, a in zip(patterns, args)]
            found = func(*built)
            if isinstance(found, (list, tuple)):
                return tuple(dense(f) for f in found)
            return dense(found)

        return gradcheck(over_values, tuple(plain), **kwargs)

    return check
