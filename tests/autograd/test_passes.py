"""What hooks, multi-tensor hooks, checkpoints and gradients of several kinds do during a backward pass, as in PyTorch."""

from __future__ import annotations

import pytest

import torsh
import torsh.utils.checkpoint

torch = pytest.importorskip("torch")

PROGRAMS = {}


def program(f):
    PROGRAMS[f.__name__] = f
    return f


def told(g):
    return None if g is None else g.tolist()


@program
def hook_of_an_output_that_is_not_reached(lib):
    """Its node runs for the other outputs: the hook sees None."""
    seen = []
    x = lib.arange(3.0, requires_grad=True)
    a, b, _ = x.unbind()
    a.register_hook(lambda g: seen.append(told(g)))
    a.retain_grad()
    b.backward()
    return seen, told(a.grad), x.grad.tolist()


@program
def hook_that_makes_a_gradient_of_nothing(lib):
    a, b = lib.arange(2.0, requires_grad=True).unbind()
    a.register_hook(lambda g: lib.ones(()) if g is None else None)
    b.backward()


@program
def prehooks_where_a_pass_ends(lib):
    """``inputs=`` runs the node of an input, ``grad`` does not."""
    log = []
    x = lib.tensor(1.0, requires_grad=True)
    y = x.clone()
    y.register_hook(lambda g: log.append("tensor"))
    y.grad_fn.register_prehook(lambda gs: log.append("node"))
    out = y.sum()
    lib.autograd.grad(out, y, retain_graph=True)
    log.append("|")
    out.backward(inputs=[y], retain_graph=True)
    log.append("|")
    out.backward()
    return log, y.grad.item(), x.grad.item()


@program
def multi_hook_fires_between(lib):
    """With the last gradient that the pass will give, not at the end of the pass."""
    log = []
    a, b, c = (lib.tensor([float(i)], requires_grad=True) for i in (1, 2, 3))
    y = a * b
    y.register_hook(lambda g: log.append("y"))
    lib.autograd.graph.register_multi_grad_hook((y, c), lambda gs: log.append([told(g) for g in gs]))
    z = y * y * 2
    a.register_hook(lambda g: log.append("a"))
    z.sum().backward(retain_graph=True)
    (z + c).sum().backward()
    return log


@program
def multi_hook_after_a_failure(lib):
    log, fail = [], [True]

    class Stop(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            if fail[0]:
                raise ValueError("stop")
            return g

    a, b = (lib.tensor([float(i)], requires_grad=True) for i in (1, 2))
    lib.autograd.graph.register_multi_grad_hook((a, b), lambda gs: log.append([told(g) for g in gs]))
    z = Stop.apply(a) * b
    with pytest.raises(ValueError, match="stop"):
        z.sum().backward(retain_graph=True)
    fail[0] = False
    z.sum().backward()
    return log


@program
def any_of_several(lib):
    log = []
    a, b = (lib.tensor([float(i)], requires_grad=True) for i in (1, 2))
    lib.autograd.graph.register_multi_grad_hook((a, b), lambda g: log.append(told(g)), mode="any")
    z = a * 3
    z.sum().backward(retain_graph=True)
    (z + b.detach()).sum().backward()
    return log


@program
def zeros_that_can_be_differentiated(lib):
    x, y = lib.tensor(2.0, requires_grad=True), lib.tensor(3.0, requires_grad=True)
    (g,) = lib.autograd.grad(y * 2, x, create_graph=True, materialize_grads=True)
    (plain,) = lib.autograd.grad(y * 2, x, materialize_grads=True)
    (second,) = lib.autograd.grad(g, x, materialize_grads=True)
    return g.item(), g.requires_grad, plain.requires_grad, second.item()


@program
def sparse_and_dense_gradients_of_one_tensor(lib):
    table = lib.ones(4, 2, requires_grad=True)
    look = lib.nn.functional.embedding
    first = look(lib.tensor([1]), table, sparse=True).sum() * 2
    second = look(lib.tensor([3]), table, sparse=True).sum() * 3
    (first + second).backward()
    both = table.grad
    table.grad = None
    (look(lib.tensor([1]), table, sparse=True).sum() + (table * 5).sum()).backward()
    return both.is_sparse, both._indices().tolist(), both._values().tolist(), table.grad.tolist()


@program
def dense_grad_of_a_sparse_one(lib):
    """A sparse .grad stays the same object for sparse gradients, and gives way to a dense one."""
    x = lib.ones(2, requires_grad=True)
    x.grad = lib.sparse_coo_tensor(lib.tensor([[1]]), lib.tensor([1.0]), (2,))
    before = x.grad
    x.backward(lib.sparse_coo_tensor(lib.tensor([[0]]), lib.tensor([2.0]), (2,)))
    same = x.grad is before
    x.backward(lib.ones(2))
    return same, x.grad.is_sparse, x.grad.tolist()


@program
def checkpoint_with_a_gradient_inside(lib):
    runs = [0]

    def f(x):
        runs[0] += 1
        (g,) = lib.autograd.grad(x.sin().exp(), x, create_graph=True)
        return g.cos()

    found = []
    for early in (True, False):
        x = lib.tensor(0.5, dtype=lib.float64, requires_grad=True)
        inner = lambda v: lib.utils.checkpoint.checkpoint(f, v, use_reentrant=False)
        with lib.utils.checkpoint.set_checkpoint_early_stop(early):
            lib.utils.checkpoint.checkpoint(inner, x, use_reentrant=False).backward()
        found.append(round(x.grad.item(), 12))
    return found, runs[0]


@program
def checkpoint_whose_inputs_are_kept_elsewhere(lib):
    x = lib.tensor([0.5], dtype=lib.float64, requires_grad=True)
    with lib.autograd.graph.save_on_cpu():
        y = lib.utils.checkpoint.checkpoint(lambda v: v.pow(2).pow(2), x.pow(2), use_reentrant=False)
    y.sum().backward()
    return x.grad.tolist()


@program
def view_made_by_a_function_of_the_user(lib):
    class Same(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.view_as(x)

        @staticmethod
        def backward(ctx, g):
            return g

    view = Same.apply(lib.ones(2))
    view += lib.ones(1, requires_grad=True)


@program
def gradcheck_of_a_function_with_hooks(lib):
    def f(x):
        y = x.clone()
        y.register_hook(lambda g: g * 2)
        return y

    lib.autograd.gradcheck(f, lib.ones(2, dtype=lib.float64, requires_grad=True))


@program
def gradcheck_where_a_step_changes_the_shape(lib):
    lib.autograd.gradcheck(
        lambda x: lib.cat([x, x]) if (x >= 1).all() else x, lib.ones(1, dtype=lib.float64, requires_grad=True)
    )


@program
def gradcheck_where_a_step_changes_the_dtype(lib):
    lib.autograd.gradcheck(
        lambda x: x.float() if (x >= 1).all() else x, lib.ones(1, dtype=lib.float64, requires_grad=True)
    )


def outcome(f, lib):
    try:
        return f(lib)
    except Exception as e:
        return type(e).__name__, str(e).split()[:6]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PROGRAMS)
def test_as_pytorch(name):
    assert outcome(PROGRAMS[name], torsh) == outcome(PROGRAMS[name], torch)
