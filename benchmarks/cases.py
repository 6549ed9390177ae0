"""The ops of the families table: in PyTorch's terms, and as the library call underneath where one is obvious."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Op = Callable[[Any, Any], Any]
Bare = Callable[[Any], Any]


def _softmax(d: Any) -> Any:
    from scipy.special import softmax

    return softmax(d.x, axis=-1)


def _logsumexp(d: Any) -> Any:
    from scipy.special import logsumexp

    return logsumexp(d.x, axis=-1)


def _added_at(d: Any, index: Any) -> Any:
    out = d.x.copy()
    np.add.at(out, index, d.y)
    return out


def _filled(d: Any) -> Any:
    out = d.x.copy()
    np.putmask(out, d.mask, 0.0)
    return out


def _top(d: Any) -> Any:
    at = np.argpartition(d.flat, -d.k)[-d.k :]
    values = d.flat[at]
    order = np.argsort(-values)
    return values[order], at[order]


# (family, name, the op in PyTorch's terms, the bare call): ``d`` holds the inputs as the library at hand has them.
CASES: list[tuple[str, str, Op, Bare | None]] = [
    ("pointwise", "add", lambda lib, d: d.x + d.y, lambda d: d.x + d.y),
    ("pointwise", "mul", lambda lib, d: d.x * d.y, lambda d: d.x * d.y),
    ("pointwise", "exp", lambda lib, d: lib.exp(d.x), lambda d: np.exp(d.x)),
    ("pointwise", "tanh", lambda lib, d: lib.tanh(d.x), lambda d: np.tanh(d.x)),
    ("pointwise", "gelu", lambda lib, d: lib.nn.functional.gelu(d.x), None),
    ("pointwise", "where", lambda lib, d: lib.where(d.mask, d.x, d.y), lambda d: np.where(d.mask, d.x, d.y)),
    ("pointwise", "clamp", lambda lib, d: lib.clamp(d.x, -1.0, 1.0), lambda d: np.clip(d.x, -1.0, 1.0)),
    ("pointwise", "add_", lambda lib, d: d.scratch.add_(d.y), lambda d: np.add(d.scratch, d.y, out=d.scratch)),
    ("pointwise", "clamp_", lambda lib, d: d.scratch.clamp_(-1.0, 1.0), lambda d: np.clip(d.scratch, -1.0, 1.0, out=d.scratch)),
    ("pointwise", "add number", lambda lib, d: d.x + 1.5, lambda d: d.x + np.float32(1.5)),
    ("pointwise", "div", lambda lib, d: d.x / d.y, lambda d: d.x / d.y),
    ("pointwise", "pow 2", lambda lib, d: d.x ** 2, lambda d: d.x ** 2),
    ("pointwise", "sqrt", lambda lib, d: lib.sqrt(d.chances), lambda d: np.sqrt(d.chances)),
    ("pointwise", "relu", lambda lib, d: lib.relu(d.x), lambda d: np.maximum(d.x, 0)),
    ("pointwise", "sigmoid", lambda lib, d: lib.sigmoid(d.x), None),
    ("pointwise", "silu", lambda lib, d: lib.nn.functional.silu(d.x), None),
    ("pointwise", "leaky_relu", lambda lib, d: lib.nn.functional.leaky_relu(d.x), None),
    ("pointwise", "equal elements", lambda lib, d: d.x == d.y, lambda d: d.x == d.y),
    ("pointwise", "greater than number", lambda lib, d: d.x > 0.5, lambda d: d.x > 0.5),
    ("pointwise", "maximum", lambda lib, d: lib.maximum(d.x, d.y), lambda d: np.maximum(d.x, d.y)),
    ("pointwise", "lerp", lambda lib, d: lib.lerp(d.x, d.y, 0.3), None),
    ("pointwise", "addcmul", lambda lib, d: lib.addcmul(d.x, d.x, d.y, value=0.5), None),
    ("reduction", "sum", lambda lib, d: lib.sum(d.x), lambda d: d.x.sum()),
    ("reduction", "sum dim 0", lambda lib, d: lib.sum(d.x, 0), lambda d: d.x.sum(0)),
    ("reduction", "mean", lambda lib, d: lib.mean(d.x), lambda d: d.x.mean()),
    ("reduction", "var", lambda lib, d: lib.var(d.x), lambda d: d.x.var(ddof=1)),
    ("reduction", "var dim 1", lambda lib, d: lib.var(d.x, 1), lambda d: d.x.var(1, ddof=1)),
    ("reduction", "max dim 1", lambda lib, d: lib.max(d.x, 1), lambda d: (d.x.max(1), d.x.argmax(1))),
    ("reduction", "max dim 0", lambda lib, d: lib.max(d.x, 0), lambda d: (d.x.max(0), d.x.argmax(0))),
    ("reduction", "argmax", lambda lib, d: lib.argmax(d.x), lambda d: d.x.argmax()),
    ("reduction", "cumsum", lambda lib, d: lib.cumsum(d.x, 1), lambda d: d.x.cumsum(1)),
    ("reduction", "cummax", lambda lib, d: lib.cummax(d.x, 1), None),
    ("reduction", "prod", lambda lib, d: lib.prod(d.ones), lambda d: d.ones.prod()),
    ("reduction", "median", lambda lib, d: lib.median(d.x), lambda d: np.median(d.x)),
    ("reduction", "logsumexp", lambda lib, d: lib.logsumexp(d.x, -1), _logsumexp),
    ("reduction", "max", lambda lib, d: d.x.max(), lambda d: d.x.max()),
    ("reduction", "min dim 1", lambda lib, d: lib.min(d.x, 1), lambda d: (d.x.min(1), d.x.argmin(1))),
    ("reduction", "argmax dim 1", lambda lib, d: lib.argmax(d.x, 1), lambda d: d.x.argmax(1)),
    ("reduction", "amax dim 1", lambda lib, d: lib.amax(d.x, 1), lambda d: d.x.max(1)),
    ("reduction", "mean dim 1", lambda lib, d: lib.mean(d.x, 1), lambda d: d.x.mean(1)),
    ("reduction", "std", lambda lib, d: lib.std(d.x), lambda d: d.x.std(ddof=1)),
    ("reduction", "any", lambda lib, d: d.mask.any(), lambda d: d.mask.any()),
    ("reduction", "all", lambda lib, d: d.mask.all(), lambda d: d.mask.all()),
    ("reduction", "norm", lambda lib, d: lib.linalg.vector_norm(d.x), lambda d: np.linalg.norm(d.x)),
    ("reduction", "nonzero", lambda lib, d: lib.nonzero(d.mask), lambda d: np.argwhere(d.mask)),
    ("normalising", "softmax", lambda lib, d: lib.softmax(d.x, -1), _softmax),
    ("normalising", "layer_norm", lambda lib, d: lib.nn.functional.layer_norm(d.x, d.x.shape[-1:]), None),
    ("normalising", "log_softmax", lambda lib, d: lib.log_softmax(d.x, -1), None),
    ("normalising", "rms_norm", lambda lib, d: lib.nn.functional.rms_norm(d.x, d.x.shape[-1:]), None),
    ("normalising", "dropout", lambda lib, d: lib.nn.functional.dropout(d.x, 0.5), None),
    ("normalising", "normalize", lambda lib, d: lib.nn.functional.normalize(d.x), None),
    ("indexing", "gather", lambda lib, d: lib.gather(d.x, 1, d.index), lambda d: np.take_along_axis(d.x, d.index, 1)),
    ("indexing", "scatter_add", lambda lib, d: lib.scatter_add(d.x, 1, d.index, d.y), lambda d: _added_at(d, (d.rows[:, None], d.index))),
    ("indexing", "index_add", lambda lib, d: lib.index_add(d.x, 0, d.picked, d.y), lambda d: _added_at(d, d.picked)),
    ("indexing", "index_select", lambda lib, d: lib.index_select(d.x, 0, d.picked), lambda d: d.x.take(d.picked, 0)),
    ("indexing", "masked_fill", lambda lib, d: lib.masked_fill(d.x, d.mask, 0.0), _filled),
    ("indexing", "boolean mask", lambda lib, d: d.x[d.mask], lambda d: d.x[d.mask]),
    ("indexing", "embedding", lambda lib, d: lib.nn.functional.embedding(d.picked, d.x), lambda d: d.x[d.picked]),
    ("indexing", "one_hot", lambda lib, d: lib.nn.functional.one_hot(d.picked), None),
    ("indexing", "take_along_dim", lambda lib, d: lib.take_along_dim(d.x, d.index, 1), lambda d: np.take_along_axis(d.x, d.index, 1)),
    ("sorting", "sort", lambda lib, d: lib.sort(d.x, -1), lambda d: (np.sort(d.x), np.argsort(d.x))),
    ("sorting", "topk", lambda lib, d: lib.topk(d.flat, d.k), _top),
    ("sorting", "unique", lambda lib, d: lib.unique(d.coarse), lambda d: np.unique(d.coarse)),
    ("sorting", "searchsorted", lambda lib, d: lib.searchsorted(d.sorted, d.x), lambda d: np.searchsorted(d.sorted, d.x)),
    ("joining", "cat", lambda lib, d: lib.cat([d.x, d.y]), lambda d: np.concatenate([d.x, d.y])),
    ("joining", "stack", lambda lib, d: lib.stack([d.x, d.y]), lambda d: np.stack([d.x, d.y])),
    ("joining", "transpose+contiguous", lambda lib, d: d.x.t().contiguous(), lambda d: np.ascontiguousarray(d.x.T)),
    ("joining", "split", lambda lib, d: lib.split(d.x, 2), lambda d: np.split(d.x, 2)),
    ("joining", "chunk", lambda lib, d: d.x.chunk(2), lambda d: np.array_split(d.x, 2)),
    ("joining", "expand", lambda lib, d: d.x[:, None].expand(-1, 3, -1), lambda d: np.broadcast_to(d.x[:, None], (len(d.x), 3, len(d.x)))),
    ("joining", "unsqueeze", lambda lib, d: d.x.unsqueeze(0), lambda d: np.expand_dims(d.x, 0)),
    ("joining", "permute", lambda lib, d: d.x.permute(1, 0), lambda d: d.x.transpose(1, 0)),
    ("joining", "reshape", lambda lib, d: d.x.reshape(-1), lambda d: d.x.reshape(-1)),
    ("joining", "pad", lambda lib, d: lib.nn.functional.pad(d.x, (1, 1, 1, 1)), lambda d: np.pad(d.x, 1)),
    ("joining", "clone", lambda lib, d: d.x.clone(), lambda d: d.x.copy()),
    ("joining", "flip", lambda lib, d: lib.flip(d.x, (0,)), lambda d: np.ascontiguousarray(np.flip(d.x, 0))),
    ("joining", "tril", lambda lib, d: lib.tril(d.x), lambda d: np.tril(d.x)),
    ("matmul", "matmul", lambda lib, d: lib.matmul(d.x, d.y), lambda d: np.matmul(d.x, d.y)),
    ("matmul", "linear", lambda lib, d: lib.nn.functional.linear(d.x, d.y, d.vector), lambda d: d.x @ d.y.T + d.vector),
    ("matmul", "bmm", lambda lib, d: lib.bmm(d.batch, d.batch), lambda d: np.matmul(d.batch, d.batch)),
    ("matmul", "einsum", lambda lib, d: lib.einsum('ij,kj->ik', d.x, d.y), lambda d: np.einsum('ij,kj->ik', d.x, d.y)),
    ("matmul", "matrix times vector", lambda lib, d: d.x @ d.vector, lambda d: d.x @ d.vector),
    ("images", "conv2d", lambda lib, d: lib.nn.functional.conv2d(d.image, d.weight, padding=1), None),
    ("images", "max_pool2d", lambda lib, d: lib.nn.functional.max_pool2d(d.image, 2), None),
    ("images", "batch_norm", lambda lib, d: lib.nn.functional.batch_norm(d.image, None, None, training=True), None),
    ("images", "avg_pool2d", lambda lib, d: lib.nn.functional.avg_pool2d(d.image, 2), None),
    ("images", "interpolate", lambda lib, d: lib.nn.functional.interpolate(d.image, scale_factor=2), None),
    ("random", "rand", lambda lib, d: lib.rand(d.size), lambda d: d.generator.random(d.size, np.float32)),
    ("random", "randn", lambda lib, d: lib.randn(d.size), lambda d: d.generator.standard_normal(d.size, np.float32)),
    ("random", "randperm", lambda lib, d: lib.randperm(d.size), lambda d: d.generator.permutation(d.size)),
    ("random", "bernoulli", lambda lib, d: lib.bernoulli(d.chances), lambda d: d.generator.random(d.chances.shape, np.float32) < d.chances),
    ("random", "randint", lambda lib, d: lib.randint(0, 10, (d.size,)), lambda d: d.generator.integers(0, 10, d.size)),
    ("cast", "to float16", lambda lib, d: d.x.to(lib.float16), lambda d: d.x.astype(np.float16)),
    ("cast", "to int64", lambda lib, d: d.x.to(lib.int64), lambda d: d.x.astype(np.int64)),
    ("cast", "to float64", lambda lib, d: d.x.to(lib.float64), lambda d: d.x.astype(np.float64)),
    ("cast", "to bool", lambda lib, d: d.x.to(lib.bool), lambda d: d.x.astype(bool)),
    ("loss", "cross_entropy", lambda lib, d: lib.nn.functional.cross_entropy(d.x, d.picked), None),
    ("loss", "nll_loss", lambda lib, d: lib.nn.functional.nll_loss(d.x, d.picked), None),
    ("loss", "mse_loss", lambda lib, d: lib.nn.functional.mse_loss(d.x, d.y), lambda d: ((d.x - d.y) ** 2).mean()),
    ("loss", "binary_cross_entropy_with_logits", lambda lib, d: lib.nn.functional.binary_cross_entropy_with_logits(d.x, d.chances), None),
    ("creation", "arange", lambda lib, d: lib.arange(d.size), lambda d: np.arange(d.size)),
    ("creation", "zeros", lambda lib, d: lib.zeros(d.size), lambda d: np.zeros(d.size, np.float32)),
    ("creation", "ones_like", lambda lib, d: lib.ones_like(d.x), lambda d: np.ones_like(d.x)),
    ("creation", "full", lambda lib, d: lib.full((d.size,), 1.5), lambda d: np.full(d.size, 1.5, np.float32)),
    ("creation", "empty", lambda lib, d: lib.empty(d.size), lambda d: np.empty(d.size, np.float32)),
    ("creation", "tensor of a list", lambda lib, d: lib.tensor(d.list), lambda d: np.array(d.list, np.float32)),
    ("creation", "linspace", lambda lib, d: lib.linspace(0, 1, d.size), lambda d: np.linspace(0, 1, d.size, dtype=np.float32)),
    ("creation", "zero_", lambda lib, d: d.scratch.zero_(), lambda d: d.scratch.fill(0)),
    ("creation", "copy_", lambda lib, d: d.scratch.copy_(d.y), lambda d: np.copyto(d.scratch, d.y)),
    ("creation", "fill_", lambda lib, d: d.scratch.fill_(2.0), lambda d: d.scratch.fill(2.0)),
]  # fmt: skip
