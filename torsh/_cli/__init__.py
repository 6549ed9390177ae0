"""The command ``torsh``.  Each subcommand is its own module, imported when it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence

# Options of `run` and `trace` that take a value; what follows the program belongs to the program.
_WITH_VALUE = frozenset({"--backend", "--device-type", "--address", "--limit", "--workers"})


def _separate(tokens: Sequence[str]) -> list[str]:
    """Tokens of ``run``/``trace`` with ``--`` in front of the program, so that its options are left to it."""
    i = 0
    while i < len(tokens):
        token = tokens[i]
        if token == "--":
            return list(tokens)
        if token == "-m":
            return [*tokens[:i], "--module", *tokens[i + 1 : i + 2], "--", *tokens[i + 2 :]]
        if not token.startswith("-") or token == "-":
            return [*tokens[:i], "--", *tokens[i:]]
        i += 2 if token in _WITH_VALUE else 1
    return list(tokens)


def application():  # type: ignore[no-untyped-def]
    """The cyclopts application."""
    from cyclopts import App

    app = App(
        name="torsh", help="PyTorch programs on NumPy, CuPy, PyTorch, Dask and what plugs in.", version=_version,
        result_action="return_value", exit_on_error=False, help_format="plaintext",
    )  # fmt: skip
    app.command(
        "torsh._cli.backends:backends",
        name="backends",
        help="List the backends: versions, devices, what cannot run and why.",
    )
    app.command("torsh._cli.run:run", name="run", help="Run a PyTorch program on a backend, without PyTorch.")
    app.command("torsh._cli.trace:trace", name="trace", help="Run a program and print the sequence of ops it calls.")
    app.command(
        "torsh_conformance.command:conform",
        name="conform",
        help="Measure how right and how fast each op is on each backend.",
    )
    app.command(
        "torsh._cli.version:version", name="version", help="Print the versions of torsh and of what it stands on."
    )
    return app


def _version() -> str:
    import importlib.metadata

    return importlib.metadata.version("torsh-array")


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point.  Exit code: 2 for a wrong command, else the subcommand's (for ``run`` the program's)."""
    from cyclopts import CycloptsError

    tokens = list(sys.argv[1:] if arguments is None else arguments)
    if tokens and tokens[0] in ("run", "trace"):
        tokens = [tokens[0], *_separate(tokens[1:])]
    try:
        code = application()(tokens)
    except CycloptsError:
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
