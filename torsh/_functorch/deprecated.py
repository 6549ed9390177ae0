"""The names of the package ``functorch``: those of ``torch.func``, with a warning that says so."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from torsh import func
from torsh._callers import warn
from torsh._functorch import make_functional as _modules


def _renamed(fn: Callable[..., Any], new: str) -> Callable[..., Any]:
    name = fn.__name__

    @functools.wraps(fn)
    def deprecated(*args: Any, **kwargs: Any) -> Any:
        warn(
            f"We've integrated functorch into PyTorch. As the final step of the integration, `functorch.{name}` is deprecated as of "
            f"PyTorch 2.0 and will be deleted in a future version of PyTorch >= 2.3. Please use `{new}` instead; see the PyTorch 2.0 "
            "release notes and/or the `torch.func` migration guide for more details https://pytorch.org/docs/main/func.migrating.html",
            FutureWarning,
        )
        return fn(*args, **kwargs)

    return deprecated


vmap = _renamed(func.vmap, "torch.vmap")
grad = _renamed(func.grad, "torch.func.grad")
grad_and_value = _renamed(func.grad_and_value, "torch.func.grad_and_value")
vjp = _renamed(func.vjp, "torch.func.vjp")
jvp = _renamed(func.jvp, "torch.func.jvp")
jacrev = _renamed(func.jacrev, "torch.func.jacrev")
jacfwd = _renamed(func.jacfwd, "torch.func.jacfwd")
hessian = _renamed(func.hessian, "torch.func.hessian")
functionalize = _renamed(func.functionalize, "torch.func.functionalize")
make_functional = _renamed(_modules.make_functional, "torch.func.functional_call")
make_functional_with_buffers = _renamed(_modules.make_functional_with_buffers, "torch.func.functional_call")
combine_state_for_ensemble = _renamed(_modules.combine_state_for_ensemble, "torch.func.stack_module_state")
