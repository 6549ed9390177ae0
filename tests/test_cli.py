"""The command ``torsh``: exit codes, output, and that a program keeps its own arguments."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from torsh._cli import _separate, main


def torsh(*args: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "torsh._cli", *args],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=env,
        timeout=120,
        check=False,
    )


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "program.py"
    file.write_text(
        "import sys\n"
        "import torch\n"
        "x = torch.ones(3, 4, requires_grad=True)\n"
        "(x * 2).exp().sum().backward()\n"
        "print('arguments', sys.argv[1:], 'grad', tuple(x.grad.shape), torch.Tensor.__module__.split('.')[0])\n"
        "sys.exit(int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 0)\n"
    )
    return file


@pytest.mark.parametrize(
    ("given", "separated"),
    [
        (["a.py"], ["--", "a.py"]),
        (["--backend", "numpy", "a.py", "--backend", "x"], ["--backend", "numpy", "--", "a.py", "--backend", "x"]),
        (["--report", "a.py", "-m", "y"], ["--report", "--", "a.py", "-m", "y"]),
        (["-m", "pkg.mod", "--report"], ["--module", "pkg.mod", "--", "--report"]),
        (["--backend=torch", "a.py", "--help"], ["--backend=torch", "--", "a.py", "--help"]),
        (["--", "a.py"], ["--", "a.py"]),
        (["--help"], ["--help"]),
    ],
)
def test_the_programs_options_are_left_to_it(given: list[str], separated: list[str]) -> None:
    assert _separate(given) == separated


def test_run_gives_the_program_its_arguments_and_its_exit_code(program: Path) -> None:
    done = torsh("run", "--report", str(program), "3", "--report", "-x")
    assert done.returncode == 3
    assert "arguments ['3', '--report', '-x'] grad (3, 4) torch" in done.stdout
    assert "native" in done.stderr
    assert "exp (1)" in done.stderr


def test_run_a_module_on_a_named_backend(program: Path) -> None:
    done = torsh("run", "--backend", "numpy", "-m", "program", "0", cwd=program.parent)
    assert done.returncode == 0, done.stderr
    assert "arguments ['0']" in done.stdout


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["run"], "no program given"),
        (["run", "--backend", "nonsense", "x.py"], "unknown backend 'nonsense'"),
        (["run", "missing.py"], "no such program: 'missing.py'"),
        (["run", "--nonsense"], "--nonsense"),
        (["run", "--address", "tcp://127.0.0.1:1", "--backend", "numpy", "x.py"], "--address is for the dask backend"),
        (["trace", "missing.py"], "no such program"),
        (["nonsense"], "nonsense"),
        (["conform", "--nonsense"], "--nonsense"),
        (["conform", "--backends", "nonsense"], "unknown backend 'nonsense'"),
        (["conform", "--dtypes", "float33"], "unknown dtype 'float33'"),
        (["conform", "--checks", "nonsense"], "unknown check 'nonsense'"),
        (["conform", "--ops", "^no such op$"], "no op matches"),
        (["conform", "--ops", "("], "no regular expression"),
        (["conform", "--case", "add"], "a case is op/backend/device/dtype/sample"),
        (["conform", "--case", "exp/numpy/cpu/float32/99"], "there is no number 99"),
    ],
)
def test_a_wrong_command_exits_with_2_and_says_why(
    args: list[str], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as exit:
        main(args)
    assert exit.value.code == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_an_error_shows_the_program_and_not_what_runs_it(tmp_path: Path) -> None:
    (tmp_path / "part.py").write_text("import torch\ndef f(x):\n    return x + torch.ones(3)\n")
    (tmp_path / "fails.py").write_text("import torch, part\npart.f(torch.ones(2))\n")
    (tmp_path / "lacks.py").write_text("import torch\nimport no_such_module\n")
    (tmp_path / "typo.py").write_text("def f(:\n")
    done = torsh("run", "fails.py", cwd=tmp_path)
    files = [line.split('"')[1] for line in done.stderr.splitlines() if line.startswith("  File")]
    assert done.returncode == 1
    assert files[:2] == [str(tmp_path / "fails.py"), str(tmp_path / "part.py")]
    for name in ("lacks.py", "typo.py"):
        done = torsh("run", name, cwd=tmp_path)
        alone = subprocess.run([sys.executable, str(tmp_path / name)], capture_output=True, text=True, check=False)
        if name == "typo.py" or "No module named 'torch'" not in alone.stderr:
            assert done.stderr.splitlines() == alone.stderr.splitlines()
        assert done.returncode == 1


def test_asking_for_cuda_loads_no_library(tmp_path: Path) -> None:
    from torsh._drivers import missing

    if missing("cuda") is None:
        pytest.skip("this machine has a CUDA driver")
    (tmp_path / "asks.py").write_text(
        "import sys, torch\n"
        "assert not torch.cuda.is_available() and not torch.accelerator.is_available()\n"
        "print([n for n in sys.modules if n in ('torsh_torch', 'cupy', 'dask')])\n"
    )
    assert torsh("run", "asks.py", cwd=tmp_path).stdout == "[]\n"


def test_trace_prints_the_ops_in_order(program: Path) -> None:
    done = torsh("trace", str(program))
    assert done.returncode == 0, done.stderr
    lines = [line.split()[1].partition("(")[0] for line in done.stdout.splitlines() if line[:5].strip().isdigit()]
    assert [x for x in lines if x in ("mul", "exp", "sum")][:3] == ["mul", "exp", "sum"]
    assert "exp(float32[3, 4]) -> float32[3, 4]" in done.stdout


def test_backends_lists_numpy_as_available() -> None:
    found = {b["name"]: b for b in json.loads(torsh("backends", "--json").stdout)}
    assert found["numpy"]["available"]
    assert found["numpy"]["devices"] == ["cpu"]
    assert all(b["available"] or b["reason"] for b in found.values())
    shown = torsh("backends")
    assert shown.returncode == 0
    assert all(name in shown.stdout for name in found)


def test_version_and_help() -> None:
    done = torsh("version")
    assert done.returncode == 0
    assert done.stdout.startswith("torsh ")
    shown = torsh("--help").stdout
    assert all(name in shown for name in ("run", "conform", "backends", "trace", "version"))


def test_starting_the_command_loads_no_backend() -> None:
    code = (
        "import sys; import torsh._cli; torsh._cli.application(); "
        "print([m for m in ('torch', 'numba', 'dask', 'scipy', 'jinja2', 'torsh_conformance') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_dask_runs_on_two_worker_processes_and_counts_per_step(tmp_path):
    pytest.importorskip("distributed")
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, torch\n"
        "x = torch.ones(4, requires_grad=True)\n"
        "optimizer = torch.optim.SGD([x], lr=0.1)\n"
        "for _ in range(2):\n"
        "    optimizer.zero_grad()\n"
        "    (x * x).sum().backward()\n"
        "    optimizer.step()\n"
        "print([round(v, 3) for v in x.tolist()], len(sys.modules['torsh_dask'].cluster._workers))\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "torsh._cli", "run", "--backend", "dask", str(program)],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[0.64, 0.64, 0.64, 0.64] 2"
    assert "2 optimizer steps" in done.stderr
    assert "computes a step" in done.stderr
