"""The run: findings, known failures in both directions, timeouts, crashes, reports."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from torsh import registry
from torsh_conformance import known, report
from torsh_conformance.runner import (
    DTYPES,
    Cell,
    Failure,
    Part,
    Plan,
    Target,
    TimedOut,
    limited,
    run,
    run_subject,
    targets,
)
from torsh_conformance.subjects import all_subjects
from torsh_numpy.backend import NumpyBackend

pytest.importorskip("torch")


class Off(NumpyBackend):
    """exp is off by a little; sin hangs; everything else is NumPy's."""

    name = "off"

    def kernel(self, name: str, dtype: Any) -> Any:
        if name == "exp":
            return lambda x: np.exp(x) * np.float32(1.001)
        if name == "sin":
            return lambda x: time.sleep(30)
        if name == "cos":
            return None
        return super().kernel(name, dtype)


@pytest.fixture
def off() -> Any:
    registry.register(Off())
    yield "off"
    registry._loaded.pop("off")


def plan(backend: str, **options: Any) -> Plan:
    return Plan((Target(backend, "cpu"),), **{"dtypes": ("float32",), "timings": "none", **options})


def one(name: str) -> Any:
    return next(s for s in all_subjects(f"^{name}$") if s.name == name)


def test_a_right_backend_has_no_findings() -> None:
    part = run_subject(one("exp"), plan("numpy"))
    assert not part.failures
    assert part.usable == 6
    assert part.cells[0].ulp is not None
    assert part.cells[0].ulp < 2
    assert part.cells[0].source == "native"


def test_a_wrong_value_is_a_finding_that_can_be_reproduced(off: str, capsys: pytest.CaptureFixture[str]) -> None:
    part = run_subject(one("exp"), plan(off))
    first = part.failures[0]
    assert (first.check, first.status) == ("value", "fail")
    assert first.id == "exp/off/cpu/float32/0"
    from torsh_conformance.command import show_case

    assert show_case(first.id) == 1
    assert "fail" in capsys.readouterr().out


def test_a_missing_kernel_is_told_as_missing(off: str) -> None:
    part = run_subject(one("cos"), plan(off))
    assert {f.status for f in part.failures} == {"missing"}


def test_a_case_that_hangs_is_stopped(off: str) -> None:
    part = run_subject(one("sin"), plan(off, limit=0.2, samples=1))
    assert "no answer within 0.2 s" in part.failures[0].message


def test_the_limit_lets_a_quick_call_through() -> None:
    with limited(5):
        pass
    with pytest.raises(TimedOut), limited(0.05):
        time.sleep(1)


# ---- known failures --------------------------------------------------------------------------------------------------


def write_known(folder: Path, text: str) -> Path:
    (folder / "off.toml").write_text(text)
    return folder


def test_a_listed_failure_is_no_finding(off: str, tmp_path: Path) -> None:
    part = run_subject(one("exp"), plan(off))
    folder = write_known(tmp_path, '"exp/float32:*" = { status = "not yet", reason = "test" }\n')
    assert known.apply([part], folder) == []
    assert all(f.known and f.known["status"] == "not yet" for f in part.failures)


def test_a_line_that_no_longer_applies_is_told(off: str, tmp_path: Path) -> None:
    part = run_subject(one("tanh"), plan(off))
    folder = write_known(
        tmp_path,
        '"tanh/float32:value" = { status = "never", reason = "test" }\n'
        '"sqrt/*:*" = { status = "never", reason = "not run" }\n',
    )
    assert [k.key for k in known.apply([part], folder)] == ["tanh/float32:value"]
    assert [k.key for k in known.apply([part], folder, plan(off))] == ["tanh/float32:value"]


def test_a_run_of_a_part_does_not_judge_lines_about_the_whole(off: str, tmp_path: Path) -> None:
    part = run_subject(one("tanh"), plan(off))
    folder = write_known(tmp_path, '"tanh/*:value" = { status = "never", reason = "test" }\n')
    assert known.apply([part], folder, plan(off)) == []
    assert known.apply([part], folder, plan(off, dtypes=DTYPES, samples=2)) == []
    assert [k.key for k in known.apply([part], folder, plan(off, dtypes=DTYPES))] == ["tanh/*:value"]


@pytest.mark.parametrize(
    "line", ['"exp" = { status = "someday", reason = "x" }', '"exp" = { status = "never" }', '"exp" = 1']
)
def test_a_line_needs_status_and_reason(line: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs status"):
        known.load("off", write_known(tmp_path, line))


def test_recording_makes_the_next_run_clean(off: str, tmp_path: Path) -> None:
    part = run_subject(one("exp"), plan(off))
    known.record(part.failures, tmp_path)
    again = run_subject(one("exp"), plan(off))
    assert known.apply([again], tmp_path) == []
    assert all(f.known for f in again.failures)


@pytest.mark.parametrize("file", sorted(known.FOLDER.glob("*.toml")), ids=lambda f: f.stem)
def test_the_lists_that_come_along_are_well_formed(file: Path) -> None:
    names = {s.name for s in all_subjects()}
    for line in known.load(file.stem):
        op = line.key.partition("/")[0].partition(":")[0]
        assert "*" in op or op in names, f"{file.name}: {line.key!r} names an op that does not exist"


# ---- many processes --------------------------------------------------------------------------------------------------


def test_processes_give_what_one_process_gives() -> None:
    names = ["exp", "mul", "sum", "tanh", "neg"]
    single = run(names, plan("numpy", samples=2))
    several = run(names, plan("numpy", samples=2), jobs=2)
    assert [p.op for p in several] == names
    assert [[c.checks for c in p.cells] for p in several] == [[c.checks for c in p.cells] for p in single]


def test_targets_say_why_a_backend_cannot_run() -> None:
    found, described = targets()
    assert Target("numpy", "cpu") in found
    assert all(d["available"] or d["reason"] for d in described)
    with pytest.raises(registry.BackendUnavailable, match="nonsense"):
        targets(["nonsense"])


# ---- the report ------------------------------------------------------------------------------------------------------


@pytest.fixture
def data(off: str, tmp_path: Path) -> dict[str, Any]:
    both = Plan((Target("numpy", "cpu"), Target(off, "cpu")), ("float32", "int64"), timings="small")
    parts = [run_subject(one(n), both) for n in ("exp", "cos", "mul")]
    folder = write_known(tmp_path, '"cos" = { status = "not implemented", reason = "left out" }\n')
    stale = known.apply(parts, folder)
    backends: list[dict[str, Any]] = [
        {"name": "numpy", "version": "1", "devices": ["cpu"], "available": True, "reason": None, "run": True},
        {"name": "off", "version": "1", "devices": ["cpu"], "available": True, "reason": None, "run": True},
        {"name": "cupy", "version": None, "devices": [], "available": False, "reason": "no <GPU> & no driver"},
    ]
    return report.build(parts, both, backends, stale, report.environment("torsh conform", 1))


def test_the_report_has_a_versioned_schema_and_its_surroundings(data: dict[str, Any]) -> None:
    assert data["schema"] == "torsh-conformance/1"
    assert set(data["environment"]) >= {"date", "command", "python", "cpu", "cores", "versions"}
    assert data["summary"]["findings"] > 0
    assert data["summary"]["known"] > 0
    assert json.loads(json.dumps(data)) == data


def test_states_of_the_matrix(data: dict[str, Any]) -> None:
    rows = {r["op"]: {t["backend"]: t["state"] for t in r["targets"]} for r in report.table(data)}
    assert rows["exp"] == {"numpy": "pass", "off": "fail"}
    assert rows["cos"]["off"] == "missing"
    assert rows["mul"] == {"numpy": "pass", "off": "pass"}


def test_files_are_complete_and_the_page_needs_nothing_else(data: dict[str, Any], tmp_path: Path) -> None:
    files = report.write_all(data, tmp_path / "out")
    assert {f.name for f in files} == {"report.json", "report.html", "junit.xml", "badge.svg"}
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(f.name for f in files)
    page = (tmp_path / "out" / "report.html").read_text()
    assert not re.findall(r"""(?:src|href)\s*=|url\(|@import|https?://""", page)
    assert "torsh conform --case exp/off/cpu/float32/0" in page
    assert "not run here: no &lt;GPU&gt; &amp; no driver" in page
    assert page.count("<tr data-text=") == 3
    ElementTree.fromstring((tmp_path / "out" / "badge.svg").read_text())


def test_junit_counts_findings_as_failures_and_known_ones_as_skipped(data: dict[str, Any]) -> None:
    root = ElementTree.fromstring(report.to_junit(data))
    suites = {s.get("name"): s for s in root}
    assert suites["numpy/cpu"].get("failures") == "0"
    assert suites["off/cpu"].get("failures") == str(len(suites["off/cpu"].findall(".//failure")))
    assert [
        c.get("name") for c in suites["off/cpu"] if c.find("failure") is not None and "exp" in c.get("classname", "")
    ]
    skipped = {c.get("classname") for c in suites["off/cpu"] if c.find("skipped") is not None}
    assert skipped == {"off.cpu.cos"}


def test_the_matrix_for_the_docs(data: dict[str, Any]) -> None:
    text = report.to_matrix(data)
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    assert rows["torch.exp"].split("|")[2].strip() == "✓"
    assert "✗" in rows["torch.exp"]
    assert rows["torch.exp"].rstrip(" |").endswith("?")
    assert "cupy: not run here (no <GPU> & no driver)" in text
    reasons = text[text.index("## Recorded differences") :]
    assert "* off, not implemented" in reasons and "`torch.cos` (" in reasons


def test_nobody_sees_half_a_file(tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    report.write(file, "old")
    with pytest.raises(UnicodeEncodeError):
        report.write(file, "new \ud800")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_control_characters_do_not_break_junit() -> None:
    cell = Cell("exp", "numpy", "cpu", "float32", 1, {"value": [0, 1, 0]})
    failure = Failure("exp", "numpy", "cpu", "float32", 0, "value", "fail", "bad \x00\x1b[31m text", "S()")
    part = Part("exp", "torch.exp", "pointwise", True, [cell], [failure])
    data = report.build([part], plan("numpy"), [], [], report.environment("x", 1))
    assert ElementTree.fromstring(report.to_junit(data)).find(".//failure") is not None
