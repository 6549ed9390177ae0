"""An optimizer with other parameters and state for a while."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def swap_in_optimizer_params_and_state(
    optimizer: Any, swapin_parameters: dict[str, Any], swapin_optim_state: dict[str, Any]
) -> Iterator[None]:
    """Inside, an optimizer steps other parameters with other state; afterwards it has its own again.

    swapin_parameters: tensors in the order of the optimizer's parameters.  swapin_optim_state: laid out as
    ``optimizer.state_dict()``; its tensors are changed in place, its structure is not.
    Raises ValueError where groups or parameters differ in number.
    Source: https://docs.pytorch.org/docs/stable/optim.html

    >>> import torsh
    >>> w, other = torsh.ones(1, requires_grad=True), torsh.zeros(1, requires_grad=True)
    >>> optimizer = torsh.optim.SGD([w], lr=0.5, momentum=0.9)
    >>> w.grad, other.grad = torsh.ones(1), torsh.ones(1)
    >>> optimizer.step()
    >>> with torsh.optim.swap_in_optimizer_params_and_state(optimizer, {"w": other}, optimizer.state_dict()):
    ...     optimizer.step()
    >>> other, w
    (tensor([-0.9500], requires_grad=True), tensor([0.5000], requires_grad=True))
    """
    groups = swapin_optim_state["param_groups"]
    given = list(swapin_parameters.values())
    if len(groups) != len(optimizer.param_groups):
        raise ValueError(
            f"swap-in state has {len(groups)} parameter groups, the optimizer {len(optimizer.param_groups)}"
        )
    count = sum(len(g["params"]) for g in optimizer.param_groups)
    if len(given) != count:
        raise ValueError(f"got {len(given)} swap-in parameters for an optimizer of {count}")
    for live, other in zip(optimizer.param_groups, groups):
        if len(live["params"]) != len(other["params"]):
            raise ValueError(
                f"a swap-in group has {len(other['params'])} parameters, the optimizer's {len(live['params'])}"
            )
    before, own = [dict(g) for g in optimizer.param_groups], optimizer.state
    state: Any = defaultdict(dict)
    rest = iter(given)
    try:
        for live, other in zip(optimizer.param_groups, groups):
            live["params"] = [next(rest) for _ in other["params"]]
            live.update({k: v for k, v in other.items() if k != "params"})
            for p, number in zip(live["params"], other["params"]):
                state[p] = dict(swapin_optim_state["state"].get(number, {}))
        optimizer.state = state
        yield
    finally:
        for live, old in zip(optimizer.param_groups, before):
            live.clear()
            live.update(old)
        optimizer.state = own
