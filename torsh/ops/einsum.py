"""Einstein summation: a contraction path, then products of two operands, each one batched matrix product."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

from torsh.dtypes import promote_types
from torsh.ops._args import check_tensor
from torsh.ops._op import composite
from torsh.ops.matmul import matmul
from torsh.tensor import Tensor

# Labels of the dimensions an ellipsis stands for: behind all letters.
_ELLIPSIS = 1000


def _labels(term: str, whose: str) -> list[int]:
    """The subscripts of one operand or the output as numbers; -1 stands for the ellipsis."""
    found: list[int] = []
    i = 0
    while i < len(term):
        c = term[i]
        if c == " ":
            pass
        elif c == ".":
            if -1 in found:
                raise RuntimeError(f"einsum(): found '.' for {whose} for which an ellipsis was already found")
            if term[i : i + 3] != "...":
                raise RuntimeError(
                    f"einsum(): found '.' for {whose} that is not part of any ellipsis; write '...' once"
                )
            found.append(-1)
            i += 2
        elif c.isascii() and c.isalpha():
            found.append(ord(c))
        else:
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {i} in the equation string, subscripts must be in [a-zA-Z]"
            )
        i += 1
    return found


def _sublist(labels: Any) -> list[int]:
    found = []
    for s in labels:
        if s is Ellipsis:
            if -1 in found:
                raise RuntimeError("einsum(): more than one ellipsis in a sublist")
            found.append(-1)
        elif not 0 <= s < 52:
            raise RuntimeError(f"einsum(): expected subscripts in sublist format to be within [0, 52), but got {s}")
        else:
            found.append(ord("A") + s if s < 26 else ord("a") + s - 26)
    return found


def _parse(args: tuple[Any, ...]) -> tuple[list[list[int]], list[int] | None, list[Any]]:
    """The labels of each operand, those of the result (None: implicit), and the operands."""
    if len(args) < 2 and not (len(args) == 1 and isinstance(args[0], str)):
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its "
            "subscripts list"
        )
    if isinstance(args[0], Tensor):
        operands, terms = list(args[0::2]), [_sublist(s) for s in args[1::2]]
        result = None
        if len(args) % 2:
            operands, result = operands[:-1], _sublist(args[-1])
        return terms, result, operands
    equation, operands = args[0], list(args[1:])
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = list(operands[0])
    if not operands:
        raise ValueError("einsum(): must provide at least one operand")
    left, arrow, right = equation.partition("->")
    terms = [_labels(t, f"operand {i}") for i, t in enumerate(left.split(","))]
    if len(terms) > len(operands):
        raise RuntimeError("einsum(): fewer operands were provided than specified in the equation")
    if len(terms) < len(operands):
        raise RuntimeError("einsum(): more operands were provided than specified in the equation")
    return terms, _labels(right, "output") if arrow else None, operands


def _expand_ellipsis(
    terms: list[list[int]], result: list[int] | None, operands: list[Any]
) -> tuple[list[list[int]], list[int]]:
    """Give the dimensions that ellipses cover labels of their own; find the result's labels where implicit."""
    longest = 0
    found: list[list[int]] = []
    for i, (term, x) in enumerate(zip(terms, operands)):
        n = x.ndim - (len(term) - (-1 in term))
        if n < 0 or (n > 0 and -1 not in term):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(term) - (-1 in term)}) "
                f"{'is more than the number of dimensions' if n < 0 else 'does not match the number of dimensions'} "
                f"({x.ndim}) for operand {i}" + ("" if n < 0 else " and no ellipsis was given")
            )
        longest = max(longest, n if -1 in term else 0)
        # Aligned from the right, as in broadcasting.
        found.append([e for t in term for e in ([_ELLIPSIS - n + j for j in range(n)] if t == -1 else [t])])
    covered = [_ELLIPSIS - longest + j for j in range(longest)]
    if result is None:
        counts: dict[int, int] = {}
        for term in found:
            for t in term:
                counts[t] = counts.get(t, 0) + 1
        return found, covered + sorted(t for t, c in counts.items() if c == 1 and t not in covered)
    final = [e for t in result for e in (covered if t == -1 else [t])]
    known = {t for term in found for t in term}
    for t in final:
        if final.count(t) > 1:
            raise RuntimeError(f"einsum(): output subscript {_show(t)} appears more than once in the output")
        if t not in known:
            raise RuntimeError(
                f"einsum(): output subscript {_show(t)} does not appear in the equation for any input operand"
            )
    return found, final


def _show(label: int) -> str:
    return chr(label) if label < 256 else "..."


def _diagonals(x: Any, term: list[int]) -> tuple[Any, list[int]]:
    """An operand whose repeated labels are taken as diagonals."""
    i = 0
    while i < len(term):
        j = next((j for j in range(i + 1, len(term)) if term[j] == term[i]), None)
        if j is None:
            i += 1
            continue
        if x.shape[i] != x.shape[j]:
            raise RuntimeError(
                f"einsum(): subscript {_show(term[i])} is repeated for an operand but the sizes don't match, "
                f"{x.shape[j]} != {x.shape[i]}"
            )
        x = x.diagonal(0, i, j)
        term = [t for k, t in enumerate(term) if k not in (i, j)] + [term[i]]
        i = 0
    return x, term


def _pair(x: Any, a: list[int], y: Any, b: list[int], kept: set[int]) -> tuple[Any, list[int]]:
    """Contract two operands: sum over the labels that nothing else needs.  Dimensions of one element broadcast."""
    for t in [t for t in a if t not in kept and t not in b]:
        x, a = x.sum(a.index(t)), [s for s in a if s != t]
    for t in [t for t in b if t not in kept and t not in a]:
        y, b = y.sum(b.index(t)), [s for s in b if s != t]
    # A label both have, of one element in one of them: drop it there, so that the other's is free or summed.
    for t in [t for t in a if t in b]:
        m, n = x.shape[a.index(t)], y.shape[b.index(t)]
        if m == n:
            continue
        if m == 1:
            x, a = x.squeeze(a.index(t)), [s for s in a if s != t]
            if t not in kept:
                y, b = y.sum(b.index(t)), [s for s in b if s != t]
        else:
            y, b = y.squeeze(b.index(t)), [s for s in b if s != t]
            if t not in kept:
                x, a = x.sum(a.index(t)), [s for s in a if s != t]
    batch = [t for t in a if t in b and t in kept]
    summed = [t for t in a if t in b and t not in kept]
    rows, columns = [t for t in a if t not in b], [t for t in b if t not in a]
    if not summed:
        labels = batch + rows + columns
        return _spread(x, a, labels) * _spread(y, b, labels), labels
    if x.dtype is not y.dtype:  # sums of integers are int64
        wide = promote_types(x.dtype, y.dtype)
        x, y = x.to(wide), y.to(wide)
    left, right = _order(x, a, batch + rows + summed), _order(y, b, batch + summed + columns)
    n, r = len(batch), len(rows)
    shape = [*left.shape[: n + r], *right.shape[n + len(summed) :]]

    def size(t: Any, start: int, stop: int) -> int:
        found = 1
        for s in t.shape[start:stop]:
            found *= s
        return found

    heads = [size(left, 0, n)] if n else []
    k = size(left, n + r, left.ndim)
    product = matmul(
        left.reshape(*heads, size(left, n, n + r), k),
        right.reshape(*heads, k, size(right, n + len(summed), right.ndim)),
    )
    return product.reshape(shape), batch + rows + columns


def _order(x: Any, labels: list[int], wanted: list[int]) -> Any:
    dims = [labels.index(t) for t in wanted]
    return x if dims == list(range(len(dims))) else x.permute(dims)


def _spread(x: Any, labels: list[int], wanted: list[int]) -> Any:
    """The operand with its dimensions in the wanted order, and one of size one for each label it lacks."""
    x = _order(x, labels, [t for t in wanted if t in labels])
    for i, t in enumerate(wanted):
        if t not in labels:
            x = x.unsqueeze(i)
    return x


def _optimizer() -> tuple[Any, Any]:
    """The opt_einsum module, None where it is missing or switched off, and its strategy."""
    strategy = "auto"
    try:
        from torsh.backends import opt_einsum as settings
    except ImportError:
        pass
    else:
        if not settings.enabled:
            return None, None
        strategy = settings.strategy or strategy
    try:
        import opt_einsum
    except ImportError:
        return None, None
    return opt_einsum, strategy


def _path(terms: list[list[int]], final: list[int], sizes: dict[int, int]) -> list[tuple[int, ...]]:
    """Which two operands to contract next, step by step."""
    n = len(terms)
    if n > 2:
        opt_einsum, strategy = _optimizer()
        if opt_einsum is not None:
            symbols = {t: opt_einsum.get_symbol(i) for i, t in enumerate(sorted({t for term in terms for t in term}))}
            equation = ",".join("".join(symbols[t] for t in term) for term in terms)
            equation += "->" + "".join(symbols[t] for t in final)
            shapes = [tuple(sizes[t] for t in term) for term in terms]
            return opt_einsum.contract_path(equation, *shapes, shapes=True, optimize=strategy)[0]
    # From left to right: the result of a step goes to the end, so it is last from the second step on.
    return [(0, 1)] + [(0, n - 1 - i) for i in range(1, n - 1)] if n > 1 else []


class _Shape(NamedTuple):
    """Of a tensor no more than planning needs."""

    shape: tuple[int, ...]

    @property
    def ndim(self) -> int:
        return len(self.shape)


@functools.lru_cache(maxsize=512)
def _product(equation: str, first: tuple[int, ...], second: tuple[int, ...]) -> Any:
    """How two operands of these shapes are contracted by one matrix product: for each the order of its dimensions and its
    shape then, the shape of the result and the order of its dimensions (None: as it is).  None where it takes more than that.

    Reading an equation takes ten times as long as a small product.
    """
    operands: Any = [_Shape(first), _Shape(second)]
    terms, result, operands = _parse((equation, *operands))
    (a, b), final = _expand_ellipsis(terms, result, operands)
    kept = set(final)
    alone = [t for term, other in ((a, b), (b, a)) for t in term if t not in other and t not in kept]
    x, y = dict(zip(a, first)), dict(zip(b, second))
    if alone or len(x) < len(a) or len(y) < len(b) or any(x[t] != y[t] for t in a if t in y):
        return None
    batch, summed = [t for t in a if t in y and t in kept], [t for t in a if t in y and t not in kept]
    rows, columns = [t for t in a if t not in y], [t for t in b if t not in x]
    if not summed:
        return None
    sizes = {**x, **y}

    def arranged(labels: list[int], groups: tuple[list[int], ...]) -> tuple[Any, Any]:
        wanted = [t for g in groups for t in g]
        order = [labels.index(t) for t in wanted]
        flat = [math.prod(sizes[t] for t in g) for i, g in enumerate(groups) if i or g]
        return None if order == list(range(len(order))) else order, None if flat == [sizes[t] for t in wanted] else flat

    labels = batch + rows + columns
    shape = [sizes[t] for t in labels]
    order = [labels.index(t) for t in final]
    return (
        arranged(a, (batch, rows, summed)),
        arranged(b, (batch, summed, columns)),
        None if len(batch) <= 1 and len(rows) == 1 == len(columns) else shape,
        None if order == list(range(len(order))) else order,
    )


def _arranged(x: Any, steps: tuple[Any, Any]) -> Any:
    order, shape = steps
    x = x if order is None else x.permute(order)
    return x if shape is None else x.reshape(shape)


@composite("torch.einsum")
def einsum(*args):
    """Sums of products, written as subscripts: ``einsum("bij,bjk->bik", x, y)``.

    Also ``einsum(x, [0, 1], y, [1, 2], [0, 2])``, with numbers for letters.  Repeated subscripts of one operand
    take its diagonal, ``...`` stands for any dimensions, which broadcast.  More than two operands are contracted in the
    order opt_einsum finds where it is installed.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.einsum.html

    >>> import torsh
    >>> a, b = torsh.tensor([[1., 2.], [3., 4.]]), torsh.tensor([1., 10.])
    >>> torsh.einsum("ij,j->i", a, b)
    tensor([21., 43.])
    >>> torsh.einsum("ii", a)  # the trace
    tensor(5.)
    >>> torsh.einsum("bij,bjk->bik", torsh.ones(5, 2, 3), torsh.ones(5, 3, 4)).shape
    torsh.Size([5, 2, 4])
    """
    if (
        len(args) == 3
        and type(args[0]) is str
        and type(args[1]) is Tensor
        and type(args[2]) is Tensor
        and args[1]._kind is args[2]._kind
    ):
        steps = _product(args[0], args[1]._data.shape, args[2]._data.shape)
        if steps is not None:
            first, second, shape, order = steps
            out = matmul(_arranged(args[1], first), _arranged(args[2], second))
            out = out if shape is None else out.reshape(shape)
            return out if order is None else out.permute(order)
    terms, result, operands = _parse(args)
    for x in operands:
        check_tensor(x, "einsum", "operands", 2)
    terms, final = _expand_ellipsis(terms, result, operands)
    sizes: dict[int, int] = {}
    for i, (x, term) in enumerate(zip(operands, terms)):
        operands[i], terms[i] = x, term = _diagonals(x, term)
        for n, t in zip(x.shape, term):
            known = sizes.get(t, 1)
            if n not in (1, known) and known != 1:
                raise RuntimeError(
                    f"einsum(): subscript {_show(t)} has size {n} for operand {i} which does not broadcast with "
                    f"previously seen size {known}"
                )
            sizes[t] = max(known, n) if n else 0
    for step in _path(terms, final, sizes):
        i, j = sorted(step) if len(step) == 2 else (step[0], None)
        if j is None:
            continue
        y, b = operands.pop(j), terms.pop(j)
        x, a = operands.pop(i), terms.pop(i)
        kept = set(final).union(*terms)
        x, a = _pair(x, a, y, b, kept)
        operands.append(x)
        terms.append(a)
    x, labels = operands[0], terms[0]
    for t in [t for t in labels if t not in final]:
        x, labels = x.sum(labels.index(t)), [s for s in labels if s != t]
    return _order(x, labels, final)
