"""Keeping gradients small.

Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from torsh.autograd.grad_mode import no_grad
from torsh.tensor import Tensor


def _grads(parameters: Any) -> list[Tensor]:
    if isinstance(parameters, Tensor):
        parameters = [parameters]
    return [p._grad for p in parameters if p._grad is not None]


@no_grad()
def get_total_norm(
    tensors: Any, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The norm of all tensors' elements together.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.get_total_norm.html

    >>> import torsh
    >>> from torsh import nn
    >>> nn.utils.get_total_norm([torsh.tensor([3.]), torsh.tensor([4.])])
    tensor(5.)
    """
    import torsh

    tensors = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    norm_type = float(norm_type)
    if not tensors:
        return torsh.tensor(0.0)
    first, place = tensors[0].device, tensors[0]._kind.place
    norms = [torsh.linalg.vector_norm(t, norm_type) for t in tensors]
    total = torsh.linalg.vector_norm(
        torsh.stack([n if n._kind.place is place else n.to(first) for n in norms]), norm_type
    )
    if error_if_nonfinite and not bool(total.isfinite()):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be clipped. To "
            "disable this error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return total


@no_grad()
def clip_grads_with_norm_(parameters: Any, max_norm: float, total_norm: Tensor, foreach: bool | None = None) -> None:
    """Scale gradients, in place, as if their norm was ``total_norm`` and should be at most ``max_norm``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grads_with_norm_.html

    >>> import torsh
    >>> from torsh import nn
    >>> w = nn.Parameter(torsh.zeros(2))
    >>> w.grad = torsh.tensor([3., 4.])
    >>> nn.utils.clip_grads_with_norm_([w], 1., torsh.tensor(5.))
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    # Clamped instead of compared: no value has to be fetched from a device.
    factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
    place = factor._kind.place
    for g in _grads(parameters):
        g.mul_(factor if g._kind.place is place else factor.to(g.device))


@no_grad()
def clip_grad_norm_(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients, in place, so that their norm together is at most ``max_norm``; returns the norm before.

    parameters: one tensor or several; their gradients are scaled in place so that the norm of all together is at most
    ``max_norm``. norm_type: the order of the norm, also inf. The result is the norm before.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html

    >>> import torsh
    >>> from torsh import nn
    >>> w = nn.Parameter(torsh.zeros(2))
    >>> w.grad = torsh.tensor([3., 4.])
    >>> nn.utils.clip_grad_norm_([w], max_norm=1.)
    tensor(5.)
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    if isinstance(parameters, Tensor):
        parameters = [parameters]
    else:
        is_generator = not isinstance(parameters, (list, tuple)) and iter(parameters) is parameters
        parameters = list(parameters)
        if is_generator and not parameters:
            warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=3)
    total = get_total_norm(_grads(parameters), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(parameters, max_norm, total, foreach)
    return total


def clip_grad_norm(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Deprecated name of :func:`clip_grad_norm_`.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm.html

    >>> import torsh
    >>> from torsh import nn
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # deprecated name
    >>> w = nn.Parameter(torsh.zeros(2))
    >>> w.grad = torsh.tensor([3., 4.])
    >>> nn.utils.clip_grad_norm([w], max_norm=1.)
    tensor(5.)
    """
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


@no_grad()
def clip_grad_value_(parameters: Iterable[Tensor] | Tensor, clip_value: float, foreach: bool | None = None) -> None:
    """Clamp every element of all gradients, in place, to [-clip_value, clip_value].

    parameters: one tensor or several. clip_value: the largest absolute value. The gradients are changed in place.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html

    >>> import torsh
    >>> from torsh import nn
    >>> w = nn.Parameter(torsh.zeros(2))
    >>> w.grad = torsh.tensor([3., -0.5])
    >>> nn.utils.clip_grad_value_([w], 1.)
    >>> w.grad
    tensor([ 1.0000, -0.5000])
    """
    limit = float(clip_value)
    for g in _grads(parameters):
        g.clamp_(min=-limit, max=limit)


__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]
