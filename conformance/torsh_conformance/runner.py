"""Running cases: what to run, in how many processes, and what is kept of it.

The unit of work is one subject on all targets, so that the reference answers once for all backends.  What comes back is
already summed up per (op, backend, device, dtype), with every failure in full.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any

from torsh.dispatch import Mode
from torsh_conformance.checks import CHECKS, Answers, Outcome, run_case
from torsh_conformance.library import Library, tensors_in
from torsh_conformance.sample import S, generate
from torsh_conformance.subjects import Subject, all_subjects

DTYPES = ("float32", "float64", "int64", "bool", "complex64")
ALL_DTYPES = (
    "float32", "float64", "int64", "bool", "complex64", "float16", "bfloat16", "complex128", "uint8", "int8", "int16",
    "int32",
)  # fmt: skip
QUICK_DTYPES = ("float32", "int64")
QUICK_CHECKS = frozenset(CHECKS) - {"gradgrad", "noncontiguous", "decomposition", "meta", "out", "inplace"}


@dataclass(frozen=True)
class Target:
    """A backend on one of its devices."""

    backend: str
    device: str

    def __str__(self) -> str:
        return f"{self.backend}/{self.device}"


@dataclass(frozen=True)
class Plan:
    """What to run.  ``samples``: at most so many per op and dtype.  ``limit``: seconds one case may take."""

    targets: tuple[Target, ...]
    dtypes: tuple[str, ...] = DTYPES
    checks: frozenset[str] = frozenset(CHECKS)
    samples: int | None = None
    reference: str = "torch"
    limit: float = 10.0
    timings: str = "both"  # "none", "small" or "both"
    only: tuple[str, int] | None = None  # dtype and number of the one sample to run


@dataclass
class Cell:
    """All cases of one (op, backend, device, dtype)."""

    op: str
    backend: str
    device: str
    dtype: str
    cases: int = 0
    checks: dict[str, list[int]] = field(default_factory=dict)  # check -> [passed, failed, missing]
    ulp: float | None = None
    reference_ulp: float | None = None
    source: str = ""


@dataclass
class Failure:
    """A check that did not pass."""

    op: str
    backend: str
    device: str
    dtype: str
    sample: int
    check: str
    status: str
    message: str
    call: str
    known: dict[str, str] | None = None

    @property
    def id(self) -> str:
        return f"{self.op}/{self.backend}/{self.device}/{self.dtype}/{self.sample}"


@dataclass
class Part:
    """What the run of one subject gave."""

    op: str
    path: str
    family: str
    derived: bool
    cells: list[Cell] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    timings: list[dict[str, Any]] = field(default_factory=list)
    usable: int = 0  # samples that the reference accepts
    seconds: float = 0.0


class TimedOut(Exception):
    """A case ran past its limit."""


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TimedOut inside after a number of seconds (main thread on systems with SIGALRM; else no limit)."""
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise TimedOut(f"no answer within {seconds:g} s")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def reference_library(name: str) -> Library:
    """``torch``: PyTorch itself; ``numpy``: torsh on its NumPy backend."""
    if name == "torch":
        import torch

        torch.set_num_threads(1)
        return Library(torch)
    import torsh

    return Library(torsh, name)


def default_reference() -> str:
    """PyTorch where it is installed, else the NumPy backend."""
    import importlib.util

    return "torch" if importlib.util.find_spec("torch") is not None else "numpy"


def targets(backends: list[str] | None = None) -> tuple[list[Target], list[dict[str, Any]]]:
    """What can be run here, and a description of every backend known (those that cannot run say why).

    backends: names, or None for all.  Raises BackendUnavailable for one that is asked for by name and cannot run.
    """
    from torsh import registry

    found: list[Target] = []
    described: list[dict[str, Any]] = []
    for name in registry.names():
        info: dict[str, Any] = {"name": name, "version": None, "devices": [], "available": False, "reason": None}
        described.append(info)
        try:
            backend = registry.get(name)
            info["version"] = backend.version()
            info["devices"] = [str(d) for d in backend.devices() if d.type != "meta"]
            info["available"] = True
        except (registry.BackendUnavailable, ImportError, NotImplementedError) as e:
            info["reason"] = str(e)
            if backends is not None and name in backends:
                raise
            continue
        if not info["devices"] or (backends is not None and name not in backends):
            info["run"] = False
            continue
        info["run"] = True
        found += [Target(name, d) for d in info["devices"] if works(name, d)]
        info["devices"] = [t.device for t in found if t.backend == name]
    unknown = set(backends or ()) - set(registry.names())
    if unknown:
        registry.get(sorted(unknown)[0])
    return found, described


def works(backend: str, device: str) -> bool:
    """Whether a backend really takes an array on a device it names."""
    import numpy as np

    import torsh
    from torsh import dtypes, registry
    from torsh.device import device as Device

    try:
        found = registry.get(backend)
        raw = found.from_host(np.ones(2, np.float32), dtypes.float32, Device(device))
        return bool(np.asarray(found.to_host(raw)).sum() == 2) and torsh is not None
    except Exception:  # whatever the library raises for a device that is not there
        return False


# ---- one subject -----------------------------------------------------------------------------------------------------


def run_subject(subject: Subject, plan: Plan) -> Part:
    """All cases of one subject."""
    started = time.perf_counter()
    reference = reference_library(plan.reference)
    import torsh

    part = Part(subject.name, subject.path, subject.family, subject.derived)
    cells: dict[tuple[Target, str], Cell] = {}
    for dtype in plan.dtypes:
        if plan.only is not None and plan.only[0] != dtype:
            continue
        for number, sample in enumerate(_samples(subject, dtype, plan, part)):
            if plan.only is not None and plan.only[1] != number:
                continue
            answers = Answers(reference, subject, sample, dtype, plan.reference == "torch")
            try:
                with limited(plan.limit):
                    part.usable += answers.run.error is None
            except TimedOut:
                continue
            for target in plan.targets:
                cell = cells.get((target, dtype))
                if cell is None:
                    cell = cells[target, dtype] = Cell(subject.name, target.backend, target.device, dtype)
                library = Library(torsh, target.backend, target.device)
                try:
                    with limited(plan.limit):
                        outcomes = run_case(subject, sample, answers, library, dtype, plan.checks)
                except TimedOut as e:
                    outcomes = [Outcome("value", "fail", str(e))]
                _add(part, cell, number, sample, outcomes)
                if not cell.source and outcomes[0].status == "pass":
                    cell.source = _source(subject, sample, library)
    part.cells = list(cells.values())
    if plan.timings != "none" and plan.only is None and subject.values_defined:
        from torsh_conformance.timing import time_subject

        part.timings = time_subject(subject, plan, reference)
    part.seconds = time.perf_counter() - started
    return part


def _samples(subject: Subject, dtype: str, plan: Plan, part: Part) -> Iterator[S]:
    """The samples of a subject.

    A generator may raise TypeError in a dtype that it means nothing to; any other exception is a finding.
    """
    try:
        for number, sample in enumerate(generate(subject.path, subject.generator, dtype)):
            if plan.samples is not None and number >= plan.samples and plan.only is None:
                return
            yield sample
    except Exception as e:  # the sample's author's mistake, told under the op's name
        if isinstance(e, TypeError) and dtype not in ("float32", "float64"):
            return
        for target in plan.targets:
            part.failures.append(
                Failure(subject.name, target.backend, target.device, dtype, -1, "samples", "fail",
                        f"the sample generator raised {type(e).__name__}: {e}", "")
            )  # fmt: skip


def _add(part: Part, cell: Cell, number: int, sample: S, outcomes: list[Outcome]) -> None:
    cell.cases += 1
    for o in outcomes:
        if o.status == "skip":
            continue
        counts = cell.checks.setdefault(o.check, [0, 0, 0])
        counts[("pass", "fail", "missing").index(o.status)] += 1
        if o.ulp is not None and o.check == "value":
            cell.ulp = max(o.ulp, cell.ulp or 0.0)
            cell.reference_ulp = max(o.reference_ulp or 0.0, cell.reference_ulp or 0.0)
        if o.status != "pass":
            part.failures.append(
                Failure(
                    part.op, cell.backend, cell.device, cell.dtype, number, o.check, o.status, o.message, repr(sample)
                )
            )


class _Sources(Mode):
    """Collects where the kernels of the ops that run come from."""

    def __init__(self) -> None:
        self.found: set[str] = set()

    def intercept(self, op: Any, args: tuple[Any, ...], proceed: Any) -> Any:
        result = proceed(*args)
        for t in tensors_in([args, result]):
            if t._kind in op.kernels.sources:
                self.found.add(op.kernels.sources[t._kind])
                break
        return result


def _source(subject: Subject, sample: S, library: Library) -> str:
    """Where the kernels of the ops behind a call come from: native, generic, composed; empty where none is needed."""
    with library.running(), _Sources() as sources:
        library.call(subject, sample)
    return " + ".join(s for s in ("native", "generic", "composed", "missing") if s in sources.found)


# ---- many ------------------------------------------------------------------------------------------------------------


def run(
    names: list[str], plan: Plan, jobs: int = 1, progress: Callable[[Part], None] = lambda part: None
) -> list[Part]:
    """Run subjects by name in ``jobs`` processes.

    Few of them, or with one job, run in this process, unless they are timed: libraries read how many threads they may use
    when they are loaded, and BLAS threads that wait for a busy core were measured to make a product 100 times slower.
    """
    timed = plan.timings != "none" and os.environ.get("OMP_NUM_THREADS") != "1"
    if not timed and (jobs <= 1 or len(names) < 4):
        found = {s.name: s for s in all_subjects()}
        parts = []
        for name in names:
            part = run_subject(found[name], plan)
            progress(part)
            parts.append(part)
        return parts
    return _run_parallel(names, plan, jobs, progress)


def _run_parallel(names: list[str], plan: Plan, jobs: int, progress: Callable[[Part], None]) -> list[Part]:
    """The same in worker processes; an op that kills its worker is found by running the rest one at a time."""
    parts: dict[str, Part] = {}
    left = list(names)
    context = multiprocessing.get_context("spawn")
    with single_threaded():
        while left:
            size = 1 if len(left) < len(names) else min(jobs, len(names))
            with concurrent.futures.ProcessPoolExecutor(size, context, initializer=_start) as pool:
                futures = {pool.submit(_work, name, plan): name for name in left}
                try:
                    for done in concurrent.futures.as_completed(futures):
                        part = parts[futures[done]] = done.result()
                        progress(part)
                    left = []
                except BrokenProcessPool:
                    pending = [n for n in left if n not in parts]
                    if size == 1:
                        part = parts[pending[0]] = _crashed(pending[0], plan)
                        progress(part)
                        pending = pending[1:]
                    left = pending
    return [parts[n] for n in names if n in parts]


@contextlib.contextmanager
def single_threaded() -> Iterator[None]:
    """Worker processes started inside use one thread each, so that jobs and libraries do not fight for cores."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    before = {n: os.environ.get(n) for n in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for n, value in before.items():
            if value is None:
                os.environ.pop(n, None)
            else:
                os.environ[n] = value


_subjects: dict[str, Subject] = {}


def _start() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _subjects.update({s.name: s for s in all_subjects()})


def _work(name: str, plan: Plan) -> Part:
    return run_subject(_subjects[name], plan)


def _crashed(name: str, plan: Plan) -> Part:
    part = Part(name, name, "", False)
    for target in plan.targets:
        part.failures.append(
            Failure(name, target.backend, target.device, plan.dtypes[0], -1, "crash", "fail", "the process died", "")
        )
    return part
