"""The base class of all optimizers.

Source: https://docs.pytorch.org/docs/stable/optim.html
"""

from __future__ import annotations

import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any

from torsh import dtypes
from torsh.autograd.engine import RemovableHandle
from torsh.autograd.grad_mode import enable_grad, thread
from torsh.nn.modules.module import typename
from torsh.ops.creation import tensor, zeros
from torsh.tensor import Tensor

ParamsT = Iterable[Any]


class _RequiredParameter:
    """Marks a hyperparameter that has no default."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _RequiredParameter()

_global_optimizer_pre_hooks: dict[int, Callable[..., Any]] = OrderedDict()
_global_optimizer_post_hooks: dict[int, Callable[..., Any]] = OrderedDict()


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` before the step of every optimizer."""
    return RemovableHandle(_global_optimizer_pre_hooks, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` after the step of every optimizer."""
    return RemovableHandle(_global_optimizer_post_hooks, hook)


class Optimizer:
    """Keeps parameter groups with their options, and a state for each parameter.

    params: parameters, (name, parameter) pairs, or dictionaries with ``"params"`` and options of their own.
    defaults: options of groups that do not say otherwise.
    Source: https://docs.pytorch.org/docs/stable/optim.html#torch.optim.Optimizer

    >>> import torsh
    >>> from torsh import nn
    >>> x = nn.Parameter(torsh.ones(2))
    >>> optimizer = torsh.optim.SGD([{"params": [x], "lr": 0.5}], lr=0.1)  # options per group
    >>> optimizer.param_groups[0]["lr"]
    0.5
    >>> sorted(optimizer.state_dict())
    ['param_groups', 'state']
    """

    _HOOKS = (
        "_optimizer_step_pre_hooks", "_optimizer_step_post_hooks", "_optimizer_state_dict_pre_hooks",
        "_optimizer_state_dict_post_hooks", "_optimizer_load_state_dict_pre_hooks", "_optimizer_load_state_dict_post_hooks",
    )  # fmt: skip

    _optimizer_step_pre_hooks: dict[int, Callable[..., Any]]
    _optimizer_step_post_hooks: dict[int, Callable[..., Any]]
    _optimizer_state_dict_pre_hooks: dict[int, Callable[..., Any]]
    _optimizer_state_dict_post_hooks: dict[int, Callable[..., Any]]
    _optimizer_load_state_dict_pre_hooks: dict[int, Callable[..., Any]]
    _optimizer_load_state_dict_post_hooks: dict[int, Callable[..., Any]]

    # What groups of optimizers saved by older versions may lack.
    _group_defaults: dict[str, Any] = {}

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        for name in self._HOOKS:
            setattr(self, name, OrderedDict())
        self._patch_step_function()
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                + typename(params)
            )
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    # ---- pickling, text

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for name in self._HOOKS:
            self.__dict__.setdefault(name, OrderedDict())
        self._patch_step_function()
        self.defaults.setdefault("differentiable", False)
        for group in self.param_groups:
            for name, value in self._group_defaults.items():
                group.setdefault(name, value)
            for p in group["params"]:
                own = self.state.get(p, None)
                if own and "step" in own and not isinstance(own["step"], Tensor) and "step" in self._tensor_state:
                    own["step"] = step_counter(group, p, float(own["step"]))

    # State that older versions kept as numbers.
    _tensor_state: tuple[str, ...] = ("step",)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join(lines) + "\n)"

    # ---- hooks

    def _patch_step_function(self) -> None:
        cls = type(self)
        if not getattr(cls.step, "hooked", None):
            cls.step = self.profile_hook_step(cls.step)  # type: ignore[method-assign]
            cls.step.hooked = True  # type: ignore[attr-defined]

    @staticmethod
    def profile_hook_step(func: Callable[..., Any]) -> Callable[..., Any]:
        """``step`` with the hooks around it."""

        @functools.wraps(func)
        def step(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
            if not (
                self._optimizer_step_pre_hooks
                or self._optimizer_step_post_hooks
                or _global_optimizer_pre_hooks
                or _global_optimizer_post_hooks
            ):
                return func(self, *args, **kwargs)
            full: tuple[Any, ...] = (self, *args)
            for hook in chain(_global_optimizer_pre_hooks.values(), self._optimizer_step_pre_hooks.values()):
                found = hook(self, full, kwargs)
                if found is not None:
                    if not (isinstance(found, tuple) and len(found) == 2):
                        raise RuntimeError(
                            f"{func} must return None or a tuple of (new_args, new_kwargs), but got {found}."
                        )
                    full, kwargs = found
            out = func(*full, **kwargs)
            for hook in chain(self._optimizer_step_post_hooks.values(), _global_optimizer_post_hooks.values()):
                hook(self, full, kwargs)
            return out

        return step

    def _add_hook(self, table: str, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        hooks = getattr(self, table)
        handle = RemovableHandle(hooks, hook)
        if prepend:
            hooks.move_to_end(handle.id, last=False)
        return handle

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before ``step``; may return (args, kwargs).

        Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.register_step_pre_hook.html

        >>> import torsh
        >>> from torsh import nn
        >>> optimizer = torsh.optim.SGD([nn.Parameter(torsh.ones(1))], lr=0.1)
        >>> handle = optimizer.register_step_pre_hook(lambda opt, args, kwargs: print("step"))
        >>> optimizer.step()
        step
        """
        return self._add_hook("_optimizer_step_pre_hooks", hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after ``step``.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.register_step_post_hook.html

        >>> import torsh
        >>> from torsh import nn
        >>> optimizer = torsh.optim.SGD([nn.Parameter(torsh.ones(1))], lr=0.1)
        >>> handle = optimizer.register_step_post_hook(lambda opt, args, kwargs: print("done"))
        >>> optimizer.step()
        done
        """
        return self._add_hook("_optimizer_step_post_hooks", hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` before ``state_dict``."""
        return self._add_hook("_optimizer_state_dict_pre_hooks", hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` after ``state_dict``; a result replaces it."""
        return self._add_hook("_optimizer_state_dict_post_hooks", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` before ``load_state_dict``; a result is loaded instead."""
        return self._add_hook("_optimizer_load_state_dict_pre_hooks", hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` after ``load_state_dict``."""
        return self._add_hook("_optimizer_load_state_dict_post_hooks", hook, prepend)

    # ---- state

    def state_dict(self) -> dict[str, Any]:
        """``{"state": {number: state}, "param_groups": [...]}`` with parameters as numbers in order.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.state_dict.html

        >>> import torsh
        >>> optimizer = torsh.optim.SGD([torsh.zeros(1)], lr=0.1)
        >>> optimizer.state_dict()["param_groups"][0]["lr"]
        0.1
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        numbers: dict[int, int] = {}
        groups = []
        start = 0
        for group in self.param_groups:
            for i, p in enumerate(group["params"], start):
                numbers.setdefault(id(p), i)
            packed = {k: v for k, v in group.items() if k != "params"}
            packed["params"] = [numbers[id(p)] for p in group["params"]]
            start += len(packed["params"])
            groups.append(packed)
        state = {(numbers[id(k)] if isinstance(k, Tensor) else k): v for k, v in self.state.items()}
        found: dict[str, Any] = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            replaced = hook(self, found)
            if replaced is not None:
                found = replaced
        return found

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` of an optimizer with the same groups gave; values go to their parameters' types.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.load_state_dict.html

        >>> import torsh
        >>> from torsh import nn
        >>> x = nn.Parameter(torsh.ones(1))
        >>> a, b = torsh.optim.SGD([x], lr=0.1), torsh.optim.SGD([x], lr=0.5)
        >>> b.load_state_dict(a.state_dict())
        >>> b.param_groups[0]["lr"]
        0.1
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            replaced = hook(self, state_dict)
            if replaced is not None:
                state_dict = replaced
        groups = self.param_groups
        saved = deepcopy(state_dict["param_groups"])
        if len(groups) != len(saved):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(g["params"]) != len(s["params"]) for g, s in zip(groups, saved)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        owners = {n: (p, s) for g, s in zip(groups, saved) for n, p in zip(s["params"], g["params"])}
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in owners:
                p, group = owners[key]
                state[p] = _cast(p, value, group)
            else:
                state[key] = value
        for group, new_group in zip(groups, saved):
            new_group["params"] = group["params"]
            if "param_names" in group and "param_names" not in new_group:
                new_group["param_names"] = group["param_names"]
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    # ---- use

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters (set_to_none), or fill them with 0.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.zero_grad.html

        >>> import torsh
        >>> from torsh import nn
        >>> x = nn.Parameter(torsh.tensor([1.]))
        >>> x.grad = torsh.tensor([1.])
        >>> torsh.optim.SGD([x], lr=0.5).zero_grad()
        >>> x.grad is None
        True
        """
        for group in self.param_groups:
            for p in group["params"]:
                g = p._grad
                if g is None:
                    continue
                if set_to_none:
                    p._grad = None
                    continue
                if g._gf is not None:
                    g.detach_()
                else:
                    g.requires_grad_(False)
                g.zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters once; ``closure`` evaluates the model again and returns the loss.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.step.html

        >>> import torsh
        >>> from torsh import nn
        >>> x = nn.Parameter(torsh.tensor([1.]))
        >>> optimizer = torsh.optim.SGD([x], lr=0.5)
        >>> x.grad = torsh.tensor([1.])
        >>> optimizer.step()
        >>> x.data
        tensor([0.5000])
        """
        raise NotImplementedError

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group: a dictionary with ``"params"`` and options that differ from the defaults.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.add_param_group.html

        >>> import torsh
        >>> optimizer = torsh.optim.SGD([torsh.zeros(1)], lr=0.1)
        >>> optimizer.add_param_group({"params": [torsh.zeros(1)], "lr": 0.01})
        >>> [group["lr"] for group in optimizer.param_groups]
        [0.1, 0.01]
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, Tensor):
            params = [params]
        elif isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets will "
                "change between runs. Please use a list instead."
            )
        params = list(params)
        names = [p[0] for p in params if isinstance(p, tuple)]
        params = [p[1] if isinstance(p, tuple) else p for p in params]
        param_group["params"] = params
        if names:
            if len(names) != len(params):
                raise ValueError("all optimizer params should be with/without names. Some param names are missing")
            param_group["param_names"] = names
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError("optimizer can only optimize Tensors, but one of the params is " + typename(p))
            if not self.defaults.get("differentiable", None) and not (p.is_leaf or p.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, default)
        if len(params) != len({id(p) for p in params}):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; see "
                "github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=3,
            )
        known: set[int] = set()
        for group in self.param_groups:
            known.update(id(p) for p in group["params"])
            if ("param_names" in param_group) != ("param_names" in group):
                which = "with names" if "param_names" in param_group else "without names"
                raise ValueError(
                    "all optimizer param groups should be with/without names. cannot add param group "
                    f"{which} to the optimizer"
                )
        if not known.isdisjoint(id(p) for p in params):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)


def _cast(p: Tensor, value: Any, group: dict[str, Any], key: Any = None) -> Any:
    """A value of a loaded state as the parameter's state wants it: its dtype and device; ``step`` stays as it is."""
    if isinstance(value, Tensor):
        if key == "step":
            if group.get("capturable", False) or group.get("fused", False):
                return value.to(dtype=dtypes.float32, device=p.device)
            return value
        return value.to(dtype=p.dtype if p._kind.floating else None, device=p.device)
    if isinstance(value, dict):
        return {k: _cast(p, v, group, k) for k, v in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return type(value)(_cast(p, v, group) for v in value)  # type: ignore[call-arg]
    return value


class PerParameter(Optimizer):
    """An optimizer that updates one parameter after another.

    A subclass gives ``_start(p, group)``, a parameter's first state, and ``_update(p, g, state, group)``, which writes to
    ``p`` and the state in place.  Complex parameters come as pairs of real numbers unless ``_as_pairs`` is False.
    """

    _as_pairs = True
    _sparse = False  # whether gradients may be sparse

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def _update(self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        raise NotImplementedError

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters once; ``closure`` evaluates the model again, and its loss is returned."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        before = thread.enabled
        thread.enabled = bool(self.defaults.get("differentiable", False))
        try:
            for group in self.param_groups:
                self._step_group(group)
        finally:
            thread.enabled = before
        return loss

    def _step_group(self, group: dict[str, Any]) -> None:
        states = self.state
        for p in group["params"]:
            g = p._grad
            if g is None:
                continue
            if g.is_sparse and not self._sparse:
                raise RuntimeError(self._no_sparse)
            state = states[p]
            if not state:
                state.update(self._start(p, group))
            self._one(p, g, state, group)

    @property
    def _no_sparse(self) -> str:
        return f"{type(self).__name__} does not support sparse gradients"

    def _one(self, p: Tensor, g: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        if group.get("maximize"):
            g = -g
        if p._kind.complex and self._as_pairs:
            import torsh

            pairs = torsh.view_as_real
            shape = p.shape
            as_real = {
                k: pairs(v) if isinstance(v, Tensor) and v._kind.complex and v.shape == shape else v
                for k, v in state.items()
            }
            self._update(pairs(p), pairs(g), as_real, group)
            return
        self._update(p, g, state, group)


def number(x: Any) -> Any:
    """A hyperparameter as a Python number; a tensor that takes part in a gradient stays a tensor."""
    if isinstance(x, Tensor) and not (x._rg and thread.enabled):
        return x.item()
    return x


def scalar_dtype(fused: Any = None) -> Any:
    """The dtype of step counters."""
    if fused:
        return dtypes.float32
    return dtypes.float64 if dtypes.get_default_dtype() is dtypes.float64 else dtypes.float32


def step_counter(group: dict[str, Any], p: Tensor, value: float = 0.0) -> Tensor:
    """A new step counter: on the host, unless the optimizer may be captured or fused."""
    on_device = group.get("capturable") or group.get("fused")
    return tensor(value, dtype=scalar_dtype(group.get("fused")), device=p.device if on_device else "cpu")


def tick(state: dict[str, Any]) -> float:
    """Count a step; returns how many there were, this one included."""
    step = state["step"]
    if isinstance(step, Tensor):
        step.add_(1)
        return step.item()
    state["step"] = step + 1
    return step + 1


def zeros_like(p: Tensor) -> Tensor:
    """A state tensor of 0 like a parameter."""
    return zeros(tuple(p.shape), dtype=p.dtype, device=p.device)


def check(what: str, value: Any, good: Any) -> None:
    """Raise ValueError for a hyperparameter that is out of range."""
    if not good:
        raise ValueError(f"Invalid {what}: {value}")


def check_lr(lr: Any, message: str = "learning rate") -> None:
    """Raise ValueError for a learning rate that is a tensor of several elements, or negative."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    check(message, lr, lr >= 0.0)


def check_fused(fused: Any, foreach: Any, differentiable: bool) -> None:
    """Raise RuntimeError for options that exclude one another."""
    if fused:
        if differentiable:
            raise RuntimeError("`fused` does not support `differentiable`")
        if foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


class Native(dict[Any, Any]):
    """A backend's own update kernel by kind, None where there is none or where it would compute in another type."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __missing__(self, kind: Any) -> Any:
        backend = kind.backend
        fits = kind.floating and backend.capabilities.mutable and backend.compute_dtype(kind.dtype) is kind.dtype
        self[kind] = found = backend.kernel(self.name, kind.dtype) if fits else None
        return found
