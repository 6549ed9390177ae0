"""The pytest plugin, run as a backend's author would run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

BROKEN = """
import numpy as np
import pytest
from torsh import registry
from torsh_numpy.backend import NumpyBackend

class Mine(NumpyBackend):
    name = "mine"
    def kernel(self, name, dtype):
        if name == "exp":
            return lambda x: np.exp(x) + np.float32(1)
        return super().kernel(name, dtype)

registry.register(Mine())
"""


def pytest_run(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rA", *args]
    plugin = [] if _registered() else ["-p", "torsh_conformance.plugin"]
    return subprocess.run([*command, *plugin], cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def _registered() -> bool:
    import importlib.metadata

    return any(e.value == "torsh_conformance.plugin" for e in importlib.metadata.entry_points(group="pytest11"))


def test_cases_are_tests_and_findings_fail(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(BROKEN)
    done = pytest_run(tmp_path, "--torsh-backend", "mine", "--torsh-ops", "^(exp|tanh)$", "--torsh-dtypes", "float32")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED torsh::exp/mine/cpu/float32" in done.stdout
    assert "PASSED torsh::tanh/mine/cpu/float32" in done.stdout
    assert "expected" in done.stdout


def test_known_failures_are_expected_and_stale_lines_fail(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(BROKEN)
    (tmp_path / "mine.toml").write_text(
        '"exp/float32:*" = { status = "not yet", reason = "off by one" }\n'
        '"tanh/float32:value" = { status = "not yet", reason = "was wrong once" }\n'
    )
    done = pytest_run(
        tmp_path,
        "--torsh-backend",
        "mine",
        "--torsh-ops",
        "^(exp|tanh)$",
        "--torsh-dtypes",
        "float32",
        "--torsh-known",
        ".",
    )
    assert "XFAIL torsh::exp/mine/cpu/float32" in done.stdout
    assert "FAILED torsh::tanh/mine/cpu/float32" in done.stdout
    assert "no longer apply" in done.stdout


def test_without_the_option_nothing_happens(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text("import sys\ndef test_x():\n    assert 'torsh' not in sys.modules\n")
    done = pytest_run(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
