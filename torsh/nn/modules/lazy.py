"""Modules that learn their input's size from the first batch.

Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.modules.lazy.LazyModuleMixin.html
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

from torsh.autograd.grad_mode import no_grad
from torsh.nn.modules import batchnorm, conv, instancenorm
from torsh.nn.modules.linear import Linear
from torsh.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy
from torsh.tensor import Tensor


class LazyModuleMixin:
    """Makes a module lazy: parameters have no shape until ``initialize_parameters(*input)`` ran before the first forward.

    Afterwards the module becomes one of the class ``cls_to_become``.
    """

    cls_to_become: type | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load_hook = self._register_load_state_dict_pre_hook(self._lazy_load_hook)  # type: ignore[attr-defined]
        self._initialize_hook = self.register_forward_pre_hook(self._infer_parameters, with_kwargs=True)  # type: ignore[attr-defined]
        warnings.warn(
            "Lazy modules are a new feature under heavy development so changes to the API or functionality can happen at any "
            "moment.",
            stacklevel=2,
        )

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        for table in (self._parameters, self._buffers):  # type: ignore[attr-defined]
            for name, value in table.items():
                if value is not None and name not in self._non_persistent_buffers_set:  # type: ignore[attr-defined]
                    destination[prefix + name] = value if is_lazy(value) or keep_vars else value.detach()

    def _lazy_load_hook(
        self, state_dict: Any, prefix: str, local_metadata: Any, strict: bool, missing_keys: Any, unexpected_keys: Any,
        error_msgs: Any,
    ) -> None:  # fmt: skip
        for name, param in [*self._parameters.items(), *self._buffers.items()]:  # type: ignore[attr-defined]
            value = state_dict.get(prefix + name)
            if value is not None and param is not None and is_lazy(param) and not is_lazy(value):
                with no_grad():
                    param.materialize(value.shape)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters their shapes, from the first input."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer has no shape yet."""
        return any(is_lazy(p) for p in [*self._parameters.values(), *self._buffers.values()])  # type: ignore[attr-defined]

    def _infer_parameters(self, module: Any, args: Any, kwargs: Any = None) -> None:
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {self._get_name()} has not been fully initialized")  # type: ignore[attr-defined]
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook
        del module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become

    def _replicate_for_data_parallel(self) -> Any:
        raise RuntimeError(
            "Modules with uninitialized parameters can't be used with `DataParallel`. Run a dummy forward pass to correctly "
            "initialize the modules"
        )


class LazyLinear(LazyModuleMixin, Linear):
    """A linear layer that takes ``in_features`` from its first input.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.LazyLinear.html

    >>> import torsh
    >>> from torsh import nn
    >>> import warnings
    >>> warnings.simplefilter("ignore")  # lazy modules warn that they are new
    >>> layer = nn.LazyLinear(3)
    >>> layer(torsh.rand(2, 5)).shape
    torsh.Size([2, 3])
    >>> layer
    Linear(in_features=5, out_features=3, bias=True)
    """

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        # Without bias first: the reset of an ordinary layer would ask for its size.
        super().__init__(0, 0, False)
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        if not self.has_uninitialized_params() and self.in_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:  # type: ignore[override]
        if self.has_uninitialized_params():
            with no_grad():
                self.in_features = input.shape[-1]
                self.weight.materialize((self.out_features, self.in_features))
                if self.bias is not None:
                    self.bias.materialize((self.out_features,))
                self.reset_parameters()


class _LazyConv(LazyModuleMixin):
    """What lazy convolutions share."""

    def __init__(self, out_channels: int, kernel_size: Any, *args: Any, **kwargs: Any) -> None:
        device, dtype = kwargs.pop("device", None), kwargs.pop("dtype", None)
        names = self._names
        given = {**dict(zip(names, args)), **kwargs}
        bias = given.pop("bias", True)
        super().__init__(0, 0, kernel_size, **given, bias=False)
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_channels = out_channels
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    _names: tuple[str, ...]

    def reset_parameters(self) -> None:
        """Draw the parameters anew, once their shapes are known."""
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        if not self.has_uninitialized_params():
            return
        n = len(self.kernel_size)  # type: ignore[has-type]
        if input.dim() not in (n + 1, n + 2):
            raise RuntimeError(
                f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {type(self).__name__}, but got input of size: "
                f"{input.shape}"
            )
        self.in_channels = input.shape[1] if input.dim() == n + 2 else input.shape[0]
        groups, transposed = self.groups, self.transposed  # type: ignore[attr-defined]
        if self.in_channels % groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        first, second = (self.in_channels, self.out_channels) if transposed else (self.out_channels, self.in_channels)
        self.weight.materialize((first, second // groups, *self.kernel_size))  # type: ignore[has-type]
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()


_PLAIN = ("stride", "padding", "dilation", "groups", "bias", "padding_mode")
_TRANSPOSED = ("stride", "padding", "output_padding", "groups", "bias", "dilation", "padding_mode")
_NORM = ("eps", "momentum", "affine", "track_running_stats")


class _LazyNorm(LazyModuleMixin):
    """What lazy batch and instance normalisations share."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool | None = None,
        track_running_stats: bool | None = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        default = not isinstance(self, instancenorm._InstanceNorm)
        affine = default if affine is None else affine
        track = default if track_running_stats is None else track_running_stats
        super().__init__(0, eps, momentum, False, False)
        self.affine = affine
        self.track_running_stats = track
        if affine:
            self.weight = UninitializedParameter(device=device, dtype=dtype)
            if bias:
                self.bias = UninitializedParameter(device=device, dtype=dtype)
        if track:
            from torsh import dtypes
            from torsh.ops.creation import tensor

            self.running_mean = UninitializedBuffer(device=device, dtype=dtype)
            self.running_var = UninitializedBuffer(device=device, dtype=dtype)
            self.num_batches_tracked = tensor(0, dtype=dtypes.int64, device=device)

    def reset_parameters(self) -> None:
        """Draw the parameters anew, once their shapes are known."""
        if not self.has_uninitialized_params() and self.num_features != 0:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Tensor) -> None:  # type: ignore[override]
        if not self.has_uninitialized_params():
            return
        batched = not isinstance(self, instancenorm._InstanceNorm) or input.dim() == self._dims + 1
        self.num_features = input.shape[1 if batched else 0]
        for name in ("weight", "bias", "running_mean", "running_var"):
            value = getattr(self, name)
            if value is not None and is_lazy(value):
                value.materialize((self.num_features,))
        self.reset_parameters()


_DOC = """A :class:`{base}` that takes the number of channels from its first input.

Source: https://docs.pytorch.org/docs/stable/generated/torch.nn.{name}.html

>>> import warnings
>>> warnings.simplefilter("ignore")  # lazy modules warn that they are new
>>> import torsh
>>> from torsh import nn
>>> layer = nn.{name}({arguments})
>>> layer(torsh.rand({given})).shape
torsh.Size([{result}])
"""


def _example(base: type) -> dict[str, str]:
    """What the docs of a lazy form call it with."""
    dims = int(base.__name__[-2])
    if not base.__name__.startswith("Conv"):
        shape = ", ".join(["2", "3", *["4"] * dims])
        return {"arguments": "", "given": shape, "result": shape}
    size = "7" if "Transpose" in base.__name__ else "3"
    return {
        "arguments": "8, kernel_size=3",
        "given": ", ".join(["2", "3", *["5"] * dims]),
        "result": ", ".join(["2", "8", *[size] * dims]),
    }


def _make(base: type, mixin: type, names: tuple[str, ...]) -> type:
    name = f"Lazy{base.__name__}"
    doc = _DOC.format(base=base.__name__, name=name, **_example(base))
    space = {
        "cls_to_become": base,
        "_names": names,
        "__doc__": doc,
        "__module__": base.__module__,
        "__qualname__": name,
    }
    return type(name, (mixin, base), space)


LazyConv1d = _make(conv.Conv1d, _LazyConv, _PLAIN)
LazyConv2d = _make(conv.Conv2d, _LazyConv, _PLAIN)
LazyConv3d = _make(conv.Conv3d, _LazyConv, _PLAIN)
LazyConvTranspose1d = _make(conv.ConvTranspose1d, _LazyConv, _TRANSPOSED)
LazyConvTranspose2d = _make(conv.ConvTranspose2d, _LazyConv, _TRANSPOSED)
LazyConvTranspose3d = _make(conv.ConvTranspose3d, _LazyConv, _TRANSPOSED)
LazyBatchNorm1d = _make(batchnorm.BatchNorm1d, _LazyNorm, _NORM)
LazyBatchNorm2d = _make(batchnorm.BatchNorm2d, _LazyNorm, _NORM)
LazyBatchNorm3d = _make(batchnorm.BatchNorm3d, _LazyNorm, _NORM)
LazyInstanceNorm1d = _make(instancenorm.InstanceNorm1d, _LazyNorm, _NORM)
LazyInstanceNorm2d = _make(instancenorm.InstanceNorm2d, _LazyNorm, _NORM)
LazyInstanceNorm3d = _make(instancenorm.InstanceNorm3d, _LazyNorm, _NORM)

# Where PyTorch has them: beside the modules they become (pickles name these paths).
for _cls in list(globals().values()):
    if isinstance(_cls, type) and _cls.__name__.startswith("Lazy") and issubclass(_cls, LazyModuleMixin):
        if _cls.__module__ != __name__:
            setattr(sys.modules[_cls.__module__], _cls.__name__, _cls)

__all__ = [
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d", "LazyConv3d", "LazyConvTranspose1d",
    "LazyConvTranspose2d", "LazyConvTranspose3d", "LazyInstanceNorm1d", "LazyInstanceNorm2d", "LazyInstanceNorm3d",
    "LazyLinear",
]  # fmt: skip
