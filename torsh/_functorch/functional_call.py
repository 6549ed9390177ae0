"""``functional_call`` and ``stack_module_state`` under another name."""

from __future__ import annotations

from torsh.func import functional_call as functional_call
from torsh.func import stack_module_state as stack_module_state
