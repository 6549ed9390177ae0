"""Public functions of elementwise ops of several operands, written out as source: with the parameters of the op's body itself no
arguments need to be packed, which takes 0.1 us for positional ones and 0.3 us for keywords.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torsh.autograd.grad_mode import thread
from torsh.dispatch import mismatch, state
from torsh.ops._calls import MISTAKES
from torsh.ops._docs import dressed
from torsh.ops._op import Ready
from torsh.tensor import Parameter, Tensor, new

if TYPE_CHECKING:
    from torsh.ops._pointwise import Pointwise

_here = sys.modules[__name__]  # ``new`` is looked up in it: see ``torsh.autograd.inference``

# What the words of ``usual`` ask of an argument {a}; {k} is the kind of the first tensor.
_USUAL = {
    "first": "type({a}) is Tensor and {a}._kind.floating",
    "tensor": "type({a}) is Tensor and {a}._kind is {k}",
    "value": "(type({a}) is Tensor and {a}._kind is {k} or type({a}) is float)",
    "mask": "type({a}) is Tensor and {a}._kind is {k}.truth",
    "number": "(type({a}) is float or type({a}) is int)",
}


def written_out(
    op: Pointwise, fn: Callable[..., Any], call: Callable[..., Any], usual: str, short: bool
) -> Callable[..., Any]:
    """``call`` with ``out=``.

    short: whether the run of the op is written out, too.  usual: see ``nary``.
    """
    code = fn.__code__
    names = code.co_varnames[: code.co_argcount]
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    defaults = dict(zip(reversed(names), reversed(fn.__defaults__ or ()))) | (fn.__kwdefaults__ or {})  # type: ignore[attr-defined]
    declared = [f"{n}=_{n}" if n in defaults else n for n in (*names, *keywords)]
    declared[len(names) : len(names)] = ["*"]
    positional, named = ", ".join(names), ", ".join(f"{n}={n}" for n in keywords)
    given = f"({positional},), dict({named})"
    arguments = ", ".join(f"a{i}" for i in range(len(op.args)))
    body = [
        f"normal = fn({positional}{', ' if named else ''}{named})",
        "if type(normal) is not tuple: return tuple(normal) if type(normal) is Ready else normal",
        f"{arguments}, = normal",
    ]
    words = dict(zip(op.args, usual.split()))
    unused = [n for n in (*names, *keywords) if n not in op.args]

    def source(take: list[str], run: list[str]) -> Any:
        """take: what brings the arguments a0, a1, ... to where ``run`` finds them."""
        path = [*body, *take, *run]
        if usual and take:
            path = [
                f"if {_conditions(words, unused)}:",
                *_indented(_taken(op, words)),
                "else:",
                *_indented([*body, *take]),
                *run,
            ]
        lines = [
            f"def public({', '.join(declared)}, out=None):",
            "    if out is None and not state.overrides and not state.busy:",
            "        try:",
            *_indented(path, 3),
            "        except MISTAKES:",
            "            pass",
            f"    return general({given}, out)",
        ]
        return compiled("\n".join(lines))

    def general(a: tuple[Any, ...], k: dict[str, Any], out: Any) -> Any:
        """The call as a user would write it: without arguments at the end that have their defaults."""
        while a and names[len(a) - 1] in defaults and a[-1] is defaults[names[len(a) - 1]]:
            a = a[:-1]
        k = {n: v for n, v in k.items() if v is not defaults.get(n)}
        if out is not None:
            from torsh.ops._out import write_out

            return write_out(call, a, k, out, op=op)
        return call(*a, **k)

    def first_run(*args: Any) -> Any:
        """The first run makes the functions for all others: making them takes too long for an import.

        What users have got by then is one of them: it gets its code, in which the run is written out.
        """
        take, compute = _take(op), _compute(op)
        run: dict[str, Any] = _scope(op)
        exec(compiled("\n".join([f"def run({arguments}):", *_indented([*take, *compute])])), run)
        op._run = run["run"]  # type: ignore[method-assign]
        written: dict[str, Any] = {**scope}
        exec(source(take, compute), written)
        scope.update(_scope(op))
        public.__code__ = written["public"].__code__
        return op._run(*args)

    if short:
        op._run = first_run  # type: ignore[method-assign]
    scope: dict[str, Any] = {f"_{n}": v for n, v in defaults.items()}
    scope.update(MISTAKES=MISTAKES, Ready=Ready, Tensor=Tensor, fn=fn, general=general, run=op._run, state=state)
    exec(source([], [f"return run({arguments})"]), scope)
    public = dressed(scope["public"], fn)
    return public


def _indented(lines: list[str], by: int = 1) -> list[str]:
    return [f"{'    ' * by}{line}" for line in lines]


def _conditions(words: dict[str, str], unused: list[str]) -> str:
    """The question whether a call is a usual one.  unused: parameters that are no arguments of the op."""
    first = next(a for a, word in words.items() if word == "tensor")
    asked = [_USUAL["first" if a == first else word].format(a=a, k=f"{first}._kind") for a, word in words.items()]
    return " and ".join([*sorted(asked, key=lambda x: ".floating" not in x), *(f"{n} is None" for n in unused)])


def _taken(op: Pointwise, words: dict[str, str]) -> list[str]:
    """``_take`` for a usual call."""
    lines = []
    tracked = []
    for i, (a, word) in enumerate(words.items()):
        raw = {"number": a, "value": f"{a} if type({a}) is float else {a}._data"}.get(word, f"{a}._data")
        lines.append(f"a{i} = {a}; r{i} = {raw}")
        if word in ("tensor", "value") and not op._keep[i]:
            tracked.append(f"{a}._rg" if word == "tensor" else f"(type({a}) is Tensor and {a}._rg)")
    first = next(a for a, word in words.items() if word == "tensor")
    return [*lines, f"k = {first}._kind", f"tracked = {' or '.join(tracked)}"]


def _take(op: Pointwise) -> list[str]:
    """How ``Pointwise._run`` on a0, a1, ... begins for operands of one kind, and numbers beside floating ones, written out operand
    by operand (a loop takes three times as long): raw arrays r0, r1, ..., their kind k, and whether a gradient is asked for.
    Anything else goes to the general form.
    """
    names = [f"a{i}" for i in range(len(op.args))]
    args = ", ".join(names)
    operands = [a for a, keep in zip(names, op._keep) if not keep]
    first, others = operands[0], operands[1:]
    lines: list[str] = []
    for i, a in enumerate(names):
        if op._keep[i]:
            tensor = f"t is Tensor or (t is not float and t is not int and {a} is not None and isinstance({a}, Tensor))"
            lines += [f"t = type({a})", f"r{i} = {a}._data if {tensor} else {a}"]
    lines += [
        # First as if all operands were tensors of one kind, then one by one.
        f"if {' and '.join([*(f'type({a}) is Tensor' for a in operands), *(f'{a}._kind is {first}._kind' for a in others)])}:",
        f"    k = {first}._kind",
        f"    tracked = {' or '.join(f'{a}._rg' for a in operands)}",
        *(f"    r{i} = {a}._data" for i, a in enumerate(names) if not op._keep[i]),
        "else:",
        "    k = None",
        "    tracked = False",
    ]
    for a in operands:
        lines += [
            f"    t = type({a})",
            "    if t is Tensor or t is Parameter:",
            f"        if k is None: k = {a}._kind",
            f"        elif {a}._kind is not k: return slow({args})",
            f"        if {a}._rg: tracked = True",
            f"        r{a[1:]} = {a}._data",
            f"    elif t is float or t is int or {a} is None: r{a[1:]} = {a}",
            f"    else: return slow({args})",
        ]
    return [*lines, f"    if k is None or not k.floating: return slow({args})"]


def _compute(op: Pointwise) -> list[str]:
    """The rest of ``Pointwise._run`` after ``_take``."""
    args, raws = (", ".join(f"{letter}{i}" for i in range(len(op.args))) for letter in "ar")
    return [
        "try: kernel = known[k]",
        "except KeyError: kernel = learn(k)",
        f"if kernel is None: return slow({args})",
        f"try: found = kernel({raws})",
        f"except (ValueError, MemoryError) as e: raise mismatch(e, ({raws},)) from None",
        "if type(found) is not k.raw_type: found = k.as_raw(found)",
        "o = here.new(Tensor)",
        "o._data = found",
        "o._kind = k",
        "o._rg = False",
        f"if tracked and thread.enabled and op.grads: op.record(({args},), (o,))",
        "return o",
    ]


def _scope(op: Pointwise) -> dict[str, Any]:
    """What ``_take`` and ``_compute`` name."""
    return {
        "Parameter": Parameter, "Tensor": Tensor, "slow": functools.partial(type(op)._run, op), "here": _here, "known": op.kernels.known,
        "learn": op.learn, "mismatch": mismatch, "op": op, "thread": thread,
    }  # fmt: skip


@functools.cache
def compiled(source: str) -> Any:
    """The code of a call path; most ops have operands of the same names, and compiling each would be a tenth of the time to import
    torsh."""
    return compile(source, f"{__file__} (call path)", "exec")


__all__ = ["compiled", "new", "written_out"]
