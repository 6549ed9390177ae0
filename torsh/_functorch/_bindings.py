"""``torch._C._functorch``: what libraries ask there about examples that ``vmap`` made.

Examples are made and undone by the functions of ``torsh.func``, which is loaded at the first call.
"""

from __future__ import annotations

from typing import Any

from torsh.tensor import Tensor


def is_batchedtensor(t: Any) -> bool:
    """Whether a tensor is an example that a ``vmap`` made."""
    from torsh.func._batched import is_batched

    return is_batched(t)


is_functorch_wrapped_tensor = is_batchedtensor


def is_legacy_batchedtensor(t: Any) -> bool:
    """False: there is one kind of examples."""
    return False


def is_gradtrackingtensor(t: Any) -> bool:
    """False: ``grad`` tracks ordinary tensors."""
    return False


def get_unwrapped(t: Tensor) -> Tensor:
    """The batch behind an example; RuntimeError for other tensors."""
    if not is_batchedtensor(t):
        raise RuntimeError("No wrappers present! get_unwrapped takes a tensor that a transform such as vmap has made")
    return t._physical  # type: ignore[attr-defined,no-any-return]


def maybe_get_level(t: Any) -> int:
    """The level of the ``vmap`` that made an example; -1 for other tensors."""
    return t._level if is_batchedtensor(t) else -1


def maybe_get_bdim(t: Any) -> int:
    """Where the batch is in the tensor behind an example (first); -1 for other tensors."""
    return 0 if is_batchedtensor(t) else -1


def _add_batch_dim(t: Tensor, in_dim: int, level: int) -> Tensor:
    """An example of the batch along a dimension."""
    from torsh.func._vmap import _add_batch_dim as add

    return add(t, in_dim % max(t.ndim, 1), level)


def _remove_batch_dim(t: Tensor, level: int, batch_size: int, out_dim: int) -> Tensor:
    """The batch behind an example, its dimension at ``out_dim``."""
    from torsh.func._vmap import _remove_batch_dim as remove

    return remove(t, level, batch_size, out_dim)


def reshape_dim_into(src: int, dst: int, x: Tensor) -> Tensor:
    """Join dimension ``src`` to dimension ``dst`` (counted without ``src``), as its outer part."""
    src %= x.ndim
    dst %= x.ndim - 1
    x = x.movedim(src, dst)
    return x.flatten(dst, dst + 1)


def reshape_dim_outof(src: int, size: int, x: Tensor) -> Tensor:
    """Split dimension ``src`` in two, the first of ``size``."""
    src %= x.ndim
    if size == 0 or x.shape[src] % size:
        raise RuntimeError(f"reshape_dim_outof: cannot split dimension {src} of size {x.shape[src]} into {size} parts")
    return x.unflatten(src, (size, x.shape[src] // size))


def _set_vmap_fallback_enabled(enabled: bool) -> None:
    """Whether ops without a batching rule run example by example (the default) or are refused."""
    from torsh.func import _rules

    _rules.fallback.enabled = enabled


def _is_vmap_fallback_enabled() -> bool:
    """What ``_set_vmap_fallback_enabled`` was told last."""
    from torsh.func import _rules

    return _rules.fallback.enabled


def _set_vmap_fallback_warning_enabled(enabled: bool) -> None:
    """Whether it is reported that an op runs example by example."""
    from torsh.func import _rules

    _rules.fallback.warns = enabled


def _is_vmap_fallback_warning_enabled() -> bool:
    """What ``_set_vmap_fallback_warning_enabled`` was told last."""
    from torsh.func import _rules

    return _rules.fallback.warns


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module 'torch._C._functorch' has no attribute {name!r}")
    from torsh.compat import placeholders

    return placeholders.missing(f"torch._C._functorch.{name}")
