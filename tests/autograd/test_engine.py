"""The reverse-mode engine: accumulation, graphs, hooks, modes, versions, in-place writes to views."""

from __future__ import annotations

import gc
import threading
import warnings
import weakref

import pytest

import torsh

torch = pytest.importorskip("torch")


def both(fn, *shapes, seed=0):
    """The gradients of ``fn(lib, *leaves)`` under torsh and PyTorch, as lists."""
    import numpy as np

    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal(s) for s in shapes]
    found = []
    for lib in (torsh, torch):
        leaves = [lib.from_numpy(a.copy()).requires_grad_() for a in arrays]
        fn(lib, *leaves).backward()
        found.append([None if t.grad is None else t.grad.detach().numpy().copy() for t in leaves])
    return found


def same(fn, *shapes):
    import numpy as np

    ours, theirs = both(fn, *shapes)
    for a, b in zip(ours, theirs):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def in_place_on_view(lib, x, y):
    a = x * 2
    v = a[1:]
    v.mul_(y)
    return (a * a).sum()


def in_place_on_base(lib, x, y):
    a = x * 1
    v = a[0]
    a.mul_(y)
    return (v * v).sum() + a.sum()


def view_of_plain_base(lib, x, y):
    base = lib.zeros(3, 4, dtype=lib.float64)
    view = base[1]
    base.copy_(x * y)
    return (view * view).sum()


def chained_views(lib, x, y):
    a = x * 3
    a[1:].t()[2].add_(y[0, 0])
    return (a * a * a).sum()


def saved_then_written(lib, x, y):
    a = x * 2
    b = a.clone()
    b.add_(1.0).mul_(y)
    return (b + a).sum()


PROGRAMS = {
    "broadcast": (lambda lib, x, y: (x * y + y).sum(), (3, 1), (4,)),
    "reused": (lambda lib, x, y: (x * x * y + x).sum(), (3,), (3,)),
    "unused": (lambda lib, x, y: x.sum(), (3,), (3,)),
    "view": (lambda lib, x, y: (x.reshape(4, 3)[1:3].t() * y).sum(), (3, 4), (3, 2)),
    "in place on a view": (in_place_on_view, (3, 4), (2, 4)),
    "in place on the base": (in_place_on_base, (3, 4), (3, 4)),
    "view made before its base had a history": (view_of_plain_base, (3, 4), (3, 4)),
    "in place on a view of a view": (chained_views, (3, 4), (2, 2)),
    "in place on a copy": (saved_then_written, (3, 4), (3, 4)),
    "0-d": (lambda lib, x, y: x * y, (), ()),
    "expand": (lambda lib, x, y: (x.expand(5, 3) * y).sum(), (3,), (5, 3)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients_agree_with_pytorch(name):
    fn, *shapes = PROGRAMS[name]
    same(fn, *shapes)


def test_accumulates_over_calls():
    x = torsh.ones(3, requires_grad=True)
    for _ in range(3):
        (x * 2).sum().backward()
    assert x.grad.tolist() == [6.0, 6.0, 6.0]


def test_leaves_do_not_share_the_gradients_memory():
    a, b = torsh.ones(2, requires_grad=True), torsh.ones(2, requires_grad=True)
    (a + b).sum().backward()
    a.grad.add_(1.0)
    assert b.grad.tolist() == [1.0, 1.0]


def test_second_backward_names_the_cure():
    x = torsh.ones(3, requires_grad=True)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"backward through the graph a second time.*retain_graph=True"):
        y.backward()


def test_retain_graph():
    x = torsh.ones(3, requires_grad=True)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4.0, 4.0, 4.0]


def test_higher_derivatives():
    x = torsh.tensor(2.0, dtype=torsh.float64, requires_grad=True)
    y = x**4
    expected = [32.0, 48.0, 48.0, 24.0, 0.0]
    for e in expected[:4]:
        (y,) = torsh.autograd.grad(y, x, create_graph=True)
        assert y.item() == pytest.approx(e)


def test_non_scalar_without_gradient():
    x = torsh.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
        (x * 2).backward()


def test_gradient_of_wrong_shape():
    x = torsh.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        (x * 2).backward(torsh.ones(2))


def test_nothing_requires_grad():
    with pytest.raises(RuntimeError, match="element 0 of tensors does not require grad"):
        torsh.ones(()).backward()


def test_unused_input():
    x, y = torsh.ones(3, requires_grad=True), torsh.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="not have been used in the graph"):
        torsh.autograd.grad((x * 2).sum(), y)
    assert torsh.autograd.grad((x * 2).sum(), [x, y], allow_unused=True)[1] is None
    assert torsh.autograd.grad((x * 2).sum(), y, materialize_grads=True)[0].tolist() == [0.0, 0.0, 0.0]


def test_grad_leaves_other_leaves_alone():
    x, y = torsh.ones(3, requires_grad=True), torsh.ones(3, requires_grad=True)
    (g,) = torsh.autograd.grad((x * y).sum(), x)
    assert g.tolist() == [1.0, 1.0, 1.0]
    assert x.grad is None
    assert y.grad is None


def test_grad_of_an_intermediate():
    x = torsh.ones(3, requires_grad=True)
    y = x * 3
    (g,) = torsh.autograd.grad((y * y).sum(), y)
    assert g.tolist() == [6.0, 6.0, 6.0]


def test_backward_with_inputs():
    x, y = torsh.ones(3, requires_grad=True), torsh.ones(3, requires_grad=True)
    (x * y).sum().backward(inputs=[x])
    assert x.grad.tolist() == [1.0, 1.0, 1.0]
    assert y.grad is None


def test_saved_input_written_to():
    x = torsh.ones(3, requires_grad=True)
    w = torsh.ones(3)
    y = (x * w).sum()
    w.add_(1.0)
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation.*MulBackward0.*add_"):
        y.backward()


def test_saved_output_written_to():
    x = torsh.ones(3, requires_grad=True)
    y = x.exp()
    y.mul_(2.0)
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation.*ExpBackward0.*mul_"):
        y.sum().backward()


def test_saved_output_written_through_a_detached_alias():
    x = torsh.ones(3, requires_grad=True)
    y = x.exp()
    y.detach().mul_(2.0)
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation.*ExpBackward0"):
        y.sum().backward()


def test_leaf_in_place_is_refused():
    x = torsh.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        x.add_(1.0)
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
        x[0].add_(1.0)
    with torsh.no_grad():
        x.add_(1.0)
    assert x.tolist() == [2.0, 2.0, 2.0]


def test_integers_cannot_require_grad():
    with pytest.raises(RuntimeError, match="only Tensors of floating point and complex dtype can require gradients"):
        torsh.ones(3, dtype=torsh.int64).requires_grad_()


def test_hooks_on_tensors():
    x = torsh.ones(3, requires_grad=True)
    seen = []
    y = x * 2
    handle = y.register_hook(lambda g: seen.append(g.tolist()) or g * 10)
    x.register_hook(lambda g: g + 1)
    y.sum().backward()
    assert seen == [[1.0, 1.0, 1.0]]
    assert x.grad.tolist() == [21.0, 21.0, 21.0]
    handle.remove()
    x.grad = None
    (x * 2).sum().backward()
    assert len(seen) == 1


def test_leaf_hook_sees_the_whole_gradient_once():
    x = torsh.ones(3, requires_grad=True)
    seen = []
    x.register_hook(lambda g: seen.append(g.tolist()))
    (x * 2 + x * 3).sum().backward()
    assert seen == [[5.0, 5.0, 5.0]]


def test_post_accumulate_hook():
    x = torsh.ones(3, requires_grad=True)
    seen = []
    x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.tolist()))
    (x * 2).sum().backward()
    assert seen == [[2.0, 2.0, 2.0]]


def test_retain_grad():
    x = torsh.ones(3, requires_grad=True)
    y = x * 2
    y.retain_grad()
    (y * y).sum().backward()
    assert y.grad.tolist() == [4.0, 4.0, 4.0]
    assert y.retains_grad


def test_node_hooks_and_next_functions():
    x = torsh.ones(3, requires_grad=True)
    y = (x * 2).exp()
    assert y.grad_fn.name() == "ExpBackward0"
    assert y.grad_fn.next_functions[0][0].name() == "MulBackward0"
    leaf = y.grad_fn.next_functions[0][0].next_functions[0][0]
    assert leaf.name() == "torch::autograd::AccumulateGrad"
    assert leaf.variable is x
    seen = []
    y.grad_fn.register_hook(lambda gi, go: seen.append(("post", len(gi), len(go))))
    y.grad_fn.register_prehook(lambda go: seen.append(("pre", len(go))))
    y.sum().backward()
    assert seen == [("pre", 1), ("post", 1, 1)]


def test_no_grad_forms():
    x = torsh.ones(3, requires_grad=True)

    @torsh.no_grad()
    def decorated():
        return x * 2

    @torsh.no_grad
    def bare():
        return x * 2

    @torsh.no_grad()
    def generator():
        for _ in range(2):
            yield (x * 2).requires_grad, torsh.is_grad_enabled()

    assert not decorated().requires_grad
    assert not bare().requires_grad
    for inside, enabled in generator():
        assert (inside, enabled) == (False, False)
        assert torsh.is_grad_enabled()
    with torsh.no_grad(), torsh.enable_grad():
        assert (x * 2).requires_grad
    with torsh.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    torsh.set_grad_enabled(False)
    try:
        assert not (x * 2).requires_grad
    finally:
        torsh.set_grad_enabled(True)
    with torsh.inference_mode():
        assert torsh.is_inference_mode_enabled()
        assert not (x * 2).requires_grad


def test_grad_mode_is_per_thread():
    x = torsh.full((4,), 2.0, requires_grad=True)
    results = {}

    def work(i):
        for _ in range(50):
            if i % 2:
                with torsh.no_grad():
                    y = x * x
                results[i] = y.requires_grad
            else:
                y = (x * x * i).sum()
                (g,) = torsh.autograd.grad(y, x)
                results[i] = g.tolist()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for i in range(8):
        assert results[i] == (False if i % 2 else [4.0 * i] * 4)


def test_no_reference_cycles():
    gc.collect()
    gc.disable()
    try:
        x = torsh.ones(3, requires_grad=True)
        y = x.exp()
        z = torsh.sigmoid(y * x).reshape(3, 1)[0]
        loss = (z * z).sum()
        alive = [weakref.ref(t) for t in (y, z, loss)] + [weakref.ref(loss.grad_fn)]
        loss.backward()
        del y, z, loss
        assert [r() for r in alive] == [None] * 4
        w = x.exp() * x
        gone = weakref.ref(w)
        del w
        assert gone() is None
    finally:
        gc.enable()


def test_deep_chain():
    x = torsh.ones((), requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + x
    y.backward()
    assert x.grad.item() == 100_001
    del y


def test_detach_and_data():
    x = torsh.ones(3, requires_grad=True)
    y = x * 2
    d = y.detach()
    assert not d.requires_grad
    d.zero_()
    assert y.tolist() == [0.0, 0.0, 0.0]
    x.data.fill_(5.0)
    assert x.tolist() == [5.0, 5.0, 5.0]
    assert x._version == 0
    z = x * 3
    z.detach_()
    assert z.is_leaf
    assert not z.requires_grad


def test_is_leaf_and_requires_grad_rules():
    x = torsh.ones(3, requires_grad=True)
    y = x * 2
    assert x.is_leaf
    assert not y.is_leaf
    with pytest.raises(RuntimeError, match="you can only change requires_grad flags of leaf variables"):
        y.requires_grad = False


def test_saved_tensors_hooks():
    from torsh.autograd.graph import saved_tensors_hooks

    packed = []
    x = torsh.full((3,), 2.0, requires_grad=True)
    with saved_tensors_hooks(lambda t: packed.append(t.tolist()) or t * 10, lambda t: t / 10):
        y = (x * x).exp()
    y.sum().backward()
    assert packed
    import numpy as np

    np.testing.assert_allclose(x.grad.numpy(), 4 * np.exp(4.0) * np.ones(3), rtol=1e-6)


def test_anomaly_mode_tells_where():
    x = torsh.zeros(3, requires_grad=True)
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        watching = torsh.autograd.detect_anomaly()
    with watching:
        y = torsh.sqrt(x) * 0
        with warnings.catch_warnings(record=True) as told:
            warnings.filterwarnings("always", category=UserWarning)
            with pytest.raises(RuntimeError, match="SqrtBackward0' returned nan values in its 0th output"):
                y.sum().backward()
    assert "Error detected in SqrtBackward0" in str(told[0].message)
    assert "torsh.sqrt(x) * 0" in str(told[0].message)
