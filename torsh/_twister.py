"""MT19937 drawn from in bulk: NumPy's bit generator in its own memory, by compiled loops.

NumPy hands out words one by one through a function pointer.  The same steps over a whole block of 624 are vectorised by the
compiler, and a small draw costs a third of a microsecond instead of several.  The stream and the state stay NumPy's: a loop
takes over where NumPy stopped and the other way round.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from torsh_numpy._compiled import Loop

_SIZE = 624

WORDS, LONGS, DOUBLES, UNITS, PERMUTATION, INTEGERS, CHANCES, NORMALS, SKIP = (
    Loop(f"torsh._mersenne:{n}")
    for n in ("words", "longs", "doubles", "units", "permutation", "integers", "chances", "normals", "skip")
)


class Memory:
    """The words and the position of a NumPy MT19937, as arrays over its own memory."""

    def __init__(self, mt: Any) -> None:
        address = mt.ctypes.state_address
        self.key = np.frombuffer((ctypes.c_uint32 * _SIZE).from_address(address), np.uint32)
        self.pos = np.frombuffer((ctypes.c_int32 * 1).from_address(address + 4 * _SIZE), np.int32)
        self.lock = mt.lock
        self.owner = mt
        state = mt.state["state"]
        if self.pos[0] != state["pos"] or not np.array_equal(self.key, state["key"]):
            raise RuntimeError("NumPy keeps the state of MT19937 in another form than torsh knows")
