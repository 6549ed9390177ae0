"""torch.library: custom operators against PyTorch's."""

# Annotations are read by infer_schema, so they stay real objects here (no ``from __future__ import annotations``).
import copy
import pickle
from collections.abc import Sequence
from typing import List, Tuple  # noqa: UP035

import numpy as np
import pytest

import torsh

torch = pytest.importorskip("torch")
LIBS = pytest.mark.parametrize("lib", [torsh, torch], ids=["torsh", "torch"])


def signatures(lib):
    T = lib.Tensor

    def scalars(x: T, y: float = 1.0, *, z: int | None = None, s: str = "a", b: bool = True) -> T: ...
    def lists(x: T, ts: List[T], o: T | None, d: lib.dtype, dev: lib.device) -> Tuple[T, T]: ...  # noqa: UP006
    def nothing(x: T) -> None: ...
    def many(x: T, k: Sequence[int], f: Sequence[float] | None = None) -> List[T]: ...  # noqa: UP006
    def number(x: T, s: int | float | bool, n: float = 0.25) -> int: ...
    def modern(x: T | None, y: int | None = None) -> tuple[T, int]: ...

    return scalars, lists, nothing, many, number, modern


@pytest.mark.parametrize("mutates", [(), {"x"}, "unknown"])
def test_schemas_are_inferred_as_pytorch_does(mutates):
    for ours, theirs in zip(signatures(torsh), signatures(torch)):
        got = torsh.library.infer_schema(ours, mutates_args=mutates)
        assert got == torch.library.infer_schema(theirs, mutates_args=mutates)
        assert torsh._schema.parse(f"ns::f{got}").text(inferred=True) == f"ns::f{got}"


@LIBS
def test_bad_signatures(lib):
    def no_annotation(x) -> lib.Tensor: ...
    def odd_type(x: dict) -> lib.Tensor: ...
    def no_return(x: lib.Tensor): ...
    def rest(x: lib.Tensor, *args: lib.Tensor) -> lib.Tensor: ...
    def default(x: lib.Tensor, k: Sequence[int] = (1, 2)) -> lib.Tensor: ...

    for f, message in [
        (no_annotation, "Parameter x must have a type annotation"),
        (odd_type, "Parameter x has unsupported type"),
        (no_return, "No return type annotation was provided"),
        (rest, "We do not support positional-only args, varargs, or varkwargs"),
        (default, "Parameter k has an unsupported default value type"),
    ]:
        with pytest.raises(ValueError, match=message):
            lib.library.infer_schema(f, mutates_args=())
    with pytest.raises(ValueError, match="were not found in the custom op's signature"):
        lib.library.infer_schema(signatures(lib)[0], mutates_args={"q"})


def numpy_sin(lib, name):
    """An operator whose kernel autograd cannot see into."""

    @lib.library.custom_op(f"torsh_test::{name}", mutates_args=())
    def op(x: lib.Tensor, scale: float = 1.0) -> lib.Tensor:
        return lib.from_numpy(np.sin(x.detach().numpy()) * scale)

    @op.register_fake
    def _(x, scale=1.0):
        return lib.empty_like(x)

    def setup_context(ctx, inputs, output):
        x, ctx.scale = inputs
        ctx.save_for_backward(x)

    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * x.cos() * ctx.scale, None

    op.register_autograd(backward, setup_context=setup_context)

    @op.register_vmap
    def _(info, in_dims, x, scale=1.0):
        return op(x, scale), in_dims[0]

    return op


@LIBS
def test_custom_op_works_everywhere(lib):
    op = numpy_sin(lib, "sin_everywhere")
    x = lib.tensor([0.5, 1.0], dtype=lib.float64, requires_grad=True)
    assert repr(op) == "<CustomOpDef(torsh_test::sin_everywhere)>"
    assert str(lib.ops.torsh_test.sin_everywhere) == "torsh_test.sin_everywhere"
    default = lib.ops.torsh_test.sin_everywhere.default
    assert default.name() == "torsh_test::sin_everywhere"
    assert str(default._schema) == "torsh_test::sin_everywhere(Tensor x, float scale=1.) -> Tensor"
    y = lib.ops.torsh_test.sin_everywhere(x, 2.0)
    assert type(y.grad_fn).__name__ == "GeneratedBackwardFor_torsh_test_sin_everywhere_defaultBackward"
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.cos([0.5, 1.0]))
    assert lib.autograd.gradcheck(op, (x,))
    assert op(lib.empty(3, 2, device="meta")).shape == (3, 2)
    rows = lib.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(lib.func.vmap(op)(rows).numpy(), np.sin(rows.numpy()), rtol=1e-6)
    if lib is torsh:  # PyTorch refuses: its formula is not in the form that transforms take
        gradients = lib.func.vmap(lib.func.grad(lambda v: op(v).sum()))(rows)
        np.testing.assert_allclose(gradients.numpy(), np.cos(rows.numpy()), rtol=1e-6)
    found = lib.library.opcheck(
        op, (x.detach(), 3.0), test_utils=("test_schema", "test_autograd_registration", "test_faketensor")
    )
    assert set(found.values()) == {"SUCCESS"}


@LIBS
def test_calls_that_do_not_fit(lib):
    op = numpy_sin(lib, "sin_calls")
    x = lib.ones(2)
    for call, message in [
        (lambda: op("a"), "Expected a value of type 'Tensor' for argument 'x' but instead found type 'str'"),
        (lambda: op(x, "a"), "Expected a value of type 'float' for argument 'scale' but instead found type 'str'"),
        (lambda: op(x, 1.0, 2.0), r"expected at most 2 argument\(s\) but received 3 argument\(s\)"),
        (lambda: op(), "is missing value for argument 'x'"),
        (lambda: op(x, other=1), "Unknown keyword argument 'other' for operator 'torsh_test::sin_calls'"),
    ]:
        with pytest.raises(RuntimeError, match=message):
            call()
    with pytest.raises(AttributeError):
        lib.ops.torsh_test.nothing_of_that_name  # noqa: B018
    with pytest.raises(RuntimeError, match="operator torsh_test::nope does not exist"):
        lib.library.register_fake("torsh_test::nope", lambda x: x)


@LIBS
def test_without_registrations(lib):
    @lib.library.custom_op("torsh_test::bare", mutates_args=())
    def bare(x: lib.Tensor) -> lib.Tensor:
        return x * 2

    x = lib.ones(2, requires_grad=True)
    y = bare(x)
    assert y.tolist() == [2.0, 2.0]
    with pytest.raises(
        RuntimeError, match=r"Trying to backward through torsh_test.bare.default but no autograd formula was registered"
    ):
        y.sum().backward()
    with pytest.raises(RuntimeError, match=r"There was no fake impl registered for <CustomOpDef\(torsh_test::bare\)>"):
        bare(lib.ones(2, device="meta"))
    with pytest.raises(
        lib.library.opcheck.__globals__["OpCheckError"] if lib is torsh else Exception, match="test_faketensor"
    ):
        lib.library.opcheck(bare, (lib.ones(2),))


def test_vmap_without_a_rule_runs_one_by_one():
    @torsh.library.custom_op("torsh_test::looped", mutates_args=())
    def looped(x: torsh.Tensor) -> torsh.Tensor:
        assert x.ndim == 1
        return x * 2

    with pytest.warns(UserWarning, match="batching rule for torsh_test::looped"):
        assert torsh.vmap(looped)(torsh.ones(2, 3)).tolist() == [[2.0] * 3] * 2


@LIBS
def test_operators_that_write(lib):
    @lib.library.custom_op("torsh_test::bump", mutates_args={"x"})
    def bump(x: lib.Tensor, by: float) -> None:
        x.add_(by)

    t = lib.zeros(2)
    assert bump(t, 3.0) is None
    assert t.tolist() == [3.0, 3.0]
    assert t._version > 0
    with pytest.raises(RuntimeError, match="Cannot register autograd formula for non-functional operator"):
        bump.register_autograd(lambda ctx, g: g)

    @lib.library.custom_op("torsh_test::same", mutates_args=())
    def same(x: lib.Tensor) -> lib.Tensor:
        return x

    with pytest.raises(RuntimeError, match=r"The output of this custom operator .1. must not also be an input"):
        same(t)


@LIBS
def test_lists_and_keyword_only_arguments(lib):
    @lib.library.custom_op("torsh_test::weighted", mutates_args=())
    def weighted(xs: Sequence[lib.Tensor], w: lib.Tensor, *, power: int = 1) -> Tuple[lib.Tensor, lib.Tensor]:  # noqa: UP006
        total = sum(x * w for x in xs)
        return total**power, w.clone()

    def setup_context(ctx, inputs, keyword_only_inputs, output):
        xs, w = inputs
        ctx.count, ctx.power = len(xs), keyword_only_inputs["power"]
        ctx.save_for_backward(w, *xs)

    def backward(ctx, g, gw):
        w, *xs = ctx.saved_tensors
        total = sum(x * w for x in xs)
        g = g * ctx.power * total ** (ctx.power - 1)
        return [g * w] * ctx.count, sum(g * x for x in xs) + gw

    weighted.register_autograd(backward, setup_context=setup_context)
    xs = [
        lib.tensor([1.0, 2.0], dtype=lib.float64, requires_grad=True),
        lib.tensor([3.0, 4.0], dtype=lib.float64, requires_grad=True),
    ]
    w = lib.tensor([0.5, 2.0], dtype=lib.float64, requires_grad=True)
    out, copy = weighted(xs, w, power=2)
    (out.sum() + copy.sum()).backward()
    assert out.tolist() == [4.0, 144.0]
    assert xs[0].grad.tolist() == [2.0, 48.0]
    assert w.grad.tolist() == [17.0, 145.0]


@LIBS
def test_library_objects(lib):
    made = lib.library.Library("torsh_test_lib", "DEF")
    try:
        assert made.define("foo(Tensor x, float by=2.) -> Tensor") == "foo"
        made.define("comp(Tensor x) -> Tensor")
        made.impl("foo", lambda x, by=2.0: x * by, "CPU")
        made.impl("comp", lambda x: x.sin(), "CompositeImplicitAutograd")
        x = lib.ones(2, requires_grad=True)
        assert lib.ops.torsh_test_lib.foo(x.detach(), by=3.0).tolist() == [3.0, 3.0]
        assert type(lib.ops.torsh_test_lib.comp(x).grad_fn).__name__ == "SinBackward0"
        with pytest.raises(TypeError, match="Input function is required to be a callable"):
            made.impl("foo", 3, "CUDA")
        with pytest.raises(RuntimeError, match="Only a single TORCH_LIBRARY can be used"):
            lib.library.Library("torsh_test_lib", "DEF")
        with pytest.raises(ValueError, match="Unsupported kind: X"):
            lib.library.Library("torsh_test_lib", "X")
    finally:
        made._destroy()


@LIBS
def test_define_and_impl_by_name(lib):
    name = f"torsh_test::defined_{lib.__name__}"
    lib.library.define(name, "(Tensor x) -> Tensor")
    op = getattr(lib.ops.torsh_test, f"defined_{lib.__name__}")
    with pytest.raises(NotImplementedError, match=f"Could not run '{name}' with arguments from the 'CPU' backend"):
        op(lib.ones(2))

    @lib.library.impl(name, "cpu")
    def _(x):
        return x + 1

    lib.library.register_fake(name, lambda x: lib.empty_like(x))
    assert op(lib.ones(2)).tolist() == [2.0, 2.0]
    assert op(lib.ones(2, device="meta")).device.type == "meta"
    with pytest.raises(RuntimeError, match="with the same name and overload name multiple times"):
        lib.library.define(name, "(Tensor x) -> Tensor")
    with pytest.raises(ValueError, match="expected schema to look like"):
        lib.library.define("torsh_test::odd", "foo")


def test_modes_see_the_operator():
    from torsh.dispatch import Mode

    op = numpy_sin(torsh, "sin_modes")
    seen = []

    class Watch(Mode):
        def intercept(self, op, args, proceed):
            seen.append(op.name)
            return proceed(*args)

    with Watch():
        op(torsh.ones(2))
    assert "torsh_test::sin_modes" in seen


def test_own_tensor_classes():
    op = numpy_sin(torsh, "sin_subclass")

    class Mine(torsh.Tensor):
        pass

    @op.register_torch_dispatch(Mine)
    def _(mode, func, types, args, kwargs):
        return "mine"

    assert op(torsh.ones(2).as_subclass(Mine)) == "mine"
    assert op(torsh.zeros(2)).tolist() == [0.0, 0.0]


def test_kernels_can_be_switched_off():
    @torsh.library.custom_op("torsh_test::switched", mutates_args=())
    def switched(x: torsh.Tensor) -> torsh.Tensor:
        return x + 1

    @switched.register_kernel("cpu")
    def _(x):
        return x + 2

    x = torsh.zeros(1)
    assert switched(x).item() == 2
    with switched.set_kernel_enabled("cpu", False):
        assert switched(x).item() == 1
    assert switched(x).item() == 2


@pytest.mark.parametrize("name", ["triton_op", "wrap_triton", "get_ctx"])
def test_what_is_missing_says_so(name):
    args = {"triton_op": ("a::b",), "wrap_triton": (None,), "get_ctx": ()}[name]
    kwargs = {"mutates_args": ()} if name == "triton_op" else {}
    with pytest.raises(NotImplementedError, match="torsh has no"):
        getattr(torsh.library, name)(*args, **kwargs)


def test_operators_are_copied_and_pickled_by_name():
    packet = torsh.ops.aten.add
    assert copy.deepcopy(packet) is packet is copy.copy(packet)
    assert pickle.loads(pickle.dumps(packet)) is packet
    assert copy.deepcopy({"op": packet.Tensor})["op"] is packet.Tensor
