"""How tensors are pickled and copied: methods of Tensor, attached by ``torsh.tensor_methods``."""

from __future__ import annotations

import copy
import copyreg
from collections import OrderedDict
from typing import Any

from torsh.autograd.grad_mode import no_grad
from torsh.tensor import PLAIN, Parameter, Tensor


def _own_slots(t: Tensor) -> dict[str, Any]:
    """What is in the slots of a tensor's class."""
    if type(t) in PLAIN:
        return {}
    return {n: getattr(t, n) for n in copyreg._slotnames(type(t)) if hasattr(t, n)}  # type: ignore[attr-defined]


def _rebuilt(t: Tensor) -> tuple[Any, tuple[Any, ...]]:
    """The function and arguments that make a tensor again."""
    from torsh import _utils

    if type(t._data).__name__ == "Hollow":
        geometry = (tuple(t.shape), t.stride(), t.storage_offset())
        return _utils._rebuild_wrapper_subclass, (type(t), t.dtype, *geometry, t.layout, t.device, t._rg)
    if t.device.type == "meta":
        return _utils._rebuild_meta_tensor_no_storage, (t.dtype, tuple(t.shape), t.stride(), t._rg)
    if not t._kind.backend.capabilities.mutable:
        # A library without writable memory has no storage to save: the values go through the host's, with PyTorch's layout.
        from torsh import registry
        from torsh.device import device
        from torsh.dispatch import place_of
        from torsh.ops.conversion import to_place

        required, t = t._rg, to_place(t.detach(), place_of(device("cpu"), registry.get("numpy"))).contiguous()
        return _utils._rebuild_tensor_v2, (
            t._typed_storage(),
            0,
            tuple(t.shape),
            tuple(t.stride()),
            required,
            OrderedDict(),
        )
    args = (t._typed_storage(), t.storage_offset(), tuple(t.shape), tuple(t.stride()), t._rg, OrderedDict())
    if t._bits:
        pending = {"neg": t.is_neg(), "conj": t.is_conj()}
        return _utils._rebuild_tensor_v2, (*args, {name: True for name, on in pending.items() if on})
    return _utils._rebuild_tensor_v2, args


def strided_empty(t: Tensor) -> Tensor:
    """An empty tensor with a tensor's shape and strides."""
    from torsh.ops.storage import empty_strided

    return empty_strided(tuple(t.shape), t.stride(), dtype=t.dtype, device=t.device)


_NO_COPY = (
    "The default implementation of __deepcopy__() for {kind} subclasses only works for subclass types that implement {0} and for which {1} "
    "returns another instance of the same subclass. You should either properly implement {0} for your subclass or override "
    "__deepcopy__() if it is intended behavior for {0} to return an instance of a different type."
)


class Copies:
    """Pickling, copying and listing attributes, for Tensor."""

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__}
        return sorted(names if self.is_cuda else names - {"__cuda_array_interface__"})

    def __reduce_ex__(self, protocol: Any) -> Any:
        from torsh import _utils

        state = self.__getstate__()
        plain = type(self) is Tensor or type(self) is Parameter or self._bits
        if type(self) is Parameter:
            args = (self.detach(), self._rg, OrderedDict())
            if state:
                return (_utils._rebuild_parameter_with_state, (*args, state))
            return (_utils._rebuild_parameter, args)
        func, args = _rebuilt(self)
        if plain and not state:
            return (func, args)
        return (_utils._rebuild_from_type_v2, (func, type(self), args, state))

    def __getstate__(self) -> Any:
        own, slots = self.__dict__.copy(), _own_slots(self)
        return (own, slots) if slots else own

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.__dict__.update(state)
            return
        if not self.is_leaf:
            raise RuntimeError("__setstate__ can be only called on leaf Tensors")
        self.set_(*state[:4])
        self.requires_grad = state[4]

    def __deepcopy__(self, memo: dict[Any, Any]) -> Any:
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  If you "
                "were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, see "
                "https://github.com/pytorch/pytorch/pull/103001"
            )
        if id(self) in memo:
            return memo[id(self)]
        kind = type(self)
        wrapper = type(self._data).__name__ == "Hollow"  # without memory: its class says what a copy is
        own = kind not in PLAIN and not self._bits
        if wrapper or self.device.type == "meta" or not self._kind.backend.capabilities.mutable or self._bits:
            with no_grad():
                copied = self.clone()
            if own and type(copied) is not kind:
                raise RuntimeError(
                    _NO_COPY.format("clone()", "cloning", kind="wrapper") + f" clone() gave a {type(copied).__name__}."
                )
        elif self.numel() == 0:
            copied = strided_empty(self)
        else:
            from torsh.storage import storage_tensor

            storage = copy.deepcopy(self.untyped_storage(), memo)
            copied = storage_tensor(storage, self.dtype, self.storage_offset(), tuple(self.shape), self.stride())
        out = copied
        if own and type(copied) is not kind:
            out = self.new_empty([])
            if type(out) is not kind:
                raise RuntimeError(
                    _NO_COPY.format("new_empty()", "that function", kind="non-wrapper")
                    + f" new_empty() gave a {type(out).__name__}."
                )
            out._data, out._kind = copied._data, copied._kind
        memo[id(self)] = out
        out._rg = self._rg
        if self._grad is not None:
            out._grad = self._grad.__deepcopy__(memo)
        for name, value in self.__dict__.items():
            out.__dict__[name] = copy.deepcopy(value, memo)
        for name, value in _own_slots(self).items():
            setattr(out, name, copy.deepcopy(value, memo))
        return out
