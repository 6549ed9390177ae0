"""Expressions evaluated in both libraries: ``m`` is the library, ``x`` a tensor of 3 by 4, ``I`` makes tensors."""

from __future__ import annotations

import warnings


def answer(expression, m):
    """What an expression gives in one library: values and dtypes, or the exception's type and first words."""
    names = {"m": m, "x": m.arange(12.0).reshape(3, 4), "I": m.tensor, "nan": float("nan")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = eval(expression, names)
        except (RuntimeError, IndexError, TypeError, ValueError, NotImplementedError) as e:
            return type(e).__name__, " ".join(str(e).split()[:4])
    return described(found)


def described(value):
    if isinstance(value, tuple):
        return [described(v) for v in value]
    if hasattr(value, "tolist"):
        return str(value.tolist()), str(value.dtype).rpartition(".")[2]
    return str(value).rpartition(".")[2]
