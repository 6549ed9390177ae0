"""What the function transforms accept, give and refuse, against PyTorch: values, structure, and the first words of errors."""

from __future__ import annotations

import numpy as np
import pytest

import torsh

torch = pytest.importorskip("torch")


def no_grad(lib, f):
    with lib.no_grad():
        return f()


def called(lib):
    layer = lib.nn.Linear(2, 1)
    return lib.func.functional_call(layer, {"weight": lib.ones(1, 2), "bias": lib.zeros(1)}, (lib.ones(3, 2),))


def cases(lib):
    F, x, y = lib.func, lib.arange(12.0, dtype=lib.float64).reshape(3, 4), lib.ones(3, dtype=lib.float64)
    yield "item", lambda: lib.vmap(lambda v: v.sum().item())(x)
    yield "if", lambda: lib.vmap(lambda v: v if v.sum() > 0 else -v)(x)
    yield "dims float", lambda: lib.vmap(lambda v: v, in_dims=1.5)(x)
    yield "dims empty", lambda: lib.vmap(lambda v: v, in_dims=())(x)
    yield "dims mismatch", lambda: lib.vmap(lambda v, w: v, in_dims=(0,))(x, y)
    yield "dims none", lambda: lib.vmap(lambda v: v, in_dims=None)(x)
    yield "dims allnone", lambda: lib.vmap(lambda v, w: v, in_dims=(None, None))(x, y)
    yield "no args", lambda: lib.vmap(lambda: x)()
    yield "nontensor", lambda: lib.vmap(lambda v, w: v, in_dims=(0, 0))(x, 2)
    yield "range", lambda: lib.vmap(lambda v: v, in_dims=3)(x)
    yield "neg range", lambda: lib.vmap(lambda v: v, in_dims=-3)(x)
    yield "sizes", lambda: lib.vmap(lambda v, w: v)(x, lib.ones(5))
    yield "bad in_dim type", lambda: lib.vmap(lambda v, w: v, in_dims=(0, "a"))(x, y)
    yield (
        "nested in_dims",
        lambda: lib.vmap(lambda d: d["a"] * d["b"][0], in_dims=({"a": 0, "b": [None]},))({"a": x, "b": [lib.ones(4)]}),
    )
    yield (
        "nested in_dims2",
        lambda: lib.vmap(lambda d: d["a"] * d["b"][0], in_dims=({"a": 0, "b": [0]},))({"a": x, "b": [x]}),
    )
    yield "ret none", lambda: lib.vmap(lambda v: None)(x)
    yield "ret int", lambda: lib.vmap(lambda v: 2)(x)
    yield "ret dict", lambda: lib.vmap(lambda v: {"a": v, "b": (v.sum(),)})(x)
    yield "out dims dict", lambda: lib.vmap(lambda v: {"a": v, "b": (v.sum(),)}, out_dims={"a": 1, "b": (0,)})(x)
    yield "out_dims none", lambda: lib.vmap(lambda v: v, out_dims=None)(x)
    yield "out_dims none ok", lambda: lib.vmap(lambda v: (v, lib.ones(2)), out_dims=(0, None))(x)
    yield "out_dims float", lambda: lib.vmap(lambda v: v, out_dims=1.0)(x)
    yield "out_dims mism", lambda: lib.vmap(lambda v: (v, v), out_dims=(0, 0, 0))(x)
    yield "out_dims range", lambda: lib.vmap(lambda v: v.sum(), out_dims=1)(x)
    yield "out_dims -1", lambda: lib.vmap(lambda v: v * 2, out_dims=-1)(x)
    yield "out const", lambda: lib.vmap(lambda v: lib.ones(2))(x)
    yield "kwargs", lambda: lib.vmap(lambda v, k=None: v * k)(x, k=x)
    yield "chunk", lambda: lib.vmap(lambda v: v * 2, chunk_size=2)(x)
    yield "chunk0", lambda: lib.vmap(lambda v: v * 2, chunk_size=0)(x)
    yield "chunk outdims", lambda: lib.vmap(lambda v: (v * 2, v.sum()), out_dims=(1, 0), chunk_size=2)(x)
    yield "rand flag", lambda: lib.vmap(lambda v: v, randomness="foo")(x)
    yield "rand error", lambda: lib.vmap(lambda v: v + lib.rand(()))(x)
    yield "inplace batched", lambda: lib.vmap(lambda v: (v * 1).add_(lib.ones(4)))(x)

    def alter(v):
        v.mul_(2)
        return v

    def run_alter():
        z = x.clone()
        r = lib.vmap(alter)(z)
        return r, z

    yield "inplace input", run_alter

    def f_idx(v):
        w = lib.zeros(4)
        w[0] = v[0]
        return w

    yield "setitem unbatched", lambda: lib.vmap(f_idx)(x)

    def f_idx2(v):
        w = v.new_zeros(4)
        w[1] = v[0]
        w[2:] = v[2:]
        return w

    yield "setitem new_zeros", lambda: lib.vmap(f_idx2)(x)
    yield "setitem zeros_like", lambda: lib.vmap(lambda v: lib.zeros_like(v).index_put((lib.tensor([0, 1]),), v[:2]))(x)
    yield "mask assign", lambda: lib.vmap(lambda v: (v * 1).masked_fill_(v > 2, 0.0))(x)
    yield "nested", lambda: lib.vmap(lib.vmap(lambda a: a.sin()))(x)
    yield "nested inner size", lambda: lib.vmap(lambda a: lib.vmap(lambda b: a * b)(lib.arange(2.0)))(x)
    yield "grad nonscalar", lambda: F.grad(lambda v: v * 2)(x)
    yield "grad nontensor out", lambda: F.grad(lambda v: 2.0)(x)
    yield "grad int", lambda: F.grad(lambda v: v.sum())(lib.arange(3))
    yield "grad argnum", lambda: F.grad(lambda v: v.sum(), argnums=1)(x)
    yield "grad argnums dup", lambda: F.grad(lambda a, b: (a * b).sum(), argnums=(0, 0))(x, x)
    yield "grad argnums neg", lambda: F.grad(lambda a, b: (a * a * b).sum(), argnums=(-1, 0))(x, x)
    yield "grad argnums str", lambda: F.grad(lambda a: a.sum(), argnums="a")(x)
    yield "grad argnums emptytuple", lambda: F.grad(lambda a: a.sum(), argnums=())(x)
    yield "grad aux bad", lambda: F.grad(lambda a: a.sum(), has_aux=True)(x)
    yield "grad dict", lambda: F.grad(lambda d: (d["a"] * d["b"]).sum())({"a": x, "b": x})
    yield "grad unused", lambda: F.grad(lambda a, b: a.sum(), argnums=(0, 1))(x, y)
    yield "grad no depend", lambda: F.grad(lambda a: lib.ones(()))(x)
    yield "grad in no_grad", lambda: no_grad(lib, lambda: F.grad(lambda a: (a**2).sum())(x))
    yield "no_grad in grad", lambda: F.grad(lambda a: (a**2).sum() * no_grad(lib, lambda: a.sum()))(x)
    yield "gv aux", lambda: F.grad_and_value(lambda a: (a.sum(), a * 2), has_aux=True)(x)
    yield "vjp", lambda: F.vjp(lambda a: (a * 2, a.sum()), x)[1]((x, lib.ones(())))
    yield "vjp wrong struct", lambda: F.vjp(lambda a: (a * 2, a.sum()), x)[1](x)
    yield "vjp wrong shape", lambda: F.vjp(lambda a: a * 2, x)[1](lib.ones(2))
    yield "vjp nontensor out", lambda: F.vjp(lambda a: 2, x)
    yield "vjp no out", lambda: F.vjp(lambda a: (), x)
    yield "vjp no primals", lambda: F.vjp(lambda: x)
    yield "vjp nontensor primal", lambda: F.vjp(lambda a: x, 2)
    yield "vjp aux", lambda: F.vjp(lambda a: (a * 2, a + 1), x, has_aux=True)[2]
    yield "vjp aux bad", lambda: F.vjp(lambda a: a * 2, x, has_aux=True)
    yield "vjp dict", lambda: F.vjp(lambda d: {"o": d["a"] * 2}, {"a": x})[1]({"o": x})
    yield "jvp", lambda: F.jvp(lambda a: (a * 2, a.sum()), (x,), (x,))
    yield "jvp nontuple", lambda: F.jvp(lambda a: a * 2, x, (x,))
    yield "jvp mism", lambda: F.jvp(lambda a: a * 2, (x,), (x, x))
    yield "jvp shape", lambda: F.jvp(lambda a: a * 2, (x,), (y,))
    yield "jvp empty", lambda: F.jvp(lambda: x, (), ())
    yield "jvp nontensor", lambda: F.jvp(lambda a: x, (2,), (2,))
    yield "jvp out", lambda: F.jvp(lambda a: 2, (x,), (x,))
    yield "jvp aux", lambda: F.jvp(lambda a: (a * 2, a + 1), (x,), (x,), has_aux=True)
    yield "jvp aux bad", lambda: F.jvp(lambda a: a * 2, (x,), (x,), has_aux=True)
    yield "jvp strict", lambda: F.jvp(lambda a: y, (x,), (x,), strict=True)
    yield "jvp unrelated", lambda: F.jvp(lambda a: y, (x,), (x,))
    yield "jvp dict out", lambda: F.jvp(lambda a: {"o": a * a}, (x,), (x,))
    yield "jacrev dict", lambda: F.jacrev(lambda d: {"o": d["a"].sin()})({"a": y})
    yield "jacrev multi", lambda: F.jacrev(lambda a, b: (a * b, a.sum()), argnums=(0, 1))(y, y)
    yield "jacrev chunk", lambda: F.jacrev(lambda a: a.sin(), chunk_size=2)(y)
    yield "jacrev chunk1", lambda: F.jacrev(lambda a: a.sin(), chunk_size=1)(y)
    yield "jacrev chunk0", lambda: F.jacrev(lambda a: a.sin(), chunk_size=0)(y)
    yield "jacrev aux", lambda: F.jacrev(lambda a: (a.sin(), a + 1), has_aux=True)(y)
    yield "jacrev const", lambda: F.jacrev(lambda a: lib.ones(2))(y)
    yield "jacrev dup", lambda: F.jacrev(lambda a: a, argnums=(0, 0))(y)
    yield "jacfwd dict", lambda: F.jacfwd(lambda d: {"o": d["a"].sin()})({"a": y})
    yield "jacfwd multi", lambda: F.jacfwd(lambda a, b: (a * b, a.sum()), argnums=(0, 1))(y, y)
    yield "jacfwd aux", lambda: F.jacfwd(lambda a: (a.sin(), a + 1), has_aux=True)(y)
    yield "jacfwd const", lambda: F.jacfwd(lambda a: lib.ones(2))(y)
    yield "jacfwd nontensor", lambda: F.jacfwd(lambda a: 3)(y)
    yield "hessian", lambda: F.hessian(lambda a: (a**3).sum())(y)
    yield "hessian multi", lambda: F.hessian(lambda a, b: (a**2 * b**2).sum(), argnums=(0, 1))(y, y)
    yield "linearize", lambda: (lambda r: (r[0], r[1](y)))(F.linearize(lambda a: a.sin(), y))
    yield "linearize multi", lambda: (lambda r: (r[0], r[1](y, y)))(F.linearize(lambda a, b: (a.sin(), a * b), y, y))
    yield "linearize bad", lambda: F.linearize(lambda a: a.sin(), y)[1](lib.ones(2))
    yield "functionalize", lambda: F.functionalize(lambda a: a.add_(1))(y.clone())
    yield "functionalize bad", lambda: F.functionalize(lambda a: a, remove="x")(y)
    yield "fcall", lambda: called(lib)
    yield "sms", lambda: F.stack_module_state([])
    yield "sms2", lambda: F.stack_module_state([lib.nn.Linear(2, 2), lib.nn.Linear(2, 2).eval()])
    yield "sms3", lambda: F.stack_module_state([lib.nn.Linear(2, 2), lib.nn.Sequential()])
    yield "vmap shape", lambda: lib.vmap(lambda v: v * v.shape[0] * v.dim() * v.size(0) * v.numel())(x)
    yield "vmap stride", lambda: lib.vmap(lambda v: v * v.stride()[0])(x)
    yield "vmap iter", lambda: lib.vmap(lambda v: sum(e for e in v))(x)
    yield "vmap backward", lambda: lib.vmap(lambda v: v.sum().backward())(x.clone().requires_grad_())
    yield "vmap nonzero", lambda: lib.vmap(lambda v: v.nonzero())(x)
    yield "vmap mask", lambda: lib.vmap(lambda v: v[v > 2])(x)

    def f_mask(v):
        w = v * 1
        w[v > 2] = 0.0
        return w

    yield "exp batch0", lambda: lib.vmap(lambda v: v * 2)(lib.ones(0, 3))


def described(result):
    """A result as plain values, its structure with it."""
    if isinstance(result, (torch.Tensor, torsh.Tensor)):
        return np.asarray(result.detach().numpy())
    if isinstance(result, dict):
        return {k: described(v) for k, v in result.items()}
    if isinstance(result, (tuple, list)):
        return [type(result).__name__, *[described(v) for v in result]]
    return "function" if callable(result) else repr(result)


def outcome(f):
    try:
        return described(f())
    except Exception as e:
        return f"{type(e).__name__}: {' '.join(str(e).split()[:6])}".replace("torsh", "torch")


def same(got, want):
    if isinstance(want, np.ndarray):
        assert isinstance(got, np.ndarray), got
        assert got.dtype == want.dtype
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)
    elif isinstance(want, (list, dict)):
        assert type(got) is type(want), (got, want)
        assert len(got) == len(want)
        pairs = zip(got, want) if isinstance(want, list) else ((got[k], want[k]) for k in want)
        for g, w in pairs:
            same(g, w)
    else:
        assert got == want


OURS, THEIRS = dict(cases(torsh)), dict(cases(torch))


@pytest.mark.parametrize("name", OURS)
@pytest.mark.filterwarnings("ignore")
def test_agrees_with_pytorch(name):
    same(outcome(OURS[name]), outcome(THEIRS[name]))
