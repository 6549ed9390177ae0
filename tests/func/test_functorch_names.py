"""What programs find under ``functorch``, ``torch._functorch`` and ``torch._vmap_internals``."""

from __future__ import annotations

import subprocess
import sys

import pytest

import torsh
from torsh import nn
from torsh._functorch import _bindings as bindings
from torsh._functorch.make_functional import (
    combine_state_for_ensemble,
    functional_init_with_buffers,
    make_functional,
    make_functional_with_buffers,
)
from torsh._vmap_internals import _vmap


def test_modules_as_functions():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).eval()
    call, params, buffers = make_functional_with_buffers(model)
    x = torsh.rand(5, 3)
    assert torsh.equal(call(params, buffers, x), model(x))
    assert all(p.is_meta for p in call.stateless_model.parameters())
    with pytest.raises(RuntimeError, match="`model` has buffers"):
        make_functional(model)


def test_tied_weights_are_one_parameter():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
            self.b.weight = self.a.weight

        def forward(self, x):
            return self.b(self.a(x))

    model = Tied()
    call, params = make_functional(model)
    assert len(params) == 1
    x = torsh.rand(3)
    grads = torsh.func.grad(lambda p: call(p, x).sum())(params)
    model(x).sum().backward()
    torsh.testing.assert_close(grads[0], model.a.weight.grad)


def test_ensembles():
    models = [nn.Linear(3, 2) for _ in range(4)]
    call, params, buffers = combine_state_for_ensemble(models)
    x = torsh.rand(5, 3)
    got = torsh.vmap(call, (0, 0, None))(params, buffers, x)
    torsh.testing.assert_close(got, torsh.stack([m(x) for m in models]))
    weights, _, call, names, _ = functional_init_with_buffers(nn.Linear, (4,))(3, 2)
    assert names == ("weight", "bias")
    assert weights[0].shape == (4, 2, 3)


def test_states_to_stack_agree_about_gradients():
    models = [nn.Linear(3, 2) for _ in range(2)]
    models[0].weight.requires_grad_(False)
    with pytest.raises(RuntimeError, match=r"Expected weight from each model to have the same .requires_grad"):
        torsh.func.stack_module_state(models)


def test_what_libraries_ask_of_examples():
    seen = []

    def f(x):
        seen.append((bindings.is_batchedtensor(x), bindings.maybe_get_bdim(x), bindings.get_unwrapped(x).shape))
        return x

    torsh.vmap(f)(torsh.zeros(2, 3))
    assert seen == [(True, 0, (2, 3))]
    assert not bindings.is_batchedtensor(torsh.zeros(2))
    example = bindings._add_batch_dim(torsh.zeros(2, 3), 1, 1)
    assert example.shape == (2,)
    assert bindings._remove_batch_dim(example, 1, 3, 0).shape == (3, 2)
    assert bindings.reshape_dim_into(0, 1, torsh.zeros(2, 3, 4)).shape == (3, 8)
    assert bindings.reshape_dim_outof(-1, 2, torsh.zeros(2, 4)).shape == (2, 2, 2)


def test_ops_without_a_rule_are_refused_on_request():
    bindings._set_vmap_fallback_enabled(False)
    try:
        with pytest.raises(RuntimeError, match="Batching rule not implemented for bincount"):
            torsh.vmap(lambda x: torsh.bincount(x, minlength=3))(torsh.tensor([[0, 1], [1, 2]]))
    finally:
        bindings._set_vmap_fallback_enabled(True)


def test_the_first_vmap():
    assert torsh.equal(_vmap(torsh.dot)(torsh.ones(2, 3), torsh.ones(2, 3)), torsh.full((2,), 3.0))
    assert _vmap(lambda x: (x, None), allow_none_pass_through=True)(torsh.ones(2))[1] is None
    with pytest.raises(ValueError, match="must only return Tensors, got type <class 'int'> for return 1"):
        _vmap(lambda x: (x, 1))(torsh.ones(2))
    with pytest.raises(ValueError, match="expected in_dim to satisfy 0 <= in_dim < 1"):
        _vmap(torsh.sin, -1)(torsh.ones(2))


def test_registered_containers_are_mapped():
    class Pair:
        def __init__(self, a, b):
            self.a, self.b = a, b

    torsh.utils._pytree.register_pytree_node(Pair, lambda p: ([p.a, p.b], None), lambda v, _: Pair(*v))
    found = torsh.vmap(lambda p: Pair(p.a + p.b, p.a))(Pair(torsh.ones(2), torsh.ones(2)))
    assert torsh.equal(found.a, torsh.full((2,), 2.0))


def test_the_package_functorch_is_answered():
    program = (
        "import torsh.compat; torsh.compat.install()\n"
        "import torch, functorch, torch._functorch.vmap as steps\n"
        "from functorch.experimental import replace_all_batch_norm_modules_\n"
        "from torch._C._functorch import is_batchedtensor\n"
        "assert functorch.__name__ == 'torsh.compat.functorch'\n"
        "assert steps is sys.modules['torsh.func._vmap'] if (sys := __import__('sys')) else 0\n"
        "print(functorch.vmap(torch.sin)(torch.zeros(2)).tolist())\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error::FutureWarning", "-c", program], capture_output=True, text=True, check=False
    )
    assert "`functorch.vmap` is deprecated" in done.stderr
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "[0.0, 0.0]\n", done.stderr
