"""How often memory was written, and by what: the objects that tensors of one memory share."""

from __future__ import annotations

from typing import Any

from torsh.autograd.grad_mode import thread


class Version:
    """What tensors that share memory share: how often it was written, and by what."""

    __slots__ = ("kept", "source", "version", "write")

    def __init__(self, source: Any = None, kept: bool = False) -> None:
        self.version = 0
        # Whether a node may have kept this memory for its backward pass: only then anybody asks for the last write.
        self.kept = kept
        # The last write: (name of the operation, code object and instruction that called it)
        self.write: tuple[str, Any, int] | None = None
        # (node, output number) that made the tensor which owns this: if that node saved its output, a write spoils it
        self.source = source

    @property
    def root(self) -> Version:
        """The version object that does the counting: the same for all tensors of one memory."""
        return self


class LinkedVersion(Version):
    """The version object of a tensor that has another's memory, but not its views (``detach``): the other's does the counting.

    An object of its own tells whether anybody looks at the tensor: its views are those who hold it.
    """

    __slots__ = ("_root",)

    def __init__(self, root: Version) -> None:
        self._root = root

    @property
    def root(self) -> Version:
        return self._root

    version = property(lambda self: self._root.version, lambda self, value: setattr(self._root, "version", value))  # type: ignore[assignment]
    write = property(lambda self: self._root.write, lambda self, value: setattr(self._root, "write", value))  # type: ignore[assignment]
    source = property(lambda self: self._root.source, lambda self, value: setattr(self._root, "source", value))
    kept = property(lambda self: self._root.kept, lambda self, value: setattr(self._root, "kept", value))  # type: ignore[assignment]


class InferenceVersion(Version):
    """The version object of an inference tensor and its views: it counts nothing, and refuses to outside inference mode."""

    __slots__ = ()

    def __init__(self) -> None:
        self.write = self.source = None
        self.kept = False

    @property
    def version(self) -> int:  # type: ignore[override]
        return 0

    @version.setter
    def version(self, value: int) -> None:
        if not thread.inference:
            raise inference_write()


def inference_write() -> RuntimeError:
    """The error for writing to an inference tensor in normal mode."""
    return RuntimeError(
        "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor before "
        "doing inplace update. See https://github.com/pytorch/rfcs/pull/17 for more details."
    )
