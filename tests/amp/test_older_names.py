"""The names of mixed precision per device type, and settings of CUDA's libraries: as PyTorch's, warnings included."""

from __future__ import annotations

import importlib
import warnings

import pytest

import torsh

torch = pytest.importorskip("torch")


def _told(run):
    told = []
    for library in (torch, torsh):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            result = run(library)
        told.append((result, [(w.category, str(w.message)) for w in seen]))
    return told


def _function(library, **kwargs):
    amp = library.cuda.amp

    class Double(library.autograd.Function):
        @staticmethod
        @(amp.custom_fwd(**kwargs) if kwargs else amp.custom_fwd)
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        @amp.custom_bwd
        def backward(ctx, g):
            return 2 * g

    x = library.ones(2, requires_grad=True)
    Double.apply(x).sum().backward()
    return x.grad.tolist()


def _narrow(library):
    with importlib.import_module(f"{library.__name__}.cpu.amp").autocast():
        return str((library.ones(2, 2) @ library.ones(2, 2)).dtype).split(".")[1]


def _attention(library):
    cuda = library.backends.cuda
    seen = [cuda.flash_sdp_enabled(), cuda.math_sdp_enabled(), cuda.is_built(), cuda.matmul.allow_tf32]
    with cuda.sdp_kernel(enable_flash=False, enable_mem_efficient=False):
        seen += [
            cuda.flash_sdp_enabled(),
            cuda.mem_efficient_sdp_enabled(),
            cuda.math_sdp_enabled(),
            cuda.cudnn_sdp_enabled(),
        ]
    cuda.enable_flash_sdp(False)
    seen.append(cuda.flash_sdp_enabled())
    cuda.enable_flash_sdp(True)
    return [*seen, cuda.flash_sdp_enabled()]


@pytest.mark.parametrize(
    "run",
    [
        _function, lambda T: _function(T, cast_inputs=T.float32), _narrow, _attention,
        lambda T: importlib.import_module(f"{T.__name__}.cuda.amp.grad_scaler").GradScaler(enabled=False).is_enabled(),
        lambda T: importlib.import_module(f"{T.__name__}.cpu.amp").GradScaler(2.0).get_scale(),
        lambda T: T.cuda.amp.autocast(enabled=False)._enabled,
        lambda T: importlib.import_module(f"{T.__name__}.cuda.amp.common").amp_definitely_not_available(),
    ],
)  # fmt: skip
def test_as_pytorch(run):
    expected, found = _told(run)
    assert found == expected
