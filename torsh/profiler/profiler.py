"""``torch.profiler.profile``: profiling with a schedule."""

from __future__ import annotations

import enum
import json
import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any
from warnings import warn

from torsh.profiler.events import EventList, _trace_event, event_list, write_trace
from torsh.profiler.recorder import Recorder, record_function


class ProfilerActivity(enum.Enum):
    """What is profiled.

    Source: https://docs.pytorch.org/docs/stable/profiler.html#torch.profiler.ProfilerActivity

    >>> from torsh.profiler import ProfilerActivity
    >>> ProfilerActivity.CPU.name
    'CPU'
    """

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


class ProfilerAction(enum.Enum):
    """What a profiler does in a step.

    Source: https://docs.pytorch.org/docs/stable/profiler.html#torch.profiler.ProfilerAction

    >>> from torsh.profiler import ProfilerAction
    >>> ProfilerAction.RECORD.name
    'RECORD'
    """

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


_RECORDING = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)


def supported_activities() -> set[ProfilerActivity]:
    """What can be profiled here: the CPU, and CUDA where a backend serves it.

    Source: https://docs.pytorch.org/docs/stable/profiler.html#torch.profiler.supported_activities

    >>> from torsh.profiler import ProfilerActivity, supported_activities
    >>> ProfilerActivity.CPU in supported_activities()
    True
    """
    from torsh import registry
    from torsh.device import device

    found = {ProfilerActivity.CPU}
    try:
        registry.serving(device("cuda"))
    except (RuntimeError, ValueError):
        return found
    return found | {ProfilerActivity.CUDA}


def kineto_available() -> bool:
    """Whether PyTorch's tracing library is there: torsh records by itself.

    Source: https://docs.pytorch.org/docs/stable/profiler.html#torch.profiler.kineto_available

    >>> import torsh
    >>> torsh.profiler.kineto_available()
    False
    """
    return False


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0, skip_first_wait: int = 0
) -> Callable[[int], ProfilerAction]:
    """A function from the number of a step to what to do in it.

    After ``skip_first`` steps, cycles of ``wait`` steps doing nothing, ``warmup`` steps, and ``active`` recorded ones;
    ``repeat`` cycles, or for ever if 0.  skip_first_wait: if not 0, the first cycle has no ``wait``.
    Source: https://docs.pytorch.org/docs/stable/profiler.html#torch.profiler.schedule

    >>> from torsh.profiler import schedule
    >>> plan = schedule(wait=1, warmup=1, active=2, repeat=1)
    >>> [plan(step).name for step in range(5)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    if wait < 0 or warmup < 0 or active <= 0 or repeat < 0 or skip_first < 0:
        raise AssertionError(
            "Invalid profiler schedule arguments: wait, warmup, repeat and skip_first must be >= 0, active > 0"
        )
    if warmup == 0:
        warn("Profiler won't be using warmup, this can skew profiler results", stacklevel=2)

    def action(step: int) -> ProfilerAction:
        if step < 0:
            raise AssertionError(f"Step must be non-negative. Got {step}.")
        if step < skip_first:
            return ProfilerAction.NONE
        step -= skip_first
        if skip_first_wait:
            step += wait
        length = wait + warmup + active
        if repeat > 0 and step // length >= repeat:
            return ProfilerAction.NONE
        at = step % length
        if at < wait:
            return ProfilerAction.NONE
        if at < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if at < length - 1 else ProfilerAction.RECORD_AND_SAVE

    return action


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False
) -> Callable[[Any], None]:
    """An ``on_trace_ready`` that writes a trace file into a folder, named as TensorBoard's plugin expects it.

    Source: https://docs.pytorch.org/docs/stable/profiler.html#torch.profiler.tensorboard_trace_handler

    >>> import torsh
    >>> import os, tempfile
    >>> from torsh.profiler import profile, tensorboard_trace_handler
    >>> folder = tempfile.mkdtemp()
    >>> with profile(on_trace_ready=tensorboard_trace_handler(folder)):
    ...     _ = torsh.ones(2) + 1
    >>> len(os.listdir(folder))
    1
    """

    def handle(prof: Any) -> None:
        os.makedirs(dir_name, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        name = f"{worker}.{time.time_ns()}.pt.trace.json"
        prof.export_chrome_trace(os.path.join(dir_name, name + (".gz" if use_gzip else "")))

    return handle


class _KinetoProfile:
    """Records from ``start`` to ``stop``."""

    def __init__(
        self, *, activities: Iterable[ProfilerActivity] | None = None, record_shapes: bool = False,
        profile_memory: bool = False, with_stack: bool = False, with_flops: bool = False, with_modules: bool = False,
        experimental_config: Any = None, execution_trace_observer: Any = None, acc_events: bool = False,
        custom_trace_id_callback: Callable[[], str] | None = None, post_processing_timeout_s: float | None = None,
    ) -> None:  # fmt: skip
        self.activities = set(activities) if activities else supported_activities()
        self.record_shapes, self.profile_memory, self.with_flops = record_shapes, profile_memory, with_flops
        self.with_stack, self.with_modules, self.acc_events = with_stack, with_modules, acc_events
        self.execution_trace_observer = execution_trace_observer
        self.custom_trace_id_callback = custom_trace_id_callback
        self.use_device = "cuda" if ProfilerActivity.CUDA in self.activities else None
        self._metadata: dict[str, Any] = {}
        self._recorder: Recorder | None = None
        self._running = False
        self._kept: list[Any] = []

    @property
    def profiler(self) -> Any:
        """The recorder itself, None before ``start``."""
        return self._recorder

    # ---- recording

    def start(self) -> None:
        """Start recording."""
        self.prepare_trace()
        self.start_trace()

    def stop(self) -> None:
        """Stop recording."""
        self.stop_trace()

    def prepare_trace(self) -> None:
        """Nothing needs to be prepared."""

    def start_trace(self) -> None:
        """Start recording now."""
        if self._running:
            return
        if self.acc_events and self._recorder is not None:
            self._kept += self._recorder.events
        self._recorder = Recorder(
            self.record_shapes, self.profile_memory, self.with_stack, self.with_flops, self.use_device is not None
        )
        self._recorder.start()
        self._running = True

    def stop_trace(self) -> None:
        """Stop recording now."""
        if self._running and self._recorder is not None:
            self._recorder.stop()
            self._running = False

    def toggle_collection_dynamic(self, enable: bool, activities: Iterable[ProfilerActivity]) -> None:
        """Leave out (or take in again) everything from here on."""
        if enable:
            self.start_trace()
        else:
            self.stop_trace()

    # ---- results

    def events(self) -> EventList:
        """The recorded events, in order of their start."""
        if self._recorder is None:
            raise AssertionError("Expected profiling results: start the profiler first")
        recorded = [*self._kept, *self._recorder.events]
        recorded = [e for e in recorded if e.end]
        origin = min((e.start for e in recorded), default=self._recorder.began)
        return event_list(
            recorded, origin, use_device=self.use_device, profile_memory=self.profile_memory, with_flops=self.with_flops
        )

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, group_by_overload_name: bool = False
    ) -> EventList:
        """One entry per name; ``print(prof.key_averages().table(sort_by="cpu_time_total"))``."""
        return self.events().key_averages(group_by_input_shape, group_by_stack_n, group_by_overload_name)

    def export_chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Write a trace for chrome://tracing or https://ui.perfetto.dev."""
        write_trace(path, [_trace_event(e) for e in self.events()], self._metadata)

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Write stacks for a flame graph (needs ``with_stack=True``)."""
        self.events().export_stacks(path, metric)

    def export_memory_timeline(self, path: str, device: str | None = None) -> None:
        """Write (time in us, bytes allocated up to then) pairs as JSON (needs ``profile_memory=True``)."""
        total, pairs = 0, []
        for e in self.events():
            if e.self_cpu_memory_usage or e.self_device_memory_usage:
                total += e.self_cpu_memory_usage + e.self_device_memory_usage
                pairs.append((e.time_range.end, total))
        with open(path, "w", encoding="utf-8") as f:
            json.dump([[t for t, _ in pairs], [n for _, n in pairs]], f)

    def add_metadata(self, key: str, value: str) -> None:
        """Put a text into the trace file."""
        self._metadata[key] = value

    def add_metadata_json(self, key: str, value: str) -> None:
        """Put a JSON value, given as text, into the trace file."""
        self._metadata[key] = json.loads(value)

    preset_metadata_json = add_metadata_json


class profile(_KinetoProfile):
    """Profiles a ``with`` block::

        with torch.profiler.profile(record_shapes=True) as prof:
            model(x)
        print(prof.key_averages().table(sort_by="self_cpu_time_total"))

    activities: of ``ProfilerActivity``; with CUDA the device is waited for after each op.  schedule: from a step's
    number to a ``ProfilerAction`` (call ``step()`` after each step).  on_trace_ready: called with the profiler when a
    cycle is done.
    Source: https://docs.pytorch.org/docs/stable/profiler.html#torch.profiler.profile

    >>> import torsh
    >>> from torsh.profiler import ProfilerActivity, profile
    >>> with profile(activities=[ProfilerActivity.CPU]) as prof:
    ...     _ = torsh.ones(2, 2) @ torsh.ones(2, 2)
    >>> any("mm" in event.key for event in prof.key_averages())
    True
    """

    def __init__(
        self, *, activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[..., Any] | None = None, record_shapes: bool = False, profile_memory: bool = False,
        with_stack: bool = False, with_flops: bool = False, with_modules: bool = False,
        experimental_config: Any = None, execution_trace_observer: Any = None, acc_events: bool = False,
        use_cuda: bool | None = None, custom_trace_id_callback: Callable[[], str] | None = None,
        post_processing_timeout_s: float | None = None,
    ) -> None:  # fmt: skip
        wanted = set(activities) if activities else supported_activities()
        if use_cuda is not None:
            warn("`use_cuda` is deprecated, use `activities` argument instead", FutureWarning, stacklevel=2)
            wanted = wanted | {ProfilerActivity.CUDA} if use_cuda else wanted - {ProfilerActivity.CUDA}
        super().__init__(
            activities=wanted, record_shapes=record_shapes, profile_memory=profile_memory, with_stack=with_stack,
            with_flops=with_flops, with_modules=with_modules, execution_trace_observer=execution_trace_observer,
            acc_events=acc_events, custom_trace_id_callback=custom_trace_id_callback,
        )  # fmt: skip
        self.schedule = schedule or (lambda step: ProfilerAction.RECORD)
        self.record_steps = schedule is not None
        self.on_trace_ready = on_trace_ready
        self.step_num = 0
        self.current_action = self.schedule(self.step_num)
        self._step: record_function | None = None

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start, with what the schedule says for step 0."""
        if self.current_action in _RECORDING:
            self.start_trace()
        self._open_step()

    def stop(self) -> None:
        """Stop; a cycle that was being recorded is handed to ``on_trace_ready``."""
        self._close_step()
        if self.current_action in _RECORDING and self._running:
            self.stop_trace()
            self._trace_ready()

    def step(self) -> None:
        """One step is done; go to the next of the schedule."""
        self._close_step()
        previous = self.current_action
        self.step_num += 1
        self.current_action = self.schedule(self.step_num)
        if previous is ProfilerAction.RECORD_AND_SAVE:
            self.stop_trace()
            self._trace_ready()
        elif previous is ProfilerAction.RECORD and self.current_action not in _RECORDING:
            warn("Incorrect schedule: RECORD followed by NONE or WARMUP", stacklevel=2)
            self.stop_trace()
        if self.current_action in _RECORDING:
            self.start_trace()
        self._open_step()

    def set_custom_trace_id_callback(self, callback: Callable[[], str]) -> None:
        """Set who names traces."""
        self.custom_trace_id_callback = callback

    def get_trace_id(self) -> str | None:
        """The name that the callback gives, None without one."""
        return None if self.custom_trace_id_callback is None else self.custom_trace_id_callback()

    def _open_step(self) -> None:
        if self.record_steps and self._running:
            self._step = record_function(f"ProfilerStep#{self.step_num}")
            self._step.__enter__()

    def _close_step(self) -> None:
        if self._step is not None:
            self._step.__exit__(None, None, None)
            self._step = None

    def _trace_ready(self) -> None:
        if self.on_trace_ready is not None:
            self.on_trace_ready(self)


class ExecutionTraceObserver:
    """Kept so that programs can name it; torsh writes no execution traces (see ``torsh.tracing.Tracer``).

    Source: https://docs.pytorch.org/docs/stable/profiler.html
    """

    def __init__(self) -> None:
        self.output_file_path: str | None = None

    def register_callback(self, output_file_path: str) -> ExecutionTraceObserver:
        """Raises NotImplementedError: there are no execution traces."""
        raise NotImplementedError(
            "ExecutionTraceObserver is not implemented by torsh: record ops with torsh.tracing.Tracer, or a timeline "
            "with torch.profiler.profile(...).export_chrome_trace(path)"
        )

    def unregister_callback(self) -> None:
        """Nothing is registered."""

    def get_output_file_path(self) -> str | None:
        """None: nothing is written."""
        return self.output_file_path


__all__ = [
    "ExecutionTraceObserver", "ProfilerAction", "ProfilerActivity", "kineto_available", "profile", "schedule",
    "supported_activities", "tensorboard_trace_handler",
]  # fmt: skip
