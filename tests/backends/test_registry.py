"""Finding, binding and describing backends."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pytest

import torsh
from torsh import dtypes, registry
from torsh.backend import Backend
from torsh.device import device
from torsh.dispatch import place_of
from torsh.functionalize import FunctionalBackend


class Broken(Backend):
    """Known, but cannot run here."""

    name = "broken"
    device_types = ("xpu",)

    def unavailable(self):
        return "its chip is on fire; put it out"


@pytest.fixture
def broken():
    registry.register(Broken())
    yield
    registry.unregister("broken")


def test_torsh_s_own_backends_come_by_entry_point():
    assert {"numpy", "torch", "dask", "cupy"} <= set(registry.names())


def test_unknown_backend_names_the_known_ones():
    with pytest.raises(registry.BackendUnavailable, match=r"unknown backend 'nunpy': known are .*numpy"):
        registry.bind("cpu", "nunpy")


def test_a_backend_that_cannot_run_says_why(broken):
    with pytest.raises(registry.BackendUnavailable, match="'broken' is not available: its chip is on fire"):
        registry.bind("xpu", "broken")
    with pytest.raises(registry.BackendUnavailable, match=r"no available backend serves .*'xpu'.*on fire"):
        torsh.zeros(2, device="xpu")


def test_a_device_type_that_a_backend_does_not_serve():
    with pytest.raises(ValueError, match="'numpy' serves cpu, not 'cuda'"):
        registry.bind("cuda", "numpy")


def test_a_device_that_no_backend_sees_here():
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available() or registry.load("cupy").unavailable() is None:
        pytest.skip("there is a CUDA device")
    with pytest.raises(registry.BackendUnavailable, match=r"serves device type 'cuda' \(cupy: .*; torch: sees no cuda"):
        torsh.zeros(2, device="cuda")
    with pytest.raises(registry.BackendUnavailable, match="'torch' is not available for 'cuda': it sees"):
        registry.bind("cuda", "torch")


class Several(Backend):
    """Serves two device types with more than one device."""

    name = "several"
    device_types = ("cpu", "xpu")

    def unavailable(self):
        return None

    def devices(self):
        return [device("cpu"), device("xpu", 0), device("xpu", 1)]


def test_a_device_type_without_index_is_its_first_device():
    registry.register(Several())
    try:
        assert place_of(device("xpu")).device == device("xpu", 0)
        assert place_of(device("xpu", 1)).device == device("xpu", 1)
    finally:
        registry.unregister("several")


def test_use_binds_for_a_block_and_gives_back():
    pytest.importorskip("torch")
    before = registry.bound("cpu")
    with registry.use("torch") as backend:
        assert backend.name == "torch" == registry.bound("cpu")
        t = torsh.zeros(2)
    assert registry.bound("cpu") == before
    assert t._kind.backend is backend
    with pytest.raises(RuntimeError, match="two backends for cpu: 'numpy' and 'torch'"):
        torsh.zeros(2) + t


def test_what_is_made_on_a_tensors_device_can_be_computed_with_it():
    pytest.importorskip("torch")
    with registry.use("torch"):
        t = torsh.arange(3.0)
    assert t.device == torsh.device("cpu") == torsh.zeros(2).device
    for x in (torsh.ones(3, device=t.device), torsh.ones(3).to(t.device)):
        assert (x + t)._kind.backend.name == "torch"
    t[torsh.tensor([True, False, True], device=t.device)] = 7
    assert t[[0, -1]].tolist() == [7, 7]
    assert pickle.loads(pickle.dumps(t.device))._backend is None


def test_a_failing_block_gives_back_too():
    pytest.importorskip("torch")
    with pytest.raises(KeyError), registry.use("torch"):
        raise KeyError
    assert registry.bound("cpu") == "numpy"


def test_tensors_move_between_backends_by_to():
    pytest.importorskip("torch")
    with registry.use("torch"):
        t = torsh.tensor([1.5, 2.5])
    moved = t.to("cpu")
    assert moved._kind.backend.name == "numpy"
    assert moved._data.tolist() == [1.5, 2.5]


def test_describe_lists_all_and_gives_reasons(broken):
    found = {d.name: d for d in registry.describe()}
    assert found["numpy"].available and found["numpy"].version == np.__version__ and found["numpy"].devices == ("cpu",)
    assert found["numpy"].bound == ("cpu",)
    assert not found["broken"].available and "on fire" in found["broken"].reason and found["broken"].version is None
    for d in found.values():
        assert d.available or d.reason


def test_a_plug_in_that_fails_to_load_is_a_reason_not_a_crash(tmp_path, monkeypatch):
    (tmp_path / "rotten.py").write_text("raise ValueError('worm')\n")
    info = tmp_path / "rotten-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rotten\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[torsh.backends]\nrotten = rotten:Backend\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.refresh()
    try:
        assert "rotten" in registry.names()
        with pytest.raises(registry.BackendUnavailable, match=r"'rotten' \(rotten:Backend\) could not be .*worm"):
            registry.get("rotten")
        reason = next(d.reason for d in registry.describe() if d.name == "rotten")
        assert reason.endswith("ValueError: worm")
    finally:
        monkeypatch.undo()
        registry.refresh()


def test_dtypes_a_backend_lacks_are_refused_with_what_it_has():
    torch = pytest.importorskip("torch")
    from torsh_torch import TorchBackend

    registry.register(TorchBackend("single", ("cpu",), without=(dtypes.float64, dtypes.complex128)))
    try:
        with registry.use("single"):
            assert torsh.zeros(2)._data.dtype == torch.float32
            with pytest.raises(TypeError, match=r"'single' on device 'cpu' has no .*float64 tensors; convert to"):
                torsh.zeros(2, dtype=torsh.float64)
            with pytest.raises(TypeError, match="float64"):
                torsh.zeros(2).to(torsh.float64)
    finally:
        registry.unregister("single")


def test_devices_with_fewer_dtypes_than_their_library():
    pytest.importorskip("torch")
    backend = registry.load("torch")
    assert dtypes.float64 in backend.dtypes_on(device("cpu"))
    assert dtypes.float64 not in backend.dtypes_on(device("mps", 0))


def test_binding_is_seen_by_other_threads():
    pytest.importorskip("torch")
    seen = []
    with registry.use("torch"):
        thread = threading.Thread(target=lambda: seen.append(torsh.zeros(1)._kind.backend.name))
        thread.start()
        thread.join()
    assert seen == ["torch"]


def test_immutable_backends_are_wrapped(toy):
    assert isinstance(toy, FunctionalBackend) and not toy.capabilities.mutable
    assert not isinstance(registry.load("numpy"), FunctionalBackend)
