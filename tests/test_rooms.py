"""Smaller rooms against PyTorch: Sobol points, flexible attention, grouped products, hub, processes, devices, containers."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import torsh
import torsh.hub
import torsh.multiprocessing as mp
import torsh.nn.attention.bias
import torsh.nn.attention.flex_attention
import torsh.nn.grad
import torsh.quasirandom

torch = pytest.importorskip("torch")
for _name in (
    "torch.nn.attention.bias",
    "torch.nn.attention.flex_attention",
    "torch.nn.grad",
    "torch.quasirandom",
    "torch.hub",
):
    pytest.importorskip(_name)
BOTH = (torsh, torch)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


def random(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def raised(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as e:
        return type(e)


@pytest.mark.parametrize("dimension", [1, 3, 40])
@pytest.mark.parametrize("scramble", [False, True])
def test_sobol(dimension: int, scramble: bool) -> None:
    a, b = (lib.quasirandom.SobolEngine(dimension, scramble, seed=7) for lib in BOTH)
    assert repr(a) == repr(b)
    for n in (1, 5, 3, 16):
        np.testing.assert_array_equal(a.draw(n).numpy(), b.draw(n).numpy())
    a.fast_forward(10)
    b.fast_forward(10)
    np.testing.assert_array_equal(a.draw(2, dtype=torsh.float64).numpy(), b.draw(2, dtype=torch.float64).numpy())
    a.reset()
    b.reset()
    np.testing.assert_array_equal(a.draw_base2(4).numpy(), b.draw_base2(4).numpy())
    for e in (a, b):
        with pytest.raises(ValueError, match="power of 2"):
            e.draw_base2(3)
    for lib in BOTH:
        with pytest.raises(ValueError, match="dimension"):
            lib.quasirandom.SobolEngine(21202)


MASKS: dict[str, Any] = {
    "causal": lambda b, h, q, k: q >= k, "window": lambda b, h, q, k: (q - k).abs() < 3, "heads": lambda b, h, q, k: (q + h) % 2 == k % 2,
    "nothing for some": lambda b, h, q, k: (q > 3) & (k < 2),
}  # fmt: skip
SCORES: dict[str, Any] = {
    "none": None,
    "slope": lambda s, b, h, q, k: s + (q - k) * (h + 1),
    "cap": lambda s, b, h, q, k: (s / 2).tanh() * 2,
}


@pytest.mark.parametrize("mask", [None, *MASKS])
@pytest.mark.parametrize("score", SCORES)
def test_flex_attention(mask: Any, score: str) -> None:
    found = []
    for lib in BOTH:
        F = lib.nn.attention.flex_attention
        q = lib.from_numpy(random(2, 4, 8, 4))
        k, v = (lib.from_numpy(random(2, 2, 8, 4, seed=s)) for s in (1, 2))
        block = (
            None
            if mask is None
            else F.create_block_mask(
                MASKS[mask], None, 4 if mask == "heads" else None, 8, 8, device="cpu", BLOCK_SIZE=4
            )
        )
        out, lse = F.flex_attention(q, k, v, SCORES[score], block, enable_gqa=True, return_lse=True)
        parts = [out.numpy(), lse.numpy()]
        if block is not None:
            assert isinstance(block.sparsity(), float)
            parts += [
                block.to_dense().numpy(),
                block.kv_indices.numpy(),
                block.full_kv_num_blocks.numpy(),
                np.array([block.sparsity(), *block.shape]),
            ]
        found.append(parts)
    for a, b in zip(*found):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


def test_gradient_of_flex_attention() -> None:
    """PyTorch has none on the CPU; the same written out has."""
    q = torch.from_numpy(random(1, 2, 5, 4)).requires_grad_()
    i, j = torch.arange(5)[:, None], torch.arange(5)
    scores = (q @ q.mT / 2 + (i - j) * 0.1).masked_fill(i < j, -torch.inf)
    (scores.softmax(-1) @ q).square().sum().backward()
    x = torsh.from_numpy(q.detach().numpy()).requires_grad_()
    F = torsh.nn.attention.flex_attention
    block = F.create_block_mask(MASKS["causal"], None, None, 5, 5)
    F.flex_attention(x, x, x, lambda s, b, h, q, k: s + (q - k) * 0.1, block).square().sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), q.grad.numpy(), rtol=1e-4, atol=1e-5)


def test_masks_together() -> None:
    for lib in BOTH:
        F = lib.nn.attention.flex_attention
        both = F.create_mask(F.and_masks(MASKS["causal"], MASKS["window"]), 1, 1, 6, 6, device="cpu")
        one = F.create_mask(F.or_masks(MASKS["causal"], MASKS["window"]), 1, 1, 6, 6, device="cpu")
        q, k = np.mgrid[:6, :6]
        assert (both.numpy()[0, 0] == ((q >= k) & (abs(q - k) < 3))).all()
        assert (one.numpy()[0, 0] == ((q >= k) | (abs(q - k) < 3))).all()


@pytest.mark.parametrize("name", ["causal_upper_left", "causal_lower_right"])
def test_causal_bias(name: str) -> None:
    found = []
    for lib in BOTH:
        q, k = lib.from_numpy(random(1, 2, 3, 4)), lib.from_numpy(random(1, 2, 5, 4, seed=1))
        bias = getattr(lib.nn.attention.bias, name)(3, 5)
        with lib.nn.attention.sdpa_kernel(lib.nn.attention.SDPBackend.MATH):
            found.append(lib.nn.functional.scaled_dot_product_attention(q, k, k, attn_mask=bias).numpy())
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-6)


GROUPS = [
    ((6, 4), (2, 4, 3), [2, 6]),
    ((2, 5, 4), (2, 4, 3), None),
    ((5, 6), (6, 3), [2, 6]),
    ((2, 5, 4), (4, 6), [2, 6]),
]


@pytest.mark.parametrize(("a", "b", "offs"), GROUPS)
def test_grouped_mm(a: tuple[int, ...], b: tuple[int, ...], offs: Any) -> None:
    """Against the definition: PyTorch's own asks for strides of 16 bytes."""
    x, y = random(*a), random(*b, seed=1)
    found = torsh.nn.functional.grouped_mm(
        torsh.from_numpy(x), torsh.from_numpy(y), offs=None if offs is None else torsh.tensor(offs, dtype=torsh.int32)
    ).numpy()
    spans = [] if offs is None else list(zip([0, *offs[:-1]], offs))
    if offs is None:
        expected = x @ y
    elif x.ndim == 2 and y.ndim == 3:
        expected = np.concatenate([x[i:j] @ y[g] for g, (i, j) in enumerate(spans)])
    elif x.ndim == 2:
        expected = np.stack([x[:, i:j] @ y[i:j] for i, j in spans])
    else:
        expected = np.concatenate([x[g] @ y[:, i:j] for g, (i, j) in enumerate(spans)], 1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    with pytest.raises(RuntimeError):
        torsh.nn.functional.grouped_mm(
            torsh.from_numpy(x), torsh.from_numpy(y), offs=torsh.tensor([1]) if offs is None else None
        )


@pytest.mark.parametrize("recipe", ["TensorWise", "RowWise"])
def test_scaled_mm(recipe: str) -> None:
    found = []
    for lib in BOTH:
        F = lib.nn.functional
        a, b = (
            lib.from_numpy(random(16, 32)).to(lib.float8_e4m3fn),
            lib.from_numpy(random(16, 32, seed=1)).to(lib.float8_e4m3fn).t(),
        )
        sa, sb = (
            (lib.tensor(0.5), lib.tensor(2.5))
            if recipe == "TensorWise"
            else (lib.from_numpy(abs(random(16, 1, seed=2))), lib.from_numpy(abs(random(1, 16, seed=3))))
        )
        kind = getattr(F.ScalingType, recipe)
        out = lib.bfloat16 if recipe == "RowWise" else lib.float32
        found.append(F.scaled_mm(a, b, sa, kind, sb, kind, output_dtype=out).float().numpy())
    np.testing.assert_allclose(
        *found, rtol=1e-2 if recipe == "RowWise" else 1e-5, atol=1e-2 if recipe == "RowWise" else 1e-4
    )


@pytest.mark.parametrize("n", [1, 2, 3])
def test_gradients_of_convolutions(n: int) -> None:
    shapes = (2, 4, *[6] * n), (6, 2, *[3] * n)
    found = []
    for lib in BOTH:
        x, w = (lib.from_numpy(random(*s, seed=i)) for i, s in enumerate(shapes))
        out = getattr(lib.nn.functional, f"conv{n}d")(x, w, None, 2, 1, 1, 2)
        g = lib.from_numpy(random(*out.shape, seed=5))
        G = lib.nn.grad
        found.append(
            [
                getattr(G, f"conv{n}d_input")(x.shape, w, g, 2, 1, 1, 2).numpy(),
                getattr(G, f"conv{n}d_weight")(x, w.shape, g, 2, 1, 1, 2).numpy(),
            ]
        )
    for a, b in zip(*found):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


# ---- hub ---------------------------------------------------------------------------------------------------------------


def test_hub(tmp_path: Path) -> None:
    (tmp_path / "hubconf.py").write_text(
        'dependencies = ["torch"]\n\ndef tiny(n=3, **options):\n    """A list."""\n    return list(range(n))\n'
    )
    state = {"w": torch.ones(2)}
    torch.save(state, tmp_path / "weights.pth")
    for lib in BOTH:
        hub = lib.hub
        assert hub.list(str(tmp_path), source="local") == ["tiny"] if lib is torsh else True
        assert hub.load(str(tmp_path), "tiny", 2, source="local") == [0, 1]
        assert raised(lambda: hub.load(str(tmp_path), "huge", source="local")) is RuntimeError
        assert raised(lambda: hub.load(str(tmp_path), "tiny", source="moon")) is ValueError
        before = hub.get_dir()
        hub.set_dir(str(tmp_path / lib.__name__))
        try:
            url = (tmp_path / "weights.pth").as_uri()
            for _ in range(2):
                assert hub.load_state_dict_from_url(url, progress=False)["w"].tolist() == [1.0, 1.0]
            assert (tmp_path / lib.__name__ / "checkpoints" / "weights.pth").exists()
            with pytest.raises(RuntimeError, match="invalid hash value"):
                hub.download_url_to_file(url, str(tmp_path / "other"), hash_prefix="00000000", progress=False)
        finally:
            hub.set_dir(before)
    assert torsh.hub.help(str(tmp_path), "tiny") == "A list."
    with pytest.raises(NotImplementedError, match="clone"):
        torsh.hub.load("pytorch/vision", "resnet18")


# ---- processes ---------------------------------------------------------------------------------------------------------


def _write(i: int, folder: str) -> None:
    import torsh

    Path(folder, str(i)).write_text(str(torsh.ones(2).sum().item() + i))


def _fail(i: int) -> None:
    if i == 1:
        raise ValueError("boo")


def _leave(i: int) -> None:
    sys.exit(3)


def _die(i: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_processes(tmp_path: Path) -> None:
    assert mp.start_processes(_write, (str(tmp_path),), nprocs=2, start_method="fork") is None
    assert [(tmp_path / str(i)).read_text() for i in range(2)] == ["2.0", "3.0"]
    with pytest.raises(
        mp.ProcessRaisedException, match=r"(?s)Process 1 terminated with the following error.*boo"
    ) as caught:
        mp.start_processes(_fail, nprocs=2, start_method="fork")
    assert caught.value.error_index == 1
    with pytest.raises(mp.ProcessExitedException, match="exit code 3") as left:
        mp.start_processes(_leave, nprocs=1, start_method="fork")
    assert left.value.exit_code == 3
    with pytest.raises(mp.ProcessExitedException, match="SIGKILL"):
        mp.start_processes(_die, nprocs=1, start_method="fork")


def test_multiprocessing_has_the_standard_librarys_names() -> None:
    assert mp.get_context("spawn").get_start_method() == "spawn"
    assert mp.cpu_count() == os.cpu_count()
    assert mp.get_sharing_strategy() in mp.get_all_sharing_strategies()
    with pytest.raises(ValueError, match="unknown sharing strategy"):
        mp.set_sharing_strategy("telepathy")
    queue = mp.SimpleQueue()
    queue.put(torsh.ones(2))
    assert queue.get().tolist() == [1.0, 1.0]


# ---- devices that are not there ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", ["mps", "xpu", "mtia", "accelerator"])
def test_absent_devices(module: str) -> None:
    ours, theirs = (getattr(lib, module) for lib in BOTH)
    if theirs.is_available():
        pytest.skip("there is such a device")
    assert (ours.is_available(), ours.device_count()) == (False, 0)
    for name in (
        "synchronize",
        "empty_cache",
        "get_rng_state",
        "current_device",
        "current_device_index",
        "init",
        "is_initialized",
        "current_accelerator",
    ):
        if hasattr(theirs, name):
            assert raised(getattr(ours, name)) == raised(getattr(theirs, name)), name


# ---- containers, helpers -----------------------------------------------------------------------------------------------


def test_script_containers() -> None:
    def found(lib: Any) -> list[Any]:
        x, d = lib.ScriptList([1, 2]), lib.ScriptDict({"a": 1})
        x.append(3)
        d["b"] = 2
        return [
            repr(x), repr(d), len(x), len(d), list(x), sorted(d), dict(d.items()), x[1], 3 in x, "a" in d, x.pop(), x.count(1), raised(lambda: x[9]),
            raised(lambda: d["z"]), raised(lambda: x.append("s")), raised(lambda: d.__setitem__("c", "s")), raised(lambda: x.remove(9)),
            raised(lambda: d.__delitem__("z")), repr(x[0:1]), type(raised(lambda: lib.ScriptList([1, "a"]))).__name__,
        ]  # fmt: skip

    assert found(torsh) == found(torch)


def test_factory_kwargs_and_container() -> None:
    def found(lib: Any) -> list[Any]:
        f = lib.nn.factory_kwargs
        return [
            f(None), f({"device": "cpu", "dtype": None}), f({"device": "cpu", "factory_kwargs": {"dtype": 3}}), raised(lambda: f({"foo": 1})),
            raised(lambda: f({"dtype": 1, "factory_kwargs": {"dtype": 3}})), repr(lib.nn.Container(a=lib.nn.ReLU())),
        ]  # fmt: skip

    assert found(torsh) == found(torch)


def test_batch_norm_without_statistics_can_be_mapped() -> None:
    net = torsh.func.replace_all_batch_norm_modules_(
        torsh.nn.Sequential(torsh.nn.Linear(3, 2), torsh.nn.BatchNorm1d(2))
    )
    x = torsh.from_numpy(random(4, 5, 3))
    np.testing.assert_allclose(
        torsh.vmap(net)(x).detach().numpy(), torsh.stack([net(p) for p in x]).detach().numpy(), rtol=1e-4, atol=1e-5
    )


def test_exponential_families() -> None:
    names = [
        "Bernoulli",
        "Beta",
        "Chi2",
        "ContinuousBernoulli",
        "Dirichlet",
        "Exponential",
        "Gamma",
        "Normal",
        "Poisson",
        "Wishart",
        "Laplace",
        "Categorical",
    ]
    for n in names:
        found = [issubclass(getattr(lib.distributions, n), lib.distributions.ExponentialFamily) for lib in BOTH]
        assert found[0] == found[1], n

    class Coin(torsh.distributions.ExponentialFamily):
        arg_constraints: dict[str, Any] = {}

        def __init__(self, probs: Any) -> None:
            self.probs = probs
            super().__init__(probs.shape, validate_args=False)

        @property
        def _natural_params(self) -> Any:
            return (torsh.logit(self.probs),)

        def _log_normalizer(self, x: Any) -> Any:  # type: ignore[override]
            return torsh.log1p(x.exp())

        _mean_carrier_measure = 0

    p = torsh.tensor([0.2, 0.7])
    np.testing.assert_allclose(
        Coin(p).entropy().detach().numpy(), torsh.distributions.Bernoulli(p).entropy().numpy(), rtol=1e-5
    )


def test_optimizer_with_other_parameters() -> None:
    found = []
    for lib in BOTH:
        w, other = lib.ones(2, requires_grad=True), lib.zeros(2, requires_grad=True)
        optimizer = lib.optim.Adam([w], lr=0.1)
        w.grad = lib.ones(2)
        optimizer.step()
        state = optimizer.state_dict()
        state["param_groups"][0]["lr"] = 0.5
        other.grad = lib.ones(2)
        with lib.optim.swap_in_optimizer_params_and_state(optimizer, {"w": other}, state):
            optimizer.step()
        optimizer.step()
        found.append(
            [w.tolist(), other.tolist(), optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["params"][0] is w]
        )
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-6)
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-6)
    assert found[0][2:] == found[1][2:]


def test_dispatch_names() -> None:
    assert [k.name for k in torsh.DispatchKey] == list(torch.DispatchKey.__members__)
    assert {t.name for t in torsh.Tag} == set(torch.Tag.__members__)
    keys = torsh.DispatchKeySet(torsh.DispatchKey.CPU).add(torsh.DispatchKey.Python)
    assert keys.has(torsh.DispatchKey.Python)
    assert not keys.remove(torsh.DispatchKey.Python).has(torsh.DispatchKey.Python)


def test_storages() -> None:
    assert torsh.Storage is torsh.FloatStorage
    assert isinstance(torsh.ones(2).untyped_storage(), torsh.StorageBase)
    assert {torsh.QInt8Storage.__name__, torsh.QUInt4x2Storage.__name__} == {"QInt8Storage", "QUInt4x2Storage"}
