"""The ``torch`` alias.  Every case runs in a process of its own: an alias cannot be taken back."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

ALIAS = "import torsh.compat; torsh.compat.install()\n"


def run(code, *, ok=True, env=None, args=()):
    """Standard output of a program."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *args],
        capture_output=True, text=True, timeout=120, env={**os.environ, **(env or {})},
    )  # fmt: skip
    assert (done.returncode == 0) == ok, done.stderr
    return done.stdout if ok else done.stderr


def test_import_torch_gives_torsh():
    out = run(
        ALIAS
        + """
import torch, torch.nn as nn, torch.nn.functional as F, torsh
from torch import Tensor
from torch.nn.parameter import Parameter
from torch.utils.data import DataLoader
import torch.optim.lr_scheduler
assert torch is torsh and nn is torsh.nn and F is torsh.nn.functional
print(torch.float32, torch.Size([2]), Tensor.__module__, Parameter.__module__, nn.Linear.__module__, torch.device("cpu"))
print(type(torch.ones(2)).__module__.split(".")[0])
"""
    )
    assert out.splitlines() == [
        "torch.float32 torch.Size([2]) torch torch.nn.parameter torch.nn.modules.linear cpu",
        "torch",
    ]


def test_no_backend_library_is_loaded():
    out = run("import sys, torsh\nprint([m for m in ('torch', 'dask', 'numba', 'cupy', 'scipy') if m in sys.modules])")
    assert out.strip() == "[]"


def test_versions_answer():
    out = run(
        ALIAS
        + """
import importlib.metadata, torch
print(importlib.metadata.version("torch"), torch.__version__, torch.__version__ >= "2.0", torch.__version__ >= (1, 8))
"""
    )
    assert out.split() == ["2.13.0", "2.13.0+torsh", "True", "True"]


def test_a_class_is_no_module():
    assert "ModuleNotFoundError: No module named 'torch.Tensor'" in run(ALIAS + "import torch.Tensor", ok=False)


def test_type_hints_resolve():
    out = run(
        ALIAS
        + """
import sys, typing, torch, torch.nn as nn

def f(x: torch.Tensor, m: nn.Module, d: torch.device, t: torch.dtype) -> nn.Parameter: ...

hints = typing.get_type_hints(f)
print(all(h.__module__ in sys.modules for h in hints.values()))
"""
    )
    assert out.strip() == "True"


def test_missing_namespaces_import_and_name_themselves_when_used():
    out = run(
        ALIAS
        + """
import torch
import torch.distributed as dist
from torch.distributed.fsdp import FullyShardedDataParallel as FSDP
from torch.onnx import export
import torch._dynamo
print(dist.is_available(), isinstance(torch.ones(1), FSDP))
for use in (lambda: FSDP(None), lambda: export(1, 2), lambda: dist.init_device_mesh("cpu", (1,))):
    try:
        use()
    except NotImplementedError as e:
        print(e)
"""
    )
    assert out.splitlines() == [
        "True False",
        "torch.distributed.fsdp.FullyShardedDataParallel is not in torsh yet",
        "torch.onnx.export is not in torsh yet",
        "torch.distributed.init_device_mesh is not in torsh yet",
    ]


def test_unknown_names():
    assert "AttributeError: module 'torch' has no attribute 'no_such_op'" in run(
        ALIAS + "import torch\ntorch.no_such_op", ok=False
    )
    assert "ModuleNotFoundError: No module named 'torch.no_such_module'" in run(
        ALIAS + "import torch.no_such_module", ok=False
    )


def test_refuses_to_mix_with_pytorch():
    pytest.importorskip("torch")
    message = run("import torch\n" + ALIAS, ok=False)
    assert "RuntimeError: PyTorch is already imported in this process" in message


def test_pytorch_below_the_alias():
    pytest.importorskip("torch")
    out = run(
        """
import torsh
torsh.registry.bind("cpu", "torch")
import torsh.compat
torsh.compat.install()
import torch
x = torch.ones(3, requires_grad=True)
(x * 2).exp().sum().backward()
print(torch is torsh, type(x._data).__module__, x._kind.backend.name, [round(v, 3) for v in x.grad.tolist()])
torch.linalg.inv(torch.eye(3) * 2)
print(torch.nn.functional.conv2d(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 3, 3)).shape)
"""
    )
    assert out.splitlines() == [
        "True torch torch [14.778, 14.778, 14.778]",
        "torch.Size([1, 1, 2, 2])",
    ]


def test_spawned_processes_have_it_too(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            """
            import multiprocessing as mp
            import torch

            def work(x):
                import sys
                return x.sum().item(), sys.modules["torch"].__torsh__

            if __name__ == "__main__":
                with mp.get_context("spawn").Pool(1) as pool:
                    print(pool.map(work, [torch.ones(3)]))
            """
        )
    )
    out = run("import sys, torsh.compat\ntorsh.compat.run(sys.argv[1])", args=(str(program),))
    assert out.strip() == "[(3.0, True)]"


def test_run_passes_arguments_and_exit_codes(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("import sys, torch\nprint(sys.argv[1:], __name__, torch.__torsh__)\nsys.exit(3)\n")
    code = "import sys, torsh.compat\ntorsh.compat.run(sys.argv[1], sys.argv[2:])"
    done = subprocess.run([sys.executable, "-c", code, str(program), "--x", "1"], capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stdout.strip() == "['--x', '1'] __main__ True"


def test_run_a_module(tmp_path):
    package = tmp_path / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text("import torch\nprint(torch.ones(2).tolist(), __name__)\n")
    code = "import os, sys, torsh.compat\nos.chdir(sys.argv[1])\ntorsh.compat.run('pack', as_module=True)"
    assert run(code, args=(str(tmp_path),)).strip() == "[1.0, 1.0] __main__"


def test_run_a_missing_file():
    assert "FileNotFoundError: no such program: 'nowhere.py'" in run(
        "import torsh.compat\ntorsh.compat.run('nowhere.py')", ok=False
    )
