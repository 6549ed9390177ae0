"""Saving and loading: PyTorch's own file format, both ways.

A file is a zip archive with uncompressed records: ``data.pkl`` (a pickle in which storages are persistent ids), the bytes
of every storage in ``data/0``, ``data/1``, ..., ``byteorder`` and ``version``.  In the pickle all names are PyTorch's, so
that PyTorch reads what torsh wrote.
Source: https://docs.pytorch.org/docs/stable/notes/serialization.html
"""

from __future__ import annotations

import io
import os
import pickle
import re
import struct
import sys
import tempfile
import threading
import warnings
import zipfile
import zlib
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np

from torsh import dtypes
from torsh._pickle import SafeUnpickler, make_pickler, make_unpickler
from torsh._pickle import add_safe_globals as add_safe_globals
from torsh._pickle import clear_safe_globals as clear_safe_globals
from torsh._pickle import get_safe_globals as get_safe_globals
from torsh._pickle import safe_globals as safe_globals
from torsh._records import PyTorchFileReader, PyTorchFileWriter
from torsh._saving_options import LoadEndianness as LoadEndianness
from torsh._saving_options import assumed_order, shared
from torsh._saving_options import get_crc32_options as get_crc32_options
from torsh._saving_options import get_default_load_endianness as get_default_load_endianness
from torsh._saving_options import get_default_mmap_options as get_default_mmap_options
from torsh._saving_options import set_crc32_options as set_crc32_options
from torsh._saving_options import set_default_load_endianness as set_default_load_endianness
from torsh._saving_options import set_default_mmap_options as set_default_mmap_options
from torsh._storage_locations import _package_registry as _package_registry
from torsh._storage_locations import default_restore_location as default_restore_location
from torsh._storage_locations import location_tag as location_tag
from torsh._storage_locations import register_package as register_package
from torsh._storage_locations import validate_cuda_device as validate_cuda_device
from torsh._storage_locations import validate_hpu_device as validate_hpu_device
from torsh._utils import _check_sparse_later
from torsh.device import device as Device
from torsh.utils.serialization import config

MAP_LOCATION = (
    Callable[[Any, str], Any] | Device | str | dict[str, str] | None
)  # what ``map_location`` of load() may be
STORAGE = Any
DEFAULT_PROTOCOL = 2
MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
ALIGNMENT = 64
_NATIVE_ORDER = sys.byteorder
_DOCS = (
    "\n\nCheck the documentation of torch.load to learn more about types accepted by default with weights_only "
    "https://pytorch.org/docs/stable/generated/torch.load.html."
)
_SEEKABLE = (
    ". You can only torch.load from a file that is seekable. Please pre-load the data into a buffer like io.BytesIO and try to "
    "load from it instead."
)
UNSAFE_MESSAGE = (
    "In PyTorch 2.6, we changed the default value of the `weights_only` argument in `torch.load` from `False` to `True`. "
    "Re-running `torch.load` with `weights_only` set to `False` will likely succeed, but it can result in arbitrary code "
    "execution. Do it only if you got the file from a trusted source."
)


class _Local(threading.local):
    skip_data: bool = False
    map_location: Any = None


_local = _Local()


class SourceChangeWarning(Warning):
    """The code of a module's class is not what it was when it was saved: the legacy format keeps it.

    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html
    """


class StorageType:
    """What stands for a legacy storage class in a file: its element type.

    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html

    >>> import torsh
    >>> torsh.serialization.StorageType("HalfStorage").dtype
    torsh.float16
    """

    def __init__(self, name: str) -> None:
        from torsh.storage import CLASSES

        self._dtype = CLASSES[name].dtype

    @property
    def dtype(self) -> Any:
        """The element type."""
        return self._dtype

    def __str__(self) -> str:
        return f"StorageType(dtype={self.dtype})"


class skip_data:
    """While on, ``save`` leaves room for storages without writing them, and ``load`` does not read them.

    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#torch.serialization.skip_data

    >>> import torsh
    >>> import io
    >>> file = io.BytesIO()
    >>> with torsh.serialization.skip_data():
    ...     torsh.save(torsh.tensor([1., 2.]), file)
    >>> _ = file.seek(0)
    >>> torsh.load(file).shape
    torsh.Size([2])
    """

    def __init__(self, materialize_fake_tensors: bool = False) -> None:
        self.materialize_fake_tensors = materialize_fake_tensors

    def __enter__(self) -> None:
        self._before, _local.skip_data = _local.skip_data, True

    def __exit__(self, *exc: object) -> None:
        _local.skip_data = self._before


def _get_layout(name: str) -> Any:
    """A layout by its name, as pickles of sparse tensors give it."""
    from torsh.memory_format import LAYOUTS

    return {x.name: x for x in LAYOUTS}[name.rpartition(".")[2]]


# ---- where to write ----------------------------------------------------------------------------------------------------


def _is_path(f: Any) -> bool:
    return isinstance(f, (str, os.PathLike))


@contextmanager
def _replacing(path: str) -> Any:
    """A file that takes the place of ``path`` only when all is written and on the disk."""
    path = os.path.realpath(path)
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise RuntimeError(f"Parent directory {folder} does not exist.")
    if os.path.exists(path) and not os.path.isfile(path):  # a device or a pipe: nothing to replace
        with open(path, "wb") as f:
            yield f
        return
    handle, temporary = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", suffix=".tmp", dir=folder)
    try:
        with os.fdopen(handle, "wb") as f:
            yield f
            f.flush()
            os.fsync(f.fileno())
        try:
            mode = os.stat(path).st_mode & 0o777
        except FileNotFoundError:
            mask = os.umask(0)
            os.umask(mask)
            mode = 0o666 & ~mask
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        raise


def _is_zipfile(f: Any) -> bool:
    """Whether what comes next in a file is a zip archive from its beginning."""
    start = f.tell()
    magic = f.read(4)
    f.seek(start)
    return bool(magic == b"PK\x03\x04")


@contextmanager
def _open_zipfile_reader(name_or_buffer: Any) -> Any:
    """The records of a file: what programs that look into files open them with."""
    yield PyTorchFileReader(name_or_buffer)


@contextmanager
def _open_zipfile_writer(name_or_buffer: Any) -> Any:
    """Writes the records of a file."""
    writer = PyTorchFileWriter(name_or_buffer, get_crc32_options(), config.save.storage_alignment)
    yield writer
    writer.write_end_of_file()


class _Writer:
    """A zip archive whose records begin at multiples of 64 bytes, so that they can be mapped into memory."""

    def __init__(self, f: Any, root: str, checked: bool = True, alignment: int = ALIGNMENT) -> None:
        self.zip = zipfile.ZipFile(f, "w", zipfile.ZIP_STORED, allowZip64=True)
        self.root = root
        self.crcs = 0
        self.checked = checked
        self.alignment = alignment

    def write(self, name: str, data: Any) -> None:
        data = memoryview(data).cast("B") if len(data) else b""
        info = zipfile.ZipInfo(f"{self.root}/{name}", date_time=(1980, 1, 1, 0, 0, 0))
        size = info.file_size = info.compress_size = len(data)
        large = size * 1.05 > zipfile.ZIP64_LIMIT
        file: Any = self.zip.fp
        info.header_offset = file.tell()
        at = info.header_offset + 30 + len(info.filename.encode()) + 4 + (20 if large else 0)
        room = -at % self.alignment
        info.extra = struct.pack("<HH", 0x4246, room) + b"Z" * room
        self.crcs = zlib.crc32(info.filename.encode(), self.crcs)
        info.CRC = zlib.crc32(data) if self.checked else 0
        # As ZipFile.mkdir writes its records: ZipFile.open would always compute the checksum.
        file.write(info.FileHeader(large))
        file.write(data)
        self.zip.filelist.append(info)
        self.zip.NameToInfo[info.filename] = info
        self.zip.start_dir = file.tell()
        self.zip._didModify = True  # type: ignore[attr-defined]
        self.crcs = (self.crcs * 31 + info.CRC) & 0xFFFFFFFFFFFFFFFF

    def close(self) -> None:
        self.write("version", b"3\n")
        self.write(".data/serialization_id", b"%040d" % self.crcs)
        self.zip.close()


def _bytes_of(storage: Any) -> np.ndarray[Any, Any]:
    """The bytes of a storage on the host."""
    return storage._bytes().detach().cpu().numpy()


def _persistent(storages: dict[str, Any], legacy: bool) -> Callable[[Any], Any]:
    """``persistent_id`` of the pickler; fills ``storages`` (key -> storage), which also keeps them alive."""
    from torsh.storage import CLASSES, TypedStorage, UntypedStorage

    keys: dict[int, str] = {}
    kinds: dict[int, Any] = {}

    def persistent_id(obj: Any) -> Any:
        if isinstance(obj, TypedStorage):
            storage, dtype = obj._untyped_storage, obj.dtype
            name = f"{dtypes.scalar_name(dtype)}Storage"
            kind = CLASSES.get(name, UntypedStorage)
            numel = storage.nbytes() // dtype.itemsize
        elif isinstance(obj, UntypedStorage):
            storage, dtype, kind, numel = obj, dtypes.uint8, UntypedStorage, obj.nbytes()
        else:
            return None
        at = storage.data_ptr() if storage.device.type != "meta" and storage.nbytes() else 0
        if at and kinds.setdefault(at, dtype) is not dtype:
            raise RuntimeError("Cannot save multiple tensors or storages that view the same data as different types")
        key = keys.setdefault(id(storage), str(len(keys)))
        storages[key] = storage
        if legacy:
            return ("storage", kind, key, location_tag(storage), numel, None)
        return ("storage", kind, key, location_tag(storage), numel)

    return persistent_id


def save(
    obj: object,
    f: Any,
    pickle_module: Any = pickle,
    pickle_protocol: int = DEFAULT_PROTOCOL,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Write an object with its tensors to a file.

    f: a path, or an object with ``write``.  A path gets its new content all at once: a crash leaves the old file.
    Raises AttributeError for anything else as f, RuntimeError if the folder does not exist.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.save.html

    >>> import torsh
    >>> import io
    >>> file = io.BytesIO()
    >>> torsh.save(torsh.tensor([1., 2.]), file)
    >>> _ = file.seek(0)
    >>> torsh.load(file)
    tensor([1., 2.])
    """
    _check_dill_version(pickle_module)
    if not _is_path(f) and not hasattr(f, "write"):
        raise AttributeError(
            f"expected 'f' to be string, path, or a file-like object with a 'write' attribute, got {type(f).__name__}"
        )
    root = "archive"
    write = _save_zip if _use_new_zipfile_serialization else _save_legacy
    if not _use_new_zipfile_serialization and _local.skip_data:
        raise RuntimeError("Cannot use skip_data=True with _use_new_zipfile_serialization=False")
    if _is_path(f):
        path = os.fspath(f)
        root = os.path.basename(path).rpartition(".")[0] or os.path.basename(path) or root
        with _replacing(path) as opened:
            write(obj, opened, root, pickle_module, pickle_protocol, not _disable_byteorder_record)
        return
    if not callable(f.write):
        raise TypeError(f"Buffer of {str(type(f)).strip('<>')} has no callable attribute 'write'")
    buffer = io.BytesIO()
    write(obj, buffer, root, pickle_module, pickle_protocol, not _disable_byteorder_record)
    f.write(buffer.getbuffer())
    if hasattr(f, "flush"):
        f.flush()


def _save_zip(obj: Any, f: Any, root: str, module: Any, protocol: int, byteorder: bool) -> None:
    storages: dict[str, Any] = {}
    data = io.BytesIO()
    make_pickler(module)(data, protocol, _persistent(storages, False)).dump(obj)
    alignment = config.save.storage_alignment
    archive = _Writer(f, root, get_crc32_options(), alignment)
    archive.write("data.pkl", data.getvalue())
    # That storages are in the order of their numbers, and where they may begin: readers compute offsets from these.
    archive.write(".format_version", b"1")
    archive.write(".storage_alignment", str(alignment).encode())
    if byteorder:
        archive.write("byteorder", _NATIVE_ORDER.encode())
    for key, storage in storages.items():
        meta = storage.device.type == "meta"
        archive.write(f"data/{key}", bytes(storage.nbytes()) if _local.skip_data or meta else _bytes_of(storage))
    archive.close()


def _save_legacy(obj: Any, f: Any, root: str, module: Any, protocol: int, byteorder: bool) -> None:
    storages: dict[str, Any] = {}
    sizes = {"short": 2, "int": 4, "long": 4}
    info = {"protocol_version": PROTOCOL_VERSION, "little_endian": _NATIVE_ORDER == "little", "type_sizes": sizes}
    for head in (MAGIC_NUMBER, PROTOCOL_VERSION, info):
        pickle.dump(head, f, protocol=protocol)
    widths: dict[str, int] = {}
    persistent = _persistent(storages, True)

    def persistent_id(o: Any) -> Any:
        found = persistent(o)
        if found is not None:
            widths[found[2]] = getattr(getattr(found[1], "dtype", None), "itemsize", 1)
        return found

    make_pickler(module)(f, protocol, persistent_id).dump(obj)
    pickle.dump(sorted(storages), f, protocol=protocol)
    for key in sorted(storages):
        data = _bytes_of(storages[key])
        f.write(struct.pack("<q", len(data) // widths[key]))
        f.write(data.tobytes())


# ---- reading ---------------------------------------------------------------------------------------------------------


class _Reader:
    """The records of a zip archive."""

    def __init__(self, f: Any) -> None:
        self.file = f
        try:
            self.zip = zipfile.ZipFile(f)
        except (zipfile.BadZipFile, struct.error, ValueError, OSError) as e:
            raise RuntimeError(
                f"PytorchStreamReader failed reading zip archive: failed finding central directory ({e}); the file is "
                "truncated or damaged"
            ) from None
        names = self.zip.namelist()
        if not names:
            raise RuntimeError("PytorchStreamReader failed reading zip archive: archive does not contain any files")
        self.root = names[0].partition("/")[0]
        self.infos = {n[len(self.root) + 1 :]: self.zip.getinfo(n) for n in names if n.startswith(self.root + "/")}

    def __contains__(self, name: str) -> bool:
        return name in self.infos

    def _info(self, name: str) -> zipfile.ZipInfo:
        info = self.infos.get(name)
        if info is None:
            raise RuntimeError(
                f"PytorchStreamReader failed locating file {name}: file not found; it is no file of torch.save, or a "
                "damaged one"
            )
        return info

    def read(self, name: str) -> bytearray:
        """The bytes of a record."""
        info = self._info(name)
        try:
            if info.compress_type != zipfile.ZIP_STORED:
                return bytearray(self.zip.read(info))
            data = bytearray(info.file_size)
            self.file.seek(self.offset(name))
            if _read_into(self.file, data) != len(data):
                raise EOFError("the file ends too early")
            if info.CRC and zlib.crc32(data) != info.CRC:  # 0: written without checksums
                raise zipfile.BadZipFile("bad checksum")
            return data
        except (zipfile.BadZipFile, EOFError, struct.error, OSError) as e:
            raise RuntimeError(f"PytorchStreamReader failed reading file {name}: file read failed ({e})") from None

    def offset(self, name: str) -> int:
        """Where the bytes of a record begin in the file."""
        info = self._info(name)
        self.file.seek(info.header_offset)
        head = self.file.read(30)
        if len(head) < 30 or head[:4] != b"PK\x03\x04":
            raise zipfile.BadZipFile("no record where one should be")
        name_length, extra_length = struct.unpack("<HH", head[26:30])
        return info.header_offset + 30 + name_length + extra_length


def _drop_checksums(archive: _Reader, mapped: Any) -> None:
    """Let an archive say that it has no checksums: what is written through the mapping would make them wrong."""
    at = archive.zip.start_dir
    while bytes(mapped[at : at + 4]) == b"PK\x01\x02":
        mapped[at + 16 : at + 20] = 0
        at += 46 + sum(struct.unpack("<HHH", bytes(mapped[at + 28 : at + 34])))


def _read_into(f: Any, data: bytearray) -> int:
    """Fill a buffer from a file; how many bytes there were."""
    if hasattr(f, "readinto"):
        return int(f.readinto(data))
    found = f.read(len(data))
    data[: len(found)] = found
    return len(found)


def _storage_of(data: Any, device: Any) -> Any:
    """A storage on a device with the bytes of a buffer."""
    from torsh.ops.data import on_device
    from torsh.storage import UntypedStorage

    array = np.asarray(data) if isinstance(data, np.ndarray) else np.frombuffer(data, np.uint8)
    t = on_device(array, dtypes.uint8, device)
    storage = UntypedStorage.__new__(UntypedStorage)
    storage._take(t._data, t._kind.place)
    return storage


def _restorer(map_location: Any) -> Callable[[Any, str], Any]:
    if map_location is None:
        return default_restore_location
    if isinstance(map_location, dict):
        return lambda storage, location: default_restore_location(storage, map_location.get(location, location))
    if isinstance(map_location, (str, bytes, Device)):
        return lambda storage, location: default_restore_location(storage, map_location)

    def restore(storage: Any, location: str) -> Any:
        found = map_location(storage, location)
        return default_restore_location(storage, location) if found is None else found

    return restore


def _dtype_of(kind: Any) -> Any:
    """The element type of a storage class in a persistent id."""
    from torsh.storage import UntypedStorage

    found = dtypes.uint8 if kind is UntypedStorage else getattr(kind, "dtype", None)
    if not isinstance(found, dtypes.dtype):
        raise pickle.UnpicklingError(f"expected torch.dtype, but got {type(found)}: {kind!r} is no class of storages")
    return found


def _swap(data: Any, dtype: Any) -> Any:
    """Bytes in the other order."""
    width = dtype.itemsize // (2 if dtype.is_complex else 1)
    return data if width == 1 else bytearray(np.frombuffer(data, f"u{width}").byteswap().tobytes())


def _load_zip(archive: _Reader, map_location: Any, unpickler: Any, path: Any, options: dict[str, Any]) -> Any:
    from torsh.storage import TypedStorage, UntypedStorage

    order = bytes(archive.read("byteorder")) if "byteorder" in archive else assumed_order().encode()
    if order not in (b"little", b"big"):
        raise ValueError("Unknown endianness type: " + order.decode(errors="replace"))
    foreign = order.decode() != _NATIVE_ORDER
    restore = _restorer(map_location)
    meta = isinstance(map_location, (str, Device)) and str(map_location) == "meta"
    mapped = None if path is None else np.asarray(np.memmap(path, np.uint8, "r+" if shared() else "c"))
    if mapped is not None and shared():
        _drop_checksums(archive, mapped)
    loaded: dict[str, Any] = {}

    def persistent_load(saved: Any) -> Any:
        if not isinstance(saved, tuple):
            raise AssertionError(f"saved_id must be a tuple, got {type(saved).__name__}")
        if _text(saved[0]) != "storage":
            raise AssertionError(
                f"Unknown typename for persistent_load, expected 'storage' but got '{_text(saved[0])}'"
            )
        kind, key, location, numel = saved[1:]
        dtype = _dtype_of(kind)
        storage = loaded.get(key)
        if storage is None:
            n = numel * dtype.itemsize
            if n < 0:
                raise pickle.UnpicklingError(f"a storage of {numel} elements: the file is damaged")
            if meta:
                storage = UntypedStorage(n, device="meta")
            else:
                if _local.skip_data:
                    data: Any = bytearray(n)
                elif mapped is not None and not foreign:
                    start = archive.offset(f"data/{key}")
                    data = mapped[start : start + n]
                else:
                    data = archive.read(f"data/{key}")
                if len(data) < n:
                    raise RuntimeError(
                        f"PytorchStreamReader failed reading file data/{key}: file read failed (it has {len(data)} bytes, "
                        f"{n} are needed)"
                    )
                storage = restore(_storage_of(_swap(data, dtype) if foreign else data, "cpu"), _text(location))
            loaded[key] = storage = getattr(storage, "_untyped_storage", storage)
        return TypedStorage(wrap_storage=storage, dtype=dtype)

    _local.map_location = map_location
    try:
        return unpickler(io.BytesIO(archive.read("data.pkl")), persistent_load, **options).load()
    finally:
        _local.map_location = None


def _text(x: Any) -> Any:
    return x.decode("ascii") if isinstance(x, bytes) else x


def _load_legacy(f: Any, map_location: Any, unpickler: Any, options: dict[str, Any]) -> Any:
    from torsh.storage import TypedStorage

    restore = _restorer(map_location)
    # The bytes follow after the pickle: storages are made empty and filled then.
    made: dict[str, tuple[Any, Any, str]] = {}
    views: dict[Any, Any] = {}

    def persistent_load(saved: Any) -> Any:
        kind = _text(saved[0])
        if kind == "module":
            return saved[1]
        if kind != "storage":
            raise RuntimeError(f"Unknown saved id type: {saved[0]}")
        cls, key, location, numel, view = saved[1:]
        dtype = _dtype_of(cls)
        if key not in made:
            storage = restore(_storage_of(bytearray(numel * dtype.itemsize), "cpu"), _text(location))
            made[key] = (getattr(storage, "_untyped_storage", storage), dtype, _text(location))
        storage = made[key][0]
        if view is not None:
            name, offset, size = view
            width = dtype.itemsize
            if name not in views:
                views[name] = storage[offset * width : (offset + size) * width]
            storage = views[name]
        return TypedStorage(wrap_storage=storage, dtype=dtype)

    def none(saved: Any) -> Any:
        raise pickle.UnpicklingError("unsupported persistent id encountered")

    def head() -> Any:
        return unpickler(f, none, **options).load()

    if head() != MAGIC_NUMBER:
        raise RuntimeError("Invalid magic number; corrupt file?")
    version = head()
    if version != PROTOCOL_VERSION:
        raise RuntimeError(f"Invalid protocol version: {version}")
    head()
    result = unpickler(f, persistent_load, **options).load()
    for key in head():
        storage, dtype, _ = made[key]
        count = f.read(8)
        n = storage.nbytes()
        if len(count) < 8 or struct.unpack("<q", count)[0] * dtype.itemsize != n:
            raise RuntimeError(f"unexpected EOF, expected {n} more bytes. The file might be corrupted.")
        data = bytearray(n)
        has = _read_into(f, data)
        if has < n:
            raise RuntimeError(f"unexpected EOF, expected {n - has} more bytes. The file might be corrupted.")
        storage.copy_(_storage_of(data, "cpu"))
    return result


def _explained(e: pickle.UnpicklingError) -> pickle.UnpicklingError:
    """An error of the restricted unpickler with what to do about it."""
    message = str(e)
    if re.search(r"GLOBAL (\S+) was not an allowed global by default.", message):
        return pickle.UnpicklingError(
            "Weights only load failed. This file can still be loaded, to do so you have two options, \033[1mdo those steps "
            f"only if you trust the source of the checkpoint\033[0m. \n\t(1) {UNSAFE_MESSAGE}\n\t(2) Alternatively, to load "
            "with `weights_only=True` please check the recommended steps in the following error message.\n\tWeightsUnpickler "
            f"error: {message}{_DOCS}"
        )
    hint = (
        ""
        if re.search(r"whose module (\S+) is blocked", message)
        else (
            "If the file is one of torch.save and not damaged, this is a type that `weights_only=True` does not support yet. "
            "WeightsUnpickler error: "
        )
    )
    return pickle.UnpicklingError(f"Weights only load failed. {UNSAFE_MESSAGE}\n{hint}\n\n{message}{_DOCS}")


def _check_readable(f: Any) -> None:
    for name in ("read", "readline", "seek", "tell"):
        if not hasattr(f, name):
            raise AttributeError(f"'{type(f).__name__}' object has no attribute '{name}'" + _SEEKABLE)
    try:
        f.seek(f.tell())
    except (io.UnsupportedOperation, AttributeError) as e:
        if "seek" in str(e) or "tell" in str(e):
            raise type(e)(str(e) + _SEEKABLE) from None
        raise


def _load_safetensors(path: str, map_location: Any) -> dict[str, Any]:
    """The tensors of a file in the format of the library safetensors."""
    if map_location is not None and not isinstance(map_location, (str, bytes, Device)):
        what = "dict" if isinstance(map_location, dict) else "callable"
        raise RuntimeError(
            f"Loading safetensors file with {what} map_location is not supported. Use a device string or torch.device instead."
        )
    try:
        from safetensors import deserialize
    except ImportError as e:
        raise RuntimeError(
            "Attempting to load a safetensors file but safetensors is not installed. Please install safetensors with: pip install "
            "safetensors"
        ) from e
    from torsh.storage import storage_tensor

    named = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "C64": "complex64", "BOOL": "bool",
             "F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu"}  # fmt: skip
    found = {}
    with open(path, "rb") as file:
        records = deserialize(file.read())
    for name, record in records:
        kind = record["dtype"]
        dtype = getattr(dtypes, named.get(kind) or kind.replace("I", "int").replace("U", "uint"))
        storage = _restorer(map_location)(_storage_of(bytearray(record["data"]), "cpu"), "cpu")
        shape = tuple(record["shape"])
        strides = [1] * len(shape)
        for i in range(len(shape) - 1, 0, -1):
            strides[i - 1] = strides[i] * max(shape[i], 1)
        found[name] = storage_tensor(storage, dtype, 0, shape, tuple(strides))
    return found


def _weights_only(asked: bool | None, pickle_module: Any) -> bool:
    """Whether to use the restricted unpickler: as asked, by default yes, unless the environment says otherwise."""

    def on(name: str) -> bool:
        return os.getenv(name, "0").lower() in ("1", "y", "yes", "true")

    found = (pickle_module is None) if asked is None else asked
    force, forbid = on("TORCH_FORCE_WEIGHTS_ONLY_LOAD"), on("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
    if force and forbid:
        raise RuntimeError(
            "Only one of `TORCH_FORCE_WEIGHTS_ONLY_LOAD` or `TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD` should be set, but both were "
            "set."
        )
    if force:
        return True
    if forbid and asked is None:
        warnings.warn(
            "Environment variable TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD detected, since the`weights_only` argument was not "
            "explicitly passed to `torch.load`, forcing weights_only=False.",
            UserWarning,
            stacklevel=3,
        )
        return False
    return found


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Read an object that ``save`` (torsh's or PyTorch's) wrote.

    f: a path, or an object with ``read``, ``readline``, ``seek`` and ``tell``.  map_location: a device for all tensors, a
    dictionary from device names to device names, or a function of (storage, device name).  weights_only: allow tensors and
    plain containers only, and what ``add_safe_globals`` named (the default); without it a file can run any code.
    mmap: map the file into memory instead of reading it; changes stay in memory.

    Raises pickle.UnpicklingError for what is not allowed, RuntimeError for a damaged archive, EOFError for an empty file.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.load.html

    >>> import torsh
    >>> import io
    >>> file = io.BytesIO()
    >>> torsh.save({"w": torsh.tensor([1., 2.])}, file)
    >>> _ = file.seek(0)
    >>> torsh.load(file)
    {'w': tensor([1., 2.])}
    """
    weights_only = _weights_only(weights_only, pickle_module)
    if weights_only and pickle_module is not None:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    _check_dill_version(pickle_module)
    if mmap is None:
        mmap = config.load.mmap
    if pickle_load_args and weights_only:
        warnings.warn("pickle_load_args only works if `weights_only=False`.", stacklevel=2)
    options = {"encoding": "utf-8", **pickle_load_args}
    unpickler = SafeUnpickler if weights_only else make_unpickler(pickle_module or pickle)
    path = os.fspath(f) if _is_path(f) else None
    if path is not None and path.endswith(".safetensors"):
        return _load_safetensors(path, map_location)
    if path is None:
        _check_readable(f)
    opened = f if path is None else open(path, "rb")  # noqa: SIM115
    try:
        if _is_zipfile(opened):
            archive = _Reader(opened)
            if "constants.pkl" in archive:
                warnings.warn(
                    "'torch.load' received a zip file that looks like a TorchScript archive dispatching to 'torch.jit.load' (call "
                    "'torch.jit.load' directly to silence this warning)",
                    UserWarning,
                    stacklevel=2,
                )
                raise RuntimeError(
                    "Cannot use ``weights_only=True`` with TorchScript archives passed to ``torch.load``. "
                    + UNSAFE_MESSAGE
                    if weights_only
                    else "this file is a TorchScript archive, which torsh cannot load: save the model's state_dict instead"
                )
            if mmap and path is None:
                raise ValueError("f must be a file path in order to use the mmap argument")
            read = lambda: _load_zip(archive, map_location, unpickler, path if mmap else None, options)
        else:
            if mmap:
                raise RuntimeError(
                    "mmap can only be used with files saved with `torch.save("
                    f"{'' if path is None else f'{path}, '}_use_new_zipfile_serialization=True), please torch.save your "
                    "checkpoint with this option in order to use mmap."
                )
            read = lambda: _check_sparse_later(lambda: _load_legacy(opened, map_location, unpickler, options))
        if not weights_only:
            return read()
        try:
            return read()
        except pickle.UnpicklingError as e:
            raise _explained(e) from None
    finally:
        if path is not None:
            opened.close()


def get_unsafe_globals_in_checkpoint(f: Any) -> list[str]:
    """The names a file needs that ``weights_only=True`` does not allow.

    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#torch.serialization.get_unsafe_globals_in_checkpoint

    >>> import torsh
    >>> import io
    >>> file = io.BytesIO()
    >>> torsh.save(torsh.tensor([1.]), file)
    >>> _ = file.seek(0)
    >>> torsh.serialization.get_unsafe_globals_in_checkpoint(file)
    []
    """
    import pickletools

    from torsh._pickle import allowed

    with open(os.fspath(f), "rb") if _is_path(f) else _kept(f) as opened:
        if not _is_zipfile(opened):
            raise ValueError("Expected input to be a checkpoint returned by torch.save")
        archive = _Reader(opened)
        if "constants.pkl" in archive:
            raise ValueError(
                "Expected input to be a checkpoint returned by torch.save but got a torchscript checkpoint"
            )
        data = bytes(archive.read("data.pkl"))
    found = {arg.replace(" ", ".", 1) for op, arg, _ in pickletools.genops(data) if op.name == "GLOBAL"}
    return sorted(n for n in found if n not in allowed())


@contextmanager
def _kept(f: Any) -> Any:
    yield f


def check_module_version_greater_or_equal(
    module: Any, req_version_tuple: tuple[Any, ...], error_if_malformed: bool = True
) -> bool:
    """Whether a module's ``__version__`` is at least a tuple of numbers.

    Where it cannot be compared: RuntimeError, or a warning and True without ``error_if_malformed``.
    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html

    >>> import numpy, torsh
    >>> torsh.serialization.check_module_version_greater_or_equal(numpy, (1, 20))
    True
    """
    try:
        parts = module.__version__.split(".")
        found = tuple(type(field)(parts[i]) for i, field in enumerate(req_version_tuple))
        return bool(found >= req_version_tuple)
    except Exception as e:
        message = (
            f"'{module.__name__}' module version string is malformed '{module.__version__}' and cannot be compared with tuple "
            f"{req_version_tuple}"
        )
        if error_if_malformed:
            raise RuntimeError(message) from e
        warnings.warn(message + ", but continuing assuming that requirement is met", stacklevel=2)
        return True


def _check_dill_version(module: Any) -> None:
    if module is None or module.__name__ != "dill" or check_module_version_greater_or_equal(module, (0, 3, 1), False):
        return
    raise ValueError(
        f"'torch' supports dill >= 0.3.1, but you have dill {module.__version__}. Please upgrade dill or switch to 'pickle'"
    )


__all__ = [
    "LoadEndianness", "add_safe_globals", "check_module_version_greater_or_equal", "clear_safe_globals", "default_restore_location",
    "get_crc32_options", "get_default_load_endianness", "get_default_mmap_options", "get_safe_globals",
    "get_unsafe_globals_in_checkpoint", "load", "location_tag", "register_package", "safe_globals", "save", "set_crc32_options",
    "set_default_load_endianness", "set_default_mmap_options", "skip_data", "validate_cuda_device", "validate_hpu_device",
]  # fmt: skip
