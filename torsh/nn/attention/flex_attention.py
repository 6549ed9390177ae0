"""Attention whose scores and mask are given as functions of positions.

Scores are computed as one tensor and the functions applied to it whole, so memory grows with queries times keys.
Source: https://docs.pytorch.org/docs/stable/nn.attention.flex_attention.html
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from torsh.tensor import Tensor

__all__ = [
    "AuxOutput",
    "AuxRequest",
    "BlockMask",
    "and_masks",
    "create_block_mask",
    "create_mask",
    "flex_attention",
    "noop_mask",
    "or_masks",
]

_DEFAULT_SPARSE_BLOCK_SIZE = 128


class AuxRequest(NamedTuple):
    """What ``flex_attention`` is to give besides its output."""

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """What ``flex_attention`` gives besides its output: the log of the sum of exponentials, the largest score."""

    lse: Tensor | None = None
    max_scores: Tensor | None = None


def noop_mask(batch: Any, head: Any, token_q: Any, token_kv: Any) -> Any:
    """A mask that lets everything through."""
    from torsh import dtypes

    return batch.new_ones((), dtype=dtypes.bool)


def and_masks(*mask_mods: Callable[..., Any]) -> Callable[..., Any]:
    """A mask that lets through what all of them do."""
    if not all(callable(m) for m in mask_mods):
        raise RuntimeError(f"All inputs should be callable mask_mods: {mask_mods}")

    def mask(b: Any, h: Any, q: Any, kv: Any) -> Any:
        found = mask_mods[0](b, h, q, kv)
        for m in mask_mods[1:]:
            found = found & m(b, h, q, kv)
        return found

    return mask


def or_masks(*mask_mods: Callable[..., Any]) -> Callable[..., Any]:
    """A mask that lets through what any of them does."""
    if not all(callable(m) for m in mask_mods):
        raise RuntimeError(f"All inputs should be callable mask_mods: {mask_mods}")

    def mask(b: Any, h: Any, q: Any, kv: Any) -> Any:
        found = mask_mods[0](b, h, q, kv)
        for m in mask_mods[1:]:
            found = found | m(b, h, q, kv)
        return found

    return mask


def _everywhere(fn: Callable[..., Any], in_score: bool) -> Callable[..., Any]:
    """A function of one position, of all batches, heads, queries and keys."""
    from torsh.func import vmap

    for dims in ((None, None, None, 0), (None, None, 0, None), (None, 0, None, None), (0, None, None, None)):
        fn = vmap(fn, in_dims=(0, *dims) if in_score else dims)
    return fn


def _positions(B: int, H: int, M: int, N: int, device: Any) -> tuple[Any, ...]:
    import torsh

    return tuple(torsh.arange(n, device=device) for n in (B, H, M, N))


def create_mask(
    mod_fn: Callable[..., Any], B: int | None, H: int | None, Q_LEN: int, KV_LEN: int, device: Any = None
) -> Tensor:
    """A mask function's values (B, H, Q_LEN, KV_LEN); None for B or H means 1.

    >>> from torsh.nn.attention.flex_attention import create_mask
    >>> create_mask(lambda b, h, q, kv: q >= kv, None, None, 2, 2)
    tensor([[[[ True, False],
              [ True,  True]]]])
    """
    import torsh

    found = _everywhere(mod_fn, False)(*_positions(B or 1, H or 1, Q_LEN, KV_LEN, device))
    return found.to(torsh.bool)  # type: ignore[no-any-return]


class BlockMask:
    """A mask in blocks of queries and keys: which blocks let something through (``kv_indices``), and which all (``full_...``)."""

    def __init__(
        self, seq_lengths: tuple[int, int], kv_num_blocks: Tensor, kv_indices: Tensor, full_kv_num_blocks: Tensor | None,
        full_kv_indices: Tensor | None, BLOCK_SIZE: tuple[int, int], mask_mod: Callable[..., Any],
    ) -> None:  # fmt: skip
        self.seq_lengths = seq_lengths
        self.kv_num_blocks, self.kv_indices = kv_num_blocks, kv_indices
        self.full_kv_num_blocks, self.full_kv_indices = full_kv_num_blocks, full_kv_indices
        self.BLOCK_SIZE = BLOCK_SIZE
        self.mask_mod = mask_mod

    @classmethod
    def from_kv_blocks(
        cls, kv_num_blocks: Tensor, kv_indices: Tensor, full_kv_num_blocks: Tensor | None = None, full_kv_indices: Tensor | None = None,
        BLOCK_SIZE: Any = _DEFAULT_SPARSE_BLOCK_SIZE, mask_mod: Any = None, seq_lengths: Any = None, **options: Any,
    ) -> BlockMask:  # fmt: skip
        """Of the numbers and indices of the blocks of keys for each block of queries."""
        size = (BLOCK_SIZE, BLOCK_SIZE) if isinstance(BLOCK_SIZE, int) else tuple(BLOCK_SIZE)
        if seq_lengths is None:
            seq_lengths = (kv_indices.shape[-2] * size[0], kv_indices.shape[-1] * size[1])
        return cls(
            seq_lengths, kv_num_blocks, kv_indices, full_kv_num_blocks, full_kv_indices, size, mask_mod or noop_mask
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """(B, H, queries, keys)."""
        return (*self.kv_indices.shape[:-2], *self.seq_lengths)

    def numel(self) -> int:
        """The number of elements of the mask, written out."""
        return math.prod(self.shape)

    def to_dense(self) -> Tensor:
        """1 for every block that lets something through, 0 for the others (B, H, query blocks, key blocks), int32."""
        found = _dense(self.kv_num_blocks, self.kv_indices)
        if self.full_kv_num_blocks is not None:
            found = found | _dense(self.full_kv_num_blocks, self.full_kv_indices)
        return found

    def sparsity(self) -> float:
        """How many percent of the mask are in blocks that let nothing through."""
        blocks = self.kv_num_blocks.sum()
        if self.full_kv_num_blocks is not None:
            blocks = blocks + self.full_kv_num_blocks.sum()
        computed = blocks.item() * self.BLOCK_SIZE[0] * self.BLOCK_SIZE[1]
        return 100 * (1 - computed / self.numel())

    def __getitem__(self, index: Any) -> BlockMask:
        parts = [
            t if t is None else t[index]
            for t in (self.kv_num_blocks, self.kv_indices, self.full_kv_num_blocks, self.full_kv_indices)
        ]
        return BlockMask(self.seq_lengths, *parts, self.BLOCK_SIZE, self.mask_mod)

    def to(self, device: Any) -> BlockMask:
        """The same on another device."""
        parts = [
            t if t is None else t.to(device)
            for t in (self.kv_num_blocks, self.kv_indices, self.full_kv_num_blocks, self.full_kv_indices)
        ]
        return BlockMask(self.seq_lengths, *parts, self.BLOCK_SIZE, self.mask_mod)

    def __repr__(self) -> str:
        return f"BlockMask(shape={self.shape}, sparsity={self.sparsity():.2f}%, block_size={self.BLOCK_SIZE})"


def _dense(count: Any, indices: Any) -> Any:
    import torsh

    width = indices.shape[-1]
    valid = torsh.arange(width, device=indices.device) < count.unsqueeze(-1)
    found = torsh.zeros((*indices.shape[:-1], width + 1), dtype=torsh.int32, device=indices.device)
    place = torsh.where(valid, indices.long(), width)
    return found.scatter(-1, place, 1)[..., :width]


def _ordered(blocks: Any) -> tuple[Any, Any]:
    """(how many, which first) of a matrix of 0 and 1."""
    import torsh

    blocks = blocks.to(torsh.int32)
    count = blocks.sum(-1).to(torsh.int32)
    return count, torsh.argsort(blocks, dim=-1, descending=True, stable=True).to(torsh.int32)


def create_block_mask(
    mask_mod: Callable[..., Any], B: int | None, H: int | None, Q_LEN: int, KV_LEN: int, device: Any = None,
    BLOCK_SIZE: Any = _DEFAULT_SPARSE_BLOCK_SIZE, _compile: bool = False, separate_full_blocks: bool = True, **options: Any,
) -> BlockMask:  # fmt: skip
    """A mask function as a ``BlockMask``.  B, H: 1 where the function does not depend on them (None).

    >>> from torsh.nn.attention.flex_attention import create_block_mask
    >>> create_block_mask(lambda b, h, q, kv: q >= kv, None, None, 256, 256).to_dense()
    tensor([[[[1, 0],
              [1, 1]]]], dtype=torsh.int32)
    """
    import torsh

    size = (BLOCK_SIZE, BLOCK_SIZE) if isinstance(BLOCK_SIZE, int) else tuple(BLOCK_SIZE)
    mask = create_mask(mask_mod, B, H, Q_LEN, KV_LEN, device)
    mask = torsh.nn.functional.pad(mask.int(), (0, -KV_LEN % size[1], 0, -Q_LEN % size[0]))
    b, h, m, n = mask.shape
    sums = mask.reshape(b, h, m // size[0], size[0], n // size[1], size[1]).sum((3, 5))
    full = sums == size[0] * size[1]
    if not separate_full_blocks:
        return BlockMask((Q_LEN, KV_LEN), *_ordered(sums > 0), None, None, size, mask_mod)
    return BlockMask((Q_LEN, KV_LEN), *_ordered((sums > 0) & ~full), *_ordered(full), size, mask_mod)


def flex_attention(
    query: Tensor, key: Tensor, value: Tensor, score_mod: Callable[..., Any] | None = None, block_mask: BlockMask | None = None,
    scale: float | None = None, enable_gqa: bool = False, return_lse: bool = False, kernel_options: Any = None, *,
    return_aux: AuxRequest | None = None,
) -> Any:  # fmt: skip
    """Attention with ``score_mod(score, batch, head, query position, key position)`` applied to every score and a mask.

    query (B, Hq, L, E), key (B, Hkv, S, E), value (B, Hkv, S, Ev); ``enable_gqa``: Hq is a multiple of Hkv.  A query that sees
    no key gives zeros.  return_lse: also the log of the sum of exponentials of its scores (B, Hq, L).
    Source: https://docs.pytorch.org/docs/stable/nn.attention.flex_attention.html

    >>> import torsh
    >>> from torsh.nn.attention.flex_attention import flex_attention
    >>> x = torsh.ones(1, 1, 2, 4)
    >>> flex_attention(x, x, x, lambda score, b, h, q, kv: score + (q - kv)).shape
    torsh.Size([1, 1, 2, 4])
    """
    import torsh

    for name, t in (("query", query), ("key", key), ("value", value)):
        if t.ndim != 4:
            raise NotImplementedError(f"NYI: query, key, and value must be 4D tensors; {name} has {t.ndim} dimensions")
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(
            f"Expect query and key/value to have the same embedding dimension but got E={query.shape[-1]} and E={key.shape[-1]}."
        )
    B, H, L, E = query.shape
    S = key.shape[2]
    if key.shape[1] != H:
        if not enable_gqa:
            raise ValueError(f"Expect query and key/value to have the same number of heads but got Hq={H} and Hkv={key.shape[1]}. "
                             "Try setting enable_gqa=True for GQA.")  # fmt: skip
        if H % key.shape[1]:
            raise ValueError(
                f"Expect number of query heads to be a multiple of kv heads for GQA but got Hq={H} and Hkv={key.shape[1]}."
            )
        key, value = (t.repeat_interleave(H // key.shape[1], 1) for t in (key, value))
    scale = 1.0 / math.sqrt(E) if scale is None else scale
    wide = query.dtype if query.dtype is torsh.float64 else torsh.float32
    scores = (query @ key.mT).to(wide) * scale
    where = _positions(B, H, L, S, query.device)
    if score_mod is not None:
        scores = _everywhere(score_mod, True)(scores, *where)
    if block_mask is not None:
        shape = block_mask.shape
        if shape[0] not in (1, B) or shape[1] not in (1, H):
            raise ValueError(f"block_mask of shape {shape} does not fit {B} batches and {H} heads")
        if block_mask.seq_lengths[0] < L or block_mask.seq_lengths[1] < S:
            raise ValueError(f"block_mask was created for block_mask.shape={shape} but got q_len={L} and kv_len={S}")
        keep = create_mask(block_mask.mask_mod, B if shape[0] > 1 else 1, H if shape[1] > 1 else 1, L, S, query.device)
        # Blocks that the mask does not list are not looked at, whatever its function says.
        rows, columns = block_mask.BLOCK_SIZE
        listed = block_mask.to_dense().bool().repeat_interleave(rows, -2).repeat_interleave(columns, -1)[..., :L, :S]
        scores = scores.masked_fill(~(keep & listed), -math.inf)
    lse = scores.logsumexp(-1)
    dead = lse == -math.inf
    weights = (scores - lse.masked_fill(dead, 0.0).unsqueeze(-1)).exp()
    out = (weights.to(query.dtype) @ value).to(query.dtype)
    if return_aux is not None:
        top = scores.amax(-1)
        return out, AuxOutput(lse if return_aux.lse else None, top if return_aux.max_scores else None)
    return (out, lse) if return_lse else out
