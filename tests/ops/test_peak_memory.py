"""The peak memory of an op is its inputs, its output and at most one temporary of their size.

NumPy reports its allocations to tracemalloc, so the figures are exact and do not depend on the machine.
"""

from __future__ import annotations

import tracemalloc

import pytest

import torsh
import torsh.nn.functional as F

N = 1448  # N * N float32 elements are 8 MiB
UNIT = 4 * N * N


def _inputs():
    torsh.manual_seed(0)
    x = torsh.rand(N, N)
    return {
        "x": x, "half": x.half(), "y": torsh.rand(N, N), "mask": x > 0.5, "places": torsh.randint(0, N, (N, N)), "rows": torsh.randint(0, N, (N,)),
        "vector": torsh.rand(N), "image": torsh.rand(8, 16, 128, 128), "weight": torsh.rand(16, 16, 3, 3),
        "picture": torsh.rand(4, 3, 416, 416), "wide": torsh.rand(16, 3, 7, 7), "labels": torsh.randint(0, N, (N,)),
    }  # fmt: skip


OPS = {
    "add": lambda d: d.x + d.y,
    "add, broadcast": lambda d: d.x + d.vector,
    "add, transposed": lambda d: d.x + d.x.t(),
    "mul": lambda d: d.x * d.y,
    "mul_": lambda d: d.x.mul_(1.0),
    "matmul": lambda d: d.x @ d.y,
    "linear": lambda d: F.linear(d.x, d.y, d.vector),
    "relu": lambda d: torsh.relu(d.x),
    "sigmoid": lambda d: torsh.sigmoid(d.x),
    "silu": lambda d: F.silu(d.x),
    "clamp": lambda d: torsh.clamp(d.x, 0.2, 0.8),
    "where": lambda d: torsh.where(d.mask, d.x, d.y),
    "masked_fill": lambda d: d.x.masked_fill(d.mask, 0.0),
    "softmax": lambda d: torsh.softmax(d.x, -1),
    "softmax, first dimension": lambda d: torsh.softmax(d.x, 0),
    "log_softmax": lambda d: torsh.log_softmax(d.x, -1),
    "logsumexp": lambda d: torsh.logsumexp(d.x, 1),
    "sum": lambda d: d.x.sum(),
    "sum, first dimension": lambda d: d.x.sum(0),
    "mean": lambda d: d.x.mean(1),
    "var": lambda d: d.x.var(1),
    "cat": lambda d: torsh.cat([d.x, d.y], 1),
    "stack": lambda d: torsh.stack([d.x, d.y]),
    "rows": lambda d: d.x[d.rows],
    "columns": lambda d: d.x[:, d.rows],
    "boolean mask": lambda d: d.x[d.mask],
    "gather": lambda d: torsh.gather(d.x, 1, d.places),
    "scatter_add": lambda d: torsh.scatter_add(d.x, 0, d.places, d.y),
    "embedding": lambda d: F.embedding(d.rows, d.x),
    "dropout": lambda d: F.dropout(d.x, 0.5),
    "binary_cross_entropy": lambda d: F.binary_cross_entropy(d.x, d.y, reduction="none"),
    "binary_cross_entropy_with_logits": lambda d: F.binary_cross_entropy_with_logits(d.x, d.y, reduction="none"),
    "conv2d": lambda d: F.conv2d(d.image, d.weight, padding=1),
    "conv2d, large kernel": lambda d: F.conv2d(d.picture, d.wide, padding=3, stride=2),
    "conv2d, one tap": lambda d: F.conv2d(d.image, d.weight[:, :, :1, :1]),
    "conv2d, depthwise": lambda d: F.conv2d(d.image, d.weight[:, :1], padding=1, groups=16),
    "max_pool2d": lambda d: F.max_pool2d(d.image, 2),
    "layer_norm": lambda d: F.layer_norm(d.x, (N,), d.vector, d.vector),
    "batch_norm": lambda d: F.batch_norm(d.image, None, None, training=True),
    "cross_entropy": lambda d: F.cross_entropy(d.x, d.labels),
    "mse_loss": lambda d: F.mse_loss(d.x, d.y),
    "cumsum": lambda d: torsh.cumsum(d.x, 1),
    "randn": lambda d: torsh.randn(N, N),
    "contiguous": lambda d: d.x.t().contiguous(),
    "to float64": lambda d: d.x.double(),
    "to float16": lambda d: d.x.half(),
    "add, float16": lambda d: d.half + d.half,
    "gelu, tanh": lambda d: F.gelu(d.x, approximate="tanh"),
    "softplus": lambda d: F.softplus(d.x),
    "mish": lambda d: F.mish(d.x),
    "logsigmoid": lambda d: F.logsigmoid(d.x),
    "sort": lambda d: torsh.sort(d.x, 1),
    "attention": lambda d: F.scaled_dot_product_attention(d.image, d.image, d.image),
}  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return type("Data", (), _inputs())


def _bytes(result) -> int:
    parts = result if isinstance(result, (tuple, list)) else (result,)
    return sum(t.numel() * t.element_size() for t in parts)


@pytest.mark.parametrize("name", OPS)
def test_at_most_one_temporary(name, data):
    op = OPS[name]
    op(data)  # compiles and caches what it will
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        result = op(data)
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    own = 0 if name.endswith("_") else _bytes(result)
    assert peak - own <= 1.1 * UNIT, f"{(peak - own) / UNIT:.2f} times the input beyond the result"
