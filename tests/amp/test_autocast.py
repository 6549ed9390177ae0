"""``autocast`` against PyTorch's, on the CPU."""

from __future__ import annotations

import threading
import warnings

import pytest
from autocast_calls import CALLS

import torsh

torch = pytest.importorskip("torch")
LIBRARIES = (torch, torsh)
VALUES = [[1.25, 1.75], [1.5, 1.0625]]


def _name(dtype):
    return str(dtype).split(".")[1]


def _numbers(t):
    t = t.detach()
    return torch.tensor(t.tolist(), dtype=torch.complex128 if t.is_complex() else torch.float64)


def _same(expected, found, what, narrow=False):
    assert _name(found.dtype) == _name(expected.dtype), what
    tolerance = 2**-7 if narrow or expected.dtype is torch.bfloat16 else 2e-5
    torch.testing.assert_close(
        _numbers(found), _numbers(expected), rtol=tolerance, atol=tolerance / 10, msg=lambda m: f"{what}: {m}"
    )


def _run(library, call, dtype, grad=False):
    x = library.tensor(VALUES, dtype=getattr(library, dtype), requires_grad=grad)
    with warnings.catch_warnings(), library.autocast("cpu", dtype=library.bfloat16):
        warnings.simplefilter("ignore")  # of what is deprecated
        return x, call(library, library.nn.functional, x)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", CALLS)
def test_dtypes_and_values(name, dtype):
    _, expected = _run(torch, CALLS[name], dtype)
    _, found = _run(torsh, CALLS[name], dtype)
    _same(expected, found, name, dtype == "bfloat16" or name == "bilinear")  # whose inside is narrow


# Written to, of integers, or random in what the gradient of a tie is.
UNDIFFERENTIABLE = {"addmm_", "mm with out", "integer matmul", "matrix_rank", "median"}


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("name", [n for n in CALLS if n not in UNDIFFERENTIABLE])
def test_gradients(name, inside):
    found = []
    for library in LIBRARIES:
        x, out = _run(library, CALLS[name], "float32", grad=True)
        out = out.real if out.is_complex() else out
        with library.autocast("cpu", dtype=library.bfloat16, enabled=inside):
            (out.float() * library.arange(1, out.numel() + 1).reshape(out.shape)).sum().backward()
        found.append(x.grad)
    assert found[1].dtype is torsh.float32
    scale = _numbers(found[0]).abs().max().item() + 1
    torch.testing.assert_close(_numbers(found[1]), _numbers(found[0]), rtol=2**-6, atol=2**-6 * scale)


X = torsh.tensor(VALUES)


def _dtype():
    return (X @ X).dtype


def test_nesting_and_islands():
    with torsh.autocast("cpu"):
        assert _dtype() is torsh.bfloat16
        with torsh.autocast("cpu", enabled=False):
            assert _dtype() is torsh.float32
            assert not torsh.is_autocast_enabled("cpu")
            with pytest.raises(RuntimeError, match="expected m1 and m2 to have the same dtype"):
                torsh.mm(X, X.bfloat16())
        with torsh.autocast("cpu", dtype=torsh.float16):
            assert _dtype() is torsh.float16
        assert torsh.get_autocast_dtype("cpu") is torsh.bfloat16
        assert _dtype() is torsh.bfloat16
    assert _dtype() is torsh.float32


def test_off_again_after_an_exception():
    from torsh.dispatch import state

    before = (state.busy, state.overrides)
    with pytest.raises(KeyError), torsh.autocast("cpu"):
        raise KeyError
    assert (state.busy, state.overrides) == before
    assert _dtype() is torsh.float32


def test_state_without_a_context():
    torsh.set_autocast_enabled("cpu", True)
    try:
        assert _dtype() is torsh.bfloat16
    finally:
        torsh.set_autocast_enabled("cpu", False)
    assert _dtype() is torsh.float32


def test_another_thread_is_not_cast():
    found = []
    with torsh.autocast("cpu"):
        worker = threading.Thread(target=lambda: found.append(_dtype()))
        worker.start()
        worker.join()
    assert found == [torsh.float32]


def test_decorator():
    @torsh.autocast("cpu", dtype=torsh.float16)
    def product(x):
        return x @ x

    assert product.__name__ == "product"
    assert product(X).dtype is torsh.float16
    with pytest.raises(TypeError, match="requires a callable"):
        torsh.autocast("cpu")(3)


@pytest.mark.parametrize("library", LIBRARIES)
def test_unsupported_dtype_warns_and_disables(library):
    with pytest.warns(UserWarning, match="In CPU autocast, but the target dtype is not supported. Disabling"):
        context = library.autocast("cpu", dtype=library.float32)
    with context:
        assert not library.is_autocast_enabled("cpu")


@pytest.mark.parametrize("library", LIBRARIES)
def test_bad_device_types(library):
    with pytest.raises(ValueError, match="Expected `device_type` of type `str`"):
        library.autocast(3)
    with pytest.raises(RuntimeError, match="Expected one of cpu, cuda"):
        library.autocast("nowhere")
    with pytest.raises(RuntimeError, match="unsupported scalarType"):
        library.autocast("meta")


@pytest.mark.parametrize("enabled", [True, False])
def test_weights_are_cast_once(enabled):
    weight = torsh.nn.Parameter(X.clone())
    with torsh.autocast("cpu", cache_enabled=enabled):
        assert torsh.is_autocast_cache_enabled() is enabled
        first, second = (torsh.mm(weight, X).grad_fn.next_functions[0][0] for _ in range(2))
        assert (first is second) is enabled
        with torsh.no_grad():
            torsh.mm(weight, X)
            weight.mul_(2)
        out = torsh.mm(weight, X)  # neither the cast that is not recorded, nor the one from before the write
        assert out.requires_grad
        assert torsh.equal(out, torsh.mm(weight.bfloat16(), X.bfloat16()))
    assert torsh.is_autocast_cache_enabled()


@pytest.mark.parametrize("cast_inputs", [None, "float32", "bfloat16"])
@pytest.mark.parametrize("inside", [False, True])
def test_custom_functions(cast_inputs, inside):
    def run(library):
        log = []

        class Product(library.autograd.Function):
            @staticmethod
            @library.amp.custom_fwd(device_type="cpu", cast_inputs=cast_inputs and getattr(library, cast_inputs))
            def forward(ctx, a, b):
                ctx.save_for_backward(a, b)
                out = a @ b
                log.extend([library.is_autocast_enabled("cpu"), _name(a.dtype), _name(out.dtype)])
                return out

            @staticmethod
            @library.amp.custom_bwd(device_type="cpu")
            def backward(ctx, g):
                a, b = ctx.saved_tensors
                found = g @ b.t(), a.t() @ g
                log.extend([library.is_autocast_enabled("cpu"), _name(g.dtype), _name(found[0].dtype)])
                return found

        a = library.tensor(VALUES, requires_grad=True)
        with library.autocast("cpu"):
            out = Product.apply(a, a)
            if inside:
                out.sum().backward()
        if not inside:
            out.sum().backward()
        return log, a.grad

    (log, grad), (expected_log, expected) = run(torsh), run(torch)
    assert log == expected_log
    _same(expected, grad, "gradient", narrow=True)


def _modules(library):
    nn = library.nn
    x = library.rand(3, 2, 4)
    packed = nn.utils.rnn.pack_padded_sequence(x, [3, 2])
    recurrent = [
        (f"{name} {kwargs}", lambda v, name=name, kwargs=kwargs: getattr(nn, name)(4, 4, **kwargs)(v))
        for name in ("LSTM", "GRU", "RNN")
        for kwargs in ({}, {"num_layers": 2, "bidirectional": True}, {"bias": False, "batch_first": True})
    ]
    calls = [
        (f"{name} {v.dtype}".replace("torsh", "torch"), call, v) for name, call in recurrent for v in (x, x.bfloat16())
    ]
    for name in ("LSTM", "GRU", "RNN"):
        calls.append(
            (f"packed {name}", lambda v, name=name: (lambda o, h: (o.data, h))(*getattr(nn, name)(4, 4)(v)), packed)
        )
        calls.append((f"{name}Cell", lambda v, name=name: getattr(nn, f"{name}Cell")(4, 4)(v), x[0]))
    calls.append(("LSTM with projections", nn.LSTM(4, 4, proj_size=2), x))
    for weights in (True, False):
        attend = nn.MultiheadAttention(4, 2)
        calls.append((f"attention {weights}", lambda v, a=attend, w=weights: a(v, v, v, need_weights=w), x))
    for first in (True, False):
        for train in (True, False):
            calls.append(
                (f"encoder {first} {train}", nn.TransformerEncoderLayer(4, 2, 8, norm_first=first).train(train), x)
            )
    return calls


def _dtypes(value):
    if isinstance(value, tuple):
        return [_dtypes(v) for v in value]
    return None if value is None else _name(value.dtype)


def test_modules_give_the_same_dtypes():
    found = []
    for library in LIBRARIES:
        with warnings.catch_warnings(), library.autocast("cpu", dtype=library.bfloat16):
            warnings.simplefilter("ignore")  # of which implementation PyTorch takes
            found.append({name: _dtypes(call(v)) for name, call, v in _modules(library)})
    assert found[1] == found[0]


@pytest.mark.parametrize("name", ["LSTM", "GRU", "RNN"])
def test_recurrent_values_and_gradients(name):
    torch.manual_seed(0)
    theirs = getattr(torch.nn, name)(4, 4)
    ours = getattr(torsh.nn, name)(4, 4)
    ours.load_state_dict({k: torsh.tensor(v.tolist()) for k, v in theirs.state_dict().items()})
    values = torch.rand(3, 2, 4).tolist()
    outs = []
    for library, layer in ((torch, theirs), (torsh, ours)):
        with library.autocast("cpu", dtype=library.bfloat16):
            outs.append(layer(library.tensor(values))[0])
        outs[-1].float().sum().backward()
    torch.testing.assert_close(_numbers(outs[1]), _numbers(outs[0]), rtol=2**-6, atol=2**-7)
    for (key, p), q in zip(theirs.named_parameters(), ours.parameters()):
        assert q.grad.dtype is torsh.float32
        torch.testing.assert_close(
            _numbers(q.grad), _numbers(p.grad), rtol=2**-5, atol=2**-5, msg=lambda m: f"{key}: {m}"
        )


def test_training_steps_of_a_small_classifier():
    """Convolution, normalisation and a linear layer, five steps, each loss within what bfloat16 resolves."""
    torch.manual_seed(0)
    images, labels = torch.rand(16, 1, 8, 8), torch.arange(16) % 4
    losses = []
    start = None
    for library in LIBRARIES:
        nn = library.nn
        model = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 4)
        )  # fmt: skip
        if start is None:
            start = {k: v.tolist() for k, v in model.state_dict().items()}
        model.load_state_dict({k: library.tensor(v) for k, v in start.items()})
        optimizer = library.optim.SGD(model.parameters(), lr=0.1)
        scaler = library.amp.GradScaler("cpu", init_scale=64.0)
        x, y = library.tensor(images.tolist()), library.tensor(labels.tolist())
        found = []
        for _ in range(5):
            optimizer.zero_grad()
            with library.autocast("cpu", dtype=library.bfloat16):
                loss = nn.functional.cross_entropy(model(x), y)
            assert loss.dtype is library.float32
            scaler.scale(loss).backward()
            assert all(p.grad.dtype is library.float32 for p in model.parameters())
            scaler.step(optimizer)
            scaler.update()
            found.append(float(loss.detach()))
        losses.append(found)
    assert losses[0][-1] < losses[0][0]
    assert losses[1] == pytest.approx(losses[0], rel=2**-7)


def test_checkpoint_computes_again_under_autocast():
    from torsh.utils.checkpoint import checkpoint

    seen = []

    def product(x):
        seen.append((x.detach() @ x.detach()).dtype)  # computing again may stop as soon as it has what it needs
        return x @ x

    x = torsh.tensor(VALUES, requires_grad=True)
    with torsh.autocast("cpu"):
        out = checkpoint(product, x, use_reentrant=False)
    out.sum().backward()
    assert seen == [torsh.bfloat16, torsh.bfloat16]
    assert x.grad.dtype is torsh.float32
