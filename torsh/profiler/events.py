"""Events of a profile, their averages, the table and the trace file."""

from __future__ import annotations

import enum
import gzip
import json
import os
from collections.abc import Iterable
from typing import Any


class DeviceType(enum.Enum):
    """Where an event ran.

    Source: https://docs.pytorch.org/docs/stable/profiler.html#torch.profiler.DeviceType

    >>> import torsh
    >>> torsh.profiler.events.DeviceType.CPU.name
    'CPU'
    """

    CPU = 0
    CUDA = 1
    MKLDNN = 2
    OPENGL = 3
    OPENCL = 4
    IDEEP = 5
    HIP = 6
    FPGA = 7
    MAIA = 8
    XLA = 9
    Vulkan = 10
    Metal = 11
    XPU = 12
    MPS = 13
    Meta = 14


class Event:
    """One op or range as recorded; times in ns."""

    __slots__ = (
        "backend", "children", "device", "dtypes", "end", "flops", "kind", "memory", "name", "parent", "shapes",
        "source", "stack", "start", "thread",
    )  # fmt: skip

    def __init__(self, name: str, kind: str, thread: int, parent: Event | None) -> None:
        self.name, self.kind, self.thread, self.parent = name, kind, thread, parent
        self.children: list[Event] = []
        self.start = self.end = 0
        self.device = "cpu"
        self.backend = self.source = ""
        self.shapes: list[Any] = []
        self.dtypes: list[str] = []
        self.stack: list[str] = []
        self.memory = self.flops = 0


class Interval:
    """Start and end of an event in us since the profile began."""

    def __init__(self, start: float, end: float) -> None:
        self.start, self.end = start, end

    def elapsed_us(self) -> float:
        return self.end - self.start

    def __repr__(self) -> str:
        return f"Interval(start={self.start:.3f}, end={self.end:.3f})"


class _Times:
    """What single events and averages have in common.  Times are in us."""

    count: int
    cpu_time_total: float
    self_cpu_time_total: float
    device_time_total: float = 0.0
    self_device_time_total: float = 0.0
    cpu_memory_usage: int = 0
    self_cpu_memory_usage: int = 0
    device_memory_usage: int = 0
    self_device_memory_usage: int = 0

    @property
    def cpu_time(self) -> float:
        """Microseconds on the CPU, per call."""
        return self.cpu_time_total / self.count if self.count else 0.0

    @property
    def device_time(self) -> float:
        """Microseconds on another device, per call."""
        return self.device_time_total / self.count if self.count else 0.0

    @property
    def cpu_time_str(self) -> str:
        """``cpu_time`` with a unit."""
        return format_time(self.cpu_time)

    @property
    def cpu_time_total_str(self) -> str:
        """``cpu_time_total`` with a unit."""
        return format_time(self.cpu_time_total)

    @property
    def self_cpu_time_total_str(self) -> str:
        """``self_cpu_time_total`` with a unit."""
        return format_time(self.self_cpu_time_total)

    # Older names, which programs sort by.
    cuda_time = property(lambda self: self.device_time, doc="PyTorch's old name of ``device_time``.")
    cuda_time_total = property(lambda self: self.device_time_total, doc="PyTorch's old name of ``device_time_total``.")
    self_cuda_time_total = property(
        lambda self: self.self_device_time_total,
        doc="PyTorch's old name of ``self_device_time_total``.",
    )
    cuda_memory_usage = property(
        lambda self: self.device_memory_usage,
        doc="PyTorch's old name of ``device_memory_usage``.",
    )
    self_cuda_memory_usage = property(
        lambda self: self.self_device_memory_usage,
        doc="PyTorch's old name of ``self_device_memory_usage``.",
    )


class FunctionEvent(_Times):
    """One call: ``name``, ``time_range``, ``cpu_time_total``, ``input_shapes``, ``cpu_parent``, ``cpu_children``.

    Source: https://docs.pytorch.org/docs/stable/profiler.html

    >>> import torsh
    >>> from torsh.profiler import profile
    >>> with profile() as prof:
    ...     _ = torsh.ones(2) + 1
    >>> any("add" in event.name for event in prof.events())
    True
    """

    def __init__(self, event: Event, number: int, origin: int) -> None:
        self.id = number
        self.name = self.key = event.name
        self.trace_name = event.name
        self.time_range = Interval((event.start - origin) / 1e3, (event.end - origin) / 1e3)
        self.thread = event.thread
        self.count = 1
        self.is_user_annotation = event.kind == "user_annotation"
        self.is_async = self.is_remote = self.is_legacy = False
        self.input_shapes = event.shapes
        self.concrete_inputs: list[Any] = []
        self.input_dtypes = event.dtypes
        self.stack = event.stack
        self.scope = 7 if self.is_user_annotation else 0
        self.flops = event.flops
        self.kernel_source = event.source
        self.backend = event.backend
        self.cpu_children: list[FunctionEvent] = []
        self.cpu_parent: FunctionEvent | None = None
        self.device_index = 0
        self.use_device = None if event.device == "cpu" else event.device
        self.device_type = DeviceType.CPU
        self.cpu_time_total = self.time_range.elapsed_us()
        self.self_cpu_time_total = self.cpu_time_total - sum((c.end - c.start) / 1e3 for c in event.children)
        if event.device != "cpu":
            self.device_time_total, self.self_device_time_total = self.cpu_time_total, self.self_cpu_time_total
            self.device_memory_usage = self.self_device_memory_usage = event.memory
        else:
            self.self_cpu_memory_usage = event.memory
            self.cpu_memory_usage = event.memory + sum(c.memory for c in descendants(event))

    def __repr__(self) -> str:
        return (
            f"<FunctionEvent id={self.id} name={self.name} cpu_time={self.cpu_time_str} thread={self.thread} "
            f"input_shapes={self.input_shapes}>"
        )


def descendants(event: Event) -> Iterable[Event]:
    for c in event.children:
        yield c
        yield from descendants(c)


class FunctionEventAvg(_Times):
    """The sum over the calls of one name (and shapes, if grouped by them).

    Source: https://docs.pytorch.org/docs/stable/profiler.html

    >>> import torsh
    >>> from torsh.profiler import profile
    >>> with profile() as prof:
    ...     _ = torsh.ones(2) + 1
    >>> max(average.count for average in prof.key_averages())
    1
    """

    def __init__(self) -> None:
        self.key: str | None = None
        self.count = 0
        self.cpu_time_total = self.self_cpu_time_total = 0.0
        self.input_shapes: list[Any] | None = None
        self.stack: list[str] | None = None
        self.flops = 0
        self.is_user_annotation = False
        self.device_type = DeviceType.CPU
        self.node_id = 0
        self.cpu_parent: Any = None
        self.cpu_children: list[Any] = []

    def add(self, other: Any) -> FunctionEventAvg:
        """Add an event or another average."""
        if self.key is None:
            self.key, self.is_user_annotation = other.key, other.is_user_annotation
            self.input_shapes, self.stack = other.input_shapes, other.stack
        for name in ("cpu_time_total", "self_cpu_time_total", "device_time_total", "self_device_time_total",
        "cpu_memory_usage",
                     "self_cpu_memory_usage", "device_memory_usage", "self_device_memory_usage", "count",
                     "flops"):  # fmt: skip
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    __iadd__ = add

    def __repr__(self) -> str:
        return (
            f"<FunctionEventAvg key={self.key} count={self.count} self_cpu_time={self.self_cpu_time_total_str} "
            f"cpu_time={self.cpu_time_str} input_shapes={self.input_shapes}>"
        )


class EventList(list[Any]):
    """Events or averages; prints as a table.

    Source: https://docs.pytorch.org/docs/stable/profiler.html

    >>> import torsh
    >>> from torsh.profiler import profile
    >>> with profile() as prof:
    ...     _ = torsh.ones(2) + 1
    >>> averages = prof.key_averages()
    >>> "add" in averages.table()
    True
    """

    def __init__(
        self, *args: Any, use_device: str | None = None, profile_memory: bool = False, with_flops: bool = False
    ) -> None:
        super().__init__(*args)
        self._use_device, self._profile_memory, self._with_flops = use_device, profile_memory, with_flops

    def __str__(self) -> str:
        return self.table()

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds on the CPU, without what it called."""
        return sum(e.self_cpu_time_total for e in self)

    def key_averages(
        self, group_by_input_shapes: bool = False, group_by_stack_n: int = 0, group_by_overload_name: bool = False
    ) -> EventList:
        """One entry per name (per name and input shapes, per name and innermost frames)."""
        groups: dict[Any, FunctionEventAvg] = {}
        for e in self:
            key = (e.key, str(e.input_shapes) if group_by_input_shapes else "", *(e.stack or [])[:group_by_stack_n])
            groups.setdefault(key, FunctionEventAvg()).add(e)
        for avg in groups.values():
            avg.stack = (avg.stack or [])[:group_by_stack_n]
            if not group_by_input_shapes:
                avg.input_shapes = []
        return EventList(
            groups.values(),
            use_device=self._use_device,
            profile_memory=self._profile_memory,
            with_flops=self._with_flops,
        )

    def total_average(self) -> FunctionEventAvg:
        """All events added up."""
        total = FunctionEventAvg()
        for e in self:
            total.add(e)
        total.key = "Total"
        return total

    def table(
        self, sort_by: str | None = None, row_limit: int = 100, max_src_column_width: int = 75,
        max_name_column_width: int = 55, max_shapes_column_width: int = 80, header: str | None = None,
        top_level_events_only: bool = False,
    ) -> str:  # fmt: skip
        """The events as a table.

        sort_by: an attribute such as ``self_cpu_time_total``, ``cpu_time_total``, ``count``,
        ``cpu_memory_usage``; row_limit: -1 for all rows.
        """
        rows: list[Any] = [e for e in self if not top_level_events_only or e.cpu_parent is None]
        if sort_by is not None:
            rows.sort(
                key=lambda e: getattr(e, sort_by.replace("cuda", "device").replace("xpu", "device")), reverse=True
            )
        total = sum(e.self_cpu_time_total for e in self) or 1.0
        titles = ["Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg"]
        device = (self._use_device or "").upper()
        if device:
            titles += [f"Self {device}", f"{device} total", f"{device} time avg"]
        if self._profile_memory:
            titles += ["CPU Mem", "Self CPU Mem"]
        titles.append("# of Calls")
        shapes = any(e.input_shapes for e in rows)
        stacks = any(e.stack for e in rows)
        titles += ["Input Shapes"] * shapes + ["Source Location"] * stacks + ["Total FLOPs"] * self._with_flops
        lines = []
        for e in rows[: len(rows) if row_limit < 0 else row_limit]:
            line = [
                _cut(e.key, max_name_column_width), f"{100 * e.self_cpu_time_total / total:.2f}%",
                format_time(e.self_cpu_time_total), f"{100 * e.cpu_time_total / total:.2f}%",
                format_time(e.cpu_time_total),
                format_time(e.cpu_time),
            ]  # fmt: skip
            if device:
                line += [
                    format_time(e.self_device_time_total),
                    format_time(e.device_time_total),
                    format_time(e.device_time),
                ]
            if self._profile_memory:
                line += [format_memory(e.cpu_memory_usage), format_memory(e.self_cpu_memory_usage)]
            line.append(str(e.count))
            if shapes:
                line.append(_cut(str(e.input_shapes), max_shapes_column_width))
            if stacks:
                line.append(_cut((e.stack or [""])[0], max_src_column_width))
            if self._with_flops:
                line.append(str(e.flops) if e.flops else "--")
            lines.append(line)
        return _layout(titles, lines, header) + f"\nSelf CPU time total: {format_time(total if self else 0.0)}\n"

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Write the events as a trace that Chrome and Perfetto show (gzipped if the name ends with .gz)."""
        write_trace(path, [_trace_event(e) for e in self], {})

    def export_stacks(self, path: str, metric: str) -> None:
        """Write stacks and a metric in the form that flame graph programs read."""
        if metric not in ("self_cpu_time_total", "self_cuda_time_total", "self_device_time_total"):
            raise ValueError(f"metric should be one of: self_cpu_time_total, self_cuda_time_total; got {metric!r}")
        with open(path, "w", encoding="utf-8") as f:
            for e in self:
                value = int(getattr(e, metric))
                if e.stack and value > 0:
                    f.write(
                        ";".join(s.translate(str.maketrans(" ;\t\n", "____")) for s in reversed(e.stack))
                        + f" {value}\n"
                    )


def _cut(text: str | None, width: int) -> str:
    text = text or ""
    return text if len(text) <= width else text[: width - 3] + "..."


def _layout(titles: list[str], lines: list[list[str]], header: str | None) -> str:
    widths = [max(len(t), *(len(line[i]) for line in lines)) if lines else len(t) for i, t in enumerate(titles)]
    rule = "  ".join("-" * w for w in widths)
    shown = [header] if header else []
    shown += [rule, "  ".join(t.rjust(w) for t, w in zip(titles, widths)), rule]
    shown += ["  ".join(x.rjust(w) for x, w in zip(line, widths)) for line in lines]
    return "\n".join([*shown, rule])


def format_time(us: float) -> str:
    """A time in us with a fitting unit."""
    return f"{us / 1e6:.3f}s" if us >= 1e6 else f"{us / 1e3:.3f}ms" if us >= 1e3 else f"{us:.3f}us"


def format_memory(n: int) -> str:
    """A number of bytes with a fitting unit."""
    for unit, size in (("GB", 2**30), ("MB", 2**20), ("KB", 2**10)):
        if abs(n) >= size:
            return f"{n / size:.2f} {unit}"
    return f"{n} b"


def _trace_event(e: FunctionEvent) -> dict[str, Any]:
    args: dict[str, Any] = {"External id": e.id}
    if e.input_shapes:
        args["Input Dims"], args["Input type"] = e.input_shapes, e.input_dtypes
    if e.backend:
        args["backend"], args["kernel"] = e.backend, e.kernel_source
    if e.stack:
        args["Call stack"] = ";".join(e.stack)
    if e.self_cpu_memory_usage:
        args["Bytes"] = e.self_cpu_memory_usage
    return {
        "ph": "X", "cat": "user_annotation" if e.is_user_annotation else "cpu_op", "name": e.name, "pid": os.getpid(),
        "tid": e.thread, "ts": e.time_range.start, "dur": e.time_range.elapsed_us(), "args": args,
    }  # fmt: skip


def write_trace(path: str | os.PathLike[str], events: list[dict[str, Any]], metadata: dict[str, Any]) -> None:
    """Write a trace in Chrome's format."""
    pid = os.getpid()
    names = [{"name": "process_name", "ph": "M", "ts": 0, "pid": pid, "tid": 0, "args": {"name": "python"}}]
    text = json.dumps({
        "schemaVersion": 1, "deviceProperties": [], "displayTimeUnit": "ms", "traceName": str(path), **metadata,
        "traceEvents": names + events,
    })  # fmt: skip
    if str(path).endswith(".gz"):
        with gzip.open(path, "wt", encoding="utf-8") as f:
            f.write(text)
    else:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


def event_list(recorded: list[Event], origin: int, **options: Any) -> EventList:
    """Recorded events as the public objects."""
    known: dict[int, FunctionEvent] = {}
    found = EventList(**options)
    for i, event in enumerate(recorded):
        e = known[id(event)] = FunctionEvent(event, i, origin)
        found.append(e)
        if event.parent is not None and id(event.parent) in known:
            e.cpu_parent = known[id(event.parent)]
            e.cpu_parent.cpu_children.append(e)
    return found
