"""Modules as functions of their parameters: what came before ``torch.func.functional_call``, which some programs still use.

Source: https://docs.pytorch.org/docs/stable/func.migrating.html
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from torsh.nn.modules.module import Module
from torsh.nn.parameter import Parameter
from torsh.nn.utils.stateless import _table
from torsh.tensor import Tensor

Names = dict[str, list[str]]


def _taken_out(model: Module, kind: str) -> tuple[tuple[Tensor, ...], Names]:
    """(the parameters or buffers of a model, all names of each by its first); tensors without memory take their places."""
    found: dict[Tensor, list[str]] = {}
    for name, t in list(getattr(model, kind)(remove_duplicate=False)):
        found.setdefault(t, []).append(name)
    for t, names in found.items():
        empty: Any = t.detach().to("meta")
        if kind == "named_parameters":
            empty = Parameter(empty, requires_grad=t.requires_grad)
        for name in names:
            table, own = _table(model, name)
            table[own] = empty
    return tuple(found), {names[0]: names for names in found.values()}


def _swap_state(mod: Module, names_map: Names, elems: Iterable[Any]) -> list[Any]:
    """Put tensors in the places of others, under all their names; gives back what was there."""
    before = []
    for names, value in zip(names_map.values(), elems):
        for i, name in enumerate(names):
            table, own = _table(mod, name)
            if not i:
                before.append(table[own])
            table[own] = value
    return before


class _Functional(Module):
    stateless_model: Any

    def _with(self, names: Names, values: Sequence[Any], args: Any, kwargs: Any) -> Any:
        before = _swap_state(self.stateless_model, names, values)
        try:
            return self.stateless_model(*args, **kwargs)
        finally:
            _swap_state(self.stateless_model, names, before)


class FunctionalModuleWithBuffers(_Functional):
    """What ``make_functional_with_buffers`` gives: call it with parameters, buffers and the model's own arguments."""

    def __init__(
        self,
        stateless_model: Module,
        param_names: Any,
        buffer_names: Any,
        param_names_map: Names,
        buffer_names_map: Names,
    ) -> None:
        super().__init__()
        self.stateless_model = stateless_model
        self.param_names, self.buffer_names = tuple(param_names), tuple(buffer_names)
        self.all_names_map = {**param_names_map, **buffer_names_map}

    @staticmethod
    def _create_from(model: Module, disable_autograd_tracking: bool = False) -> Any:
        model = copy.deepcopy(model)
        params, names = _taken_out(model, "named_parameters")
        buffers, buffer_names = _taken_out(model, "named_buffers")
        _untracked(params, disable_autograd_tracking)
        return FunctionalModuleWithBuffers(model, names, buffer_names, names, buffer_names), params, buffers

    def forward(self, params: Iterable[Any], buffers: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
        """The model's result with these parameters and buffers."""
        return self._with(self.all_names_map, (*params, *buffers), args, kwargs)


class FunctionalModule(_Functional):
    """What ``make_functional`` gives: call it with parameters and the model's own arguments."""

    def __init__(self, stateless_model: Module, param_names: Any, names_map: Names) -> None:
        super().__init__()
        self.stateless_model = stateless_model
        self.param_names, self.names_map = tuple(param_names), names_map

    @staticmethod
    def _create_from(model: Module, disable_autograd_tracking: bool = False) -> Any:
        model = copy.deepcopy(model)
        params, names = _taken_out(model, "named_parameters")
        _untracked(params, disable_autograd_tracking)
        return FunctionalModule(model, names, names), params

    def forward(self, params: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
        """The model's result with these parameters."""
        return self._with(self.names_map, tuple(params), args, kwargs)


def _untracked(params: Iterable[Tensor], wanted: bool) -> None:
    if wanted:
        for p in params:
            p.requires_grad_(False)


def make_functional(
    model: Module, disable_autograd_tracking: bool = False
) -> tuple[FunctionalModule, tuple[Tensor, ...]]:
    """(the model as a function of its parameters, the parameters); RuntimeError for a model with buffers.

    Source: https://docs.pytorch.org/docs/stable/func.migrating.html

    >>> import torsh
    >>> from torsh._functorch.make_functional import make_functional
    >>> call, params = make_functional(torsh.nn.Linear(2, 3))
    >>> call(params, torsh.ones(2)).shape
    torsh.Size([3])
    """
    if list(model.buffers()):
        raise RuntimeError(
            "make_functional(model): `model` has buffers. Please use make_functional_with_buffers(model) instead."
        )
    return FunctionalModule._create_from(model, disable_autograd_tracking)  # type: ignore[no-any-return]


def make_functional_with_buffers(
    model: Module, disable_autograd_tracking: bool = False
) -> tuple[FunctionalModuleWithBuffers, tuple[Tensor, ...], tuple[Tensor, ...]]:
    """(the model as a function of its parameters and buffers, the parameters, the buffers).

    Source: https://docs.pytorch.org/docs/stable/func.migrating.html

    >>> import torsh
    >>> from torsh._functorch.make_functional import make_functional_with_buffers
    >>> call, params, buffers = make_functional_with_buffers(torsh.nn.BatchNorm1d(3).eval())
    >>> call(params, buffers, torsh.ones(2, 3)).shape
    torsh.Size([2, 3])
    """
    return FunctionalModuleWithBuffers._create_from(model, disable_autograd_tracking)  # type: ignore[no-any-return]


def _stacked(groups: Sequence[Sequence[Tensor]]) -> tuple[Tensor, ...]:
    import torsh

    return tuple(torsh.stack(list(shards)).detach() for shards in zip(*groups))


def combine_state_for_ensemble(
    models: Sequence[Module],
) -> tuple[FunctionalModuleWithBuffers, tuple[Tensor, ...], tuple[Tensor, ...]]:
    """(one of the models as a function, the parameters of all models stacked, the buffers stacked), to ``vmap`` over the models.

    Source: https://docs.pytorch.org/docs/stable/func.migrating.html

    >>> import torsh
    >>> from torsh._functorch.make_functional import combine_state_for_ensemble
    >>> call, params, buffers = combine_state_for_ensemble([torsh.nn.Linear(2, 3) for _ in range(4)])
    >>> torsh.vmap(call, (0, 0, None))(params, buffers, torsh.ones(2)).shape
    torsh.Size([4, 3])
    """
    if len(models) == 0:
        raise RuntimeError("combine_state_for_ensemble: Expected at least one model, got 0.")
    if len({m.training for m in models}) > 1:
        raise RuntimeError("combine_state_for_ensemble: Expected all models to have the same training/eval mode.")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("combine_state_for_ensemble: Expected all models to be of the same class.")
    made = [make_functional_with_buffers(m) for m in models]
    return made[0][0], _stacked([m[1] for m in made]), _stacked([m[2] for m in made])


def functional_init(model_class: Any, ensemble_shape: tuple[int, ...] = (), device: Any = "cpu") -> Callable[..., Any]:
    """A function that makes a model, or a stack of them: (weights, ``call(weights, (data, ...))``, names of the weights)."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        weights, _, call, names, _ = functional_init_with_buffers(model_class, ensemble_shape, device)(*args, **kwargs)
        return weights, lambda weights, data: call(weights, (), data), names

    return wrapped


def functional_init_with_buffers(
    model_class: Any, ensemble_shape: tuple[int, ...] = (), device: Any = "cpu"
) -> Callable[..., Any]:
    """A function that makes a model, or a stack of them: (weights, buffers, ``call(weights, buffers, (data, ...))``, their names)."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if len(ensemble_shape) > 1:
            raise ValueError("NYI: ensemble_shape with more than 1 element")
        if ensemble_shape and ensemble_shape[0] <= 0:
            raise ValueError(f"num_models {ensemble_shape[0]} should be > 0")
        made = [
            make_functional_with_buffers(model_class(*args, **kwargs).to(device))
            for _ in range(ensemble_shape[0] if ensemble_shape else 1)
        ]
        model, weights, buffers = made[0]
        if ensemble_shape:
            weights, buffers = _stacked([m[1] for m in made]), _stacked([m[2] for m in made])
        return weights, buffers, lambda w, b, data: model(w, b, *data), model.param_names, model.buffer_names

    return wrapped
