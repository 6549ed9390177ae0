"""``torsh trace``: the sequence of ops a program calls."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def trace(
    *program: Annotated[str, Parameter(allow_leading_hyphen=True)],
    backend: str | None = None,
    device_type: str = "cpu",
    module: Annotated[str | None, Parameter(name=["--module", "-m"])] = None,
    limit: int = 2000,
) -> int:
    """Run a program and print every op it called, with shapes, dtypes and parameters.

    Parameters
    ----------
    program
        The program file (unless --module is given) and its arguments.
    backend
        Serve the device type with this backend.
    device_type
        The device type that --backend shall serve.
    module
        Run this module, as `python -m` does.
    limit
        Print at most so many ops.
    """
    from torsh import compat
    from torsh._cli.run import code_of, prepare, wrong
    from torsh.tracing import Tracer

    if not program and module is None:
        return wrong("no program given: torsh trace [options] program.py [arguments]")
    problem = prepare(backend, device_type)
    if problem is not None:
        return wrong(problem)
    if module is None and program[0].startswith("-"):
        return wrong(f"unknown option {program[0]!r}; torsh trace --help lists them")
    if module is None and not Path(program[0]).exists():
        return wrong(f"no such program: {program[0]!r}")
    target, argv = (module, list(program)) if module is not None else (program[0], list(program[1:]))
    with Tracer() as tracer:
        try:
            code = code_of(lambda: compat.run(target, argv, as_module=module is not None))
        finally:
            sys.stdout.flush()
            print(tracer.text(limit))
    return code
