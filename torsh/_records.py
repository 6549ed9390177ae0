"""Reading and writing the records of a file made by ``torch.save``: a zip archive whose records begin at multiples of 64."""

from __future__ import annotations

import os
from typing import Any


class PyTorchFileReader:
    """The records of an archive, by path or from an open binary file.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import io, torsh
    >>> file = io.BytesIO()
    >>> torsh.save(torsh.ones(2), file)
    >>> _ = file.seek(0)
    >>> "data.pkl" in torsh.PyTorchFileReader(file).get_all_records()
    True
    """

    def __init__(self, f: Any) -> None:
        from torsh.serialization import _Reader

        self._archive = _Reader(open(f, "rb") if isinstance(f, (str, os.PathLike)) else f)  # noqa: SIM115

    def get_all_records(self) -> list[str]:
        """The names of all records."""
        return list(self._archive.infos)

    def has_record(self, name: str) -> bool:
        """Whether there is a record of this name."""
        return name in self._archive

    def get_record(self, name: str) -> bytes:
        """The bytes of a record; RuntimeError where there is none, or a damaged one."""
        return bytes(self._archive.read(name))

    def get_record_size(self, name: str) -> int:
        """The number of bytes of a record."""
        return int(self._archive._info(name).file_size)

    def get_record_offset(self, name: str) -> int:
        """Where the bytes of a record begin in the file."""
        return self._archive.offset(name)

    def get_record_header_offset(self, name: str) -> int:
        """Where a record's header begins in the file."""
        return int(self._archive._info(name).header_offset)

    def get_storage_from_record(self, name: str, numel: int, dtype: Any) -> Any:
        """A tensor whose storage has the bytes of a record."""
        import torsh
        from torsh.serialization import _storage_of

        found = torsh.empty(0, dtype=dtype)
        return found.set_(_storage_of(self._archive.read(name), "cpu"), 0, (numel,))

    def serialization_id(self) -> str:
        """The number that tells one file's contents from another's, "" where there is none."""
        name = ".data/serialization_id"
        return self.get_record(name).decode() if self.has_record(name) else ""


class PyTorchFileWriter:
    """Writes an archive to a path or an open binary file; ``write_end_of_file`` finishes it.

    Source: https://docs.pytorch.org/docs/stable/torch.html

    >>> import io, torsh
    >>> file = io.BytesIO()
    >>> writer = torsh.PyTorchFileWriter(file)
    >>> writer.write_record("greeting", b"hello", 5)
    >>> writer.write_end_of_file()
    >>> _ = file.seek(0)
    >>> torsh.PyTorchFileReader(file).get_record("greeting")
    b'hello'
    """

    def __init__(self, f: Any, compute_crc32: bool = True, alignment: int = 64) -> None:
        from torsh.serialization import _Writer

        named = isinstance(f, (str, os.PathLike))
        self._name = os.path.splitext(os.path.basename(f))[0] if named else "archive"
        self._archive = _Writer(f, self._name, compute_crc32, alignment)
        self._written: set[str] = set()
        self._finished = False

    def archive_name(self) -> str:
        """The folder that all records are in."""
        return self._name

    def write_record(self, name: str, data: Any, size: int) -> None:
        """Write a record: the first ``size`` bytes of bytes or of a storage."""
        from torsh.storage import TypedStorage, UntypedStorage

        if name in self._written:
            raise RuntimeError(f"Tried to serialize file twice: {name}")
        if isinstance(data, TypedStorage):
            data = data._untyped_storage
        if isinstance(data, UntypedStorage):
            data = data._bytes().cpu().numpy().tobytes()
        self._archive.write(name, bytes(data)[:size])
        self._written.add(name)

    def write_end_of_file(self) -> None:
        """Write what every archive ends with, and close it."""
        import sys

        if "byteorder" not in self._written:
            self.write_record("byteorder", sys.byteorder.encode(), len(sys.byteorder))
        self._archive.close()
        self._written |= {"version", ".data/serialization_id"}
        self._finished = True

    def get_all_written_records(self) -> set[str]:
        """The names of the records written so far."""
        return set(self._written)
