"""Quantized tensors against PyTorch's: integers equal, values equal, refusals of the same type."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import torsh

torch = pytest.importorskip("torch")
BOTH = (torsh, torch)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")


def values(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return (np.random.default_rng(seed).standard_normal(shape) * 3).astype(np.float32)


def make(lib: Any, x: np.ndarray[Any, Any], scale: float = 0.05, zero_point: int = 64, dtype: str = "quint8") -> Any:
    return lib.quantize_per_tensor(lib.from_numpy(x.copy()), scale, zero_point, getattr(lib, dtype))


def channels(lib: Any, x: np.ndarray[Any, Any], axis: int = 0, dtype: str = "qint8", floating: bool = False) -> Any:
    n = x.shape[axis]
    zeros = lib.arange(n)
    return lib.quantize_per_channel(
        lib.from_numpy(x.copy()),
        (lib.arange(n) + 1) * 0.03,
        zeros * 0.5 if floating else zeros,
        axis,
        getattr(lib, dtype),
    )


def text(x: Any) -> str:
    return repr(x).replace("torsh.", "torch.")


def same(a: Any, b: Any) -> None:
    if isinstance(b, (tuple, list)):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            same(x, y)
    elif isinstance(b, torch.Tensor) and b.is_quantized:
        assert a.is_quantized
        assert text(a.qscheme()) == str(b.qscheme())
        np.testing.assert_array_equal(a.int_repr().numpy(), b.int_repr().numpy())
        np.testing.assert_array_equal(a.dequantize().numpy(), b.dequantize().numpy())
        assert text(a) == text(b)
    elif isinstance(b, torch.Tensor):
        assert text(a.dtype) == str(b.dtype)
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6, atol=1e-6)
    else:
        assert a == b


@pytest.mark.parametrize("dtype", ["qint8", "quint8", "qint32", "quint4x2", "quint2x4"])
@pytest.mark.parametrize(("scale", "zero"), [(0.05, 1), (0.1, 2), (1.7, 0), (0.0013, 3)])
def test_per_tensor(dtype: str, scale: float, zero: int) -> None:
    x = values(50, 7)
    x[0, :4] = [scale * 0.5, scale * 1.5, -scale * 2.5, 1e9 if dtype != "qint32" else 5.0]
    a, b = (make(lib, x, scale, zero, dtype) for lib in BOTH)
    np.testing.assert_array_equal(a.int_repr().numpy(), b.int_repr().numpy())
    np.testing.assert_array_equal(a.dequantize().numpy(), b.dequantize().numpy())
    assert (a.q_scale(), a.q_zero_point()) == (b.q_scale(), b.q_zero_point())
    assert a.element_size() == b.element_size()


@pytest.mark.parametrize("dtype", ["qint8", "quint8", "qint32"])
@pytest.mark.parametrize(("axis", "floating"), [(0, False), (1, False), (0, True)])
def test_per_channel(dtype: str, axis: int, floating: bool) -> None:
    if floating and dtype == "qint32":
        pytest.skip("PyTorch's own process dies of it")
    x = values(3, 4, seed=1)
    a, b = (channels(lib, x, axis, dtype, floating) for lib in BOTH)
    same(a, b)
    same(a.q_per_channel_scales(), b.q_per_channel_scales())
    same(a.q_per_channel_zero_points(), b.q_per_channel_zero_points())
    assert a.q_per_channel_axis() == b.q_per_channel_axis()


@pytest.mark.parametrize("dtype", ["qint8", "quint8"])
@pytest.mark.parametrize("reduce", [False, True])
@pytest.mark.parametrize("shift", [0.0, 20.0, -20.0])
def test_dynamic(dtype: str, reduce: bool, shift: float) -> None:
    for factor in (1.0, 1e-4, 0.0):
        x = (values(20) + np.float32(shift)) * np.float32(factor)
        same(*(lib.quantize_per_tensor_dynamic(lib.from_numpy(x.copy()), getattr(lib, dtype), reduce) for lib in BOTH))


OPS = {
    "relu": lambda lib, a: a.relu(), "clamp": lambda lib, a: a.clamp(0, 1), "max": lambda lib, a: a.max(),
    "min_dim": lambda lib, a: tuple(a.min(0)), "sort": lambda lib, a: tuple(a.sort(1)), "topk": lambda lib, a: tuple(a.topk(2)),
    "sigmoid": lambda lib, a: a.sigmoid(), "tanh": lambda lib, a: a.tanh(), "hardsigmoid": lambda lib, a: lib.nn.functional.hardsigmoid(a),
    "hardtanh": lambda lib, a: lib.nn.functional.hardtanh(a), "leaky": lambda lib, a: lib.nn.functional.leaky_relu(a),
    "threshold": lambda lib, a: lib.nn.functional.threshold(a, 0.5, 0.2), "cat": lambda lib, a: lib.cat([a, a], 1),
    "stack": lambda lib, a: lib.stack([a, a]), "view": lambda lib, a: a.view(-1), "t": lambda lib, a: a.t(), "row": lambda lib, a: a[1],
    "columns": lambda lib, a: a[:, 1:], "masked": lambda lib, a: a[a > 0], "rows": lambda lib, a: a[[1, 0]], "eq": lambda lib, a: a == a,
    "gt": lambda lib, a: a > 0.5, "clone": lambda lib, a: a.clone(), "flip": lambda lib, a: a.flip(0),
    "index_select": lambda lib, a: a.index_select(0, lib.tensor([1])), "masked_fill": lambda lib, a: a.masked_fill(a > 0, 0.5),
    "item": lambda lib, a: a[0, 0].item(), "unbind": lambda lib, a: a.unbind(), "split": lambda lib, a: a.split(1),
    "expand": lambda lib, a: a[None].expand(2, 2, 3), "fill": lambda lib, a: a.clone().fill_(0.5), "ones_like": lambda lib, a: lib.ones_like(a),
    "copy": lambda lib, a: a.clone().copy_(lib.ones(2, 3)), "contiguous": lambda lib, a: a.t().contiguous(), "permute": lambda lib, a: a.permute(1, 0),
    "reshape": lambda lib, a: a.reshape(3, 2), "unfold": lambda lib, a: a.unfold(1, 2, 1), "pad": lambda lib, a: lib.nn.functional.pad(a, (1, 1)),
    "iter": lambda lib, a: list(a), "type": lambda lib, a: a.type(), "pickle": lambda lib, a: pickle.loads(pickle.dumps(a)),
    "deepcopy": lambda lib, a: copy.deepcopy(a),
    "other levels": lambda lib, a: lib.cat([a, lib.quantize_per_tensor(lib.ones(2, 3), 0.5, 3, lib.quint8)]),
    "equal": lambda lib, a: (lib.equal(a, a.clone()), lib.equal(a, lib.quantize_per_tensor(a.dequantize(), 0.1, 64, lib.quint8))),
    "max_pool": lambda lib, a: lib.nn.functional.max_pool2d(a.view(1, 1, 2, 3), 2),
    "quantized_max_pool2d": lambda lib, a: lib.quantized_max_pool2d(a.view(1, 1, 2, 3), (2, 2), (1, 1)),
    "nearest": lambda lib, a: lib.nn.functional.interpolate(a.view(1, 1, 2, 3), scale_factor=2),
}  # fmt: skip


@pytest.mark.parametrize("op", OPS)
def test_ops(op: str) -> None:
    x = np.array([[-0.5, 0.25, 1.3], [0.7, 2.0, -3.0]], np.float32)
    same(*(OPS[op](lib, make(lib, x)) for lib in BOTH))


@pytest.mark.parametrize(
    "op",
    [
        "row",
        "columns",
        "split",
        "unbind",
        "clone",
        "deepcopy",
        "eq",
        "gt",
        "iter",
        "copy",
        "fill",
        "ones_like",
        "pickle",
    ],
)
def test_ops_per_channel(op: str) -> None:
    x = np.array([[-0.5, 0.25, 1.3], [0.7, 2.0, -3.0]], np.float32)
    same(*(OPS[op](lib, channels(lib, x)) for lib in BOTH))


REFUSED = {
    "add": lambda lib, a: a + a, "sum": lambda lib, a: a.sum(), "matmul": lambda lib, a: a @ a.t(), "softmax": lambda lib, a: a.softmax(0),
    "float": lambda lib, a: a.float(), "to": lambda lib, a: a.to(lib.float64), "tolist": lambda lib, a: a.tolist(), "numpy": lambda lib, a: a.numpy(),
    "zero_": lambda lib, a: a.zero_(), "allclose": lambda lib, a: lib.allclose(a, a), "requires_grad": lambda lib, a: a.requires_grad_(),
    "axis": lambda lib, a: a.q_per_channel_axis(), "twice": lambda lib, a: lib.quantize_per_tensor(a, 0.1, 0, lib.qint8),
    "double": lambda lib, a: lib.quantize_per_tensor(lib.zeros(2, dtype=lib.float64), 0.1, 0, lib.qint8),
    "int8": lambda lib, a: lib.quantize_per_tensor(lib.zeros(2), 0.1, 0, lib.int8), "zero point": lambda lib, a: lib.quantize_per_tensor(lib.zeros(2), 0.1, 300, lib.qint8),
    "dense scale": lambda lib, a: lib.zeros(2).q_scale(), "dense ints": lambda lib, a: lib.zeros(2).int_repr(), "qscheme": lambda lib, a: lib.qscheme(),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    messages = []
    for lib in BOTH:
        with pytest.raises(Exception) as caught:
            REFUSED[case](lib, make(lib, values(2, 3)))
        messages.append((type(caught.value), str(caught.value).replace("torsh.", "torch.")[:14]))
    assert messages[0] == messages[1]


def test_views_share_memory() -> None:
    for lib in BOTH:
        q = make(lib, np.zeros((2, 3), np.float32))
        q[0].fill_(0.5)
        assert q.dequantize()[0].tolist() == [0.5, 0.5, 0.5]
        assert q.dequantize()[1].tolist() == [0.0, 0.0, 0.0]


def test_batch_norm() -> None:
    x, rng = values(2, 3, 4, 4), np.random.default_rng(5)
    stats = [rng.random(3).astype(np.float32) + 0.5 for _ in range(4)]
    a, b = (lib.quantized_batch_norm(make(lib, x), *[lib.from_numpy(s) for s in stats], 1e-5, 0.07, 60) for lib in BOTH)
    same(a, b)


def test_dense_dequantize_is_float32() -> None:
    same(*(lib.arange(3).dequantize() for lib in BOTH))


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("symmetric", [False, True])
def test_fused_observer(rows: bool, symmetric: bool) -> None:
    found: list[Any] = []
    for lib in BOTH:
        n = 3 if rows else 1
        low, high = lib.full((n,), float("inf")), lib.full((n,), float("-inf"))
        scale, zero = lib.ones(n), lib.zeros(n, dtype=lib.int32)
        on, outs = lib.tensor([1]), []
        for seed in range(3):
            x = lib.from_numpy(values(3, 5, seed=seed))
            outs.append(
                lib.fused_moving_avg_obs_fake_quant(x, on, on, low, high, scale, zero, 0.1, 0, 255, 0, rows, symmetric)
            )
        found.append((*outs, low, high, scale, zero))
    same(*found)


def test_choose_qparams_optimized() -> None:
    x = values(200)
    same(*(lib.choose_qparams_optimized(lib.from_numpy(x), 200, 200, 0.16, 4) for lib in BOTH))


def test_linear_with_int8_weight() -> None:
    w, x, bias = values(4, 6), values(3, 6, seed=2), values(4, seed=3)
    found = []
    for lib in BOTH:
        levels, offsets, scale, zero = lib.fbgemm_linear_quantize_weight(lib.from_numpy(w))
        packed = lib.fbgemm_pack_quantized_matrix(levels)
        y = lib.fbgemm_linear_int8_weight_fp32_activation(
            lib.from_numpy(x), levels, packed, offsets, scale, zero, lib.from_numpy(bias)
        )
        found.append((levels, offsets, scale, zero, y))
    same(*found)


def test_linear_with_half_weight() -> None:
    w, x, bias = values(4, 6), values(3, 6, seed=2), values(4, seed=3)
    a, b = (
        lib.fbgemm_linear_fp16_weight_fp32_activation(
            lib.from_numpy(x), lib.fbgemm_pack_gemm_matrix_fp16(lib.from_numpy(w)), lib.from_numpy(bias)
        )
        for lib in BOTH
    )
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("cell", "gates"), [("lstm", 4), ("gru", 3), ("rnn_relu", 1), ("rnn_tanh", 1)])
def test_cells(cell: str, gates: int) -> None:
    wi, wh, b, x, h = (
        values(gates * 5, 4),
        values(gates * 5, 5, seed=1),
        values(gates * 5, seed=2),
        values(2, 4, seed=3),
        values(2, 5, seed=4),
    )
    found = []
    for lib in BOTH:
        bias, hidden = lib.from_numpy(b), lib.from_numpy(h)
        (qi, oi, si, zi), (qh, oh, sh, zh) = (lib.fbgemm_linear_quantize_weight(lib.from_numpy(w)) for w in (wi, wh))
        packed = [lib.fbgemm_pack_quantized_matrix(q) for q in (qi, qh)]
        hx = (hidden, hidden) if cell == "lstm" else hidden
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.append(
                getattr(lib, f"quantized_{cell}_cell")(
                    lib.from_numpy(x), hx, qi, qh, bias, bias, *packed, oi, oh, si, sh, zi, zh
                )
            )
    same(*found)


@pytest.mark.parametrize("name", [d.name for d in (*torsh.dtypes.QUANTIZED, *torsh.dtypes.SHELLS)])
def test_dtype_properties(name: str) -> None:
    found = []
    for lib in BOTH:
        d = getattr(lib, name)
        try:
            signed: Any = d.is_signed
        except RuntimeError as e:
            signed = str(e)[:12]
        with pytest.raises(RuntimeError, match="Unknown Complex ScalarType for"):
            d.to_complex()
        found.append(
            (text(d), d.itemsize, d.is_floating_point, d.is_complex, signed, pickle.loads(pickle.dumps(d)) is d)
        )
    assert found[0] == found[1]


@pytest.mark.parametrize("name", [d.name for d in torsh.dtypes.SHELLS])
def test_types_that_only_hold_bits(name: str) -> None:
    for lib in BOTH:
        d = getattr(lib, name)
        x = lib.tensor([[1, 2], [3, 4]], dtype=lib.uint8)
        seen = x.view(d)
        assert seen.dtype is d
        assert seen.t().contiguous if d.itemsize > 1 else seen.t().shape == (2, 2)
        assert seen.view(lib.uint8).tolist() == [[1, 2], [3, 4]]
        assert lib.empty(3, dtype=d).shape == (3,)
        with pytest.raises(NotImplementedError, match="copy_"):
            x.to(d)
        with pytest.raises(RuntimeError, match="store_scalar"):
            lib.tensor([1], dtype=d)
        with pytest.raises(NotImplementedError):
            seen.sum()
