"""``torsh conform``: run the suite and write the report."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from torsh_conformance import known, report
from torsh_conformance.checks import CHECKS
from torsh_conformance.runner import (
    ALL_DTYPES,
    DTYPES,
    QUICK_CHECKS,
    QUICK_DTYPES,
    Part,
    Plan,
    Target,
    default_reference,
    run,
    targets,
)
from torsh_conformance.subjects import all_subjects


class Usage(ValueError):
    """The command was given something it cannot use; exit code 2."""


def conform(
    *,
    ops: str | None = None,
    backends: str | None = None,
    dtypes: str | None = None,
    checks: str | None = None,
    quick: bool = False,
    out: Path = Path("conformance-report"),
    case: str | None = None,
    jobs: int | None = None,
    matrix: Path | None = None,
    from_report: Path | None = None,
    known_failures: Path | None = None,
    record: bool = False,
    mutants: bool = False,
    timings: bool = True,
    cases: bool = True,
    accuracy: bool = False,
    points: int | None = None,
    accuracy_table: Path | None = None,
) -> int:
    """Measure how right and how fast each op is on each backend, and write report.json, report.html and junit.xml.

    Exit code: 0 everything is as recorded, 1 there are findings, 2 the command was wrong.

    Parameters
    ----------
    ops
        Only ops whose name or path matches this regular expression.
    backends
        Names, separated by commas; default: all that can run here.
    dtypes
        Names, separated by commas, or "all".
    checks
        Names of checks, separated by commas; default: all.
    quick
        Two dtypes, two samples an op, the main checks.
    out
        Folder of the report.
    case
        Run one case, op/backend/device/dtype/sample, and show everything about it.
    jobs
        Processes; default: one per core.
    matrix
        Also write the support matrix as Markdown to this file.
    from_report
        Do not run: make the pages from this report.json.
    known_failures
        Folder with the lists of known failures; default: the one that comes with torsh.
    record
        Append failures that are not listed yet to the lists of known failures.
    mutants
        Also run deliberately broken backends, and say how many the suite catches.
    timings
        Compare times with the reference's.
    cases
        Run the cases; --no-cases leaves only what else is asked for.
    accuracy
        Also measure the errors of elementwise functions against exact values, beside PyTorch's.
    points
        At how many points; default: 100000 in each dtype (--quick: 2000 in float32, 500 in float64).
    accuracy_table
        Also write the table of --accuracy as Markdown to this file.
    """
    errors = Console(stderr=True)
    folder = known_failures or known.FOLDER
    try:
        if from_report is not None:
            return _pages(from_report, out, matrix, accuracy_table)
        if case is not None:
            return show_case(case)
        return _conform(
            ops=ops, backends=_words(backends), plan_dtypes=_dtypes(dtypes, quick), checks=_checks(checks, quick),
            quick=quick, out=out, jobs=jobs or os.cpu_count() or 1, matrix=matrix, folder=folder, record=record,
            mutants=mutants, timings=timings, cases=cases, counts=_counts(accuracy, points, dtypes, quick),
            table=accuracy_table, errors=errors,
        )  # fmt: skip
    except Usage as e:
        errors.print(f"torsh conform: {e}", markup=False, highlight=False, soft_wrap=True)
        return 2


def _words(text: str | None) -> list[str] | None:
    return None if text is None else [w.strip() for w in text.split(",") if w.strip()]


def _dtypes(text: str | None, quick: bool) -> tuple[str, ...]:
    from torsh.dtypes import BY_NAME

    if text == "all":
        return ALL_DTYPES
    words = _words(text)
    if not words:
        return QUICK_DTYPES if quick else DTYPES
    for w in words:
        if w not in BY_NAME:
            raise Usage(f"unknown dtype {w!r}; known are {', '.join(BY_NAME)}")
    return tuple(words)


def _counts(accuracy: bool, points: int | None, dtypes: str | None, quick: bool) -> dict[str, int] | None:
    """dtype -> number of points of the accuracy table, None for no table."""
    if not accuracy:
        return None
    from torsh_conformance.accuracy.measure import POINTS

    if points is not None and points < 1:
        raise Usage(f"--points must be at least 1, got {points}")
    default = {"float32": 2000, "float64": 500} if quick else POINTS
    wanted = _words(dtypes) if dtypes not in (None, "all") else None
    return {d: points or n for d, n in default.items() if wanted is None or d in wanted}


def _checks(text: str | None, quick: bool) -> frozenset[str]:
    words = _words(text)
    if not words:
        return QUICK_CHECKS if quick else frozenset(CHECKS)
    for w in words:
        if w not in CHECKS:
            raise Usage(f"unknown check {w!r}; known are {', '.join(CHECKS)}")
    return frozenset(words)


def _targets(backends: list[str] | None) -> tuple[list[Target], list[dict[str, Any]]]:
    from torsh.registry import BackendUnavailable

    try:
        found, described = targets(backends)
    except BackendUnavailable as e:
        raise Usage(str(e)) from None
    if not found:
        raise Usage("no backend can run here")
    return found, described


def _subjects(pattern: str | None) -> list[Any]:
    import re

    try:
        found = all_subjects(pattern)
    except re.error as e:
        raise Usage(f"{pattern!r} is no regular expression: {e}") from None
    if not found:
        raise Usage(f"no op matches {pattern!r}")
    return found


def _conform(
    *, ops: str | None, backends: list[str] | None, plan_dtypes: tuple[str, ...], checks: frozenset[str], quick: bool,
    out: Path, jobs: int, matrix: Path | None, folder: Path, record: bool, mutants: bool, timings: bool, cases: bool,
    counts: dict[str, int] | None, table: Path | None, errors: Console,
) -> int:  # fmt: skip
    if table is not None and counts is None:
        raise Usage("--accuracy-table needs --accuracy")
    found, described = _targets(backends)
    subjects = _subjects(ops) if cases else []
    plan = Plan(
        tuple(found), plan_dtypes, checks, 2 if quick else None, default_reference(), 10.0 if quick else 30.0,
        "none" if not timings else "small" if quick else "both",
    )  # fmt: skip
    started = time.perf_counter()
    with _bar(errors) as progress:
        task = progress.add_task("ops", total=len(subjects))

        def advance(part: Part) -> None:
            progress.update(task, advance=1, description=part.op)

        parts = run([s.name for s in subjects], plan, jobs, advance)
    try:
        stale = known.apply(parts, folder, plan)
    except ValueError as e:
        raise Usage(str(e)) from None
    if record:
        for file in known.record([f for p in parts for f in p.failures], folder):
            errors.print(f"recorded in {file}", highlight=False)
        stale = known.apply(parts, folder, plan)
    extra = {}
    if mutants:
        extra["mutants"] = run_mutants(errors)
    if counts is not None:
        extra["accuracy"] = run_accuracy(ops, found, counts, jobs, errors)
    data = report.build(parts, plan, described, stale, report.environment(report.command_line(), jobs), extra)
    files = report.write_all(data, out)
    if matrix is not None:
        report.write(matrix, report.to_matrix(data))
        files.append(matrix)
    if table is not None:
        report.write(table, report.to_accuracy(data))
        files.append(table)
    _summary(Console(), data, files, time.perf_counter() - started)
    clean = not data["summary"]["findings"] and not stale
    caught = not mutants or extra["mutants"]["caught"] == extra["mutants"]["total"]
    exact = counts is None or not any(v.get("worse") for v in extra["accuracy"]["verdicts"].values())
    return 0 if clean and caught and exact else 1


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description:24.24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)


def _pages(source: Path, out: Path, matrix: Path | None, table: Path | None) -> int:
    import json

    try:
        data = json.loads(source.read_text())
    except (OSError, ValueError) as e:
        raise Usage(f"cannot read {source}: {e}") from None
    if data.get("schema") != report.SCHEMA:
        raise Usage(f"{source} has schema {data.get('schema')!r}, this version reads {report.SCHEMA!r}")
    if table is not None and "accuracy" not in data:
        raise Usage(f"{source} has no table of errors: it was made without --accuracy")
    if matrix is not None:
        report.write(matrix, report.to_matrix(data))
    if table is not None:
        report.write(table, report.to_accuracy(data))
    if matrix is None and table is None:
        report.write_all(data, out)
    return 0


def _summary(console: Console, data: dict[str, Any], files: list[Path], seconds: float) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("backend", "checks", "passed", "failed", "not implemented"):
        table.add_column(title, justify="left" if title == "backend" else "right")
    for name, c in data["summary"]["backends"].items():
        table.add_row(name, *(str(c.get(k, 0)) for k in ("checks", "passed", "failed", "missing")))
    for b in data["backends"]:
        if not b["available"]:
            table.add_row(b["name"], "not run here", "", "", "")
    console.print(table)
    s = data["summary"]
    console.print(f"{s['ops']} ops, {s['cases']} cases in {seconds:.0f} s; reference: {data['reference']['name']}")
    style = "green" if not s["findings"] and not s["stale"] else "red"
    console.print(f"[{style}]{s['findings']} findings, {s['stale']} stale lines[/], {s['known']} known failures")
    shown = [f for f in data["failures"] if f["known"] is None][:5]
    for f in shown:
        console.print(f"  {f['id']} {f['check']}: {f['message'][:150]}", markup=False, highlight=False, soft_wrap=True)
    for line in data["stale"][:5]:
        console.print(
            f"  stale: {line['backend']}.toml {line['key']!r} no longer applies", markup=False, highlight=False
        )
    console.print("wrote " + ", ".join(str(f) for f in files), markup=False, highlight=False, soft_wrap=True)


def run_mutants(errors: Console) -> dict[str, Any]:
    """Run the broken backends with a bar; prints those that nobody noticed."""
    from torsh_conformance.mutants import MUTANTS, hunt

    verdicts = []
    with _bar(errors) as progress:
        task = progress.add_task("mutants", total=len(MUTANTS))
        for mutant in MUTANTS:
            verdicts.append(hunt(mutant))
            progress.update(task, advance=1, description=mutant.name)
    caught = sum(v.caught for v in verdicts)
    console = Console()
    console.print(f"mutation score: {caught} of {len(verdicts)} broken backends caught")
    for v in verdicts:
        if not v.caught:
            console.print(f"  [red]not caught:[/] {v.name} ({v.text})")
    return {
        "caught": caught, "total": len(verdicts),
        "list": [{"name": v.name, "text": v.text, "caught": v.caught, "by": v.by} for v in verdicts],
    }  # fmt: skip


def run_accuracy(
    pattern: str | None, found: list[Target], counts: dict[str, int], jobs: int, errors: Console
) -> dict[str, Any]:
    """Measure errors with a bar, and print the table."""
    try:
        from torsh_conformance.accuracy import measure
    except ModuleNotFoundError as e:
        package = {"flint": "python-flint"}.get(e.name or "", e.name)
        raise Usage(f"--accuracy needs {package}: pip install {package}") from None
    functions = measure.chosen(pattern)
    if not functions:
        raise Usage(f"no function of one number matches {pattern!r}")
    with _bar(errors) as progress:
        task = progress.add_task("accuracy", total=len(functions) * len(counts))
        rows = measure.run(
            functions, found, counts, jobs, lambda row: progress.update(task, advance=1, description=row.function)
        )
    data = measure.plain(rows, found)
    table = Table(
        box=None, pad_edge=False, title="Largest error in ulp, away from roots (near roots), share above 4 ulp"
    )
    for name in ("function", "dtype", *data["columns"]):
        table.add_column(name, justify="right" if name in data["columns"] else "left", no_wrap=True)
    colors = {"good": "green", "as PyTorch": "yellow", "worse": "red", "above": "red"}
    for row in data["rows"]:
        line = [escape(row["function"]), row["dtype"]]
        for name in data["columns"]:
            e = row["errors"].get(name)
            if e is None or e["refused"]:
                line.append("refused" if e else "")
                continue
            text = report.ulp_text(float(e["largest"])) if e["largest"] is not None else ""
            color = colors.get(row["verdicts"].get(name, ""))
            near = f" ({report.ulp_text(float(e['near_root']))})" if e["near_root"] is not None else ""
            line.append((f"[{color}]{text}[/]" if color else text) + near + f" {report.share_text(e['above']):>7}")
        table.add_row(*line)
    console = Console()
    if not console.is_terminal:  # a file has no width
        console = Console(width=40 + 30 * len(data["columns"]))
    console.print(table)
    for name, verdicts in data["verdicts"].items():
        console.print(f"{name}: " + ", ".join(f"{n} {v}" for v, n in sorted(verdicts.items())), highlight=False)
    return data


# ---- one case --------------------------------------------------------------------------------------------------------


def show_case(text: str) -> int:
    """Run one case and show its call, what came out and what was expected.  Returns 1 if a check fails."""
    import numpy as np

    import torsh
    from torsh_conformance.checks import Answers, run_case
    from torsh_conformance.library import Library
    from torsh_conformance.runner import reference_library
    from torsh_conformance.sample import generate

    words = text.rsplit("/", 4)
    if len(words) != 5 or not words[4].isdigit():
        raise Usage(f"a case is op/backend/device/dtype/sample, e.g. add/numpy/cpu/float32/0; got {text!r}")
    name, backend, device, dtype, number = words
    subject = next((s for s in all_subjects() if s.name == name), None)
    if subject is None:
        raise Usage(f"no op is called {name!r}")
    _dtypes(dtype, False)
    _targets([backend])
    samples = list(generate(subject.path, subject.generator, dtype))
    if int(number) >= len(samples):
        raise Usage(f"{name} has {len(samples)} samples for {dtype}; there is no number {number}")
    sample = samples[int(number)]
    reference = default_reference()
    answers = Answers(reference_library(reference), subject, sample, dtype, reference == "torch")
    library = Library(torsh, backend, device)
    console = Console(highlight=False)
    console.print(f"[bold]{subject.path}[/]  {sample.label}")
    with np.printoptions(precision=9, threshold=60, edgeitems=3):
        for i, a in enumerate(sample.args):
            console.print(f"  argument {i}: {_value(a)}", markup=False)
        for k, a in sample.kwargs.items():
            console.print(f"  {k}: {_value(a)}", markup=False)
        expected = answers.run
        with library.running():
            actual = library.call(subject, sample)
        for title, result in ((f"reference ({reference})", expected), (f"torsh on {backend}", actual)):
            console.print(f"[bold]{title}[/]")
            if result.error is not None:
                console.print(f"  raised {type(result.error).__name__}: {result.error}", markup=False)
            for leaf in result.leaves:
                console.print(
                    f"  {leaf.where}: {leaf.kind} {leaf.dtype or ''} {list(leaf.shape or ())}\n{leaf.value}",
                    markup=False,
                )
    outcomes = run_case(subject, sample, answers, library, dtype, frozenset(CHECKS))
    console.print("[bold]checks[/]")
    for o in outcomes:
        color = {"pass": "green", "skip": "dim"}.get(o.status, "red")
        error = f" {o.ulp:.2f} ulp (reference {o.reference_ulp or 0:.2f})" if o.ulp is not None else ""
        console.print(f"  [{color}]{o.status:8}[/]{o.check}{error}")
        if o.message:
            console.print(f"           {o.message}", markup=False)
    return 1 if any(o.status in ("fail", "missing") for o in outcomes) else 0


def _value(a: Any) -> str:
    import numpy as np

    if isinstance(a, np.ndarray):
        return f"{a.dtype.name}{list(a.shape)}\n{a}"
    return repr(a)
