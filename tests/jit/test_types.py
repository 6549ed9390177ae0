"""TorchScript's types and operator schemas, read and printed as PyTorch does."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

import torsh

torch = pytest.importorskip("torch")
BOTH = (torsh, torch)


def types(lib: Any) -> list[Any]:
    singles = [
        getattr(lib, f"{n}Type").get()
        for n in "Any Int Float Complex Bool String None Number DeviceObj StreamObj PyObject SymInt SymBool Tensor".split()
    ]
    i, f, s, t, n = (getattr(lib, f"{n}Type").get() for n in ("Int", "Float", "String", "Tensor", "None"))
    any_ = lib.AnyType.get()
    return [
        *singles, lib.ListType(i), lib.ListType(any_), lib.ListType.ofTensors(), lib.OptionalType(i), lib.OptionalType(lib.OptionalType(i)),
        lib.DictType(s, t), lib.DictType(s, any_), lib.TupleType([i, f]), lib.TupleType([any_, any_]), lib.TupleType([]), lib.UnionType([i, s]),
        lib.UnionType([i, s, f]), lib.UnionType([i, n]), lib.FutureType(t), lib.FutureType(any_), lib.RRefType(i), lib.AwaitType(i),
        lib.ListType(lib.OptionalType(t)),
    ]  # fmt: skip


def test_printed_and_asked() -> None:
    for a, b in zip(*map(types, BOTH)):
        assert str(a) == str(b)
        assert repr(a) == repr(b)
        assert a.annotation_str == b.annotation_str
        assert a.kind() == b.kind()
        assert list(map(str, a.containedTypes())) == list(map(str, b.containedTypes()))


def test_subtypes_and_equality() -> None:
    ours, theirs = map(types, BOTH)
    for (a, x), (b, y) in itertools.product(zip(ours, theirs), repeat=2):
        assert a.isSubtypeOf(b) == x.isSubtypeOf(y), f"{a} of {b}"
        if type(a) is type(b):
            assert (a == b) == (x == y), f"{a} and {b}"


def raised(call: Callable[[], Any]) -> Any:
    try:
        return str(call())
    except Exception as e:
        return type(e)


def test_unified() -> None:
    def found(lib: Any) -> list[Any]:
        i, f, n = lib.IntType.get(), lib.FloatType.get(), lib.NoneType.get()
        lists = [
            [i, i], [i, f], [i, lib.OptionalType(i)], [i, n], [n, i], [lib.ListType(i), lib.ListType(f)], [lib.TupleType([i, f])] * 2,
            [lib.TupleType([i, n]), lib.TupleType([n, n])], [],
        ]  # fmt: skip
        return [raised(lambda x=x: lib.unify_type_list(x)) for x in lists]

    assert found(torsh) == found(torch)


def test_refusals() -> None:
    def found(lib: Any) -> list[Any]:
        i = lib.IntType.get()
        return [raised(f) for f in (lambda: lib.ListType(3), lambda: lib.DictType(lib.ListType(i), i), lambda: lib.IntType(),
                                    lambda: i.sizes(), lambda: lib.ClassType("nothing"), lambda: lib.UnionType([i, i]))]  # fmt: skip

    assert found(torsh) == found(torch)


def test_tensor_type_of_an_example() -> None:
    for lib in BOTH:
        t = lib.TensorType.create_from_tensor(lib.zeros(2, 3))
        assert (t.sizes(), t.strides(), t.dim(), t.scalarType(), t.requires_grad()) == (
            [2, 3],
            [3, 1],
            2,
            "Float",
            False,
        )
        assert t.isSubtypeOf(lib.TensorType.get())
        assert not lib.TensorType.get().isSubtypeOf(t)
        assert lib.InferredType(t).success()
        assert lib.InferredType("because").reason() == "because"


SCHEMAS = [
    'foo(Tensor self, int a=1, *, float? b=None, Tensor[] c, int[2] d=[1,2], str e="x", Tensor(a!) out) -> (Tensor(a!), int x)',
    "aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor",
    "f(complex c=1j, float w=1e-05, str s='a', bool b=True, int? i=None, float f=1.) -> (int, float)",
    "f(Tensor x, ...) -> ...",
    "f(Dict(str, Tensor) a, (int, float) b) -> int",
    "f(RRef(int) a, Await(int) b, NoneType n, Scalar z, Scalar? q=None, ScalarType? dt=long) -> Any",
    "f(__torch__.torch.classes.rnn.CellParamsBase p) -> int",
    "a::b.c(Tensor(a|b) self, Tensor(c!)? z) -> (Tensor(a) x, Tensor(b) y)",
    "f(str device='cuda:0') -> Tensor",
    "f(SymInt[1] k=1, int[2] z=0) -> Tensor",
    "f(int[1] stride=[], bool q=False)->Tensor",
    "f(Tensor self, *, Tensor(a!) out, int z)->Tensor(a!)",
    "f(int a) -> ()",
    "f(Tensor?[] e, SymInt[] y, bool[3] m3, Device d, Generator? g=None, Layout? l=None, MemoryFormat? m=None) -> Tensor[]",
    "f(int x=3.5)->int",
    "f(float x=-2, int y=-7)->int",
]


def parts(lib: Any, text: str) -> Any:
    s = lib.parse_schema(text)
    return s.name, s.overload_name, s.is_mutable, [
        (
            a.name, str(a.type), str(a.real_type), a.has_default_value(), a.default_value, a.N, a.kwarg_only, a.is_out,
            a.alias_info and (a.alias_info.is_write, set(a.alias_info.before_set), set(a.alias_info.after_set)),
        )
        for a in [*s.arguments, *s.returns]
    ]  # fmt: skip


@pytest.mark.parametrize("text", SCHEMAS)
def test_schema(text: str) -> None:
    assert parts(torsh, text) == parts(torch, text)
    found = torsh.parse_schema(text)
    if "(a|b)" not in text:  # PyTorch prints sets in the order of its hash table
        assert str(found) == str(torch.parse_schema(text))
    assert torsh.parse_schema(str(found)) == found


def test_every_schema_of_pytorch_is_read() -> None:
    """A sample of the thousands: printed again as they were."""
    schemas = [str(s) for s in torch._C._jit_get_all_schemas() if s.name.startswith("aten::")][::7]
    assert len(schemas) > 200
    for text in schemas:
        assert parts(torsh, text) == parts(torch, text), text


@pytest.mark.parametrize(
    "text",
    ["bad(", "f(Foo x) -> int", "f(int x) int", "int f(int x)", "f(Tensor x, int y=1, ...) -> ...", "f(int x -> int"],
)
def test_unreadable(text: str) -> None:
    for lib in BOTH:
        with pytest.raises(RuntimeError):
            lib.parse_schema(text)


@pytest.mark.parametrize(
    ("new", "old"),
    [("f(int a, int b=2) -> int", "f(int a) -> int"), ("f(int a) -> int", "f(int a, int b) -> int"), ("f(int? a) -> int", "f(int a) -> int"),
     ("f(int a) -> int", "f(int? a) -> int"), ("f(int a, int b) -> int", "f(int a) -> int"), ("g(int a) -> int", "f(int a) -> int"),
     ("f(int a=1) -> int", "f(int a=2) -> int"), ("f(*, int a) -> int", "f(int a) -> int")],
)  # fmt: skip
def test_compatible(new: str, old: str) -> None:
    found = [lib.parse_schema(new).is_backward_compatible_with(lib.parse_schema(old)) for lib in BOTH]
    assert found[0] == found[1]
