"""Every op's declaration is complete: what is derived from it can rely on that."""

from __future__ import annotations

import inspect
import re
from collections import Counter

import pytest

import torsh
from torsh.ops import NAMES
from torsh.ops._op import OPS, Op
from torsh_conformance.sample import load_generators
from torsh_conformance.subjects import lookup

PUBLIC = {n: op for n, op in OPS.items() if op.paths}
PRIMITIVE = {n: op for n, op in OPS.items() if "composite" not in op.tags}

# Tags of ops that need no meta rule: their geometry follows from the op itself, or depends on values.
NO_META = {"pointwise", "view", "data-dependent", "creation", "inplace"}


def names_of(rule: object) -> list[str]:
    """What a gradient rule asks for, after the gradient itself."""
    code = rule.__code__  # type: ignore[attr-defined]
    return list(code.co_varnames[1 : code.co_argcount])


@pytest.mark.parametrize("name", PUBLIC)
def test_has_a_docstring(name: str) -> None:
    doc = OPS[name].doc
    assert doc, f"{name} has no docstring"
    assert doc.strip(), f"{name} has no docstring"
    assert doc.strip().split("\n")[0].rstrip().endswith((".", ":", "?", "``")), (
        f"the first line of {name}'s docstring is no sentence"
    )


@pytest.mark.parametrize("name", PRIMITIVE)
def test_gradient_is_settled(name: str) -> None:
    """A primitive has rules, or a decomposition to differentiate, or says that it is not differentiable.

    A gradient's own gradient may be missing: asking for it raises an error that says so.
    """
    op = OPS[name]
    if name.endswith("_backward"):
        return
    assert op.grads or op.decompose is not None or op.tags & {"nondifferentiable", "creation"}, (
        f"{name} has neither gradient rules nor a decomposition; tag it nondifferentiable if that is so"
    )


@pytest.mark.parametrize("name", [n for n, op in OPS.items() if op.grads])
def test_gradient_rules_ask_for_what_there_is(name: str) -> None:
    op = OPS[name]
    for argument, rule in op.grads.items():
        shared = argument.split()
        assert set(shared) <= set(op.args), (
            f"{name} has a rule for {argument!r}, but its arguments are {', '.join(op.args)}"
        )
        for asked in names_of(rule):
            shape_of = asked.removesuffix("_shape") if asked.endswith("_shape") else ""
            assert (
                asked in op.args
                or shape_of in op.args
                or re.fullmatch(r"out\d*", asked)
                or (asked == "needs" and len(shared) > 1)
            ), f"{name}'s rule for {argument!r} asks for {asked!r}: there is {', '.join(op.args)}, out"


@pytest.mark.parametrize("name", [n for n, op in PRIMITIVE.items() if not op.tags & NO_META])
def test_primitive_has_a_meta_rule(name: str) -> None:
    assert OPS[name].meta is not None or OPS[name].decompose is not None, (
        f"{name} has no meta rule: lazy backends and the meta device cannot know its shape"
    )


@pytest.mark.parametrize("name", [n for n, op in OPS.items() if op.decompose is not None])
def test_decomposition_takes_the_arguments(name: str) -> None:
    op = OPS[name]
    try:
        inspect.signature(op.decompose).bind(*op.args)  # type: ignore[arg-type]
    except TypeError as e:
        pytest.fail(f"{name}'s decomposition does not take ({', '.join(op.args)}): {e}")


@pytest.mark.parametrize("name", [n for n, op in OPS.items() if op.meta is not None])
def test_meta_rule_takes_the_arguments(name: str) -> None:
    op = OPS[name]
    try:
        inspect.signature(op.meta).bind(*op.args)  # type: ignore[arg-type]
    except TypeError as e:
        pytest.fail(f"{name}'s meta rule does not take ({', '.join(op.args)}): {e}")


def test_no_path_is_claimed_twice() -> None:
    claims = Counter(p for op in OPS.values() for p in op.paths)
    twice = {p: [op.name for op in OPS.values() if p in op.paths] for p, n in claims.items() if n > 1}
    assert not twice


@pytest.mark.parametrize(
    "path", sorted({p for op in OPS.values() for p in op.paths if "._" not in p.replace(".__", "")})
)
def test_path_leads_to_the_op(path: str) -> None:
    op = next(op for op in OPS.values() if path in op.paths)
    found = lookup(torsh, path)
    found = found.fget if isinstance(found, property) else found
    if path.endswith("_") and found is op.inplace:
        return
    own = op.short if op.short is not None and path.rpartition(".")[2].startswith("__") else op.fn
    assert found is own or getattr(found, "op", None) is op or getattr(found, "__wrapped__", None) is own, (
        f"{path} is {found!r}, not what op {op.name!r} declares"
    )


@pytest.mark.parametrize("name", OPS)
def test_tags_are_consistent(name: str) -> None:
    op: Op = OPS[name]
    assert not ("nondifferentiable" in op.tags and op.grads), (
        f"{name} is tagged nondifferentiable and has gradient rules"
    )
    assert not ("view" in op.tags and "pointwise" in op.tags), f"{name} cannot be a view and pointwise"


@pytest.mark.parametrize("path", sorted(load_generators()))
def test_samples_are_for_something(path: str) -> None:
    assert callable(lookup(torsh, path)), f"there are samples for {path}, which is no function"


@pytest.mark.parametrize("namespace", sorted(n for n in NAMES if "._" not in n))
def test_namespaces_exist(namespace: str) -> None:
    found = lookup(torsh, namespace) if namespace != "torch" else torsh
    missing = [n for n in NAMES[namespace] if not hasattr(found, n)]
    assert not missing, f"{namespace} lacks {', '.join(missing)}"
