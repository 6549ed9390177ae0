"""Key-value stores that processes find each other through, and that carry what they exchange.

Source: https://docs.pytorch.org/docs/stable/distributed.html#distributed-key-value-store
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

_TIMEOUT = timedelta(seconds=300)


class DistError(RuntimeError):
    """The base of the errors of ``torch.distributed``.  Source: https://docs.pytorch.org/docs/stable/distributed.html"""


class DistStoreError(DistError):
    """A store could not do what was asked.  Source: https://docs.pytorch.org/docs/stable/distributed.html"""


class DistNetworkError(DistError):
    """A connection could not be made or was lost.  Source: https://docs.pytorch.org/docs/stable/distributed.html"""


class DistBackendError(DistError):
    """What carries the exchange failed.  Source: https://docs.pytorch.org/docs/stable/distributed.html"""


class QueueEmptyError(DistStoreError):
    """A store's queue has nothing in it.  Source: https://docs.pytorch.org/docs/stable/distributed.html"""


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


class Store:
    """What all stores can do.  Values are bytes (a string is encoded); ``get`` waits for a key that is not there yet.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.Store

    >>> import torsh
    >>> from datetime import timedelta
    >>> store = torsh.distributed.HashStore()
    >>> store.set("key", "value")
    >>> store.get("key")
    b'value'
    >>> store.add("count", 2), store.add("count", 3)
    (2, 5)
    >>> store.check(["nothing"])
    False
    """

    _timeout: timedelta = _TIMEOUT

    def _do(self, op: str, *parts: bytes) -> list[bytes]:
        """Carry out one of the operations of ``_Table``."""
        raise NotImplementedError

    @property
    def timeout(self) -> timedelta:
        """How long ``get`` and ``wait`` wait."""
        return self._timeout

    def set_timeout(self, timeout: timedelta) -> None:
        """Change how long ``get`` and ``wait`` wait."""
        self._timeout = timeout

    def set(self, key: str, value: Any) -> None:
        """Give a key a value."""
        self._do("set", _bytes(key), _bytes(value))

    def get(self, key: str) -> bytes:
        """A key's value, once it has one.  Raises DistStoreError after the timeout."""
        return self.multi_get([key])[0]

    def add(self, key: str, amount: int) -> int:
        """Add to a counter that starts at zero, and give its new value."""
        return int(self._do("add", _bytes(key), str(int(amount)).encode())[0])

    def append(self, key: str, value: Any) -> None:
        """Put bytes behind a key's value."""
        self._do("append", _bytes(key), _bytes(value))

    def compare_set(self, key: str, expected_value: Any, desired_value: Any) -> bytes:
        """Set a key if it has the expected value (or none, and none is expected); gives the value it then has."""
        return self._do("compare_set", _bytes(key), _bytes(expected_value), _bytes(desired_value))[0]

    def check(self, keys: Sequence[str]) -> bool:
        """Whether all keys have values."""
        return self._do("check", *map(_bytes, keys))[0] == b"1"

    def wait(self, keys: Sequence[str], timeout: timedelta | None = None) -> None:
        """Wait until all keys have values.  Raises DistStoreError after the timeout."""
        self._await(keys, timeout)

    def delete_key(self, key: str) -> bool:
        """Forget a key; whether it was there."""
        return self._do("delete", _bytes(key))[0] == b"1"

    def num_keys(self) -> int:
        """How many keys there are."""
        return len(self.list_keys())

    def list_keys(self) -> list[str]:
        """All keys."""
        return [k.decode() for k in self._do("keys")]

    def multi_get(self, keys: Sequence[str]) -> list[bytes]:
        """The values of several keys, once all have one."""
        return self._await(keys, None)

    def multi_set(self, keys: Sequence[str], values: Sequence[Any]) -> None:
        """Give several keys values."""
        for key, value in zip(keys, values, strict=True):
            self.set(key, value)

    def has_extended_api(self) -> bool:
        """Whether ``append``, ``multi_get`` and ``multi_set`` work; always."""
        return True

    def _await(self, keys: Sequence[str], timeout: timedelta | None) -> list[bytes]:
        seconds = (self._timeout if timeout is None else timeout).total_seconds()
        found = self._do("await", str(seconds).encode(), *map(_bytes, keys))
        if found[0] != b"1":
            raise DistStoreError(
                f"wait timeout after {round(seconds * 1000)}ms, keys: {', '.join('/' + k for k in keys)}"
            )
        return found[1:]


class _Table:
    """The contents of a store and the operations on it, each with lists of bytes in and out."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.changed = threading.Condition()

    def do(self, op: str, parts: Sequence[bytes]) -> list[bytes]:
        operation: Callable[..., list[bytes]] = getattr(self, f"_{op}")
        with self.changed:
            return operation(*parts)

    def _set(self, key: bytes, value: bytes) -> list[bytes]:
        self.values[key] = value
        self.changed.notify_all()
        return []

    def _add(self, key: bytes, amount: bytes) -> list[bytes]:
        value = str(int(self.values.get(key, b"0")) + int(amount)).encode()
        self._set(key, value)
        return [value]

    def _append(self, key: bytes, value: bytes) -> list[bytes]:
        return self._set(key, self.values.get(key, b"") + value)

    def _compare_set(self, key: bytes, expected: bytes, desired: bytes) -> list[bytes]:
        present = self.values.get(key)
        if present is None and expected:
            return [expected]
        if present is None or present == expected:
            self._set(key, desired)
            return [desired]
        return [present]

    def _check(self, *keys: bytes) -> list[bytes]:
        return [b"1" if all(k in self.values for k in keys) else b"0"]

    def _await(self, seconds: bytes, *keys: bytes) -> list[bytes]:
        if not self.changed.wait_for(lambda: all(k in self.values for k in keys), float(seconds)):
            return [b"0"]
        return [b"1", *(self.values[k] for k in keys)]

    def _await_now(self, *keys: bytes) -> list[bytes]:
        return self._await(b"0", *keys)

    def _delete(self, *keys: bytes) -> list[bytes]:
        return [b"1" if [self.values.pop(k, None) for k in keys] != [None] * len(keys) else b"0"]

    def _keys(self) -> list[bytes]:
        return list(self.values)


class HashStore(Store):
    """A store for the threads of one process.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.HashStore

    >>> import torsh
    >>> store = torsh.distributed.HashStore()
    >>> store.set("a", "1")
    >>> store.compare_set("a", "1", "2")
    b'2'
    >>> store.num_keys()
    1
    """

    def __init__(self) -> None:
        self._table = _Table()

    def _do(self, op: str, *parts: bytes) -> list[bytes]:
        return self._table.do(op, parts)


class FileStore(Store):
    """A store in a file that several processes of one machine can write.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.FileStore

    >>> import os, tempfile, torsh
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = os.path.join(folder.name, "store")
    >>> torsh.distributed.FileStore(path, 2).set("a", "1")
    >>> torsh.distributed.FileStore(path, 2).get("a")
    b'1'
    >>> folder.cleanup()
    """

    def __init__(self, file_name: str, world_size: int = -1) -> None:
        self.path = os.fspath(file_name)
        self.world_size = world_size

    def _do(self, op: str, *parts: bytes) -> list[bytes]:
        if op == "await":
            return self._poll(*parts)
        import fcntl

        with open(self.path, "a+b") as f:
            fcntl.flock(f, fcntl.LOCK_EX)  # gone when the file is closed
            f.seek(0)
            table = _Table()
            entries = _unpack(f.read())
            table.values = dict(zip(entries[::2], entries[1::2]))
            before = dict(table.values)
            found = table.do(op, parts)
            if table.values != before:
                f.seek(0)
                f.truncate()
                f.write(_pack([x for entry in table.values.items() for x in entry]))
            return found

    def _poll(self, seconds: bytes, *keys: bytes) -> list[bytes]:
        end = time.monotonic() + float(seconds)
        while True:
            found = self._do("await_now", *keys)
            if found[0] == b"1" or time.monotonic() > end:
                return found
            time.sleep(0.005)


class PrefixStore(Store):
    """Part of another store: all its keys begin with ``prefix/``.

    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.PrefixStore

    >>> import torsh
    >>> whole = torsh.distributed.HashStore()
    >>> torsh.distributed.PrefixStore("part", whole).set("a", "1")
    >>> whole.get("part/a")
    b'1'
    """

    def __init__(self, prefix: str, store: Store) -> None:
        self.prefix, self._store = prefix, store

    underlying_store = property(lambda self: self._store)
    timeout = property(lambda self: self._store.timeout)  # type: ignore[assignment]

    def set_timeout(self, timeout: timedelta) -> None:
        self._store.set_timeout(timeout)

    def _do(self, op: str, *parts: bytes) -> list[bytes]:
        own = f"{self.prefix}/".encode()
        if op == "keys":
            return [k.removeprefix(own) for k in self._store._do(op) if k.startswith(own)]
        if op in ("check", "delete"):
            return self._store._do(op, *(own + k for k in parts))
        if op == "await":
            return self._store._do(op, parts[0], *(own + k for k in parts[1:]))
        return self._store._do(op, own + parts[0], *parts[1:])

    def _await(self, keys: Sequence[str], timeout: timedelta | None) -> list[bytes]:
        return self._store._await([f"{self.prefix}/{k}" for k in keys], timeout)


# ---- over TCP: a message is the total length, then (length, bytes) of each part ------------------------------------------


def _pack(parts: Sequence[bytes]) -> bytes:
    return b"".join(x for p in parts for x in (struct.pack("!Q", len(p)), p))


def _unpack(data: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        (size,) = struct.unpack_from("!Q", data, at)
        found.append(data[at + 8 : at + 8 + size])
        at += 8 + size
    return found


def _send(connection: socket.socket, parts: Sequence[bytes]) -> None:
    data = _pack(parts)
    connection.sendall(struct.pack("!Q", len(data)) + data)


def _receive(connection: socket.socket) -> list[bytes] | None:
    """The parts of the next message, None if the other side is gone."""

    def exactly(n: int) -> bytes | None:
        data = bytearray()
        while len(data) < n:
            piece = connection.recv(min(n - len(data), 1 << 20))
            if not piece:
                return None
            data += piece
        return bytes(data)

    head = exactly(8)
    body = exactly(struct.unpack("!Q", head)[0]) if head is not None else None
    return _unpack(body) if body is not None else None


class _Server:
    """Serves a table to whoever connects, one thread per connection."""

    OPERATIONS = frozenset({"set", "add", "append", "compare_set", "check", "await", "delete", "keys"})

    def __init__(self, port: int) -> None:
        self.table = _Table()
        self.clients = 0
        try:
            self.listener = socket.create_server(("", port), reuse_port=False)
        except OSError as e:
            raise DistNetworkError(
                f"The server socket has failed to listen on any local network address. port: {port}, {e}"
            ) from e
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:  # closed
                return
            with self.table.changed:
                self.clients += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while (message := _receive(connection)) is not None:
                    op = message[0].decode()
                    if op not in self.OPERATIONS:
                        return
                    _send(connection, self.table.do(op, message[1:]))
        except OSError:
            return  # that process is gone; the others go on
        finally:
            with self.table.changed:
                self.clients -= 1
                self.table.changed.notify_all()

    def close(self, patience: float) -> None:
        """Stop, once the other processes have gone (they may still be reading), or after some seconds."""
        with self.table.changed:
            self.table.changed.wait_for(lambda: self.clients <= 0, patience)
        self.listener.close()


class TCPStore(Store):
    """A store that one process (``is_master``) serves to all others over TCP.

    port: 0 lets the system choose; ``port`` tells what it chose.  wait_for_workers: return only when ``world_size`` processes
    have come.
    Source: https://docs.pytorch.org/docs/stable/distributed.html#torch.distributed.TCPStore

    >>> import torsh
    >>> server = torsh.distributed.TCPStore("localhost", 0, is_master=True, wait_for_workers=False)
    >>> client = torsh.distributed.TCPStore("localhost", server.port, is_master=False, wait_for_workers=False)
    >>> server.set("a", "1")
    >>> client.get("a")
    b'1'
    >>> client.close()
    >>> server.close()
    """

    def __init__(
        self,
        host_name: str,
        port: int,
        world_size: int | None = None,
        is_master: bool = False,
        timeout: timedelta = _TIMEOUT,
        wait_for_workers: bool = True,
        multi_tenant: bool = False,
        master_listen_fd: int | None = None,
        use_libuv: bool = True,
    ) -> None:
        self._timeout = timeout
        self._server = _Server(port) if is_master else None
        self.host, self.port = host_name, self._server.port if self._server is not None else port
        self._lock = threading.Lock()
        self._connection = self._connect()
        if wait_for_workers and world_size is not None and world_size > 0:
            arrived = self.add("init/", 1)
            while arrived < world_size:
                time.sleep(0.01)
                arrived = self.add("init/", 0)

    def _connect(self) -> socket.socket:
        end = time.monotonic() + self._timeout.total_seconds()
        while True:
            try:
                connection = socket.create_connection((self.host, self.port), timeout=5)
            except OSError as e:
                if time.monotonic() > end:
                    raise DistNetworkError(
                        f"The client socket has timed out after {round(self._timeout.total_seconds() * 1000)}ms while trying to connect to "
                        f"({self.host}, {self.port}): {e}"
                    ) from e
                time.sleep(0.02)
            else:
                connection.settimeout(None)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return connection

    def _do(self, op: str, *parts: bytes) -> list[bytes]:
        with self._lock:
            try:
                _send(self._connection, [op.encode(), *parts])
                found = _receive(self._connection)
            except OSError as e:
                raise DistNetworkError(f"Connection to the store at {self.host}:{self.port} was lost: {e}") from e
        if found is None:
            raise DistNetworkError(f"Connection to the store at {self.host}:{self.port} was closed by remote peer")
        return found

    def close(self, patience: float = 10.0) -> None:
        """Leave the store; the process that serves it waits a while for the others to leave."""
        self._connection.close()
        if self._server is not None:
            self._server.close(patience)

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # half-made, or the interpreter ends
            self._connection.close()
            if self._server is not None:
                self._server.listener.close()


__all__ = [
    "DistBackendError", "DistError", "DistNetworkError", "DistStoreError", "FileStore", "HashStore", "PrefixStore", "QueueEmptyError", "Store", "TCPStore",
]  # fmt: skip
