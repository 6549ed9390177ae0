"""How results lie in memory: the order of their dimensions, by one rule per op.

Elementwise ops keep the order that their operands have, without help.  What another op gives depends on the library that
computes it, unless its declaration names a rule (``layout=``, one word for all results or one for each):

* ``rows``: row-major.
* ``channels``: channels last if the first tensor is, else row-major; ``any``: if any of the tensors is; ``line``: also with one
  dimension of space; ``flat``: not with three.
* ``like``: as a copy of the first tensor that keeps the order of its dimensions.
* ``columns``: matrices in column-major order, as LAPACK gives them.
* ``free``: as it comes.

Source: https://docs.pytorch.org/tutorials/intermediate/memory_format_tutorial.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from torsh.memory_format import preserved_strides
from torsh.ops._docs import dressed_as

if TYPE_CHECKING:
    from torsh.dispatch import Kind

WORDS = frozenset({"rows", "channels", "any", "line", "flat", "like", "columns", "free"})
_MORE = frozenset({"any", "line", "flat"})
# Rules that leave results row-major where the first argument is.
_BY_FIRST = frozenset({"rows", "like", "channels", "channels line", "channels line flat", "channels flat"})
# The same where all arguments are.
_BY_ALL = frozenset({"channels any", "channels any line"})

# From innermost to outermost; three dimensions are four of which the height is one.
_CHANNELS = {3: (1, 2, 0), 4: (1, 3, 2, 0), 5: (1, 4, 3, 2, 0)}


def channels_last(shape: Sequence[int], strides: Sequence[int]) -> bool:
    """Whether the strides say that the channels come last; where both formats fit (one channel, one pixel): no."""
    order = _CHANNELS.get(len(shape))
    if order is None or strides[1] == 0:
        return False
    least = 0
    for d in order:
        n, s = shape[d], strides[d]
        if n == 0 or s < least or (d == 0 and least == strides[1]):
            return False
        least = s * n if n > 1 else s
    return True


def arranged(rule: str, kind: Kind, found: Any, raws: Sequence[Any]) -> Any:
    """The result of an op, or the tuple of its results, in the order in memory that its rule says."""
    if rule in _BY_FIRST:  # the usual case: everything is row-major already
        raw_type, contiguous, first = kind.raw_type, kind.backend.contiguous, raws[0]
        if type(first) is raw_type and (rule == "rows" or contiguous(first)):
            if type(found) is raw_type:
                if contiguous(found):
                    return found
            elif type(found) is tuple:
                for r in found:
                    if type(r) is not raw_type or not contiguous(r):
                        break
                else:
                    return found
    elif rule in _BY_ALL and type(found) is (raw_type := kind.raw_type):
        contiguous = kind.backend.contiguous
        if contiguous(found) and all(contiguous(r) for r in raws if type(r) is raw_type):
            return found
    if type(found) is tuple or type(found) is list:
        return type(found)(
            [r if r is None else _packed(w, kind, r, raws) for w, r in zip(_words(rule, len(found)), found)]
        )
    return _packed(rule, kind, found, raws)


def settled(rule: str, found: Any, args: Sequence[Any]) -> Any:
    """``arranged`` for a composite op's results: tensors, which are copied as recorded operations."""
    if Tensor is None:
        _load()
    if type(found) is Tensor and rule in _BY_FIRST and type(args[0]) is Tensor:  # the usual case, as above
        contiguous = found._kind.backend.contiguous
        if contiguous(found._data) and (rule == "rows" or contiguous(args[0]._data)):
            return found
    if type(found) is tuple:
        return tuple(
            settled(w, r, args) if isinstance(r, Tensor) else r for w, r in zip(_words(rule, len(found)), found)
        )
    if isinstance(found, tuple):
        return type(found)(*settled(rule, tuple(found), args))
    first = next((a for a in args if isinstance(a, Tensor)), found)
    if type(found) is not Tensor or type(first) is not Tensor:
        return found
    kind = found._kind
    order = _order(rule, kind, found._data, [first._data])
    if order is None:
        return found if kind.backend.contiguous(found._data) else found.contiguous()
    turned = found.permute(order)
    return found if kind.backend.contiguous(turned._data) else turned.contiguous().permute(_inverse(order))


def laid_out(fn: Callable[..., Any], layout: str) -> Callable[..., Any]:
    """A composite op's function, its results in the order of a rule."""

    @dressed_as(fn)
    def run(*a: Any, **k: Any) -> Any:
        return settled(layout, fn(*a, **k), (*a, *k.values()))

    return run


@functools.cache
def _split(rule: str) -> list[str]:
    return rule.split()


def _words(rule: str, n: int) -> list[str]:
    """One rule for each of ``n`` results."""
    words = _split(rule)
    return words if len(words) == n and not _MORE & set(words) else [rule] * n


def moved(kind: Kind, found: Any, source: Kind, raw: Any) -> Any:
    """An array that came from another backend, its dimensions in the order they had there."""
    if kind.backend.capabilities.lazy or source.backend.contiguous(raw):
        return found
    return _ordered(kind, found, _like(raw.shape, source.backend.strides(raw)))


def _packed(rule: str, kind: Kind, found: Any, raws: Sequence[Any]) -> Any:
    if rule == "free":
        return found
    if type(found) is not kind.raw_type:
        found = kind.as_raw(found)
    return _ordered(kind, found, _order(rule, kind, found, raws))


def _ordered(kind: Kind, found: Any, order: tuple[int, ...] | None) -> Any:
    backend = kind.backend
    if order is None:
        return found if backend.contiguous(found) else _kernel("packed", kind, found)(found)
    turned = _kernel("permute", kind, found)(found, order)
    if backend.contiguous(turned):
        return found
    return _kernel("permute", kind, found)(_kernel("packed", kind, found)(turned), _inverse(order))


def _inverse(order: Sequence[int]) -> tuple[int, ...]:
    back = [0] * len(order)
    for i, d in enumerate(order):
        back[d] = i
    return tuple(back)


def _order(rule: str, kind: Kind, found: Any, raws: Sequence[Any]) -> tuple[int, ...] | None:
    """The dimensions of a result from outermost to innermost, None for row-major."""
    rank = len(found.shape)
    word, *more = _split(rule)
    backend = kind.backend
    order: tuple[int, ...] | None = None
    if word == "channels":
        if rank == 4 or (rank == 3 and "line" in more) or (rank == 5 and "flat" not in more):
            for x in _arrays(raws, kind.raw_type):
                if len(x.shape) == rank and not backend.contiguous(x) and channels_last(x.shape, backend.strides(x)):
                    return _CHANNELS[rank][::-1]
                if "any" not in more:
                    break
    elif word == "like":
        first = next(_arrays(raws, kind.raw_type))
        if not backend.contiguous(first) and len(first.shape) == rank:
            return _like(first.shape, backend.strides(first))
    elif word == "columns" and rank >= 2:
        order = (*range(rank - 2), rank - 1, rank - 2)
    return None if order == tuple(range(rank)) else order


def _like(shape: Sequence[int], given: Sequence[int]) -> tuple[int, ...] | None:
    """The order of the dimensions of a copy that preserves it, None for row-major."""
    strides = preserved_strides(tuple(shape), given)
    if strides is None:
        return None
    order = tuple(sorted(range(len(shape)), key=lambda d: (-strides[d], d)))
    return None if order == tuple(range(len(shape))) else order


def _arrays(raws: Sequence[Any], raw_type: Any) -> Any:
    for r in raws:
        if isinstance(r, raw_type):
            yield r
        elif type(r) is list or type(r) is tuple:
            yield from (x for x in r if isinstance(x, raw_type))


OPS: Any = None  # the table of ops, and the class, when first needed
Tensor: Any = None


def _load() -> None:
    global OPS, Tensor
    from torsh.ops._op import OPS
    from torsh.tensor import Tensor


def _kernel(name: str, kind: Kind, raw: Any) -> Any:
    if OPS is None:
        _load()
    return OPS[name].kernels[kind.place[kind.backend.dtype_of(raw)]]
