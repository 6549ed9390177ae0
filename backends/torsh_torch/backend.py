"""What the PyTorch backend is and how it moves data."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np

from torsh import dtypes
from torsh.backend import Backend, Capabilities, Kernel
from torsh.device import device as Device
from torsh.dtypes import dtype as Dtype

if TYPE_CHECKING:
    import torch

# Where kernels are: one module per family, imported when a name is first looked up.
_MODULES = (
    "pointwise", "comparison", "special", "reduction", "shape", "joining", "indexing", "sorting", "linalg", "fft", "random",
    "activation", "convolution", "pooling", "normalization", "loss", "attention", "embedding", "vision",
)  # fmt: skip


class TorchBackend(Backend):
    """torch.Tensor on any device PyTorch has."""

    name = "torch"
    device_types = ("cpu", "cuda", "mps")
    capabilities = Capabilities()

    def __init__(self) -> None:
        self._table: dict[str, Kernel] | None = None
        if importlib.util.find_spec("torch") is not None:
            import torch

            self.raw_type = torch.Tensor
            self.to_torch = {d: getattr(torch, d.name) for d in dtypes.ALL if hasattr(torch, d.name)}
            self.from_torch = {t: d for d, t in self.to_torch.items()}

    def unavailable(self) -> str | None:
        if importlib.util.find_spec("torch") is None:
            return "PyTorch is not installed; install torsh-array[torch]"
        return None

    def version(self) -> str:
        import torch

        return str(torch.__version__)

    def kernel(self, name: str, dtype: Dtype) -> Kernel | None:
        if self._table is None:
            self._table = {}
            for module in _MODULES:
                self._table.update(importlib.import_module(f"torsh_torch.{module}").KERNELS)
        return self._table.get(name)

    def from_host(self, array: np.ndarray[Any, Any], dtype: Dtype, device: Device) -> torch.Tensor:
        import torch

        target = self.to_torch[dtype]
        if array.dtype.kind == "V" or array.dtype.name not in torch.__dict__ or dtype.name != array.dtype.name:
            bits = np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}").reshape(array.shape)
            return torch.from_numpy(bits).view(target).to(str(device))
        return torch.from_numpy(array).to(str(device))

    def to_host(self, raw: torch.Tensor) -> np.ndarray[Any, Any]:
        from torsh_numpy.backend import TO_NUMPY

        import torch

        raw = raw.detach().resolve_conj().resolve_neg().cpu()
        try:
            return raw.numpy()
        except TypeError:  # bfloat16 and the like: move the bits
            bits = {1: torch.uint8, 2: torch.uint16, 4: torch.uint32}[raw.itemsize]
            return raw.contiguous().view(bits).numpy().view(TO_NUMPY[self.dtype_of(raw)])

    def dtype_of(self, raw: torch.Tensor) -> Dtype:
        return self.from_torch[raw.dtype]

    def device_of(self, raw: torch.Tensor) -> Device:
        return Device(raw.device.type, raw.device.index)

    def as_raw(self, value: Any) -> torch.Tensor:
        import torch

        return value if isinstance(value, torch.Tensor) else torch.as_tensor(value)

    def cast(self, raw: torch.Tensor, dtype: Dtype, copy: bool = False) -> torch.Tensor:
        return raw.to(self.to_torch[dtype], copy=copy)

    def write(self, target: torch.Tensor, source: torch.Tensor) -> None:
        target.copy_(source)

    def geometry(self, raw: torch.Tensor) -> tuple[tuple[int, ...], tuple[int, ...], int]:
        return tuple(raw.shape), raw.stride(), raw.data_ptr()
