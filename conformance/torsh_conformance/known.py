"""Known failures: ``known/<backend>.toml``, one line each, and strict in both directions.

A failure that is not listed is a finding, and so is a line that no longer applies.  A line is::

    "linalg_svd/float16:value" = { status = "never", reason = "LAPACK has no half precision" }

The key is op, dtype and check; ``*`` stands for anything.  Status: ``not implemented`` (no kernel), ``not yet``
(wrong, to be mended), ``never`` (differs on purpose; the reason says why).
"""

from __future__ import annotations

import fnmatch
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from torsh_conformance.runner import DTYPES, Failure, Part, Plan

FOLDER = Path(__file__).parent / "known"
STATUSES = ("not implemented", "not yet", "never")


@dataclass
class Known:
    """One line of a file."""

    backend: str
    key: str
    status: str
    reason: str
    ran: bool = False
    applied: bool = False

    def matches(self, op: str, dtype: str, check: str) -> bool:
        return fnmatch.fnmatchcase(f"{op}/{dtype}:{check}", self.pattern)

    @property
    def pattern(self) -> str:
        front, _, check = self.key.partition(":")
        return f"{front if '/' in front else front + '/*'}:{check or '*'}"


def load(backend: str, folder: Path = FOLDER) -> list[Known]:
    """The known failures of a backend.  ValueError for a line without status or reason."""
    file = folder / f"{backend}.toml"
    if not file.exists():
        return []
    found = []
    for key, line in tomllib.loads(file.read_text()).items():
        if not isinstance(line, dict) or line.get("status") not in STATUSES or not str(line.get("reason", "")).strip():
            raise ValueError(f"{file}: {key!r} needs status (one of {', '.join(STATUSES)}) and a reason, got {line!r}")
        found.append(Known(backend, key, line["status"], line["reason"]))
    return found


def apply(parts: list[Part], folder: Path = FOLDER, plan: Plan | None = None) -> list[Known]:
    """Mark the failures that are known; returns the lines that no longer apply to what was run.

    plan: what was run.  With only some samples nothing can be said about lines; a line for any dtype is judged only by a
    run with all the usual ones.
    """
    some_samples = plan is not None and (plan.samples is not None or plan.only is not None)
    usual_dtypes = plan is None or set(DTYPES) <= set(plan.dtypes)
    tables: dict[str, list[Known]] = {}
    for part in parts:
        for cell in part.cells:
            lines = tables.setdefault(cell.backend, load(cell.backend, folder))
            for line in lines:
                if not line.ran and cell.cases:
                    line.ran = any(line.matches(cell.op, cell.dtype, check) for check in cell.checks)
        for failure in part.failures:
            for line in tables.setdefault(failure.backend, load(failure.backend, folder)):
                if line.matches(failure.op, failure.dtype, failure.check):
                    line.applied = True
                    failure.known = {"key": line.key, "status": line.status, "reason": line.reason}
                    break
    if some_samples:
        return []
    unused = [line for lines in tables.values() for line in lines if line.ran and not line.applied]
    return [line for line in unused if usual_dtypes or "*" not in line.pattern.partition(":")[0]]


def record(failures: list[Failure], folder: Path) -> list[Path]:
    """Write the failures that nobody knows yet into the files, for a person to look at and give reasons.

    Lines that exist stay.  The reason of a new one is the first message seen.
    """
    written = []
    for backend in sorted({f.backend for f in failures}):
        file = folder / f"{backend}.toml"
        old = (
            file.read_text()
            if file.exists()
            else f"# Known failures of the {backend} backend; see torsh_conformance/known.py.\n"
        )
        lines: dict[str, str] = {}
        for f in failures:
            if f.backend == backend and f.known is None:
                status = "not implemented" if f.status == "missing" else "not yet"
                reason = re.sub(r"\s+", " ", f.message)[:160]
                lines.setdefault(
                    f"{f.op}/{f.dtype}:{f.check}",
                    f"{{ status = {json.dumps(status)}, reason = {json.dumps(reason, ensure_ascii=False)} }}",
                )
        if lines:
            folder.mkdir(parents=True, exist_ok=True)
            file.write_text(old + "".join(f"{json.dumps(k)} = {v}\n" for k, v in sorted(lines.items())))
            written.append(file)
    return written
