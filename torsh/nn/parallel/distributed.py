"""One model in several processes, whose gradients are averaged.

Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.parallel.DistributedDataParallel.html
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from torsh.autograd import engine
from torsh.autograd.grad_mode import no_grad
from torsh.nn.modules.module import Module
from torsh.tensor import Tensor


class DistributedDataParallel(Module):
    """Calls ``module``; after every backward pass the processes of a group average its gradients.

    Parameters and buffers start as those of process 0, and buffers are sent again before each call in training
    (``broadcast_buffers``).  The exchange happens when the backward pass has ended, for all parameters together, so
    ``bucket_cap_mb``, ``gradient_as_bucket_view``, ``static_graph`` and ``find_unused_parameters`` are accepted and change
    nothing: parameters that no process used keep no gradient, and those that some used get the average.
    ``torch.distributed.init_process_group`` comes first.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.parallel.DistributedDataParallel.html

    >>> import torsh
    >>> from torsh import distributed as dist, nn
    >>> dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    >>> model = nn.parallel.DistributedDataParallel(nn.Linear(2, 1))
    >>> model(torsh.ones(3, 2)).sum().backward()
    >>> model.module.bias.grad
    tensor([3.])
    >>> dist.destroy_process_group()
    """

    def __init__(
        self,
        module: Module,
        device_ids: Any = None,
        output_device: Any = None,
        dim: int = 0,
        broadcast_buffers: bool | None = None,
        init_sync: bool = True,
        process_group: Any = None,
        bucket_cap_mb: float | None = None,
        find_unused_parameters: bool = False,
        check_reduction: bool = False,
        gradient_as_bucket_view: bool = False,
        static_graph: bool = False,
        delay_all_reduce_named_params: Any = None,
        param_to_hook_all_reduce: Any = None,
        mixed_precision: Any = None,
        device_mesh: Any = None,
        **options: Any,
    ) -> None:
        super().__init__()
        from torsh.distributed import distributed_c10d

        for name, value in {
            "delay_all_reduce_named_params": delay_all_reduce_named_params, "param_to_hook_all_reduce": param_to_hook_all_reduce,
            "mixed_precision": mixed_precision, "device_mesh": device_mesh,
        }.items():  # fmt: skip
            if value is not None:
                raise NotImplementedError(f"DistributedDataParallel: {name} is not in torsh yet; leave it out")
        self.process_group = distributed_c10d._group(process_group)
        self.module = module
        if not any(p.requires_grad for p in module.parameters()):
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameters that require a gradient."
            )
        devices = {p.device for p in module.parameters()}
        if (device_ids or output_device is not None) and {d.type for d in devices} == {"cpu"}:
            raise ValueError(
                "DistributedDataParallel device_ids and output_device arguments only work with single-device/multiple-device GPU "
                f"modules or CPU modules, but got device_ids {device_ids}, output_device {output_device}, and module parameters {devices}."
            )
        self.device_ids, self.output_device, self.dim = device_ids, output_device, dim
        self.device, self.device_type = next(iter(devices)), next(iter(devices)).type
        self.broadcast_buffers = True if broadcast_buffers is None else broadcast_buffers
        self.find_unused_parameters, self.static_graph = find_unused_parameters, static_graph
        self.gradient_as_bucket_view = gradient_as_bucket_view
        ignored = set(getattr(module, "_ddp_params_and_buffers_to_ignore", ()))
        self.parameters_to_ignore = ignored
        self._module_parameters = [p for n, p in module.named_parameters() if p.requires_grad and n not in ignored]
        self.modules_buffers = [b for n, b in module.named_buffers() if n not in ignored]
        self.require_backward_grad_sync = True
        self._awaited = False  # whether an exchange is to follow the backward pass that runs now
        if init_sync:
            self._send(
                [t for n, t in module.state_dict(keep_vars=True).items() if isinstance(t, Tensor) and n not in ignored]
            )
        for p in self._module_parameters:
            p.register_post_accumulate_grad_hook(self._one_is_ready)

    def _send(self, tensors: Any) -> None:
        from torsh.distributed import broadcast

        for t in tensors:
            broadcast(t.detach(), group=self.process_group, group_src=0)

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        if (
            self.training
            and self.require_backward_grad_sync
            and self.broadcast_buffers
            and self.process_group.size() > 1
        ):
            self._send(self.modules_buffers)
        return self.module(*inputs, **kwargs)

    def _one_is_ready(self, parameter: Any) -> None:
        if self.require_backward_grad_sync and not self._awaited:
            self._awaited = True
            engine.after_backward(self._average)

    def _average(self) -> None:
        """Exchange the gradients of all parameters, and for each whether this process has one."""
        import torsh
        from torsh.distributed import all_reduce

        self._awaited = False
        n = self.process_group.size()
        if n == 1:
            return
        parameters = self._module_parameters
        used = torsh.tensor([p.grad is not None for p in parameters], dtype=torsh.int32)
        all_reduce(used, group=self.process_group)
        kinds: dict[Any, list[Any]] = {}
        for p, count in zip(parameters, used.tolist()):
            if count:
                kinds.setdefault((p.dtype, p.device), []).append(p)
        with no_grad():
            for group in kinds.values():
                grads = [p.grad if p.grad is not None else torsh.zeros_like(p) for p in group]
                flat = torsh.cat([g.reshape(-1) for g in grads]) / n
                all_reduce(flat, group=self.process_group)
                for p, g, part in zip(group, grads, flat.split([g.numel() for g in grads])):
                    if p.grad is None:
                        p.grad = part.reshape(p.shape).clone()
                    else:
                        g.copy_(part.reshape(g.shape))

    @contextlib.contextmanager
    def no_sync(self) -> Iterator[None]:
        """Inside, backward passes only add up gradients here; the first one outside averages the sums."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    @contextlib.contextmanager
    def join(
        self, divide_by_initial_world_size: bool = True, enable: bool = True, throw_on_early_termination: bool = False
    ) -> Iterator[None]:
        """For processes with different numbers of batches, which torsh does not support: NotImplementedError unless not enabled."""
        if enable and self.process_group.size() > 1:
            raise NotImplementedError(
                "DistributedDataParallel.join is not in torsh yet: give every process the same number of batches"
            )
        yield

    def register_comm_hook(self, state: Any, hook: Any) -> None:
        """Replacing the way gradients are exchanged is not in torsh: NotImplementedError."""
        raise NotImplementedError(
            "DistributedDataParallel.register_comm_hook is not in torsh yet: gradients are averaged as they are"
        )


__all__ = ["DistributedDataParallel"]
