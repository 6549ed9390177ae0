"""``torsh.compile``.  There is no compiler yet, so functions come back as they are (as PyTorch does when compiling is disabled).

Source: https://docs.pytorch.org/docs/stable/torch.compiler_api.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def compile(
    model: Callable[..., Any] | None = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = "eager",
    mode: str | None = None,
    options: Any = None,
    disable: bool = False,
) -> Any:
    """The function or module itself, which then runs eagerly; also as a decorator with arguments.

    Every argument is accepted and, as long as torsh has no compiler, without effect.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.compile.html

    >>> import torsh
    >>> f = torsh.compile(lambda x: x * 2 + 1)
    >>> f(torsh.tensor([1.]))
    tensor([3.])
    """
    if model is None:
        return functools.partial(
            compile, fullgraph=fullgraph, dynamic=dynamic, backend=backend, mode=mode, options=options
        )
    if not callable(model):
        raise TypeError(f"torch.compile expects a function or a module, got {type(model).__name__}")
    return model


def is_compiling() -> bool:
    """Whether code runs inside a compiler; never.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.compiler.is_compiling.html

    >>> import torsh
    >>> torsh.compiler.is_compiling()
    False
    """
    return False


is_dynamo_compiling = is_exporting = is_compiling


def disable(fn: Any = None, recursive: bool = True, **kwargs: Any) -> Any:
    """Keep a function from being compiled; nothing is.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.compiler.disable.html

    >>> import torsh
    >>> f = torsh.compiler.disable(lambda x: x * 2)
    >>> f(torsh.tensor([1.]))
    tensor([2.])
    """
    return (lambda f: f) if fn is None else fn


def allow_in_graph(fn: Any) -> Any:
    """Accepted; nothing is compiled.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.compiler.allow_in_graph.html

    >>> import torsh
    >>> f = torsh.compiler.allow_in_graph(lambda x: x + 1)
    >>> f(torsh.tensor([1.]))
    tensor([2.])
    """
    return fn


assume_constant_result = substitute_in_graph = allow_in_graph


def reset() -> None:
    """Forget compiled functions; there are none.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.compiler.reset.html

    >>> import torsh
    >>> torsh.compiler.reset()
    """


def cudagraph_mark_step_begin() -> None:
    """Accepted; there are no CUDA graphs.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.compiler.cudagraph_mark_step_begin.html

    >>> import torsh
    >>> torsh.compiler.cudagraph_mark_step_begin()
    """


def list_backends(exclude_tags: Any = ()) -> list[str]:
    """Names of compiler backends: eager only.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.compiler.list_backends.html

    >>> import torsh
    >>> isinstance(torsh.compiler.list_backends(), list)
    True
    """
    return ["eager"]
