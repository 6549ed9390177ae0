"""Kernels of reductions."""

import torch


def _over(fn, whole=None):
    """A kernel from a torch function of (x, dim, keepdim); ``whole``: its form without dim, where it has no None."""

    def kernel(x, dim, keepdim, shape=None):
        if dim is None:
            if whole is not None and not keepdim:
                return whole(x)
            dim = tuple(range(x.ndim))
        return fn(x, dim, keepdim)

    return kernel


def _position(fn):
    return lambda x, dim, keepdim: fn(x, None if dim is None else dim[0], keepdim)


def prod(x, dim, keepdim):
    return torch.prod(x) if dim is None else torch.prod(x, dim[0], keepdim)


KERNELS = {
    "sum": _over(torch.sum, torch.sum),
    "mean": _over(torch.mean, torch.mean),
    "nansum": _over(torch.nansum, torch.nansum),
    "prod_op": prod,
    "all": _over(torch.all, torch.all),
    "any": _over(torch.any, torch.any),
    "amax": _over(torch.amax, torch.amax),
    "amin": _over(torch.amin, torch.amin),
    "argmax": _position(torch.argmax),
    "argmin": _position(torch.argmin),
    "max_dim": lambda x, dim, keepdim, shape: tuple(torch.max(x, dim, keepdim)),
    "min_dim": lambda x, dim, keepdim, shape: tuple(torch.min(x, dim, keepdim)),
    "var_op": lambda x, dim, keepdim, correction, shape: torch.var(x, dim, correction=correction, keepdim=keepdim),
    "std_op": lambda x, dim, keepdim, correction, shape: torch.std(x, dim, correction=correction, keepdim=keepdim),
    "logsumexp": _over(torch.logsumexp),
}
