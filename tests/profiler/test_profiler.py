"""torch.profiler and torch.autograd.profiler: events, averages, schedules, trace files."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest

import torsh
from torsh import dispatch
from torsh.autograd import profiler as old
from torsh.profiler import (
    ProfilerAction,
    ProfilerActivity,
    profile,
    record_function,
    schedule,
    supported_activities,
    tensorboard_trace_handler,
)


@pytest.fixture
def x() -> Any:
    return torsh.ones(3, 4, requires_grad=True)


def counts(averages: Any) -> dict[str, int]:
    return {e.key: e.count for e in averages}


def test_ops_are_counted_forward_and_backward(x: Any) -> None:
    with profile() as prof:
        y = (x * 2).exp().sum()
        y.backward()
    found = counts(prof.key_averages())
    assert found["aten::exp"] == 1
    assert found["aten::sum"] == 1
    assert found["aten::mul"] >= 2
    assert dispatch.state.busy == 0


def test_ranges_contain_their_ops_and_self_time_leaves_them_out(x: Any) -> None:
    with profile() as prof, record_function("outer"), record_function("inner"):
        x.exp()
        time.sleep(0.01)
    events = {e.name: e for e in prof.events()}
    assert events["aten::exp"].cpu_parent is events["inner"]
    assert events["inner"].cpu_parent is events["outer"]
    assert events["outer"].cpu_children == [events["inner"]]
    assert events["inner"].cpu_time_total >= 10_000
    inner = events["inner"]
    assert inner.self_cpu_time_total == pytest.approx(inner.cpu_time_total - events["aten::exp"].cpu_time_total)
    assert events["outer"].self_cpu_time_total < events["inner"].self_cpu_time_total
    assert events["inner"].is_user_annotation
    assert not events["aten::exp"].is_user_annotation


def test_a_range_is_a_decorator_and_costs_nothing_outside(x: Any) -> None:
    @record_function("step")
    def step(t: Any) -> Any:
        """Doc."""
        return t.exp()

    assert step.__doc__ == "Doc."
    step(x)
    with profile() as prof:
        step(x)
        step(x)
    assert counts(prof.key_averages())["step"] == 2


def test_shapes_group_calls(x: Any) -> None:
    with profile(record_shapes=True) as prof:
        x.exp()
        x.exp()
        x[0].exp()
    by_shape = [e for e in prof.key_averages(group_by_input_shape=True) if e.key == "aten::exp"]
    assert sorted((e.count, str(e.input_shapes)) for e in by_shape) == [(1, "[[4]]"), (2, "[[3, 4]]")]
    assert counts(prof.key_averages())["aten::exp"] == 3


def test_memory_and_flops(x: Any) -> None:
    a, b = torsh.ones(8, 16), torsh.ones(16, 4)
    with profile(profile_memory=True, with_flops=True) as prof:
        a.exp()
        torsh.mm(a, b)
    found = {e.key: e for e in prof.key_averages()}
    assert found["aten::exp"].self_cpu_memory_usage == 8 * 16 * 4
    product = next(e for k, e in found.items() if k in ("aten::mm", "aten::matmul"))
    assert product.flops == 2 * 8 * 4 * 16


def test_stacks_name_the_program(x: Any, tmp_path: Path) -> None:
    with profile(with_stack=True) as prof:
        x.exp()
    event = next(e for e in prof.events() if e.name == "aten::exp")
    assert "test_profiler.py" in event.stack[0]
    assert "test_stacks_name_the_program" in event.stack[0]
    prof.export_stacks(str(tmp_path / "stacks"), "self_cpu_time_total")
    line = (tmp_path / "stacks").read_text().splitlines()[0]
    assert line.rpartition(" ")[2].isdigit()
    with pytest.raises(ValueError, match="metric should be one of"):
        prof.export_stacks(str(tmp_path / "stacks"), "nonsense")


def test_the_table(x: Any) -> None:
    with profile(record_shapes=True, profile_memory=True) as prof:
        for _ in range(5):
            x.exp()
        x.sin()
    table = prof.key_averages().table(sort_by="count", row_limit=1)
    assert "Self CPU %" in table
    assert "# of Calls" in table
    assert "CPU Mem" in table
    assert "Self CPU time total:" in table
    assert "aten::exp" in table
    assert "aten::sin" not in table
    everything = prof.key_averages(group_by_input_shape=True).table(
        sort_by="self_cuda_time_total", row_limit=-1, header="Head"
    )
    assert everything.startswith("Head")
    assert "[[3, 4]]" in everything
    with pytest.raises(AttributeError):
        prof.key_averages().table(sort_by="nonsense")


def test_totals_add_up(x: Any) -> None:
    with profile() as prof:
        x.exp().sum()
    events = prof.events()
    total = events.total_average()
    assert total.key == "Total"
    assert total.count == len(events)
    assert total.self_cpu_time_total == pytest.approx(events.self_cpu_time_total)


@pytest.mark.parametrize("name", ["trace.json", "trace.json.gz"])
def test_the_trace_file_is_what_chrome_reads(x: Any, tmp_path: Path, name: str) -> None:
    with profile(record_shapes=True) as prof:
        prof.add_metadata("note", "hello")
        prof.add_metadata_json("numbers", "[1, 2]")
        with record_function("range"):
            x.exp()
    path = tmp_path / name
    prof.export_chrome_trace(str(path))
    data = json.loads(gzip.decompress(path.read_bytes()) if name.endswith("gz") else path.read_text())
    assert data["schemaVersion"] == 1
    assert (data["note"], data["numbers"]) == ("hello", [1, 2])
    spans = [e for e in data["traceEvents"] if e["ph"] == "X"]
    assert all({"name", "cat", "ph", "ts", "dur", "pid", "tid", "args"} <= e.keys() for e in spans)
    assert all(isinstance(e["ts"], float) and e["dur"] >= 0 for e in spans)
    by_name = {e["name"]: e for e in spans}
    assert by_name["range"]["cat"] == "user_annotation"
    inner, outer = by_name["aten::exp"], by_name["range"]
    assert outer["ts"] <= inner["ts"]
    assert inner["ts"] + inner["dur"] <= outer["ts"] + outer["dur"] + 1e-6
    assert inner["args"]["Input Dims"] == [[3, 4]]


# ---- schedules -------------------------------------------------------------------------------------------------------

N, W, R, S = ProfilerAction.NONE, ProfilerAction.WARMUP, ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"wait": 1, "warmup": 1, "active": 2}, [N, W, R, S, N, W, R, S]),
        ({"wait": 1, "warmup": 1, "active": 1, "repeat": 1}, [N, W, S, N, N, N]),
        ({"wait": 0, "warmup": 1, "active": 2, "skip_first": 2}, [N, N, W, R, S, W]),
        ({"wait": 2, "warmup": 1, "active": 1, "skip_first": 1, "skip_first_wait": 1}, [N, W, S, N, N, W, S]),
    ],
)
def test_schedules_are_pytorchs(options: dict[str, int], expected: list[Any]) -> None:
    ours = schedule(**options)
    assert [ours(i) for i in range(len(expected))] == expected
    torch = pytest.importorskip("torch")
    theirs = torch.profiler.schedule(**options)
    assert [ours(i).name for i in range(20)] == [theirs(i).name for i in range(20)]


def test_a_schedule_without_warmup_warns_and_nonsense_is_refused() -> None:
    with pytest.warns(UserWarning, match="warmup"):
        schedule(wait=0, warmup=0, active=1)
    with pytest.raises(AssertionError):
        schedule(wait=0, warmup=1, active=0)


def test_cycles_are_handed_over_with_their_steps_only(x: Any) -> None:
    cycles: list[dict[str, int]] = []
    with profile(
        schedule=schedule(wait=1, warmup=1, active=2, repeat=2),
        on_trace_ready=lambda p: cycles.append(counts(p.key_averages())),
    ) as prof:
        for _ in range(10):
            x.exp()
            prof.step()
    assert len(cycles) == 2
    assert [c["aten::exp"] for c in cycles] == [2, 2]
    assert {k for k in cycles[0] if k.startswith("ProfilerStep")} == {"ProfilerStep#2", "ProfilerStep#3"}
    assert prof.step_num == 10
    assert dispatch.state.busy == 0


def test_leaving_in_the_middle_of_a_cycle_hands_it_over(x: Any) -> None:
    cycles: list[int] = []
    with profile(on_trace_ready=lambda p: cycles.append(len(p.events()))):
        x.exp()
    assert cycles == [1]


def test_the_tensorboard_handler_writes_a_file(x: Any, tmp_path: Path) -> None:
    with profile(on_trace_ready=tensorboard_trace_handler(str(tmp_path / "logs"), worker_name="me")):
        x.exp()
    (file,) = (tmp_path / "logs").iterdir()
    assert file.name.startswith("me.")
    assert file.name.endswith(".pt.trace.json")
    assert json.loads(file.read_text())["traceEvents"]


def test_an_exception_in_the_block_leaves_nothing_on(x: Any) -> None:
    with pytest.raises(ZeroDivisionError), profile(), record_function("r"):
        _ = 1 // 0
    assert dispatch.state.busy == 0
    assert dispatch.modes() == ()


def test_results_before_the_start_are_refused() -> None:
    with pytest.raises(AssertionError, match="profiling results"):
        profile().events()
    assert ProfilerActivity.CPU in supported_activities()


# ---- torch.autograd.profiler -----------------------------------------------------------------------------------------


def test_the_older_interface(x: Any, tmp_path: Path) -> None:
    with old.profile(record_shapes=True) as prof, old.record_function("label"):
        x.exp()
    assert "aten::exp" in str(prof)
    assert counts(prof.key_averages()) == {"label": 1, "aten::exp": 1}
    assert prof.self_cpu_time_total > 0
    assert len(prof.function_events) == 2
    prof.export_chrome_trace(str(tmp_path / "t.json"))
    assert json.loads((tmp_path / "t.json").read_text())["traceEvents"]


def test_the_older_interface_off_and_entered_twice(x: Any) -> None:
    with old.profile(enabled=False) as prof:
        x.exp()
    assert prof is None
    again = old.profile()
    with again:
        pass
    with pytest.raises(RuntimeError, match="not reentrant"):
        again.__enter__()


def test_markers_for_other_tools_say_that_they_are_not_there() -> None:
    with old.emit_nvtx(enabled=False), old.emit_itt(enabled=False):
        pass
    with pytest.raises(RuntimeError), old.emit_itt():
        pass
    assert not torsh.profiler.itt.is_available()


def test_public_names_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = set(torsh.profiler.__all__), set(torch.profiler.__all__)
    assert theirs <= ours | {"register_optimizer_step_post_hook"}, theirs - ours
