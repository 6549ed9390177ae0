"""Where graphs are computed: on this process's threads, or on a cluster after ``connect``."""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
import time
from typing import IO, Any

import dask
import numpy as np
from dask.array.optimization import optimize as da_optimize
from dask.highlevelgraph import HighLevelGraph

from torsh_dask import counts, lazy

_client: Any = None
_scheduler: Any = None
_workers: list[subprocess.Popen[bytes]] = []
# What each of these workers printed: the reason of its death is in there.
_logs: list[IO[bytes]] = []
# Seconds without a single worker after which a computation is given up.
PATIENCE = 20.0
# Bytes of data from the host that are sent to the workers once, and not with every computation that uses them.
LARGE = 8 << 20


def connect(address: str | None = None, workers: int = 2, threads: int = 1, timeout: float = 60.0) -> Any:
    """Compute on a cluster from now on; the ``distributed`` client is returned.

    address: of a running scheduler, e.g. ``"tcp://10.0.0.1:8786"``; without one a cluster of ``workers`` processes is
    started on this machine, reachable from this machine only.  threads: per worker process.  timeout: seconds to wait
    for the connection.  Raises RuntimeError where that fails.
    """
    global _client, _scheduler
    from distributed import Client, LocalCluster

    disconnect()
    try:
        if address is None:
            _scheduler = LocalCluster(
                n_workers=0, host="127.0.0.1", dashboard_address=None, silence_logs="ERROR",
                # The scheduler's own HTTP server would listen to the network, at a port that a second cluster finds taken.
                scheduler_kwargs={"allowed_failures": 1, "dashboard_address": "127.0.0.1:0"},
            )  # fmt: skip
            _workers.extend(_start_worker(_scheduler.scheduler_address, threads) for _ in range(workers))
        _client = Client(_scheduler if address is None else address, timeout=timeout, set_as_default=False)
        _wait_for_workers(_client, workers if address is None else 1, timeout)
    except (OSError, TimeoutError) as e:
        words = _last_words()
        disconnect()
        where = "the local cluster" if address is None else f"the Dask scheduler at {address}"
        raise RuntimeError(f"no connection to {where} within {timeout} seconds: {e}{words}") from e
    return _client


def _wait_for_workers(client: Any, count: int, timeout: float) -> None:
    """Return when there are so many workers; TimeoutError when they do not come, or one started here has ended."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            return client.wait_for_workers(count, timeout=min(1.0, timeout))  # type: ignore[no-any-return]
        except TimeoutError:
            if time.monotonic() > deadline or any(w.poll() is not None for w in _workers):
                raise


def _start_worker(address: str, threads: int) -> subprocess.Popen[bytes]:
    # Not by multiprocessing, which would import the user's program again in every worker.
    command = [
        sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", str(threads), "--no-nanny",
        "--no-dashboard", "--host", "127.0.0.1", "--death-timeout", "15",
        # What tasks need is imported at the start, where a failure says so, and not while the first task is unpacked, which
        # closes the worker and looks as if the task had killed it.
        "--preload", "torsh_dask.worker",
    ]  # fmt: skip
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        "OMP_NUM_THREADS": str(threads),
        "DASK_LOGGING__DISTRIBUTED": "error",
    }
    log = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as the worker may write
    _logs.append(log)
    return subprocess.Popen(command, env=environment, stdout=log, stderr=log)


def _last_words() -> str:
    """How the workers started here that are gone ended: exit status and the last lines they printed."""
    words = []
    for worker, log in zip(_workers, _logs):
        if (status := worker.poll()) is not None:
            log.seek(0)
            lines = log.read().decode(errors="replace").strip().splitlines()[-5:]
            words.append("\n  ".join([f"worker process {worker.pid} ended with exit status {status}:", *lines]))
    return "".join("\n" + w for w in words)


def disconnect() -> None:
    """Go back to computing on this process's threads; a cluster that ``connect`` started is stopped.

    Values that live on the cluster are lost: read what is still needed before.
    """
    global _client, _scheduler
    client, scheduler, _client, _scheduler = _client, _scheduler, None, None
    if client is not None:
        with contextlib.suppress(Exception):
            client.close(timeout=5)
    for worker in _workers:
        worker.terminate()
    for worker in _workers:
        try:
            worker.wait(timeout=5)
        except subprocess.TimeoutExpired:
            worker.kill()
    _workers.clear()
    for log in _logs:
        log.close()
    _logs.clear()
    if scheduler is not None:
        with contextlib.suppress(Exception):
            scheduler.close(timeout=5)


atexit.register(disconnect)


def client() -> Any:
    """The client of the cluster in use: ``connect``'s, else the program's own; None when computing on threads."""
    if _client is not None:
        return _client
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return None
    try:
        return distributed.Client.current(allow_global=True)
    except ValueError:
        return None


def scatter(array: np.ndarray[Any, Any]) -> Any:
    """The array for a graph: itself, or a future of it on the cluster where sending it every time would cost more.

    Such values are lost with the worker that holds them, so small ones stay here.
    """
    cluster = client()
    if cluster is None or array.nbytes < LARGE:
        return array
    return cluster.scatter(array, hash=False, direct=False)


def persist(arrays: list[Any]) -> list[Any]:
    """The arrays with their values computed, in one run: kept in memory, or by the cluster's workers."""
    with counts.timed():
        values = _run(arrays)
    kept = []
    for x in arrays:
        blocks = {key[1:]: values[key] for key in _keys(x)}
        kept.append(lazy.from_blocks(lazy.unique("kept"), x.chunks, x.dtype, blocks))
    return kept


def _run(arrays: list[Any]) -> dict[Any, Any]:
    """The values (on a cluster: futures of the values) of all chunks of arrays, in one run."""
    keys = [key for x in arrays for key in _keys(x)]
    # One graph, optimized once: dask.optimize would do so for each array.
    graph = da_optimize(HighLevelGraph.merge(*[x.dask for x in arrays]), keys)
    counts.add(computes=1, tasks=len(graph))
    cluster = client()
    if cluster is None:
        get = dask.base.get_scheduler(collections=[arrays[0]])
        return dict(zip(keys, get(graph, keys)))
    futures = cluster.get(graph, keys, sync=False)
    _wait(futures)
    return dict(zip(keys, futures))


def compute(x: Any) -> np.ndarray[Any, Any]:
    """The values of an array."""
    with counts.timed():
        blocks = dict(x.dask.layers[x.name].items()) if lazy.is_data(x) else _run([x])
        if any(_is_future(b) for b in blocks.values()):
            blocks = _gathered(blocks)
        if x.npartitions == 1:
            return np.asarray(next(iter(blocks.values())))
        out = np.empty(x.shape, x.dtype)
        for key, value in blocks.items():
            at = tuple(slice(sum(c[:i]), sum(c[: i + 1])) for c, i in zip(x.chunks, key[1:]))
            out[at] = value
        return out


def _keys(x: Any) -> list[Any]:
    return [(x.name, *at) for at in itertools.product(*[range(len(c)) for c in x.chunks])]


def _is_future(value: Any) -> bool:
    return type(value).__name__ == "Future" and hasattr(value, "client")


def _gathered(blocks: dict[Any, Any]) -> dict[Any, Any]:
    futures = {key: b for key, b in blocks.items() if _is_future(b)}
    _wait(list(futures.values()))
    return {**blocks, **{key: _result(f) for key, f in futures.items()}}


def _result(future: Any) -> Any:
    try:
        return future.result(timeout=PATIENCE)
    except Exception as e:
        raise _explained(e) from e


def _wait(futures: list[Any]) -> None:
    """Wait for results for as long as somebody works on them; RuntimeError when nobody does any more."""
    from distributed import wait

    lonely: float | None = None
    cluster = client()
    if cluster is None and futures:
        raise RuntimeError("the values are on a cluster that was disconnected; read them before that")
    while futures:
        try:
            with cluster.as_current():
                wait(futures, timeout=2.0)
            break
        except TimeoutError:
            pass
        except Exception as e:
            raise _explained(e) from e
        if cluster.status not in ("running", "connecting"):
            raise RuntimeError("the connection to the Dask cluster was lost while it was computing; connect again")
        if cluster.scheduler_info(n_workers=-1)["workers"]:
            lonely = None
        elif lonely is None:
            lonely = time.monotonic()
        elif time.monotonic() - lonely > PATIENCE:
            raise RuntimeError(
                f"all workers of the Dask cluster died while it was computing, and none came back within {PATIENCE} "
                f"seconds; connect to a cluster again (torsh_dask.connect){_last_words()}"
            )
    for f in futures:
        if f.status in ("error", "cancelled", "lost"):
            _result(f)


def _explained(e: Exception) -> Exception:
    from distributed import CancelledError, KilledWorker
    from distributed.comm import CommClosedError

    if isinstance(e, KilledWorker):
        return RuntimeError(
            f"a worker of the Dask cluster died while it was computing ({e}). It may have run out of memory: use "
            f"smaller chunks or more workers{_last_words()}"
        )
    if isinstance(e, (CancelledError, CommClosedError, TimeoutError, OSError)):
        return RuntimeError(f"the Dask cluster lost a result or the connection: {type(e).__name__}: {e}")
    return e


__all__ = ["client", "compute", "connect", "disconnect", "persist"]
