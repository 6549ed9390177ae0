"""What the PyTorch backend is and how it moves data.

Raw arrays are plain torch.Tensors that never require grad: torsh records derivatives itself, above all backends, so
PyTorch's own autograd has nothing to record.
"""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from torsh import dtypes
from torsh.backend import TO_NUMPY, Backend, Capabilities, Kernel
from torsh.device import device as Device
from torsh.dtypes import dtype as Dtype

if TYPE_CHECKING:
    import torch

# Where kernels are: one module per family, imported when a name is first looked up.
_MODULES = (
    "arithmetic", "pointwise", "comparison", "special", "complex", "reduction", "shape", "slicing", "creation",
    "rearranging", "joining", "indexing", "scatter", "sorting", "cumulative", "statistics", "matmul", "decomposition", "linalg", "fft", "random",
    "activation", "convolution", "pooling", "normalization", "loss", "attention", "embedding", "vision",
    "linear", "padding",
    "optimizer",
)  # fmt: skip

# Element types a device type lacks: Metal has no double precision and no float8.
_LACKING: dict[str, frozenset[Dtype]] = {
    "mps": frozenset({dtypes.float64, dtypes.complex128, dtypes.uint16, dtypes.uint32, dtypes.uint64, *dtypes.FLOAT8})
}


class TorchBackend(Backend):
    """torch.Tensor on any device PyTorch has.

    name, device_types: another name and a choice of device types, for a second instance in the same process.
    without: element types that this instance refuses although the library has them.
    """

    name = "torch"
    device_types = ("cpu", "cuda", "mps")
    capabilities = Capabilities()

    def __init__(
        self, name: str = "torch", device_types: tuple[str, ...] = device_types, without: Iterable[Dtype] = ()
    ) -> None:
        self.name = name
        self.device_types = device_types
        self._table: dict[str, Kernel] | None = None
        self._out_forms: dict[Kernel, Kernel | None] = {}
        if importlib.util.find_spec("torch") is None:
            return
        import torch

        self.raw_type = torch.Tensor
        self.to_torch = {d: getattr(torch, d.name) for d in dtypes.ALL if hasattr(torch, d.name)}
        self.from_torch = {t: d for d, t in self.to_torch.items()}
        self.capabilities = Capabilities(dtypes=frozenset(self.to_torch) - frozenset(without))

    # ---- what it is

    def unavailable(self) -> str | None:
        if importlib.util.find_spec("torch") is None:
            return "PyTorch is not installed; install torsh-array[torch]"
        if "cpu" not in self.device_types and not self.devices():
            return f"PyTorch sees no device of type {' or '.join(self.device_types)} here"
        return None

    def version(self) -> str:
        import torch

        return str(torch.__version__)

    def devices(self) -> list[Device]:
        """The CPU, then every GPU that PyTorch sees."""
        import torch

        found = []
        for kind in self.device_types:
            if kind == "cpu":
                found.append(Device("cpu"))
            elif kind == "cuda" and torch.cuda.is_available():
                found.extend(Device("cuda", i) for i in range(torch.cuda.device_count()))
            elif kind == "mps" and torch.backends.mps.is_available():
                found.append(Device("mps", 0))
        return found

    def dtypes_on(self, device: Device) -> frozenset[Dtype]:
        lacking = _LACKING.get(device.type)
        return self.capabilities.dtypes - lacking if lacking else self.capabilities.dtypes

    # ---- kernels

    def kernel(self, name: str, dtype: Dtype) -> Kernel | None:
        if self._table is None:
            table: dict[str, Kernel] = {}
            for module in _MODULES:
                table.update(importlib.import_module(f"torsh_torch.{module}").KERNELS)
            self._table = table
        if name.endswith("_") and dtype in _UNSIGNED:  # an op that is not in place writes what `adapt` computes
            return None
        return self._table.get(name)

    def adapt(self, op: Any, kernel: Kernel, dtype: Dtype, results: Callable[..., list[Dtype]]) -> Kernel:
        if dtype not in _UNSIGNED:
            return kernel
        from torsh_torch.unsigned import kernel_for

        return kernel_for(op, kernel, dtype, results)

    def into(self, kernel: Kernel) -> Kernel | None:
        try:
            return self._out_forms[kernel]
        except KeyError:
            found = self._out_forms[kernel] = kernel if _has_out(kernel) else None
            return found

    # ---- data

    def from_host(self, array: np.ndarray[Any, Any], dtype: Dtype, device: Device) -> torch.Tensor:
        import torch

        # from_numpy takes neither negative strides nor foreign byte order, and warns of read-only memory.
        if not array.flags.writeable or not array.dtype.isnative or any(s < 0 for s in array.strides):
            array = array.astype(array.dtype.newbyteorder("="), order="C")
        if dtype.name != array.dtype.name or dtype.name in _BITS:  # a type NumPy has no name for: move the bits
            bits = array.view(f"u{array.dtype.itemsize}")  # strides stay: random numbers are drawn in memory order
            raw = torch.from_numpy(bits).view(self.to_torch[dtype])
        elif any(s % array.itemsize for s in array.strides):  # fields of structured arrays
            raw = torch.from_numpy(array.copy(order="C"))
        else:
            raw = torch.from_numpy(array)
        return raw if device.type == "cpu" else raw.to(_name(device))

    def to_host(self, raw: torch.Tensor) -> np.ndarray[Any, Any]:
        import torch

        raw = raw.detach().resolve_conj().resolve_neg()
        if raw.device.type != "cpu":
            raw = raw.cpu()
        dtype = self.from_torch[raw.dtype]
        if dtype.name not in _BITS:
            return raw.numpy()
        bits = {1: torch.uint8, 2: torch.uint16, 4: torch.uint32}[raw.itemsize]
        return raw.view(bits).numpy().view(TO_NUMPY[dtype])

    def dtype_of(self, raw: torch.Tensor) -> Dtype:
        return self.from_torch[raw.dtype]

    def device_of(self, raw: torch.Tensor) -> Device:
        return Device(raw.device.type, raw.device.index)

    def as_raw(self, value: Any) -> torch.Tensor:
        import torch

        return value if isinstance(value, torch.Tensor) else torch.as_tensor(value)

    def cast(self, raw: torch.Tensor, dtype: Dtype, copy: bool = False) -> torch.Tensor:
        target = self.to_torch[dtype]
        if raw.is_complex() and not dtype.is_complex and dtype is not dtypes.bool:
            # Said once by torsh where PyTorch says it, so not a second time here.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return raw.to(target, copy=copy)
        return raw.to(target, copy=copy)

    def write(self, target: torch.Tensor, source: torch.Tensor) -> None:
        views = target._is_view() and source._is_view()
        if views and target.data_ptr() != source.data_ptr() and _same_memory(target, source):
            source = source.clone()  # copy_ between overlapping parts of one memory is undefined in PyTorch
        if 0 in target.stride() and not any(source.stride()) and source.numel():
            # One value for all: allowed although elements of the target share memory.
            target = target[tuple(slice(0, 1) if s == 0 else slice(None) for s in target.stride())]
            source = source[(0,) * source.ndim]
        target.copy_(source)

    def from_dlpack(self, source: Any) -> torch.Tensor:
        import torch

        return torch.from_dlpack(source)

    def fill(self, raw: torch.Tensor, value: Any) -> None:
        raw.fill_(value)

    def contiguous(self, raw: torch.Tensor) -> bool:
        return raw.is_contiguous()

    def storage(self, raw: torch.Tensor) -> torch.Tensor:
        import torch

        # By strides: ``set_`` would import ``torch.storage``, which may be another library's by now (see torsh.compat).
        bytes_ = raw.detach().as_strided((0,), (1,), 0).view(torch.uint8)
        return bytes_.as_strided((raw.untyped_storage().nbytes(),), (1,), 0)

    def geometry(self, raw: torch.Tensor) -> tuple[tuple[int, ...], tuple[int, ...], int]:
        return tuple(raw.shape), raw.stride(), raw.data_ptr()

    def synchronize(self, device: Device) -> None:
        import torch

        if device.type == "cuda":
            torch.cuda.synchronize(_name(device))
        elif device.type == "mps":
            torch.mps.synchronize()


# Types PyTorch stores but has little arithmetic for.
_UNSIGNED = frozenset({dtypes.uint16, dtypes.uint32, dtypes.uint64})

# Types that travel as bits, since NumPy (without ml_dtypes) does not have them.
_BITS = frozenset({"bfloat16", "complex32", *(d.name for d in dtypes.FLOAT8)})


def _name(device: Device) -> str:
    return str(device)


def _same_memory(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()


def _has_out(kernel: Kernel) -> bool:
    """Whether a kernel is one of torch's own functions with an ``out=`` form that keeps the type of its operands."""
    import torch

    name = getattr(kernel, "__name__", "")
    if getattr(torch, name, None) is not kernel and getattr(torch.special, name, None) is not kernel:
        return False
    packet = getattr(torch.ops.aten, name, None)
    return packet is not None and any(o == "out" or o.endswith("_out") for o in packet.overloads())


__all__ = ["TorchBackend"]
