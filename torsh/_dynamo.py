"""Switches of PyTorch's compiler that programs set.  torsh runs everything eagerly, so they change nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from torsh.compiler import allow_in_graph as allow_in_graph
from torsh.compiler import assume_constant_result as assume_constant_result
from torsh.compiler import disable as disable
from torsh.compiler import is_compiling as is_compiling
from torsh.compiler import list_backends as list_backends
from torsh.compiler import reset as reset
from torsh.compiler import set_stance as set_stance
from torsh.compiler import substitute_in_graph as substitute_in_graph

__path__: list[str] = []  # as a package, so that what is below it is looked for


class _Settings(SimpleNamespace):
    """Settings that can be read and set."""

    def patch(self, *given: Any, **named: Any) -> Any:
        """A context manager (and decorator) with other settings inside."""
        from unittest import mock

        values = {**(dict([given]) if len(given) == 2 else given[0] if given else {}), **named}
        return mock.patch.multiple(self, create=True, **values)


config = _Settings(
    suppress_errors=False, cache_size_limit=8, recompile_limit=8, accumulated_cache_size_limit=256, verbose=False,
    capture_scalar_outputs=False, capture_dynamic_output_shape_ops=False, assume_static_by_default=True, automatic_dynamic_shapes=True,
    optimize_ddp=True, force_parameter_static_shapes=True, inline_inbuilt_nn_modules=True, allow_unspec_int_on_nn_module=False,
)  # fmt: skip


def mark_dynamic(t: Any, index: Any = None, **options: Any) -> None:
    """Nothing is specialized on sizes."""


mark_static = mark_static_address = maybe_mark_dynamic = override_optimization_hint = mark_dynamic
disallow_in_graph = forbid_in_graph = nonstrict_trace = dont_skip_tracing = allow_in_graph


def graph_break(msg: str = "") -> None:
    """There is no graph."""


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module 'torch._dynamo' has no attribute {name!r}")
    from torsh.compat import placeholders

    return placeholders.missing(f"torch._dynamo.{name}")
