"""Filling tensors with initial values, in place and without recording.

The random ones draw exactly the numbers PyTorch draws, in its order, so that one seed gives the same weights.
Source: https://docs.pytorch.org/docs/stable/nn.init.html
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from torsh._asking import overridable_by_name
from torsh.autograd.grad_mode import no_grad
from torsh.tensor import Tensor

_LINEAR = frozenset(
    {
        "linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "sigmoid",
    }
)  # fmt: skip


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which a nonlinearity wants its input's standard deviation enlarged.

    param: the negative slope of ``leaky_relu``.  Raises ValueError for a nonlinearity that has none.
    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.calculate_gain

    >>> from torsh import nn
    >>> nn.init.calculate_gain("leaky_relu", 0.2)
    1.3867504905630728
    """
    if nonlinearity in _LINEAR:
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        if param is None:
            slope = 0.01
        elif (not isinstance(param, bool) and isinstance(param, int)) or isinstance(param, float):
            slope = param
        else:
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise ValueError(f"Unsupported nonlinearity {nonlinearity}")


@overridable_by_name
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with values from the uniform distribution on [a, b).

    tensor: changed in place, outside autograd, and given back. generator: default the default generator.
    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.uniform_

    >>> import torsh
    >>> from torsh import nn
    >>> _ = torsh.manual_seed(0)
    >>> nn.init.uniform_(torsh.empty(2), -1., 1.)
    tensor([-0.0075,  0.5364])
    """
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


@overridable_by_name
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with values from the normal distribution.

    tensor: changed in place, outside autograd, and given back. generator: default the default generator.
    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.normal_

    >>> import torsh
    >>> from torsh import nn
    >>> _ = torsh.manual_seed(0)
    >>> nn.init.normal_(torsh.empty(2), std=0.02)
    tensor([ 0.0308, -0.0059])
    """
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None
) -> Tensor:
    """Fill with values from the normal distribution cut off outside [a, b].

    mean, std: of the normal distribution before it is cut; a, b: the limits. tensor: changed in place, outside autograd, and given back.
    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.trunc_normal_

    >>> import torsh
    >>> from torsh import nn
    >>> _ = torsh.manual_seed(0)
    >>> bool(nn.init.trunc_normal_(torsh.empty(100)).abs().max() <= 2)
    True
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be incorrect.",
            stacklevel=2,
        )

    import torsh

    def cdf(x: float) -> float:
        return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0

    with no_grad():
        if cdf((b - mean) / std) - cdf((a - mean) / std) > 0.3:
            # Most draws fall inside: draw again what does not.  Bounds as the tensor's dtype has them.
            low, high = (torsh.tensor(x, dtype=tensor.dtype).item() for x in (a, b))
            result = tensor.normal_(mean, std, generator=generator)
            while (outside := (result < low) | (result > high)).any():
                result = torsh.where(outside, torsh.empty_like(result).normal_(mean, std, generator=generator), result)
        else:
            # The interval is in the tails: uniform candidates, accepted with the density's share of its peak there.
            peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2

            def refused(x: Tensor) -> Tensor:
                log_density = x.sub(mean).div_(std).pow_(2).mul_(-0.5).sub_(peak)
                return torsh.empty_like(x).uniform_(generator=generator).log_().gt(log_density)

            result = tensor.uniform_(a, b, generator=generator)
            pending = refused(result)
            while pending.any():
                candidates = torsh.empty_like(result).uniform_(a, b, generator=generator)
                result = torsh.where(pending, candidates, result)
                pending = pending & refused(candidates)
        if result is not tensor:
            tensor.copy_(result)
        return tensor


@overridable_by_name
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value.

    tensor: changed in place, outside autograd, and given back.
    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.constant_

    >>> import torsh
    >>> from torsh import nn
    >>> nn.init.constant_(torsh.empty(2), 0.3)
    tensor([0.3000, 0.3000])
    """
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1.

    tensor: changed in place, outside autograd, and given back.
    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.ones_

    >>> import torsh
    >>> from torsh import nn
    >>> nn.init.ones_(torsh.empty(2))
    tensor([1., 1.])
    """
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0.

    tensor: changed in place, outside autograd, and given back.
    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.zeros_

    >>> import torsh
    >>> from torsh import nn
    >>> nn.init.zeros_(torsh.empty(2))
    tensor([0., 0.])
    """
    with no_grad():
        return tensor.zero_()


def eye_(tensor: Tensor) -> Tensor:
    """Make a matrix the identity.

    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.eye_

    >>> import torsh
    >>> from torsh import nn
    >>> nn.init.eye_(torsh.empty(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if tensor.ndimension() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    import torsh

    with no_grad():
        tensor.copy_(torsh.eye(*tensor.shape, dtype=tensor.dtype, device=tensor.device))
    return tensor


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Make the weight of a convolution one that passes its input channels through, in each group.

    tensor: (out, in, *kernel) of 3 to 5 dimensions; a convolution with it gives its input back. groups: the convolution's.
    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.dirac_

    >>> import torsh
    >>> from torsh import nn
    >>> nn.init.dirac_(torsh.empty(1, 1, 3))
    tensor([[[0., 1., 0.]]])
    """
    dimensions = tensor.ndimension()
    if dimensions not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    sizes = tensor.size()
    if groups < 1 or sizes[0] % groups != 0:
        raise ValueError("dim 0 must be divisible by groups")
    per_group = sizes[0] // groups
    centre = tuple(n // 2 for n in sizes[2:])
    with no_grad():
        tensor.zero_()
        for g in range(groups):
            for d in range(min(per_group, sizes[1])):
                tensor[(g * per_group + d, d, *centre)] = 1
    return tensor


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many inputs feed one output, and how many outputs one input."""
    if tensor.dim() < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    shape = tensor.shape
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    mode = mode.lower()
    valid = ["fan_in", "fan_out"]
    if mode not in valid:
        raise ValueError(f"Mode {mode} not supported, please use one of {valid}")
    return _calculate_fan_in_and_fan_out(tensor)[mode == "fan_out"]


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Glorot's uniform initialisation (Glorot and Bengio, 2010).

    Uniform on (-b, b) with b = gain * sqrt(6 / (fan_in + fan_out)). tensor: of two dimensions at least.
    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.xavier_uniform_

    >>> import torsh
    >>> from torsh import nn
    >>> _ = torsh.manual_seed(0)
    >>> nn.init.xavier_uniform_(torsh.empty(2, 3))
    tensor([[-0.0082,  0.5876, -0.9016],
            [-0.8062, -0.4219,  0.2938]])
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    a = math.sqrt(3.0) * gain * math.sqrt(2.0 / float(fan_in + fan_out))
    return uniform_(tensor, -a, a, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Glorot's normal initialisation (Glorot and Bengio, 2010).

    The standard deviation is gain * sqrt(2 / (fan_in + fan_out)). tensor: of two dimensions at least.
    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.xavier_normal_

    >>> import torsh
    >>> from torsh import nn
    >>> _ = torsh.manual_seed(0)
    >>> nn.init.xavier_normal_(torsh.empty(64, 32)).shape
    torsh.Size([64, 32])
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / float(fan_in + fan_out)), generator)


def _empty(tensor: Tensor) -> bool:
    if 0 in tensor.shape:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return True
    return False


@overridable_by_name
def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """He's uniform initialisation (He et al., 2015).  a: the negative slope of the leaky ReLU that follows.

    Uniform on (-b, b) with b = gain * sqrt(3 / fan); the parameters are those of :func:`kaiming_normal_`.
    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.kaiming_uniform_

    >>> import torsh
    >>> from torsh import nn
    >>> _ = torsh.manual_seed(0)
    >>> nn.init.kaiming_uniform_(torsh.empty(2, 3))
    tensor([[-0.0106,  0.7586, -1.1640],
            [-1.0408, -0.5447,  0.3792]])
    """
    if _empty(tensor):
        return tensor
    std = calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))
    bound = math.sqrt(3.0) * std
    with no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """He's normal initialisation (He et al., 2015).  a: the negative slope of the leaky ReLU that follows.

    The standard deviation is gain / sqrt(fan), with the gain of ``nonlinearity`` (``a``: the slope of leaky_relu) and the
    ``fan_in`` or ``fan_out`` of the weight. tensor: of two dimensions at least.
    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.kaiming_normal_

    >>> import torsh
    >>> from torsh import nn
    >>> _ = torsh.manual_seed(0)
    >>> w = nn.init.kaiming_normal_(torsh.empty(64, 32), nonlinearity="relu")
    >>> w.shape
    torsh.Size([64, 32])
    """
    if _empty(tensor):
        return tensor
    std = calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))
    with no_grad():
        return tensor.normal_(0, std, generator=generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Fill with a (semi-)orthogonal matrix; trailing dimensions count as one (Saxe et al., 2013).

    tensor: of two dimensions at least, taken as a matrix of its first size. gain: a factor of the whole.
    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.orthogonal_

    >>> import torsh
    >>> from torsh import nn
    >>> _ = torsh.manual_seed(0)
    >>> w = nn.init.orthogonal_(torsh.empty(3, 3))
    >>> torsh.allclose(w @ w.T, torsh.eye(3), atol=1e-6)
    True
    """
    if tensor.ndimension() < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    import torsh

    rows = tensor.size(0)
    cols = tensor.numel() // rows
    with no_grad():
        flat = torsh.empty((rows, cols), dtype=tensor.dtype, device=tensor.device).normal_(0, 1, generator=generator)
        if rows < cols:
            flat = flat.t()
        q, r = torsh.linalg.qr(flat)
        # With the signs of R's diagonal the result is uniform over orthogonal matrices (Mezzadri, 2007).
        q = q * r.diagonal().sign()
        if rows < cols:
            q = q.t()
        tensor.view_as(q).copy_(q)
        tensor.mul_(gain)
    return tensor


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Fill a matrix with normal values and set a share of every column to 0 (Martens, 2010).

    tensor: a matrix. sparsity: the share of zeros in each column.
    Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.sparse_

    >>> import torsh
    >>> from torsh import nn
    >>> _ = torsh.manual_seed(0)
    >>> (nn.init.sparse_(torsh.empty(4, 3), sparsity=0.5) == 0).sum(dim=0)
    tensor([2, 2, 2])
    """
    if tensor.ndimension() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    import torsh

    rows, cols = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with no_grad():
        tensor.normal_(0, std, generator=generator)
        for col in range(cols):
            tensor[torsh.randperm(rows)[:zeros], col] = 0
    return tensor


def _deprecated(fn: Callable[..., Tensor]) -> Callable[..., Tensor]:
    new, old = fn.__name__, fn.__name__[:-1]

    def call(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(f"`nn.init.{old}` is now deprecated in favor of `nn.init.{new}`.", FutureWarning, stacklevel=2)
        return fn(*args, **kwargs)

    call.__name__ = call.__qualname__ = old
    call.__doc__ = (
        f"Deprecated name of :func:`{new}`.\n\n"
        f"Source: https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.{new}"
    )
    return call


uniform = _deprecated(uniform_)
normal = _deprecated(normal_)
constant = _deprecated(constant_)
eye = _deprecated(eye_)
dirac = _deprecated(dirac_)
xavier_uniform = _deprecated(xavier_uniform_)
xavier_normal = _deprecated(xavier_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
kaiming_normal = _deprecated(kaiming_normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_)

__all__ = [
    "calculate_gain", "constant", "constant_", "dirac", "dirac_", "eye", "eye_", "kaiming_normal",
    "kaiming_normal_", "kaiming_uniform", "kaiming_uniform_", "normal", "normal_", "ones_", "orthogonal", "orthogonal_",
    "sparse", "sparse_", "trunc_normal_", "uniform", "uniform_", "xavier_normal", "xavier_normal_", "xavier_uniform",
    "xavier_uniform_", "zeros_",
]  # fmt: skip
