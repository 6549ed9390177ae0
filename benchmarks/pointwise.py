"""What dispatch adds to the bare kernel: one row for every pointwise op of the registry, on 4x4.

Arguments are made from the declarations.  The bare call is the NumPy backend's kernel (for most ops a NumPy function itself) on
the raw arrays that dispatch would give it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from benchmarks.timing import compare, human

ADDED = 0.6e-6  # seconds an op may add to the bare call


class Row(NamedTuple):
    """Seconds per call, at best, of one op on one kind of operands."""

    name: str
    torsh: float
    torch: float | None
    bare: float

    @property
    def added(self) -> float:
        return self.torsh - self.bare

    @property
    def heavy(self) -> bool:
        """Whether that is above the target; of a kernel that takes long a tenth is no more than how well it can be timed."""
        return self.added > max(ADDED, 0.1 * self.bare)


class _Seen:
    """The arguments an op's kernel gets in a call, found with a mode."""

    def __init__(self) -> None:
        from torsh.dispatch import Mode

        calls: list[tuple[Any, tuple[Any, ...]]] = []

        class Watch(Mode):
            def intercept(self, op: Any, args: tuple[Any, ...], proceed: Callable[..., Any]) -> Any:
                calls.append((op, args))
                return proceed(*args)

        self.calls, self.mode = calls, Watch()

    def of(self, op: Any, fn: Callable[[], Any]) -> tuple[Any, ...] | None:
        self.calls.clear()
        with self.mode:
            fn()
        return self.calls[0][1] if [o for o, _ in self.calls] == [op] else None


def _operand(op: Any, lib: Any, least: float) -> Any:
    values = np.linspace(0.1, 0.9, 16).reshape(4, 4) + least
    return lib.from_numpy(values.astype(np.float32) if "float" not in op.refused else (values * 10).astype(np.int64))


def _arguments(op: Any, lib: Any, number: bool, least: float) -> tuple[list[Any], dict[str, Any]] | None:
    """Operands are tensors (``number``: the last one of several a number), parameters have their defaults or are 1."""
    operands = [n for n in op.args if n not in op.kept]
    if number and len(operands) < 2:
        return None
    args, keywords = [], {}
    for name, p in inspect.signature(op.fn).parameters.items():
        if name in operands:
            value = (
                (0.5 if "float" not in op.refused else 2)
                if number and name == operands[-1]
                else _operand(op, lib, least)
            )
        elif name == "condition":
            value = _operand(op, lib, least) > 0.5
        elif p.default is p.empty:
            value = 1
        elif name in op.kept and p.default is not None:
            keywords[name] = p.default
            continue
        else:
            continue
        args.append(value)
    return args, keywords


def _of(lib: Any, path: str) -> Any:
    found = lib
    for part in path.split(".")[1:]:
        found = getattr(found, part, None)
    return found


def _call(fn: Any, given: tuple[list[Any], dict[str, Any]]) -> Callable[[], Any]:
    args, keywords = given
    return lambda: fn(*args, **keywords)


def _works(fn: Callable[[], Any]) -> bool:
    """Whether a call with arguments made from a declaration is one that the op takes (not every operand may be a number)."""
    try:
        fn()
    except (TypeError, RuntimeError, NotImplementedError):
        return False
    return True


def rows(torsh: Any, torch: Any, only: str = "") -> Iterator[Row]:
    """Measure every pointwise op whose name contains ``only``."""
    from torsh.ops._op import OPS
    from torsh.ops._pointwise import Pointwise

    seen = _Seen()
    for name, op in sorted(OPS.items()):
        path = next((p for p in op.paths if not p.startswith("Tensor.")), None)
        if not isinstance(op, Pointwise) or path is None or only not in name:
            continue
        for number in (False, True):
            # NumPy's warning about values for which there is no result takes longer than the call.
            for least in (0, 1):
                given = _arguments(op, torsh, number, least)
                works = given is not None and _works(_call(op.fn, given))
                if not works or not _call(op.fn, given)().isnan().any():
                    break
            if not works:
                continue
            normal = seen.of(op, _call(op.fn, given))
            if normal is None:
                continue
            kernel = op.kernels[
                next(a for a in normal if isinstance(a, torsh.Tensor) and a.dtype is not torsh.bool)._kind
            ]
            raws = [a._data if isinstance(a, torsh.Tensor) else a for a in normal]
            fns = {"torsh": _direct(op.fn, *given), "bare": _direct(kernel, raws, {})}
            theirs = _of(torch, path)
            same = _arguments(op, torch, number, least) or ([], {})
            if theirs is not None and _works(_call(theirs, same)):
                fns["torch"] = _direct(theirs, *same)
            times = compare(fns, 20, 0.001, min)  # a difference of two small times: what disturbs one must not count
            yield Row(f"{name}{' number' if number else ''}", times["torsh"], times.get("torch"), times["bare"])


def _direct(fn: Any, args: list[Any], keywords: dict[str, Any]) -> Callable[[], Any]:
    """A call written out: packing arguments would cost as much as what is measured."""
    names = [f"a{i}" for i in range(len(args))]
    source = f"lambda: fn({', '.join([*names, *(f'{k}={k}' for k in keywords)])})"
    return eval(source, {"fn": fn, **dict(zip(names, args)), **keywords})  # type: ignore[no-any-return]


def report(torsh: Any, torch: Any, only: str = "") -> list[Row]:
    """Print a row for every op, then those above the target."""
    found = []
    print(f"{'pointwise op, 4x4':40s} {'torsh':>11s} {'PyTorch':>11s} {'bare':>11s}      added")
    for r in rows(torsh, torch, only):
        found.append(r)
        theirs = "-" if r.torch is None else human(r.torch)
        print(
            f"{r.name:40s} {human(r.torsh):>11s} {theirs:>11s} {human(r.bare):>11s}  {r.added * 1e6:6.2f} us"
            f"{'  ABOVE' if r.heavy else ''}",
            flush=True,
        )
    heavy = [f"{r.name} {r.added * 1e6:.2f}" for r in sorted(found, key=lambda r: -r.added) if r.heavy]
    print(
        f"{len(found)} rows; pointwise ops adding more than {ADDED * 1e6:.1f} us to the bare kernel: {', '.join(heavy) or 'none'}"
    )
    return found
