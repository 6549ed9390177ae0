"""Nested tensors: a batch of tensors whose shapes differ, in one piece of memory.

All components lie one after the other in *values*: flattened (layout ``strided``), or joined along the one dimension in which
they differ (layout ``jagged``).  In the autograd graph two steps lead in and out: ``values_of`` (its gradient is a nested
tensor) and ``with_values`` (its gradient is the values of the nested gradient); between them are ordinary ops.
Source: https://docs.pytorch.org/docs/stable/nested.html
"""

from __future__ import annotations

import itertools
import math
from typing import Any

from torsh._over_dense import recorded, sharing
from torsh.memory_format import jagged as JAGGED
from torsh.memory_format import strided as STRIDED
from torsh.tensor import Size, Tensor

_numbers = itertools.count(1)


class RaggedSize:
    """The length of a dimension in which components differ; equal only to that of the same offsets."""

    __slots__ = ("name",)

    def __init__(self) -> None:
        self.name = f"j{next(_numbers)}"

    @property
    def node(self) -> RaggedSize:
        """What ``torch.Size`` tells symbolic lengths by."""
        return self

    def __repr__(self) -> str:
        return self.name


class Structure:
    """The shapes of the components and how they lie in memory.

    ragged: for the layout ``jagged``, the dimension of the nested tensor (1 or higher) in which components differ.
    """

    __slots__ = ("_offsets", "layout", "ragged", "ragged_size", "shapes")

    def __init__(
        self, shapes: Any, layout: Any, ragged: int | None = None, offsets: Any = None, ragged_size: Any = None
    ) -> None:
        self.shapes = tuple(tuple(int(n) for n in s) for s in shapes)
        self.layout = layout
        self.ragged = ragged
        self._offsets = offsets
        self.ragged_size = ragged_size if ragged_size is not None or ragged is None else RaggedSize()

    @property
    def ndim(self) -> int:
        """Dimensions of the nested tensor: the batch, and those of a component."""
        return 1 + (len(self.shapes[0]) if self.shapes else 0)

    def lengths(self) -> list[int]:
        """How much of the values each component takes along the dimension they are joined in."""
        if self.layout is STRIDED:
            return [math.prod(s) for s in self.shapes]
        assert self.ragged is not None
        return [s[self.ragged - 1] for s in self.shapes]

    def offsets(self, device: Any) -> Tensor:
        """Where each component begins, and the end of the last."""
        if self._offsets is None:
            import torsh

            self._offsets = torsh.tensor([0, *itertools.accumulate(self.lengths())], dtype=torsh.int64, device=device)
        return self._offsets  # type: ignore[no-any-return]

    def like(self, shapes: Any, ragged: int | None = None) -> Structure:
        """Components of other shapes; in a jagged layout with the same lengths they keep their offsets."""
        if self.layout is STRIDED:
            return Structure(shapes, STRIDED)
        found = Structure(shapes, JAGGED, self.ragged if ragged is None else ragged, ragged_size=self.ragged_size)
        if found.lengths() == self.lengths():
            found._offsets = self._offsets
        else:
            found.ragged_size = RaggedSize()
        return found

    def same(self, other: Structure) -> bool:
        """Whether components have the same shapes and lie the same way."""
        return self is other or (
            self.shapes == other.shapes and self.layout is other.layout and self.ragged == other.ragged
        )

    def size(self) -> tuple[Any, ...]:
        """The size of a jagged tensor, with a symbol for the ragged dimension."""
        assert self.ragged is not None
        first = self.shapes[0]
        return (len(self.shapes), *(self.ragged_size if i == self.ragged else n for i, n in enumerate(first, 1)))


class NestedTensor(Tensor):
    """A batch of tensors of different shapes."""

    _plain = True
    _structure: Structure

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        from torsh.nested._rules import call

        return call(func, args, kwargs or {})

    @property
    def is_nested(self) -> bool:  # type: ignore[override]
        """True."""
        return True

    @property
    def layout(self) -> Any:  # type: ignore[override]
        """``torch.strided`` or ``torch.jagged``."""
        return self._structure.layout

    @property
    def shape(self) -> Size:
        """The size; only of the layout ``jagged``, with a symbol for the ragged dimension."""
        if self._structure.layout is STRIDED:
            raise RuntimeError(
                "Internal error: NestedTensorImpl doesn't support sizes. Ask .size(dim), or .unbind() for its components"
            )
        return Size(self._structure.size())

    @property
    def ndim(self) -> int:
        """The number of dimensions, with that of the batch."""
        return self._structure.ndim

    def dim(self) -> int:
        """The number of dimensions, with that of the batch."""
        return self._structure.ndim

    def size(self, dim: int | None = None) -> Any:
        """The size of one dimension.  Raises RuntimeError for an irregular one (layout ``strided``)."""
        s = self._structure
        if dim is None:
            return self.shape
        d = wrap(dim, s)
        if s.layout is JAGGED:
            return s.size()[d]
        if d == 0:
            return len(s.shapes)
        sizes = {shape[d - 1] for shape in s.shapes}
        if len(sizes) != 1:
            raise RuntimeError(f"Given dimension {d} is irregular and does not have a size.")
        return sizes.pop()

    def __len__(self) -> int:
        return len(self._structure.shapes)

    def __iter__(self) -> Any:
        return iter(self.unbind())

    def numel(self) -> int:
        """The number of elements of all components."""
        return sum(math.prod(s) for s in self._structure.shapes)

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether the components lie one after the other in row-major order."""
        s = self._structure
        return s.layout is STRIDED or s.ragged == 1

    def stride(self, dim: int | None = None) -> Any:
        """Refused: components differ in their strides."""
        raise RuntimeError("Internal error: NestedTensorImpl doesn't support strides. Ask the components, .unbind()")

    def _nested_tensor_size(self) -> Tensor:
        """The shapes of the components as a matrix."""
        import torsh

        return torsh.tensor(self._structure.shapes, dtype=torsh.int64).reshape(len(self), -1)  # type: ignore[no-any-return]

    def values(self) -> Tensor:
        """The memory of all components: joined along the ragged dimension, or flattened (layout ``strided``)."""
        return values_of(self)

    def offsets(self) -> Tensor:
        """Where each component begins in the values, and the end of the last (layout ``jagged``)."""
        if self._structure.layout is STRIDED:
            raise AttributeError("'Tensor' object has no attribute 'offsets': it has layout torch.strided")
        return self._structure.offsets(self.device)

    def lengths(self) -> None:
        """None: components lie one after the other, so offsets say their lengths."""
        if self._structure.layout is STRIDED:
            raise AttributeError("'Tensor' object has no attribute 'lengths': it has layout torch.strided")

    def to_padded_tensor(self, padding: float, output_size: Any = None) -> Tensor:
        """``torch.nested.to_padded_tensor``."""
        from torsh.nested import to_padded_tensor

        return to_padded_tensor(self, padding, output_size)

    def is_same_size(self, other: Any) -> bool:
        """Whether another nested tensor has components of the same shapes."""
        if not isinstance(other, NestedTensor):
            raise RuntimeError(
                "Expected both self and other to be nested tensors. Self is nested. While Other is not nested."
            )
        return self._structure.shapes == other._structure.shapes

    @property
    def data(self) -> Tensor:
        """The same values outside the graph."""
        return self._alias()

    @data.setter
    def data(self, value: Any) -> None:
        self._data, self._kind, self._structure = value._data, value._kind, value._structure

    def _alias(self) -> Tensor:
        return raw(plain_values(self), self._structure)

    def _assign(self, result: Any, name: str) -> Tensor:
        """Write in place: the values of a result of the same structure, and its history."""
        if not isinstance(result, NestedTensor) or not result._structure.same(self._structure):
            raise RuntimeError(f"{name}: the result has not the components of the nested tensor that is to be written")
        self._kind.backend.write(self._data, result._data)
        self._bump(name)
        if result._rg:
            self._gf, self._nr, self._rg = result._gf, result._nr, True
        return self

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        s = self._structure
        node = self.grad_fn
        grad = f", grad_fn=<{type(node).__name__}>" if node is not None else ", requires_grad=True" if self._rg else ""
        if s.layout is JAGGED:
            size = ", ".join(map(str, s.size()))
            return f"NestedTensor(size=({size}), offsets={self.offsets()}{grad}, contiguous={self.is_contiguous()})"
        parts = [repr(p.detach()).replace("\n", "\n  ") for p in split(plain_values(self), s)]
        listed = "\n  " + ",\n  ".join(parts) if parts else "\n"
        return f"nested_tensor([{listed}\n]{grad})"

    def tolist(self) -> Any:
        """Refused, as in PyTorch."""
        raise RuntimeError(
            ".tolist() is not supported for tensor subclasses, got NestedTensor; call it on the components, .unbind()"
        )

    def numpy(self, *, force: bool = False) -> Any:
        """Refused, as in PyTorch."""
        raise RuntimeError(".numpy() is not supported for tensor subclasses. Call it on the components, .unbind()")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self.numpy()

    def item(self) -> Any:
        """The only element as a Python number."""
        return plain_values(self).item()

    def __bool__(self) -> bool:
        return bool(plain_values(self))

    def __reduce_ex__(self, protocol: Any) -> Any:
        s = self._structure
        return _rebuild, (plain_values(self).clone(), s.shapes, s.layout, s.ragged, self._rg)

    def __deepcopy__(self, memo: Any) -> Any:
        if id(self) not in memo:
            memo[id(self)] = _rebuild(
                plain_values(self).clone(), self._structure.shapes, self.layout, self._structure.ragged, self._rg
            )
        return memo[id(self)]


def _rebuild(values: Tensor, shapes: Any, layout: Any, ragged: int | None, requires_grad: bool) -> NestedTensor:
    found = raw(values, Structure(shapes, layout, ragged))
    if requires_grad:
        found.requires_grad = True
    return found


def wrap(dim: int, s: Structure) -> int:
    """A dimension counted from the front; IndexError where there is none."""
    n = s.ndim
    if not -n <= dim < n:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
    return dim % n


def raw(values: Tensor, structure: Structure) -> NestedTensor:
    """A nested tensor without history over the memory of its values."""
    t: NestedTensor = sharing(NestedTensor, values)
    t._structure = structure
    return t


def plain_values(t: Any) -> Tensor:
    """The values without history."""
    return Tensor._alias(t)


def values_of(t: Any) -> Tensor:
    """The values of a nested tensor; their gradient is nested as it is."""
    structure = t._structure
    return recorded(  # type: ignore[no-any-return]
        plain_values(t),
        t,
        "NestedGetValuesBackward0",
        lambda g: g if isinstance(g, NestedTensor) else with_values(g, structure),
    )


def with_values(values: Tensor, structure: Structure) -> NestedTensor:
    """Values as a nested tensor; their gradient is the values of the nested gradient."""
    return recorded(  # type: ignore[no-any-return]
        raw(values.detach(), structure), values, "NestedViewFromJaggedBackward0" if structure.layout is JAGGED else "NestedTensorFromBufferBackward0",
        lambda g: values_of(g) if isinstance(g, NestedTensor) else g,
    )  # fmt: skip


def split(values: Tensor, s: Structure) -> list[Tensor]:
    """The components in values."""
    if not s.shapes:
        return []
    if s.layout is STRIDED:
        return [p.reshape(shape) for p, shape in zip(values.split(s.lengths()), s.shapes)]
    assert s.ragged is not None
    return list(values.split(s.lengths(), s.ragged - 1))


def parts_of(t: Any) -> list[Tensor]:
    """The components of a nested tensor, part of its graph."""
    return split(values_of(t), t._structure)


def packed(parts: list[Tensor], structure: Structure) -> NestedTensor:
    """Components as a nested tensor, part of their graph."""
    import torsh

    if structure.layout is STRIDED:
        values = torsh.cat([p.reshape(-1) for p in parts]) if parts else torsh.empty(0)
    else:
        assert structure.ragged is not None
        values = torsh.cat(parts, structure.ragged - 1)
    return with_values(values, structure)


__all__ = ["NestedTensor", "Structure", "packed", "parts_of", "raw", "values_of", "with_values"]
