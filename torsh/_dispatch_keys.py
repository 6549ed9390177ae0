"""The names by which PyTorch's dispatcher and operator tags go.  torsh dispatches by kind, so they are names only."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any

_TAGS = (
    "core cudagraph_unsafe data_dependent_output dynamic_output_shape flexible_layout generated inplace inplace_view "
    "maybe_aliasing_or_mutating needs_contiguous_strides needs_exact_strides needs_fixed_stride_order nondeterministic_bitwise "
    "nondeterministic_seeded out out_variant pointwise pt2_compliant_tag reduction view_copy"
).split()
Tag = enum.IntEnum("Tag", {n: i for i, n in enumerate(_TAGS)}, module="torsh")  # type: ignore[misc]
Tag.__doc__ = "What is known about an operator.\n\nSource: https://docs.pytorch.org/docs/stable/library.html"

_DEVICES = "CPU CUDA HIP XLA MPS IPU XPU HPU VE Lazy MTIA MAIA PrivateUse1 PrivateUse2 PrivateUse3 Meta".split()
_FIRST = (
    "Undefined CompositeExplicitAutogradNonFunctional CompositeExplicitAutograd CompositeImplicitAutogradNestedTensor "
    "CompositeImplicitAutograd AutogradNestedTensor AutogradOther Autograd Conjugate ZeroTensor Negative BackendSelect "
    "ADInplaceOrView PythonTLSSnapshot Python FuncTorchDynamicLayerFrontMode FuncTorchDynamicLayerBackMode "
    "FuncTorchBatchedDecomposition FuncTorchBatched FuncTorchVmapMode FuncTorchGradWrapper PythonDispatcher PreDispatch "
    "Functionalize AutocastCPU AutocastMPS AutocastXPU AutocastHPU AutocastIPU AutocastCUDA AutocastPrivateUse1"
).split()


def _names() -> list[str]:
    names = list(_FIRST)
    for sort in ("Dense", "Quantized", "Sparse", "SparseCsr", "NestedTensor", "AutogradFunctionality"):
        prefix = {"Dense": "", "AutogradFunctionality": "Autograd"}.get(sort, sort)
        names += [sort, f"StartOf{sort}Backends", *(prefix + d for d in _DEVICES), f"EndOf{sort}Backends"]
    return names


class _KeyBase(enum.Enum):
    def __repr__(self) -> str:
        return f"<DispatchKey.{self.name}: {self.value}>"


DispatchKey = _KeyBase("DispatchKey", {n: i for i, n in enumerate(_names())}, module="torsh")  # type: ignore[call-overload]
DispatchKey.__doc__ = "A step of PyTorch's dispatcher.\n\nSource: https://docs.pytorch.org/docs/stable/library.html"


class DispatchKeySet:
    """A set of dispatch keys.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import torsh
    >>> keys = torsh.DispatchKeySet(torsh.DispatchKey.CPU).add(torsh.DispatchKey.Python)
    >>> keys.has(torsh.DispatchKey.Python)
    True
    """

    __module__ = "torsh"

    def __init__(self, keys: Any = ()) -> None:
        self._keys = frozenset([keys] if isinstance(keys, DispatchKey) else keys)

    def add(self, key: Any) -> DispatchKeySet:
        """The set with one more key."""
        return DispatchKeySet(self._keys | {key})

    def remove(self, key: Any) -> DispatchKeySet:
        """The set without a key."""
        return DispatchKeySet(self._keys - {key})

    def has(self, key: Any) -> bool:
        """Whether a key is in it."""
        return key in self._keys

    def highestPriorityTypeId(self) -> Any:
        """The key that the dispatcher would go to first."""
        return max(self._keys, key=lambda k: k.value, default=DispatchKey["Undefined"])

    def __or__(self, other: DispatchKeySet) -> DispatchKeySet:
        return DispatchKeySet(self._keys | other._keys)

    def __and__(self, other: DispatchKeySet) -> DispatchKeySet:
        return DispatchKeySet(self._keys & other._keys)

    def __sub__(self, other: DispatchKeySet) -> DispatchKeySet:
        return DispatchKeySet(self._keys - other._keys)

    def __iter__(self) -> Iterable[Any]:  # type: ignore[override]
        return iter(sorted(self._keys, key=lambda k: k.value))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DispatchKeySet) and self._keys == other._keys

    def __hash__(self) -> int:
        return hash(self._keys)

    def __repr__(self) -> str:
        return f"DispatchKeySet({', '.join(k.name for k in self)})"  # type: ignore[attr-defined]
