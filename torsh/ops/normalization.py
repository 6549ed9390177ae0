"""Normalisation over the batch, over features, over groups of channels."""

from __future__ import annotations

import functools
import math
import operator
from typing import Any

from torsh.autograd.grad_mode import no_grad
from torsh.dtypes import float32, scalar_name
from torsh.ops._args import check_tensor
from torsh.ops._op import Op, Ready, composite, primitive
from torsh.tensor import Tensor


def _channels(t: Any, ndim: int) -> Any:
    """A tensor of one value per channel, shaped to broadcast over (N, C, *)."""
    return t.reshape(-1, *(1,) * (ndim - 2)) if ndim > 2 else t


# ---- batch -----------------------------------------------------------------------------------------------------------


def _batch_norm_derivative(g, x, weight, mean, invstd, eps, needs):
    # mean and invstd are computed again from x, so that second derivatives flow through them.
    dims = (0, *range(2, x.ndim))
    n = x.numel() // max(x.shape[1], 1)
    center = x - x.mean(dims, keepdim=True)
    scale = ((center * center).mean(dims, keepdim=True) + eps).rsqrt()
    normal = center * scale
    total, along = g.sum(dims, keepdim=True), (g * normal).sum(dims, keepdim=True)
    gx = None
    if needs[0]:
        gx = (g - (total + normal * along) / n) * scale
        if weight is not None:
            gx = gx * _channels(weight, x.ndim)
    return gx, along.reshape(-1) if needs[1] else None, total.reshape(-1) if needs[2] else None


def _batch_norm_backward_meta(g, x, weight, mean, invstd, eps, needs):
    per = ((x.shape[1],), x.dtype)
    return [(x.shape, x.dtype) if needs[0] else None, per if needs[1] else None, per if needs[2] else None]


batch_norm_backward = Op(
    "batch_norm_backward", None, ("g", "input", "weight", "mean", "invstd", "eps", "needs"),
    decompose=_batch_norm_derivative, meta=_batch_norm_backward_meta,
)  # fmt: skip


def _batch_norm_forward(x, weight, bias, eps):
    dims = (0, *range(2, x.ndim))
    n = x.numel() // max(x.shape[1], 1)
    mean = x.mean(dims, keepdim=True)
    center = x - mean
    var = (center * center).mean(dims, keepdim=True)
    invstd = (var + eps).rsqrt()
    out = center * invstd
    if weight is not None:
        out = out * _channels(weight, x.ndim)
    if bias is not None:
        out = out + _channels(bias, x.ndim)
    return out, mean.reshape(-1), invstd.reshape(-1), (var * (n / max(n - 1, 1))).reshape(-1)


def _batch_norm_tangent(input, weight, out1, out2, input_t, weight_t, bias_t):
    ndim, dims = input.ndim, (0, *range(2, input.ndim))
    normal = (input - _channels(out1, ndim)) * _channels(out2, ndim)
    terms = []
    if input_t is not None:
        inner = input_t - input_t.mean(dims, keepdim=True) - normal * (normal * input_t).mean(dims, keepdim=True)
        scale = out2 if weight is None else out2 * weight
        terms.append(inner * _channels(scale, ndim))
    if weight_t is not None:
        terms.append(normal * _channels(weight_t, ndim))
    if bias_t is not None:
        terms.append(_channels(bias_t, ndim))
    return functools.reduce(operator.add, terms), None, None, None


def _batch_norm_rule(g, input, weight, eps, out1, out2, needs):
    if g[0] is None:
        return None, None, None
    return batch_norm_backward(g[0], input, weight, out1, out2, eps, needs)


@primitive(
    "",
    layout="channels",
    args="input weight bias eps",
    grad={"input weight bias": _batch_norm_rule},
    jvp=_batch_norm_tangent,
    decompose=_batch_norm_forward,
    meta=lambda x, weight, bias, eps: [(x.shape, x.dtype), *[((x.shape[1],), x.dtype)] * 3],
    node_name="NativeBatchNormBackward0",
)
def batch_norm_train(input, weight, bias, eps):
    """(result, mean, 1 / standard deviation, unbiased variance) with the statistics of the batch itself."""
    return (input, weight, bias, eps)


_PER_CHANNEL = "running_mean", "running_var", "weight", "bias"


def _check_types(input: Any, *parameters: Any) -> None:
    """PyTorch's rule for its kernels: parameters and statistics have the input's type, or float32 beside a half type."""
    given = [p for p in parameters if p is not None]
    if all(p._kind.dtype is input._kind.dtype for p in given):
        return
    wrong = next((p for p in given if p._kind.dtype is not float32), None)
    found = ", ".join(scalar_name(t._kind.dtype) for t in (input, *given))
    if wrong is not None:
        raise RuntimeError(
            "mixed dtype (CPU): expect parameter to have scalar type of Float, or all tensors to share the input's type; got "
            f"{found}"
        )
    if input._kind.dtype.itemsize != 2:
        raise RuntimeError(
            f"mixed dtype (CPU): all inputs must share same datatype. Got {found}; convert them with .to(dtype)"
        )


def _check_batch_norm(input, running_mean, running_var, weight, bias, training):
    check_tensor(input, "batch_norm")
    if len(input._data.shape) < 2:
        raise IndexError(
            f"Dimension out of range (batch_norm needs at least 2 dimensions, (N, C, *), got {list(input.shape)})"
        )
    if not input._kind.floating:
        raise NotImplementedError(
            f"\"batch_norm\" not implemented for '{scalar_name(input.dtype)}'; use a floating type"
        )
    n = input._data.shape[1]
    for name, t in zip(_PER_CHANNEL, (running_mean, running_var, weight, bias)):
        if t is not None and (len(t._data.shape) != 1 or t._data.shape[0] != n):
            raise RuntimeError(f"{name} should contain {n} elements not {t.numel()}")
    _check_types(input, weight, bias, running_mean, running_var)
    if not training and (running_mean is None or running_var is None):
        raise RuntimeError("running_mean and running_var must be defined in evaluation mode")


def _batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps):
    """(result, mean or None, invstd or None); updates the running statistics in training."""
    if isinstance(input, Tensor) and 0 in input._data.shape:
        out = input.clone()
        if weight is not None:
            out = out * weight[0]
        return (out if bias is None else out + bias[0]), None, None
    _check_batch_norm(input, running_mean, running_var, weight, bias, training)
    if not training and input.dtype.itemsize < 4 and input._kind.floating:  # rounded once, at the end
        wide = [t if t is None else t.float() for t in (input, weight, bias, running_mean, running_var)]
        return _batch_norm(*wide, training, momentum, eps)[0].to(input.dtype), None, None
    if not training:
        alpha = (running_var + eps).rsqrt()
        if weight is not None:
            alpha = alpha * weight
        beta = -running_mean * alpha
        if bias is not None:
            beta = beta + bias
        return input * _channels(alpha, input.ndim) + _channels(beta, input.ndim), None, None
    out, mean, invstd, var = batch_norm_train.op(input, weight, bias, eps)
    if running_mean is not None or running_var is not None:
        with no_grad():
            if running_mean is not None:
                running_mean.mul_(1 - momentum).add_(mean.detach() * momentum)
            if running_var is not None:
                running_var.mul_(1 - momentum).add_(var.detach() * momentum)
    return out, mean, invstd


@composite("torch.nn.functional.batch_norm", layout="channels", name="functional_batch_norm")
def batch_norm_function(
    input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-05
):
    """Bring every channel to mean 0 and variance 1, then scale and shift it.

    input: (N, C, *).  training: use the batch's own statistics and move the running ones towards them by ``momentum``
    (the running variance gets the unbiased one); otherwise use the running ones.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.batch_norm.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> x = torsh.tensor([[1., 2.], [3., 6.]])
    >>> mean, var = torsh.zeros(2), torsh.ones(2)
    >>> F.batch_norm(x, mean, var, training=True)
    tensor([[-1.0000, -1.0000],
            [ 1.0000,  1.0000]])
    >>> mean, var  # the running statistics are updated in place
    (tensor([0.2000, 0.4000]), tensor([1.1000, 1.7000]))
    """
    if training:
        shape = input._data.shape
        if math.prod(shape[:1]) * math.prod(shape[2:]) == 1:
            raise ValueError(f"Expected more than 1 value per channel when training, got input size {input.shape}")
        if eps <= 0.0:
            raise ValueError(f"batch_norm eps must be positive, but got {eps}")
    return _batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)[0]


@composite("torch.batch_norm")
def batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled):
    """nn.functional.batch_norm with all arguments given.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.batch_norm.html

    >>> import torsh
    >>> x = torsh.tensor([[1., 2.], [3., 6.]])
    >>> torsh.batch_norm(x, None, None, None, None, True, 0.1, 1e-5, False)
    tensor([[-1.0000, -1.0000],
            [ 1.0000,  1.0000]])
    """
    return _batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)[0]


@composite("torch.native_batch_norm", layout="channels free free", out=True)
def native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps):
    """batch_norm that also gives the batch's mean and 1 / standard deviation (empty in evaluation).

    Takes :func:`batch_norm`'s arguments and gives (output, mean, 1 / standard deviation), the latter two of shape (C,).
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> x = torsh.tensor([[1., 2.], [3., 6.]])
    >>> out, mean, rstd = torsh.native_batch_norm(x, None, None, None, None, True, 0.1, 1e-5)
    >>> mean, rstd
    (tensor([2., 4.]), tensor([1.0000, 0.5000]))
    """
    out, mean, invstd = _batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)
    if mean is None:
        return out, input.detach().new_empty((0,)), input.detach().new_empty((0,))
    return out, mean.detach(), invstd.detach()


@composite("torch._native_batch_norm_legit", out=True)
def _native_batch_norm_legit(input, weight, bias, *rest):
    """native_batch_norm; without running statistics where they are left out."""
    if len(rest) == 5:
        return native_batch_norm(input, weight, bias, *rest)
    training, momentum, eps = rest
    return native_batch_norm(input, weight, bias, None, None, training, momentum, eps)


@composite("torch.nn.functional.instance_norm torch.instance_norm", layout="rows")
def instance_norm(
    input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-05
):
    """Batch normalisation of every sample by itself.

    input: (N, C, *).  use_input_stats=False: use the running statistics.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.instance_norm.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.instance_norm(torsh.tensor([[[1., 3.], [10., 30.]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])
    """
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
    shape = tuple(input.shape)
    if len(shape) < 2:
        raise IndexError(f"Dimension out of range (instance_norm needs (N, C, *), got {list(shape)})")
    if use_input_stats and len(shape) > 2 and math.prod(shape[2:]) == 1:
        raise ValueError(f"Expected more than 1 spatial element when training, got input size {input.shape}")
    n, c = shape[:2]

    def tiled(t: Any) -> Any:
        return None if t is None else t.repeat(n)

    mean, var = tiled(running_mean), tiled(running_var)
    out, *_ = _batch_norm(
        input.reshape(1, n * c, *shape[2:]), tiled(weight), tiled(bias), mean, var, use_input_stats, momentum, eps
    )
    if use_input_stats:
        with no_grad():
            for running, many in ((running_mean, mean), (running_var, var)):
                if running is not None:
                    running.copy_(many.reshape(n, c).mean(0))
    return out.reshape(shape)


# ---- features --------------------------------------------------------------------------------------------------------


def _layer_norm_forward(x, shape, weight, bias, eps):
    dims = tuple(range(x.ndim - len(shape), x.ndim))
    mean = x.mean(dims, keepdim=True)
    center = x - mean
    rstd = ((center * center).mean(dims, keepdim=True) + eps).rsqrt()
    out = center * rstd
    if weight is not None:
        out = out * weight
    if bias is not None:
        out = out + bias
    return out, mean, rstd


def _layer_norm_derivative(g, x, shape, weight, mean, rstd, eps, needs):
    lead = x.ndim - len(shape)
    dims, rows = tuple(range(lead, x.ndim)), tuple(range(lead))
    center = x - x.mean(dims, keepdim=True)
    scale = ((center * center).mean(dims, keepdim=True) + eps).rsqrt()
    normal = center * scale
    gx = None
    if needs[0]:
        h = g if weight is None else g * weight
        gx = (h - h.mean(dims, keepdim=True) - normal * (h * normal).mean(dims, keepdim=True)) * scale
    along = g * normal
    return (
        gx,
        (along.sum(rows) if rows else along) if needs[1] else None,
        (g.sum(rows) if rows else g) if needs[2] else None,
    )


layer_norm_backward = Op(
    "layer_norm_backward", None, ("g", "input", "shape", "weight", "mean", "rstd", "eps", "needs"),
    decompose=_layer_norm_derivative,
    meta=lambda g, x, shape, weight, mean, rstd, eps, needs: [
        (x.shape, x.dtype) if needs[0] else None, *((shape, x.dtype) if n else None for n in needs[1:])],
)  # fmt: skip


def _layer_norm_rule(g, input, normalized_shape, weight, eps, out1, out2, needs):
    found = (None, None, None)
    if g[0] is not None:
        found = layer_norm_backward(g[0], input, normalized_shape, weight, out1, out2, eps, needs)
    if not needs[0] or (g[1] is None and g[2] is None):
        return found
    n = math.prod(normalized_shape)
    of_stats = 0 if g[1] is None else g[1] / n
    if g[2] is not None:
        of_stats = of_stats - g[2] * out2**3 * (input - out1) / n
    of_stats = of_stats.expand(tuple(input.shape))
    return of_stats if found[0] is None else found[0] + of_stats, found[1], found[2]


def _layer_norm_meta(x, shape, weight, bias, eps):
    lead = x.ndim - len(shape) if hasattr(x, "ndim") else len(x.shape) - len(shape)
    stat = ((*x.shape[:lead], *(1,) * len(shape)), x.dtype)
    return [(x.shape, x.dtype), stat, stat]


def _layer_norm_tangent(input, normalized_shape, weight, out1, out2, input_t, weight_t, bias_t):
    dims = tuple(range(input.ndim - len(normalized_shape), input.ndim))
    normal = (input - out1) * out2
    terms, of_mean, of_rstd = [], None, None
    if input_t is not None:
        of_mean, along = input_t.mean(dims, keepdim=True), (normal * input_t).mean(dims, keepdim=True)
        inner = (input_t - of_mean - normal * along) * out2
        of_rstd = -out2 * out2 * along
        terms.append(inner if weight is None else inner * weight)
    if weight_t is not None:
        terms.append(normal * weight_t)
    if bias_t is not None:
        terms.append(bias_t)
    return functools.reduce(operator.add, terms), of_mean, of_rstd


@primitive(
    "torch.native_layer_norm",
    grad={"input weight bias": _layer_norm_rule},
    jvp=_layer_norm_tangent,
    decompose=_layer_norm_forward,
    meta=_layer_norm_meta,
)
def native_layer_norm(input, normalized_shape, weight, bias, eps):
    """layer_norm that also gives the mean and 1 / standard deviation of every row.

    Takes :func:`layer_norm`'s arguments and gives (output, mean, 1 / standard deviation).
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> out, mean, rstd = torsh.native_layer_norm(torsh.tensor([[1., 3.], [10., 30.]]), (2,), None, None, 1e-5)
    >>> mean
    tensor([[ 2.],
            [20.]])
    """
    args = _checked_layer_norm(input, normalized_shape, weight, bias, eps, "native_layer_norm")
    out, mean, rstd = native_layer_norm.op(*args)
    return Ready([out, mean.detach(), rstd.detach()])  # the statistics have no gradient here, as in PyTorch


def _checked_layer_norm(input, normalized_shape, weight, bias, eps, name):
    check_tensor(input, name)
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    for what, t in (("weight", weight), ("bias", bias)):
        if t is not None and tuple(t._data.shape) != shape:
            raise RuntimeError(
                f"Expected {what} to be of same shape as normalized_shape, but got {what} of shape {list(t.shape)} and "
                f"normalized_shape = {list(shape)}"
            )
    full = tuple(input._data.shape)
    if full[len(full) - len(shape) :] != shape or len(full) < len(shape):
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [*, {', '.join(map(str, shape))}], but "
            f"got input of size{list(full)}"
        )
    if not input._kind.floating:
        raise NotImplementedError(
            f"\"LayerNormKernelImpl\" not implemented for '{scalar_name(input.dtype)}'; use a floating type"
        )
    _check_types(input, weight, bias)
    return (input, shape, weight, bias, float(eps))


@composite("torch.nn.functional.layer_norm")
def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-05):
    """Bring the last dimensions, of sizes ``normalized_shape``, to mean 0 and variance 1; then scale and shift.

    weight, bias: of shape ``normalized_shape``. eps: added to the variance.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.layer_norm.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.layer_norm(torsh.tensor([[1., 3.], [10., 30.]]), (2,), weight=torsh.tensor([1., 2.]))
    tensor([[-1.0000,  2.0000],
            [-1.0000,  2.0000]])
    """
    return native_layer_norm.op(*_checked_layer_norm(input, normalized_shape, weight, bias, eps, "layer_norm"))[0]


@composite("torch.layer_norm", name="torch_layer_norm")
def torch_layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-05, cudnn_enable=True):
    """nn.functional.layer_norm under its name in the torch namespace.

    normalized_shape: the sizes of the last dimensions, over which mean and variance are taken; weight, bias: of that shape.
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.layer_norm(torsh.tensor([[1., 3.], [10., 30.]]), (2,))
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """
    return layer_norm(input, normalized_shape, weight, bias, eps)


@composite("torch.nn.functional.rms_norm torch.rms_norm")
def rms_norm(input, normalized_shape, weight=None, eps=None):
    """Divide the last dimensions by their root mean square; eps: default the type's machine epsilon.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.rms_norm.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.rms_norm(torsh.tensor([[3., 4.]]), (2,))
    tensor([[0.8485, 1.1314]])
    """
    check_tensor(input, "rms_norm")
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    full = tuple(input.shape)
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    if weight is not None and tuple(weight.shape) != shape:
        raise RuntimeError(
            f"Expected weight to be of same shape as normalized_shape, but got weight of shape {list(weight.shape)} "
            f"and normalized_shape = {list(shape)}"
        )
    if len(full) < len(shape) or full[len(full) - len(shape) :] != shape:
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [*, {', '.join(map(str, shape))}], but "
            f"got input of size{list(full)}"
        )
    dims = tuple(range(len(full) - len(shape), len(full)))
    dtype = input.dtype
    wide = input.float() if dtype.itemsize < 4 and input._kind.floating else input
    if eps is None:
        from torsh.dtypes import float64

        # PyTorch takes the epsilon of the type it computes in.
        eps = 2.0**-52 if wide.dtype.to_real() is float64 else 2.0**-23
    out = wide * (wide.pow(2).mean(dims, keepdim=True) + eps).rsqrt()
    if weight is not None:
        out = out * weight
    return out if out.dtype is dtype else out.to(dtype)


# ---- groups of channels ----------------------------------------------------------------------------------------------


def _group_norm(input, weight, bias, groups, eps):
    """(result, mean, rstd), the statistics as (N, groups)."""
    if input.dtype.itemsize < 4 and input._kind.floating:  # rounded once, at the end
        wide = [t if t is None else t.float() for t in (input, weight, bias)]
        return tuple(t.to(input.dtype) for t in _group_norm(*wide, groups, eps))
    shape = tuple(input.shape)
    n = shape[0]
    cols = math.prod(shape[1:]) // groups
    out, mean, rstd = native_layer_norm.op(input.reshape(n, groups, cols), (cols,), None, None, float(eps))
    out = out.reshape(shape)
    if weight is not None:
        out = out * _channels(weight, len(shape))
    if bias is not None:
        out = out + _channels(bias, len(shape))
    return out, mean.reshape(n, groups), rstd.reshape(n, groups)


@composite("torch.nn.functional.group_norm", layout="channels")
def group_norm(input, num_groups, weight=None, bias=None, eps=1e-05):
    """Bring every group of channels of a sample to mean 0 and variance 1; then scale and shift each channel.

    input: (N, C, *), C divisible by ``num_groups``.  weight, bias: (C,).
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.group_norm.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.group_norm(torsh.tensor([[1., 3., 10., 30.]]), num_groups=2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    check_tensor(input, "group_norm")
    if input.ndim < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.ndim}")
    n, c = input.shape[:2]
    if not num_groups:
        raise ZeroDivisionError("integer division or modulo by zero: num_groups must be greater than 0, got 0")
    if num_groups < 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    if c % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(input.shape)} and num_groups={num_groups}"
        )
    for what, t in (("weight", weight), ("bias", bias)):
        if t is not None and tuple(t.shape) != (c,):
            raise RuntimeError(
                f"Expected {what} to be a vector of size equal to the number of channels in input, but got {what} of "
                f"shape {list(t.shape)} and input of shape {list(input.shape)}"
            )
    if n * math.prod(input.shape[2:]) * (c // num_groups) == 1:
        raise ValueError(
            "Expected more than 1 value per channel when training, got input size "
            f"{[n * c // num_groups, num_groups, *input.shape[2:]]}"
        )
    if not input._kind.floating:
        raise NotImplementedError(
            f"\"GroupNormKernelImpl\" not implemented for '{scalar_name(input.dtype)}'; use a floating type"
        )
    _check_types(input, weight, bias)
    return _group_norm(input, weight, bias, num_groups, eps)[0]


@composite("torch.group_norm", name="torch_group_norm")
def torch_group_norm(input, num_groups, weight=None, bias=None, eps=1e-05, cudnn_enabled=True):
    """nn.functional.group_norm under its name in the torch namespace.

    input: (N, C, *) with C divisible by ``num_groups``; weight, bias: (C,).
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> torsh.group_norm(torsh.tensor([[1., 3., 10., 30.]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    return group_norm(input, num_groups, weight, bias, eps)


@composite("torch.native_group_norm")
def native_group_norm(input, weight, bias, N, C, HxW, group, eps):
    """group_norm that also gives the mean and 1 / standard deviation of every group.

    N, C, HxW: the input's sizes; group: the number of groups. Gives (output, mean, 1 / standard deviation), the latter two
    of shape (N, group).
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> out, mean, rstd = torsh.native_group_norm(torsh.tensor([[1., 3., 10., 30.]]), None, None, 1, 4, 1, 2, 1e-5)
    >>> mean
    tensor([[ 2., 20.]])
    """
    return _group_norm(input, weight, bias, group, eps)


# ---- others ----------------------------------------------------------------------------------------------------------


@composite("torch.nn.functional.local_response_norm")
def local_response_norm(input, size, alpha=1e-4, beta=0.75, k=1.0):
    """Divide by (k + alpha * the mean square over ``size`` neighbouring channels) ** beta.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.local_response_norm.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.local_response_norm(torsh.ones(1, 4, 2), size=2)[0, :, 0]
    tensor([1.0000, 0.9999, 0.9999, 0.9999])
    """
    from torsh.ops.padding import pad
    from torsh.ops.pooling import avg_pool2d, avg_pool3d

    ndim = input.ndim
    if ndim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality                          input (got {ndim} dimensions)")
    if not input.numel():
        return input
    square = input.mul(input)
    if ndim == 3:
        square = square.unsqueeze(1)
        square = avg_pool2d(pad(square, (0, 0, size // 2, (size - 1) // 2)), (size, 1), stride=1).squeeze(1)
    else:
        shape = tuple(input.shape)
        square = square.reshape(shape[0], 1, shape[1], shape[2], -1)
        square = pad(square, (0, 0, 0, 0, size // 2, (size - 1) // 2))
        square = avg_pool3d(square, (size, 1, 1), stride=1).squeeze(1).reshape(shape)
    return input / square.mul(alpha).add(k).pow(beta)


@composite("torch.nn.functional.normalize")
def normalize(input, p=2.0, dim=1, eps=1e-12, out=None):
    """Divide by the p-norm along a dimension, at least ``eps``.

    p: the order of the norm; dim: one dimension or several. The shape stays.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.normalize.html

    >>> import torsh
    >>> import torsh.nn.functional as F
    >>> F.normalize(torsh.tensor([[3., 4.], [0., 2.]]))  # rows of length one
    tensor([[0.6000, 0.8000],
            [0.0000, 1.0000]])
    """
    if out is not None:
        from torsh.ops._out import write_out

        return write_out(normalize, (input, p, dim, eps), {}, out)
    norm = input.norm(p, dim, keepdim=True).clamp_min(eps)
    return input / norm.expand(tuple(input.shape)) if input.ndim else input / norm
