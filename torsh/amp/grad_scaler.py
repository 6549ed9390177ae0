"""``GradScaler``: scaling the loss so that float16 gradients do not vanish.

Source: https://docs.pytorch.org/docs/stable/amp.html#gradient-scaling
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

from torsh.autograd.grad_mode import no_grad
from torsh.tensor import Tensor


class _Seen:
    """What a scaler did with an optimizer since the last ``update``."""

    def __init__(self) -> None:
        self.unscaled = self.stepped = False
        self.found_inf: bool | None = None  # None: there was no gradient to look at


class GradScaler:
    """Scales losses up and gradients down; skips steps whose gradients are not finite and adapts the scale.

    init_scale, growth_factor, backoff_factor, growth_interval: after ``growth_interval`` good steps the scale grows, after a bad
    one it shrinks.  enabled: False makes everything pass through; for "cuda" without a CUDA device it is off, with a warning.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.GradScaler.html

    >>> import torsh
    >>> scaler = torsh.amp.GradScaler("cpu", init_scale=8.)
    >>> scaler.scale(torsh.tensor(2.))
    tensor(16.)
    """

    def __init__(
        self, device: str = "cuda", init_scale: float = 2.0**16, growth_factor: float = 2.0, backoff_factor: float = 0.5,
        growth_interval: int = 2000, enabled: bool = True,
    ) -> None:  # fmt: skip
        self._device, self._enabled = device, enabled
        if enabled and device == "cuda":
            from torsh import cuda

            if not cuda.is_available():
                warnings.warn(
                    "torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.", stacklevel=2
                )
                self._enabled = False
        if self._enabled:
            if growth_factor <= 1.0:
                raise AssertionError("The growth factor must be > 1.0.")
            if backoff_factor >= 1.0:
                raise AssertionError("The backoff factor must be < 1.0.")
        self._init_scale, self._scale = init_scale, None  # the scale is a tensor from the first loss on
        self._growth_factor, self._backoff_factor, self._growth_interval = (
            growth_factor,
            backoff_factor,
            growth_interval,
        )
        self._good_steps = 0
        self._seen: dict[int, _Seen] = {}

    _scale: Tensor | None

    def _state(self, optimizer: Any) -> _Seen:
        return self._seen.setdefault(id(optimizer), _Seen())

    def _scale_for(self, caller: str) -> Tensor:
        if self._scale is None:
            raise AssertionError(
                f"Attempted {caller} but _scale is None.  This may indicate your script did not use scaler.scale(loss or outputs) "
                "earlier in the iteration."
            )
        return self._scale

    def scale(self, outputs: Any) -> Any:
        """Losses times the scale: a tensor, or any nesting of iterables of them."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            if self._scale is None:
                import torsh

                self._scale = torsh.full((), self._init_scale, dtype=torsh.float32, device=outputs.device)
            return outputs * self._scale.to(outputs.device)
        if isinstance(outputs, Iterable):
            scaled = map(self.scale, outputs)
            return type(outputs)(scaled) if isinstance(outputs, (list, tuple)) else scaled  # type: ignore[call-arg]
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of an optimizer's parameters by the scale, and look for inf and nan among them.

        RuntimeError where that was done since the last ``update``; ValueError for float16 gradients.
        """
        if not self._enabled:
            return
        scale, seen = self._scale_for("unscale_"), self._state(optimizer)
        if seen.unscaled and not seen.stepped:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        if seen.stepped:
            raise RuntimeError("unscale_() is being called after step().")
        self._unscale(optimizer, seen, 1.0 / float(scale))

    def _unscale(self, optimizer: Any, seen: _Seen, factor: float) -> None:
        import torsh

        with no_grad():
            for group in optimizer.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    if p.grad.dtype is torsh.float16:
                        raise ValueError("Attempting to unscale FP16 gradients.")
                    p.grad.mul_(factor)
                    values = p.grad.coalesce().values() if p.grad.is_sparse else p.grad
                    seen.found_inf = bool(seen.found_inf) or not bool(torsh.isfinite(values).all())
        seen.unscaled = True

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """``optimizer.step()``, unless its gradients are not finite."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._scale_for("step")
        seen = self._state(optimizer)
        if seen.stepped:
            raise RuntimeError("step() has already been called since the last update().")
        if not seen.unscaled:
            self.unscale_(optimizer)
        if seen.found_inf is None:
            raise AssertionError("No inf checks were recorded for this optimizer.")
        result = None if seen.found_inf else optimizer.step(*args, **kwargs)
        seen.stepped = True
        return result

    def update(self, new_scale: Any = None) -> None:
        """Adapt the scale after the steps of an iteration, or set it to a number or a tensor of one element."""
        if not self._enabled:
            return
        scale = self._scale_for("update")
        found = [s.found_inf for s in self._seen.values() if s.found_inf is not None]
        if isinstance(new_scale, Tensor):
            if new_scale.numel() != 1 or new_scale.requires_grad:
                raise AssertionError(
                    "new_scale should be a float or a 1-element torch.cuda.FloatTensor or torch.FloatTensor with "
                    "requires_grad=False."
                )
            scale.copy_(new_scale)
        elif new_scale is not None:
            scale.fill_(new_scale)
        elif not found:
            raise AssertionError("No inf checks were recorded prior to update.")
        elif any(found):
            scale.mul_(self._backoff_factor)
            self._good_steps = 0
        else:
            self._good_steps += 1
            if self._good_steps == self._growth_interval:
                if math.isfinite(float(scale * self._growth_factor)):
                    scale.mul_(self._growth_factor)
                self._good_steps = 0
        self._seen = {}

    def get_scale(self) -> float:
        """The scale now; 1.0 if disabled."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else float(self._scale)

    def get_growth_factor(self) -> float:
        """What the scale is multiplied by after ``growth_interval`` good steps."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set the growth factor."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the scale is multiplied by after a bad step."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set the backoff factor."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """How many good steps in a row make the scale grow."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set the growth interval."""
        self._growth_interval = new_interval

    def is_enabled(self) -> bool:
        """Whether scaling is on."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """Scale and settings, for saving; empty if disabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(), "growth_factor": self._growth_factor, "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval, "_growth_tracker": self._good_steps,
        }  # fmt: skip

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` gave."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._init_scale, self._good_steps = state_dict["scale"], state_dict["_growth_tracker"]
        if self._scale is not None:
            self._scale.fill_(state_dict["scale"])
        self._growth_factor, self._backoff_factor = state_dict["growth_factor"], state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]

    def __getstate__(self) -> dict[str, Any]:
        if self._seen:
            raise AssertionError(
                "A GradScaler instance may only be pickled at the beginning of an iteration, or at the end after scaler.update()."
            )
        return self.__dict__ | {"_init_scale": self.get_scale(), "_scale": None}
