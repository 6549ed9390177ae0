"""Where time goes: per op, with counts, shapes and memory.

Source: https://docs.pytorch.org/docs/stable/profiler.html
"""

from __future__ import annotations

from torsh.profiler import itt
from torsh.profiler.events import DeviceType, EventList, FunctionEvent, FunctionEventAvg
from torsh.profiler.profiler import (
    ExecutionTraceObserver,
    ProfilerAction,
    ProfilerActivity,
    _KinetoProfile,
    kineto_available,
    profile,
    schedule,
    supported_activities,
    tensorboard_trace_handler,
)
from torsh.profiler.recorder import record_function

__all__ = [
    "DeviceType", "EventList", "ExecutionTraceObserver", "FunctionEvent", "FunctionEventAvg", "ProfilerAction",
    "ProfilerActivity", "_KinetoProfile", "itt", "kineto_available", "profile", "record_function", "schedule",
    "supported_activities", "tensorboard_trace_handler",
]  # fmt: skip
