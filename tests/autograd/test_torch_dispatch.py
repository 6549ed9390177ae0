"""``__torch_dispatch__``: modes and subclasses below autograd, and the names under which they see operators."""

from __future__ import annotations

import copy
import importlib
import threading
from typing import Any

import pytest

import torsh
from torsh import dispatch
from torsh.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode
from torsh.utils._pytree import tree_map
from torsh.utils.flop_counter import FlopCounterMode

torch = pytest.importorskip("torch")


def log_of(lib: Any, fn: Any) -> list[str]:
    """The operators that run while ``fn(lib)`` does."""
    seen: list[str] = []
    base = importlib.import_module(f"{lib.__name__}.utils._python_dispatch").TorchDispatchMode

    class Log(base):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            seen.append(str(func))
            return func(*args, **(kwargs or {}))

    with Log():
        fn(lib)
    return seen


X = {lib: lib.arange(6.0).reshape(2, 3) for lib in (torsh, torch)}
x_of = X.__getitem__


CASES = {
    "add": lambda L: x_of(L) + 1, "radd": lambda L: 1 + x_of(L), "rsub": lambda L: 1 - x_of(L), "rdiv": lambda L: 2 / x_of(L),
    "compare": lambda L: (x_of(L) == 2, x_of(L) < x_of(L)), "power": lambda L: x_of(L) ** 2, "mm": lambda L: x_of(L) @ x_of(L).t(),
    "bmm": lambda L: L.bmm(x_of(L)[None], x_of(L).t()[None]), "sum": lambda L: (x_of(L).sum(), x_of(L).sum(0), x_of(L).mean(1, True)),
    "views": lambda L: (x_of(L).view(3, 2), x_of(L).transpose(0, 1), x_of(L)[0], x_of(L)[:, 1:], x_of(L).unsqueeze(0)),
    "inplace": lambda L: L.zeros(2, 3).add_(1).mul_(x_of(L)).zero_(),
    "cat": lambda L: L.cat([x_of(L), x_of(L)], 1), "softmax": lambda L: L.softmax(x_of(L), -1),
    "linear": lambda L: L.nn.functional.linear(x_of(L), x_of(L), L.zeros(2)), "to": lambda L: x_of(L).to(L.float64),
    "where": lambda L: L.where(x_of(L) > 1, x_of(L), x_of(L)), "item": lambda L: x_of(L).sum().item(), "relu": lambda L: L.relu(x_of(L)),
    "conv": lambda L: L.nn.functional.conv2d(L.ones(1, 2, 4, 4), L.ones(3, 2, 2, 2)), "cumsum": lambda L: x_of(L).cumsum(1),
    "std": lambda L: x_of(L).std(), "clamp": lambda L: x_of(L).clamp(0, 1), "max": lambda L: (x_of(L).max(), x_of(L).max(0)),
    "likes": lambda L: (L.zeros_like(x_of(L)), x_of(L).new_ones(2)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_mode_sees_the_operators_that_pytorch_s_sees(case: str) -> None:
    skipped = {"aten.lift_fresh.default", "aten._unsafe_view.default", "aten.reshape.default"}
    mine, theirs = ([n for n in log_of(lib, CASES[case]) if n not in skipped] for lib in (torsh, torch))
    assert mine == theirs


def test_a_mode_changes_results_and_sees_the_backward_pass() -> None:
    class Doubled(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            found = func(*args, **(kwargs or {}))
            return found * 2 if func is torsh.ops.aten.exp.default else found

    x = torsh.zeros(2, requires_grad=True)
    with Doubled():
        y = x.exp()
    assert y.tolist() == [2.0, 2.0] and y.grad_fn.name() == "ExpBackward0"
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    seen = log_of(torsh, lambda lib: (x * x).sum().backward())
    assert seen.count("aten.mul.Tensor") == 3  # the product, and one for each factor's gradient


def test_modes_nest_innermost_first_and_leave_nothing_behind() -> None:
    order = []

    class Named(TorchDispatchMode):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            order.append(self.name)
            return func(*args, **(kwargs or {}))

    before = dispatch.state.watched, dispatch.state.busy
    outer, inner = Named("outer"), Named("inner")
    x = torsh.ones(1)
    with outer, inner:
        assert _get_current_dispatch_mode() is inner
        x.sin()
        other = threading.Thread(target=x.cos)  # another thread has modes of its own
        other.start()
        other.join()
    del outer, inner
    assert order == ["inner", "outer"]
    assert (dispatch.state.watched, dispatch.state.busy) == before


class Wrapped(torsh.Tensor):
    """Holds its values in another tensor."""

    calls: list[str] = []

    @staticmethod
    def __new__(cls, inside, requires_grad=False):
        t = torsh.Tensor._make_wrapper_subclass(
            cls,
            inside.shape,
            strides=inside.stride(),
            dtype=inside.dtype,
            device=inside.device,
            requires_grad=requires_grad,
        )
        t.inside = inside
        return t

    def __repr__(self):
        return f"Wrapped({self.inside})"

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        cls.calls.append(str(func))
        take = lambda x: x.inside if isinstance(x, cls) else x
        give = lambda x: cls(x) if isinstance(x, torsh.Tensor) else x
        return tree_map(give, func(*tree_map(take, args), **tree_map(take, kwargs or {})))


def test_wrappers_compute_through_their_class_and_are_differentiated() -> None:
    values = torsh.tensor([1.0, 2.0, 3.0])
    x, plain = Wrapped(values, requires_grad=True), values.clone().requires_grad_()
    for t in (x, plain):
        y = (t * 2).exp() + t.sum()
        (y.view(3, 1) @ torsh.ones(1, 2)).sum().backward()
    assert type(x.grad) is Wrapped and torsh.allclose(x.grad.inside, plain.grad)
    assert x.stride() == (1,) and x.is_contiguous() and x.shape == (3,) and x.is_leaf


def test_writing_to_wrappers_and_to_their_views_keeps_history() -> None:
    def run(t):
        z = t.clone()
        z.mul_(t)
        z[0] = 1
        z.view(3, 1).add_(1)
        z.sum().backward()
        return z

    values = torsh.tensor([1.0, 2.0, 3.0])
    x, plain = Wrapped(values, requires_grad=True), values.clone().requires_grad_()
    a, b = run(x), run(plain)
    assert a.inside.tolist() == b.tolist() and x.grad.inside.tolist() == plain.grad.tolist()
    w = Wrapped(torsh.zeros(2))
    Wrapped.calls.clear()
    assert w.add_(1) is w and w.inside.tolist() == [1.0, 1.0] and Wrapped.calls == ["aten.add_.Tensor"]
    assert w._version == 1


def test_a_wrapper_has_no_values_of_its_own() -> None:
    w = Wrapped(torsh.ones(2))
    with pytest.raises(RuntimeError, match=r"^.numpy\(\) is not supported for tensor subclasses"):
        w.numpy()
    assert w.sum().item() == 2.0 and bool((w == w).all())
    twin = copy.deepcopy(w)
    assert type(twin) is Wrapped and twin.inside is not w.inside and twin.inside.tolist() == [1.0, 1.0]


def test_a_wrapper_as_a_parameter_of_a_module() -> None:
    layer = torsh.nn.Linear(3, 2)
    layer.weight = torsh.nn.Parameter(Wrapped(layer.weight.detach()))
    assert isinstance(layer.weight, torsh.nn.Parameter) and type(layer.weight) is Wrapped
    optimizer = torsh.optim.SGD(layer.parameters(), lr=0.5)
    layer(torsh.ones(1, 3)).sum().backward()
    before = layer.weight.inside.clone()
    optimizer.step()
    assert torsh.allclose(layer.weight.inside, before - 0.5)


def test_classes_that_answer_not_implemented() -> None:
    class Stubborn(Wrapped):
        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            return NotImplemented

    with pytest.raises(TypeError, match=r"^Multiple dispatch failed for .torch\.ops\.aten\.add\.Tensor."):
        Stubborn(torsh.ones(1)) + 1
    with pytest.raises(RuntimeError, match="must define __torch_dispatch__"):
        torsh.Tensor._make_wrapper_subclass(type("Plain", (torsh.Tensor,), {}), (2,))


def test_operators_have_pytorch_s_names_and_signatures() -> None:
    for lib in (torsh, torch):
        add = lib.ops.aten.add.Tensor
        assert (str(add), add.name(), add.__name__, add.namespace) == (
            "aten.add.Tensor",
            "aten::add.Tensor",
            "add.Tensor",
            "aten",
        )
        assert add.overloadpacket is lib.ops.aten.add and add is lib.ops.aten.add.Tensor
        assert [a.name for a in add._schema.arguments] == ["self", "other", "alpha"] and not add._schema.is_mutable
        assert lib.ops.aten.add_.Tensor._schema.is_mutable and lib.ops.aten.t.default.is_view
        with pytest.raises(AttributeError, match="has no overload name 'Nothing'"):
            getattr(lib.ops.aten.add, "Nothing")  # noqa: B009
    assert torsh.ops.aten.sum.dim_IntList(torsh.ones(2, 3), [1]).tolist() == [3.0, 3.0]
    assert torsh.ops.aten.slice.Tensor(torsh.arange(5), 0, 1, 5, 2).tolist() == [1, 3]


def grads(lib: Any, *shapes: tuple[int, ...]) -> list[Any]:
    return [lib.ones(s, requires_grad=True) for s in shapes]


FLOPS = {
    "mm": lambda L: L.mm(*grads(L, (2, 3), (3, 4))), "bmm": lambda L: L.bmm(*grads(L, (5, 2, 3), (5, 3, 4))),
    "fold": lambda L: L.matmul(*grads(L, (5, 2, 3), (3, 4))), "addmm": lambda L: L.addmm(*grads(L, (4,), (2, 3), (3, 4))),
    "linear": lambda L: L.nn.functional.linear(*grads(L, (2, 5, 3), (4, 3), (4,))),
    "baddbmm": lambda L: L.baddbmm(*grads(L, (5, 2, 4), (5, 2, 3), (5, 3, 4))),
    "conv": lambda L: L.nn.functional.conv2d(*grads(L, (2, 4, 8, 8), (6, 4, 3, 3), (6,)), padding=1, stride=2),
    "groups": lambda L: L.nn.functional.conv2d(*grads(L, (2, 4, 8, 8), (6, 2, 3, 3)), groups=2),
    "transposed": lambda L: L.nn.functional.conv_transpose2d(*grads(L, (2, 4, 8, 8), (4, 6, 3, 3)), stride=2),
}  # fmt: skip


@pytest.mark.parametrize("case", FLOPS)
def test_flops_of_forward_and_backward_are_pytorch_s(case: str) -> None:
    from torch.utils.flop_counter import FlopCounterMode as Theirs

    totals = []
    for lib, mode in ((torsh, FlopCounterMode), (torch, Theirs)):
        with mode(display=False) as counter:
            FLOPS[case](lib).sum().backward()
        totals.append(counter.get_total_flops())
    assert totals[0] == totals[1] > 0


def test_flops_by_module() -> None:
    net = torsh.nn.Sequential(torsh.nn.Linear(3, 4), torsh.nn.ReLU(), torsh.nn.Linear(4, 5))
    with FlopCounterMode(display=False) as counter:
        net(torsh.ones(2, 3))
    found = {name: sum(ops.values()) for name, ops in counter.get_flop_counts().items()}
    assert found == {"Global": 128, "Sequential": 128, "Sequential.0": 48, "Sequential.2": 80}
    assert "Sequential.2" in counter.get_table()


def test_questions_about_the_running_backward_pass() -> None:
    from torsh._C import _current_graph_task_execution_order, _current_graph_task_id, _will_engine_execute_node

    seen = []
    x, other = (torsh.ones(1, requires_grad=True) for _ in range(2))
    y = x.clone()
    aside = other.clone()
    y.register_hook(lambda g: seen.append((
        _current_graph_task_id(), [n.name() for n in _current_graph_task_execution_order()], _will_engine_execute_node(y.grad_fn),
        _will_engine_execute_node(aside.grad_fn),
    )))  # fmt: skip
    for _ in range(2):
        y.exp().backward(retain_graph=True)
    assert seen[1][0] == seen[0][0] + 1 and _current_graph_task_id() == -1
    assert seen[0][1:] == (["CloneBackward0", "torch::autograd::AccumulateGrad"], True, False)
    with pytest.raises(RuntimeError, match="should only be called during the backward pass"):
        _will_engine_execute_node(y.grad_fn)


def test_custom_operators_are_seen_below_their_gradient() -> None:
    @torsh.library.custom_op("tests_dispatch::scaled", mutates_args=())
    def scaled(x: torsh.Tensor, by: float = 2.0) -> torsh.Tensor:
        return x * by

    scaled.register_autograd(lambda ctx, g: (g * 2, None))
    x = torsh.ones(2, requires_grad=True)
    found = []
    seen = log_of(torsh, lambda lib: found.append(scaled(x)))
    found[0].sum().backward()
    assert seen == ["tests_dispatch.scaled.default"] and x.grad.tolist() == [2.0, 2.0]
    with torsh.no_grad():
        assert type(scaled(Wrapped(torsh.ones(2)))) is Wrapped

    class Halved(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            return func(*args, **(kwargs or {}))

    torsh.library.register_torch_dispatch(
        "tests_dispatch::scaled", Halved, lambda mode, func, types, args, kwargs: func(*args, **kwargs) / 2
    )
    with Halved():
        assert scaled(torsh.ones(2)).tolist() == [1.0, 1.0]


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_calls_of_nodes_functions_and_saved_tensors_that_pytorch_refuses() -> None:
    for lib in (torsh, torch):
        x = lib.ones(1, requires_grad=True)
        node = (x * 2).grad_fn
        for args in ((), (x, x)):
            with pytest.raises(TypeError, match=f"expected 1 arguments, got {len(args)} instead"):
                node(*args)
        Square = type("Square", (lib.autograd.Function,), {
            "forward": staticmethod(lambda ctx, x: (ctx.save_for_backward(x), x * x)[1]),
            "backward": staticmethod(lambda ctx, g: 2 * ctx.saved_tensors[0] * g),
        })  # fmt: skip
        with pytest.raises(
            RuntimeError, match=r"^Legacy autograd function with non-static forward method is deprecated"
        ):
            Square()(x)
        y = Square.apply(x)
        (raw,) = y.grad_fn._raw_saved_tensors
        raw.register_hooks(lambda t: t * 3, lambda t: t)
        y.backward()
        assert x.grad.tolist() == [6.0]
        with pytest.raises(RuntimeError, match=r"^Trying to create a SavedTensor object from Python is forbidden"):
            type(raw)()
        with pytest.raises(RuntimeError, match=r"^Deleting tensor data is not allowed"):
            del x.data
        with pytest.raises(RuntimeError, match=r"^Attempted to call `variable.set_data\(tensor\)`"):
            x.data = lib.ones(1).to_sparse()
        base = lib.arange(6.0)
        assert base.view(2, 3)[1]._view_func(base + 1).tolist() == [4.0, 5.0, 6.0]
