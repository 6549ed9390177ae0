"""Causal masks that are not written out until attention needs them.

Source: https://docs.pytorch.org/docs/stable/nn.attention.bias.html
"""

from __future__ import annotations

import enum
from typing import Any

from torsh.tensor import Tensor

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(enum.IntEnum):
    """In which corner the diagonal begins, where queries and keys differ in number."""

    UPPER_LEFT = 1
    LOWER_RIGHT = 2


class CausalBias(Tensor):
    """A causal mask for ``seq_len_q`` queries and ``seq_len_kv`` keys, to be given as ``attn_mask``."""

    variant: CausalVariant
    seq_len_q: int
    seq_len_kv: int

    def __new__(cls, variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> Any:
        import torsh

        if not isinstance(variant, CausalVariant):
            raise AssertionError(f"variant must be a CausalVariant, got {type(variant).__name__}")
        t = torsh.empty(0).as_subclass(cls)
        t.variant, t.seq_len_q, t.seq_len_kv = variant, seq_len_q, seq_len_kv
        return t

    def _materialize(self, device: Any = None) -> Tensor:
        """The boolean mask, written out."""
        import torsh

        offset = 0 if self.variant is CausalVariant.UPPER_LEFT else self.seq_len_kv - self.seq_len_q
        return torsh.ones(self.seq_len_q, self.seq_len_kv, dtype=torsh.bool, device=device).tril(offset)  # type: ignore[no-any-return]

    def __repr__(self, **options: Any) -> str:  # type: ignore[override]
        return str(self._materialize())

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        from torsh.nn import functional as F

        kwargs = dict(kwargs or {})
        if func is not F.scaled_dot_product_attention:
            raise NotImplementedError("CausalBias only supports scaled_dot_product_attention")
        names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")
        given = {**dict(zip(names, args)), **kwargs}
        bias = given.pop("attn_mask")
        if given.get("is_causal"):
            raise ValueError("CausalBias should not be used with causal=True")
        return func(**given, attn_mask=bias._materialize(given["query"].device))


def _sizes(size: tuple[int, ...]) -> tuple[int, int]:
    if len(size) != 2:
        raise AssertionError("a causal bias takes the number of queries and the number of keys")
    return size[0], size[1]


def causal_upper_left(*size: int) -> CausalBias:
    """Query i sees keys 0 to i.

    >>> from torsh.nn.attention.bias import causal_upper_left
    >>> causal_upper_left(2, 3)
    tensor([[ True, False, False],
            [ True,  True, False]])
    """
    return CausalBias(CausalVariant.UPPER_LEFT, *_sizes(size))  # type: ignore[no-any-return]


def causal_lower_right(*size: int) -> CausalBias:
    """The last query sees all keys, the one before it all but one.

    >>> from torsh.nn.attention.bias import causal_lower_right
    >>> causal_lower_right(2, 3)
    tensor([[ True,  True, False],
            [ True,  True,  True]])
    """
    return CausalBias(CausalVariant.LOWER_RIGHT, *_sizes(size))  # type: ignore[no-any-return]
