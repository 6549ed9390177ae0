"""Files: written by one library and read by the other; damaged and foreign ones; what is safe to load."""

from __future__ import annotations

import collections
import io
import os
import pickle
import zipfile

import numpy as np
import pytest

import torsh
import torsh.nn
import torsh.optim
import torsh.serialization

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")


def contents(T, legacy=False):
    T.manual_seed(0)
    m = T.nn.Sequential(T.nn.Linear(3, 4), T.nn.BatchNorm1d(4))
    opt = T.optim.Adam(m.parameters(), lr=0.1)
    m(T.randn(4, 3)).sum().backward()
    opt.step()
    base = T.arange(12.0).reshape(3, 4)
    found = {
        "model": m.state_dict(), "optimizer": opt.state_dict(), "views": [base, base[1:, ::2], base.t()], "int": T.arange(3),
        "bool": T.tensor([True, False]), "half": T.ones(3, dtype=T.float16), "bf16": T.ones(3, dtype=T.bfloat16),
        "complex": T.ones(2, dtype=T.complex64), "parameter": T.nn.Parameter(T.ones(2)), "grad": T.ones(2, requires_grad=True),
        "dtype": T.float32, "size": T.ones(2, 3).shape, "device": T.device("cpu"), "plain": [3, 2.5, "x", 2**70, None, b"b", (1,), 1j],
        "set": {1}, "ordered": collections.OrderedDict(a=1), "empty": T.empty(0, 3), "number": T.tensor(3.0),
    }  # fmt: skip
    if not legacy:
        found["u16"], found["f8"] = T.ones(2, dtype=T.uint16), T.ones(2, dtype=T.float8_e4m3fn)
    return found


def leaves(x, path=""):
    if isinstance(x, dict):
        for k, v in x.items():
            yield from leaves(v, f"{path}.{k}")
    elif isinstance(x, list):
        for i, v in enumerate(x):
            yield from leaves(v, f"{path}.{i}")
    else:
        yield path, x


def check_equal(a, b):
    for (k, x), (_, y) in zip(leaves(a), leaves(b), strict=True):
        if not hasattr(x, "detach"):
            assert str(x).replace("torsh", "torch") == str(y).replace("torsh", "torch"), k
            continue
        assert str(x.dtype)[6:] == str(y.dtype)[6:] and tuple(x.shape) == tuple(y.shape), k
        assert x.requires_grad == y.requires_grad and type(x).__name__ == type(y).__name__, k
        assert not x.numel() or tuple(x.stride()) == tuple(y.stride()), k
        x, y = (np.asarray((t if t.dtype.is_complex else t.double()).detach().tolist()) for t in (x, y))
        np.testing.assert_allclose(y, x, 1e-5, 1e-7, err_msg=k)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(("writer", "reader"), [(torch, torsh), (torsh, torch), (torsh, torsh)])
def test_exchange(writer, reader, zipped, tmp_path):
    given = contents(writer, not zipped)
    path, buffer = tmp_path / "file.pt", io.BytesIO()
    for f in (path, buffer):
        writer.save(given, f, _use_new_zipfile_serialization=zipped)
    ways = [(path, {}), (str(path), {"weights_only": False}), (buffer, {})] + (
        [(path, {"mmap": True})] if zipped else []
    )
    for f, kw in ways:
        buffer.seek(0)
        got = reader.load(f, **kw)
        check_equal(given, got)
        # Tensors that shared memory share it again.
        got["views"][0][1, 0] = 99.0
        assert got["views"][1][0, 0].item() == 99.0 and got["views"][2][0, 1].item() == 99.0


@pytest.mark.parametrize(("writer", "reader"), [(torch, torsh), (torsh, torch)])
def test_whole_modules(writer, reader):
    nn = writer.nn
    m = nn.Sequential(
        nn.Linear(3, 4),
        nn.ReLU(),
        nn.Conv2d(1, 2, 3),
        nn.LSTM(2, 3),
        nn.MultiheadAttention(4, 2),
        nn.CrossEntropyLoss(),
    )
    f = io.BytesIO()
    writer.save(m, f)
    f.seek(0)
    got = reader.load(f, weights_only=False)
    assert type(got) is reader.nn.Sequential and repr(got) == repr(m)
    check_equal(m.state_dict(), got.state_dict())
    reader.manual_seed(0)
    assert got[3](reader.ones(2, 1, 2))[0].shape == (2, 1, 3)
    f.seek(0)
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        reader.load(f)


def test_records_are_aligned(tmp_path):
    path = tmp_path / "a.pt"
    torsh.save({"a": torsh.arange(5), "b": torsh.ones(1000)}, path)
    with zipfile.ZipFile(path) as z:
        names = z.namelist()
        assert names[0] == "a/data.pkl" and {"a/byteorder", "a/version", "a/data/0", "a/data/1"} <= set(names)
        assert z.read("a/version") == b"3\n" and z.testzip() is None
    with open(path, "rb") as f:
        reader = torsh.serialization._Reader(f)
        assert all(reader.offset(n) % 64 == 0 for n in reader.infos)


def test_damaged_and_foreign_files():
    f = io.BytesIO()
    torch.save({"a": torch.ones(100)}, f)
    data = f.getvalue()
    flipped = bytearray(data)
    at = data.index(b"\x00\x00\x80?" * 50)
    flipped[at + 3] ^= 1
    for blob, error in (
        (data[: len(data) // 2], RuntimeError), (data[:-30], RuntimeError), (bytes(flipped), RuntimeError), (b"", EOFError),
        (b"hello world", pickle.UnpicklingError), (pickle.dumps({"a": 1}), pickle.UnpicklingError),
        (pickle.dumps(5, protocol=2), RuntimeError),
    ):  # fmt: skip
        with pytest.raises(error):
            torsh.load(io.BytesIO(blob))
    legacy = io.BytesIO()
    torsh.save(torsh.ones(100), legacy, _use_new_zipfile_serialization=False)
    with pytest.raises((RuntimeError, EOFError)):
        torsh.load(io.BytesIO(legacy.getvalue()[:-10]))
    for bad, error in ((3, AttributeError), ("/nowhere/at/all.pt", RuntimeError)):
        with pytest.raises(error):
            torsh.save(1, bad)
    with pytest.raises(FileNotFoundError):
        torsh.load("/nowhere/at/all.pt")


class Mine:
    """A class of the user's."""

    def __init__(self, x=0):
        self.x = x


class Evil:
    def __reduce__(self):
        return (os.system, ("true",))


def test_what_is_safe():
    f = io.BytesIO()
    torsh.save({"a": Mine(4)}, f)
    with pytest.raises(pickle.UnpicklingError, match="was not an allowed global by default"):
        torsh.load(io.BytesIO(f.getvalue()))
    with torsh.serialization.safe_globals([Mine]):
        assert torsh.load(io.BytesIO(f.getvalue()))["a"].x == 4
    with pytest.raises(pickle.UnpicklingError):
        torsh.load(io.BytesIO(f.getvalue()))
    assert torsh.load(io.BytesIO(f.getvalue()), weights_only=False)["a"].x == 4
    assert any("Mine" in n for n in torsh.serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(f.getvalue())))
    f = io.BytesIO()
    torsh.save(Evil(), f)
    with pytest.raises(pickle.UnpicklingError, match=r"blocked|not an allowed"):
        torsh.load(io.BytesIO(f.getvalue()))
    with pytest.raises(RuntimeError, match="explicit pickle_module"):
        torsh.load(io.BytesIO(f.getvalue()), weights_only=True, pickle_module=pickle)


def test_attributes_cannot_be_set_on_classes():
    # BUILD on something that is only named, not made: must not reach the class.
    blob = b"\x80\x02ctorch\nTensor\n}X\x01\x00\x00\x00aK\x01sb."
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as z:
        z.writestr("archive/data.pkl", blob)
        z.writestr("archive/version", "3\n")
    with pytest.raises(pickle.UnpicklingError, match="Can only build"):
        torsh.load(io.BytesIO(archive.getvalue()))


def test_map_location(tmp_path):
    path = tmp_path / "m.pt"
    torsh.save({"a": torsh.arange(3)}, path)
    seen = []
    for where in ("cpu", torsh.device("cpu"), {"cpu": "cpu"}, lambda s, loc: seen.append(loc), lambda s, loc: s):
        assert torsh.load(path, map_location=where)["a"].tolist() == [0, 1, 2]
    assert seen == ["cpu"]
    assert torsh.load(path, map_location="meta")["a"].device.type == "meta"
    with pytest.raises(RuntimeError, match="Attempting to deserialize object on a XPU device"):
        torsh.load(path, map_location="xpu")


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "keep.pt"
    torsh.save(torsh.ones(2), path)
    os.chmod(path, 0o640)
    with pytest.raises((AttributeError, pickle.PicklingError)):
        torsh.save({"a": torsh.ones(3), "b": lambda: 0}, path)
    assert torsh.load(path).tolist() == [1.0, 1.0] and os.listdir(tmp_path) == ["keep.pt"]
    torsh.save(torsh.zeros(1), path)
    assert torsh.load(path).tolist() == [0.0] and os.stat(path).st_mode & 0o777 == 0o640


def test_same_memory_as_two_types():
    t = torsh.ones(4)
    with pytest.raises(RuntimeError, match="view the same data as different types"):
        torsh.save([t, t.view(torsh.int32)], io.BytesIO())


def test_only_what_is_needed_is_mapped(tmp_path):
    path = tmp_path / "big.pt"
    torsh.save(torsh.arange(1000), path)
    t = torsh.load(path, mmap=True)
    t[0] = 5
    assert torsh.load(path)[0].item() == 0 and t[0].item() == 5
    with pytest.raises(ValueError, match="file path"):
        torsh.load(io.BytesIO(path.read_bytes()), mmap=True)
