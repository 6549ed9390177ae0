"""The functions to measure: every op that maps one floating tensor element by element, found among the declarations.

A function with further parameters is measured at some fixed values of them (``VARIANTS``).
"""

from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from torsh_conformance.accuracy.truth import ROWS
from torsh_conformance.subjects import lookup, principal

# Parameters to measure besides an op's defaults: op -> (arguments before the tensor, arguments after it, keywords).
VARIANTS: dict[str, list[tuple[tuple[Any, ...], tuple[Any, ...], dict[str, Any]]]] = {
    "polygamma": [((n,), (), {}) for n in (1, 2, 3, 8)],
    "mvlgamma": [((), (3,), {})],
    "zeta": [((s,), (), {}) for s in (1.5, 2.0, 12.0)],
    "igamma": [((a,), (), {}) for a in (0.5, 3.0, 100.0)],
    "igammac": [((a,), (), {}) for a in (0.5, 3.0, 100.0)],
    "pow": [((), (2.5,), {}), ((2.5,), (), {})],
    "logit": [((), (0.125,), {})],
    "gelu": [((), (), {"approximate": "tanh"})],
    "softplus": [((), (4.0, 20.0), {})],
    "elu": [((), (2.5,), {})],
    "celu": [((), (2.5,), {})],
    "threshold": [((), (0.25, -1.0), {})],
    **{op: [((2.5,), (), {})] for op in ("atan2", "hypot", "logaddexp", "logaddexp2", "xlogy", "xlog1py")},
}


@dataclass(frozen=True)
class Function:
    """One function of a real number.

    before, after, keywords: the further arguments.  row: the tensor's last dimension is a pair, x and 0.
    """

    op: str
    path: str
    before: tuple[Any, ...] = ()
    after: tuple[Any, ...] = ()
    keywords: dict[str, Any] = field(default_factory=dict, hash=False)
    row: bool = False

    @property
    def label(self) -> str:
        """``polygamma(2, x)``; just the op's name where there are no parameters."""
        shown = [repr(a) for a in self.before] + ["[x, 0]" if self.row else "x"] + [repr(a) for a in self.after]
        shown += [f"{k}={v!r}" for k, v in self.keywords.items()]
        return f"{self.op}({', '.join(shown)})" if len(shown) > 1 or self.row else self.op

    def call(self, module: Any, x: np.ndarray[Any, Any], device: str = "cpu") -> np.ndarray[Any, Any]:
        """The function's values, by torsh or PyTorch."""
        tensor = module.from_numpy(x)
        if device != "cpu":
            tensor = tensor.to(device)
        if self.row:
            tensor = module.stack([tensor, module.zeros_like(tensor)], -1)
        # Special functions of two operands take a tensor in the place of either.
        before = [module.full_like(tensor, a) if isinstance(a, float) else a for a in self.before]
        after = [*self.after, -1] if self.row else self.after
        result = lookup(module, self.path)(*before, tensor, *after, **self.keywords)
        return np.asarray((result[..., 0] if self.row and result.ndim > 1 else result).cpu().numpy())


def _probe(op: Any) -> bool:
    """Whether a function maps a tensor element by element, and does more than move it."""
    import torsh

    x = np.array([0.3, 1.7, 0.9, 1.5, -0.7, 0.6, 2.5, -3.5, 0.1], np.float32)
    order = np.array([4, 2, 7, 1, 0, 8, 6, 3, 5])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            y = op.fn(torsh.from_numpy(x))
            if not isinstance(y, torsh.Tensor) or y.dtype is not torsh.float32 or tuple(y.shape) != x.shape:
                return False
            moved = op.fn(torsh.from_numpy(x[order])).numpy()
            part = op.fn(torsh.from_numpy(x[:4])).numpy()
            square = op.fn(torsh.from_numpy(x.reshape(3, 3))).numpy().reshape(-1)
        except (TypeError, ValueError, RuntimeError, IndexError, NotImplementedError):  # it wants other arguments
            return False
    y = y.numpy()
    same = [np.array_equal(a, b, equal_nan=True) for a, b in ((moved, y[order]), (part, y[:4]), (square, y))]
    return all(same) and not np.array_equal(x, y) and not np.isnan(y).all()


def _required(op: Any) -> int | None:
    try:
        found = inspect.signature(op.fn).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in found):
        return None
    return sum(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in found)


def all_functions() -> list[Function]:
    """Every function to measure, in the order of declaration."""
    from torsh import registry
    from torsh.ops._op import OPS

    found = []
    with registry.use("numpy"):
        for op in OPS.values():
            path = principal(op.paths)
            if path is None or op.fn is None or path.startswith("Tensor.") or path.rpartition(".")[2].startswith("_"):
                continue
            if not op.tags & {"random", "inplace", "view", "creation", "moves", "reduction"} and not path.endswith("_"):
                if _required(op) == 1 and _probe(op):
                    found.append(Function(op.name, path))
            for before, after, keywords in VARIANTS.get(op.name, ()):
                found.append(Function(op.name, path, before, after, keywords))
            if op.name in ROWS:  # not elementwise; of the first of two in a row, the other one 0
                found.append(Function(op.name, path, row=True))
    return found
