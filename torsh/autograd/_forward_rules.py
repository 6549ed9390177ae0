"""How an op's tangent follows from its declaration.

In this order:

* ``jvp=`` of the declaration: a function that names what it needs: ``input_t`` is the tangent of ``input`` (None for zero), besides
  that the names that gradient rules have;
* views and ops with the tag *linear* (in all their differentiable arguments together): the op itself, of the tangents;
* the tag *multilinear* (linear in each differentiable argument): the sum of the op with one argument replaced by its tangent;
* pointwise ops: the gradient rule is a product with the derivative, so it is the forward rule as well;
* the tag *symmetric*: the Jacobian equals its transpose, and so do the rules;
* reductions: each result's gradient, times the tangent, reduced;
* ops without gradient rules: those of their decomposition;
* all others (factorizations, mostly), and complex pointwise ops without the tag *holomorphic*: the vector-Jacobian product of this
  one op is linear in its cotangent; its derivative with respect to that is the tangent.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from torsh.autograd._forward import Level, detached
from torsh.autograd.grad_mode import enable_grad, thread
from torsh.dispatch import _lock, _stack, state
from torsh.tensor import Tensor

Rule = Callable[[Level, Any, tuple[Any, ...], list[Any], Callable[..., Any]], Any]


def kind_of(op: Any) -> str:
    """By which of the ways above an op gets its tangent."""
    tags = op.tags
    if "nondifferentiable" in tags:
        return "none"
    if op.jvp is not None:
        return "jvp"
    if op.view or "linear" in tags:
        return "linear"
    if "multilinear" in tags:
        return "multilinear"
    if not op.grads:
        return "decomposed" if op.decompose is not None else "two passes"
    single = len(op.grads) == 1 and not op.joint
    if "pointwise" in tags and not op.joint and op.name != "frexp":
        return "pointwise"
    if "symmetric" in tags and single:
        return "symmetric"
    if "reduction" in tags and single and op.returns is None and {"dim", "keepdim"} <= set(op.args):
        return "reduction"
    return "two passes"


def rule_of(op: Any) -> Rule:
    """The rule of an op."""
    makers: dict[str, Callable[[Any], Rule]] = {
        "none": _none, "jvp": _named, "linear": _linear, "multilinear": _multilinear, "decomposed": _decomposed,
        "pointwise": _pointwise, "symmetric": _symmetric, "reduction": _reduction, "two passes": lambda op: two_passes,
    }  # fmt: skip
    return makers[kind_of(op)](op)


def _none(op: Any) -> Rule:
    return lambda level, op, args, tangents, proceed: proceed(*args)


def _decomposed(op: Any) -> Rule:
    def run(level: Level, op: Any, args: tuple[Any, ...], tangents: list[Any], proceed: Any) -> Any:
        before = _stack.modes
        _stack.modes = (*before, level)
        with _lock:
            state.busy += 1
        try:
            return op._pack(op.decompose(*args))
        finally:
            _stack.modes = before
            with _lock:
                state.busy -= 1

    return run


def _given(level: Level, out: Any, found: Any) -> Any:
    """Results of an op with their tangents (None: zero)."""
    if type(out) is tuple or isinstance(out, (tuple, list)):
        for o, t in zip(out, found):
            if t is not None and o is not None and o._kind.inexact:
                level.result(o, t)
    elif found is not None and out._kind.inexact:
        level.result(out, found)
    return out


# ---- linear ops --------------------------------------------------------------------------------------------------------


def _differentiable(op: Any) -> list[int]:
    """Positions of the arguments with a gradient rule."""
    return [op.args.index(n) for key in op.grads for n in key.split() if n in op.args]


def _zeros(x: Any) -> Any:
    return x.detach().new_zeros(tuple(x.shape)) if isinstance(x, Tensor) else x if x is None else type(x)(0)


def _linear(op: Any) -> Rule:
    if op.view:
        return _view
    where = sorted(set(_differentiable(op)))

    def run(level: Level, op: Any, args: tuple[Any, ...], tangents: list[Any], proceed: Any) -> Any:
        given = list(args)
        for i in where:
            a, t = args[i], tangents[i]
            if type(a) is list or type(a) is tuple:
                parts = [None] * len(a) if t is None else t
                given[i] = type(a)([_zeros(x) if p is None else p for x, p in zip(a, parts)])
            else:
                given[i] = _zeros(a) if t is None else t
        out = proceed(*args)
        return _given(level, out, op(*given))

    return run


def _view(level: Level, op: Any, args: tuple[Any, ...], tangents: list[Any], proceed: Any) -> Any:
    input, tangent = args[0], tangents[0]
    out = proceed(*args)
    if tangent is None:
        return out
    if input._base is None:
        tangent = level.arranged(input, tangent)
        source = level.of(input)
    else:
        source = None if input._base._fw is None else input._base._fw.get(level)
    found = op(tangent, *args[1:])
    several = type(out) is tuple
    for o, t in zip(out, found) if several else ((out, found),):
        if not o._kind.inexact:
            continue
        if o._base is None:
            level.result(o, t)
        else:
            level._note(o, (t, source))
    return out


def _multilinear(op: Any) -> Rule:
    where = sorted(set(_differentiable(op)))

    def run(level: Level, op: Any, args: tuple[Any, ...], tangents: list[Any], proceed: Any) -> Any:
        out = proceed(*args)
        total = None
        for i in where:
            if tangents[i] is not None:
                term = op(*args[:i], tangents[i], *args[i + 1 :])
                total = term if total is None else total + term
        return _given(level, out, total)

    return run


# ---- rules by name -------------------------------------------------------------------------------------------------------


def _argument(i: int, args: Any, tangents: Any, out: Any) -> Any:
    return args[i]


def _tangent(i: int, args: Any, tangents: Any, out: Any) -> Any:
    return tangents[i]


def _output(i: int, args: Any, tangents: Any, out: Any) -> Any:
    return out[i] if isinstance(out, (tuple, list)) else out


def _shape(i: int, args: Any, tangents: Any, out: Any) -> Any:
    from torsh.ops._record import shape_of

    return shape_of(args[i])


def _asked(op: Any, rule: Callable[..., Any], skip: int) -> list[Callable[[Any, Any, Any], Any]]:
    """How to get each value that a rule names, from (args, tangents, out)."""
    code = rule.__code__
    found: list[Callable[[Any, Any, Any], Any]] = []
    for n in code.co_varnames[skip : code.co_argcount]:
        if n in op.args:
            found.append(functools.partial(_argument, op.args.index(n)))
        elif n.endswith("_t") and n[:-2] in op.args:
            found.append(functools.partial(_tangent, op.args.index(n[:-2])))
        elif n == "out" or (n.startswith("out") and n[3:].isdigit()):
            found.append(functools.partial(_output, int(n[3:] or 0)))
        elif n.endswith("_shape") and n[:-6] in op.args:
            found.append(functools.partial(_shape, op.args.index(n[:-6])))
        else:
            raise TypeError(
                f"a rule of op {op.name!r} asks for {n!r}: it has {', '.join(op.args)}, their tangents as <name>_t, out"
            )
    return found


def _named(op: Any) -> Rule:
    rule = op.jvp
    asked = _asked(op, rule, 0)

    def run(level: Level, op: Any, args: tuple[Any, ...], tangents: list[Any], proceed: Any) -> Any:
        out = proceed(*args)
        return _given(level, out, rule(*[get(args, tangents, out) for get in asked]))

    return run


def _single_rules(op: Any) -> list[tuple[int, Callable[..., Any], list[Any]]]:
    return [(op.args.index(n), rule, _asked(op, rule, 1)) for n, rule in op.grads.items()]


def _complex(args: Sequence[Any], out: Any) -> bool:
    return bool(out._kind.complex) or any(isinstance(a, Tensor) and a._kind.complex for a in args)


def _pointwise(op: Any) -> Rule:
    rules = _single_rules(op)
    holomorphic = "holomorphic" in op.tags

    def run(level: Level, op: Any, args: tuple[Any, ...], tangents: list[Any], proceed: Any) -> Any:
        conj = False
        for a in args:
            if isinstance(a, Tensor) and a._kind.complex:
                if not holomorphic:
                    return two_passes(level, op, args, tangents, proceed)
                conj = True
        out = proceed(*args)
        kind, shape = out._kind, out._data.shape
        if not kind.inexact:
            return out
        if kind.complex and not conj:
            if not holomorphic:
                return two_passes(level, op, args, tangents, proceed)
            conj = True
        total = None
        for i, rule, asked in rules:
            t = tangents[i]
            if t is None:
                continue
            if t._kind is not kind:
                t = t.to(kind.dtype)
            if t._data.shape != shape:
                t = t.expand(tuple(shape))
            values = [get(args, tangents, out) for get in asked]
            term = rule(t.conj(), *values).conj() if conj else rule(t, *values)
            total = term if total is None else total + term
        return out if total is None else _given(level, out, total)

    return run


def _symmetric(op: Any) -> Rule:
    ((at, rule, asked),) = _single_rules(op)

    def run(level: Level, op: Any, args: tuple[Any, ...], tangents: list[Any], proceed: Any) -> Any:
        if args[at]._kind.complex:
            return two_passes(level, op, args, tangents, proceed)
        out = proceed(*args)
        t = tangents[at]
        if t._kind is not out._kind:
            t = t.to(out.dtype)
        return _given(level, out, rule(t, *[get(args, tangents, out) for get in asked]))

    return run


def _reduction(op: Any) -> Rule:
    ((at, rule, asked),) = _single_rules(op)
    dim, keepdim = op.args.index("dim"), op.args.index("keepdim")

    def run(level: Level, op: Any, args: tuple[Any, ...], tangents: list[Any], proceed: Any) -> Any:
        if args[at]._kind.complex:
            return two_passes(level, op, args, tangents, proceed)
        out = proceed(*args)
        if type(out) is tuple:
            raise TypeError(f"op {op.name!r} has several results: it needs a jvp= rule")
        weights = rule(out.detach().new_ones(tuple(out.shape)), *[get(args, tangents, out) for get in asked])
        dims = args[dim]
        product = weights * tangents[at]
        return _given(level, out, product.sum() if dims is None else product.sum(dims, args[keepdim]))

    return run


# ---- any op ------------------------------------------------------------------------------------------------------------


def two_passes(level: Level, op: Any, args: tuple[Any, ...], tangents: list[Any], proceed: Any) -> Any:
    """The tangents of an op's results from its gradient rules alone: differentiate the vector-Jacobian product, which is linear in
    its cotangent, with respect to that.
    """
    from torsh.autograd import grad
    from torsh.autograd.function import around, fresh_leaf

    recording = thread.enabled
    leaves: list[Tensor] = []
    directions: list[Tensor] = []

    def tracked(a: Any, t: Any) -> Any:
        if type(a) is list or type(a) is tuple:
            return type(a)([x if d is None else tracked(x, d) for x, d in zip(a, t)])
        leaves.append(a.view_as(a) if a._rg else fresh_leaf(a))
        directions.append(t)
        return leaves[-1]

    def requires(x: Any) -> bool:
        return any(requires(y) for y in x) if type(x) in (list, tuple) else isinstance(x, Tensor) and x._rg

    outer = recording and requires(args)
    with enable_grad():
        out = proceed(*[a if t is None else tracked(a, t) for a, t in zip(args, tangents)])
        several = isinstance(out, (tuple, list))
        outs = list(out) if several else [out]
        chosen = [i for i, o in enumerate(outs) if isinstance(o, Tensor) and o._rg]
        probes = [outs[i].detach().new_ones(tuple(outs[i].shape)).requires_grad_() for i in chosen]
        found: list[Any] = [None] * len(outs)
        around.forward_mode += 1
        try:
            first = (
                grad([outs[i] for i in chosen], leaves, probes, create_graph=True, allow_unused=True) if chosen else ()
            )
        finally:
            around.forward_mode -= 1
        pairs = [(g, t) for g, t in zip(first, directions) if g is not None and g._rg]
        if pairs:
            keep = outer or (recording and requires(directions))
            second = grad([g for g, _ in pairs], probes, [t for _, t in pairs], create_graph=True, allow_unused=True)
            for i, s in zip(chosen, second):
                found[i] = s if s is None or keep else detached(s)
    if not outer:
        for o in outs:
            if isinstance(o, Tensor) and o._rg:
                o._gf, o._nr, o._rg = None, 0, False
    return _given(
        level, out if not several else tuple(outs) if type(out) is list else out, found if several else found[0]
    )
