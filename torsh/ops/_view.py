"""Template of view ops: one tensor in, one tensor of the same memory out."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from torsh.autograd import engine
from torsh.autograd.grad_mode import thread
from torsh.dispatch import state, through_modes
from torsh.ops._op import Op, Plan, override_of, torch_names
from torsh.tensor import Tensor, Version, check_writable, new

_numbers = engine._numbers


class View(Op):
    """An op whose result looks at the memory of its first argument, with the same element type."""

    _plan: Plan | None = None

    def _run(self, input: Tensor, *params: Any) -> Tensor:
        k = input._kind
        r = self.kernels[k](input._data, *params)
        if type(r) is not k.raw_type:
            r = k.as_raw(r)
        out = new(Tensor)
        out._data = r
        out._kind = k
        root = input._base
        if root is None:
            root = input
        elif input._replay is not None:
            out._replay = replayed(input, self, params)
        out._base = root
        vc = root._vc
        if vc is None:
            vc = root._vc = Version((root._gf, root._nr) if root._gf is not None else None)
        out._vc = vc
        out._gf_version = vc.version
        if input._rg:
            if thread.enabled and self.grads:
                self._record(input, params, out)
        return out

    def _record(self, input: Tensor, params: tuple[Any, ...], out: Tensor) -> None:
        """``Op.record``, written out for one input and rules that need parameters and the input's shape only."""
        plan = self._plan
        if plan is None:
            plan = Plan(self, (True, *(False,) * len(params)), 1)
            if any(what is True or (not what and j == 0) for what, j in plan.takes):
                self.record((input, *params), (out,))
                return
            self._plan = plan
        node = new(plan.node_type)
        node.seq = next(_numbers)
        gf = input._gf if input._base is None else input.grad_fn
        node.edges = (input if gf is None else gf,)
        if input._nr:
            node.numbers = (input._nr,)
        node.saved = tuple([params[j - 1] if not what else tuple(input._data.shape) for what, j in plan.takes])
        out._gf = node
        out._rg = True


class Parts(View):
    """An op whose results are several views of its first argument."""

    def _run(self, input: Tensor, *params: Any) -> Any:
        if input._replay is not None:
            return Op._run(self, input, *params)
        k = input._kind
        root = input._base
        if root is None:
            root = input
        vc = root._vc
        if vc is None:
            vc = root._vc = Version((root._gf, root._nr) if root._gf is not None else None)
        outs = []
        for r in self.kernels[k](input._data, *params):
            out = new(Tensor)
            out._data = r if type(r) is k.raw_type else k.as_raw(r)
            out._kind = k
            out._base = root
            out._vc = vc
            out._gf_version = vc.version
            outs.append(out)
        if input._rg:
            if thread.enabled and outs:
                self.record((input, *params), outs)
        return tuple(outs)


def replayed(input: Tensor, op: Op, params: tuple[Any, ...]) -> Callable[[Tensor], Tensor]:
    """How to make a view of a view again from its base, where geometry cannot say it."""
    before = input._replay
    assert before is not None
    return lambda base: op(before(base), *params)


def view(
    paths: str,
    *,
    name: str | None = None,
    args: str | None = None,
    grad: Callable[..., Any] | None = None,
    meta: Callable[..., Any] | None = None,
    decompose: Callable[..., Any] | None = None,
    inplace: bool = False,
    several: bool = False,
    node_name: str | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a view op.  The body returns the tensor and the normalised parameters, or a finished tensor.

    several: whether the result is a tuple of views.  inplace: whether there is a form that changes the tensor's own shape and strides (``transpose_``).
    """

    def declare(fn: Callable[..., Any]) -> Callable[..., Any]:
        names = args.split() if args is not None else list(inspect.signature(fn).parameters)
        op = (Parts if several else View)(
            name or fn.__name__, None, names, grads={names[0]: grad} if grad else None, meta=meta, decompose=decompose,
            paths=paths.split(), tags=("view",) if grad else ("view", "nondifferentiable"), node_name=node_name, doc=fn.__doc__,
        )  # fmt: skip
        run = op._run

        @functools.wraps(fn)
        def public(*a: Any, **k: Any) -> Any:
            if state.overrides and (handler := override_of(a, k)) is not None:
                return handler(public, a, k)
            try:
                normal = fn(*a, **k)
            except TypeError:
                if (renamed := torch_names(fn, k)) is None:
                    raise
                normal = fn(*a, **renamed)
            if type(normal) is not tuple:
                return normal
            return through_modes(op, normal, run) if state.busy else run(*normal)

        op.fn = public
        op.inplace = metadata_inplace(op.name, public) if inplace else None
        public.op = op  # type: ignore[attr-defined]
        return public

    return declare


def metadata_inplace(name: str, fn: Callable[..., Any]) -> Callable[..., Any]:
    """The in-place form of a view: the tensor itself gets the view's shape and strides; its memory stays as it is."""
    name += "_"

    def inplace(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        check_writable(self, name)
        source = self._alias()
        source._gf, source._nr, source._rg = self.grad_fn, self._nr, self._rg
        out = fn(source, *args, **kwargs)
        self._data = out._data
        if out._rg and thread.enabled:
            self._gf, self._nr, self._rg = out._gf, out._nr, True
        self._bump(name)
        self._gf_version = self._vc.version  # type: ignore[union-attr]
        return self

    inplace.__name__ = inplace.__qualname__ = name
    inplace.__doc__ = (
        f"In-place form of :func:`{name[:-1]}`: changes the tensor's own shape and strides, not its memory."
    )
    return inplace


__all__ = ["View", "metadata_inplace", "view"]
