"""Tensors under ``vmap``: what the mapped function sees as one example is a whole batch underneath."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from torsh.dispatch import Mode, _stack, modes
from torsh.overrides import _disabled_torch_function_impl
from torsh.tensor import Tensor, new


class Example:
    """Stands where a raw array would be: it has the shape of one example and no values.

    Whatever asks for values (item, bool, numpy, a kernel) fails here instead of silently answering for one example.
    """

    __slots__ = ("batch", "shape")

    def __init__(self, batch: Tensor) -> None:
        self.batch = batch
        self.shape = tuple(batch.shape)[1:]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def flags(self) -> Any:
        """What NumPy arrays say of their layout."""
        return SimpleNamespace(c_contiguous=self.is_contiguous())

    def is_contiguous(self, *args: Any, **kwargs: Any) -> bool:
        """What torch tensors say of their layout: whether each example lies in row-major order in the batch's memory."""
        expected = 1
        for n, step in zip(reversed(self.shape), reversed(self.batch.stride())):
            if n != 1:
                if step != expected and 0 not in self.shape:
                    return False
                expected *= n
        return True

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(
            "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling .item() on a Tensor, or over "
            "anything else that needs its values, such as data-dependent control flow or a conversion to NumPy: compute with tensors "
            "(torch.where instead of if), or loop over the batch"
        )


def _refuse(self: Example, *args: Any) -> Any:
    return self.values  # there are none: raises


for _name in (
    "lt",
    "le",
    "gt",
    "ge",
    "add",
    "radd",
    "sub",
    "rsub",
    "mul",
    "rmul",
    "truediv",
    "getitem",
    "setitem",
    "iter",
    "len",
    "float",
    "int",
):
    setattr(Example, f"__{_name}__", _refuse)


class Batched(Tensor):
    """One example of a batch, at one level of ``vmap``.  ``_physical`` holds the batch, its dimension first."""

    _plain = True
    _level: int
    _physical: Tensor
    __torch_function__ = _disabled_torch_function_impl  # type: ignore[assignment]

    @property
    def _rg(self) -> bool:  # type: ignore[override]
        # What the batch says: a write to another view of its memory may have changed it.
        return self._physical._rg

    @_rg.setter
    def _rg(self, value: bool) -> None:
        pass

    def _assign(self, result: Tensor, name: str) -> Tensor:
        """Write in place: into the batch."""
        self._physical.copy_(physical(result, self._level, self._physical.shape[0]))
        return self

    def _refuse_into(self, target: Tensor, name: str) -> None:
        """A tensor that is no batch cannot take the values of one."""
        raise RuntimeError(
            f"vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor `other` in extra_args that has "
            "more elements than `self`. This happened due to `other` being vmapped over but `self` not being vmapped over in a vmap. "
            f"Please try to use out-of-place operators instead of inplace arithmetic ({name}), or write to a tensor made from one that is "
            "vmapped over (new_zeros, clone)"
        )

    def _alias(self) -> Tensor:
        return batched(self._physical.detach(), self._level)

    def _alias_with_history(self) -> Tensor:
        """The same memory with the same history, of which an in-place view is made."""
        before = self._physical
        if type(before) is Batched:
            return batched(before._alias_with_history(), self._level)
        whole = before._alias()
        whole._gf, whole._nr, whole._rg = before.grad_fn, before._nr, before._rg
        return batched(whole, self._level)

    def detach_(self) -> Tensor:
        """Take the batch out of the graph."""
        self._physical.detach_()
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Refused: what is mapped is differentiated by ``torch.func.grad`` and ``vjp``."""
        if requires_grad:
            raise RuntimeError(
                "You are attempting to call Tensor.requires_grad_() (or perhaps using torch.autograd.functional.* APIs) inside of a function "
                "being transformed by a functorch transform. This is unsupported, please attempt to use the functorch transforms (e.g. grad, "
                "vjp, jacrev, jacfwd, hessian) or call requires_grad_() outside of a function being transformed instead."
            )
        return self

    def _of_batch(self, make: Any) -> Tensor:
        """A new batch of this level: ``make(the batch behind this example, its length)``."""
        return batched(make(self._physical, int(self._physical.shape[0])), self._level)

    def stride(self, dim: int | None = None) -> Any:
        """The strides of an example inside the batch's memory."""
        found = self._physical.stride()[1:]
        return found if dim is None else found[dim]

    def storage_offset(self) -> int:
        """The offset of the first example."""
        return int(self._physical.storage_offset())

    def numpy(self, *, force: bool = False) -> Any:
        """Refused: an example has no values of its own."""
        return self._data.values

    def tolist(self) -> Any:
        """Refused, as ``numpy``."""
        return self._data.values

    item = tolist

    @property
    def data(self) -> Tensor:
        """Refused, as in PyTorch: use ``detach()``."""
        raise RuntimeError("accessing `data` under vmap transform is not allowed: use detach()")

    @data.setter
    def data(self, value: Any) -> None:
        raise RuntimeError("mutating directly with `.data` under vmap transform is not allowed: use copy_()")

    def resize_(self, *args: Any, **kwargs: Any) -> Tensor:
        """Refused: an example has no memory of its own to resize."""
        raise RuntimeError(
            "vmap: an example cannot be given other memory (resize_, resize_as_, set_): it is a part of the batch. Make a new tensor with "
            "new_empty, or use view or narrow"
        )

    resize_as_ = set_ = resize_

    def __bool__(self) -> bool:
        raise RuntimeError(
            "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We don't support that yet: "
            "compute with tensors (torch.where instead of if), or loop over the batch"
        )

    def backward(self, *args: Any, **kwargs: Any) -> None:
        """Refused: what is mapped is differentiated by ``torch.func.grad`` and ``vjp``."""
        raise RuntimeError(
            "backward() called inside a functorch transform. This is not supported, please use functorch.grad or functorch.vjp instead "
            "or call backward() outside of functorch transforms."
        )

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self._data.values

    def __repr__(self) -> str:
        value = textwrap.indent(repr(self._physical), " " * 4)
        return f"BatchedTensor(lvl={self._level}, bdim=0, value=\n{value}\n)"


def batched(physical: Tensor, level: int) -> Batched:
    """The example seen at ``level`` of a batch whose dimension is first."""
    t = new(Batched)
    t._physical, t._level = physical, level
    t._kind = physical._kind
    t._data = Example(physical)
    return t


def is_batched(t: Any) -> bool:
    """Whether a value is an example that a ``vmap`` made."""
    return type(t) is Batched


def at_level(t: Any, level: int) -> bool:
    """Whether a value is a batch at this level."""
    return type(t) is Batched and t._level == level


def physical(t: Tensor, level: int, size: int) -> Tensor:
    """The batch behind an example; any other tensor is repeated (as a view) ``size`` times."""
    if at_level(t, level):
        return t._physical  # type: ignore[attr-defined]
    return t.unsqueeze(0).expand((size, *t.shape))


def pull(t: Tensor, level: int, size: int) -> Tensor:
    """Show the batch dimension of ``level`` as an ordinary leading dimension, below whatever other levels there are."""
    if type(t) is Batched and t._level > level:
        return batched(pull(t._physical, level, size).transpose(0, 1), t._level)
    return physical(t, level, size)


def push(t: Tensor, level: int) -> Tensor:
    """Undo ``pull``: make the leading dimension the batch of ``level`` again."""
    if type(t) is Batched and t._level > level:
        return batched(push(t._physical.transpose(0, 1), level), t._level)
    return batched(t, level)


def own_copy(t: Tensor, *others: Any) -> Tensor:
    """A copy of ``t`` to write (parts of) others into: a batch wherever one of these is one."""
    copy = t.clone()
    for other in others:
        while type(other) is Batched:
            copy = _batched_like(copy, other._level, int(other._physical.shape[0]))
            other = other._physical
    return copy


def _batched_like(t: Tensor, level: int, size: int) -> Tensor:
    at: Tensor | None = t
    while type(at) is Batched:
        if at._level == level:
            return t
        at = at._physical
    return push(pull(t, level, size).clone(), level)


class VmapMode(Mode):
    """Carries out ops on examples as ops on batches."""

    def __init__(self, level: int, size: int, randomness: str) -> None:
        self.level, self.size, self.randomness = level, size, randomness

    def intercept(self, op: Any, args: tuple[Any, ...], proceed: Any) -> Any:
        from torsh.func._rules import apply

        if "random" in op.tags:
            from torsh.func._rules import apply_random

            return apply_random(self, op, args, proceed)
        level = self.level
        for a in args:  # every op under a map comes here: a generator of ``has_batch`` takes three times as long
            t = type(a)
            if (t is Batched and a._level == level) or ((t is tuple or t is list) and has_batch(a, level)):
                return apply(self, op, args)
        return proceed(*args)


def mapped() -> bool:
    """Whether a ``vmap`` is at work in this thread."""
    return any(isinstance(m, VmapMode) for m in modes())


def _drawing(params: tuple[Any, ...]) -> tuple[VmapMode, bool]:
    """(the map around a draw, whether some of its parameters are batches); RuntimeError where it allows no such draw."""
    mode = next(m for m in reversed(modes()) if isinstance(m, VmapMode))
    if mode.randomness == "error":
        raise RuntimeError(RANDOM_IN_ERROR_MODE)
    of_examples = any(has_batch(p, mode.level) for p in params)
    if mode.randomness == "same" and of_examples:
        raise RuntimeError(
            "Vmap does not currently support same randomness with a batched tensor input. Please file an issue: the examples' "
            "parameters differ, so one draw cannot serve them all"
        )
    return mode, of_examples


RANDOM_IN_ERROR_MODE = (
    "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' randomness flags on vmap "
    "or perform the randomness operation out of vmap"
)


def drawn_on_batch(fn: Any, *params: Tensor) -> Any:
    """Random numbers with tensors of parameters under ``vmap``: ``fn(*params)``, elementwise in them, for the whole batch at once."""
    mode, _ = _drawing(params)
    if mode.randomness == "same":
        with without(mode):
            return fn(*params)
    rank = max(p.ndim for p in params)
    given = []
    for p in params:
        b = physical(p, mode.level, mode.size)
        given.append(b.reshape((b.shape[0], *(1,) * (rank + 1 - b.ndim), *b.shape[1:])))
    with without(mode):
        return batched(fn(*given), mode.level)


def drawn_like_batch(fn: Any, like: Tensor) -> Any:
    """Random numbers of a tensor's shape under ``vmap``: ``fn(like)``, whose values do not count."""
    mode, _ = _drawing(())
    if mode.randomness == "same":
        with without(mode):
            return fn(physical(like, mode.level, mode.size)[0] if mode.size else like)
    return drawn_on_batch(fn, like)


def filled_on_batch(fill: Any, t: Tensor, *params: Tensor) -> Any:
    """Random numbers written into a tensor under ``vmap``: ``fill(t, *params)``, elementwise, for the whole batch at once."""
    mode, of_examples = _drawing(params)
    mine = at_level(t, mode.level)
    if of_examples and not mine:
        Batched._refuse_into(params[0], t, "a random op")  # type: ignore[arg-type]
    if mode.randomness == "different" and not mine:
        raise RuntimeError(
            "vmap: Cannot ask for different inplace randomness on an unbatched tensor. This will appear like same randomness. If this "
            "is necessary for your usage, use a tensor that is batched by this vmap, or randomness='same'"
        )
    with without(mode):
        if not mine:
            fill(t, *params)
            return t
        whole = t._physical  # type: ignore[attr-defined]
        if mode.randomness == "same":
            one = whole.new_empty(tuple(whole.shape)[1:])
            whole.copy_(fill(one, *params))
        else:
            given = [physical(p, mode.level, mode.size) for p in params]
            fill(whole, *[p.reshape((p.shape[0], *(1,) * (whole.ndim - p.ndim), *p.shape[1:])) for p in given])
    return t


@contextlib.contextmanager
def without(mode: VmapMode) -> Iterator[None]:
    """Take a mode off the stack for a while: its batches are ordinary tensors then."""
    before = _stack.modes
    _stack.modes = tuple(m for m in before if m is not mode)
    try:
        yield
    finally:
        _stack.modes = before


def has_batch(a: Any, level: int) -> bool:
    """Whether an argument is, or contains, a batch of this level."""
    if type(a) is Batched:
        return a._level == level
    if type(a) is not list and type(a) is not tuple:
        return False
    return any(type(x) is not int and has_batch(x, level) for x in a)
