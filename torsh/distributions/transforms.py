"""Invertible maps of values, with the logarithm of their Jacobian.

Source: https://docs.pytorch.org/docs/stable/distributions.html#module-torch.distributions.transforms
"""

from __future__ import annotations

import copy
import math
from typing import Any

from torsh.distributions import constraints as c
from torsh.distributions.distribution import Distribution
from torsh.distributions.multivariate import Independent, sum_rightmost
from torsh.tensor import Size, Tensor


def _broadcast(shape: Any, *parameters: Any) -> Any:
    import torsh

    return torsh.broadcast_shapes(tuple(shape), *[tuple(p.shape) for p in parameters if isinstance(p, Tensor)])


class Transform:
    """A map with ``_call``, ``_inverse`` and ``log_abs_det_jacobian(x, y)``; ``t(x)`` maps, ``t.inv(y)`` maps back.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.Transform

    >>> import torsh
    >>> from torsh.distributions import Transform, constraints
    >>> class Double(Transform):
    ...     domain = codomain = constraints.real
    ...     bijective = True
    ...     def _call(self, x):
    ...         return 2 * x
    ...     def _inverse(self, y):
    ...         return y / 2
    >>> Double()(torsh.tensor([3.])), Double().inv(torsh.tensor([3.]))
    (tensor([6.]), tensor([1.5000]))
    """

    bijective = False
    domain: Any = c.real
    codomain: Any = c.real
    sign: Any = 1

    def __init__(self, cache_size: int = 0) -> None:
        self._cache_size = cache_size
        self._last: tuple[Any, Any] = (None, None)

    event_dim = property(
        lambda self: max(self.domain.event_dim, self.codomain.event_dim),
        doc="How many dimensions on the right an event has.",
    )

    @property
    def inv(self) -> Transform:
        """The inverse map."""
        return _InverseTransform(self)

    def __call__(self, x: Tensor) -> Tensor:
        if self._cache_size == 0:
            return self._call(x)
        if self._last[0] is not x:
            self._last = (x, self._call(x))
        return self._last[1]

    def _inv_call(self, y: Tensor) -> Tensor:
        if self._cache_size == 0:
            return self._inverse(y)
        if self._last[1] is not y:
            self._last = (self._inverse(y), y)
        return self._last[0]

    def _call(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log |dy/dx|."""
        raise NotImplementedError

    def with_cache(self, cache_size: int = 1) -> Transform:
        """The transform with a memory of its last pair of values (1) or without (0)."""
        if self._cache_size == cache_size:
            return self
        other = copy.copy(self)
        other._cache_size, other._last = cache_size, (None, None)
        return other

    def forward_shape(self, shape: Any) -> Any:
        """The shape of the result for a shape of the input."""
        return shape

    def inverse_shape(self, shape: Any) -> Any:
        """The shape of the input for a shape of the result."""
        return shape

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __eq__(self, other: object) -> bool:
        return self is other or (type(self) is type(other) and type(self).__init__ is Transform.__init__)

    __hash__ = None  # type: ignore[assignment]


class _InverseTransform(Transform):
    bijective = True

    def __init__(self, transform: Transform) -> None:
        super().__init__()
        self._inv = transform

    domain = property(lambda self: self._inv.codomain)
    codomain = property(lambda self: self._inv.domain)
    sign = property(lambda self: self._inv.sign)
    inv = property(lambda self: self._inv)

    def __call__(self, x: Tensor) -> Tensor:
        return self._inv._inv_call(x)

    def _inv_call(self, y: Tensor) -> Tensor:
        return self._inv(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self._inv.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Any) -> Any:
        return self._inv.inverse_shape(shape)

    def inverse_shape(self, shape: Any) -> Any:
        return self._inv.forward_shape(shape)


class ComposeTransform(Transform):
    """Several transforms, one after another.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.ComposeTransform

    >>> import torsh
    >>> from torsh.distributions import AffineTransform, ComposeTransform, ExpTransform
    >>> ComposeTransform([ExpTransform(), AffineTransform(0., 2.)])(torsh.tensor([0.]))
    tensor([2.])
    """

    def __init__(self, parts: list[Transform], cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.parts = parts

    bijective = property(lambda self: all(p.bijective for p in self.parts))

    @property
    def domain(self) -> Any:  # type: ignore[override]
        """The first part's domain, with as many event dimensions as all parts together need."""
        if not self.parts:
            return c.real
        n = self.parts[-1].codomain.event_dim
        for part in reversed(self.parts):
            n = max(n + part.domain.event_dim - part.codomain.event_dim, part.domain.event_dim)
        first = self.parts[0].domain
        return c.independent(first, n - first.event_dim) if n > first.event_dim else first

    @property
    def codomain(self) -> Any:  # type: ignore[override]
        """The last part's codomain, with as many event dimensions as all parts together give."""
        if not self.parts:
            return c.real
        n = self.parts[0].domain.event_dim
        for part in self.parts:
            n = max(n + part.codomain.event_dim - part.domain.event_dim, part.codomain.event_dim)
        last = self.parts[-1].codomain
        return c.independent(last, n - last.event_dim) if n > last.event_dim else last

    sign = property(lambda self: math.prod(p.sign for p in self.parts))

    def _call(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x

    def _inverse(self, y: Tensor) -> Tensor:
        for part in reversed(self.parts):
            y = part._inv_call(y)
        return y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        import torsh

        if not self.parts:
            return torsh.zeros_like(x)
        total: Any = 0
        n = self.domain.event_dim
        for i, part in enumerate(self.parts):
            nxt = y if i == len(self.parts) - 1 else part(x)
            total = total + sum_rightmost(part.log_abs_det_jacobian(x, nxt), n - part.domain.event_dim)
            n += part.codomain.event_dim - part.domain.event_dim
            x = nxt
        return total

    def forward_shape(self, shape: Any) -> Any:
        for part in self.parts:
            shape = part.forward_shape(shape)
        return shape

    def inverse_shape(self, shape: Any) -> Any:
        for part in reversed(self.parts):
            shape = part.inverse_shape(shape)
        return shape

    def __repr__(self) -> str:
        return "ComposeTransform(\n    " + ",\n    ".join(repr(p) for p in self.parts) + "\n)"


class ExpTransform(Transform):
    """exp(x).

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.ExpTransform

    >>> import torsh
    >>> from torsh.distributions import ExpTransform
    >>> x = torsh.tensor([0., 1.])
    >>> y = ExpTransform()(x)
    >>> ExpTransform().log_abs_det_jacobian(x, y)
    tensor([0., 1.])
    """

    codomain = c.positive
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        return x.exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x


class PowerTransform(Transform):
    """x ** exponent, for positive x.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.PowerTransform

    >>> import torsh
    >>> from torsh.distributions import PowerTransform
    >>> PowerTransform(torsh.tensor(2.))(torsh.tensor([3.]))
    tensor([9.])
    """

    domain = codomain = c.positive
    bijective = True

    def __init__(self, exponent: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.exponent = exponent

    def _call(self, x: Tensor) -> Tensor:
        return x.pow(self.exponent)

    def forward_shape(self, shape: Any) -> Any:
        return _broadcast(shape, self.exponent)

    inverse_shape = forward_shape

    def _inverse(self, y: Tensor) -> Tensor:
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return (self.exponent * y / x).abs().log()


class SigmoidTransform(Transform):
    """1 / (1 + exp(-x)).

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.SigmoidTransform

    >>> import torsh
    >>> from torsh.distributions import SigmoidTransform
    >>> SigmoidTransform()(torsh.tensor([0.]))
    tensor([0.5000])
    """

    codomain = c.unit_interval
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        import torsh

        info = torsh.finfo(x.dtype)
        return x.sigmoid().clamp(min=info.tiny, max=1.0 - info.eps)

    def _inverse(self, y: Tensor) -> Tensor:
        import torsh

        info = torsh.finfo(y.dtype)
        y = y.clamp(min=info.tiny, max=1.0 - info.eps)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        from torsh.nn import functional as F

        return -F.softplus(-x) - F.softplus(x)


class TanhTransform(Transform):
    """tanh(x).

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.TanhTransform

    >>> import torsh
    >>> from torsh.distributions import TanhTransform
    >>> TanhTransform().inv(torsh.tensor([0.5]))
    tensor([0.5493])
    """

    codomain = c.interval(-1.0, 1.0)
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        from torsh.nn import functional as F

        return 2.0 * (math.log(2.0) - x - F.softplus(-2.0 * x))


class SoftplusTransform(Transform):
    """log(1 + exp(x)).

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.SoftplusTransform

    >>> import torsh
    >>> from torsh.distributions import SoftplusTransform
    >>> SoftplusTransform()(torsh.tensor([0.]))
    tensor([0.6931])
    """

    codomain = c.positive
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        from torsh.nn import functional as F

        return F.softplus(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return (-y).expm1().neg().log() + y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        from torsh.nn import functional as F

        return -F.softplus(-x)


class AbsTransform(Transform):
    """abs(x).

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.AbsTransform

    >>> import torsh
    >>> from torsh.distributions import AbsTransform
    >>> AbsTransform()(torsh.tensor([-1., 2.]))
    tensor([1., 2.])
    """

    codomain = c.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.abs()

    def _inverse(self, y: Tensor) -> Tensor:
        return y


class AffineTransform(Transform):
    """loc + scale * x.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.AffineTransform

    >>> import torsh
    >>> from torsh.distributions import AffineTransform
    >>> transform = AffineTransform(loc=1., scale=2.)
    >>> transform(torsh.tensor([0., 3.])), transform.inv(torsh.tensor([7.]))
    (tensor([1., 7.]), tensor([3.]))
    """

    bijective = True

    def __init__(self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim

    domain = codomain = property(lambda self: c.independent(c.real, self._event_dim) if self._event_dim else c.real)
    sign = property(
        lambda self: self.scale.sign() if isinstance(self.scale, Tensor) else (self.scale > 0) - (self.scale < 0)
    )

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x

    def forward_shape(self, shape: Any) -> Any:
        return _broadcast(shape, self.loc, self.scale)

    inverse_shape = forward_shape

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        import torsh

        if isinstance(self.scale, Tensor):
            found = self.scale.abs().log().expand(x.shape)
        else:
            found = torsh.full_like(x, math.log(abs(self.scale)))
        return sum_rightmost(found, self._event_dim)


class SoftmaxTransform(Transform):
    """exp(x), normalised: not one-to-one.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.transforms.SoftmaxTransform

    >>> import torsh
    >>> from torsh.distributions import SoftmaxTransform
    >>> SoftmaxTransform()(torsh.tensor([0., 0.]))
    tensor([0.5000, 0.5000])
    """

    domain = c.real_vector
    codomain = c.simplex

    def _call(self, x: Tensor) -> Tensor:
        return x.softmax(-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()


class TransformedDistribution(Distribution):
    """The distribution of transformed samples.

    Source: https://docs.pytorch.org/docs/stable/distributions.html#transformeddistribution

    >>> import torsh
    >>> from torsh.distributions import ExpTransform, Normal, TransformedDistribution
    >>> log_normal = TransformedDistribution(Normal(0., 1.), [ExpTransform()])
    >>> log_normal.log_prob(torsh.tensor(1.))
    tensor(-0.9189)
    """

    arg_constraints: Any = {}

    def __init__(self, base_distribution: Distribution, transforms: Any, validate_args: bool | None = None) -> None:
        parts = [transforms] if isinstance(transforms, Transform) else transforms
        if not isinstance(parts, list) or not all(isinstance(t, Transform) for t in parts):
            raise ValueError(f"transforms must be a Transform or list, but was {transforms}: pass Transforms only")
        self.transforms = parts
        whole = ComposeTransform(parts)
        own = base_distribution.batch_shape + base_distribution.event_shape
        need = whole.domain.event_dim
        if len(own) < need:
            raise ValueError(f"base_distribution needs to have shape with size at least {need}, but got {tuple(own)}.")
        shape = whole.forward_shape(own)
        wide = whole.inverse_shape(shape)
        if tuple(wide) != tuple(own):  # parameters of the transforms have further batch dimensions
            base_distribution = base_distribution.expand(wide[: len(wide) - len(base_distribution.event_shape)])
        lacking = need - len(base_distribution.event_shape)
        self.base_dist = Independent(base_distribution, lacking) if lacking > 0 else base_distribution
        n = whole.codomain.event_dim + max(len(self.base_dist.event_shape) - need, 0)
        super().__init__(shape[: len(shape) - n], shape[len(shape) - n :], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = type(self).__new__(type(self)) if _instance is None else _instance
        new.__dict__.update(self.__dict__)
        new.base_dist = self.base_dist.expand(batch_shape)
        new._batch_shape = Size(batch_shape)
        return new

    has_rsample = property(lambda self: self.base_dist.has_rsample)

    @c.dependent_property(is_discrete=False)
    def support(self) -> Any:
        if not self.transforms:
            return self.base_dist.support
        codomain = self.transforms[-1].codomain
        n = len(self._event_shape) - codomain.event_dim
        return c.independent(codomain, n) if n > 0 else codomain

    def _through(self, x: Tensor) -> Tensor:
        for t in self.transforms:
            x = t(x)
        return x

    def sample(self, sample_shape: Any = ()) -> Tensor:
        import torsh

        with torsh.no_grad():
            return self._through(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self._through(self.base_dist.rsample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n = len(self._event_shape)
        total: Any = 0.0
        y = value
        for t in reversed(self.transforms):
            x = t._inv_call(y)
            n += t.domain.event_dim - t.codomain.event_dim
            total = total - sum_rightmost(t.log_abs_det_jacobian(x, y), n - t.domain.event_dim)
            y = x
        return total + sum_rightmost(self.base_dist.log_prob(y), n - len(self.base_dist.event_shape))

    def _flipped(self, value: Tensor) -> Tensor:
        sign: Any = math.prod(t.sign for t in self.transforms)
        return value if isinstance(sign, int) and sign == 1 else sign * (value - 0.5) + 0.5

    def cdf(self, value: Tensor) -> Tensor:
        for t in reversed(self.transforms):
            value = t._inv_call(value)
        return self._flipped(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        return self._through(self.base_dist.icdf(self._flipped(value)))


class LogNormal(TransformedDistribution):
    """exp of a normal variable.  Source: https://docs.pytorch.org/docs/stable/distributions.html#lognormal

    >>> import torsh
    >>> from torsh.distributions import LogNormal
    >>> LogNormal(0., 1.).log_prob(torsh.tensor([1., 2.]))
    tensor([-0.9189, -1.8523])
    """

    arg_constraints = {"loc": c.real, "scale": c.positive}
    support = c.positive
    has_rsample = True  # type: ignore[assignment]

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        from torsh.distributions.continuous import Normal

        super().__init__(Normal(loc, scale, validate_args=validate_args), ExpTransform(), validate_args=validate_args)

    loc = property(lambda self: self.base_dist.loc, doc="The location parameter.")
    scale = property(lambda self: self.base_dist.scale, doc="The scale parameter.")
    mean = property(lambda self: (self.loc + self.scale.pow(2) / 2).exp())
    mode = property(lambda self: (self.loc - self.scale.square()).exp())

    @property
    def variance(self) -> Tensor:
        s = self.scale.pow(2)
        return s.expm1() * (2 * self.loc + s).exp()

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() + self.loc


identity_transform = ComposeTransform([])

__all__ = [
    "AbsTransform", "AffineTransform", "ComposeTransform", "ExpTransform", "LogNormal", "PowerTransform", "SigmoidTransform",
    "SoftmaxTransform", "SoftplusTransform", "TanhTransform", "Transform", "TransformedDistribution", "identity_transform",
]  # fmt: skip
