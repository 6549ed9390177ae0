"""Many directions at once: what ``jacfwd`` pushes forward."""

from __future__ import annotations

from typing import Any

from torsh.dispatch import _lock, _stack, modes, state
from torsh.func._batched import VmapMode, at_level, batched
from torsh.tensor import Tensor


class Directions(VmapMode):
    """The map over the directions of a level of forward mode, right below it: tangents are batches of it, values never are.

    Its number is lower than those of all maps around, which lie above it on the stack of modes.
    """

    def __init__(self, size: int, randomness: str) -> None:
        within = sum(isinstance(m, Directions) for m in modes())
        super().__init__(_LOWEST + within, size, randomness)

    def __enter__(self) -> Any:
        from torsh.autograd._forward import place_below_maps

        place_below_maps(self)
        return self

    def __exit__(self, *exc: object) -> None:
        _stack.modes = tuple([m for m in _stack.modes if m is not self])
        with _lock:
            state.busy -= 1

    def example(self, batch: Tensor) -> Tensor:
        """A batch of tangents, its dimension first, as the tangent that ops see."""
        return batched(batch, self.level)

    def batch_of(self, value: Tensor, tangent: Tensor | None) -> Tensor:
        """The batch behind a value's tangent (None: zeros)."""
        if tangent is None:
            return value.detach().new_zeros((self.size, *value.shape))  # type: ignore[no-any-return]
        return tangent._physical if at_level(tangent, self.level) else tangent.expand((self.size, *value.shape))  # type: ignore[attr-defined, no-any-return]


_LOWEST = -(1 << 30)
