"""The base class of probability distributions.

Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.distribution.Distribution
"""

from __future__ import annotations

import warnings
from typing import Any

from torsh._callers import warn
from torsh.autograd.grad_mode import enable_grad, no_grad
from torsh.distributions import constraints
from torsh.tensor import Size, Tensor


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Numbers and tensors as tensors of one shape.

    >>> import torsh
    >>> torsh.distributions.utils.broadcast_all(1., torsh.tensor([2., 3.]))
    (tensor([1., 1.]), tensor([2., 3.]))
    """
    import torsh

    tensors = [v for v in values if isinstance(v, Tensor)]
    from torsh.overrides import is_tensor_like

    if not all(isinstance(v, (int, float)) or is_tensor_like(v) for v in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing __torch_function__."
        )
    like = {"dtype": tensors[0].dtype, "device": tensors[0].device} if tensors else {"dtype": torsh.get_default_dtype()}
    return torsh.broadcast_tensors(*[torsh.tensor(v, **like) if isinstance(v, (int, float)) else v for v in values])


def standard_normal(shape: Any, like: Tensor) -> Tensor:
    """Draws from N(0, 1)."""
    import torsh

    kind = {"dtype": like.dtype, "device": like.device}
    return torsh.normal(torsh.zeros(tuple(shape), **kind), torsh.ones(tuple(shape), **kind))


class lazy_property:
    """A property computed when first asked for and kept, such as ``probs`` of ``logits``.

    >>> import torsh
    >>> class Box:
    ...     @torsh.distributions.utils.lazy_property
    ...     def value(self):
    ...         print("computed")
    ...         return 3
    >>> box = Box()
    >>> box.value + box.value
    computed
    6
    """

    def __init__(self, wrapped: Any) -> None:
        self.wrapped = wrapped
        self.__doc__ = wrapped.__doc__

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with enable_grad():  # it may be asked for by ``sample`` first, and is to be differentiated later
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


class Distribution:
    """A family of distributions, one for each element of the batch.

    batch_shape: of the parameters; event_shape: of one sample.
    Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.distribution.Distribution

    >>> import torsh
    >>> from torsh.distributions import Distribution, Normal
    >>> d = Normal(torsh.zeros(3), 1.)
    >>> isinstance(d, Distribution), d.batch_shape, d.event_shape
    (True, torsh.Size([3]), torsh.Size([]))
    >>> d.expand((2, 3)).batch_shape
    torsh.Size([2, 3])
    """

    has_rsample = False
    has_enumerate_support = False
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether parameters and values are checked where nothing else is said."""
        if value not in (True, False):
            raise ValueError
        Distribution._validate_args = value

    def __init__(self, batch_shape: Any = (), event_shape: Any = (), validate_args: bool | None = None) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            try:
                checked = self.arg_constraints
            except NotImplementedError:
                checked = {}
                warn(
                    f"{type(self)} does not define `arg_constraints`. Please set `arg_constraints = {{}}` or initialize the distribution "
                    "with `validate_args=False` to turn off validation."
                )
            for name, constraint in checked.items():
                lazy = name not in self.__dict__ and isinstance(getattr(type(self), name, None), lazy_property)
                if constraints.is_dependent(constraint) or lazy:
                    continue
                value = getattr(self, name)
                if not bool(constraint.check(value).all()):
                    raise ValueError(
                        f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
                        f"{self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
                    )

    @property
    def arg_constraints(self) -> dict[str, Any]:
        """The constraint of each parameter by name: what ``validate_args`` checks.  A subclass says it.

        Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.Distribution.arg_constraints

        >>> import torsh
        >>> torsh.distributions.Normal.arg_constraints["scale"]
        GreaterThan(lower_bound=0.0)
        """
        raise NotImplementedError

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with its parameters expanded to another batch shape.

        Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.Distribution.expand

        >>> import torsh
        >>> torsh.distributions.Normal(0., 1.).expand((2, 3)).batch_shape
        torsh.Size([2, 3])
        """
        shape = Size(batch_shape)
        new = type(self).__new__(type(self)) if _instance is None else _instance
        grown = len(self._batch_shape)
        for name, value in self.__dict__.items():
            if name.startswith("_unbroadcasted"):  # without the batch's dimensions: it is expanded where it is used
                pass
            elif isinstance(value, Tensor):
                value = value.expand((*shape, *value.shape[grown:]))
            elif isinstance(value, Distribution):
                value = value.expand((*shape, *value.batch_shape[grown:]))
            new.__dict__[name] = value
        new._batch_shape = shape
        return new

    @property
    def batch_shape(self) -> Size:
        """The shape of the batch of distributions."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of a single sample."""
        return self._event_shape

    @property
    def support(self) -> Any:
        """The constraint that samples satisfy."""
        raise NotImplementedError

    @property
    def mean(self) -> Tensor:
        """The mean."""
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        raise NotImplementedError(f"{self.__class__} does not implement mode")

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw ``sample_shape`` samples of every distribution of the batch; no gradients.

        Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.Distribution.sample

        >>> import torsh
        >>> _ = torsh.manual_seed(0)
        >>> torsh.distributions.Normal(torsh.tensor([0., 1.]), 1.).sample((3,)).shape
        torsh.Size([3, 2])
        """
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw samples through which gradients flow to the parameters.

        Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.Distribution.rsample

        >>> import torsh
        >>> loc = torsh.tensor([0.], requires_grad=True)
        >>> torsh.distributions.Normal(loc, 1.).rsample().sum().backward()
        >>> loc.grad
        tensor([1.])
        """
        raise NotImplementedError

    def sample_n(self, n: int) -> Tensor:
        """Deprecated: ``sample((n,))``."""
        warnings.warn("sample_n(n) will be deprecated. Use .sample((n,)) instead.", FutureWarning, stacklevel=2)
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density or mass at a value.

        Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.Distribution.log_prob

        >>> import torsh
        >>> torsh.distributions.Normal(0., 1.).log_prob(torsh.tensor([0., 1.]))
        tensor([-0.9189, -1.4189])
        """
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of at most a value.

        Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.Distribution.cdf

        >>> import torsh
        >>> torsh.distributions.Normal(0., 1.).cdf(torsh.tensor(0.))
        tensor(0.5000)
        """
        raise NotImplementedError

    def icdf(self, value: Tensor) -> Tensor:
        """The value that is not exceeded with a probability.

        Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.Distribution.icdf

        >>> import torsh
        >>> torsh.distributions.Normal(0., 1.).icdf(torsh.tensor(0.5))
        tensor(0.)
        """
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values of a discrete distribution, along the first dimension.

        Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.Distribution.enumerate_support

        >>> import torsh
        >>> torsh.distributions.Bernoulli(0.5).enumerate_support()
        tensor([0., 1.])
        """
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """The entropy.

        Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.Distribution.entropy

        >>> import torsh
        >>> torsh.distributions.Normal(0., 1.).entropy()
        tensor(1.4189)
        """
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        """exp(entropy).

        Source: https://docs.pytorch.org/docs/stable/distributions.html#torch.distributions.Distribution.perplexity

        >>> import torsh
        >>> torsh.distributions.Categorical(torsh.tensor([0.5, 0.5])).perplexity()
        tensor(2.)
        """
        return self.entropy().exp()

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _validate_sample(self, value: Tensor) -> None:
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        event = value.dim() - len(self._event_shape)
        if tuple(value.shape[event:]) != tuple(self._event_shape):
            raise ValueError(
                f"The right-most size of value must match event_shape: {value.shape} vs {self._event_shape}."
            )
        for i, j in zip(reversed(value.shape), reversed(self._batch_shape + self._event_shape)):
            if i != 1 and j != 1 and i != j:
                raise ValueError(
                    f"Value is not broadcastable with batch_shape+event_shape: {value.shape} vs "
                    f"{self._batch_shape + self._event_shape}."
                )
        try:
            support = self.support
        except NotImplementedError:
            warn(
                f"{type(self)} does not define `support` to enable sample validation. Please initialize the distribution with "
                "`validate_args=False` to turn off validation."
            )
            return
        if not bool(support.check(value).all()):
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the support "
                f"({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def __repr__(self) -> str:
        names = [k for k in self.arg_constraints if k in self.__dict__]
        parts = [f"{n}: {v if v.numel() == 1 else v.size()}" for n in names for v in (self.__dict__[n],)]
        return f"{type(self).__name__}({', '.join(parts)})"


__all__ = ["Distribution", "broadcast_all", "lazy_property", "standard_normal"]
