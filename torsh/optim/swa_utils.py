"""Averages of a model's parameters along training (stochastic weight averaging, moving averages).

Source: https://docs.pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

from torsh.autograd.grad_mode import no_grad
from torsh.nn.modules.batchnorm import _BatchNorm
from torsh.nn.modules.module import Module
from torsh.optim._scheduler import LRScheduler, per_group
from torsh.optim.optimizer import Optimizer
from torsh.tensor import Tensor


def _check_decay(decay: float) -> None:
    if decay < 0.0 or decay > 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[..., None]:
    """A function (averages, current values, count) that moves the averages a share ``1 - decay`` towards the values.

    Source: https://docs.pytorch.org/docs/stable/optim.html#torch.optim.swa_utils.get_ema_multi_avg_fn

    >>> import torsh
    >>> from torsh.optim.swa_utils import get_ema_multi_avg_fn
    >>> average = [torsh.tensor([1.])]
    >>> get_ema_multi_avg_fn(0.9)(average, [torsh.tensor([2.])], 1)
    >>> average
    [tensor([1.1000])]
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param_list: Any, current_param_list: Any, _: Any) -> None:
        for mean, p in zip(ema_param_list, current_param_list, strict=True):
            if mean._kind.inexact:
                mean.lerp_(p, 1 - decay)
            else:
                mean.copy_(mean * decay + p * (1 - decay))

    return ema_update


def get_swa_multi_avg_fn() -> Callable[..., None]:
    """A function (averages, current values, count) that keeps plain averages.

    Source: https://docs.pytorch.org/docs/stable/optim.html#torch.optim.swa_utils.get_swa_multi_avg_fn

    >>> import torsh
    >>> from torsh.optim.swa_utils import get_swa_multi_avg_fn
    >>> average = [torsh.tensor([1.])]
    >>> get_swa_multi_avg_fn()(average, [torsh.tensor([4.])], torsh.tensor(2))
    >>> average
    [tensor([2.])]
    """

    @no_grad()
    def swa_update(averaged_param_list: Any, current_param_list: Any, num_averaged: Any) -> None:
        weight = 1.0 / (float(num_averaged) + 1)
        for mean, p in zip(averaged_param_list, current_param_list, strict=True):
            if mean._kind.inexact:
                mean.lerp_(p, weight)
            else:
                mean.copy_(mean + (p - mean) * weight)

    return swa_update


def get_ema_avg_fn(decay: float = 0.999) -> Callable[..., Tensor]:
    """A function (average, current value, count) -> moving average.

    Source: https://docs.pytorch.org/docs/stable/optim.html#torch.optim.swa_utils.get_ema_avg_fn

    >>> import torsh
    >>> from torsh.optim.swa_utils import get_ema_avg_fn
    >>> get_ema_avg_fn(0.9)(torsh.tensor([1.]), torsh.tensor([2.]), 1)
    tensor([1.1000])
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> Callable[..., Tensor]:
    """A function (average, current value, count) -> plain average.

    Source: https://docs.pytorch.org/docs/stable/optim.html#torch.optim.swa_utils.get_swa_avg_fn

    >>> import torsh
    >>> from torsh.optim.swa_utils import get_swa_avg_fn
    >>> get_swa_avg_fn()(torsh.tensor([1.]), torsh.tensor([4.]), 2)  # the mean of two values 1 and a third 4
    tensor([2.])
    """

    @no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of those given to ``update_parameters``.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.optim.swa_utils.AveragedModel.html

    >>> from torsh import nn
    >>> from torsh.optim.swa_utils import AveragedModel
    >>> layer = nn.Linear(1, 1, bias=False)
    >>> average = AveragedModel(layer)
    >>> for value in (1., 3.):
    ...     _ = nn.init.constant_(layer.weight, value)
    ...     average.update_parameters(layer)
    >>> average.module.weight.data
    tensor([[2.]])
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Callable[..., Tensor] | None = None,
        multi_avg_fn: Callable[..., None] | None = None,
        use_buffers: bool = False,
    ) -> None:
        import torsh

        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", torsh.tensor(0, dtype=torsh.int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the parameters of a model into the averages."""

        def values(m: Module) -> list[Tensor]:
            buffers: Iterable[Tensor] = m.buffers() if self.use_buffers else ()
            return [t.detach() for t in itertools.chain(m.parameters(), buffers)]

        means = values(self.module)
        current = [p.to(mean.device) for mean, p in zip(means, values(model))]
        if int(self.n_averaged) == 0:
            for mean, p in zip(means, current):
                mean.copy_(p)
        elif self.multi_avg_fn is not None:
            # One call per dtype: lists of one kind is what the function may expect.
            for kind in dict.fromkeys(m._kind for m in means):
                pairs = [(m, p) for m, p in zip(means, current) if m._kind is kind]
                self.multi_avg_fn([m for m, _ in pairs], [p for _, p in pairs], self.n_averaged.to(kind.device))
        else:
            average = self.avg_fn or get_swa_avg_fn()
            for mean, p in zip(means, current):
                mean.copy_(average(mean, p, self.n_averaged.to(mean.device)))
        if not self.use_buffers:
            for mine, theirs in zip(self.module.buffers(), model.buffers(), strict=True):
                mine.detach().copy_(theirs.detach().to(mine.device))
        self.n_averaged += 1


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of a model's batch normalisations anew from a loader's batches.

    Source: https://docs.pytorch.org/docs/stable/optim.html#torch.optim.swa_utils.update_bn

    >>> import torsh
    >>> from torsh import nn
    >>> from torsh.optim.swa_utils import update_bn
    >>> norm = nn.BatchNorm1d(1)
    >>> update_bn([torsh.tensor([[1.], [3.]])], norm)
    >>> norm.running_mean
    tensor([2.])
    """
    momenta = {m: m.momentum for m in model.modules() if isinstance(m, _BatchNorm)}
    if not momenta:
        return
    was_training = model.training
    model.train()
    for module in momenta:
        module.reset_running_stats()
        module.momentum = None  # the average over all batches
    for batch in loader:
        if isinstance(batch, (list, tuple)):
            batch = batch[0]
        model(batch if device is None else batch.to(device))
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """Goes to ``swa_lr`` in ``anneal_epochs`` epochs, along a cosine or a line, and stays there.

    Source: https://docs.pytorch.org/docs/stable/optim.html#torch.optim.swa_utils.SWALR

    >>> import torsh
    >>> from torsh.optim.swa_utils import SWALR
    >>> optimizer = torsh.optim.SGD([torsh.zeros(1)], lr=1.0)
    >>> scheduler = SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> for _ in range(3):
    ...     print(scheduler.get_last_lr()); optimizer.step(); scheduler.step()
    [1.0]
    [0.75]
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: Any,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        for lr, group in zip(per_group("swa_lr", optimizer, swa_lr), optimizer.param_groups, strict=True):
            group["swa_lr"] = lr
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._anneal_strategy = anneal_strategy
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _alpha(self, step: int) -> float:
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def get_lr(self) -> list[Any]:
        self._check_called_by_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, alpha = self._alpha(step - 1), self._alpha(step)
        lrs = []
        for group in self.optimizer.param_groups:
            end = group["swa_lr"]
            # Where the way began, from where it is now.
            start = end if before == 1 else (group["lr"] - before * end) / (1 - before)
            lrs.append(end * alpha + start * (1 - alpha))
        return lrs


__all__ = [
    "SWALR", "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn",
    "update_bn",
]  # fmt: skip
