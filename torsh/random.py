"""Random number generators: the stream of PyTorch's CPU generator on every backend.

One seed gives the numbers that PyTorch gives on the CPU, whatever the device: values are drawn on the host from a
Mersenne twister (MT19937, seeded like PyTorch's) and then moved.  What each sampler takes from the stream is in
``torsh.ops.random``.

Source: https://docs.pytorch.org/docs/stable/random.html
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from torsh import registry
from torsh.device import as_device
from torsh.device import device as Device

# The seed of a new Generator.
DEFAULT_SEED = 67280421310721

# A generator's state as PyTorch serialises it (its C++ struct, 5056 bytes).
STATE = np.dtype(
    {
        "names": ["seed", "left", "seeded", "next", "state", "normal_x", "normal_y", "normal_rho", "normal_is_valid"],
        "formats": ["<u8", "<i4", "<i4", "<u8", ("<u8", 624), "<f8", "<f8", "<f8", "<i4"],
        "offsets": [0, 8, 12, 16, 24, 5016, 5024, 5032, 5040],
        "itemsize": 5056,
    }
)

_WORD = np.uint64(0xFFFFFFFF)


def _seed_number(value: int) -> int:
    if not -(1 << 63) <= value < 1 << 64:
        raise ValueError(f"Overflow when unpacking long long: a seed has 64 bits, got {value}")
    return value & 0xFFFFFFFFFFFFFFFF


class Generator:
    """A source of random numbers with a state of its own.

    device: what it is for; the numbers are the same for all devices.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.Generator.html

    >>> import torsh
    >>> g = torsh.Generator().manual_seed(0)
    >>> torsh.rand(2, generator=g)
    tensor([0.4963, 0.7682])
    """

    def __init__(self, device: Any = "cpu") -> None:
        self._device = as_device(device)
        if self._device.type == "meta":
            raise RuntimeError("META device type not an accelerator: it has no values, and needs no random numbers")
        if self._device.type != "cpu":
            registry.serving(self._device)  # which says why there is none
        self._lock = threading.RLock()
        # The second number of the last Box-Muller pair that was drawn one by one, or None.
        self.next_normal: float | None = None
        self.manual_seed(DEFAULT_SEED)

    @functools.cached_property
    def _mt(self) -> np.random.MT19937:
        # Made at the first use: numpy.random takes an eighth of torsh's import time.
        mt = np.random.MT19937(0)
        mt._legacy_seeding(self._seed & 0xFFFFFFFF)  # type: ignore[attr-defined]
        return mt

    @functools.cached_property
    def _fill(self) -> Any:
        return np.random.Generator(self._mt).integers

    @property
    def device(self) -> Device:
        """The device the generator is for."""
        return self._device

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of a seed (64 bits, of which MT19937 uses the lower 32; negative ones wrap around).

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Generator.html#torch.Generator.manual_seed

        >>> import torsh
        >>> g = torsh.Generator().manual_seed(0)
        >>> torsh.rand(1, generator=g)
        tensor([0.4963])
        """
        if type(seed) is not int:
            try:
                if isinstance(seed, (bool, float, str)) or seed is None:
                    raise TypeError
                seed = seed.__index__()
            except (TypeError, AttributeError):
                raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}") from None
        self._seed = _seed_number(seed)
        with self._lock:
            if "_mt" in self.__dict__:
                self._mt._legacy_seeding(self._seed & 0xFFFFFFFF)  # type: ignore[attr-defined]
            self.next_normal = None
        return self

    def seed(self) -> int:
        """Seed with a number from the operating system's entropy and return it.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Generator.html#torch.Generator.seed

        >>> import torsh
        >>> isinstance(torsh.Generator().seed(), int)
        True
        """
        seed = int.from_bytes(os.urandom(8), "little") & 0x1FFFFFFFFFFFFF
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed the stream was started with.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Generator.html#torch.Generator.initial_seed

        >>> import torsh
        >>> torsh.Generator().manual_seed(3).initial_seed()
        3
        """
        return self._seed

    # ---- state

    def get_state(self) -> Any:
        """The state as a uint8 tensor of 5056 bytes, which PyTorch's CPU generator accepts, too.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Generator.html#torch.Generator.get_state

        >>> import torsh
        >>> g = torsh.Generator().manual_seed(0)
        >>> state = g.get_state()
        >>> a = torsh.rand(1, generator=g)
        >>> _ = g.set_state(state)
        >>> torsh.equal(a, torsh.rand(1, generator=g))
        True
        """
        from torsh import dtypes
        from torsh.tensor import from_host

        return from_host(np.frombuffer(bytearray(self._bytes()), np.uint8), dtypes.uint8, "cpu")

    def _bytes(self) -> bytes:
        with self._lock:
            mt = self._mt.state["state"]
            found = np.zeros((), STATE)
            found["seed"] = self._seed
            found["seeded"] = 1
            pos = int(mt["pos"])
            fresh = pos == 624 and int(mt["key"][0]) == self._seed & 0xFFFFFFFF
            found["left"] = 1 if pos == 624 else 625 - pos
            found["next"] = 0 if fresh else pos
            found["state"] = mt["key"]
            if self.next_normal is not None:
                found["normal_y"] = self.next_normal
                found["normal_is_valid"] = 1
        return found.tobytes()

    def set_state(self, new_state: Any) -> Generator:
        """Continue from a state that ``get_state`` gave, here or in PyTorch.

        Source: https://docs.pytorch.org/docs/stable/generated/torch.Generator.html#torch.Generator.set_state

        >>> import torsh
        >>> g, h = torsh.Generator().manual_seed(0), torsh.Generator()
        >>> _ = h.set_state(g.get_state())
        >>> torsh.equal(torsh.rand(2, generator=g), torsh.rand(2, generator=h))
        True
        """
        from torsh import dtypes
        from torsh.ops.conversion import host_array
        from torsh.tensor import Tensor

        if not isinstance(new_state, Tensor):
            raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
        if new_state.dtype is not dtypes.uint8:
            raise TypeError(f"RNG state must be a torch.ByteTensor, but it has dtype {new_state.dtype}")
        return self._set_bytes(np.ascontiguousarray(host_array(new_state)).tobytes())

    def _set_bytes(self, raw: bytes) -> Generator:
        if len(raw) != STATE.itemsize:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {STATE.itemsize} but found the input RNG state size to be "
                f"{len(raw)}"
            )
        found = np.frombuffer(raw, STATE)[0]
        left, pos = int(found["left"]), int(found["next"])
        if not found["seeded"] or not 0 < left <= 624 or pos > 624:
            raise RuntimeError("Invalid mt19937 state: pass what get_state() returned")
        with self._lock:
            self._seed = int(found["seed"])
            self._mt.state = {
                "bit_generator": "MT19937",
                "state": {"key": (found["state"] & _WORD).astype(np.uint32), "pos": 624 if left == 1 else pos},
            }
            self.next_normal = float(found["normal_y"]) if found["normal_is_valid"] else None
        return self

    def clone_state(self) -> Generator:
        """Another generator that continues from the same state."""
        return Generator(self._device).set_state(self.get_state())

    def graphsafe_get_state(self) -> Generator:
        """The generator as a handle of its own state."""
        return self

    def graphsafe_set_state(self, state: Generator) -> Generator:
        """Take over another generator's state."""
        return self.set_state(state.get_state())

    def get_offset(self) -> int:
        """Not for this kind of generator: raises RuntimeError as PyTorch's CPU generator does."""
        raise RuntimeError("CPU Generator does not use offset")

    def set_offset(self, offset: int) -> Generator:
        """Not for this kind of generator: raises RuntimeError as PyTorch's CPU generator does."""
        raise RuntimeError("CPU Generator does not use offset")

    def __reduce__(self) -> Any:
        return (_revived, (str(self._device), self._bytes()))

    def __deepcopy__(self, memo: dict[int, Any]) -> Generator:
        return self.clone_state()

    # ---- drawing

    @functools.cached_property
    def _memory(self) -> Any:
        return _twister().Memory(self._mt)

    def draw(self, run: Any, *args: Any) -> Any:
        """Call a loop of ``torsh._mersenne`` on the generator's state."""
        memory = self._memory
        with memory.lock:
            return run(memory.key, memory.pos, *args)

    def words(self, n: int) -> np.ndarray[Any, Any]:
        """The next n numbers of 32 bits (as uint32 or uint64)."""
        run = _twister().WORDS.worth(n)
        if run is not None:
            memory, out = self._memory, np.empty(n, np.uint32)
            with memory.lock:
                run(memory.key, memory.pos, out)
            return out
        # Both take NumPy's own lock.  integers() costs 5 us a call, random_raw() twice the memory.
        return self._mt.random_raw(n) if n < 512 else self._fill(0, 1 << 32, n, np.uint32)  # type: ignore[return-value]

    def longs(self, n: int) -> np.ndarray[Any, Any]:
        """The next n numbers of 64 bits, made of two of 32, high one first."""
        run = _twister().LONGS.worth(n)
        if run is not None:
            memory, out = self._memory, np.empty(n, np.uint64)
            with memory.lock:
                run(memory.key, memory.pos, out.view(np.uint32), out)
            return out
        if n < 256:
            raw = self._mt.random_raw(2 * n)
            return (raw[::2] << 32) | raw[1::2]  # type: ignore[index]
        return self._fill(0, 1 << 64, n, np.uint64)

    def doubles(self, n: int) -> np.ndarray[Any, Any]:
        """The next n uniform numbers in [0, 1) with 53 random bits."""
        run = _twister().DOUBLES.worth(n)
        if run is not None:
            memory, out = self._memory, np.empty(n)
            with memory.lock:
                run(memory.key, memory.pos, out.view(np.uint32), out.view(np.uint64), out)
            return out
        return (self.longs(n) & 0x1FFFFFFFFFFFFF) * 2.0**-53

    def units(self, n: int) -> np.ndarray[Any, Any]:
        """The next n uniform float32 numbers in [0, 1) with 24 random bits."""
        run = _twister().UNITS.worth(n)
        if run is not None:
            memory, out = self._memory, np.empty(n, np.float32)
            with memory.lock:
                run(memory.key, memory.pos, out)
            return out
        words = self.words(n)
        return (words & words.dtype.type(0xFFFFFF)).astype(np.float32) * np.float32(2.0**-24)

    def skip(self, n: int) -> None:
        """Leave out the next n numbers of 32 bits."""
        memory, run = self._memory, _twister().SKIP.compiled()
        with memory.lock:
            run(memory.key, memory.pos, n)

    @contextlib.contextmanager
    def peek(self) -> Iterator[Any]:
        """For samplers that do not know how much they will take: draw from the generator inside the block, and set
        ``used`` on what it gives to the number of 32-bit words really taken.
        """
        with self._lock:
            before = self._mt.state
            taken = _Taken()
            yield taken
            self._mt.state = before
            if taken.used:
                self.words(taken.used)


class _Taken:
    used = 0


@functools.cache
def _twister() -> Any:
    # Imported at the first draw: a random stream is not needed by everybody, and the backend's modules come after this one.
    from torsh import _twister

    return _twister


def _revived(device: str, state: bytes) -> Generator:
    return Generator(device)._set_bytes(state)


default_generator = Generator()
default_generator.seed()


def generator_of(generator: Any) -> Generator:
    """The generator of a ``generator=`` argument."""
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise TypeError(f"argument 'generator' must be torch.Generator or None, not {type(generator).__name__}")
    return generator


def manual_seed(seed: Any) -> Generator:
    """Start the stream of a seed (an int, or what ``int()`` accepts) in the default generator, for all devices.

    The same seed gives the same numbers as in PyTorch on the CPU, on every backend. The result is the generator.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.manual_seed.html

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> torsh.rand(2)
    tensor([0.4963, 0.7682])
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Seed the default generator with a number from the operating system's entropy and return it.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.seed.html

    >>> import torsh
    >>> isinstance(torsh.seed(), int)
    True
    """
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator's stream.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.initial_seed.html

    >>> import torsh
    >>> _ = torsh.manual_seed(7)
    >>> torsh.initial_seed()
    7
    """
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    """The default generator's state as a uint8 tensor.

    Generator states can be exchanged with PyTorch's.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.get_rng_state.html

    >>> import torsh
    >>> state = torsh.get_rng_state()
    >>> a = torsh.rand(2)
    >>> torsh.set_rng_state(state)
    >>> torsh.equal(a, torsh.rand(2))
    True
    """
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Set the default generator's state to what ``get_rng_state`` gave.

    new_state: a uint8 tensor, also one that PyTorch gave.
    Source: https://docs.pytorch.org/docs/stable/generated/torch.set_rng_state.html

    >>> import torsh
    >>> state = torsh.get_rng_state()
    >>> a = torsh.rand(2)
    >>> torsh.set_rng_state(state)
    >>> torsh.equal(a, torsh.rand(2))
    True
    """
    default_generator.set_state(new_state)


def thread_safe_generator() -> Generator | None:
    """The generator of a data loader's worker thread; None: the default one is used.

    Source: https://docs.pytorch.org/docs/stable/generated/torch.thread_safe_generator.html

    >>> import torsh
    >>> torsh.thread_safe_generator() is None  # in the main process: the default generator
    True
    """
    return None


@contextlib.contextmanager
def fork_rng(
    devices: Any = None,
    enabled: bool = True,
    _caller: str = "fork_rng",
    _devices_kw: str = "devices",
    device_type: str = "cuda",
) -> Iterator[None]:
    """A block after which the default generator is where it was before.

    devices, device_type: accepted for PyTorch's sake; all devices share one stream.
    Source: https://docs.pytorch.org/docs/stable/random.html#torch.random.fork_rng

    >>> import torsh
    >>> _ = torsh.manual_seed(0)
    >>> with torsh.random.fork_rng():
    ...     inside = torsh.rand(1)
    >>> torsh.equal(inside, torsh.rand(1))  # the state is as it was before
    True
    """
    if not enabled:
        yield
        return
    before = default_generator.get_state()
    try:
        yield
    finally:
        default_generator.set_state(before)


__all__ = [
    "Generator", "default_generator", "fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed",
    "set_rng_state",
]  # fmt: skip
