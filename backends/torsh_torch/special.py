"""Kernels of special functions."""

from __future__ import annotations

from typing import Any

import torch

from torsh_torch.arithmetic import of_tensors

_UNARY = (
    "erf", "erfc", "erfcx", "erfinv", "ndtr", "ndtri", "log_ndtr", "digamma", "entr", "sinc", "i0", "i0e", "i1", "i1e",
    "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "modified_bessel_i0", "modified_bessel_i1",
    "modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1",
    "spherical_bessel_j0",
)  # fmt: skip
_BINARY = (
    "zeta", "xlogy", "xlog1py", "chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v",
    "chebyshev_polynomial_w", "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v", "shifted_chebyshev_polynomial_w", "hermite_polynomial_h", "hermite_polynomial_he",
    "laguerre_polynomial_l", "legendre_polynomial_p",
)  # fmt: skip

KERNELS: dict[str, Any] = {
    **{name: getattr(torch.special, name) for name in _UNARY},
    **{name: of_tensors(getattr(torch.special, name)) for name in _BINARY},
    "lgamma": torch.lgamma,
    "polygamma": torch.polygamma,
    "igamma": of_tensors(torch.igamma),
    "igammac": of_tensors(torch.igammac),
    "logit": lambda x, eps: torch.logit(x, eps),
}
