"""Other ways to call an op that PyTorch takes too: asked when a plain call failed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from torsh import dtypes
from torsh._callers import warn_once
from torsh.ops._args import name_error

# What Python, NumPy or an op's body raise where an argument is of a wrong type.
MISTAKES = (TypeError, AttributeError, ValueError, OverflowError)

# NumPy's names of parameters, which PyTorch takes too.
_NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input", "x2": "other"}


def rearranged(
    fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], op: Any
) -> tuple[Any, dict[str, Any]] | None:
    """The arguments of a call as ``fn`` takes them, where PyTorch takes them, too; None if it does not.

    Keyword arguments may have NumPy's names, Python's types stand for dtypes, and the numbers of ``addmm`` and its like may
    come before the tensors that they scale (deprecated); NumPy's numbers and tensors of one element stand for numbers.  Arguments
    of types that PyTorch's parser refuses raise its error; an error about an argument that is being handled gets the op's name.
    """
    code = getattr(fn, "__wrapped__", fn).__code__
    own = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if type(kwargs.get("dtype")) is type and (dtype := dtypes.PYTHON.get(kwargs["dtype"])) is not None:
        return args, {**kwargs, "dtype": dtype}
    if any(n not in own and _NUMPY_NAMES.get(n) in own for n in kwargs):
        return args, {n if n in own else _NUMPY_NAMES.get(n, n): v for n, v in kwargs.items()}
    required = code.co_argcount - len(getattr(fn, "__wrapped__", fn).__defaults__ or ())
    if "beta" in own[code.co_argcount :] and len(args) > required:
        numbers = [x for x in args if isinstance(x, (int, float, complex))]
        tensors = [x for x in args if not isinstance(x, (int, float, complex))]
        if len(tensors) == required and 0 < len(numbers) < 3:
            deprecated_overload(fn.__name__, own[:required], ("beta", "alpha")[: len(numbers)])
            return tuple(tensors), {**dict(zip(("beta", "alpha"), numbers)), **kwargs}
    from torsh.ops._parser import reparsed  # it reads all signatures

    error = sys.exc_info()[1]
    named = hasattr(error, "about")
    if named:
        name_error(error, fn, op.paths)
    told = (
        not named
        and isinstance(error, TypeError)
        and any(words in str(error) for words in ("(): argument '", "() received an invalid"))
    )
    try:
        return reparsed(fn, args, kwargs, op.paths)
    except (TypeError, ValueError):
        # Functions of nn.functional check values before PyTorch's parser sees them.
        if not told and not (isinstance(error, ValueError) and any("nn.functional" in p for p in op.paths)):
            raise
    return None


def deprecated_overload(name: str, tensors: tuple[str, ...], numbers: tuple[str, ...]) -> None:
    """The warning for a call with numbers between the tensors: the first before all of them if there are several or it is
    ``beta``, any other after the first tensor."""
    typed = [f"Tensor {t}" for t in tensors]
    first = "beta" in numbers
    old = [*(["Number beta"] if first else []), typed[0], *(f"Number {n}" for n in numbers if n != "beta"), *typed[1:]]
    new = [*typed, "*", *(f"Number {n} = 1" for n in (("beta", "alpha") if first else numbers))]
    out = "Tensor out = None"
    warn_once(
        f"This overload of {name} is deprecated:\n\t{name}({', '.join([*old, '*', out])})\nConsider using one of the following "
        f"signatures instead:\n\t{name}({', '.join([*new, out])})",
        key="deprecated overload",
    )
