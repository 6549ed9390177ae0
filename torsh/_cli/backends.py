"""``torsh backends``."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table


def backends(*, json: bool = False) -> int:
    """List the backends: name, version, devices, and for those that cannot run here the reason.

    Parameters
    ----------
    json
        Print JSON instead of a table.
    """
    from torsh import registry

    found = registry.describe()
    if json:
        import dataclasses
        import json as writer

        print(writer.dumps([dataclasses.asdict(d) for d in found], indent=1))
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("backend", "version", "devices", "serves", "available"):
        table.add_column(title, overflow="fold")
    for d in found:
        table.add_row(
            d.name, d.version or "", ", ".join(d.devices or d.device_types), ", ".join(d.bound),
            "yes" if d.available else f"no: {d.reason}",
        )  # fmt: skip
    Console().print(table)
    return 0
