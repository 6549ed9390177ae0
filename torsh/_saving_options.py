"""What ``save`` and ``load`` do where the caller says nothing: checksums, byte order, how files are mapped."""

from __future__ import annotations

import mmap
import sys
from enum import Enum

from torsh.utils.serialization import config


class LoadEndianness(Enum):
    """The byte order of files that do not say theirs.

    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#torch.serialization.LoadEndianness

    >>> import torsh
    >>> [x.name for x in torsh.serialization.LoadEndianness]
    ['NATIVE', 'LITTLE', 'BIG']
    """

    NATIVE = 1
    LITTLE = 2
    BIG = 3


def get_default_load_endianness() -> LoadEndianness | None:
    """The byte order assumed for files that do not say theirs; None is little.

    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#torch.serialization.get_default_load_endianness

    >>> import torsh
    >>> torsh.serialization.get_default_load_endianness() is None
    True
    """
    return config.load.endianness  # type: ignore[no-any-return]


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """Assume a byte order for files that do not say theirs.

    Raises TypeError for what is neither a LoadEndianness nor None.
    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#torch.serialization.set_default_load_endianness

    >>> import torsh
    >>> torsh.serialization.set_default_load_endianness(torsh.serialization.LoadEndianness.LITTLE)
    >>> torsh.serialization.set_default_load_endianness(None)
    """
    if not isinstance(endianness, LoadEndianness) and endianness is not None:
        raise TypeError(
            "Invalid argument type in function set_default_load_endianness: expected a LoadEndianness or None, got "
            f"{type(endianness).__name__}"
        )
    config.load.endianness = endianness


def assumed_order() -> str:
    """The byte order of a file without a mark."""
    return {
        None: "little",
        LoadEndianness.LITTLE: "little",
        LoadEndianness.BIG: "big",
        LoadEndianness.NATIVE: sys.byteorder,
    }[config.load.endianness]


def get_crc32_options() -> bool:
    """Whether ``save`` writes checksums.

    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#torch.serialization.get_crc32_options

    >>> import torsh
    >>> torsh.serialization.get_crc32_options()
    True
    """
    return config.save.compute_crc32  # type: ignore[no-any-return]


def set_crc32_options(compute_crc32: bool) -> None:
    """Let ``save`` write checksums or not.  Files without can be loaded; programs that unpack archives may refuse them.

    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#torch.serialization.set_crc32_options

    >>> import torsh
    >>> torsh.serialization.set_crc32_options(True)
    """
    config.save.compute_crc32 = compute_crc32


def get_default_mmap_options() -> int | None:
    """How ``load(mmap=True)`` maps files: mmap.MAP_PRIVATE or mmap.MAP_SHARED.

    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#torch.serialization.get_default_mmap_options

    >>> import mmap, torsh
    >>> torsh.serialization.get_default_mmap_options() == mmap.MAP_PRIVATE
    True
    """
    return config.load.mmap_flags  # type: ignore[no-any-return]


class set_default_mmap_options:
    """Let ``load(mmap=True)`` keep changes in memory (mmap.MAP_PRIVATE) or write them to the file (mmap.MAP_SHARED).

    Called, it holds from then on; in a ``with`` statement, for the block.  Raises ValueError for other flags, RuntimeError on
    Windows.
    Source: https://docs.pytorch.org/docs/stable/notes/serialization.html#torch.serialization.set_default_mmap_options

    >>> import mmap, torsh
    >>> with torsh.serialization.set_default_mmap_options(mmap.MAP_SHARED):
    ...     torsh.serialization.get_default_mmap_options() == mmap.MAP_SHARED
    True
    """

    def __init__(self, flags: int) -> None:
        if sys.platform == "win32":
            raise RuntimeError("Changing the default mmap options is currently not supported for Windows")
        if flags not in (mmap.MAP_PRIVATE, mmap.MAP_SHARED):
            raise ValueError(
                "Invalid argument in function set_default_mmap_options, expected mmap.MAP_PRIVATE or mmap.MAP_SHARED, but got "
                f"{flags}"
            )
        self.prev = config.load.mmap_flags
        config.load.mmap_flags = flags

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        config.load.mmap_flags = self.prev


def shared() -> bool:
    """Whether mapped files are written to."""
    return sys.platform != "win32" and config.load.mmap_flags == mmap.MAP_SHARED
