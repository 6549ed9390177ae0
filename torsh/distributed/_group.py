"""Process groups: what several processes do together, carried by the store through which they met.

Every process puts its part under a key made of the group, the number of the call and its rank, and reads the others' parts.
The last one to have read takes the keys away.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from torsh.distributed._store import Store
from torsh.tensor import Tensor


class _RedOpType(enum.Enum):
    """How collective operations join values of several processes."""

    SUM = 0
    AVG = 1
    PRODUCT = 2
    MIN = 3
    MAX = 4
    BAND = 5
    BOR = 6
    BXOR = 7
    PREMUL_SUM = 8

    def __str__(self) -> str:
        return f"RedOpType.{self.name}"

    __repr__ = lambda self: f"<RedOpType.{self.name}: {self.value}>"


class ReduceOp:
    """How a reduction over processes joins their values: ``ReduceOp.SUM``, ``AVG``, ``PRODUCT``, ``MIN``, ``MAX``, ``BAND``,
    ``BOR``, ``BXOR``.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.ReduceOp

    >>> import torsh
    >>> torsh.distributed.ReduceOp.SUM
    <RedOpType.SUM: 0>
    """

    RedOpType = _RedOpType
    SUM, AVG, PRODUCT, MIN, MAX = _RedOpType.SUM, _RedOpType.AVG, _RedOpType.PRODUCT, _RedOpType.MIN, _RedOpType.MAX
    BAND, BOR, BXOR, PREMUL_SUM = _RedOpType.BAND, _RedOpType.BOR, _RedOpType.BXOR, _RedOpType.PREMUL_SUM


def reduced(parts: Sequence[Tensor], op: Any) -> Tensor:
    """Several tensors joined by a reduction, in order."""
    import torsh

    joins: dict[Any, Callable[[Tensor, Tensor], Tensor]] = {
        ReduceOp.SUM: torsh.add, ReduceOp.AVG: torsh.add, ReduceOp.PRODUCT: torsh.mul, ReduceOp.MIN: torsh.minimum,
        ReduceOp.MAX: torsh.maximum, ReduceOp.BAND: torsh.bitwise_and, ReduceOp.BOR: torsh.bitwise_or,
        ReduceOp.BXOR: torsh.bitwise_xor,
    }  # fmt: skip
    if op not in joins:
        raise ValueError(f"Cannot use {op} here; use one of ReduceOp.{', '.join(k.name for k in joins)}")
    found = parts[0]
    for part in parts[1:]:
        found = joins[op](found, part)
    return found / len(parts) if op is ReduceOp.AVG else found


def packed(tensor: Tensor) -> bytes:
    """A tensor as bytes: dtype and shape in one line, then its elements."""
    import torsh

    plain = tensor.detach().to("cpu").contiguous()
    head = json.dumps([str(plain.dtype).partition(".")[2], list(plain.shape)]).encode() + b"\n"
    return head + (plain.reshape(-1).view(torsh.uint8).numpy().tobytes() if plain.numel() else b"")


def unpacked(data: bytes, device: Any) -> Tensor:
    """The tensor of :func:`packed`."""
    import torsh

    head, _, raw = data.partition(b"\n")
    name, shape = json.loads(head)
    dtype = getattr(torsh, name)
    if not raw:
        return torsh.empty(shape, dtype=dtype, device=device)
    return torsh.frombuffer(bytearray(raw), dtype=dtype).reshape(shape).to(device)


class Work:
    """What an asynchronous operation gives: ``wait()`` until it is done.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.Work

    >>> import torsh
    >>> torsh.distributed.Work(lambda: print("done")).wait()
    done
    True
    """

    def __init__(self, finish: Callable[[], Any] | None = None, result: Any = None) -> None:
        self._finish, self._result = finish, result

    def wait(self, timeout: timedelta | None = None) -> bool:
        """Do what is left to do; True."""
        finish, self._finish = self._finish, None
        if finish is not None:
            finish()
        return True

    synchronize = wait

    def is_completed(self) -> bool:
        """Whether nothing is left to do."""
        return self._finish is None

    is_success = is_completed

    def result(self) -> Any:
        """The tensors that were written."""
        self.wait()
        return self._result

    def get_future(self) -> Any:
        """A future with the result."""
        from torsh.futures import Future

        future: Any = Future()
        future.set_result(self.result())
        return future


class ProcessGroup:
    """Processes that work together: ``rank()`` is this one's number among them, ``size()`` how many they are.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#groups

    >>> import torsh
    >>> group = torsh.distributed.ProcessGroup(torsh.distributed.HashStore(), 0, 1)
    >>> group.rank(), group.size()
    (0, 1)
    """

    def __init__(
        self, store: Store, rank: int, size: int, ranks: Sequence[int] | None = None, name: str = "0",
        timeout: timedelta = timedelta(minutes=30),
    ) -> None:  # fmt: skip
        self._store, self._rank, self._size = store, rank, size
        self.ranks = list(range(size)) if ranks is None else list(ranks)
        self.group_name, self.group_desc, self.timeout = name, "undefined", timeout
        self._calls = 0
        self._sent: dict[tuple[int, int, int], int] = {}

    def rank(self) -> int:
        """This process's number in the group."""
        return self._rank

    def size(self) -> int:
        """How many processes the group has."""
        return self._size

    def name(self) -> str:
        """The name of what carries the exchange."""
        return "gloo"

    def __repr__(self) -> str:
        return f"<torch.distributed.ProcessGroup of ranks {self.ranks}>"

    def _next(self) -> str:
        self._calls += 1
        return f"{self.group_name}/{self._calls}"

    def _read(self, call: str, of: Sequence[int]) -> list[bytes]:
        """What processes put under a call's number; keys go when every process of the group has read."""
        keys = [f"{call}/{r}" for r in of]
        found = self._store._await(keys, self.timeout) if keys else []
        if self._store.add(f"{call}/done", 1) == self._size:
            for key in (*(f"{call}/{r}" for r in range(self._size)), f"{call}/done"):
                self._store.delete_key(key)
        return found

    def exchange(self, mine: bytes) -> list[bytes]:
        """Every process's bytes, in order of rank."""
        if self._size == 1:
            return [mine]
        call = self._next()
        self._store.set(f"{call}/{self._rank}", mine)
        return self._read(call, range(self._size))

    def spread(self, mine: bytes | None, source: int) -> bytes:
        """The bytes of one process, for all."""
        if self._size == 1:
            assert mine is not None
            return mine
        call = self._next()
        if mine is not None and self._rank == source:
            self._store.set(f"{call}/{source}", mine)
        found = self._read(call, [] if self._rank == source and mine is not None else [source])
        return found[0] if found else mine  # type: ignore[return-value]

    def hand_out(self, parts: Sequence[bytes] | None, source: int) -> bytes:
        """One process has a part for each: this one's."""
        if self._size == 1:
            assert parts is not None
            return parts[0]
        call = self._next()
        if self._rank == source and parts is not None:
            for r, part in enumerate(parts):
                self._store.set(f"{call}/{r}", part)
        return self._read(call, [self._rank])[0]

    def swap(self, parts: Sequence[bytes]) -> list[bytes]:
        """Every process has a part for each: those for this one, in order of rank."""
        if self._size == 1:
            return [parts[0]]
        call = self._next()
        for r, part in enumerate(parts):
            self._store.set(f"{call}/{self._rank}>{r}", part)
        found = self._store._await([f"{call}/{r}>{self._rank}" for r in range(self._size)], self.timeout)
        for r in range(self._size):
            self._store.delete_key(f"{call}/{r}>{self._rank}")
        return found

    def _message(self, source: int, target: int, tag: int) -> str:
        number = self._sent[source, target, tag] = self._sent.get((source, target, tag), 0) + 1
        return f"{self.group_name}/p2p/{source}>{target}/{tag}/{number}"

    def send(self, data: bytes, target: int, tag: int) -> None:
        """Put bytes where another process looks for them."""
        self._store.set(self._message(self._rank, target, tag), data)

    def receive(self, source: int, tag: int) -> bytes:
        """The next bytes from another process."""
        key = self._message(source, self._rank, tag)
        (found,) = self._store._await([key], self.timeout)
        self._store.delete_key(key)
        return found


__all__ = ["ProcessGroup", "ReduceOp", "Work"]
