"""The transforms that differentiate, under another name."""

from __future__ import annotations

from typing import Any

from torsh.func import functionalize as functionalize
from torsh.func import grad as grad
from torsh.func import grad_and_value as grad_and_value
from torsh.func import hessian as hessian
from torsh.func import jacfwd as jacfwd
from torsh.func import jacrev as jacrev
from torsh.func import jvp as jvp
from torsh.func import linearize as linearize
from torsh.func import vjp as vjp
from torsh.func._transforms import _chosen


def _as_tuple(value: Any) -> tuple[Any, ...]:
    """A value that is no tuple, as a tuple of one."""
    return value if isinstance(value, tuple) else (value,)


def _slice_argnums(args: tuple[Any, ...], argnums: Any, as_tuple: bool = True) -> Any:
    """The arguments that ``argnums`` names."""
    found = tuple(args[i] for i in _chosen(argnums, args))
    return found if as_tuple or isinstance(argnums, tuple) else found[0]
