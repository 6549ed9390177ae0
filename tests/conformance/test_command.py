"""``torsh conform`` as a function: exit codes and the files it leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from torsh import registry
from torsh_conformance.command import conform
from torsh_numpy.backend import NumpyBackend

pytest.importorskip("torch")


class Wrong(NumpyBackend):
    """tanh has the wrong sign."""

    name = "wrong"

    def kernel(self, name: str, dtype: Any) -> Any:
        return (lambda x: -np.tanh(x)) if name == "tanh" else super().kernel(name, dtype)


@pytest.fixture
def wrong() -> Any:
    registry.register(Wrong())
    yield "wrong"
    registry._loaded.pop("wrong")


def run(out: Path, **options: Any) -> int:
    return conform(**{"ops": "^tanh$", "backends": "numpy", "dtypes": "float32", "out": out, "jobs": 1, **options})


def test_everything_as_recorded_is_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "out", matrix=tmp_path / "matrix.md") == 0
    assert "0 findings" in capsys.readouterr().out
    data = json.loads((tmp_path / "out" / "report.json").read_text())
    assert data["summary"]["ops"] == 1
    assert {t["size"] for t in data["timings"]} == {"small", "large"}
    assert all(t["ratio"] > 0 for t in data["timings"])
    assert "`torch.tanh`" in (tmp_path / "matrix.md").read_text()


def test_findings_are_1_until_they_are_recorded(wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = {"backends": wrong, "quick": True, "known_failures": tmp_path / "known", "timings": False}
    assert run(tmp_path / "out", **options) == 1
    assert "tanh/wrong/cpu/float32/0 value" in capsys.readouterr().out
    run(tmp_path / "out", **options, record=True)
    assert "tanh/float32:value" in (tmp_path / "known" / "wrong.toml").read_text()
    assert run(tmp_path / "out", **options) == 0


def test_a_stale_line_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "numpy.toml").write_text('"tanh/float32:value" = { status = "never", reason = "was so once" }\n')
    assert run(tmp_path / "out", known_failures=tmp_path, timings=False) == 1
    assert "no longer applies" in capsys.readouterr().out


def test_pages_can_be_made_again_from_the_json(tmp_path: Path) -> None:
    run(tmp_path / "out", timings=False)
    page = (tmp_path / "out" / "report.html").read_text()
    (tmp_path / "out" / "report.html").unlink()
    assert conform(from_report=tmp_path / "out" / "report.json", out=tmp_path / "again") == 0
    assert (tmp_path / "again" / "report.html").read_text() == page
    assert conform(from_report=tmp_path / "out" / "report.json", matrix=tmp_path / "m.md") == 0
    assert (tmp_path / "m.md").exists()
    (tmp_path / "bad.json").write_text('{"schema": "else/1"}')
    assert conform(from_report=tmp_path / "bad.json") == 2
    assert conform(from_report=tmp_path / "none.json") == 2


def test_without_pytorch_numpy_is_the_reference_and_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torsh_conformance.command.default_reference", lambda: "numpy")
    assert run(tmp_path / "out") == 0
    data = json.loads((tmp_path / "out" / "report.json").read_text())
    assert data["reference"]["name"] == "numpy"
    assert "not judged" in data["reference"]["text"]
    assert data["timings"] == []
    cell = data["results"][0]
    assert cell["checks"]["value"][0] > 0
    assert cell["ulp"] is not None
