"""Settings of CUDA's libraries.  torsh's backends choose their own, so what is set is remembered and changes nothing.

Source: https://docs.pytorch.org/docs/stable/backends.html#module-torch.backends.cuda
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import Any

from torsh._callers import warn
from torsh.backends import Switches
from torsh.nn import attention
from torsh.nn.attention import SDPBackend

matmul = Switches(
    "cuda.matmul", allow_tf32=False, allow_fp16_reduced_precision_reduction=True, allow_bf16_reduced_precision_reduction=True,
    allow_fp16_accumulation=False, fp32_precision="none",
)  # fmt: skip
_libraries: dict[str, Any] = {"linalg": "default", "blas": "default", "reduced": False}


def is_built() -> bool:
    """Whether torsh itself is compiled against CUDA: no, its backends are.

    >>> import torsh
    >>> torsh.backends.cuda.is_built()
    False
    """
    return False


def _switch(kind: SDPBackend, enabled: bool) -> None:
    allowed = [b for b in attention._chosen if b is not kind]
    attention._chosen = (*allowed, kind) if enabled else tuple(allowed)


def flash_sdp_enabled() -> bool:
    """Whether flash attention may be chosen."""
    return SDPBackend.FLASH_ATTENTION in attention._chosen


def enable_flash_sdp(enabled: bool) -> None:
    """Allow flash attention, or not."""
    _switch(SDPBackend.FLASH_ATTENTION, enabled)


def mem_efficient_sdp_enabled() -> bool:
    """Whether attention that saves memory may be chosen."""
    return SDPBackend.EFFICIENT_ATTENTION in attention._chosen


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """Allow attention that saves memory, or not."""
    _switch(SDPBackend.EFFICIENT_ATTENTION, enabled)


def math_sdp_enabled() -> bool:
    """Whether attention written as two products may be chosen."""
    return SDPBackend.MATH in attention._chosen


def enable_math_sdp(enabled: bool) -> None:
    """Allow attention written as two products, or not."""
    _switch(SDPBackend.MATH, enabled)


def cudnn_sdp_enabled() -> bool:
    """Whether cuDNN's attention may be chosen."""
    return SDPBackend.CUDNN_ATTENTION in attention._chosen


def enable_cudnn_sdp(enabled: bool) -> None:
    """Allow cuDNN's attention, or not."""
    _switch(SDPBackend.CUDNN_ATTENTION, enabled)


def fp16_bf16_reduction_math_sdp_allowed() -> bool:
    """Whether attention in 16 bits may add up in 16 bits."""
    return bool(_libraries["reduced"])


def allow_fp16_bf16_reduction_math_sdp(enabled: bool) -> None:
    """Let attention in 16 bits add up in 16 bits, or not."""
    _libraries["reduced"] = bool(enabled)


def is_flash_attention_available() -> bool:
    """Whether PyTorch's flash attention is compiled in: no."""
    return False


class SDPAParams(SimpleNamespace):
    """What the choice of an implementation of attention depends on."""

    def __init__(
        self, query: Any, key: Any, value: Any, attn_mask: Any, dropout: float, is_causal: bool, enable_gqa: bool
    ) -> None:
        super().__init__(
            query=query,
            key=key,
            value=value,
            attn_mask=attn_mask,
            dropout=dropout,
            is_causal=is_causal,
            enable_gqa=enable_gqa,
        )


def can_use_flash_attention(params: SDPAParams, debug: bool = False) -> bool:
    """Whether PyTorch's flash attention could be used: no, backends bring their own attention."""
    return False


can_use_efficient_attention = can_use_cudnn_attention = can_use_flash_attention


def sdp_kernel(
    enable_flash: bool = True, enable_math: bool = True, enable_mem_efficient: bool = True, enable_cudnn: bool = True
) -> AbstractContextManager[dict[Any, Any]]:
    """The older name of ``torsh.nn.attention.sdpa_kernel``."""
    warn(
        "`torch.backends.cuda.sdp_kernel()` is deprecated. In the future, this context manager will be removed. Please see "
        "`torch.nn.attention.sdpa_kernel()` for the new context manager, with updated signature.",
        FutureWarning,
    )
    wanted = {
        SDPBackend.FLASH_ATTENTION: enable_flash, SDPBackend.EFFICIENT_ATTENTION: enable_mem_efficient,
        SDPBackend.MATH: enable_math, SDPBackend.CUDNN_ATTENTION: enable_cudnn,
    }  # fmt: skip
    return attention.sdpa_kernel([b for b, on in wanted.items() if on])


def preferred_linalg_library(backend: str | None = None) -> str:
    """The library that linear algebra should use; ``backend`` sets it.

    >>> import torsh
    >>> torsh.backends.cuda.preferred_linalg_library()
    'default'
    """
    return _preferred("linalg", backend, ("default", "cusolver", "magma"))


def preferred_blas_library(backend: str | None = None) -> str:
    """The library that matrix products should use; ``backend`` sets it.

    >>> import torsh
    >>> torsh.backends.cuda.preferred_blas_library("cublaslt")
    'cublaslt'
    """
    return _preferred("blas", backend, ("default", "cublas", "cublaslt", "hipblaslt", "ck"))


def _preferred(kind: str, name: str | None, known: tuple[str, ...]) -> str:
    if name is not None:
        if name not in known:
            raise RuntimeError(f"Unknown input value. Choose from: {', '.join(known)}; got {name!r}")
        _libraries[kind] = name
    return str(_libraries[kind])
