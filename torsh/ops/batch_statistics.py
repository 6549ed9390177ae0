"""The parts of batch normalisation over several processes: statistics of each, put together, and what they normalise.

They are plain functions, not ops: PyTorch has most of them on CUDA alone, and they write to the running statistics they are given.
Channels are dimension 1; statistics are vectors of channels.  ``invstd`` is ``1 / sqrt(variance + eps)``.
"""

from __future__ import annotations

from torsh.ops._args import check_tensor


def _others(x):
    return [d for d in range(x.ndim) if d != 1]


def _spread(v, x):
    return v.reshape([-1 if d == 1 else 1 for d in range(x.ndim)])


def _wide(x):
    """Statistics of half precision are kept in float32."""
    return x.float() if x.dtype.itemsize == 2 else x


def batch_norm_stats(input, eps):
    """(mean, invstd) of each channel.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> mean, invstd = torsh.batch_norm_stats(torsh.tensor([[1.0], [3.0]]), 0.0)
    >>> mean, invstd
    (tensor([2.]), tensor([1.]))
    """
    x = _wide(check_tensor(input, "batch_norm_stats"))
    return x.mean(_others(x)), (x.var(_others(x), correction=0) + eps).rsqrt()


def batch_norm_elemt(input, weight, bias, mean, invstd, eps):
    """``(input - mean) * invstd * weight + bias``; weight and bias may be None.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    x = check_tensor(input, "batch_norm_elemt")
    found = (x - _spread(mean, x)) * _spread(invstd, x)
    if weight is not None:
        found = found * _spread(weight, x)
    if bias is not None:
        found = found + _spread(bias, x)
    return found.to(x.dtype)


def batch_norm_gather_stats(input, mean, invstd, running_mean, running_var, momentum, eps, count):
    """``batch_norm_gather_stats_with_counts`` for processes with ``count`` elements each.

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    return batch_norm_gather_stats_with_counts(
        input, mean, invstd, running_mean, running_var, momentum, eps, mean.new_full((mean.shape[0],), float(count))
    )


def batch_norm_gather_stats_with_counts(input, mean, invstd, running_mean, running_var, momentum, eps, counts):
    """(mean, invstd) of all processes from theirs; the running statistics, where given, move towards them.

    mean, invstd (processes, channels); counts (processes): elements of a channel in each.
    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    import torsh

    n = counts.to(mean.dtype).reshape(-1, 1)
    total = n.sum()
    whole = (mean * n).sum(0) / total
    variance = (((1.0 / invstd).square() - eps + (mean - whole).square()) * n).sum(0) / total
    with torsh.no_grad():
        if running_mean is not None:
            running_mean.copy_((1 - momentum) * running_mean + momentum * whole)
        if running_var is not None:
            running_var.copy_((1 - momentum) * running_var + momentum * variance * (total / (total - 1)))
    return whole, (variance + eps).rsqrt()


def batch_norm_update_stats(input, running_mean, running_var, momentum):
    """(mean, variance) of each channel, towards which the running statistics, where given, move by ``momentum``.

    The running variance is that of a sample (divided by one less than the number of elements).
    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> mean, var = torsh.batch_norm_update_stats(torsh.tensor([[1., 2.], [3., 6.]]), None, None, 0.1)
    >>> mean
    tensor([2., 4.])
    """
    import torsh

    x = _wide(check_tensor(input, "batch_norm_update_stats"))
    dims = _others(x)
    n = x.numel() // x.shape[1]
    mean, variance = x.mean(dims), x.var(dims, correction=0)
    with torsh.no_grad():
        if running_mean is not None:
            running_mean.copy_((1 - momentum) * running_mean + momentum * mean)
        if running_var is not None:
            running_var.copy_((1 - momentum) * running_var + momentum * variance * (n / (n - 1)))
    kind = input.dtype if running_mean is None else running_mean.dtype
    return mean.to(kind), variance.to(kind)


def batch_norm_backward_reduce(grad_out, input, mean, invstd, weight, input_g, weight_g, bias_g):
    """(sum of the gradient, sum of it times ``input - mean``, gradient of the weight, gradient of the bias) of each channel.

    input_g, weight_g, bias_g: which gradients are wanted; the others are None.
    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    g, x = _wide(grad_out), _wide(check_tensor(input, "batch_norm_backward_reduce"))
    total = g.sum(_others(x))
    weighted = (g * (x - _spread(mean, x))).sum(_others(x))
    return (
        total if input_g else None, weighted if input_g else None, weighted * invstd if weight_g else None, total if bias_g else None,
    )  # fmt: skip


def batch_norm_backward_elemt(grad_out, input, mean, invstd, weight, sum_dy, sum_dy_xmu, count):
    """The gradient of the input, from the sums over all processes and the number of elements in each (``count``).

    Source: https://docs.pytorch.org/docs/stable/torch.html
    """
    x = check_tensor(input, "batch_norm_backward_elemt")
    n = count.sum().to(mean.dtype)
    slope = sum_dy_xmu / n * invstd.square()
    found = (grad_out - _spread(sum_dy / n, x) - (x - _spread(mean, x)) * _spread(slope, x)) * _spread(invstd, x)
    return (found if weight is None else found * _spread(weight, x)).to(x.dtype)
