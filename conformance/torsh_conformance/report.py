"""The report: one JSON file, and everything made from it (HTML page, JUnit file, matrix for the docs, badge)."""

from __future__ import annotations

import datetime
import html
import importlib.metadata
import json
import os
import platform
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from torsh_conformance.compare import ulp_text
from torsh_conformance.known import Known
from torsh_conformance.runner import Part, Plan

SCHEMA = "torsh-conformance/1"

# State of a cell, worst first.
STATES = ("fail", "missing", "known", "pass", "none")


def environment(command: str, jobs: int) -> dict[str, Any]:
    """Where and how the run was made."""
    versions = {}
    for name in ("torsh-array", "numpy", "torch", "scipy", "numba", "dask", "ml_dtypes", "opt_einsum", "cupy"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": command,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "jobs": jobs,
        "threads": "1 per process",
        "versions": versions,
    }


def cpu() -> str:
    """The processor's name, as the system gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def build(
    parts: list[Part],
    plan: Plan,
    backends: list[dict[str, Any]],
    stale: list[Known],
    env: dict[str, Any],
    extra: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The report as plain data."""
    failures = [{**asdict(f), "id": f.id} for p in parts for f in p.failures]
    checks: dict[str, Counter[str]] = {}
    for p in parts:
        for c in p.cells:
            counts = checks.setdefault(c.backend, Counter())
            for passed, failed, missing in c.checks.values():
                counts["passed"] += passed
                counts["failed"] += failed
                counts["missing"] += missing
                counts["checks"] += passed + failed + missing
            counts["cases"] += c.cases
    known = sum(f["known"] is not None for f in failures)
    return {
        "schema": SCHEMA,
        "environment": env,
        "reference": {
            "name": plan.reference,
            "text": "PyTorch itself; errors in ulp against PyTorch in float64" if plan.reference == "torch"
            else f"torsh's {plan.reference} backend; without PyTorch dtypes, exceptions and times are not judged",
        },
        "plan": {"dtypes": list(plan.dtypes), "checks": sorted(plan.checks), "samples": plan.samples},
        "backends": backends,
        "targets": [{"backend": t.backend, "device": t.device} for t in plan.targets],
        "summary": {
            "ops": len(parts), "cases": sum(c.cases for p in parts for c in p.cells), "findings": len(failures) - known,
            "known": known, "stale": len(stale), "backends": {k: dict(v) for k, v in checks.items()},
        },
        "ops": [
            {"op": p.op, "path": p.path, "family": p.family, "samples": "derived" if p.derived else "own",
             "usable": p.usable, "seconds": round(p.seconds, 4)}
            for p in parts
        ],
        "results": [asdict(c) for p in parts for c in p.cells],
        "timings": [t for p in parts for t in p.timings],
        "failures": failures,
        "remarks": _remarks(plan),
        "stale": [{"backend": k.backend, "key": k.key, "status": k.status, "reason": k.reason} for k in stale],
        **(extra or {}),
    }  # fmt: skip


def _remarks(plan: Plan) -> dict[str, list[str]]:
    """What the backends that were run say of how ops run on them."""
    from torsh import registry

    found = {t.backend: registry.get(t.backend).remarks() for t in plan.targets}
    return {name: lines for name, lines in found.items() if lines}


def write(path: Path, text: str) -> None:
    """Write a file under another name first, so that nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def write_all(report: dict[str, Any], folder: Path) -> list[Path]:
    """report.json, report.html, junit.xml and badge.svg."""
    made = {
        "report.json": json.dumps(report, indent=1),
        "report.html": to_html(report),
        "junit.xml": to_junit(report),
        "badge.svg": to_badge(report),
    }
    for name, text in made.items():
        write(folder / name, text)
    return [folder / name for name in made]


# ---- the table all pages show ----------------------------------------------------------------------------------------


def state(cell: dict[str, Any] | None, failures: list[dict[str, Any]]) -> str:
    """What a cell looks like: fail, missing, known, pass, or none (nothing could be checked)."""
    if cell is None:
        return "none"
    if any(f["known"] is None and f["status"] == "fail" for f in failures):
        return "fail"
    if any(f["status"] == "missing" for f in failures):
        return "missing"
    if failures:
        return "known"
    return "pass" if any(sum(c) for c in cell["checks"].values()) else "none"


def table(report: dict[str, Any]) -> list[dict[str, Any]]:
    """One row per op: for each target the state by dtype, the largest error and the times."""
    cells = {(c["op"], c["backend"], c["device"], c["dtype"]): c for c in report["results"]}
    failures: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for f in report["failures"]:
        failures.setdefault((f["op"], f["backend"], f["device"], f["dtype"]), []).append(f)
    times = {(t["op"], t["backend"], t["device"], t["size"]): t for t in report["timings"]}
    rows = []
    for op in report["ops"]:
        row = {**op, "targets": []}
        for t in report["targets"]:
            states, errors, sources = [], [], set()
            for dtype in report["plan"]["dtypes"]:
                key = (op["op"], t["backend"], t["device"], dtype)
                found, cell = failures.get(key, []), cells.get(key)
                states.append({"dtype": dtype, "state": state(cell, found), "why": why(cell, found)})
                if cell is not None:
                    if cell["ulp"] is not None:
                        errors.append(cell["ulp"])
                    if cell["source"]:
                        sources.add(cell["source"])
            row["targets"].append({
                **t, "states": states, "state": overall(states), "ulp": ulp_text(max(errors)) if errors else "",
                "source": ", ".join(sorted(sources)),
                "small": times.get((op["op"], t["backend"], t["device"], "small")),
                "large": times.get((op["op"], t["backend"], t["device"], "large")),
            })  # fmt: skip
        row["state"] = overall([{"state": t["state"]} for t in row["targets"]])
        rows.append(row)
    return rows


def overall(states: list[dict[str, Any]]) -> str:
    """The worst of several states."""
    return min((s["state"] for s in states), key=STATES.index, default="none")


def why(cell: dict[str, Any] | None, failures: list[dict[str, Any]]) -> str:
    """One line about a cell, for its tooltip."""
    if failures:
        f = failures[0]
        text = f"{len(failures)} of its checks failed; {f['check']}: {f['message']}"
        return text if f["known"] is None else f"{text} (known: {f['known']['status']}, {f['known']['reason']})"
    if cell is None or not cell["checks"]:
        return "nothing to check: the reference refuses this dtype"
    return f"{sum(sum(c) for c in cell['checks'].values())} checks passed in {cell['cases']} cases"


def reproduce(failure: dict[str, Any]) -> str:
    """The command that runs one failing case again."""
    return f"torsh conform --case {failure['id']}"


# ---- pages -----------------------------------------------------------------------------------------------------------


def to_html(report: dict[str, Any]) -> str:
    """The report as one file that needs nothing else."""
    import jinja2

    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    env = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    env.filters["ratio"] = ratio_text
    env.filters["share"] = share_text
    env.filters["ulp"] = lambda error: ulp_text(float(error)) if error is not None else ""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for f in report["failures"]:
        if f["known"] is None:
            grouped.setdefault(f["op"], []).append({**f, "command": reproduce(f)})
    known: dict[tuple[str, str], dict[str, Any]] = {}
    for f in report["failures"]:
        if f["known"] is not None:
            line = known.setdefault(
                (f["backend"], f["known"]["key"]), {**f["known"], "backend": f["backend"], "count": 0}
            )
            line["count"] += 1
    page = env.get_template("report.html.j2")
    return page.render(
        report=report, rows=table(report), failures=grouped, known=list(known.values()),
        absent=[b for b in report["backends"] if not b["available"]], states=STATES, shown=6,
    )  # fmt: skip


def ratio_text(t: dict[str, Any] | None) -> str:
    """Time over the reference's, as ``0.8x``."""
    if t is None:
        return ""
    r = t["ratio"]
    return f"{r:.2f}x" if r < 10 else f"{r:.0f}x"


def to_junit(report: dict[str, Any]) -> str:
    """One test suite per target, one test case per op and dtype; a finding is a failure, a known one is skipped."""
    root = ElementTree.Element("testsuites", name="torsh conform")
    failures: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for f in report["failures"]:
        failures.setdefault((f["backend"], f["device"], f["op"], f["dtype"]), []).append(f)
    for t in report["targets"]:
        suite = ElementTree.SubElement(root, "testsuite", name=f"{t['backend']}/{t['device']}",
                                       timestamp=report["environment"]["date"])  # fmt: skip
        counts: Counter[str] = Counter()
        seen = set()
        for c in report["results"]:
            if (c["backend"], c["device"]) == (t["backend"], t["device"]):
                seen.add((c["op"], c["dtype"]))
        seen |= {(k[2], k[3]) for k in failures if k[:2] == (t["backend"], t["device"])}
        for op, dtype in sorted(seen):
            case = ElementTree.SubElement(suite, "testcase", classname=f"{t['backend']}.{t['device']}.{op}", name=dtype)
            found = failures.get((t["backend"], t["device"], op, dtype), [])
            new = [f for f in found if f["known"] is None]
            counts["tests"] += 1
            if new:
                counts["failures"] += 1
                node = ElementTree.SubElement(case, "failure", message=clean(new[0]["message"]), type=new[0]["check"])
                node.text = clean("\n".join(f"{f['id']} {f['check']}: {f['message']}\n  {reproduce(f)}" for f in new))
            elif found:
                counts["skipped"] += 1
                ElementTree.SubElement(case, "skipped", message=clean(found[0]["known"]["reason"]))
        suite.attrib.update({k: str(counts[k]) for k in ("tests", "failures", "skipped")}, errors="0")
    if report["stale"]:
        suite = ElementTree.SubElement(root, "testsuite", name="known failures", tests=str(len(report["stale"])),
                                       failures=str(len(report["stale"])), errors="0", skipped="0")  # fmt: skip
        for line in report["stale"]:
            case = ElementTree.SubElement(suite, "testcase", classname=f"known.{line['backend']}", name=line["key"])
            ElementTree.SubElement(case, "failure", message="this line no longer applies: remove it", type="stale")
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def clean(text: str) -> str:
    """Text without the control characters that XML cannot hold."""
    return "".join(c for c in text if c in "\n\t" or c >= " ")


_SIGNS = {"pass": "✓", "known": "≈", "fail": "✗", "missing": "–", "none": ""}


def to_matrix(report: dict[str, Any]) -> str:
    """The support matrix as Markdown, for the docs."""
    env = report["environment"]
    absent = [b for b in report["backends"] if not b["available"]]
    names = [f"{t['backend']} ({t['device']})" for t in report["targets"]]
    lines = [
        "# Support matrix", "",
        "Generated from a conformance run by `torsh conform --matrix`; do not edit.", "",
        f"Run of {env['date'][:10]} on {env['cpu']} with Python {env['python']}, "
        + ", ".join(f"{k} {v}" for k, v in env["versions"].items()) + ".",
        f"Reference: {report['reference']['text']}.", "",
        "✓ agrees with the reference in everything checked · ≈ differs as recorded in the list of known failures · "
        "✗ differs · – not implemented · empty: nothing to check · ? not run here", "",
        f"Columns per backend: state; largest error in ulp (of {', '.join(report['plan']['dtypes'])}); time over the "
        "reference's for a small and for a large call.", "",
    ]  # fmt: skip
    lines += [f"* {b['name']}: not run here ({b['reason']})" for b in absent]
    if absent:
        lines.append("")
    head = ["op"]
    for n in names:
        head += [n, "ulp", "time"]
    head += [b["name"] for b in absent]
    by_family: dict[str, list[dict[str, Any]]] = {}
    for row in table(report):
        by_family.setdefault(row["family"] or "other", []).append(row)
    for family, rows in sorted(by_family.items()):
        lines += [f"## {family}", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        for row in rows:
            columns = [f"`{row['path']}`"]
            for t in row["targets"]:
                times = " / ".join(x for x in (ratio_text(t["small"]), ratio_text(t["large"])) if x)
                columns += [_SIGNS[t["state"]], t["ulp"], times]
            columns += ["?"] * len(absent)
            lines.append("| " + " | ".join(columns) + " |")
        lines.append("")
    lines += _recorded(report)
    for backend, remarks in report.get("remarks", {}).items():
        lines += [f"## How ops run on {backend}", "", *(f"* {r}" for r in remarks), ""]
    if "accuracy" in report:
        lines += accuracy_lines(report["accuracy"])
    return "\n".join(lines)


def _recorded(report: dict[str, Any]) -> list[str]:
    """The known failures of a run by backend and reason, for the support matrix."""
    paths = {o["op"]: o["path"] for o in report["ops"]}
    found: dict[tuple[str, str, str], set[str]] = {}
    for f in report["failures"]:
        if f["known"] is not None:
            key = (f["backend"], f["known"]["status"], f["known"]["reason"])
            found.setdefault(key, set()).add(f"`{paths.get(f['op'], f['op'])}` ({f['check']})")
    if not found:
        return []
    lines = [
        f"* {b}, {status}: {reason}: {', '.join(sorted(ops))}" for (b, status, reason), ops in sorted(found.items())
    ]
    return [
        "## Recorded differences",
        "",
        "Backend, status and reason of every ≈ above, and the checks that differ.",
        "",
        *lines,
        "",
    ]


def to_accuracy(report: dict[str, Any]) -> str:
    """The table of errors as a page of its own, for the docs."""
    env, accuracy = report["environment"], report["accuracy"]
    lines = [
        "# Accuracy", "",
        "Generated from a conformance run by `torsh conform --accuracy --accuracy-table`; do not edit. How to read it: "
        "[conformance](conformance.md#accuracy).", "",
        f"Run of {env['date'][:10]} on {env['cpu']} with Python {env['python']}, "
        + ", ".join(f"{k} {v}" for k, v in env["versions"].items()) + ".", "",
    ]  # fmt: skip
    for name, counts in accuracy["verdicts"].items():
        lines.append(f"* {name}: " + ", ".join(f"{n} {v}" for v, n in sorted(counts.items())))
    return "\n".join([*lines, "", *accuracy_lines(accuracy, "## Table")])


def accuracy_lines(accuracy: dict[str, Any], title: str = "## Accuracy") -> list[str]:
    """The table of errors as Markdown."""
    columns = accuracy["columns"]
    lines = [
        title, "",
        "Largest error in ulp of functions of one number, away from roots (near roots in brackets), against values in ball "
        "arithmetic (Arb) that are right to 80 bits, for float32 and float64 alike; where "
        f"it is, and the share of points above {accuracy['goal']:g} ulp.", "",
        "| function | dtype | points | " + " | ".join(f"{c} | at | above" for c in columns) + " |",
        "|---|---|" + "---|" * (1 + 3 * len(columns)),
    ]  # fmt: skip
    for row in accuracy["rows"]:
        cells = [f"`{row['function']}`", row["dtype"], str(row["points"])]
        for c in columns:
            e = row["errors"].get(c)
            if e is None or (e["largest"] is None and e["near_root"] is None):
                cells += ["", "", ""]
                continue
            near = f" ({ulp_text(float(e['near_root']))})" if e["near_root"] is not None else ""
            text = ulp_text(float(e["largest"])) if e["largest"] is not None else ""
            cells += [text + near, f"{e['at']:.3g}" if e["at"] is not None else "", share_text(e["above"])]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def share_text(share: float) -> str:
    """A share of points: empty for none."""
    return "" if not share else f"{100 * share:.2g} %"


def to_badge(report: dict[str, Any]) -> str:
    """A small picture that says how many checks passed, per backend."""
    found = []
    for name, c in report["summary"]["backends"].items():
        share = c.get("passed", 0) / max(c.get("checks", 0), 1)
        found.append(f"{name} {100 * share:.1f}%")
    value = html.escape(" · ".join(found) or "nothing run")
    color = "#2e7d32" if report["summary"]["findings"] + report["summary"]["stale"] == 0 else "#c62828"
    left, right = 86, 12 + int(6.3 * len(value))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="conformance: {value}"><rect width="{left}" height="20" fill="#444"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{color}"/>'
        f'<g fill="#fff" font-family="Verdana,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2}" y="14">conformance</text><text x="{left + right / 2}" y="14">{value}</text></g></svg>\n'
    )


def command_line() -> str:
    """The command that was given, without the path of the program."""
    return " ".join(["torsh", *sys.argv[1:]]) if sys.argv else "torsh conform"
