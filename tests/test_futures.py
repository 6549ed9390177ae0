"""Futures, FileCheck and the branches and loops of functions, against PyTorch's."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import torsh
import torsh.futures

torch = pytest.importorskip("torch")
BOTH = (torsh, torch)


def raised(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as e:
        return type(e), str(e)[:20]


def test_future_life() -> None:
    for lib in BOTH:
        f = lib.futures.Future()
        assert not f.done()
        assert raised(f.value)[0] is RuntimeError
        seen: list[int] = []
        after = f.then(lambda x: x.value() + 1).then(lambda x: x.value() * 10)
        f.add_done_callback(lambda x: seen.append(x.value()))
        f.set_result(2)
        assert (f.wait(), after.wait(), seen) == (2, 30, [2])
        assert raised(lambda: f.set_result(3))[0] is RuntimeError
        assert lib.futures.wait_all([f, after]) == [2, 30]
        assert [x.wait() for x in lib.futures.collect_all([f, after]).wait()] == [2, 30]


def test_future_errors() -> None:
    for lib in BOTH:
        f = lib.futures.Future()
        later = f.then(lambda x: x.wait())
        f.set_exception(ValueError("boo"))
        assert raised(f.wait) == (ValueError, "boo")
        assert raised(f.value) == (ValueError, "boo")
        assert raised(later.wait)[0] is RuntimeError
        assert raised(lambda: lib.futures.collect_all([later]).wait())[0] is RuntimeError
        assert raised(lambda: f.set_exception(3))[0] is AssertionError
        assert raised(lambda: lib.futures.Future(devices=["cpu"]))[0] is ValueError


def test_wait_from_another_thread() -> None:
    f = torsh.futures.Future()
    threading.Timer(0.02, f.set_result, (5,)).start()
    assert f.wait() == 5


def test_fork() -> None:
    for lib in BOTH:
        future = lib.jit.fork(lambda x: x + 1, lib.ones(2))
        assert isinstance(future, lib.Future)
        assert lib.jit.wait(future).tolist() == [2.0, 2.0]
        assert lib.wait(lib.fork(lambda: 7)) == 7
        assert raised(lambda: lib.wait(3))[0] is TypeError


CHECKS: list[tuple[Any, str]] = [
    (lambda c: c.check("a").check("b"), "a b"), (lambda c: c.check("b").check("a"), "a b"), (lambda c: c.check_not("c"), "a c b"),
    (lambda c: c.check("a").check_not("x").check("b"), "a x b"), (lambda c: c.check("a").check_not("x").check("b"), "x a b x"),
    (lambda c: c.check_count("a", 2, exactly=True), "a a a"), (lambda c: c.check_count("a", 2, True), "a a"), (lambda c: c.check_count("a", 4), "a a"),
    (lambda c: c.check("a").check_next("b"), "a\nb"), (lambda c: c.check("a").check_next("b"), "a\n\nb"), (lambda c: c.check("a").check_next("b"), "a b"),
    (lambda c: c.check("a").check_same("b"), "a b"), (lambda c: c.check("a").check_same("b"), "a\nb"), (lambda c: c.check_dag("b").check_dag("a"), "a b"),
    (lambda c: c.check_dag("b").check_dag("z"), "a b"), (lambda c: c.check("x").check_dag("b").check_dag("a").check("y"), "x a b y"),
    (lambda c: c.check_dag("b").check_dag("a").check_not("n").check("y"), "a b n y"), (lambda c: c.check_regex("a.c"), "xabc"),
    (lambda c: c.check_regex("a.d"), "xabc"), (lambda c: c.check_source_highlighted("abc"), "x abc\n  ~~~ <--"),
    (lambda c: c.check_source_highlighted("abc"), "x abc\n ~~~ <--"), (lambda c: c, "x"), (lambda c: c.check_not("a").check("b"), "a b"),
    (lambda c: c.check("b").check_not("a"), "a b"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(CHECKS)))
def test_file_check(case: int) -> None:
    build, text = CHECKS[case]
    found = [raised(lambda lib=lib: build(lib.testing.FileCheck()).run(text)) for lib in BOTH]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("checks", "text"),
    [
        ("# CHECK: a\n# CHECK-NEXT: z", "a\nz"),
        ("# CHECK: a\n# CHECK-NOT: b", "a b"),
        ("# CHECK-COUNT-2: a", "a a"),
        ("# CHECK-COUNT-3: a", "a a"),
    ],
)
def test_file_check_from_comments(checks: str, text: str) -> None:
    found = [raised(lambda lib=lib: lib.testing.FileCheck().run(checks, text)) for lib in BOTH]
    assert found[0] == found[1]


def test_control_flow() -> None:
    x = torsh.tensor([1.0, 2.0], requires_grad=True)
    y = torsh.cond(x.sum() > 2, lambda t: t * 3, lambda t: t - 1, (x,))
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    assert torsh.cond(False, lambda: 1, lambda: 2) == 2
    i, total = torsh.while_loop(lambda i, t: i < 4, lambda i, t: (i + 1, t + i), (torsh.tensor(0), torsh.tensor(0)))
    assert (i.item(), total.item()) == (4, 6)
    for bad in (lambda: torsh.cond("x", len, len), lambda: torsh.cond(torsh.ones(2), len, len), lambda: torsh.cond(True, 1, 2),
                lambda: torsh.while_loop(lambda x: True, lambda x: (x, x), (1,))):  # fmt: skip
        with pytest.raises(RuntimeError):
            bad()


def test_records() -> None:
    file = io.BytesIO()
    writer = torsh.PyTorchFileWriter(file)
    writer.write_record("a/b.txt", b"hello", 5)
    writer.write_record("data/0", torsh.arange(3.0).untyped_storage(), 12)
    writer.write_end_of_file()
    for lib in BOTH:
        file.seek(0)
        reader = lib.PyTorchFileReader(file)
        assert reader.get_record("a/b.txt") == b"hello"
        assert set(reader.get_all_records()) == {"a/b.txt", "data/0", "version", "byteorder", ".data/serialization_id"}
        assert reader.get_record_offset("data/0") % 64 == 0
        assert reader.get_record_size("data/0") == 12
        assert np.frombuffer(reader.get_record("data/0"), np.float32).tolist() == [0.0, 1.0, 2.0]
        assert not reader.has_record("x")
        assert raised(lambda: reader.get_record("x"))[0] is RuntimeError
        assert raised(lambda: lib.PyTorchFileReader(io.BytesIO(b"xx")))[0] is RuntimeError
    with pytest.raises(RuntimeError, match="twice"):
        again = torsh.PyTorchFileWriter(io.BytesIO())
        again.write_record("a", b"", 0)
        again.write_record("a", b"", 0)


def test_throughput_benchmark() -> None:
    calls: list[int] = []

    def module(x: int) -> None:
        calls.append(x)

    bench = torsh.ThroughputBenchmark(module)
    with pytest.raises(RuntimeError, match="provide benchmark inputs"):
        bench.benchmark(torsh.BenchmarkConfig())
    bench.add_input(1)
    config = torsh.BenchmarkConfig()
    config.num_iters, config.num_warmup_iters, config.num_calling_threads = 20, 3, 2
    stats = bench.benchmark(config)
    assert stats.num_iters == 20
    assert len(calls) == 26
    assert stats.latency_avg_ms > 0


def test_locking_logger() -> None:
    logger = torsh.LockingLogger()
    for v in (2, 4):
        logger.add_stat_value("n", v)
    assert logger.get_counter_val("n") == 6
    logger.set_aggregation_type("n", torsh.AVG)
    assert logger.get_counter_val("n") == 3
