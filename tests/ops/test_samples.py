"""Every sample of every op, in its function form, against PyTorch: structure, shapes, dtypes, values, exceptions.

One test per op and backend.  What fails must be in the backend's list of known failures, and what is listed must fail.
"""

from __future__ import annotations

import functools

import pytest

pytest.importorskip("torch")

from torsh_conformance import known
from torsh_conformance.checks import CHECKS
from torsh_conformance.runner import ALL_DTYPES, Failure, Part, Plan, Target, run_subject
from torsh_conformance.subjects import all_subjects

SUBJECTS = {s.name: s for s in all_subjects()}
BACKENDS = ("numpy", "torch")
DTYPES = ("float32", "int64", "bool", "complex64")
FUNCTION = frozenset({"error", "metadata", "value"})


# Ops that no sample can call: what they need is no tensor.
# Ops whose inputs samples cannot describe, and what these would be.
NO_SAMPLES = {"from_numpy": "a NumPy array", "frombuffer": "a buffer", "from_file": "a file", "cuda": "a GPU"}
# Samples are dense: what takes sparse tensors is tested in tests/sparse.
SPARSE = {name for name, subject in SUBJECTS.items() if subject.family == "sparse"}


@functools.lru_cache(None)
def part_of(name: str) -> Part:
    """One run of an op on all backends, so that PyTorch is asked only once."""
    targets = tuple(Target(b, "cpu") for b in BACKENDS)
    plan = Plan(targets, DTYPES, FUNCTION, limit=5.0, timings="none")
    part = run_subject(SUBJECTS[name], plan)
    for line in known.apply([part], plan=plan):
        part.failures.append(
            Failure(
                name, line.backend, "cpu", "", -1, "known", "fail", f"{line.key!r} no longer applies: remove it", ""
            )
        )
    return part


def told(part: Part, backend: str) -> str:
    found = [f for f in part.failures if f.backend == backend and f.known is None]
    return "\n".join(f"{f.id} {f.check}: {f.message}\n    {f.call}" for f in found[:6])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", SUBJECTS)
def test_function_agrees_with_torch(name: str, backend: str) -> None:
    findings = told(part_of(name), backend)
    assert not findings, findings


@pytest.mark.parametrize("name", [n for n in SUBJECTS if n not in NO_SAMPLES and n not in SPARSE])
def test_some_sample_is_usable(name: str) -> None:
    """An op whose samples PyTorch all refuses is not tested at all: it needs a generator of its own."""
    assert part_of(name).usable, f"PyTorch refuses every sample of {SUBJECTS[name].path}: write a generator for it"


@pytest.mark.slow
@pytest.mark.parametrize("name", SUBJECTS)
def test_all_checks_in_all_dtypes(name: str) -> None:
    targets = tuple(Target(b, "cpu") for b in BACKENDS)
    part = run_subject(SUBJECTS[name], Plan(targets, ALL_DTYPES, frozenset(CHECKS), timings="none"))
    known.apply([part])
    findings = "\n".join(filter(None, (told(part, b) for b in BACKENDS)))
    assert not findings, findings
