"""``torsh run``: an unmodified PyTorch program on a backend."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

from cyclopts import Parameter


def run(
    *program: Annotated[str, Parameter(allow_leading_hyphen=True)],
    backend: str | None = None,
    device_type: str = "cpu",
    module: Annotated[str | None, Parameter(name=["--module", "-m"])] = None,
    report: bool = False,
    address: str | None = None,
) -> int:
    """Run a PyTorch program with torsh in place of PyTorch.

    Parameters
    ----------
    program
        The program file (unless --module is given) and its arguments.
    backend
        Serve the device type with this backend; `torsh backends` lists them.
    device_type
        The device type that --backend shall serve.
    module
        Run this module, as `python -m` does.
    report
        At the end, tell which ops ran natively, generically, composed of others, or were missing.
    address
        Address of a Dask scheduler (with --backend dask); without one, two worker processes are started on this machine.
    """
    if not program and module is None:
        return wrong("no program given: torsh run [options] program.py [arguments]")
    if address is not None and backend not in (None, "dask"):
        return wrong(f"--address is for the dask backend, not for {backend!r}")
    problem = prepare(backend or ("dask" if address else None), device_type, address)
    if problem is not None:
        return wrong(problem)
    if module is None and program[0].startswith("-"):
        return wrong(f"unknown option {program[0]!r}; torsh run --help lists them")
    if module is None and not Path(program[0]).exists():
        return wrong(f"no such program: {program[0]!r}")
    target, argv = (module, list(program)) if module is not None else (program[0], list(program[1:]))
    from torsh import compat

    if backend == "dask" or address is not None:
        steps = Steps()
        try:
            return _run(compat, target, argv, module is not None, report)
        finally:
            steps.show()
    return _run(compat, target, argv, module is not None, report)


def _run(compat: Any, target: str, argv: list[str], as_module: bool, report: bool) -> int:
    if not report:
        return code_of(lambda: compat.run(target, argv, as_module=as_module))
    from torsh._cli._report import Counter

    counter = Counter()
    try:
        with counter:
            return code_of(lambda: compat.run(target, argv, as_module=as_module))
    finally:
        counter.show()


def prepare(backend: str | None, device_type: str, address: str | None = None) -> str | None:
    """Bind a backend to a device type (and connect Dask); returns what is wrong, None if nothing is."""
    from torsh import registry

    if backend is None:
        return None
    try:
        registry.bind(device_type, backend)
    except (registry.BackendUnavailable, ValueError) as e:
        return str(e)
    if backend == "dask":
        import torsh_dask

        try:
            torsh_dask.connect(address)
        except (RuntimeError, ImportError) as e:
            return (
                f"{e}; the distributed scheduler comes with torsh-array[dask]" if isinstance(e, ImportError) else str(e)
            )
    return None


class Steps:
    """Counts the program's optimizer steps, to say what Dask did in each."""

    def __init__(self) -> None:
        from torsh.optim.optimizer import register_optimizer_step_post_hook

        self.count = 0
        register_optimizer_step_post_hook(self._counted)

    def _counted(self, *given: Any) -> None:
        self.count += 1

    def show(self) -> None:
        """Print tasks and computes, in all and per step, on stderr."""
        import torsh_dask

        told = torsh_dask.statistics()
        line = f"dask: {told['tasks']} tasks in {told['computes']} computes"
        if self.count:
            line += (
                f"; {self.count} optimizer steps, {told['tasks'] / self.count:.1f} tasks and "
                f"{told['computes'] / self.count:.1f} computes a step"
            )
        print(line, file=sys.stderr)


def code_of(program: Any) -> int:
    """The exit code of a program, as the interpreter would give it: of its SystemExit, or 1 after showing its error."""
    try:
        program()
    except SystemExit as e:
        if e.code is None:
            return 0
        if isinstance(e.code, int):
            return e.code
        print(e.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        raise
    except BaseException as e:
        _forget_own_frames(e)
        sys.excepthook(type(e), e, e.__traceback__)
        return 1
    return 0


def _forget_own_frames(error: BaseException | None) -> None:
    """Take the frames above the program's own out of an error's traceback, and those that answer its imports."""
    while error is not None:
        frames, tb = [], error.__traceback__
        while tb is not None:
            frames.append(tb)
            tb = tb.tb_next
        names = [f.tb_frame.f_globals.get("__name__") for f in frames]
        kept = None
        for f, name in zip(frames[::-1], names[::-1], strict=True):
            if name not in ("torsh.compat._real", "torsh.compat", "runpy", __name__):
                kept = TracebackType(kept, f.tb_frame, f.tb_lasti, f.tb_lineno)
        error.__traceback__ = kept
        error = error.__cause__ or error.__context__


def wrong(message: str) -> int:
    """Say what is wrong with the command; the exit code for that."""
    print(f"torsh: {message}", file=sys.stderr)
    return 2
