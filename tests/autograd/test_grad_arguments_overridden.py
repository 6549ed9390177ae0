"""What an overriding argument of ``autograd.grad`` is told."""

from __future__ import annotations

from typing import Any

import torsh


def test_grad_gives_overrides_tuples_and_names_the_rest() -> None:
    class Like:
        @classmethod
        def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            return args, kwargs

    x = Like()
    args, kwargs = torsh.autograd.grad(x, x, retain_graph=True)  # type: ignore[arg-type]
    assert args == ((x,), (x,))
    assert kwargs["retain_graph"] is True and kwargs["grad_outputs"] is None
