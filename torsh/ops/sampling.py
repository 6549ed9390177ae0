"""Samples of other distributions: exponential, Cauchy, geometric, Poisson, binomial, gamma; choosing by weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from torsh import dtypes
from torsh.backend import TO_NUMPY
from torsh.dtypes import dtype as Dtype
from torsh.dtypes import scalar_name
from torsh.ops import _sampling
from torsh.ops._op import composite, needs_grad
from torsh.ops.conversion import host_array
from torsh.ops.gamma_gradient import drawn_gamma
from torsh.ops.random import (
    _arranged,
    _bare,
    _contiguous,
    _fill,
    _from,
    _integer,
    _memory_order,
    _no_gradient,
    cauchy_op,
    exponential_op,
    geometric_op,
    log_normal_op,
    under_vmap,
)
from torsh.random import generator_of
from torsh.tensor import Tensor


def _continuous(dtype: Dtype, name: str, shown: str) -> None:
    if not dtype.is_floating_point:
        raise RuntimeError(
            f"{name} distribution is a continuous probability distribution. dtype must be a floating point but you "
            f"specified {shown}"
        )


@composite("Tensor.exponential_", name="exponential_", tags="random inplace")
def exponential_(self, lambd=1, *, generator=None):
    """Write numbers from the exponential distribution of rate ``lambd`` into the tensor and return it.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.exponential_.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> bool((torsh.empty(100).exponential_() > 0).all())
    True
    """
    _continuous(self.dtype, "Exponential", scalar_name(self.dtype))
    if not lambd > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    return _fill(self, exponential_op, (float(lambd),), generator, "exponential_")


@composite("Tensor.geometric_", name="geometric_", tags="random inplace")
def geometric_(self, p, *, generator=None):
    """Write numbers from the geometric distribution (the trial of the first success) into the tensor and return it.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.geometric_.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.empty(3).geometric_(0.5) >= 1
    tensor([True, True, True])
    """
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p}")
    if self._kind.complex or self.dtype is dtypes.bool or _bare(self.dtype):
        raise NotImplementedError(f"\"geometric_cpu\" not implemented for '{scalar_name(self.dtype)}'")
    return _fill(self, geometric_op, (float(p),), generator, "geometric_")


@composite("Tensor.cauchy_", name="cauchy_", tags="random inplace")
def cauchy_(self, median=0, sigma=1, *, generator=None):
    """Write numbers from the Cauchy distribution into the tensor and return it.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.cauchy_.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.empty(2, dtype=torsh.float64).cauchy_().shape
    torsh.Size([2])
    """
    if not sigma > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
    _continuous(self.dtype, "Cauchy", scalar_name(self.dtype))
    return _fill(self, cauchy_op, (float(median), float(sigma)), generator, "cauchy_")


@composite("Tensor.log_normal_", name="log_normal_", tags="random inplace")
def log_normal_(self, mean=1, std=2, *, generator=None):
    """Write numbers whose logarithms are normal with this mean and standard deviation into the tensor and return it.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.log_normal_.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> bool((torsh.empty(100).log_normal_() > 0).all())
    True
    """
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std}")
    if not self._kind.floating:
        raise NotImplementedError(f"\"log_normal_cpu\" not implemented for '{scalar_name(self.dtype)}'")
    return _fill(self, log_normal_op, (float(mean), float(std)), generator, "log_normal_")


@composite("torch.multinomial Tensor.multinomial", out="typed", tags="random")
def multinomial(input, num_samples, replacement=False, *, generator=None):
    """Indices drawn with probabilities proportional to the values of a vector, or of each row of a matrix.

    Without replacement an index is drawn at most once.  Raises RuntimeError for weights that are negative, infinite or
    all 0.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.multinomial.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.multinomial(torsh.tensor([0., 1., 1.]), 2)  # without replacement
    tensor([2, 1])
    >>> torsh.multinomial(torsh.tensor([[1., 0.], [0., 1.]]), 3, replacement=True)
    tensor([[0, 0, 0],
            [1, 1, 1]])
    """
    if not input._kind.floating:
        raise RuntimeError(
            f"multinomial only supports floating-point dtypes for input, got: {scalar_name(input.dtype)}"
        )
    if not 0 < input.ndim <= 2:
        raise RuntimeError(f"prob_dist must be 1 or 2 dim, but it has {input.ndim}")
    num_samples = _integer(num_samples, "multinomial", "num_samples")
    if num_samples <= 0:
        raise RuntimeError(f"cannot sample n_sample <= 0 samples: it is {num_samples}")
    count = input.shape[-1]
    if not replacement and num_samples > count:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    if count > 1 << 24:
        raise RuntimeError("number of categories cannot exceed 2^24")
    if input.device.type == "meta":
        return input.new_empty((*input.shape[:-1], num_samples), dtype=dtypes.int64)
    if under_vmap():
        from torsh.func._batched import drawn_on_batch

        def of_rows(p: Tensor) -> Tensor:
            drawn: Tensor = multinomial(p.reshape((-1, count)), num_samples, replacement, generator=generator)
            return drawn.reshape((*p.shape[:-1], num_samples))

        return drawn_on_batch(of_rows, input)
    gen = generator_of(generator)
    weights = host_array(input.detach())
    wide = weights.astype(np.float64)
    if not (np.isfinite(wide) & (wide >= 0)).all():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if wide.size and not (wide.sum(-1) > 0).all():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    place = input._kind.place[dtypes.int64]
    if not wide.size:
        return _from(np.zeros((*weights.shape[:-1], num_samples), np.int64), place)
    if not replacement or num_samples == 1:
        # The race of exponential clocks: the largest quotients are the sample.
        q = _sampling.exponential(gen, weights.size, input.dtype)
        q = _arranged(q, weights.shape, _memory_order(input))
        q = weights / q
        if num_samples == 1:
            found = q.argmax(-1)[..., None]
        else:
            found = np.argsort(-q.astype(np.float32 if q.dtype.itemsize < 4 else q.dtype), -1, kind="stable")
            found = found[..., :num_samples]
        return _from(np.ascontiguousarray(found, np.int64), place)
    rows = weights.reshape(-1, count)
    found = np.empty((len(rows), num_samples), np.int64)
    for i, row in enumerate(rows):
        u = gen.doubles(num_samples)
        sums = np.cumsum(row, dtype=np.float32 if row.dtype.itemsize < 4 else row.dtype)
        sums = (sums / sums[-1]).astype(np.float64)
        sums[-1] = 1
        found[i] = np.minimum(np.searchsorted(sums, u), count - 1)
    return _from(found.reshape(*weights.shape[:-1], num_samples), place)


def _by_rejection(
    sampler: str, like: Tensor, generator: Any, *params: Any, expected: float = 4.0, least: bool = False
) -> Tensor:
    """Samples of like's dtype and shape, one per element of the parameter arrays."""
    kind = like._kind
    flat = [p.ravel().astype(np.float64) for p in params]
    found = _sampling.by_rejection(generator_of(generator), sampler, *flat, expected=expected)
    target = TO_NUMPY[kind.dtype]
    if least:
        import ml_dtypes

        found = np.maximum(found, float(ml_dtypes.finfo(target).smallest_normal))
    return _from(found.astype(target).reshape(tuple(like.shape)), kind)


@composite("torch.poisson", tags="random")
def poisson(input, generator=None):
    """Numbers from Poisson distributions, one for each rate.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.poisson.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.poisson(torsh.tensor([0., 4.])).shape
    torsh.Size([2])
    """
    if not input._kind.floating:
        raise NotImplementedError(f"\"poisson_cpu\" not implemented for '{scalar_name(input.dtype)}'")
    if input.device.type == "meta":
        return _contiguous(input)
    if under_vmap():
        from torsh.func._batched import drawn_on_batch

        return drawn_on_batch(lambda rates: poisson(rates, generator), input)
    rates = host_array(input.detach())
    if rates.size and not (rates >= 0).all():
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    mean = float(np.minimum(rates.astype(np.float64), 10).mean()) if rates.size else 0.0
    return _no_gradient(_by_rejection("poisson", input, generator, rates, expected=2.0 + mean), input)


@composite("torch.binomial", tags="random")
def binomial(count, prob, generator=None):
    """How many of ``count`` trials succeed with probability ``prob``, element by element.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.binomial.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.binomial(torsh.tensor([10., 10.]), torsh.tensor([0., 1.]))
    tensor([ 0., 10.])
    """
    for t, what in ((count, "count"), (prob, "prob")):
        if not t._kind.floating:
            raise ValueError(f"binomial only supports floating-point dtypes for {what}, got: {scalar_name(t.dtype)}")
    if count.dtype.itemsize < 4:
        raise NotImplementedError(
            f"\"binomial_cpu\" not implemented for '{scalar_name(count.dtype)}'; convert it to float32"
        )
    from torsh.ops.shape import broadcast_tensors

    if count.dtype is not prob.dtype:
        raise RuntimeError(f"Found dtype {scalar_name(prob.dtype)} but expected {scalar_name(count.dtype)}")
    if under_vmap():
        from torsh.func._batched import drawn_on_batch

        return drawn_on_batch(lambda n, p: binomial(n, p, generator), count, prob)
    count, prob = broadcast_tensors(count, prob)
    if count.device.type == "meta":
        return _contiguous(count)
    out = _by_rejection(
        "binomial", count, generator, host_array(count.detach()), host_array(prob.detach()), expected=6.0
    )
    return _no_gradient(_no_gradient(out, count), prob)


@composite("torch._standard_gamma", name="_standard_gamma", tags="random")
def _standard_gamma(input, generator=None):
    """Numbers from gamma distributions of rate 1, one for each concentration."""
    if input.dtype not in (dtypes.float32, dtypes.float64):
        raise NotImplementedError(f"\"gamma_cpu\" not implemented for '{scalar_name(input.dtype)}'")
    if input.device.type == "meta":
        return _contiguous(input)
    if under_vmap():
        from torsh.func._batched import drawn_on_batch

        return drawn_on_batch(lambda alphas: _standard_gamma(alphas, generator), input)
    params = _gamma_params(host_array(input.detach()))
    draws = _by_rejection("gamma", input, generator, *params, expected=5.0, least=True)
    return drawn_gamma(input, draws) if needs_grad(input) else draws


def _gamma_params(alphas: Any) -> tuple[Any, Any, Any]:
    """What the gamma sampler needs of each concentration, rounded to its dtype where PyTorch rounds."""
    single = alphas.dtype.itemsize < 8
    alphas = alphas.astype(np.float32 if single else np.float64)
    with np.errstate(divide="ignore"):
        inverse = 1 / alphas
    return alphas, inverse, np.where(alphas < 1, alphas + 1, alphas) - np.float32(1 / 3)


@composite("torch._sample_dirichlet", name="_sample_dirichlet", tags="random")
def _sample_dirichlet(input, generator=None):
    """Points of the simplex from Dirichlet distributions, whose concentrations lie along the last dimension."""
    if input.dtype not in (dtypes.float32, dtypes.float64):
        raise NotImplementedError(f"\"dirichlet\" not implemented for '{scalar_name(input.dtype)}'")
    if input.device.type == "meta":
        return _contiguous(input)
    if under_vmap():
        from torsh.func._batched import drawn_on_batch

        return drawn_on_batch(lambda alphas: _sample_dirichlet(alphas, generator), input)
    alphas = host_array(input.detach()).astype(np.float64)
    target = TO_NUMPY[input.dtype]
    import ml_dtypes

    info = ml_dtypes.finfo(target)
    params = [p.ravel() for p in _gamma_params(alphas)]
    found = _sampling.by_rejection(generator_of(generator), "gamma", *params, expected=5.0).reshape(alphas.shape)
    with np.errstate(invalid="ignore"):
        found = (found / found.sum(-1, keepdims=True)).astype(target)
    found[np.isnan(found)] = info.smallest_normal  # all draws of tiny concentrations may be 0
    top = 1 - 2.0 ** (-24 if target.itemsize == 4 else -53 if target.itemsize == 8 else -11)
    return _from(np.clip(found, info.smallest_normal, target.type(top)).astype(target), input._kind)
