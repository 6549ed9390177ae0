"""What ``import functorch`` gives under the alias: the package's names, which ``torch.func`` has taken over."""

from __future__ import annotations

from typing import Any

from torsh._functorch.deprecated import combine_state_for_ensemble as combine_state_for_ensemble
from torsh._functorch.deprecated import functionalize as functionalize
from torsh._functorch.deprecated import grad as grad
from torsh._functorch.deprecated import grad_and_value as grad_and_value
from torsh._functorch.deprecated import hessian as hessian
from torsh._functorch.deprecated import jacfwd as jacfwd
from torsh._functorch.deprecated import jacrev as jacrev
from torsh._functorch.deprecated import jvp as jvp
from torsh._functorch.deprecated import make_functional as make_functional
from torsh._functorch.deprecated import make_functional_with_buffers as make_functional_with_buffers
from torsh._functorch.deprecated import vjp as vjp
from torsh._functorch.deprecated import vmap as vmap
from torsh._functorch.make_functional import FunctionalModule as FunctionalModule
from torsh._functorch.make_functional import FunctionalModuleWithBuffers as FunctionalModuleWithBuffers
from torsh.version import API

__version__ = API


def __getattr__(name: str) -> Any:
    if name == "make_fx":
        from torsh.compat import placeholders

        return placeholders.missing("functorch.make_fx")
    raise AttributeError(f"module 'functorch' has no attribute {name!r}")
