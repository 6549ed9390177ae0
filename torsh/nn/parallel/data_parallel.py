"""Splitting batches over devices.  With one device, as torsh has it, the wrapped module is simply called."""

from __future__ import annotations

from typing import Any

from torsh.nn.modules.module import Module


class DataParallel(Module):
    """Calls ``module`` with the whole batch on its device; keeps PyTorch's names (``module.`` in front of every key).

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.DataParallel.html

    >>> import torsh
    >>> from torsh import nn
    >>> model = nn.DataParallel(nn.Linear(2, 3))  # one device here: the module itself runs
    >>> model(torsh.rand(4, 2)).shape
    torsh.Size([4, 3])
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        if device_ids is not None and len(device_ids) > 1:
            raise NotImplementedError(
                f"DataParallel over {len(device_ids)} devices is not implemented: torsh uses one device; give one device id"
            )
        self.module = module
        self.dim = dim
        self.device_ids: list[Any] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Any = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: Any = None,
) -> Any:
    """Call a module on a batch, as :class:`DataParallel` does.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.parallel.data_parallel.html

    >>> import torsh
    >>> from torsh import nn
    >>> torsh.nn.parallel.data_parallel(nn.Linear(2, 3), (torsh.ones(4, 2),)).shape
    torsh.Size([4, 3])
    """
    args = inputs if isinstance(inputs, tuple) else () if inputs is None else (inputs,)
    return module(*args, **(module_kwargs or {}))


__all__ = ["DataParallel", "data_parallel"]
