"""The house rules that can be checked by reading the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Floors, lowest first.  A module may import (at its top) only from its own floor and those below.
FLOORS = [
    ["torsh.dtypes", "torsh.device", "torsh.version"],
    ["torsh.backend"],
    ["torsh.functionalize", "torsh.registry"],
    ["torsh.dispatch", "torsh.meta"],
    [
        "torsh.autograd.grad_mode",
        "torsh.autograd.engine",
        "torsh.memory_format",
        "torsh.return_types",
        "torsh.utils._pytree",
    ],
    ["torsh.tensor"],
    ["torsh.ops", "torsh.random", "torsh.autograd", "torsh.overrides", "torsh.storage", "torsh._printing"],
    ["torsh.nn", "torsh.func", "torsh.special", "torsh.linalg", "torsh.fft"],
    ["torsh.optim", "torsh.utils", "torsh.amp", "torsh.distributions", "torsh.serialization"],
    ["torsh.compat", "torsh._cli", "torsh.profiler", "torsh.autograd.profiler", "torsh.trace"],
]


def floor_of(module):
    """The floor of a module: that of its longest listed prefix, None for unlisted ones."""
    best, found = -1, None
    for i, names in enumerate(FLOORS):
        for name in names:
            if (module == name or module.startswith(name + ".")) and len(name) > best:
                best, found = len(name), i
    return found


def top_level_imports(tree):
    """Modules imported when the file is loaded (not inside functions, not for type checkers)."""
    stack = list(tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from (f"{node.module}.{a.name}" for a in node.names)
        elif isinstance(node, ast.If):
            if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
                stack.extend(node.body)
            stack.extend(node.orelse)
        elif isinstance(node, (ast.Try, ast.With, ast.ClassDef)):
            stack.extend(node.body)


def modules(folder):
    for path in sorted((ROOT / folder).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        yield name, ast.parse(path.read_text(encoding="utf-8"))


def test_no_room_imports_above_its_floor():
    wrong = []
    for name, tree in modules("torsh"):
        own = floor_of(name)
        if own is None:
            continue
        for target in top_level_imports(tree):
            other = floor_of(target)
            if other is not None and other > own:
                wrong.append(f"{name} imports {target}")
    assert not wrong


@pytest.mark.parametrize("folder", ["backends/torsh_numpy", "backends/torsh_torch", "backends/torsh_arrayapi", "backends/torsh_dask",
                                    "backends/torsh_cupy"])  # fmt: skip
def test_backends_know_only_the_protocol(folder):
    allowed = ("torsh.backend", "torsh.dtypes", "torsh.device", "torsh_numpy", "torsh_arrayapi")
    wrong = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        for target in top_level_imports(ast.parse(path.read_text(encoding="utf-8"))):
            if target.startswith("torsh.") and not target.startswith(allowed):
                wrong.append(f"{path.relative_to(ROOT)} imports {target}")
    assert not wrong


@pytest.mark.parametrize("package", ["torsh_numpy", "torsh_arrayapi"])
def test_a_backend_can_be_imported_before_torsh(package):
    subprocess.run([sys.executable, "-c", f"import {package}, torsh; torsh.ones(1).numpy()"], check=True)


def test_backends_of_optional_libraries_import_them_late():
    """Loading torsh's own code must not need torch, dask or cupy at the top of a backend's entry module."""
    for package in ("torsh_torch", "torsh_dask", "torsh_cupy"):
        for module in ("__init__.py", "backend.py"):
            path = ROOT / "backends" / package / module
            if path.exists():
                targets = {t.split(".")[0] for t in top_level_imports(ast.parse(path.read_text(encoding="utf-8")))}
                assert not targets & {"torch", "dask", "distributed", "cupy"}, path


def test_no_file_grows_past_reason():
    limit = 1000
    long = [
        f"{p.relative_to(ROOT)}: {n}"
        for folder in ("torsh", "backends", "conformance")
        for p in sorted((ROOT / folder).rglob("*.py"))
        if (n := len(p.read_text(encoding="utf-8").splitlines())) > limit
    ]
    assert not long
