"""Pruning: parameters times masks.

A pruned parameter lives on as ``name_orig``, its mask as the buffer ``name_mask``; a hook computes ``name`` from them.
Source: https://docs.pytorch.org/docs/stable/nn.html#utility-functions-to-prune-modules
"""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

from torsh.nn.modules.module import Module
from torsh.nn.utils.convert_parameters import parameters_to_vector
from torsh.tensor import Tensor


class BasePruningMethod(ABC):
    """The base class of pruning methods: subclasses give ``compute_mask`` and ``PRUNING_TYPE``.

    PRUNING_TYPE: unstructured, structured (with an attribute ``dim``) or global.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.BasePruningMethod.html

    >>> from torsh import nn
    >>> from torsh.nn.utils import prune
    >>> class EverySecond(prune.BasePruningMethod):
    ...     PRUNING_TYPE = "unstructured"
    ...     def compute_mask(self, t, default_mask):
    ...         mask = default_mask.clone()
    ...         mask.view(-1)[::2] = 0
    ...         return mask
    >>> layer = nn.Linear(4, 1)
    >>> _ = EverySecond.apply(layer, "weight")
    >>> layer.weight == 0
    tensor([[ True, False,  True, False]])
    """

    _tensor_name: str
    PRUNING_TYPE: str

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask (0 or 1) for importance scores ``t``, on top of a mask there is already."""

    def apply_mask(self, module: Module) -> Tensor:
        """The pruned tensor: original times mask."""
        mask = getattr(module, self._tensor_name + "_mask")
        orig = getattr(module, self._tensor_name + "_orig")
        return mask.to(dtype=orig.dtype) * orig

    @classmethod
    def apply(cls, module: Module, name: str, *args: Any, importance_scores: Any = None, **kwargs: Any) -> Any:
        """Prune a parameter of a module; pruning again adds to what was pruned."""
        method = cls._combined(module, name, *args, **kwargs)
        orig = getattr(module, name)
        if importance_scores is None:
            importance_scores = orig
        elif importance_scores.shape != orig.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name} of {module}, got "
                f"{importance_scores.shape} vs {orig.shape}"
            )
        fresh = not isinstance(method, PruningContainer)
        if fresh:
            module.register_parameter(name + "_orig", orig)
            del module._parameters[name]
            default = orig.detach().clone().fill_(1)
        else:
            default = getattr(module, name + "_mask").detach().clone()
        try:
            module.register_buffer(
                name + "_mask", method.compute_mask(importance_scores.detach(), default_mask=default)
            )
            setattr(module, name, method.apply_mask(module))
            module.register_forward_pre_hook(method)
        except Exception:
            if fresh:
                module.register_parameter(name, getattr(module, name + "_orig"))
                del module._parameters[name + "_orig"]
            raise
        return method

    @classmethod
    def _combined(cls, module: Module, name: str, *args: Any, **kwargs: Any) -> Any:
        hooks = {
            k: h
            for k, h in module._forward_pre_hooks.items()
            if isinstance(h, BasePruningMethod) and h._tensor_name == name
        }
        if len(hooks) > 1:
            raise AssertionError(
                f"Avoid adding multiple pruning hooks to the same tensor {name} of module {module}. Use a PruningContainer."
            )
        for k in hooks:
            del module._forward_pre_hooks[k]
        method = cls(*args, **kwargs)
        method._tensor_name = name
        if not hooks:
            return method
        old = next(iter(hooks.values()))
        container = old if isinstance(old, PruningContainer) else PruningContainer(old)
        container.add_pruning_method(method)
        return container

    def prune(self, t: Tensor, default_mask: Any = None, importance_scores: Any = None) -> Tensor:
        """A tensor with its unimportant elements set to 0."""
        if importance_scores is None:
            importance_scores = t
        elif importance_scores.shape != t.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as tensor t, got {importance_scores.shape} vs {t.shape}"
            )
        default = t.detach().clone().fill_(1) if default_mask is None else default_mask
        return t * self.compute_mask(importance_scores, default_mask=default)

    def remove(self, module: Module) -> None:
        """Make the pruning permanent: the parameter has its zeros for good."""
        name = self._tensor_name
        weight = self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        orig = module._parameters[name + "_orig"]
        orig.data = weight.data
        del module._parameters[name + "_orig"]
        del module._buffers[name + "_mask"]
        setattr(module, name, orig)


class PruningContainer(BasePruningMethod):
    """Several prunings of one tensor, one after another; only the last is computed, on what the others left.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.PruningContainer.html

    >>> from torsh import nn
    >>> from torsh.nn.utils import prune
    >>> layer = nn.Linear(4, 1)
    >>> for _ in range(2):
    ...     _ = prune.l1_unstructured(layer, "weight", amount=1)
    >>> int((layer.weight == 0).sum())  # the second pruning adds to the first
    2
    """

    def __init__(self, *args: Any) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        if args:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: Any) -> None:
        """Add a pruning of the same tensor."""
        if not isinstance(method, BasePruningMethod) and method is not None:
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and self._tensor_name != method._tensor_name:
            raise ValueError(
                f"Can only add pruning methods acting on the parameter named '{self._tensor_name}' to PruningContainer {self}."
                f" Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: Any) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        method: Any = self._pruning_methods[-1]
        mask = default_mask.to(dtype=t.dtype)
        if mask is default_mask:
            mask = mask.clone()
        n = t.dim()
        if method.PRUNING_TYPE == "unstructured":
            where: Any = default_mask == 1
        elif method.PRUNING_TYPE == "structured":
            if not hasattr(method, "dim"):
                raise AttributeError(
                    'Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.'
                )
            dim = method.dim + n if method.dim < 0 else method.dim
            if dim < 0:
                raise IndexError(f"Index is out of bounds for tensor with dimensions {n}")
            kept = default_mask.sum(dim=[d for d in range(n) if d != dim]) != 0
            where = tuple(kept if d == dim else slice(None) for d in range(n))
        elif method.PRUNING_TYPE == "global":
            where = (slice(None),) * n
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        mask[where] = method.compute_mask(t[where], default_mask=default_mask[where]).to(dtype=mask.dtype)
        return mask


# ---- how much ----------------------------------------------------------------------------------------------------------


# The next three have PyTorch's names: pruning methods that programs define call them.
def _validate_pruning_amount_init(amount: Any) -> None:
    if not isinstance(amount, numbers.Real):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    whole = isinstance(amount, numbers.Integral)
    if (whole and amount < 0) or (not whole and not 0.0 <= float(amount) <= 1.0):
        raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")


def _validate_pruning_amount(amount: Any, tensor_size: int) -> None:
    if isinstance(amount, numbers.Integral) and amount > tensor_size:  # type: ignore[operator]
        raise ValueError(f"amount={amount} should be smaller than the number of parameters to prune={tensor_size}")


def _compute_nparams_toprune(amount: Any, tensor_size: int) -> int:
    return int(amount) if isinstance(amount, numbers.Integral) else round(amount * tensor_size)


def _count(amount: Any, size: int) -> int:
    n = _compute_nparams_toprune(amount, size)
    _validate_pruning_amount(n, size)
    return n


def _check_structured(t: Tensor, dim: int) -> None:
    if t.dim() <= 1:
        raise ValueError(
            "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
            f"{t.shape} with {t.dim()} dims"
        )
    if dim >= t.dim():
        raise IndexError(f"Invalid index {dim} for tensor of size {t.shape}")


def _channels(t: Tensor, dim: int, kept: Any) -> Tensor:
    """A mask that is 1 in some channels only."""
    mask = t.detach().clone().fill_(0)
    where: list[Any] = [slice(None)] * t.dim()
    where[dim] = kept
    mask[tuple(where)] = 1
    return mask


# ---- methods -----------------------------------------------------------------------------------------------------------


class Identity(BasePruningMethod):
    """Prunes nothing: only the names and the mask of 1.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.Identity.html

    >>> import torsh
    >>> from torsh.nn.utils import prune
    >>> prune.Identity().prune(torsh.tensor([1., 2.]))
    tensor([1., 2.])
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask

    @classmethod
    def apply(cls, module: Module, name: str) -> Any:  # type: ignore[override]
        return super().apply(module, name)


class _Amount(BasePruningMethod):
    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: Any) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount

    def _ranking(self, t: Tensor) -> tuple[Tensor, bool]:
        """Values by which elements are chosen, and whether the largest are pruned."""
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        n = _count(self.amount, t.numel())
        mask = default_mask.clone()
        if n:
            values, largest = self._ranking(t)
            chosen = values.reshape(-1).topk(n, largest=largest).indices
            mask.view(-1)[chosen] = 0
        return mask


class RandomUnstructured(_Amount):
    """Prunes elements at random.  amount: how many, or which share.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.RandomUnstructured.html

    >>> import torsh
    >>> from torsh.nn.utils import prune
    >>> prune.RandomUnstructured(amount=2).prune(torsh.ones(5)).sum()
    tensor(3.)
    """

    def _ranking(self, t: Tensor) -> tuple[Tensor, bool]:
        import torsh

        return torsh.rand_like(t), True

    @classmethod
    def apply(cls, module: Module, name: str, amount: Any) -> Any:  # type: ignore[override]
        return super().apply(module, name, amount=amount)


class L1Unstructured(_Amount):
    """Prunes the elements of smallest absolute value.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.L1Unstructured.html

    >>> import torsh
    >>> from torsh.nn.utils import prune
    >>> prune.L1Unstructured(amount=1).prune(torsh.tensor([3., -0.5, 1.]))
    tensor([3., -0., 1.])
    """

    def _ranking(self, t: Tensor) -> tuple[Tensor, bool]:
        return t.abs(), False

    @classmethod
    def apply(cls, module: Module, name: str, amount: Any, importance_scores: Any = None) -> Any:  # type: ignore[override]
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


class RandomStructured(BasePruningMethod):
    """Prunes whole channels along ``dim`` at random.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.RandomStructured.html

    >>> import torsh
    >>> from torsh.nn.utils import prune
    >>> prune.RandomStructured(amount=1, dim=0).prune(torsh.ones(2, 2)).sum()
    tensor(2.)
    """

    PRUNING_TYPE = "structured"

    def __init__(self, amount: Any, dim: int = -1) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount
        self.dim = dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        import torsh

        _check_structured(t, self.dim)
        size = t.shape[self.dim]
        n = _count(self.amount, size)
        if n == 0:
            return default_mask
        draws = torsh.rand(size)
        mask = _channels(t, self.dim, draws > draws.kthvalue(n).values)
        return mask * default_mask.to(dtype=mask.dtype)

    @classmethod
    def apply(cls, module: Module, name: str, amount: Any, dim: int = -1) -> Any:  # type: ignore[override]
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(BasePruningMethod):
    """Prunes the channels along ``dim`` of smallest n-norm.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.LnStructured.html

    >>> import torsh
    >>> from torsh.nn.utils import prune
    >>> prune.LnStructured(amount=1, n=2, dim=0).prune(torsh.tensor([[3., 1.], [0.5, 0.5]]))
    tensor([[3., 1.],
            [0., 0.]])
    """

    PRUNING_TYPE = "structured"

    def __init__(self, amount: Any, n: Any, dim: int = -1) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount
        self.n = n
        self.dim = dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        _check_structured(t, self.dim)
        size = t.shape[self.dim]
        n = _count(self.amount, size)
        if n == 0:
            return default_mask
        dim = self.dim % t.dim()
        norms = t.norm(p=self.n, dim=[d for d in range(t.dim()) if d != dim])
        mask = _channels(t, self.dim, norms.topk(size - n, largest=True).indices)
        return mask * default_mask.to(dtype=mask.dtype)

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Module, name: str, amount: Any, n: Any, dim: int, importance_scores: Any = None
    ) -> Any:
        return super().apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)


class CustomFromMask(BasePruningMethod):
    """Prunes by a given mask.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.CustomFromMask.html

    >>> import torsh
    >>> from torsh.nn.utils import prune
    >>> prune.CustomFromMask(torsh.tensor([1, 0])).prune(torsh.tensor([3., 4.]))
    tensor([3., 0.])
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"default_mask shape {default_mask.shape} must match self.mask shape {self.mask.shape}"
            )
        return default_mask * self.mask.to(dtype=default_mask.dtype)

    @classmethod
    def apply(cls, module: Module, name: str, mask: Tensor) -> Any:  # type: ignore[override]
        return super().apply(module, name, mask=mask)


# ---- functions ---------------------------------------------------------------------------------------------------------


def identity(module: Module, name: str) -> Module:
    """Prune nothing of ``module.name``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.identity.html

    >>> from torsh import nn
    >>> from torsh.nn.utils import prune
    >>> layer = prune.identity(nn.Linear(2, 2), "weight")
    >>> prune.is_pruned(layer), layer.weight_mask
    (True, tensor([[1., 1.],
            [1., 1.]]))
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: Any) -> Module:
    """Prune elements of ``module.name`` at random.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.random_unstructured.html

    >>> from torsh import nn
    >>> from torsh.nn.utils import prune
    >>> layer = prune.random_unstructured(nn.Linear(4, 4), "weight", amount=5)
    >>> int((layer.weight == 0).sum())
    5
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Module, name: str, amount: Any, importance_scores: Any = None) -> Module:
    """Prune the smallest elements of ``module.name``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.l1_unstructured.html

    >>> from torsh import nn
    >>> from torsh.nn.utils import prune
    >>> layer = prune.l1_unstructured(nn.Linear(4, 1), "weight", amount=0.5)
    >>> int((layer.weight == 0).sum())
    2
    """
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: Any, dim: int) -> Module:
    """Prune channels of ``module.name`` at random.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.random_structured.html

    >>> from torsh import nn
    >>> from torsh.nn.utils import prune
    >>> layer = prune.random_structured(nn.Linear(4, 4), "weight", amount=1, dim=1)
    >>> int((layer.weight.abs().sum(0) == 0).sum())  # columns
    1
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module: Module, name: str, amount: Any, n: Any, dim: int, importance_scores: Any = None) -> Module:
    """Prune the channels of ``module.name`` of smallest norm.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.ln_structured.html

    >>> from torsh import nn
    >>> from torsh.nn.utils import prune
    >>> layer = prune.ln_structured(nn.Linear(4, 4), "weight", amount=2, n=2, dim=0)
    >>> int((layer.weight.abs().sum(1) == 0).sum())  # rows
    2
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Prune ``module.name`` by a mask.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.custom_from_mask.html

    >>> import torsh
    >>> from torsh import nn
    >>> from torsh.nn.utils import prune
    >>> layer = prune.custom_from_mask(nn.Linear(2, 1), "weight", mask=torsh.tensor([[1, 0]]))
    >>> layer.weight == 0
    tensor([[False,  True]])
    """
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(parameters: Any, pruning_method: Any, importance_scores: Any = None, **kwargs: Any) -> None:
    """Prune the least important elements of several (module, name) pairs together.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.global_unstructured.html

    >>> from torsh import nn
    >>> from torsh.nn.utils import prune
    >>> a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    >>> prune.global_unstructured([(a, "weight"), (b, "weight")], prune.L1Unstructured, amount=4)
    >>> sum(int((m.weight == 0).sum()) for m in (a, b))
    4
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    parameters = list(parameters)
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    values = parameters_to_vector([scores.get((m, n), getattr(m, n)).detach() for m, n in parameters])
    masks = [getattr(m, n + "_mask", None) for m, n in parameters]
    given = [k if k is not None else getattr(m, n).detach().clone().fill_(1) for k, (m, n) in zip(masks, parameters)]
    method = pruning_method(**kwargs)
    method._tensor_name = "temp"
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            f'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method {pruning_method} of type '
            f"{method.PRUNING_TYPE}"
        )
    final = PruningContainer(method).compute_mask(values, parameters_to_vector(given))
    start = 0
    for module, name in parameters:
        p = getattr(module, name)
        custom_from_mask(module, name, mask=final[start : start + p.numel()].view(p.shape))
        start += p.numel()


def remove(module: Module, name: str) -> Module:
    """Make the pruning of ``module.name`` permanent.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.remove.html

    >>> from torsh import nn
    >>> from torsh.nn.utils import prune
    >>> layer = prune.l1_unstructured(nn.Linear(4, 1), "weight", amount=2)
    >>> layer = prune.remove(layer, "weight")
    >>> prune.is_pruned(layer), int((layer.weight == 0).sum())
    (False, 2)
    """
    for k, hook in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            hook.remove(module)
            del module._forward_pre_hooks[k]
            return module
    raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")


def is_pruned(module: Module) -> bool:
    """Whether anything below a module is pruned.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.is_pruned.html

    >>> from torsh import nn
    >>> from torsh.nn.utils import prune
    >>> prune.is_pruned(nn.Linear(2, 2))
    False
    """
    return any(
        isinstance(hook, BasePruningMethod) for _, m in module.named_modules() for hook in m._forward_pre_hooks.values()
    )
