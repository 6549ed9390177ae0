"""Which modules a computation is inside of, in the forward and in the backward pass."""

from __future__ import annotations

import weakref
from typing import Any

from torsh.autograd.graph import register_multi_grad_hook
from torsh.tensor import Tensor


class ModuleTracker:
    """Inside its ``with`` block, ``parents`` holds the names of the modules that run just now, ``"Global"`` always.

    Names are those of attributes below the outermost module (``"Net.layer.0"``).  ``is_bw`` says whether a backward pass runs.

    >>> import torsh
    >>> from torsh.utils.module_tracker import ModuleTracker
    >>> class Net(torsh.nn.Module):
    ...     def forward(self, x):
    ...         print(sorted(tracker.parents))
    ...         return x
    >>> tracker = ModuleTracker()
    >>> with tracker:
    ...     _ = Net()(torsh.ones(1))
    ['Global', 'Net']
    """

    def __init__(self) -> None:
        self.parents = {"Global"}
        self._known: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
        self._seen: weakref.WeakSet[Any] = weakref.WeakSet()
        self._has_callback = False

    @property
    def is_bw(self) -> bool:
        """Whether a backward pass runs in this thread."""
        from torsh.autograd import engine

        return engine._running.depth > 0

    def _name_of(self, module: Any) -> str:
        if module not in self._known:
            self._known[module] = type(module).__name__
        name = self._known[module]
        if module not in self._seen:
            self._seen.add(module)
            for child_name, child in module.named_children():
                self._known[child] = f"{name}.{child_name}"
                self._name_of(child)
        return name

    def _enters(self, name: str) -> Any:
        return lambda *_: self.parents.add(name)

    def _leaves(self, name: str) -> Any:
        return lambda *_: self.parents.discard(name)

    def _before(self, module: Any, args: Any) -> None:
        name = self._name_of(module)
        self.parents.add(name)
        tensors = _differentiable(args)
        if tensors:  # their gradients are the last that the module's backward pass gives
            register_multi_grad_hook(tensors, self._leaves(name))

    def _after(self, module: Any, args: Any, output: Any) -> None:
        name = self._name_of(module)
        self.parents.discard(name)
        tensors = _differentiable(output)
        if tensors:
            register_multi_grad_hook(tensors, self._enters(name), mode="any")

    def __enter__(self) -> ModuleTracker:
        from torsh.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

        self._handles = [
            register_module_forward_pre_hook(self._before), register_module_forward_hook(self._after, always_call=True),
        ]  # fmt: skip
        return self

    def __exit__(self, *exc: object) -> None:
        for handle in self._handles:
            handle.remove()


def _differentiable(value: Any) -> list[Tensor]:
    from torsh.autograd.grad_mode import is_grad_enabled
    from torsh.utils._pytree import tree_leaves

    if not is_grad_enabled():
        return []
    return [t for t in tree_leaves(value) if isinstance(t, Tensor) and t.requires_grad]
