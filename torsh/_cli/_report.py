"""What ``torsh run --report`` tells: which ops ran, how often, and where their kernels came from."""

from __future__ import annotations

from collections import Counter as Counts
from typing import Any

from rich.console import Console
from rich.table import Table

from torsh.dispatch import Mode
from torsh.tensor import Tensor

_ORDER = ("missing", "composed", "generic", "native")


class Counter(Mode):
    """Counts calls per op and kind, in the main thread."""

    def __init__(self) -> None:
        self.calls: Counts[tuple[str, Any]] = Counts()
        self.ops: dict[str, Any] = {}

    def intercept(self, op: Any, args: tuple[Any, ...], proceed: Any) -> Any:
        self.ops[op.name] = op
        kind = first_kind(args)
        try:
            result = proceed(*args)
        except Exception:
            self.calls[op.name, kind] += 1
            raise
        self.calls[op.name, kind or first_kind((result,))] += 1
        return result

    def rows(self) -> list[tuple[str, str, str, str, int]]:
        """(backend, source, op, dtype, calls), missing ones first."""
        found = []
        for (name, kind), count in self.calls.items():
            if kind is None:
                found.append(("", "", name, "", count))
                continue
            sources = self.ops[name].kernels.sources
            source = sources.get(kind) or next((s for k, s in sources.items() if k.place is kind.place), "")
            found.append((kind.backend.name, source, name, kind.dtype.name, count))
        rank = {s: i for i, s in enumerate(_ORDER)}
        return sorted(found, key=lambda r: (r[0], rank.get(r[1], 9), -r[4], r[2]))

    def show(self) -> None:
        """Print the table on stderr."""
        console = Console(stderr=True)
        by_source: dict[tuple[str, str], Counts[str]] = {}
        for backend, source, name, _, count in self.rows():
            by_source.setdefault((backend, source), Counts())[name] += count
        table = Table(title="ops by kernel", box=None, pad_edge=False, header_style="bold", title_justify="left")
        for title in ("backend", "kernel", "ops", "calls", "names (calls)"):
            table.add_column(title, justify="right" if title in ("ops", "calls") else "left", overflow="fold")
        for (backend, source), counts in by_source.items():
            names = ", ".join(f"{n} ({c})" for n, c in counts.most_common(12))
            more = f", and {len(counts) - 12} more" if len(counts) > 12 else ""
            table.add_row(backend, source or "-", str(len(counts)), str(sum(counts.values())), names + more)
        console.print(table)


def first_kind(args: Any) -> Any:
    """The kind of the first tensor among arguments."""
    for a in args:
        if isinstance(a, Tensor):
            return a._kind
        if isinstance(a, (tuple, list)):
            found = first_kind(a)
            if found is not None:
                return found
    return None
