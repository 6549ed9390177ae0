"""Whole programs: the digits epoch, importing, memory.  Each runs in a process of its own."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

_EPOCH = """
import sys, time
sys.path.insert(0, {examples!r})
{setup}
import digits
digits.main(["--epochs", "1"])
start = time.process_time()  # the program also writes to disk, for which it must not be made to wait
digits.main(["--epochs", "2"])
print("SECONDS", (time.process_time() - start) / 2)
import resource
print("PEAK", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
_ALIAS = "import torsh.compat; torsh.compat.install()"


def _run(code: str) -> str:
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # else nothing stays compiled
    env |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True)
    return done.stdout


def _figure(text: str, name: str) -> float:
    found = re.search(rf"^{name} ([\d.e+-]+)$", text, re.M)
    if found is None:
        raise ValueError(f"the program printed no line {name!r}: {text!r}")
    return float(found[1])


def digits(rounds: int = 3) -> dict[str, dict[str, float]]:
    """CPU seconds per epoch and peak memory (MiB) of the digits program under torsh (NumPy) and PyTorch: the best of the rounds."""
    figures: dict[str, dict[str, list[float]]] = {}
    for _ in range(rounds):
        for label, setup in (("torsh", _ALIAS), ("torch", "")):
            out = _run(_EPOCH.format(examples=str(ROOT / "examples"), setup=setup))
            here = figures.setdefault(label, {"epoch": [], "peak": []})
            here["epoch"].append(_figure(out, "SECONDS"))
            here["peak"].append(_figure(out, "PEAK"))
    return {label: {k: min(v) for k, v in f.items()} for label, f in figures.items()}


def importing(rounds: int = 7) -> dict[str, float]:
    """Seconds to import torsh, NumPy and PyTorch, each in fresh processes."""
    code = "import time; t = time.perf_counter(); import {0}; print('SECONDS', time.perf_counter() - t)"
    times: dict[str, list[float]] = {"torsh": [], "numpy": [], "torch": []}
    for _ in range(rounds):
        for name, found in times.items():
            found.append(_figure(_run(code.format(name)), "SECONDS"))
    return {name: statistics.median(found) for name, found in times.items()}
