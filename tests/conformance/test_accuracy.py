"""``torsh conform --accuracy``: the table on the terminal and in the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from torsh_conformance import compare, report
from torsh_conformance.checks import Answers
from torsh_conformance.command import conform
from torsh_conformance.compare import Different, Leaf
from torsh_conformance.library import Library
from torsh_conformance.sample import S
from torsh_conformance.subjects import all_subjects

torch = pytest.importorskip("torch")


def run(out: Path, **options: Any) -> int:
    return conform(**{"ops": "^(exp|lgamma)$", "backends": "numpy", "out": out, "jobs": 1, "cases": False,
                      "accuracy": True, "points": 60, **options})  # fmt: skip


def test_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, matrix=tmp_path / "matrix.md") == 0
    shown = capsys.readouterr().out
    assert "numpy: 4 good" in shown
    assert "lgamma" in shown and "float64" in shown
    data = json.loads((tmp_path / "report.json").read_text())["accuracy"]
    assert data["columns"] == ["numpy", "PyTorch"]
    assert [(r["function"], r["dtype"]) for r in data["rows"]] == [
        ("exp", "float32"), ("exp", "float64"), ("lgamma", "float32"), ("lgamma", "float64"),
    ]  # fmt: skip
    row = data["rows"][0]
    assert 0.4 < row["errors"]["numpy"]["largest"] < 4 and row["verdicts"] == {"numpy": "good"}
    page = (tmp_path / "report.html").read_text()
    assert "<h2>Accuracy</h2>" in page and "lgamma" in page
    assert "| `lgamma` | float64 |" in (tmp_path / "matrix.md").read_text()


def test_only_the_dtypes_asked_for(tmp_path: Path) -> None:
    run(tmp_path, dtypes="float64", ops="^exp$")
    rows = json.loads((tmp_path / "report.json").read_text())["accuracy"]["rows"]
    assert [r["dtype"] for r in rows] == ["float64"]


def test_a_page_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "accuracy.md"
    assert run(tmp_path, ops="^exp$", accuracy_table=page) == 0
    text = page.read_text()
    assert "* numpy: 2 good" in text and "| `exp` | float64 |" in text and "80 bits" in text
    page.unlink()
    assert conform(from_report=tmp_path / "report.json", accuracy_table=page) == 0
    assert page.read_text() == text
    assert run(tmp_path, accuracy=False, cases=True, ops="^exp$", accuracy_table=page) == 2
    assert "needs --accuracy" in capsys.readouterr().err


def test_rows_say_what_is_exact(tmp_path: Path) -> None:
    run(tmp_path, ops="^exp$")
    rows = json.loads((tmp_path / "report.json").read_text())["accuracy"]["rows"]
    assert {r["truth"] for r in rows} == {"Arb"}


def test_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, points=0) == 2
    assert "--points must be at least 1" in capsys.readouterr().err
    assert run(tmp_path, ops="^matmul$") == 2
    assert "no function of one number" in capsys.readouterr().err


def test_infinite_errors_survive_json() -> None:
    assert compare.ulp_text(float("inf")) == "inf"
    errors = {"largest": "inf", "at": 1.0, "near_root": None, "near_root_at": None, "above": 0.25, "refused": ""}
    row = {"function": "f", "path": "torch.f", "dtype": "float32", "points": 4, "near_root": 0,
           "errors": {"numpy": errors}, "verdicts": {"numpy": "above"}}  # fmt: skip
    lines = report.accuracy_lines({"goal": 4.0, "columns": ["numpy"], "verdicts": {}, "rows": [row]})
    assert lines[-2] == "| `f` | float32 | 4 | inf | 1 | 25 % |"


# ---- the exact value as oracle ---------------------------------------------------------------------------------------


def leaf(value: Any) -> Leaf:
    array = np.asarray(value)
    return Leaf("result", "tensor", array.shape, array.dtype.name, array)


def answers(name: str, *args: Any, dtype: str = "float64", **kwargs: Any) -> Answers:
    subject = next(s for s in all_subjects() if s.name == name)
    return Answers(Library(torch), subject, S(*args, **kwargs), dtype, True)


def test_truth_of_a_case() -> None:
    x = np.array([[0.25, 0.5], [np.inf, 1.0]])
    found = answers("bessel_j0", x).truth
    assert found is not None
    assert found[1, 1] == 0.7651976865579666  # https://dlmf.nist.gov/10.75: J0(1)
    assert np.isnan(found[1, 0])
    found = answers("igamma", np.array([[1.0], [2.0]]), np.array([1.0, 3.0])).truth
    assert found is not None and found.shape == (2, 2)
    assert abs(found[0, 0] - (1 - np.exp(-1))) < 1e-16
    assert answers("logit", np.array([0.75]), eps=0.125).truth is not None
    assert answers("softmax", np.array([0.75]), 0).truth is None  # EXACT has another function by that name
    assert answers("clamp", np.array([0.75]), 0).truth is None
    assert answers("exp", np.array([1 + 1j]), dtype="complex128").truth is None


def test_what_agrees_with_the_exact_value_is_right() -> None:
    exact, reference = leaf([1.0, 2.0]), leaf([1.0, 2.1])
    with pytest.raises(Different):
        compare.values(exact, reference, None)
    assert compare.values(exact, reference, exact.value, true=True) == 0
    with pytest.raises(Different):  # neither PyTorch's value nor the exact one
        compare.values(leaf([1.0, 2.2]), reference, exact.value, true=True)
    assert compare.values(leaf([np.inf]), leaf([np.nan]), np.array([np.inf]), true=True) == 0


def test_halves_are_compared_with_their_nans() -> None:
    import ml_dtypes

    from torsh_conformance.checks import _identical

    a = np.array([1, np.nan], ml_dtypes.bfloat16)
    assert _identical(a, a.copy())
    assert not _identical(a, np.array([1, 2], ml_dtypes.bfloat16))
    assert not _identical(a, a[:1])
    assert _identical(np.array([True]), np.array([True]))
