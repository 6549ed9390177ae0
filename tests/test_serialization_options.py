"""Options of saving and loading, places of storages, and files made to do harm: as PyTorch has them."""

from __future__ import annotations

import copy
import io
import mmap
import pickle
import sys
import zipfile

import pytest

import torsh
import torsh.serialization
import torsh.utils.serialization
from torsh import _utils

torch = pytest.importorskip("torch")
pytest.importorskip("torch.utils.serialization")


def saved(T, obj, **kw):
    f = io.BytesIO()
    T.save(obj, f, **kw)
    f.seek(0)
    return f


@pytest.mark.parametrize(("writer", "reader"), [(torch, torsh), (torsh, torch), (torsh, torsh)])
def test_files_without_checksums_and_with_other_alignment(writer, reader):
    config = writer.utils.serialization.config
    with config.patch({"save.compute_crc32": False, "save.storage_alignment": 4096}):
        assert not writer.serialization.get_crc32_options()
        f = saved(writer, [writer.ones(3), writer.arange(5)])
    assert writer.serialization.get_crc32_options() and config.save.storage_alignment == 64
    got = reader.load(f)
    assert got[0].tolist() == [1.0] * 3 and got[1].tolist() == list(range(5))
    with pytest.raises(zipfile.BadZipFile), zipfile.ZipFile(f) as z:
        z.read("archive/data/0")
    records = torsh.PyTorchFileReader(f)
    assert records.get_record_offset("data/0") % 4096 == records.get_record_offset("data/1") % 4096 == 0
    assert records.get_record(".storage_alignment") == b"4096" and records.get_record(".format_version") == b"1"


@pytest.mark.parametrize("T", [torch, torsh])
def test_the_byte_order_of_files_without_a_mark(T):
    s = T.serialization
    f = io.BytesIO()
    with zipfile.ZipFile(saved(T, T.tensor([1, 256], dtype=T.int16))) as z, zipfile.ZipFile(f, "w") as without:
        for info in z.infolist():
            if not info.filename.endswith("byteorder"):
                without.writestr(info.filename, z.read(info))
    f.seek(0)
    other = s.LoadEndianness.BIG if sys.byteorder == "little" else s.LoadEndianness.LITTLE
    try:
        for order, wanted in ((other, [256, 1]), (s.LoadEndianness.NATIVE, [1, 256])):
            s.set_default_load_endianness(order)
            assert s.get_default_load_endianness() is order
            f.seek(0)
            assert T.load(f).tolist() == wanted
    finally:
        s.set_default_load_endianness(None)
    with pytest.raises(TypeError, match="Invalid argument type in function set_default_load_endianness"):
        s.set_default_load_endianness("big")


@pytest.mark.parametrize("T", [torch, torsh])
def test_mapped_files_can_be_written_to(T, tmp_path):
    path, s = str(tmp_path / "a.pt"), T.serialization
    T.save(T.zeros(3), path)
    T.load(path, mmap=True).fill_(5)
    assert T.load(path).tolist() == [0.0] * 3
    with s.set_default_mmap_options(mmap.MAP_SHARED), T.utils.serialization.config.patch("load.mmap", True):
        assert s.get_default_mmap_options() == mmap.MAP_SHARED
        T.load(path).fill_(5)
    assert s.get_default_mmap_options() == mmap.MAP_PRIVATE and T.load(path).tolist() == [5.0] * 3
    with pytest.raises(ValueError, match=r"expected mmap.MAP_PRIVATE or mmap.MAP_SHARED"):
        s.set_default_mmap_options(77)


@pytest.mark.parametrize("T", [torch, torsh])
def test_settings_that_do_not_exist(T):
    config = T.utils.serialization.config
    for section, name in ((config, "speed"), (config.load, "speed")):
        with pytest.raises(AttributeError, match="does not exist"):
            setattr(section, name, 1)
    assert config.get_config_copy()["load.mmap"] is False


@pytest.mark.parametrize("T", [torch, torsh])
def test_places_of_one_s_own(T):
    s = T.serialization
    before = list(s._package_registry)
    asked = []
    try:
        s.register_package(
            5, lambda x: "shelf:1", lambda x, place: asked.append(place) or x if place.startswith("shelf") else None
        )
        f = saved(T, T.ones(2))
        assert s.location_tag(T.ones(1).untyped_storage()) == "shelf:1"
        assert T.load(f).tolist() == [1.0, 1.0] and asked == ["shelf:1"]
    finally:
        s._package_registry[:] = before
    f.seek(0)
    with pytest.raises(
        RuntimeError, match=r"don't know how to restore data location of .*UntypedStorage \(tagged with shelf:1\)"
    ):
        T.load(f)
    for place in ("cuda:0", "hpu"):
        with pytest.raises(
            RuntimeError, match=r"Attempting to deserialize object on a CUDA|The HPU device module is not registered"
        ):
            (s.validate_cuda_device if "cuda" in place else s.validate_hpu_device)(place)


class Module:
    __name__ = "some"

    def __init__(self, version):
        self.__version__ = version


@pytest.mark.parametrize("T", [torch, torsh])
def test_versions_of_modules(T):
    check = T.serialization.check_module_version_greater_or_equal
    assert check(Module("1.10.3"), (1, 2)) and not check(Module("1.1"), (1, 2)) and check(Module("1.2.x"), (1, 2))
    with pytest.raises(RuntimeError, match=r"'some' module version string is malformed '1.y' and cannot be compared"):
        check(Module("1.y"), (1, 2))
    with pytest.warns(UserWarning, match="continuing assuming that requirement is met"):
        assert check(Module("1"), (1, 2), error_if_malformed=False)


@pytest.mark.parametrize("T", [torch, torsh])
def test_what_cannot_be_written_to_or_read_from(T):
    class Half:
        write = 3

    with pytest.raises(TypeError, match="has no callable attribute 'write'"):
        T.save(1, Half())

    class Stream(io.BytesIO):
        def seek(self, *args):
            raise io.UnsupportedOperation("seek")

    with pytest.raises(io.UnsupportedOperation, match=r"You can only torch.load from a file that is seekable"):
        T.load(Stream())
    with pytest.raises(ValueError, match=r"Expected input to be a checkpoint returned by torch.save"):
        T.serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(pickle.dumps(3)))
    with pytest.warns(UserWarning, match="Detected pickle protocol 3"):
        assert T.load(saved(T, 3, pickle_protocol=3)) == 3


@pytest.mark.parametrize("T", [torch, torsh])
def test_safetensors(T, tmp_path):
    numpy = pytest.importorskip("safetensors.numpy")
    import numpy as np

    path = str(tmp_path / "a.safetensors")
    given = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([True, False]), "c": np.zeros((0, 2), np.int64),
             "d": np.array(5, np.uint8)}  # fmt: skip
    numpy.save_file(given, path)
    got = T.load(path)
    for k, v in given.items():
        assert (
            got[k].tolist() == v.tolist() and tuple(got[k].shape) == v.shape and str(got[k].dtype)[6:] == v.dtype.name
        )
    with pytest.raises(RuntimeError, match="with dict map_location is not supported"):
        T.load(path, map_location={"cpu": "cpu"})


# ---- files made to do harm --------------------------------------------------------------------------------------------------


def integer(n):
    return b"J" + n.to_bytes(4, "little", signed=True)


def text(s):
    return b"X" + len(s).to_bytes(4, "little") + s.encode()


def name(full):
    module, _, attribute = full.rpartition(".")
    return b"c" + module.encode() + b"\n" + attribute.encode() + b"\n"


def many(*items):
    return b"(" + b"".join(items) + b"t"


def tensor(offset=0, size=(2, 2), stride=(2, 1), kind="torch.FloatStorage", numel=4):
    storage = many(text("storage"), name(kind), text("0"), text("cpu"), integer(numel)) + b"Q"
    return (
        b"\x80\x02" + name("torch._utils._rebuild_tensor_v2")
        + many(storage, integer(offset), many(*map(integer, size)), many(*map(integer, stride)), b"\x89",
               name("collections.OrderedDict") + b")R") + b"R."
    )  # fmt: skip


def archive(data):
    f = io.BytesIO()
    with zipfile.ZipFile(f, "w") as z:
        z.writestr("archive/data.pkl", data)
        z.writestr("archive/data/0", b"\0" * 16)
        z.writestr("archive/version", "3\n")
    f.seek(0)
    return f


HARM = {
    "behind": tensor(offset=100), "before": tensor(offset=-1), "large": tensor(size=(200, 2)), "backwards": tensor(stride=(-2, 1)),
    "negative": tensor(size=(-2, 2)), "uneven": tensor(stride=(1,)), "no storage": tensor(kind="torch.Tensor"),
    "few bytes": tensor(numel=1000), "fewer than none": tensor(numel=-4),
    "layout": b"\x80\x02" + name("torch.serialization._get_layout") + many(text("nonsense")) + b"R.",
    "blocked": b"\x80\x02" + name("os.system") + many(text("true")) + b"R.", "no name": b"\x80\x02" + name("__builtin__.eval") + b".",
    "empty stack": b"\x80\x02R.", "no memo": b"\x80\x02h\x05.", "opcode": b"I1\n.", "call a number": b"\x80\x02K\x01)R.",
    "attributes of a number": b"\x80\x02K\x01}b.", "odd": b"\x80\x02}(K\x02u.", "nothing": b"",
}  # fmt: skip


@pytest.mark.parametrize("case", HARM)
def test_harmful_files_are_refused(case):
    for T in (torch, torsh):
        with pytest.raises(Exception) as e:
            T.load(archive(HARM[case]))
    assert isinstance(e.value, (RuntimeError, pickle.UnpicklingError, EOFError)), (
        "torsh's error is one that programs catch"
    )
    assert torsh.load(archive(tensor())).tolist() == [[0.0, 0.0], [0.0, 0.0]]


class Spoofed:
    def __init__(self, T, parts):
        self.rebuild, self.parts = T._utils._rebuild_sparse_tensor, parts

    def __reduce_ex__(self, protocol):
        return self.rebuild, self.parts


@pytest.mark.parametrize("zipped", [True, False])
def test_sparse_tensors_are_checked_when_their_numbers_are_there(zipped):
    csr, coo = torsh.eye(3).to_sparse_csr(), torsh.eye(3).to_sparse()
    bad = csr.crow_indices().clone()
    bad[0] = 3
    parts = (csr.layout, (bad, csr.col_indices(), csr.values(), csr.size()))
    with pytest.raises(RuntimeError, match=r"`crow_indices\[..., 0\] == 0` is not satisfied"):
        torsh.load(saved(torsh, Spoofed(torsh, parts), _use_new_zipfile_serialization=zipped))
    parts = (coo.layout, (coo._indices() + 1, coo._values(), coo.size()))
    with pytest.raises(RuntimeError, match="size is inconsistent with indices"):
        torsh.load(saved(torsh, Spoofed(torsh, parts), _use_new_zipfile_serialization=zipped))
    assert _utils._checks_later is None
    got = torsh.load(saved(torsh, [coo, csr], _use_new_zipfile_serialization=zipped))
    assert all(t.to_dense().equal(torsh.eye(3)) for t in got)


# ---- subclasses with slots -----------------------------------------------------------------------------------------------------


def make_class(T, label):
    class Slotted(T.Tensor):
        __slots__ = ("elem",)

        @staticmethod
        def __new__(cls, elem):
            found = T.Tensor._make_subclass(cls, elem.to("meta"), elem.requires_grad)
            found.elem = elem
            return found

        def clone(self):
            return type(self)(self.elem.clone())

    class Stated(T.Tensor):
        def __getstate__(self):
            return {"kept": 7}

    for cls in (Slotted, Stated):
        cls.__qualname__ = cls.__name__ = f"{cls.__name__}{label}"
        globals()[cls.__name__] = cls
        cls.__module__ = __name__
    return Slotted, Stated


@pytest.mark.parametrize("T", [torch, torsh])
def test_what_subclasses_hold_is_copied_and_pickled(T):
    slotted, stated = make_class(T, "Torsh" if T is torsh else "Torch")
    t = slotted(T.ones(2))
    t.more = [1]
    for got in (copy.deepcopy(t), pickle.loads(pickle.dumps(t)), T.load(saved(T, t), weights_only=False)):
        assert type(got) is slotted and got.elem.tolist() == [1.0, 1.0] and got.elem is not t.elem and got.more == [1]
    s = T.ones(2).as_subclass(stated)
    s.dropped = 3
    got = T.load(saved(T, s), weights_only=False)
    assert type(got) is stated and got.kept == 7 and not hasattr(got, "dropped")
