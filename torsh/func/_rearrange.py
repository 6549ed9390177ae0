"""``rearrange``: permuting, joining and splitting dimensions by their names in a short text.

Source: https://docs.pytorch.org/docs/stable/generated/torch.func.rearrange.html (the notation is that of einops,
https://doi.org/10.48550/arXiv.2201.13045)
"""

from __future__ import annotations

import math
import re
from typing import Any

from torsh.tensor import Tensor

_TOKEN = re.compile(r"\s*(\.\.\.|[A-Za-z_]\w*|\d+|[()])")


def _groups(text: str, pattern: str) -> list[list[str]]:
    """The dimensions of one side: a list of names for each, in brackets several; ``1`` is an empty list."""
    found: list[list[str]] = []
    inside: list[str] | None = None
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(
                f"Unexpected character {text[at]!r} in the pattern {pattern!r}: names, '1', '...' and brackets may stand there"
            )
        at, token = match.end(), match[1]
        if token == "(":
            if inside is not None:
                raise ValueError(f"brackets within brackets in the pattern {pattern!r}")
            inside = []
        elif token == ")":
            if inside is None:
                raise ValueError(f"Brackets are not balanced in the pattern {pattern!r}")
            found.append(inside)
            inside = None
        elif token.isdigit():
            if token != "1":
                raise ValueError(f"the only number in a pattern may be 1, but {pattern!r} has {token}")
            if inside is None:
                found.append([])
        elif inside is None:
            found.append([token])
        else:
            inside.append(token)
    if inside is not None:
        raise ValueError(f"Brackets are not balanced in the pattern {pattern!r}")
    names = [n for g in found for n in g]
    if len(set(names)) < len(names):
        raise ValueError(f"a name occurs twice on one side of the pattern {pattern!r}")
    return found


def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Tensor:
    """Permute, join and split dimensions, e.g. ``rearrange(x, "b (h1 h) w -> (b h1) h w", h1=2)``.

    Names in brackets share one dimension, the first the outermost; ``...`` stands for any further dimensions.  Sizes that do
    not follow from the tensor come as keywords.  A list of tensors is stacked first.  Raises ValueError where pattern and
    tensor do not fit.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.func.rearrange.html

    >>> import torsh
    >>> torsh.func._rearrange.rearrange(torsh.zeros(2, 3), "a b -> b a").shape
    torsh.Size([3, 2])
    """
    import torsh

    if not isinstance(tensor, Tensor):
        tensor = torsh.stack(list(tensor))
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(f"Pattern must contain '->' once, got {pattern!r}")
    left, right = (_groups(s, pattern) for s in sides)
    here, there = ([n for g in side for n in g] for side in (left, right))
    if set(here) != set(there):
        raise ValueError(
            f"Identifiers only on one side of expression (should be on both): {sorted(set(here) ^ set(there))}"
        )
    if unknown := set(axes_lengths) - set(here):
        raise ValueError(f"sizes were given for {sorted(unknown)}, which the pattern {pattern!r} does not name")
    extra = tensor.dim() - sum(g != ["..."] for g in left)
    if extra < 0 or (extra and "..." not in here):
        raise ValueError(
            f"Number of dimensions in pattern ({len(left)}) and tensor ({tensor.dim()}) do not match: {pattern!r}"
        )
    if any("..." in g and len(g) > 1 for g in left):
        raise ValueError(f"'...' must stand alone on the left side of the pattern {pattern!r}")

    sizes: dict[str, tuple[int, ...]] = {}
    dim = 0
    for group in left:
        if group == ["..."]:
            sizes["..."] = tuple(tensor.shape[dim : dim + extra])
            dim += extra
            continue
        size = tensor.shape[dim]
        dim += 1
        open_names = [n for n in group if n not in axes_lengths]
        known = math.prod(axes_lengths[n] for n in group if n in axes_lengths)
        if len(open_names) > 1:
            raise ValueError(f"the sizes of {open_names} do not follow from the tensor: give all but one as keywords")
        if (size != known) if not open_names else known == 0 or size % known:
            raise ValueError(
                f"a dimension of size {size} cannot be {group} with the sizes {axes_lengths} in {pattern!r}"
            )
        for n in group:
            sizes[n] = (axes_lengths[n] if n in axes_lengths else size // known,)
    places: dict[str, list[int]] = {}
    for n in here:
        start = sum(map(len, places.values()))
        places[n] = list(range(start, start + len(sizes[n])))
    apart = tensor.reshape([s for n in here for s in sizes[n]])
    turned = apart.permute([d for n in there for d in places[n]])
    shape: list[int] = []
    for group in right:
        shape += sizes["..."] if group == ["..."] else [math.prod(s for n in group for s in sizes[n])]
    return turned.reshape(shape)
