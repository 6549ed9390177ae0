"""Calls under autocast, each a function of (library, its nn.functional, x): x is (2, 2) of float32 or bfloat16, between 1 and 2.

One table for both libraries: what PyTorch gives is what torsh is compared with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Call = Callable[[Any, Any, Any], Any]


def _cube(x: Any) -> Any:
    return x.repeat(2, 2)[None, None, None].expand(1, 1, 4, 4, 4)


def _spd(T: Any, x: Any) -> Any:
    return (x + x.mT + 4 * T.eye(2, dtype=x.dtype)).to(x.dtype)


PRODUCTS: dict[str, Call] = {
    "matmul": lambda T, F, x: x @ x,
    "matmul of matrix and vector": lambda T, F, x: x @ x[0],
    "matmul of batches": lambda T, F, x: x[None] @ x,
    "Tensor.matmul": lambda T, F, x: x.matmul(x),
    "mixed matmul": lambda T, F, x: x @ x.float(),
    "float64 matmul": lambda T, F, x: x.double() @ x.double(),
    "integer matmul": lambda T, F, x: x.long() @ x.long(),
    "mm": lambda T, F, x: T.mm(x, x),
    "bmm": lambda T, F, x: T.bmm(x[None], x[None]),
    "mv": lambda T, F, x: T.mv(x, x[0]),
    "dot": lambda T, F, x: T.dot(x[0], x[0]),
    "vdot": lambda T, F, x: T.vdot(x[0], x[0]),
    "inner": lambda T, F, x: T.inner(x, x),
    "outer": lambda T, F, x: T.outer(x[0], x[0]),
    "addr": lambda T, F, x: T.addr(x, x[0], x[0]),
    "kron": lambda T, F, x: T.kron(x, x),
    "addmm": lambda T, F, x: T.addmm(x, x, x),
    "addmv": lambda T, F, x: T.addmv(x[0], x, x[0]),
    "addbmm": lambda T, F, x: T.addbmm(x, x[None], x[None]),
    "baddbmm": lambda T, F, x: T.baddbmm(x[None], x[None], x[None]),
    "addmm_": lambda T, F, x: x.clone().addmm_(x, x),
    "mm with out": lambda T, F, x: T.mm(x, x, out=T.empty(2, 2, dtype=x.dtype)),
    "chain_matmul": lambda T, F, x: T.chain_matmul(x, x, x),
    "multi_dot": lambda T, F, x: T.linalg.multi_dot([x, x, x]),
    "matrix_power": lambda T, F, x: T.linalg.matrix_power(x, 3),
    "einsum": lambda T, F, x: T.einsum("ij,jk->ik", x, x),
    "tensordot": lambda T, F, x: T.tensordot(x, x, 1),
    "vecdot": lambda T, F, x: T.linalg.vecdot(x, x),
    "bilinear": lambda T, F, x: F.bilinear(x, x, x[None]),
    "linear": lambda T, F, x: F.linear(x, x),
    "linear with bias": lambda T, F, x: F.linear(x, x, x[0]),
    "conv1d": lambda T, F, x: F.conv1d(x[None], x[:, :, None]),
    "conv1d same": lambda T, F, x: F.conv1d(x[None], x[:, :, None], padding="same"),
    "conv2d": lambda T, F, x: F.conv2d(x[None, None], x[None, None]),
    "conv3d": lambda T, F, x: F.conv3d(x[None, None, None], x[None, None, None]),
    "conv_transpose1d": lambda T, F, x: F.conv_transpose1d(x[None], x[:, :, None]),
    "conv_transpose2d": lambda T, F, x: F.conv_transpose2d(x[None, None], x[None, None]),
    "conv_tbc": lambda T, F, x: T.conv_tbc(x[None], x[None], x[0]),
    "prelu": lambda T, F, x: F.prelu(x, x[0]),
    "attention": lambda T, F, x: F.scaled_dot_product_attention(x[None], x[None], x[None]),
}

LOSSES: dict[str, Call] = {
    "mse_loss": lambda T, F, x: F.mse_loss(x, x / 2),
    "l1_loss": lambda T, F, x: F.l1_loss(x, x / 2),
    "nll_loss": lambda T, F, x: F.nll_loss(x, T.tensor([0, 1])),
    "nll_loss of images": lambda T, F, x: F.nll_loss(x[None], T.tensor([[0, 1]])),
    "cross_entropy": lambda T, F, x: F.cross_entropy(x, T.tensor([0, 1])),
    "bce": lambda T, F, x: F.binary_cross_entropy(x / 3, x / 3),
    "bce with logits": lambda T, F, x: F.binary_cross_entropy_with_logits(x, x),
    "kl_div": lambda T, F, x: F.kl_div(x, x, reduction="batchmean"),
    "cosine_embedding": lambda T, F, x: F.cosine_embedding_loss(x, x, T.ones(2)),
    "smooth_l1": lambda T, F, x: F.smooth_l1_loss(x, x / 2),
    "huber": lambda T, F, x: F.huber_loss(x, x / 2),
    "triplet": lambda T, F, x: F.triplet_margin_loss(x, x, x),
    "poisson": lambda T, F, x: F.poisson_nll_loss(x, x),
    "gaussian": lambda T, F, x: F.gaussian_nll_loss(x, x, x),
    "soft_margin": lambda T, F, x: F.soft_margin_loss(x, x.detach()),
    "multi_margin": lambda T, F, x: F.multi_margin_loss(x, T.tensor([0, 1])),
    "multilabel_margin": lambda T, F, x: F.multilabel_margin_loss(x, T.tensor([[0, -1], [1, -1]])),
    "multilabel_soft_margin": lambda T, F, x: F.multilabel_soft_margin_loss(x, x),
    "hinge_embedding": lambda T, F, x: F.hinge_embedding_loss(x, T.ones(2, 2)),
    "margin_ranking": lambda T, F, x: F.margin_ranking_loss(x[0], x[1], T.ones(2)),
    "ctc": lambda T, F, x: F.ctc_loss(-x[:, None], T.tensor([[1]]), (2,), (1,)),
}

IN_FLOAT32: dict[str, Call] = {
    "prod": lambda T, F, x: x.prod(),
    "prod of a dimension": lambda T, F, x: x.prod(0),
    "trace": lambda T, F, x: T.trace(x),
    "cdist": lambda T, F, x: T.cdist(x, x / 2),
    "quantile": lambda T, F, x: T.quantile(x, 0.5),
    "nanquantile": lambda T, F, x: T.nanquantile(x, 0.5),
    "avg_pool3d": lambda T, F, x: F.avg_pool3d(_cube(x), 2),
    "max_pool3d": lambda T, F, x: F.max_pool3d(_cube(x), 2),
    "max_unpool2d": lambda T, F, x: F.max_unpool2d(x[None, None], T.tensor([[[[0, 3], [8, 12]]]]), 2),
    "adaptive_avg_pool3d": lambda T, F, x: F.adaptive_avg_pool3d(_cube(x), 2),
    "adaptive_max_pool3d": lambda T, F, x: F.adaptive_max_pool3d(_cube(x), 2),
    "grid_sample": lambda T, F, x: F.grid_sample(
        x[None, None], T.zeros(1, 1, 1, 2, dtype=x.dtype), align_corners=False
    ),
    "polar": lambda T, F, x: T.polar(x, x),
    "view_as_complex": lambda T, F, x: T.view_as_complex(x),
    "reflect 1d": lambda T, F, x: F.pad(x[None], (1, 1), mode="reflect"),
    "reflect 2d": lambda T, F, x: F.pad(x[None, None], (1, 1, 1, 1), mode="reflect"),
    "reflect 3d": lambda T, F, x: F.pad(_cube(x), (1, 1, 1, 1, 1, 1), mode="reflect"),
    "replicate 1d": lambda T, F, x: F.pad(x[None], (1, 1), mode="replicate"),
    "replicate 3d": lambda T, F, x: F.pad(_cube(x), (1, 1, 1, 1, 1, 1), mode="replicate"),
    "circular": lambda T, F, x: F.pad(x[None], (1, 1), mode="circular"),
    "constant": lambda T, F, x: F.pad(x, (1, 1)),
    "inverse": lambda T, F, x: T.inverse(_spd(T, x)),
    "inv": lambda T, F, x: T.linalg.inv(_spd(T, x)),
    "pinverse": lambda T, F, x: T.pinverse(_spd(T, x)),
    "cholesky": lambda T, F, x: T.linalg.cholesky(_spd(T, x)),
    "Tensor.cholesky": lambda T, F, x: _spd(T, x).cholesky(),
    "eigvalsh": lambda T, F, x: T.linalg.eigvalsh(_spd(T, x)),
    "svdvals": lambda T, F, x: T.linalg.svdvals(_spd(T, x)),
    "solve": lambda T, F, x: T.linalg.solve(_spd(T, x), x),
    "lstsq": lambda T, F, x: T.linalg.lstsq(_spd(T, x), x).solution,
    "cond": lambda T, F, x: T.linalg.cond(_spd(T, x)),
    "matrix_rank": lambda T, F, x: T.linalg.matrix_rank(_spd(T, x)),
    "fft": lambda T, F, x: T.fft.fft(x),
    "rfft2": lambda T, F, x: T.fft.rfft2(x),
    "irfft": lambda T, F, x: T.fft.irfft(x),
    "stft": lambda T, F, x: T.stft(x[0].repeat(8), 4, return_complex=True, window=T.ones(4)),
}

WIDEST: dict[str, Call] = {
    "cat": lambda T, F, x: T.cat([x, x.float()]),
    "cat of one dtype": lambda T, F, x: T.cat([x, x]),
    "cat with float64": lambda T, F, x: T.cat([x, x.double()]),
    "stack": lambda T, F, x: T.stack([x, x.bfloat16()]),
    "hstack": lambda T, F, x: T.hstack([x, x.float()]),
    "index_copy": lambda T, F, x: T.index_copy(x, 0, T.tensor([0]), x[:1].float()),
}

LEFT_ALONE: dict[str, Call] = {
    **{n: lambda T, F, x, n=n: getattr(T, n)(x) for n in (
        "exp", "log", "tan", "sinh", "log1p", "expm1", "rsqrt", "reciprocal", "tanh", "sigmoid", "sum", "mean", "var", "std",
        "nansum", "norm", "median", "amax")},
    "pow": lambda T, F, x: x**2,
    "add": lambda T, F, x: x + x.float(),
    "addcmul": lambda T, F, x: T.addcmul(x, x, x),
    "cumsum": lambda T, F, x: x.cumsum(0),
    "cumprod": lambda T, F, x: x.cumprod(0),
    "logsumexp": lambda T, F, x: T.logsumexp(x, 0),
    "vector_norm": lambda T, F, x: T.linalg.vector_norm(x),
    "dist": lambda T, F, x: T.dist(x, x / 2),
    "renorm": lambda T, F, x: T.renorm(x, 2, 0, 1.0),
    "softmax": lambda T, F, x: F.softmax(x, 0),
    "log_softmax": lambda T, F, x: F.log_softmax(x, 0),
    "softplus": lambda T, F, x: F.softplus(x),
    "gelu": lambda T, F, x: F.gelu(x),
    "normalize": lambda T, F, x: F.normalize(x),
    "layer_norm": lambda T, F, x: F.layer_norm(x, (2,)),
    "group_norm": lambda T, F, x: F.group_norm(x, 1),
    "batch_norm": lambda T, F, x: F.batch_norm(x, None, None, training=True),
    "rms_norm": lambda T, F, x: F.rms_norm(x, (2,)),
    "interpolate": lambda T, F, x: F.interpolate(x[None], 4, mode="linear"),
    "max_pool2d": lambda T, F, x: F.max_pool2d(x[None], 2),
    "avg_pool2d": lambda T, F, x: F.avg_pool2d(x[None], 2),
    "cosine_similarity": lambda T, F, x: F.cosine_similarity(x, x),
}  # fmt: skip

CALLS: dict[str, Call] = {**PRODUCTS, **LOSSES, **IN_FLOAT32, **WIDEST, **LEFT_ALONE}
