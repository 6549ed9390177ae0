"""uint16, uint32 and uint64 on the PyTorch backend, which has little arithmetic for them: NumPy's results are the measure."""

from __future__ import annotations

import numpy as np
import pytest

import torsh

pytest.importorskip("torch")

DTYPES = ("uint16", "uint32", "uint64")

EXPRESSIONS = [
    "x + y", "x - y", "x * y", "-x", "x // y", "x % y", "fmod(x, y)", "x / y", "x ** (y % 70)", "x ** y", "x & y", "x | y",
    "x ^ y", "~x", "x << (y % bits)", "x >> (y % bits)", "x << y", "x >> y", "x == y", "x != y", "x < y", "x <= y", "x > y",
    "x >= y", "maximum(x, y)", "minimum(x, y)", "logical_and(x, y)", "logical_not(x)", "abs(x)", "sign(x)", "square(x)",
    "x + 3", "x - 7", "7 - x", "x * 5", "x // 7", "x % 7", "x < 7", "x >= top", "x == top", "clamp(x, 5, top // 2 + 9)",
    "clamp(x, y, None)", "where(x > y, x, y)", "relu(x)", "floor(x)", "round(x)", "x.sum()", "x.sum(0)",
    "torsh.sum(x, 1, dtype=x.dtype)", "x.prod()", "torsh.prod(x, 1, dtype=x.dtype)", "cumsum(x, 1)", "cumprod(x, 0)",
    "torsh.cumsum(x, 0, dtype=x.dtype)", "x.amax(1)", "x.amin()", "x.max(0)", "x.min(1)", "x.max()", "x.argmax()",
    "x.argmin(1)", "x.aminmax()", "x.sort(1)", "x.sort(0, descending=True)", "x.argsort(1)", "x.topk(2, 1)",
    "x.kthvalue(2, 1)", "x.cummax(1)", "x.cummin(0)", "unique(x)", "torsh.unique(x, return_inverse=True, return_counts=True)",
    "searchsorted(x.reshape(-1).sort()[0], y)", "isin(x, y)", "x.all()", "x.any(1)", "x.nonzero()", "count_nonzero(x)",
    "x @ y.t()", "x[0].dot(y[0])", "torsh.outer(x[0], y[0])", "tensordot(x, y, 2)", "torsh.kron(x, y)", "diff(x)",
    "torsh.cross(x[:, :3], y[:, :3])", "trace(x)", "tril(x)", "x.flip(1)", "x.roll(1, 0)", "cat([x, y])", "x.gather(1, i)",
    "x.index_select(1, i[0])", "x[x > y]", "x[i[0] % 3]", "masked_fill(x, x > y, top)", "masked_select(x, x > y)",
    "x.take(i)", "x.repeat(2, 1)", "x.repeat_interleave(2, 1)", "scatter(x, 1, i, y)", "scatter_add(x, 1, i, y)",
    "index_add(x, 0, i[0, :3], y[:3])", "nn.functional.pad(x, (1, 2), value=3)", "x.to(torsh.float64)", "x.to(torsh.int64)",
    "x.to(torsh.uint8)", "x.tolist()", "x.bool()", "addcmul(x, x, y)", "x.t().contiguous()", "stack([x, y])",
]  # fmt: skip

STATEMENTS = [
    "x += y", "x -= 3", "x *= y", "x //= 7", "x[1] = 5", "x[x > y] = 3", "x[:, ::2] += 9", "x.scatter_(1, i, y)",
    "x.index_put_((i[0] % 3,), y[0, 0], accumulate=True)", "x.clamp_(5, 1000)", "x.fill_(top)", "x.masked_fill_(x > y, 1)",
    "x >>= 1", "x <<= 2", "x.zero_()", "x.copy_(y)", "x.bitwise_not_()", "x.index_fill_(1, i[0], 4)",
]  # fmt: skip


def operands(dtype):
    top = np.iinfo(dtype).max
    rng = np.random.default_rng(5)
    x = rng.integers(0, top, (3, 4), dtype, endpoint=True)
    x[0] = 0, 1, top, top // 2 + 1
    y = rng.integers(0, top, (3, 4), dtype, endpoint=True)
    y[0] = top, top // 2 + 1, 3, 1
    y[1, :2] = 5, 70
    i = rng.integers(0, 4, (3, 4))
    return x, y, i


def plain(found):
    if isinstance(found, tuple):
        return [plain(f) for f in found]
    return (str(found.dtype), found.tolist()) if isinstance(found, torsh.Tensor) else found


def run(code, dtype, backend, statement=False):
    with torsh.registry.use(backend):
        x, y, i = (torsh.tensor(a) for a in operands(dtype))
        scope = {
            "torsh": torsh,
            "x": x,
            "y": y,
            "i": i,
            "top": int(np.iinfo(dtype).max),
            "bits": 8 * np.dtype(dtype).itemsize,
            "nn": torsh.nn,
        }
        scope.update({n: getattr(torsh, n) for n in torsh.__dict__ if n not in scope and n in code})
        if statement:
            exec(code, scope)
            return plain(scope["x"])
        return plain(eval(code, scope))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("code", EXPRESSIONS)
def test_expression(code, dtype):
    assert run(code, dtype, "torch") == run(code, dtype, "numpy")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("code", STATEMENTS)
def test_statement(code, dtype):
    assert run(code, dtype, "torch", True) == run(code, dtype, "numpy", True)
