"""Counting floating point operations: a multiplication and an addition for each term of a product of matrices or a convolution.

Source: https://docs.pytorch.org/docs/stable/generated/torch.utils.flop_counter.FlopCounterMode.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import wraps
from math import prod
from typing import Any

from torsh.library import OpOverloadPacket
from torsh.ops import aten
from torsh.tensor import Tensor
from torsh.utils._python_dispatch import TorchDispatchMode
from torsh.utils._pytree import tree_map
from torsh.utils.module_tracker import ModuleTracker

__all__ = ["FlopCounterMode", "register_flop_formula"]

# Operator (all its overloads) -> its formula, a function of the operator's arguments and ``out_val``.
flop_registry: dict[Any, Callable[..., int]] = {}


def _shape(value: Any) -> Any:
    return value.shape if isinstance(value, Tensor) else value


def register_flop_formula(targets: Any, get_raw: bool = False) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Say how operations of an operator (or several) are counted.

    The formula gets the operator's arguments, tensors as their shapes, and ``out_shape``; with ``get_raw`` the tensors themselves,
    and ``out_val``.

    >>> import torsh
    >>> from torsh.utils.flop_counter import FlopCounterMode, flop_registry, register_flop_formula
    >>> @register_flop_formula(torsh.ops.aten.sin)
    ... def sin_flop(x_shape, out_shape=None, **kwargs):
    ...     return x_shape.numel()
    >>> with FlopCounterMode(display=False) as count:
    ...     _ = torsh.zeros(10).sin()
    >>> count.get_total_flops()
    10
    >>> del flop_registry[torsh.ops.aten.sin]
    """

    def register(formula: Callable[..., int]) -> Callable[..., int]:
        @wraps(formula)
        def on_shapes(*args: Any, out_val: Any = None, **kwargs: Any) -> int:
            args, kwargs, out_shape = tree_map(_shape, (args, kwargs, out_val))
            return formula(*args, out_shape=out_shape, **kwargs)

        for target in targets if isinstance(targets, (list, tuple)) else [targets]:
            if not isinstance(target, (aten.OpOverloadPacket, OpOverloadPacket)):
                raise ValueError(
                    f"register_flop_formula(targets): expected each target to be OpOverloadPacket (i.e. torch.ops.mylib.foo), got {target} "
                    f"which is of type {type(target)}"
                )
            if target in flop_registry:
                raise RuntimeError(f"duplicate registrations for {target}")
            flop_registry[target] = formula if get_raw else on_shapes
        return formula

    return register


def _mm(a: Sequence[int], b: Sequence[int], *args: Any, out_shape: Any = None, **kwargs: Any) -> int:
    return 2 * a[0] * a[1] * b[1]


def _bmm(a: Sequence[int], b: Sequence[int], *args: Any, out_shape: Any = None, **kwargs: Any) -> int:
    return 2 * a[0] * a[1] * a[2] * b[2]


def _addmm(input: Any, a: Sequence[int], b: Sequence[int], *args: Any, out_shape: Any = None, **kwargs: Any) -> int:
    return _mm(a, b)


def _baddbmm(input: Any, a: Sequence[int], b: Sequence[int], *args: Any, out_shape: Any = None, **kwargs: Any) -> int:
    return _bmm(a, b)


def conv_flop_count(x: Sequence[int], weight: Sequence[int], out: Sequence[int], transposed: bool = False) -> int:
    """The operations of a convolution of these shapes: each element of the side with a window takes one product per weight."""
    side = x[2:] if transposed else out[2:]
    return 2 * x[0] * prod(side) * prod(weight)


def _conv(
    x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: bool, *args: Any, out_shape: Any = None,
    **kwargs: Any,
) -> int:  # fmt: skip
    return conv_flop_count(x, weight, out_shape, transposed)


def _swapped(shape: Sequence[int]) -> list[int]:
    return [shape[1], shape[0], *shape[2:]]


def _conv_backward(
    g: Any, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: bool, output_padding: Any, groups: int,
    mask: Any, out_shape: Any = None, **kwargs: Any,
) -> int:  # fmt: skip
    """The gradient of the input is a convolution the other way round, that of the weight one of the batch with the gradient."""
    count = 0
    if mask[0]:
        count += conv_flop_count(g, weight, out_shape[0], not transposed)
    if mask[1]:
        window, over = (x, g) if transposed else (g, x)
        count += conv_flop_count(_swapped(over), _swapped(window), _swapped(out_shape[1]))
    return count


for _name, _formula in {
    "mm": _mm, "bmm": _bmm, "addmm": _addmm, "baddbmm": _baddbmm, "convolution": _conv, "convolution_backward": _conv_backward,
}.items():  # fmt: skip
    register_flop_formula(getattr(aten, _name))(_formula)


_SUFFIXES = ("", "K", "M", "B", "T")


class FlopCounterMode:
    """Counts the floating point operations inside its ``with`` block, by module and operator.

    depth: how many levels of modules the printed table has.  display: whether it is printed at the end.  custom_mapping: operator ->
    formula, besides and instead of the registered ones; a formula with the attribute ``_get_raw`` gets the tensors themselves.

    Where PyTorch has one operator for the gradients of a convolution (``convolution_backward``), that of the input shows as
    ``convolution`` here; attention is counted as the products of matrices that it is made of.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.utils.flop_counter.FlopCounterMode.html

    >>> import torsh
    >>> from torsh.utils.flop_counter import FlopCounterMode
    >>> with FlopCounterMode(display=False) as count:
    ...     _ = torsh.ones(2, 3) @ torsh.ones(3, 4)
    >>> count.get_total_flops()
    48
    """

    def __init__(
        self, mods: Any = None, depth: int = 2, display: bool = True, custom_mapping: dict[Any, Any] | None = None
    ) -> None:
        if mods is not None:
            import warnings

            warnings.warn("mods argument is not needed anymore, you can stop passing it", stacklevel=2)
        self.flop_counts: dict[str, dict[Any, int]] = defaultdict(lambda: defaultdict(int))
        self.depth, self.display = depth, display
        self.mod_tracker = ModuleTracker()
        self.mode: _Counting | None = None
        mapping = {k: v if getattr(v, "_get_raw", False) else _on_shapes(v) for k, v in (custom_mapping or {}).items()}
        self.flop_registry = {**flop_registry, **mapping}

    def get_total_flops(self) -> int:
        """All operations counted."""
        return sum(self.flop_counts["Global"].values())

    def get_flop_counts(self) -> dict[str, dict[Any, int]]:
        """Operations by module (``"Global"``: all) and operator."""
        return {name: dict(counts) for name, counts in self.flop_counts.items()}

    def get_table(self, depth: int | None = None) -> str:
        """A table of modules and operators with their share."""
        depth = 999999 if depth is None and self.depth is None else self.depth if depth is None else depth
        total = self.get_total_flops()
        power = max((i for i in range(len(_SUFFIXES)) if total >= 1000**i), default=0)
        rows: list[tuple[str, str, str]] = []

        def row(label: str, count: int) -> None:
            share = "0%" if not total else f"{count / total:.2%}"
            rows.append((label, f"{count / 1000**power:.3f}{_SUFFIXES[power]}", share))

        modules = sorted(n for n in self.flop_counts if n != "Global" and n.count(".") + 1 <= depth)
        whole = [n for n in modules if sum(self.flop_counts[n].values()) >= total]
        for name in ([] if whole else ["Global"]) + modules if depth else ["Global"]:
            level = 0 if name == "Global" else name.count(".") + (0 if whole else 1)
            row(" " * level + name, sum(self.flop_counts[name].values()))
            for op, count in self.flop_counts[name].items():
                row(" " * level + f" - {op}", count)
        header = ("Module", "FLOP", "% Total")
        widths = [max(len(r[i]) for r in (header, *rows)) for i in range(3)]
        lines = [
            f"{header[0]:<{widths[0]}}  {header[1]:>{widths[1]}}  {header[2]:>{widths[2]}}",
            "  ".join("-" * w for w in widths),
        ]
        lines += [f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows]
        return "\n".join(lines)

    def __enter__(self) -> FlopCounterMode:
        self.flop_counts.clear()
        self.mod_tracker.__enter__()
        self.mode = _Counting(self)
        self.mode.__enter__()
        return self

    def __exit__(self, *exc: Any) -> None:
        assert self.mode is not None
        self.mode.__exit__(*exc)
        self.mode = None
        self.mod_tracker.__exit__(*exc)
        if self.display:
            print(self.get_table(self.depth))

    def _count_flops(self, packet: Any, out: Any, args: Any, kwargs: Any) -> Any:
        formula = self.flop_registry.get(packet)
        if formula is not None:
            count = formula(*args, **kwargs, out_val=out)
            for name in set(self.mod_tracker.parents):
                self.flop_counts[name][packet] += count
        return out


def _on_shapes(formula: Callable[..., int]) -> Callable[..., int]:
    def run(*args: Any, out_val: Any = None, **kwargs: Any) -> int:
        args, kwargs, out_shape = tree_map(_shape, (args, kwargs, out_val))
        return formula(*args, out_shape=out_shape, **kwargs)

    return run


class _Counting(TorchDispatchMode):
    """The mode behind a ``FlopCounterMode``."""

    supports_higher_order_operators = True

    def __init__(self, counter: FlopCounterMode) -> None:
        super().__init__()
        self.counter = counter

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        return self.counter._count_flops(func.overloadpacket, out, args, kwargs)
