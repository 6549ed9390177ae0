"""Transforms of vectors and matrices, and transforms put together side by side.

Source: https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.transforms
"""

from __future__ import annotations

import math
from typing import Any

from torsh.distributions import constraints as c
from torsh.distributions.distribution import Distribution
from torsh.distributions.multivariate import sum_rightmost
from torsh.distributions.transforms import Transform
from torsh.tensor import Size, Tensor


class IndependentTransform(Transform):
    """A transform whose last batch dimensions count as part of the event.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.IndependentTransform

    >>> import torsh
    >>> from torsh.distributions import ExpTransform, IndependentTransform
    >>> x = torsh.tensor([1., 2.])
    >>> IndependentTransform(ExpTransform(), 1).log_abs_det_jacobian(x, x.exp())
    tensor(3.)
    """

    def __init__(self, base_transform: Transform, reinterpreted_batch_ndims: int, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.base_transform, self.reinterpreted_batch_ndims = base_transform, reinterpreted_batch_ndims

    domain = property(lambda self: c.independent(self.base_transform.domain, self.reinterpreted_batch_ndims))
    codomain = property(lambda self: c.independent(self.base_transform.codomain, self.reinterpreted_batch_ndims))
    bijective = property(lambda self: self.base_transform.bijective)
    sign = property(lambda self: self.base_transform.sign)

    def _call(self, x: Tensor) -> Tensor:
        if x.dim() < self.domain.event_dim:
            raise ValueError("Too few dimensions on input")
        return self.base_transform(x)

    def _inverse(self, y: Tensor) -> Tensor:
        if y.dim() < self.codomain.event_dim:
            raise ValueError("Too few dimensions on input")
        return self.base_transform._inv_call(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return sum_rightmost(self.base_transform.log_abs_det_jacobian(x, y), self.reinterpreted_batch_ndims)

    def forward_shape(self, shape: Any) -> Any:
        return self.base_transform.forward_shape(shape)

    def inverse_shape(self, shape: Any) -> Any:
        return self.base_transform.inverse_shape(shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_transform!r}, {self.reinterpreted_batch_ndims})"


class ReshapeTransform(Transform):
    """Another shape for the event.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.ReshapeTransform

    >>> import torsh
    >>> from torsh.distributions import ReshapeTransform
    >>> ReshapeTransform((4,), (2, 2))(torsh.arange(4.))
    tensor([[0., 1.],
            [2., 3.]])
    """

    bijective = True

    def __init__(self, in_shape: Any, out_shape: Any, cache_size: int = 0) -> None:
        self.in_shape, self.out_shape = Size(in_shape), Size(out_shape)
        if self.in_shape.numel() != self.out_shape.numel():
            raise ValueError("in_shape, out_shape have different numbers of elements")
        super().__init__(cache_size)

    domain = property(lambda self: c.independent(c.real, len(self.in_shape)))
    codomain = property(lambda self: c.independent(c.real, len(self.out_shape)))

    def _call(self, x: Tensor) -> Tensor:
        return x.reshape((*x.shape[: x.dim() - len(self.in_shape)], *self.out_shape))

    def _inverse(self, y: Tensor) -> Tensor:
        return y.reshape((*y.shape[: y.dim() - len(self.out_shape)], *self.in_shape))

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x.new_zeros(tuple(x.shape[: x.dim() - len(self.in_shape)]))

    @staticmethod
    def _replaced(shape: Any, old: Any, new: Any) -> Size:
        cut = len(shape) - len(old)
        if cut < 0:
            raise ValueError("Too few dimensions on input")
        if tuple(shape[cut:]) != tuple(old):
            raise ValueError(f"Shape mismatch: expected {shape[cut:]} but got {old}")
        return Size((*shape[:cut], *new))

    def forward_shape(self, shape: Any) -> Any:
        return self._replaced(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape: Any) -> Any:
        return self._replaced(shape, self.out_shape, self.in_shape)


def _shifted(x: Tensor) -> Tensor:
    """Moved one place to the right in the last dimension, with 1 in front."""
    import torsh

    return torsh.cat([torsh.ones_like(x[..., :1]), x[..., :-1]], -1)


def _below(n: int, diagonal: int, like: Tensor) -> Tensor:
    """The mask of a square matrix's elements on and below a diagonal."""
    import torsh

    return torsh.ones((n, n), dtype=torsh.bool, device=like.device).tril(diagonal)


class CorrCholeskyTransform(Transform):
    """n (n - 1) / 2 numbers to the Cholesky factor of an n x n correlation matrix, by stick-breaking of each row.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.CorrCholeskyTransform

    >>> import torsh
    >>> from torsh.distributions import CorrCholeskyTransform
    >>> CorrCholeskyTransform()(torsh.tensor([0.]))  # the factor of a 2 x 2 correlation matrix
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain = c.real_vector
    codomain = c.corr_cholesky
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        import torsh

        eps = torsh.finfo(x.dtype).eps
        r = x.tanh().clamp(min=-1 + eps, max=1 - eps)
        n = self.forward_shape(x.shape)[-1]
        rows, columns = torsh.tril_indices(n, n, -1, device=x.device)
        flat = x.new_zeros((*x.shape[:-1], n * n))
        where = (rows * n + columns).expand((*x.shape[:-1], r.shape[-1]))
        parts = flat.scatter(-1, where, r).reshape((*x.shape[:-1], n, n))
        left = (1 - parts**2).sqrt().cumprod(-1)
        return (parts + torsh.eye(n, dtype=x.dtype, device=x.device)) * _shifted(left)

    def _inverse(self, y: Tensor) -> Tensor:
        left = _shifted(1 - (y * y).cumsum(-1))
        mask = _below(y.shape[-1], -1, y)
        t = y[..., mask] / left[..., mask].sqrt()
        return (t.log1p() - t.neg().log1p()) / 2

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        from torsh.nn import functional as F

        left = (1 - (y * y).cumsum(-1))[..., _below(y.shape[-1], -2, y)]
        return 0.5 * left.log().sum(-1) - 2 * (x + F.softplus(-2 * x) - math.log(2.0)).sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        if len(shape) < 1:
            raise ValueError("Too few dimensions on input")
        n = shape[-1]
        d = round((0.25 + 2 * n) ** 0.5 + 0.5)
        if d * (d - 1) // 2 != n:
            raise ValueError("Input is not a flattened lower-diagonal number")
        return Size((*shape[:-1], d, d))

    def inverse_shape(self, shape: Any) -> Any:
        if len(shape) < 2:
            raise ValueError("Too few dimensions on input")
        if shape[-2] != shape[-1]:
            raise ValueError("Input is not square")
        return Size((*shape[:-2], shape[-1] * (shape[-1] - 1) // 2))


class StickBreakingTransform(Transform):
    """n numbers to n + 1 positive ones that add up to 1: each takes its share of what is left.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.StickBreakingTransform

    >>> import torsh
    >>> from torsh.distributions import StickBreakingTransform
    >>> StickBreakingTransform()(torsh.zeros(2))
    tensor([0.3333, 0.3333, 0.3333])
    """

    domain = c.real_vector
    codomain = c.simplex
    bijective = True

    @staticmethod
    def _offset(x: Tensor, n: int, first: int) -> Tensor:
        return first - x.new_ones(n).cumsum(-1)

    def _call(self, x: Tensor) -> Tensor:
        import torsh

        n, info = x.shape[-1], torsh.finfo(x.dtype)
        z = (x - self._offset(x, n, n + 1).log()).sigmoid().clamp(min=info.tiny, max=1.0 - info.eps)
        one = torsh.ones_like(z[..., :1])
        return torsh.cat([z, one], -1) * torsh.cat([one, (1 - z).cumprod(-1)], -1)

    def _inverse(self, y: Tensor) -> Tensor:
        import torsh

        head = y[..., :-1]
        left = (1 - head.cumsum(-1)).clamp(min=torsh.finfo(y.dtype).tiny)
        return head.log() - left.log() + self._offset(y, head.shape[-1], y.shape[-1]).log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        from torsh.nn import functional as F

        n = x.shape[-1]
        x = x - self._offset(x, n, n + 1).log()
        return (-x + F.logsigmoid(x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        if len(shape) < 1:
            raise ValueError("Too few dimensions on input")
        return Size((*shape[:-1], shape[-1] + 1))

    def inverse_shape(self, shape: Any) -> Any:
        if len(shape) < 1:
            raise ValueError("Too few dimensions on input")
        return Size((*shape[:-1], shape[-1] - 1))


class LowerCholeskyTransform(Transform):
    """A matrix to the lower triangular one with a positive diagonal, by exp of the diagonal.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.LowerCholeskyTransform

    >>> import torsh
    >>> from torsh.distributions import LowerCholeskyTransform
    >>> LowerCholeskyTransform()(torsh.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain = c.independent(c.real, 2)
    codomain = c.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(Transform):
    """A matrix to a positive-definite one, by its Cholesky factor.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.PositiveDefiniteTransform

    >>> import torsh
    >>> from torsh.distributions import PositiveDefiniteTransform
    >>> PositiveDefiniteTransform()(torsh.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    domain = c.independent(c.real, 2)
    codomain = c.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Tensor) -> Tensor:
        import torsh

        return LowerCholeskyTransform()._inverse(torsh.linalg.cholesky(y))


class _Joined(Transform):
    """Transforms of slices along a dimension."""

    def __init__(self, tseq: Any, dim: int = 0, cache_size: int = 0) -> None:
        assert all(isinstance(t, Transform) for t in tseq), "All elements of tseq must be Transform instances"
        super().__init__(cache_size)
        self.transforms, self.dim = list(tseq), dim

    bijective = property(lambda self: all(t.bijective for t in self.transforms))

    def _parts(self, x: Tensor) -> Any:
        raise NotImplementedError

    def _join(self, parts: list[Tensor]) -> Tensor:
        raise NotImplementedError

    def _checked(self, x: Tensor, size: int) -> None:
        assert -x.dim() <= self.dim < x.dim(), f"dim {self.dim} out of range for tensor with {x.dim()} dimensions"
        found = x.size(self.dim)
        assert found == size, f"x.size({self.dim}) = {found} must equal {size}, the length of the transforms together"

    def _call(self, x: Tensor) -> Tensor:
        return self._join([t(v) for t, v in zip(self.transforms, self._parts(x))])

    def _inverse(self, y: Tensor) -> Tensor:
        return self._join([t._inv_call(v) for t, v in zip(self.transforms, self._parts(y))])


class CatTransform(_Joined):
    """Transforms of pieces of given lengths, laid end to end.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.CatTransform

    >>> import torsh
    >>> from torsh.distributions import AffineTransform, CatTransform, ExpTransform
    >>> CatTransform([ExpTransform(), AffineTransform(1., 1.)], dim=0)(torsh.tensor([0., 0.]))
    tensor([1., 1.])
    """

    def __init__(self, tseq: Any, dim: int = 0, lengths: Any = None, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        assert len(self.lengths) == len(self.transforms), (
            f"lengths ({len(self.lengths)}) must match transforms ({len(self.transforms)})"
        )

    length = property(lambda self: sum(self.lengths), doc="How long the concatenated dimension is.")
    event_dim = property(
        lambda self: max(t.event_dim for t in self.transforms),
        doc="How many dimensions on the right an event has.",
    )
    domain = property(lambda self: c.cat([t.domain for t in self.transforms], self.dim, self.lengths))
    codomain = property(lambda self: c.cat([t.codomain for t in self.transforms], self.dim, self.lengths))

    def _parts(self, x: Tensor) -> Any:
        self._checked(x, self.length)
        return x.split(self.lengths, self.dim)

    def _join(self, parts: list[Tensor]) -> Tensor:
        import torsh

        return torsh.cat(parts, self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        import torsh

        found = [
            sum_rightmost(t.log_abs_det_jacobian(a, b), self.event_dim - t.event_dim)
            for t, a, b in zip(self.transforms, self._parts(x), self._parts(y))
        ]
        dim = (self.dim - x.dim() if self.dim >= 0 else self.dim) + self.event_dim
        return torsh.cat(found, dim) if dim < 0 else sum(found)  # type: ignore[return-value]


class StackTransform(_Joined):
    """One transform for each index of a dimension.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.StackTransform

    >>> import torsh
    >>> from torsh.distributions import AffineTransform, ExpTransform, StackTransform
    >>> StackTransform([ExpTransform(), AffineTransform(1., 1.)], dim=0)(torsh.zeros(2, 1))
    tensor([[1.],
            [1.]])
    """

    domain = property(lambda self: c.stack([t.domain for t in self.transforms], self.dim))
    codomain = property(lambda self: c.stack([t.codomain for t in self.transforms], self.dim))

    def _parts(self, x: Tensor) -> Any:
        self._checked(x, len(self.transforms))
        return x.unbind(self.dim)

    def _join(self, parts: list[Tensor]) -> Tensor:
        import torsh

        return torsh.stack(parts, self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        pairs = zip(self.transforms, self._parts(x), self._parts(y))
        return self._join([t.log_abs_det_jacobian(a, b) for t, a, b in pairs])


class CumulativeDistributionTransform(Transform):
    """A value to the probability of at most it, under a distribution.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.CumulativeDistributionTransform

    >>> import torsh
    >>> from torsh.distributions import CumulativeDistributionTransform, Normal
    >>> CumulativeDistributionTransform(Normal(0., 1.))(torsh.tensor([0.]))
    tensor([0.5000])
    """

    bijective = True
    codomain = c.unit_interval

    def __init__(self, distribution: Distribution, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.distribution = distribution

    domain = property(lambda self: self.distribution.support)

    def _call(self, x: Tensor) -> Tensor:
        return self.distribution.cdf(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return self.distribution.log_prob(x)


__all__ = [
    "CatTransform", "CorrCholeskyTransform", "CumulativeDistributionTransform", "IndependentTransform", "LowerCholeskyTransform",
    "PositiveDefiniteTransform", "ReshapeTransform", "StackTransform", "StickBreakingTransform",
]  # fmt: skip
