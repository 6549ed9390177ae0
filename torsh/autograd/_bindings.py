"""``torch._C._autograd``: what programs ask of PyTorch's compiled autograd module, where torsh has it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torsh.ops._saved import RawSaved as SavedTensor  # noqa: F401
from torsh.ops._saved import saved_tensor_hooks
from torsh.tensor import Tensor, version_of


def _saved_tensors_hooks_is_enabled() -> bool:
    """Whether ``saved_tensors_hooks`` may be used now."""
    return saved_tensor_hooks.refusal is None


def _push_saved_tensors_default_hooks(pack: Any, unpack: Any) -> None:
    saved_tensor_hooks.push(pack, unpack)


def _pop_saved_tensors_default_hooks() -> None:
    saved_tensor_hooks.pop()


def _unsafe_set_version_counter(tensors: Tensor | Iterable[Tensor], versions: int | Iterable[int]) -> None:
    """Say how often a tensor (or each of several) was written; a version below zero is refused."""
    single = isinstance(tensors, Tensor)
    for t, version in [(tensors, versions)] if single else zip(tensors, versions):  # type: ignore[list-item,arg-type]
        if version < 0:  # type: ignore[operator]
            raise RuntimeError(f"Cannot set a version_counter to a value below 0: {version}")
        version_of(t).version = version  # type: ignore[arg-type,assignment]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    from torsh.compat import placeholders

    return placeholders.missing(f"torch._C._autograd.{name}")
