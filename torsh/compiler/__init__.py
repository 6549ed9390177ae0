"""``torsh.compile``.  There is no compiler yet, so functions come back as they are (as PyTorch does when compiling is disabled).

Source: https://docs.pytorch.org/docs/stable/torch.compiler_api.html
"""

from __future__ import annotations

import contextlib
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


assume_constant_result = nested_compile_region = wrap_numpy = allow_in_graph


def substitute_in_graph(original_fn: Callable[..., Any], **options: Any) -> Callable[[Any], Any]:
    """A decorator for a function that a compiler would take in place of another: it comes back as it is.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.compiler.substitute_in_graph.html

    >>> import torsh
    >>> @torsh.compiler.substitute_in_graph(abs)
    ... def distance(x):
    ...     return max(x, -x)
    >>> distance(-2)
    2
    """
    return lambda fn: fn


class set_stance(contextlib.ContextDecorator):
    """How a compiler should behave, from now on or for a block or function: accepted, everything runs eagerly.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.compiler.set_stance.html

    >>> import torsh
    >>> with torsh.compiler.set_stance("force_eager"):
    ...     pass
    """

    def __init__(
        self, stance: str = "default", *, skip_guard_eval_unsafe: bool = False, force_backend: Any = None
    ) -> None:
        known = (
            "default",
            "force_eager",
            "eager_on_recompile",
            "fail_on_recompile",
            "eager_then_compile",
            "aot_eager_then_compile",
        )
        if stance not in known:
            raise RuntimeError(f"invalid torch.compile stance {stance!r}: expected one of {', '.join(known)}")

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        pass


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
