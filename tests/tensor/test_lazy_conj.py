"""Conjugation and negation that wait (``torsh/lazy_conj.py``), against PyTorch's."""

from __future__ import annotations

import copy
import io
import pickle
import random
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torsh  # noqa: E402

VALUES = np.random.default_rng(0).integers(-4, 5, (3, 4, 2)).astype(np.float32).view(np.complex64)[..., 0]


def both(values=VALUES):
    """The same values as a tensor of each library, in memory of their own."""
    return [m.from_numpy(values.copy()) for m in (torsh, torch)]


def state(t, base):
    """What can be seen of a tensor: flags, geometry, place in its base's memory, values."""
    return {
        "conj": t.is_conj(), "neg": t.is_neg(), "dtype": str(t.dtype).split(".")[-1], "shape": tuple(t.shape), "view": t._is_view(),
        "stride": [s for s, n in zip(t.stride(), t.shape) if n != 1 and t.numel()], "offset": t.storage_offset() if t.numel() else 0, "version": t._version, "contiguous": t.is_contiguous(),
        "shares": t.untyped_storage().data_ptr() == base.untyped_storage().data_ptr(), "values": t.resolve_conj().resolve_neg().tolist(),
        "grad": t.requires_grad,
    }  # fmt: skip


# ---- chains of views, writes and arithmetic ------------------------------------------------------------------------------

VIEWS = {
    "conj": lambda t: t.conj(),
    "neg_view": lambda t: t._neg_view(),
    "real": lambda t: t.real,
    "imag": lambda t: t.imag,
    "transpose": lambda t: t.transpose(0, -1),
    "adjoint": lambda t: t.adjoint(),
    "H": lambda t: t.H,
    "mH": lambda t: t.mH,
    "slice": lambda t: t[1:],
    "step": lambda t: t[..., ::2],
    "select": lambda t: t[0],
    "unsqueeze": lambda t: t.unsqueeze(1),
    "squeeze": lambda t: t.squeeze(),
    "view": lambda t: t.view(-1),
    "reshape": lambda t: t.reshape(-1),
    "unbind": lambda t: t.unbind(0)[-1],
    "split": lambda t: t.split(2, -1)[0],
    "diagonal": lambda t: t.diagonal(),
    "narrow": lambda t: t.narrow(0, 0, 1),
    "as_strided": lambda t: t.as_strided((2,), (1,)),
    "detach": lambda t: t.detach(),
    "contiguous": lambda t: t.contiguous(),
    "view_as_real": lambda m, t: m.view_as_real(t),
    "permute": lambda t: t.permute(tuple(reversed(range(t.ndim)))),
    "expand_as": lambda t: t.expand(2, *t.shape),
    "resolve_conj": lambda t: t.resolve_conj(),
    "resolve_neg": lambda t: t.resolve_neg(),
}  # fmt: skip
WRITES = {
    "mul_": lambda t: t.mul_(2j if t.is_complex() else 3),
    "add_": lambda t: t.add_(1),
    "add_itself": lambda t: t.add_(t),
    "sub_conj": lambda t: t.sub_(t.conj()),
    "fill_": lambda t: t.fill_(1 + 2j if t.is_complex() else 7),
    "zero_": lambda t: t.zero_(),
    "copy_": lambda t: t.copy_(t * 2 + 1),
    "copy_conj": lambda t: t.copy_(t.conj()),
    "setitem": lambda t: t.__setitem__(..., 3 - 1j if t.is_complex() else 5),
    "setitem_index": lambda t: t.__setitem__([0], 4 - 2j if t.is_complex() else 2),
    "imag=": lambda t: setattr(t, "imag", 2) if t.is_complex() else t.neg_(),
    "neg_": lambda t: t.neg_(),
    "square_": lambda t: t.square_(),
    "conj_physical_": lambda t: t.conj_physical_(),
    "masked_fill_": lambda t: t.masked_fill_(t == t, 1 + 1j if t.is_complex() else 1),
    "addcmul_": lambda t: t.addcmul_(t, t, value=2),
    "index_add_": lambda t: t.index_add_(0, t.new_zeros(t.shape[0]).real.long(), t.clone()),
    "cumsum_": lambda t: t.cumsum_(0),
    "tril_": lambda t: t.tril_() if 0 not in t.stride() else t.resolve_neg(),
    "iadd": lambda t: t.__iadd__(t.conj()),
    "t_": lambda t: t.transpose_(0, -1),
    "squeeze_": lambda t: t.squeeze_(),
    "unsqueeze_": lambda t: t.unsqueeze_(0),
}  # fmt: skip
RESULTS = {
    "sum": lambda t: t.sum(),
    "add": lambda t: t + t.conj(),
    "mul": lambda t: t * 2,
    "abs2": lambda t: t * t.conj(),
    "index": lambda t: t[[0]],
    "matmul": lambda t: t @ t.mH,
    "cat": lambda m, t: m.cat([t, t.conj()]),
    "stack": lambda m, t: m.stack([t, t * 1j if t.is_complex() else t]),
    "clone": lambda t: t.clone(),
    "flip": lambda t: t.flip(0),
    "to": lambda m, t: t.to(m.complex128).to(t.dtype),
    "zeros_like": lambda m, t: m.zeros_like(t),
    "mean": lambda t: t.sum(0),
    "where": lambda m, t: m.where(t == 1, t, t.conj()),
}


def applied(function, module, t):
    """The result of a step, or the type of its exception."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # complex numbers lose their imaginary part
            return function(module, t) if function.__code__.co_argcount == 2 else function(t)
    except Exception as e:
        return type(e)


@pytest.mark.parametrize("seed", range(80))
def test_random_chains(seed) -> None:
    rng = random.Random(seed)
    pools = [[t] for t in both()]
    told = []
    for _ in range(14):
        i = rng.randrange(len(pools[0]))
        kind = rng.choice((VIEWS, VIEWS, VIEWS, WRITES, RESULTS))
        name = rng.choice(list(kind))
        told.append((name, i))
        found = [applied(kind[name], m, pool[i]) for m, pool in zip((torsh, torch), pools)]
        if kind is RESULTS and not isinstance(found[0], type) and not isinstance(found[1], type):
            found = [t.contiguous() for t in found]  # which order a library gives a result is not of interest here
            assert not found[0].is_conj() and type(found[0]) is torsh.Tensor, told
        if isinstance(found[1], type):
            # What PyTorch refuses torsh refuses, with the same type of exception.
            assert found[0] is found[1], (told, found)
            continue
        assert not isinstance(found[0], type), (told, found)
        if kind is not WRITES:
            for pool, t in zip(pools, found):
                pool.append(t)
        ours, theirs = [[state(t, pool[0]) for t in pool] for pool in pools]
        for a, b in zip(ours, theirs):
            assert a == b, told


@pytest.mark.parametrize("seed", range(40))
def test_random_gradients(seed) -> None:
    """Chains of views and writes of a recorded tensor: the gradient of the leaf, and that of what was written."""
    skipped = {"detach", "setitem_index", "as_strided", "prod"}
    rng = random.Random(seed)
    leaves = [t.requires_grad_() for t in both()]
    pools = [[leaf * 1] for leaf in leaves]
    told = []
    for _ in range(10):
        i = rng.randrange(len(pools[0]))
        kind = rng.choice((VIEWS, VIEWS, WRITES))
        name = rng.choice([n for n in kind if n not in skipped and not n.endswith("squeeze_") and n != "t_"])
        told.append((name, i))
        found = [applied(kind[name], m, pool[i]) for m, pool in zip((torsh, torch), pools)]
        if isinstance(found[0], type) or isinstance(found[1], type):
            assert found[0] is found[1], (told, found)
            continue
        if kind is VIEWS:
            for pool, t in zip(pools, found):
                pool.append(t)
    found = []
    for m, leaf, pool in zip((torsh, torch), leaves, pools):

        def gradient(t, pool=pool):
            sum(((v * (1 + 2j)).real * (n + 1)).sum() for n, v in enumerate(pool) if v.requires_grad).backward()
            return t.grad

        found.append(applied(gradient, m, leaf))
    if isinstance(found[1], type):  # a value that backward needs was overwritten
        assert found[0] is found[1], told
        return
    np.testing.assert_allclose(
        leaves[0].grad.resolve_conj().numpy(), leaves[1].grad.resolve_conj().numpy(), rtol=1e-5, err_msg=str(told)
    )


# ---- one by one --------------------------------------------------------------------------------------------------------


def test_what_it_is() -> None:
    x = torsh.tensor([[1 + 2j, 3 - 1j]])
    y = x.conj()
    assert isinstance(y, torsh.Tensor) and y.__class__ is torsh.Tensor and type(y).__name__ == "Tensor"
    assert y._base is x and y.data_ptr() == x.data_ptr() and torsh.is_conj(y) and not torsh.is_neg(y)
    assert torsh.is_neg(y.imag) and not torsh.is_neg(y.real)
    for t in (x.H, x.mH, x.adjoint(), y.T, y[0], y.detach(), y.data):
        assert t.is_conj() and t.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    assert not y.conj().is_conj() and y.conj()._base is x
    for t in (
        y.clone(),
        y.resolve_conj(),
        y.conj_physical(),
        y + 0,
        y.to(torsh.complex128),
        torsh.zeros_like(y),
        y[[0]],
        copy.deepcopy(y),
    ):
        assert not t.is_conj() and type(t) is torsh.Tensor
    assert type(torsh.nn.Parameter(y)) is torsh.nn.Parameter
    assert repr(y) == "tensor([[1.-2.j, 3.+1.j]])" and f"{y[0, 0]}" == "(1-2j)" and y[0, 0].item() == 1 - 2j


def test_refusals() -> None:
    for m in (torsh, torch):
        y = m.tensor([1 + 2j]).conj()
        with pytest.raises(
            RuntimeError, match=r"Can't call numpy\(\) on Tensor that has conjugate bit set. Use tensor.resolve_conj"
        ):
            y.numpy()
        with pytest.raises(RuntimeError, match="conjugate bit set"):
            np.asarray(y)
        with pytest.raises(RuntimeError, match="negative bit set"):
            y.imag.numpy()
        with pytest.raises(RuntimeError, match="view_as_real doesn't work on unresolved conjugated tensors"):
            m.view_as_real(y)
        with pytest.raises(RuntimeError, match="not supported for conjugate view tensors"):
            y.view(m.float32)
        with pytest.raises(RuntimeError, match="not supported for tensors with negative bit set"):
            y.imag.view(m.int32)
        with pytest.raises(BufferError, match="Can't export tensors with the conjugate bit set"):
            y.__dlpack__()
        with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
            y.expand(3).add_(1)
        assert y.numpy(force=True).tolist() == [1 - 2j]
    with pytest.raises(BufferError, match="negative bit"):  # PyTorch exports the values without their sign
        torsh.tensor([1 + 2j]).conj().imag.__dlpack__()
    with pytest.raises(TypeError, match="class of a conjugated"):
        torsh.tensor([1j]).conj().__class__ = torsh.Tensor


@pytest.mark.parametrize("again", [lambda t: pickle.loads(pickle.dumps(t)), copy.copy], ids=["pickle", "copy"])
def test_pickles_keep_the_bits(again) -> None:
    for t in (torsh.tensor([1 + 2j]).conj(), torsh.tensor([1 + 2j]).conj().imag, torsh.tensor([2j])._neg_view().conj()):
        found = again(t)
        assert (found.is_conj(), found.is_neg(), found.tolist(), found._is_view()) == (
            t.is_conj(),
            t.is_neg(),
            t.tolist(),
            False,
        )


def test_files_keep_the_bits() -> None:
    for writer, reader in ((torsh, torsh), (torch, torsh), (torsh, torch)):
        x = writer.tensor([1 + 2j, 3j])
        file = io.BytesIO()
        writer.save({"x": x, "y": x.conj(), "n": writer.tensor([1 + 2j]).conj().imag.clone()._neg_view()}, file)
        file.seek(0)
        found = reader.load(file)
        assert found["y"].is_conj() and found["y"].tolist() == [1 - 2j, -3j]
        assert found["n"].is_neg() and found["n"].tolist() == [2]
        found["y"][0] = 5j
        assert found["x"][0].item() == -5j


def test_out() -> None:
    for m in (torsh, torch):
        x = m.tensor([1 + 2j, 3j])
        y = x.conj()
        m.add(m.tensor([1j, 1]), 1, out=y)
        assert x.tolist() == [1 - 1j, 2] and y.is_conj()
        m.mul(x, x, out=x.conj())
        assert x.tolist() == [2j, 4]


def test_written_data_is_seen() -> None:
    array = np.array([1 + 2j, 3j])
    y = torsh.from_numpy(array).conj()
    array[0] = 7j
    assert y.tolist() == [-7j, -3j]
    y.data = torsh.tensor([2j, 2])
    assert y.tolist() == [2j, 2]
    z = torsh.zeros(2, dtype=torsh.complex64)
    z.data = torsh.tensor([2j, 2]).conj()
    assert z.tolist() == [-2j, 2]


def test_resize_and_set() -> None:
    for m in (torsh, torch):
        y = m.tensor([1 + 2j, 3j, 4.0]).conj()
        y.resize_(2)
        assert y.is_conj() and y.tolist() == [1 - 2j, -3j]
        y.resize_(6)
        assert y.is_conj() and y[:2].tolist() == [1 - 2j, -3j] and tuple(y.shape) == (6,)
        y.set_(m.tensor([5j]))
        assert y.is_conj() and y.tolist() == [-5j]


def test_under_vmap() -> None:
    for m in (torsh, torch):
        x = m.tensor([[1 + 2j, 3j], [1j, 4.0]])
        seen = []

        def f(t, seen=seen):
            c = t.conj()
            seen.append(c.is_conj())
            return c * t.imag, c

        product, conjugate = m.vmap(f)(x)
        assert seen == [True] and conjugate.is_conj()
        assert product.tolist() == (x.conj() * x.imag).tolist()
        assert m.vmap(lambda t, y: (t + y).sum())(x.conj(), x).tolist() == [2, 8]
        assert m.vmap(lambda t: t[0])(x.conj()).tolist() == [1 - 2j, -1j]


def test_transforms_and_hooks() -> None:
    for m in (torsh, torch):
        x = m.tensor([1 + 2j, 3j])
        value = m.func.grad(lambda t: (t.conj() * t).real.sum())(x)
        assert value.resolve_conj().tolist() == (2 * x).tolist()
        t = x.clone().requires_grad_()
        (g,) = m.autograd.grad((t.conj() ** 2).abs().sum(), t, create_graph=True)
        (h,) = m.autograd.grad(g.abs().sum(), t)
        assert m.allclose(h, 2 * x / x.abs())


def test_leaves() -> None:
    for m in (torsh, torch):
        y = m.tensor([1 + 2j]).conj().requires_grad_()
        assert y.is_leaf and y.is_conj()
        (y * 2j).real.sum().backward()
        assert y.grad.tolist() == [-2j]
        with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
            y.mul_(2)


def test_nothing_is_written_to_what_was_computed(monkeypatch) -> None:
    """In-place forms of all ops on a pending tensor: what they write to is the memory, never a computed copy.

    A computed copy that cannot be written to makes such a write an error.
    """
    from torsh.lazy_conj import Pending

    computed = Pending._data.fget

    def read_only(self):
        raw = computed(self)
        raw.flags.writeable = False
        return raw

    monkeypatch.setattr(Pending, "_data", property(read_only))
    unwritten = []
    for name in sorted(
        n for n in dir(torsh.Tensor) if n.endswith("_") and not n.endswith("__") and not n.startswith("_")
    ):
        for neg in (False, True):
            for args in ((), (2,), (0, 1), (0,), (torsh.tensor([1.0, 2.0]),), (torsh.tensor([1.0 + 1j, 2.0]),)):
                x = torsh.tensor([0.25 + 0.5j, 0.5])
                y = x.conj().imag if neg else x.conj()
                try:
                    getattr(y, name)(*args)
                except ValueError as e:
                    if "read-only" in str(e):
                        unwritten.append((name, neg, args))
                except Exception:  # not a call of this op: of no interest here
                    pass
    assert not unwritten


def test_the_array_api_gives_arrays() -> None:
    from torsh import array_api as xp

    x = xp.asarray([1 + 2j])
    assert type(xp.conj(x)) is type(x) and complex(xp.conj(x)[0]) == 1 - 2j and float(xp.imag(xp.conj(x))[0]) == -2


@pytest.mark.parametrize("backend", ["torch", "dask"])
def test_other_backends(backend) -> None:
    pytest.importorskip(backend)
    with torsh.registry.use(backend, "cpu"):
        x = torsh.tensor([[1 + 2j, 3j]])
        y = x.conj()
        assert y.is_conj() and y.tolist() == [[1 - 2j, -3j]]
        y[0, 0] = 5j
        y.T.mul_(2)
        y.imag.add_(1)
        assert x.tolist() == [[-11j, 5j]]
        with pytest.raises(RuntimeError, match="conjugate bit"):
            y.numpy()
