"""Names of the torch namespace that count and measure: loggers of the compiler's counters, throughput benchmarks."""

from __future__ import annotations

import enum
import threading
import time
from dataclasses import dataclass
from typing import Any


class AggregationType(enum.IntEnum):
    """How a counter's values are put together.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.AggregationType.AVG.value
    1
    """

    SUM = 0
    AVG = 1

    def __repr__(self) -> str:
        return f"<AggregationType.{self.name}: {self.value}>"


SUM, AVG = AggregationType.SUM, AggregationType.AVG


class LoggerBase:
    """Takes the values of named counters.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """

    def add_stat_value(self, name: str, value: int) -> None:
        """Count a value."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it does with a value")


class NoopLogger(LoggerBase):
    """Forgets every value.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.NoopLogger().add_stat_value("calls", 3)
    """

    def add_stat_value(self, name: str, value: int) -> None:
        """Forget it."""


class LockingLogger(LoggerBase):
    """Adds up the values of counters, from any thread.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> logger = torsh.LockingLogger()
    >>> logger.add_stat_value("calls", 3)
    >>> logger.get_counter_val("calls")
    3
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, tuple[int, int]] = {}
        self._sorts: dict[str, AggregationType] = {}

    def add_stat_value(self, name: str, value: int) -> None:
        """Count a value."""
        with self._lock:
            total, n = self._values.get(name, (0, 0))
            self._values[name] = (total + value, n + 1)

    def get_counter_val(self, name: str) -> int:
        """The counter's sum, or mean if its aggregation is AVG; 0 if nothing was counted."""
        with self._lock:
            total, n = self._values.get(name, (0, 0))
            return total // n if n and self._sorts.get(name) is AggregationType.AVG else total

    def set_aggregation_type(self, name: str, type: AggregationType) -> None:
        """Say how a counter's values are put together."""
        self._sorts[name] = type


@dataclass
class BenchmarkConfig:
    """How to measure: threads that call, iterations of each, and iterations before the clock starts.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.BenchmarkConfig().num_calling_threads
    1
    """

    num_calling_threads: int = 1
    num_worker_threads: int = 1
    num_warmup_iters: int = 1
    num_iters: int = 100
    profiler_output_path: str = ""


@dataclass
class BenchmarkExecutionStats:
    """What was measured: the mean time of one call in milliseconds, and how many calls there were.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """

    latency_avg_ms: float = 0.0
    num_iters: int = 0


class ThroughputBenchmark:
    """Calls a module on inputs from several threads and measures how long a call takes.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> bench = torsh.ThroughputBenchmark(torsh.nn.Linear(2, 3))
    >>> bench.add_input(torsh.ones(4, 2))
    >>> config = torsh.BenchmarkConfig()
    >>> config.num_iters = 10
    >>> bench.benchmark(config).num_iters
    10
    """

    def __init__(self, module: Any) -> None:
        self._module = module
        self._inputs: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def add_input(self, *args: Any, **kwargs: Any) -> None:
        """Arguments that calls may be made with."""
        self._inputs.append((args, kwargs))

    def run_once(self, *args: Any, **kwargs: Any) -> Any:
        """One call."""
        return self._module(*args, **kwargs)

    def benchmark(self, config: BenchmarkConfig) -> BenchmarkExecutionStats:
        """Measure.  Raises RuntimeError where no inputs were added."""
        if not self._inputs:
            raise RuntimeError("Please provide benchmark inputs. Did you forget to call add_input()?")
        left = config.num_iters
        lock, done = threading.Lock(), 0
        ready = threading.Barrier(config.num_calling_threads + 1)
        errors: list[BaseException] = []

        def work(number: int) -> None:
            nonlocal left, done
            try:
                for i in range(config.num_warmup_iters):
                    args, kwargs = self._inputs[(number + i) % len(self._inputs)]
                    self.run_once(*args, **kwargs)
                ready.wait()
                while True:
                    with lock:
                        if left <= 0:
                            return
                        left -= 1
                        i = done
                        done += 1
                    args, kwargs = self._inputs[i % len(self._inputs)]
                    self.run_once(*args, **kwargs)
            except BaseException as e:
                errors.append(e)
                ready.abort()

        threads = [threading.Thread(target=work, args=(i,)) for i in range(config.num_calling_threads)]
        for t in threads:
            t.start()
        try:
            ready.wait()
        except threading.BrokenBarrierError:
            pass
        start = time.perf_counter()
        for t in threads:
            t.join()
        if errors:
            raise errors[0]
        elapsed = time.perf_counter() - start
        return BenchmarkExecutionStats(elapsed * 1000 * config.num_calling_threads / max(done, 1), done)
