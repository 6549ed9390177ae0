"""The older profiler interface, over the same recorder as ``torch.profiler``.

Source: https://docs.pytorch.org/docs/stable/autograd.html#profiler
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torsh.dispatch import Mode
from torsh.ops._op import Op
from torsh.profiler.events import DeviceType, EventList, FunctionEvent, FunctionEventAvg
from torsh.profiler.profiler import ProfilerActivity, _KinetoProfile, kineto_available
from torsh.profiler.recorder import record_function


class profile:
    """Profiles a ``with`` block.

    use_device: ``"cuda"`` to wait for the device after each op.  The other arguments are those of
    ``torch.profiler.profile``.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.autograd.profiler.profile.html
    """

    def __init__(
        self, enabled: bool = True, *, use_cuda: bool = False, use_device: str | None = None,
        record_shapes: bool = False, with_flops: bool = False, profile_memory: bool = False, with_stack: bool = False,
        with_modules: bool = False, use_kineto: bool = False, use_cpu: bool = True, experimental_config: Any = None,
        acc_events: bool = False, custom_trace_id_callback: Callable[[], str] | None = None,
        post_processing_timeout_s: float | None = None,
    ) -> None:  # fmt: skip
        self.enabled = enabled
        self.entered = False
        self.record_shapes, self.profile_memory, self.with_flops = record_shapes, profile_memory, with_flops
        activities = {ProfilerActivity.CPU} | ({ProfilerActivity.CUDA} if use_cuda or use_device == "cuda" else set())
        self._profile = _KinetoProfile(
            activities=activities, record_shapes=record_shapes, profile_memory=profile_memory, with_stack=with_stack,
            with_flops=with_flops, acc_events=acc_events,
        )  # fmt: skip

    def __enter__(self) -> profile | None:
        if not self.enabled:
            return None
        if self.entered:
            raise RuntimeError("Profiler context manager is not reentrant")
        self.entered = True
        self._profile.start()
        return self

    def __exit__(self, *exc: object) -> bool:
        if self.enabled:
            self._profile.stop()
        return False

    @property
    def function_events(self) -> EventList | None:
        """The events, None before the block was left."""
        return self._profile.events() if self.entered else None

    def _events(self) -> EventList:
        if not self.entered:
            raise RuntimeError("Profiler didn't finish running")
        return self._profile.events()

    def __repr__(self) -> str:
        return str(self._events()) if self.entered else "<unfinished torch.autograd.profile>"

    def table(
        self, sort_by: str | None = None, row_limit: int = 100, max_src_column_width: int = 75,
        max_name_column_width: int = 55, max_shapes_column_width: int = 80, header: str | None = None,
        top_level_events_only: bool = False,
    ) -> str:  # fmt: skip
        """The events as a table."""
        return self._events().table(
            sort_by, row_limit, max_src_column_width, max_name_column_width, max_shapes_column_width, header,
            top_level_events_only,
        )  # fmt: skip

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, group_by_overload_name: bool = False
    ) -> EventList:
        """One entry per name."""
        return self._events().key_averages(group_by_input_shape, group_by_stack_n, group_by_overload_name)

    def total_average(self) -> FunctionEventAvg:
        """All events added up."""
        return self._events().total_average()

    @property
    def self_cpu_time_total(self) -> float:
        """Time in ops themselves, in us."""
        return self._events().self_cpu_time_total

    def export_chrome_trace(self, path: str) -> None:
        """Write a trace for chrome://tracing."""
        self._events().export_chrome_trace(path)

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Write stacks for a flame graph (needs ``with_stack=True``)."""
        self._events().export_stacks(path, metric)


class _Marks(Mode):
    """Puts a range of CuPy's NVTX around every op."""

    def __init__(self) -> None:
        try:
            from cupy.cuda import nvtx
        except ImportError as e:
            raise RuntimeError(
                "emit_nvtx needs CUDA: NVTX is reached through CuPy, which cannot be imported here"
            ) from e
        self.nvtx = nvtx

    def intercept(self, op: Op, args: tuple[Any, ...], proceed: Callable[..., Any]) -> Any:
        self.nvtx.RangePush(op.name)
        try:
            return proceed(*args)
        finally:
            self.nvtx.RangePop()


class emit_nvtx:
    """Marks every op of a ``with`` block for NVIDIA's tools.  Entering raises RuntimeError where there is no CUDA."""

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        self.enabled, self.record_shapes, self.entered = enabled, record_shapes, False
        self._marks: _Marks | None = None

    def __enter__(self) -> emit_nvtx | None:
        if not self.enabled:
            return None
        if self.entered:
            raise RuntimeError("NVTX annotation context manager is not reentrant")
        self.entered = True
        self._marks = _Marks()
        self._marks.__enter__()
        return self

    def __exit__(self, *exc: object) -> bool:
        if self._marks is not None:
            self._marks.__exit__(*exc)
        return False


class emit_itt:
    """Marks every op for Intel's tools, which torsh does not reach: raises RuntimeError on entering."""

    def __init__(self, enabled: bool = True, record_shapes: bool = False) -> None:
        self.enabled, self.record_shapes = enabled, record_shapes

    def __enter__(self) -> emit_itt | None:
        if self.enabled:
            raise RuntimeError("emit_itt: ITT is not available; use torch.profiler.profile and export_chrome_trace")
        return None

    def __exit__(self, *exc: object) -> bool:
        return False


__all__ = [
    "DeviceType", "EventList", "FunctionEvent", "FunctionEventAvg", "emit_itt", "emit_nvtx", "kineto_available",
    "profile", "record_function",
]  # fmt: skip
